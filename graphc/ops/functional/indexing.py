"""Picking and placing elements: slices, indices, diagonals, triangles and one-hot codes."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir import dtypes
from graphc.ir.dims import Dim, DimLike, product
from graphc.ops.functional.arguments import (
    Tensor,
    concrete_dtype,
    dims,
    is_known,
    known_length,
    one_axis,
    rank_of,
    scalar,
    several_axes,
)
from graphc.ops.functional.dispatch import apply, as_array, cast_to, function, is_variable, promote, shape_of
from graphc.ops.functional.movement import permuted, ravel, reshape
from graphc.ops.functional.reduction import sum as total
from graphc.ops.functional.tracing import TracedTensor
from graphc.ops.slicing import TO_END, TO_START

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "get_item",
    "multi_hot",
    "one_hot",
    "scatter",
    "scatter_update",
    "segment_sum",
    "slice",
    "slice_update",
    "take",
    "take_along_axis",
    "trace",
    "tril",
    "triu",
    "unravel_index",
]


def index_tensor(indices: Tensor, name: str) -> Tensor:
    """Indices as int32 or int64.

    Raises:
        DTypeError: they are not integers.
    """
    found = concrete_dtype(indices)
    if not dtypes.is_int(found):
        raise DTypeError(f"{name}: indices must be integers; got dtype {found}.")
    return (
        indices
        if found in ("int32", "int64")
        else cast_to(indices, "int32" if dtypes.item_size(found) < 4 else "int64")
    )


# -- x[...] -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Item:
    """One part of a key: what it is, the axis of ``x`` that it stands for (-1 for a new axis), and its value."""

    kind: str  # "new", "slice", "integer" or "array"
    axis: int
    value: Any = None


@function
def get_item(x: Tensor, key: Any) -> Tensor:
    """``x[key]`` as NumPy reads it: integers, slices with steps, None, ``...``, arrays of integers, known masks.

    Integers and slices become one Slice and one Squeeze, arrays of integers one Gather.

    Raises:
        ShapeError: an index is out of range, or there are more of them than axes.
        ArgumentError: a mask is traced: the result's shape would depend on the data.
    """
    items = _read_key(key, shape_of(x))
    cut = _apply_basic(x, items)
    left = [item.axis for item in items if item.kind in ("slice", "array")]
    arrays = [item for item in items if item.kind == "array"]
    new_axes = _new_axes(items)
    if arrays:
        cut = _apply_arrays(cut, [left.index(item.axis) for item in arrays], [item.value for item in arrays], items)
    return apply("Unsqueeze", cut, axes=new_axes) if new_axes else cut


def _read_key(key: Any, shape: tuple[DimLike, ...]) -> list[_Item]:
    parts = list(key) if isinstance(key, tuple) else [key]
    parts = [index for part in parts for index in _without_mask(part)]
    used = sum(1 for part in parts if part is not None and part is not Ellipsis)
    if sum(1 for part in parts if part is Ellipsis) > 1:
        raise ArgumentError("get_item: a key may hold only one `...`.")
    if used > len(shape):
        raise ShapeError(f"get_item: {used} indices were given for a tensor of shape {shape}.")
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    items: list[_Item] = []
    axis = 0
    for part in parts:
        if part is None:
            items.append(_Item("new", -1))
        elif part is Ellipsis:
            for _ in range(len(shape) - used):
                items.append(_Item("slice", axis, builtins.slice(None)))
                axis += 1
        else:
            items.append(_read_index(part, axis, shape[axis]))
            axis += 1
    return items


def _without_mask(part: Any) -> list[Any]:
    """A mask of known values as the indices of its true elements, one array for each of its axes."""
    if isinstance(part, bool | np.bool_):
        raise ArgumentError("get_item: True and False are no indices; use None for a new axis.")
    if isinstance(part, TracedTensor) or is_variable(part):
        if part.dtype == "bool":
            raise ArgumentError(
                "get_item: how many elements a mask keeps depends on the data, and shapes in a model must not. "
                "Use graphc.ops.where(mask, x, 0), or multiply by the mask."
            )
        return [part]
    if isinstance(part, list | np.ndarray):
        array = np.asarray(part)
        if array.dtype.kind == "b":
            return list(np.nonzero(array))
    return [part]


def _read_index(part: Any, axis: int, length: DimLike) -> _Item:
    if isinstance(part, builtins.slice):
        bounds = [_bound(b, "slice bound") for b in (part.start, part.stop)]
        step = 1 if part.step is None else _bound(part.step, "slice step")
        if not isinstance(step, int) or step == 0:
            raise ArgumentError(f"get_item: the step of a slice must be an integer and not zero; got {part.step!r}.")
        return _Item("slice", axis, builtins.slice(bounds[0], bounds[1], step))
    if isinstance(part, Dim):
        return _Item("integer", axis, part)
    if isinstance(part, TracedTensor | list | np.ndarray) or is_variable(part):
        if isinstance(part, np.ndarray) and part.ndim == 0:
            return _Item("integer", axis, _in_range(part, axis, length))
        return _Item("array", axis, index_tensor(part if not isinstance(part, list) else as_array(part), "get_item"))
    return _Item("integer", axis, _in_range(part, axis, length))


def _bound(value: Any, what: str) -> Any:
    if value is None or isinstance(value, Dim):
        return value
    if isinstance(value, TracedTensor):
        raise ArgumentError(
            f"get_item: a {what} must be known when the model is built; got {value!r}. "
            "Use graphc.ops.slice or graphc.ops.take for positions that are computed."
        )
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentError(f"get_item: a {what} must be an integer, a dim or None; got {value!r}.")
    return int(value)


def _in_range(part: Any, axis: int, length: DimLike) -> int:
    if not hasattr(part, "__index__"):
        raise ArgumentError(
            f"get_item: an index must be an integer, a slice, None, `...` or an array of integers; got {part!r}."
        )
    index = int(part)
    if isinstance(length, int) and not -length <= index < length:
        raise ShapeError(f"get_item: index {index} is out of range for axis {axis} of length {length}.")
    return index


def _apply_basic(x: Tensor, items: Sequence[_Item]) -> Tensor:
    """Slices and integers: one Slice for all of them, and one Squeeze for the integers' axes.

    Where the length of an axis is not known, nobody knows if a slice has an element; a Gather has one or fails.
    """
    cuts: list[tuple[DimLike, DimLike, int, int]] = []
    dropped, gathered = [], []
    for item in items:
        if item.kind == "integer" and isinstance(shape_of(x)[item.axis], Dim):
            gathered.append(item)
        elif item.kind == "integer":
            cuts.append((item.value, item.value + 1 or TO_END, item.axis, 1))
            dropped.append(item.axis)
        elif item.kind == "slice" and item.value not in (builtins.slice(None), builtins.slice(None, None, 1)):
            start, stop, step = item.value.start, item.value.stop, item.value.step
            low, high = (0, TO_END) if step > 0 else (TO_END, TO_START)
            cuts.append((low if start is None else start, high if stop is None else stop, item.axis, step))
    if cuts:
        starts, ends, axes, steps = zip(*cuts, strict=True)
        x = apply("Slice", x, starts=starts, ends=ends, axes=axes, steps=steps)
    if dropped:
        x = apply("Squeeze", x, axes=tuple(dropped))
    for item in reversed(gathered):
        position = item.axis - sum(axis < item.axis for axis in dropped)
        x = apply("Gather", x, cast_to(item.value, "int64"), axis=position)
    return x


def _adjacent(items: Sequence[_Item]) -> bool:
    """Whether arrays and integers are neighbours: NumPy then puts the arrays' axes in their place, else in front."""
    places = [i for i, item in enumerate(items) if item.kind in ("array", "integer")]
    return places[-1] - places[0] + 1 == len(places)


def _apply_arrays(x: Tensor, axes: Sequence[int], indices: Sequence[Tensor], items: Sequence[_Item]) -> Tensor:
    """Index several axes by arrays that broadcast with each other, as one Gather of the joined axes."""
    in_place = _adjacent(items)
    first = axes[0] if in_place else 0
    if not in_place:
        x = permuted(x, [*axes, *(i for i in range(rank_of(x)) if i not in axes)])
    if len(indices) == 1:
        return apply("Gather", x, indices[0], axis=first)
    have = shape_of(x)
    lengths = have[first : first + len(indices)]
    joined = reshape(x, (*have[:first], product(lengths), *have[first + len(indices) :]))
    return apply("Gather", joined, _linear_index(indices, lengths), axis=first)


def _linear_index(indices: Sequence[Tensor], lengths: Sequence[DimLike]) -> Tensor:
    """The positions, in row-major order, of the elements that one index for each axis names."""
    promoted = promote(*indices)
    position = _from_front(promoted[0], lengths[0])
    for index, length in zip(promoted[1:], lengths[1:], strict=True):
        stride = cast_to(length, concrete_dtype(index))
        position = apply("Add", apply("Mul", position, stride), _from_front(index, length))
    return position


def _from_front(index: Tensor, length: DimLike) -> Tensor:
    """An index with negative values counted from the front.

    Raises:
        ShapeError: a known index is out of range. It would be taken for an element of the next row.
    """
    if is_known(index) and isinstance(length, int):
        values = as_array(index)
        if ((values < -length) | (values >= length)).any():
            raise ShapeError(f"An index is out of range for an axis of length {length}: {values.tolist()}.")
        return np.where(values < 0, values + length, values).astype(values.dtype)
    wrapped = apply("Add", index, cast_to(length, concrete_dtype(index)))
    return apply("Where", apply("Less", index, scalar(0, index)), wrapped, index)


def _new_axes(items: Sequence[_Item]) -> tuple[int, ...]:
    """Where the result has new axes."""
    arrays = [item for item in items if item.kind == "array"]
    rank = max((rank_of(item.value) for item in arrays), default=0)
    in_front = bool(arrays) and not _adjacent(items)
    places, position, placed = [], rank if in_front else 0, in_front
    for item in items:
        if item.kind == "new":
            places.append(position)
        if item.kind == "array" and not placed:
            position, placed = position + rank, True
        elif item.kind in ("new", "slice"):
            position += 1
    return tuple(places)


@function
def slice(inputs: Tensor, start_indices: Any, shape: Any) -> Tensor:
    """A block of ``shape`` that begins at ``start_indices``, which may be computed.

    Known starts are moved back where the block would reach beyond an axis, as in Keras on JAX.

    Raises:
        ShapeError: the block is larger than ``inputs``, or the numbers of axes differ.
    """
    have, sizes = shape_of(inputs), dims(shape, "slice")
    starts = _unpacked_starts(start_indices, len(have), "slice")
    _check_block(have, sizes, starts, "slice")
    known = [i for i, start in enumerate(starts) if not isinstance(start, TracedTensor) and sizes[i] != have[i]]
    if known:
        begins = {i: _held_back(starts[i], sizes[i], have[i]) for i in known}
        ends = tuple(begins[i] + sizes[i] for i in known)
        inputs = apply(
            "Slice", inputs, starts=tuple(begins.values()), ends=ends, axes=tuple(known), steps=(1,) * len(known)
        )
    for axis, start in enumerate(starts):
        if isinstance(start, TracedTensor) and sizes[axis] != have[axis]:
            start = cast_to(start, "int32")  # noqa: PLW2901 (the same position)
            places = apply("Iota", dim=sizes[axis], dtype="int32")
            inputs = apply("Gather", inputs, apply("Add", places, start), axis=axis)
    return inputs


def _unpacked_starts(start_indices: Any, rank: int, name: str) -> list[Any]:
    """One start for each axis: integers, dims or traced scalars."""
    if isinstance(start_indices, TracedTensor):
        if start_indices.ndim != 1 or start_indices.shape[0] != rank:
            raise ShapeError(f"{name}: start_indices must hold {rank} positions; got shape {start_indices.shape}.")
        return [get_item(start_indices, i) for i in range(rank)]
    starts = list(start_indices)
    if len(starts) != rank:
        raise ShapeError(
            f"{name}: start_indices must hold one position for each of the {rank} axes; got {len(starts)}."
        )
    return [s if isinstance(s, TracedTensor | Dim) else int(s) for s in starts]


def _check_block(have: Sequence[DimLike], sizes: Sequence[DimLike], starts: Sequence[Any], name: str) -> None:
    if len(sizes) != len(have):
        raise ShapeError(f"{name}: a block of {len(sizes)} axes does not fit a tensor of shape {tuple(have)}.")
    for axis, (length, count) in enumerate(zip(have, sizes, strict=True)):
        if isinstance(length, int) and isinstance(count, int) and not 0 <= count <= length:
            raise ShapeError(f"{name}: a block of length {count} does not fit axis {axis} of {tuple(have)}.")
        if isinstance(starts[axis], int) and starts[axis] < 0 and not isinstance(length, int):
            raise ShapeError(
                f"{name}: the start {starts[axis]} counts from the end of axis {axis}, whose length is unknown."
            )


def _held_back(start: DimLike, count: DimLike, length: DimLike) -> DimLike:
    if not isinstance(start, int) or not isinstance(count, int) or not isinstance(length, int):
        return start
    return max(0, min(start + length if start < 0 else start, length - count))


@function
def slice_update(inputs: Tensor, start_indices: Any, updates: Tensor) -> Tensor:
    """``inputs`` with a block replaced by ``updates``, from ``start_indices`` on.

    Raises:
        ShapeError: the block does not fit.
        ArgumentError: a start is computed.
    """
    updates = cast_to(updates, concrete_dtype(inputs))
    have, sizes = shape_of(inputs), shape_of(updates)
    starts = _unpacked_starts(start_indices, len(have), "slice_update")
    if any(isinstance(s, TracedTensor) for s in starts):
        raise ArgumentError("slice_update: start_indices must be known when the model is built.")
    _check_block(have, sizes, starts, "slice_update")
    begins = [_held_back(s, n, length) for s, n, length in zip(starts, sizes, have, strict=True)]
    # Put the block between its neighbours along one axis after the other: a block, a row of blocks, a whole tensor.
    for axis in reversed(range(len(have))):
        if sizes[axis] == have[axis]:
            continue
        row = inputs
        outer = [i for i in range(axis) if sizes[i] != have[i]]
        if outer:
            starts_, ends_ = tuple(begins[i] for i in outer), tuple(begins[i] + sizes[i] for i in outer)
            row = apply("Slice", inputs, starts=starts_, ends=ends_, axes=tuple(outer), steps=(1,) * len(outer))
        end = begins[axis] + sizes[axis]
        before = apply("Slice", row, starts=(0,), ends=(begins[axis],), axes=(axis,)) if begins[axis] != 0 else None
        after = apply("Slice", row, starts=(end,), ends=(TO_END,), axes=(axis,)) if end != have[axis] else None
        updates = apply("Concat", *(part for part in (before, updates, after) if part is not None), axis=axis)
    return updates


# -- by index ---------------------------------------------------------------------------------------------------------


@function
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """The slices of ``x`` at ``indices`` along an axis, or elements of the flattened ``x``.

    Negative indices count from the end; an index outside the axis is an error (Keras on JAX gives NaN).
    """
    if axis is None:
        x, axis = ravel(x), 0
    return apply("Gather", x, index_tensor(indices, "take"), axis=one_axis(axis, rank_of(x), "take"))


@function
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """One element of ``x`` for each index along an axis; the other axes of both broadcast. None: the flattened ``x``.

    Raises:
        ShapeError: the ranks differ.
    """
    if axis is None:
        x, indices, axis = ravel(x), ravel(indices), 0
    indices = index_tensor(indices, "take_along_axis")
    have, wanted = shape_of(x), shape_of(indices)
    if len(have) != len(wanted):
        raise ShapeError(f"take_along_axis: x and indices must have one rank; got {have} and {wanted}.")
    along = one_axis(axis, len(have), "take_along_axis")
    both = list(enumerate(zip(have, wanted, strict=True)))
    if any(h == 1 and w != 1 for i, (h, w) in both if i != along):
        x = apply("Expand", x, shape=tuple(h if i == along or h != 1 else w for i, (h, w) in both))
    if any(w == 1 and h != 1 for i, (h, w) in both if i != along):
        indices = apply("Expand", indices, shape=tuple(w if i == along or w != 1 else h for i, (h, w) in both))
    return apply("GatherElements", x, indices, axis=along)


@function
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Indices into a flattened tensor of ``shape`` as positions: one tensor for each axis."""
    lengths = dims(shape, "unravel_index")
    index = _from_front(index_tensor(indices, "unravel_index"), product(lengths))
    found: list[Tensor] = []
    for length in reversed(lengths):
        by = cast_to(length, concrete_dtype(index))
        found.append(apply("Mod", index, by))
        index = apply("Div", index, by)
    return tuple(reversed(found))


@function
def segment_sum(data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The sums of the rows of ``data`` that have the same id, one row for each of ``num_segments`` ids.

    Raises:
        ArgumentError: ``num_segments`` is not given.
    """
    if num_segments is None:
        raise ArgumentError("segment_sum: num_segments must be given; the number of ids depends on the data.")
    return apply("GatherGrad", index_tensor(segment_ids, "segment_sum"), data, axis=0, size=num_segments)


def _positions(indices: Tensor, shape: Sequence[DimLike], name: str) -> tuple[Tensor, int]:
    """Rows of indices into the first axes of ``shape`` as linear positions, and how many axes they cover."""
    indices = index_tensor(indices, name)
    depth = known_length(shape_of(indices)[-1], f"{name}: the last axis of indices") if rank_of(indices) else 0
    if rank_of(indices) < 2 or not 1 <= depth <= len(shape):
        raise ShapeError(
            f"{name}: indices must have shape (n, k), with k from 1 to the rank {len(shape)}; got {shape_of(indices)}."
        )
    columns = [get_item(indices, (Ellipsis, i)) for i in range(depth)]
    return _linear_index(columns, shape[:depth]), depth


@function
def scatter(indices: Tensor, values: Tensor, shape: Any) -> Tensor:
    """A tensor of ``shape`` that is zero but for ``values`` at ``indices``; values at one place are added.

    Args:
        indices: ``(n, k)``, positions in the first k axes.
        values: ``(n, *shape[k:])``.
        shape: the result's.
    """
    wanted = dims(shape, "scatter")
    positions, depth = _positions(indices, wanted, "scatter")
    rows = apply("GatherGrad", positions, values, axis=0, size=product(wanted[:depth]))
    return reshape(rows, wanted)


_SCATTER_REDUCTIONS = (None, "add")


@function
def scatter_update(inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None) -> Tensor:
    """``inputs`` with ``updates`` put at ``indices``, or added there with ``reduction="add"``.

    Without a reduction each place must be named at most once.

    Args:
        inputs: any shape.
        indices: ``(n, k)``, positions in the first k axes.
        updates: ``(n, *inputs.shape[k:])``.
        reduction: None or "add".

    Raises:
        ArgumentError: the reduction is another one.
    """
    if reduction not in _SCATTER_REDUCTIONS:
        raise ArgumentError(f"scatter_update: reduction must be one of {_SCATTER_REDUCTIONS}; got {reduction!r}.")
    have = shape_of(inputs)
    positions, depth = _positions(indices, have, "scatter_update")
    count = product(have[:depth])
    placed = reshape(apply("GatherGrad", positions, cast_to(updates, concrete_dtype(inputs)), axis=0, size=count), have)
    if reduction == "add":
        return apply("Add", inputs, placed)
    ones = apply("Expand", np.int32(1), shape=shape_of(positions))
    named = cast_to(apply("GatherGrad", positions, ones, axis=0, size=count), "bool")
    named = reshape(named, (*have[:depth], *(1 for _ in have[depth:])))
    return apply("Where", named, placed, inputs)


# -- diagonals and triangles ------------------------------------------------------------------------------------------


@function
def tril(x: Tensor, k: int = 0) -> Tensor:
    """The lower triangle of the last two axes, zero above diagonal ``k``."""
    return apply("Trilu", x, k=k, upper=False)


@function
def triu(x: Tensor, k: int = 0) -> Tensor:
    """The upper triangle of the last two axes, zero below diagonal ``k``."""
    return apply("Trilu", x, k=k, upper=True)


@function
def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements of two axes whose positions differ by ``offset``, along a new last axis.

    Raises:
        ShapeError: there are less than two axes, or the two are one.
    """
    rank = rank_of(x)
    pair = several_axes((axis1, axis2), rank, "diagonal")
    x = permuted(x, [*(i for i in range(rank) if i not in pair), *pair])
    *outer, rows, columns = shape_of(x)
    rows, columns = (known_length(n, f"diagonal: axis {a}") for n, a in zip((rows, columns), pair, strict=True))
    first_row, first_column = max(-offset, 0), max(offset, 0)
    count = max(0, min(rows - first_row, columns - first_column))
    places = (first_row + np.arange(count)) * columns + first_column + np.arange(count)
    return apply("Gather", reshape(x, (*outer, rows * columns)), places, axis=len(outer))


@function
def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal of two axes."""
    return total(diagonal(x, offset, axis1, axis2), axis=-1)


@function
def diagflat(x: Tensor, k: int = 0) -> Tensor:
    """A matrix with the elements of ``x`` on diagonal ``k`` and zeros elsewhere."""
    x = ravel(x)
    length = known_length(shape_of(x)[0], "diagflat: the number of elements")
    total = length + abs(k)
    rows = max(-k, 0) + np.arange(length)
    columns = max(k, 0) + np.arange(length)
    index = np.full((total, total), length)  # beyond the last element: the zero that is appended
    index[rows, columns] = np.arange(length)
    return apply(
        "Gather", apply("Concat", x, np.zeros(1, dtypes.numpy_dtype(concrete_dtype(x))), axis=0), index, axis=0
    )


@function
def diag(x: Tensor, k: int = 0) -> Tensor:
    """The diagonal ``k`` of a matrix, or a matrix with a vector on it.

    Raises:
        ShapeError: ``x`` is neither a vector nor a matrix.
    """
    if rank_of(x) not in (1, 2):
        raise ShapeError(f"diag: expected a vector or a matrix; got shape {shape_of(x)}.")
    return diagflat(x, k) if rank_of(x) == 1 else diagonal(x, k)


# -- codes ------------------------------------------------------------------------------------------------------------


def _no_sparse(sparse: bool, name: str) -> None:
    if sparse:
        raise ArgumentError(f"{name}: graphc has no sparse tensors; leave `sparse` out.")


@function
def one_hot(x: Tensor, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False) -> Tensor:
    """1 at each label along a new axis, else 0; a label outside ``0 .. num_classes - 1`` gives zeros.

    Args:
        x: integer labels of any shape; floats are cut to integers.
        num_classes: the length of the new axis.
        axis: where the new axis is in the result.
        dtype: the result's; float32 by default.
        sparse: not supported.
    """
    _no_sparse(sparse, "one_hot")
    if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__"):
        raise ArgumentError(f"one_hot: num_classes must be an integer; got {num_classes!r}.")
    labels = x if dtypes.is_int(concrete_dtype(x)) else cast_to(x, "int32")
    place = one_axis(axis, rank_of(x) + 1, "one_hot")
    return apply(
        "OneHot", labels, depth=int(num_classes), axis=place, dtype=dtypes.standardize_dtype(dtype or "float32")
    )


@function
def multi_hot(
    inputs: Tensor, num_classes: int | None = None, axis: int = -1, dtype: str | None = None, sparse: bool = False
) -> Tensor:
    """1 at each of several labels, else 0.

    Args:
        inputs: integer labels ``(labels,)`` or ``(batch, labels, ...)``.
        num_classes: the number of classes.
        axis: where the axis of the classes is, before the labels' axis is removed.
        dtype: the result's; float32 by default.
        sparse: not supported.
    """
    _no_sparse(sparse, "multi_hot")
    if num_classes is None:
        raise ArgumentError("multi_hot: num_classes must be given.")
    codes = one_hot(inputs, num_classes, axis, dtype)
    return apply("ReduceMax", codes, axes=(1 if rank_of(inputs) > 1 else 0,), keepdims=False)
