"""Shapes: reshaping, reordering, joining, cutting, repeating and padding.

Lengths may be integers or the named dims that `shape` gives; where NumPy allows it, one of them may be -1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import Dim, DimLike, Shape, product
from graphc.ops.functional.arguments import (
    Axis,
    Tensor,
    channels_last,
    concrete_dtype,
    dims,
    known_length,
    one_axis,
    rank_of,
    several_axes,
)
from graphc.ops.functional.dispatch import apply, apply_many, cast_to, function, promote, shape_of
from graphc.ops.slicing import TO_END, TO_START

__all__ = [
    "append",
    "array_split",
    "broadcast_to",
    "concatenate",
    "depth_to_space",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "moveaxis",
    "ndim",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "shape",
    "size",
    "space_to_depth",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "unstack",
    "vsplit",
    "vstack",
]

# -- asking -----------------------------------------------------------------------------------------------------------


def shape(x: Tensor) -> Shape:
    """The shape: integers, and named dims for lengths that come with the data.

    A named dim counts as a length in every function, with arithmetic: ``reshape(x, (shape(x)[0] // 2, -1))``.
    """
    named = getattr(getattr(x, "type", None), "shape", None)
    return tuple(named) if named is not None else shape_of(x)


def ndim(x: Tensor) -> int:
    """The number of axes."""
    return len(shape(x))


def size(x: Tensor) -> DimLike:
    """The number of elements: an integer, or a named dim where a length comes with the data."""
    return product(shape(x))


# -- regrouping and reordering axes -----------------------------------------------------------------------------------


@function
def reshape(x: Tensor, newshape: Any) -> Tensor:
    """The same elements in another shape; one length may be -1.

    Raises:
        ShapeError: the number of elements would change.
    """
    wanted = dims(newshape, "reshape")
    return x if wanted == shape_of(x) else apply("Reshape", x, shape=wanted)


@function
def ravel(x: Tensor) -> Tensor:
    """All elements in one axis."""
    return x if rank_of(x) == 1 else apply("Reshape", x, shape=(-1,))


def permuted(x: Tensor, order: Sequence[int]) -> Tensor:
    """``x`` with its axes in another order; ``x`` itself when that is its order already."""
    order = tuple(order)
    return x if order == tuple(range(len(order))) else apply("Transpose", x, perm=order)


@function
def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order: reversed by default.

    Raises:
        ShapeError: ``axes`` does not name each axis once.
    """
    rank = rank_of(x)
    if axes is None:
        return permuted(x, range(rank)[::-1])
    order = several_axes(tuple(axes), rank, "transpose")
    if len(order) != rank:
        raise ShapeError(f"transpose: axes must name each of the {rank} axes of {shape_of(x)} once; got {tuple(axes)}.")
    return permuted(x, order)


@function
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    order = list(range(rank_of(x)))
    a, b = one_axis(axis1, len(order), "swapaxes"), one_axis(axis2, len(order), "swapaxes")
    order[a], order[b] = order[b], order[a]
    return permuted(x, order)


@function
def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Axes moved to other places; the others keep their order.

    Raises:
        ArgumentError: ``source`` and ``destination`` differ in length.
    """
    rank = rank_of(x)
    sources, targets = several_axes(source, rank, "moveaxis"), several_axes(destination, rank, "moveaxis")
    if len(sources) != len(targets):
        raise ArgumentError(
            f"moveaxis: source and destination must name as many axes; got {source!r} and {destination!r}."
        )
    order = [axis for axis in range(rank) if axis not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return permuted(x, order)


@function
def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """New axes of length 1 at these places of the result."""
    given = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    return apply("Unsqueeze", x, axes=several_axes(given, rank_of(x) + len(given), "expand_dims"))


@function
def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """Without axes of length 1: all of them, or those named.

    Raises:
        ShapeError: a named axis has another length.
    """
    if axis is None:
        axes = tuple(i for i, dim in enumerate(shape_of(x)) if isinstance(dim, int) and dim == 1)
    else:
        axes = several_axes(axis, rank_of(x), "squeeze")
    return apply("Squeeze", x, axes=axes) if axes else x


@function
def broadcast_to(x: Tensor, shape: Any) -> Tensor:
    """``x`` repeated to a shape that it broadcasts to.

    Raises:
        ShapeError: it does not.
    """
    wanted, have = dims(shape, "broadcast_to"), shape_of(x)
    fits = len(wanted) >= len(have) and all(
        h in (1, w) or not isinstance(h, int) or not isinstance(w, int)
        for h, w in zip(reversed(have), reversed(wanted), strict=False)
    )
    if not fits:
        raise ShapeError(f"broadcast_to: shape {have} does not broadcast to {wanted}.")
    return x if wanted == have else apply("Expand", x, shape=wanted)


@function
def rot90(array: Tensor, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """``array`` turned by ``k`` times 90 degrees, from the first of two axes towards the second.

    Raises:
        ArgumentError: ``axes`` are not two different axes.
    """
    a, b = several_axes(tuple(axes), rank_of(array), "rot90") if len(axes) == 2 else (0, 0)
    if a == b:
        raise ArgumentError(f"rot90: axes must be two different axes; got {axes!r}.")
    turns = k % 4
    if turns == 0:
        return array
    if turns == 2:
        return _reversed(array, (a, b))
    swapped = list(range(rank_of(array)))
    swapped[a], swapped[b] = swapped[b], swapped[a]
    return permuted(_reversed(array, (b,)), swapped) if turns == 1 else _reversed(permuted(array, swapped), (b,))


def _block_axes(x: Tensor, block_size: int, data_format: str, name: str) -> tuple[bool, Shape]:
    last = channels_last(data_format, name)
    if rank_of(x) != 4:
        raise ShapeError(
            f"{name}: the input must have rank 4 (batch, channels and two spatial axes); got {shape_of(x)}."
        )
    if not isinstance(block_size, int) or block_size < 1:
        raise ArgumentError(f"{name}: block_size must be a positive integer; got {block_size!r}.")
    return last, shape_of(x)


@function
def depth_to_space(x: Tensor, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Channels moved into blocks of pixels.

    Args:
        x: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)`` for "channels_first".
        block_size: the block's side; its square divides the channels.
        data_format: the order of the axes.
    """
    s = block_size
    last, found = _block_axes(x, s, data_format, "depth_to_space")
    if last:
        n, h, w, c = found
        blocks = reshape(x, (n, h, w, s, s, _divided(c, s * s, "depth_to_space")))
        return reshape(permuted(blocks, (0, 1, 3, 2, 4, 5)), (n, h * s, w * s, -1))
    n, c, h, w = found
    blocks = reshape(x, (n, _divided(c, s * s, "depth_to_space"), s, s, h, w))
    return reshape(permuted(blocks, (0, 1, 4, 2, 5, 3)), (n, c // (s * s), h * s, w * s))


@function
def space_to_depth(x: Tensor, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of pixels moved into channels: the inverse of `depth_to_space`."""
    s = block_size
    last, found = _block_axes(x, s, data_format, "space_to_depth")
    if last:
        n, h, w, c = found
        rows, columns = _divided(h, s, "space_to_depth"), _divided(w, s, "space_to_depth")
        blocks = permuted(reshape(x, (n, rows, s, columns, s, c)), (0, 1, 3, 2, 4, 5))
        return reshape(blocks, (n, rows, columns, c * s * s))
    n, c, h, w = found
    rows, columns = _divided(h, s, "space_to_depth"), _divided(w, s, "space_to_depth")
    blocks = permuted(reshape(x, (n, c, rows, s, columns, s)), (0, 1, 3, 5, 2, 4))
    return reshape(blocks, (n, c * s * s, rows, columns))


def _divided(length: DimLike, by: int, name: str) -> DimLike:
    if isinstance(length, int) and length % by:
        raise ShapeError(f"{name}: a length of {length} is not divisible by {by}.")
    return length // by


# -- joining ----------------------------------------------------------------------------------------------------------


def _joined(tensors: Sequence[Tensor], axis: int, name: str) -> Tensor:
    if not isinstance(tensors, list | tuple) or not tensors:
        raise ArgumentError(f"{name}: expected a list of at least one tensor; got {tensors!r:.80}.")
    ranks = {rank_of(x) for x in tensors}
    if len(ranks) > 1:
        raise ShapeError(f"{name}: the tensors must have one rank; got shapes {[shape_of(x) for x in tensors]}.")
    promoted = promote(*tensors)
    return promoted[0] if len(promoted) == 1 else apply("Concat", *promoted, axis=one_axis(axis, ranks.pop(), name))


@function
def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Tensors one after the other along an axis.

    Raises:
        ArgumentError: ``xs`` is empty.
        ShapeError: the shapes differ beside that axis.
    """
    return _joined(xs, axis, "concatenate")


@function
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Tensor:
    """``x2`` behind ``x1`` along an axis; None flattens both first."""
    if axis is None:
        return _joined([ravel(x1), ravel(x2)], 0, "append")
    return _joined([x1, x2], axis, "append")


@function
def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis."""
    if not isinstance(x, list | tuple) or not x:
        raise ArgumentError(f"stack: expected a list of at least one tensor; got {x!r:.80}.")
    place = one_axis(axis, rank_of(x[0]) + 1, "stack")
    return _joined([apply("Unsqueeze", item, axes=(place,)) for item in promote(*x)], place, "stack")


def _at_least(x: Tensor, rank: int) -> Tensor:
    """``x`` with axes of length 1 in front, or for rank 3 around, as NumPy's ``atleast_nd`` puts them."""
    have = rank_of(x)
    if have >= rank:
        return x
    axes = {1: (0,), 2: (0,) if have else (0, 1), 3: ((0, 1, 2), (0, 2), (2,))[have]}[rank]
    return apply("Unsqueeze", x, axes=axes)


@function
def hstack(xs: Sequence[Tensor]) -> Tensor:
    """Tensors side by side: along axis 1, or axis 0 for vectors."""
    rows = [_at_least(x, 1) for x in xs]
    return _joined(rows, 0 if rows and rank_of(rows[0]) == 1 else 1, "hstack")


@function
def vstack(xs: Sequence[Tensor]) -> Tensor:
    """Tensors one above the other: along axis 0, vectors as rows."""
    return _joined([_at_least(x, 2) for x in xs], 0, "vstack")


@function
def dstack(xs: Sequence[Tensor]) -> Tensor:
    """Tensors one behind the other: along axis 2."""
    return _joined([_at_least(x, 3) for x in xs], 2, "dstack")


# -- cutting ----------------------------------------------------------------------------------------------------------


def _parts(x: Tensor, sizes: Sequence[DimLike], axis: int) -> list[Tensor]:
    return [x] if len(sizes) == 1 else list(apply_many("Split", [x], sizes=tuple(sizes), axis=axis))


def _sizes_between(bounds: Sequence[int], length: DimLike, name: str) -> list[DimLike]:
    """The lengths of the parts that cuts at these positions leave, as NumPy cuts."""
    if isinstance(length, int):
        cuts = [0, *(slice(b, None).indices(length)[0] for b in bounds), length]
        if cuts != sorted(cuts):
            raise ArgumentError(f"{name}: the positions to cut at must ascend; got {list(bounds)} for length {length}.")
        return [after - before for before, after in pairwise(cuts)]
    ends: list[DimLike] = [b if b >= 0 else length + b for b in bounds]
    return [after - before for before, after in zip([0, *ends], [*ends, length], strict=True)]


def _split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int, name: str, equal: bool) -> list[Tensor]:
    along = one_axis(axis, rank_of(x), name)
    length = shape_of(x)[along]
    if not isinstance(indices_or_sections, int | np.integer):
        return _parts(x, _sizes_between([int(i) for i in indices_or_sections], length, name), along)
    count = int(indices_or_sections)
    if count < 1:
        raise ArgumentError(f"{name}: the number of sections must be positive; got {count}.")
    if equal and isinstance(length, int) and length % count:
        raise ShapeError(f"{name}: axis {along} of {shape_of(x)} cannot be cut into {count} equal parts.")
    if equal:
        return _parts(x, [length // count] * count, along)
    each, longer = divmod(known_length(length, f"{name}: axis {along}"), count)
    return _parts(x, [each + 1] * longer + [each] * (count - longer), along)


@function
def split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Parts along an axis: a number of equal ones, or those between the given positions.

    Raises:
        ShapeError: the length is not divisible by the number of parts.
    """
    return _split(x, indices_or_sections, axis, "split", equal=True)


@function
def array_split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Parts along an axis as `split` gives them, the first ones longer by one where the length is not divisible."""
    return _split(x, indices_or_sections, axis, "array_split", equal=False)


@function
def hsplit(x: Tensor, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`split` along axis 1, or axis 0 for a vector."""
    return _split(x, indices_or_sections, 0 if rank_of(x) == 1 else 1, "hsplit", equal=True)


@function
def vsplit(x: Tensor, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`split` along axis 0."""
    return _split(x, indices_or_sections, 0, "vsplit", equal=True)


@function
def dsplit(x: Tensor, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`split` along axis 2."""
    return _split(x, indices_or_sections, 2, "dsplit", equal=True)


@function
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of an axis, without that axis.

    Raises:
        ArgumentError: ``num`` is not the axis's length.
        ShapeError: the length comes with the data, and ``num`` is not given.
    """
    along = one_axis(axis, rank_of(x), "unstack")
    length = shape_of(x)[along]
    if num is None:
        num = known_length(length, f"unstack: axis {along} (or give `num`)")
    elif isinstance(length, int) and num != length:
        raise ArgumentError(f"unstack: axis {along} of {shape_of(x)} has length {length}, not num={num}.")
    return [apply("Squeeze", part, axes=(along,)) for part in _parts(x, [1] * num, along)]


# -- repeating --------------------------------------------------------------------------------------------------------


@function
def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    """``x`` as a whole repeated along each axis; missing axes are added in front."""
    counts = dims(repeats, "tile")
    missing = len(counts) - rank_of(x)
    if missing > 0:
        x = apply("Unsqueeze", x, axes=tuple(range(missing)))
    return apply("Tile", x, repeats=(1,) * max(-missing, 0) + counts)


@function
def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element repeated, along an axis or in the flattened ``x``; a number for all or one for each element.

    Raises:
        ArgumentError: ``repeats`` has another length than the axis.
    """
    if axis is None:
        x, axis = ravel(x), 0
    along, have = one_axis(axis, rank_of(x), "repeat"), shape_of(x)
    counts = np.asarray(repeats).reshape(-1)
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ArgumentError(f"repeat: repeats must be integers from 0 on; got {repeats!r}.")
    if counts.size != 1:
        length = known_length(have[along], f"repeat: with a list of repeats, axis {along}")
        if counts.size != length:
            raise ArgumentError(f"repeat: {counts.size} repeats were given for axis {along} of length {length}.")
        return apply("Gather", x, np.repeat(np.arange(length), counts), axis=along)
    count = int(counts[0])
    copies = apply("Unsqueeze", x, axes=(along + 1,))
    copies = apply("Expand", copies, shape=(*have[: along + 1], count, *have[along + 1 :]))
    return apply("Reshape", copies, shape=(*have[:along], have[along] * count, *have[along + 1 :]))


# -- reversing and rotating -------------------------------------------------------------------------------------------


def _reversed(x: Tensor, axes: Sequence[int]) -> Tensor:
    count = len(axes)
    if not count:
        return x
    return apply("Slice", x, starts=(TO_END,) * count, ends=(TO_START,) * count, axes=tuple(axes), steps=(-1,) * count)


@function
def flip(x: Tensor, axis: Axis = None) -> Tensor:
    """The elements in reverse order along axes; all of them for None."""
    return _reversed(x, several_axes(axis, rank_of(x), "flip"))


@function
def fliplr(x: Tensor) -> Tensor:
    """`flip` along axis 1."""
    return _reversed(x, (one_axis(1, rank_of(x), "fliplr"),))


@function
def flipud(x: Tensor) -> Tensor:
    """`flip` along axis 0."""
    return _reversed(x, (one_axis(0, rank_of(x), "flipud"),))


@function
def roll(x: Tensor, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """Elements moved on along axes, those that fall off coming in at the other end; None rolls the flattened ``x``.

    Raises:
        ArgumentError: ``shift`` and ``axis`` differ in length.
    """
    if axis is None:
        return reshape(_rolled(ravel(x), int(np.sum(shift)), 0), shape_of(x))
    axes = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    shifts: tuple[int, ...] = tuple(shift) if isinstance(shift, Sequence) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        raise ArgumentError(f"roll: shift and axis must have one length; got {shift!r} and {axis!r}.")
    for amount, along in zip(shifts, axes, strict=True):
        x = _rolled(x, int(amount), one_axis(along, rank_of(x), "roll"))
    return x


def _rolled(x: Tensor, shift: int, axis: int) -> Tensor:
    length = shape_of(x)[axis]
    if isinstance(length, Dim):  # by how much the shift exceeds the length comes with the data
        places = apply("Sub", apply("Iota", dim=length), np.int64(shift))
        return apply("Gather", x, apply("Mod", places, cast_to(length, "int64")), axis=axis)
    cut = -shift % length if length else 0
    if cut == 0:
        return x
    behind = apply("Slice", x, starts=(cut,), ends=(TO_END,), axes=(axis,))
    front = apply("Slice", x, starts=(0,), ends=(cut,), axes=(axis,))
    return apply("Concat", behind, front, axis=axis)


# -- padding ----------------------------------------------------------------------------------------------------------

_PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _pad_pairs(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    given = np.asarray(pad_width)
    fits = given.dtype.kind in "iu" and (given.ndim == 0 or given.shape in ((1,), (2,), (1, 2), (rank, 2), (rank, 1)))
    if not fits or (given < 0).any():
        raise ArgumentError(
            f"pad: pad_width must be an integer, a pair (before, after), or a pair for each of the {rank} axes, "
            f"none negative; got {pad_width!r}."
        )
    return [(int(before), int(after)) for before, after in np.broadcast_to(given, (rank, 2))]


@function
def pad(x: Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """``x`` with elements added before and behind each axis.

    Args:
        x: any shape.
        pad_width: an integer, a pair (before, after), or a pair for each axis.
        mode: "constant", "edge" (the last element again), "reflect" (mirrored without the last element), "symmetric"
            (mirrored with it) or "wrap" (from the other end).
        constant_values: the value to add in mode "constant"; 0 by default.

    Raises:
        ArgumentError: the mode is unknown, or a value is given in another mode than "constant".
    """
    if mode not in _PAD_MODES:
        raise ArgumentError(f"pad: mode must be one of {', '.join(_PAD_MODES)}; got {mode!r}.")
    if constant_values is not None and mode != "constant":
        raise ArgumentError(f'pad: constant_values goes with mode="constant" only; got mode={mode!r}.')
    pairs = _pad_pairs(pad_width, rank_of(x))
    if not any(before or after for before, after in pairs):
        return x
    if mode != "constant":
        return _padded_with_own(x, pairs, mode)
    value = 0 if constant_values is None else np.asarray(constant_values)
    if np.ndim(value) != 0:
        raise ArgumentError(f"pad: constant_values must be one number; got {constant_values!r}.")
    if concrete_dtype(x) == "bool":
        return cast_to(pad(cast_to(x, "uint8"), pad_width, constant_values=int(bool(value))), "bool")
    pads = [before for before, _ in pairs] + [after for _, after in pairs]
    return apply("Pad", x, pads=pads, value=float(value))


def _padded_with_own(x: Tensor, pairs: Sequence[tuple[int, int]], mode: str) -> Tensor:
    """Padding with elements of ``x``: a Pad where ONNX has the mode and the reach, else the elements by index."""
    have = shape_of(x)
    if mode in ("edge", "reflect") and all(
        mode == "edge" or (isinstance(n, int) and max(pair) < n) for n, pair in zip(have, pairs, strict=True)
    ):
        pads = [before for before, _ in pairs] + [after for _, after in pairs]
        return apply("Pad", x, pads=pads, mode=mode)
    for axis, pair in enumerate(pairs):
        if pair != (0, 0):
            length = known_length(have[axis], f"pad: with mode={mode!r}, axis {axis}")
            if not length:
                raise ShapeError(f"pad: axis {axis} is empty and has nothing to pad with in mode {mode!r}.")
            index = np.pad(np.arange(length), pair, mode=mode)  # type: ignore[call-overload]
            x = apply("Gather", x, index, axis=axis)
    return x
