"""Cases of `graphc.ops.movement`, `graphc.ops.slicing` and `graphc.ops.indexing`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, booleans, integers, name_of, numbers

from graphc.ops.slicing import TO_END, TO_START

INTEGER_DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def moved(op: str, oracle: Callable[..., Any], operand: Sequence[int], name: str = "", /, **attributes: Any) -> Case:
    """A movement of one operand; exact in every dtype."""
    tag = "_".join(f"{k}={v}".replace(" ", "") for k, v in attributes.items())
    return Case(op, [numbers(operand)], oracle, attributes, rtol=0, atol=0, id=name or f"{name_of(operand)}-{tag}")


def every_dtype(op: str, oracle: Callable[..., Any], operand: Sequence[int], /, **attributes: Any) -> list[Case]:
    """The same movement in all dtypes."""
    operands: list[tuple[str, Array]] = [(d, integers(operand, 0, 99, d)) for d in INTEGER_DTYPES]
    operands.append(("bool", booleans(operand)))
    half = Case(op, [numbers(operand)], oracle, attributes, dtypes=("float16",), rtol=0, atol=0, id="float16")
    return [half, *(Case(op, [x], oracle, attributes, id=dtype) for dtype, x in operands)]


# -- oracles ----------------------------------------------------------------------------------------------------------


def expand(x: Array, shape: Sequence[int]) -> Array:
    """Both sides may repeat."""
    return np.array(np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape))))


def expand_like(x: Array, like: Array) -> Array:
    """Only x repeats."""
    return np.array(np.broadcast_to(x, like.shape))


def split(x: Array, sizes: Sequence[int], axis: int = 0) -> tuple[Array, ...]:
    """Cut after each size."""
    return tuple(np.split(x, np.cumsum(sizes)[:-1], axis))


def cut(
    x: Array,
    starts: Sequence[int],
    ends: Sequence[int],
    axes: Sequence[int] | None = None,
    steps: Sequence[int] | None = None,
) -> Array:
    """Python's own slices."""
    index = [slice(None)] * x.ndim
    for i, axis in enumerate(axes if axes is not None else range(len(starts))):
        index[axis] = slice(starts[i], ends[i], steps[i] if steps is not None else 1)
    return x[tuple(index)]


def pad(x: Array, pads: Sequence[int], mode: str = "constant", value: float = 0.0) -> Array:
    """numpy.pad, after cutting what is negative."""
    before, after = pads[: x.ndim], pads[x.ndim :]
    cuts = [slice(max(-b, 0), n - max(-a, 0)) for n, b, a in zip(x.shape, before, after, strict=True)]
    kept = x[(*cuts, ...)]
    width = [(max(b, 0), max(a, 0)) for b, a in zip(before, after, strict=True)]
    options = {"constant_values": value} if mode == "constant" else {}
    return np.pad(kept, width, mode, **options) if width else kept  # type: ignore[call-overload, no-any-return]


def trilu(x: Array, k: int = 0, upper: bool = True) -> Array:
    """numpy.triu and numpy.tril."""
    return np.triu(x, k) if upper else np.tril(x, k)


def gather(data: Array, indices: Array, axis: int = 0) -> Array:
    """numpy.take."""
    return np.take(data, indices, axis)


def gather_grad(indices: Array, g: Array, size: int, axis: int = 0) -> Array:
    """Index by index."""
    rank = g.ndim - indices.ndim + 1
    axis %= rank
    rows = g.reshape(*g.shape[:axis], indices.size, *g.shape[axis + indices.ndim :])
    result = np.zeros((*rows.shape[:axis], size, *rows.shape[axis + 1 :]), g.dtype)
    for i, index in enumerate(indices.reshape(-1)):
        result[(slice(None),) * axis + (index,)] += rows[(slice(None),) * axis + (i,)]
    return result


def places(indices: Array, axis: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Each element's place, and the place that its index stands for."""
    found = []
    for place, index in np.ndenumerate(indices):
        target = list(place)
        target[axis] = int(index)
        found.append((place, tuple(target)))
    return found


def gather_elements(data: Array, indices: Array, axis: int = 0) -> Array:
    """Element by element."""
    result = np.zeros(indices.shape, data.dtype)
    for place, source in places(indices, axis):
        result[place] = data[source]
    return result


def scatter_elements_add(indices: Array, g: Array, shape: Sequence[int], axis: int = 0) -> Array:
    """Element by element."""
    result = np.zeros(tuple(shape), g.dtype)
    for place, target in places(indices, axis):
        result[target] += g[place]
    return result


def one_hot(indices: Array, depth: int, axis: int = -1, dtype: str = "float32") -> Array:
    """Rows of the identity matrix; rows of zeros for indices that it does not have."""
    rows = np.concatenate([np.eye(depth), np.zeros((1, depth))])
    inside = (indices >= 0) & (indices < depth)
    return np.moveaxis(rows[np.where(inside, indices, depth)], -1, axis).astype(dtype)


def iota(dim: int, dtype: str = "int64") -> Array:
    """numpy.arange."""
    return np.arange(dim).astype(dtype)


# -- cases ------------------------------------------------------------------------------------------------------------


def reshape(x: Array, shape: Sequence[int]) -> Array:
    """numpy.reshape."""
    return np.reshape(x, tuple(shape))


def transpose(x: Array, perm: Sequence[int] | None = None) -> Array:
    """numpy.transpose."""
    return np.transpose(x, perm)


def squeeze(x: Array, axes: Sequence[int]) -> Array:
    """numpy.squeeze."""
    return np.squeeze(x, tuple(axes))


def unsqueeze(x: Array, axes: Sequence[int]) -> Array:
    """numpy.expand_dims."""
    return np.expand_dims(x, tuple(axes))


def tile(x: Array, repeats: Sequence[int]) -> Array:
    """numpy.tile."""
    return np.tile(x, tuple(repeats))


def concat(*xs: Array, axis: int) -> Array:
    """numpy.concatenate."""
    return np.concatenate(xs, axis)


SHAPE_CASES = [
    moved("Reshape", reshape, (2, 3, 4), shape=(6, 4)),
    moved("Reshape", reshape, (2, 3, 4), shape=(-1, 12)),
    moved("Reshape", reshape, (2, 3, 4), shape=(4, -1, 2)),
    moved("Reshape", reshape, (2, 3, 4), shape=(24,)),
    moved("Reshape", reshape, (1, 1), shape=()),
    moved("Reshape", reshape, (), shape=(1, 1)),
    moved("Reshape", reshape, (0, 3), shape=(3, 0, 2)),
    moved("Reshape", reshape, (0, 3), shape=(-1, 3)),
    *every_dtype("Reshape", reshape, (2, 6), shape=(3, 4)),
    moved("Transpose", transpose, (2, 3, 4)),
    moved("Transpose", transpose, (2, 3, 4), perm=(1, 0, 2)),
    moved("Transpose", transpose, (2, 3, 4, 5), perm=(0, 3, 1, 2)),
    moved("Transpose", transpose, (2, 3, 4), perm=(-1, 0, 1)),
    moved("Transpose", transpose, ()),
    moved("Transpose", transpose, (0, 3), perm=(1, 0)),
    *every_dtype("Transpose", transpose, (2, 6)),
    moved("Squeeze", squeeze, (2, 1, 3, 1), axes=(1,)),
    moved("Squeeze", squeeze, (2, 1, 3, 1), axes=(-1, 1)),
    moved("Squeeze", squeeze, (1,), axes=(0,)),
    moved("Squeeze", squeeze, (1, 0), axes=(0,)),
    moved("Squeeze", squeeze, (2, 3), axes=()),
    *every_dtype("Squeeze", squeeze, (2, 1, 3), axes=(1,)),
    moved("Unsqueeze", unsqueeze, (2, 3), axes=(0,)),
    moved("Unsqueeze", unsqueeze, (2, 3), axes=(1, -1)),
    moved("Unsqueeze", unsqueeze, (), axes=(0, 1)),
    moved("Unsqueeze", unsqueeze, (0,), axes=(1,)),
    moved("Unsqueeze", unsqueeze, (2, 3), axes=(-2,)),
    *every_dtype("Unsqueeze", unsqueeze, (2, 3), axes=(1,)),
    moved("Expand", expand, (3, 1), shape=(2, 3, 4)),
    moved("Expand", expand, (4,), shape=(3, 4)),
    moved("Expand", expand, (3, 1), "both_repeat", shape=(1, 4)),
    moved("Expand", expand, (2, 3), "shape_repeats", shape=(1, 1)),
    moved("Expand", expand, (), shape=(2, 3)),
    moved("Expand", expand, (1, 3), shape=(0, 3)),
    moved("Expand", expand, (2, 3), shape=(2, 3)),
    *every_dtype("Expand", expand, (3, 1), shape=(2, 3, 4)),
    *(
        Case("ExpandLike", [numbers(x), numbers(like)], expand_like, differentiate=(0,), rtol=0, atol=0,
             id=name_of(x, like))
        for x, like in (
            ((3, 1), (3, 4)),
            ((4,), (2, 3, 4)),
            ((2, 1, 4), (2, 3, 4)),
            ((), (2, 3)),
            ((2, 3), (2, 3)),
            ((1, 3), (0, 3)),
        )
    ),
    moved("Tile", tile, (2, 3), repeats=(2, 1)),
    moved("Tile", tile, (2, 3), repeats=(3, 2)),
    moved("Tile", tile, (2, 1, 3), repeats=(1, 4, 2)),
    moved("Tile", tile, (2, 3), repeats=(0, 2)),
    moved("Tile", tile, (), repeats=()),
    moved("Tile", tile, (0, 3), repeats=(2, 2)),
    *every_dtype("Tile", tile, (2, 3), repeats=(2, 3)),
]  # fmt: skip

JOINED: tuple[tuple[tuple[tuple[int, ...], ...], int], ...] = (
    (((2, 3), (2, 4)), 1),
    (((2, 3), (4, 3), (1, 3)), 0),
    (((2, 3, 4), (2, 1, 4)), -2),
    (((2, 3),), 1),
    (((2, 0), (2, 3)), -1),
    (((0, 3), (0, 4)), 1),
)
JOIN_CASES = [
    *(
        Case("Concat", [numbers(s) for s in shapes], concat, {"axis": axis}, dtypes=ALL_FLOATS, rtol=0, atol=0,
             id=f"{name_of(*shapes)}-{axis}")
        for shapes, axis in JOINED
    ),
    *(
        Case("Concat", [integers((2, 3), 0, 9, d), integers((2, 1), 0, 9, d)], concat, {"axis": 1}, id=d)
        for d in INTEGER_DTYPES
    ),
    moved("Split", split, (5, 3), sizes=(2, 3)),
    moved("Split", split, (2, 6), sizes=(1, 2, 3), axis=1),
    moved("Split", split, (2, 4, 3), sizes=(4,), axis=-2),
    moved("Split", split, (2, 4, 3), sizes=(3, 0, 1), axis=1),
    moved("Split", split, (0, 3), sizes=(1, 2), axis=1),
    *every_dtype("Split", split, (2, 6), sizes=(2, 4), axis=1),
]  # fmt: skip

CUT_CASES = [
    moved("Slice", cut, (5, 4), starts=(1,), ends=(4,)),
    moved("Slice", cut, (5, 4), starts=(1, -3), ends=(-1, 4)),
    moved("Slice", cut, (3, 5, 4), "open_end", starts=(1,), ends=(TO_END,), axes=(-2,)),
    moved("Slice", cut, (7, 4), starts=(1,), ends=(7,), axes=(0,), steps=(2,)),
    moved("Slice", cut, (8, 4), starts=(1,), ends=(-1,), axes=(0,), steps=(3,)),
    moved("Slice", cut, (7, 2), "backwards", starts=(TO_END,), ends=(TO_START,), axes=(0,), steps=(-1,)),
    moved("Slice", cut, (7, 5), "backwards_strided", starts=(-2, 4), ends=(0, TO_START), axes=(0, 1), steps=(-2, -3)),
    moved("Slice", cut, (5, 4), "clamped_and_empty", starts=(-100, 2), ends=(100, 2)),
    moved("Slice", cut, (5, 4), "crossed", starts=(4,), ends=(1,)),
    moved("Slice", cut, (1, 4), starts=(0,), ends=(1,), axes=(0,)),
    moved("Slice", cut, (0, 4), "no_elements", starts=(0,), ends=(TO_END,), axes=(1,)),
    moved("Slice", cut, (3, 4), starts=(), ends=()),
    *every_dtype("Slice", cut, (6, 2), starts=(5,), ends=(0,), axes=(0,), steps=(-2,)),
    moved("Pad", pad, (2, 3), pads=(1, 0, 0, 2)),
    moved("Pad", pad, (2, 3), pads=(0, 1, 2, 0), value=-1.5),
    moved("Pad", pad, (4, 5), "cut_and_add", pads=(-1, 2, 1, -2)),
    moved("Pad", pad, (4, 5), "cut", pads=(-1, 0, -2, -3)),
    moved("Pad", pad, (2, 3), pads=(0, 0, 0, 0)),
    moved("Pad", pad, (0, 3), pads=(2, 1, 1, 0)),
    moved("Pad", pad, (), pads=()),
    moved("Pad", pad, (2, 1, 3), pads=(1, 2, 0, 0, 1, 3)),
    moved("Pad", pad, (3, 4), pads=(2, 3, 1, 2), mode="reflect"),
    moved("Pad", pad, (2, 5), pads=(0, 1, 1, 0), mode="reflect"),
    moved("Pad", pad, (2, 2, 3), pads=(0, 1, 2, 0, 1, 0), mode="reflect"),
    moved("Pad", pad, (3, 4), pads=(2, 3, 1, 2), mode="edge"),
    moved("Pad", pad, (1, 4), pads=(3, 0, 0, 5), mode="edge"),
    *every_dtype("Pad", pad, (2, 3), pads=(1, 0, 0, 2), value=1.0),
    moved("Trilu", trilu, (3, 4)),
    moved("Trilu", trilu, (4, 3), k=-1, upper=False),
    moved("Trilu", trilu, (2, 3, 5), k=2),
    moved("Trilu", trilu, (2, 3, 5), k=1, upper=False),
    moved("Trilu", trilu, (3, 4), k=-9),
    moved("Trilu", trilu, (0, 3)),
    *every_dtype("Trilu", trilu, (3, 4), k=1),
]  # fmt: skip

GATHERED: tuple[tuple[tuple[int, ...], tuple[int, ...], int, str], ...] = (
    ((5, 3), (4,), 0, "int64"),
    ((5, 3), (2, 6), 0, "int32"),
    ((2, 5, 3), (4,), 1, "int64"),
    ((2, 5, 3), (4, 2), -2, "int64"),
    ((2, 5), (7,), -1, "int32"),
    ((5, 3), (), 0, "int64"),
    ((5, 3), (0,), 0, "int64"),
    ((1, 3), (4,), 0, "int64"),
    ((2, 5, 0), (4,), 1, "int64"),
)


def gather_cases() -> list[Case]:
    """Gather and its gradient with the same indices, negative ones and repeated ones among them."""
    cases = []
    for shape, index_shape, axis, dtype in GATHERED:
        size, at = shape[axis], axis % len(shape)
        indices = integers(index_shape, -size, size - 1, dtype)
        g = numbers((*shape[:at], *index_shape, *shape[at + 1 :]))
        name = f"{name_of(shape, index_shape)}-{axis}"
        cases += [
            Case("Gather", [numbers(shape), indices], gather, {"axis": axis}, dtypes=ALL_FLOATS, rtol=0, atol=0,
                 id=name),
            Case("GatherGrad", [indices, g], gather_grad, {"axis": axis, "size": size}, dtypes=ALL_FLOATS, id=name),
        ]  # fmt: skip
    indices = integers((4,), -5, 4, "int64")
    for dtype in INTEGER_DTYPES:
        cases += [
            Case("Gather", [integers((5, 3), 0, 99, dtype), indices], gather, id=dtype),
            Case("GatherGrad", [indices, integers((4, 3), 0, 9, dtype)], gather_grad, {"size": 5}, id=dtype),
        ]
    return [*cases, Case("Gather", [booleans((5, 3)), indices], gather, id="bool")]


ELEMENTS: tuple[tuple[tuple[int, ...], tuple[int, ...], int, str], ...] = (
    ((5, 3), (4, 3), 0, "int64"),
    ((2, 5), (2, 7), 1, "int32"),
    ((2, 5, 3), (2, 4, 3), -2, "int64"),
    ((2, 5, 3), (1, 4, 2), 1, "int64"),  # fewer than there are beside the axis
    ((5,), (9,), 0, "int64"),
    ((5, 3), (0, 3), 0, "int64"),
    ((1, 3), (4, 3), 0, "int64"),
)


def element_cases() -> list[Case]:
    """GatherElements and its gradient with the same indices."""
    cases = []
    for shape, index_shape, axis, dtype in ELEMENTS:
        indices = integers(index_shape, -shape[axis], shape[axis] - 1, dtype)
        name = f"{name_of(shape, index_shape)}-{axis}"
        cases += [
            Case("GatherElements", [numbers(shape), indices], gather_elements, {"axis": axis}, dtypes=ALL_FLOATS,
                 rtol=0, atol=0, id=name),
            Case("ScatterElementsAdd", [indices, numbers(index_shape)], scatter_elements_add,
                 {"axis": axis, "shape": shape}, dtypes=ALL_FLOATS, id=name),
        ]  # fmt: skip
    indices = integers((4, 3), -5, 4, "int64")
    for dtype in INTEGER_DTYPES:
        cases += [
            Case("GatherElements", [integers((5, 3), 0, 99, dtype), indices], gather_elements, id=dtype),
            Case("ScatterElementsAdd", [indices, integers((4, 3), 0, 9, dtype)], scatter_elements_add,
                 {"shape": (5, 3)}, id=dtype),
        ]  # fmt: skip
    return cases


COUNT_CASES = [
    *(
        Case("OneHot", [integers(shape, -2, 6, dtype)], one_hot, {"depth": 5, **attributes},
             id=f"{name_of(shape)}-{dtype}")
        for shape, dtype, attributes in (
            ((4,), "int64", {}),
            ((2, 3), "int32", {"axis": 1}),
            ((2, 3), "int8", {"axis": 0, "dtype": "int32"}),
            ((2, 3), "int16", {"axis": -2, "dtype": "float64"}),
            ((), "int64", {"dtype": "bool"}),
            ((0, 2), "int64", {"dtype": "float16"}),
        )
    ),
    *(
        Case("OneHot", [integers((4,), 0, 6, dtype)], one_hot, {"depth": 5, "dtype": dtype}, id=dtype)
        for dtype in ("uint8", "uint16", "uint32", "uint64")
    ),
    Case("OneHot", [integers((4,), 0, 6, "int64")], one_hot, {"depth": 0}, id="no_classes"),
    *(
        Case("Iota", [], iota, {"dim": 6, "dtype": dtype}, id=dtype) for dtype in (*INTEGER_DTYPES, *ALL_FLOATS)
    ),
    Case("Iota", [], iota, {"dim": 0}, id="nothing"),
]  # fmt: skip

CASES = [*SHAPE_CASES, *JOIN_CASES, *CUT_CASES, *gather_cases(), *element_cases(), *COUNT_CASES]
