"""Cutting axes and padding them: Slice, Pad and Trilu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, Shape, ceil_div, dim_min
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, normalize_axes
from graphc.ops.opdef import Attribute, Attributes, OpDef, Trait, Types, operand

TO_END = 2**63 - 1
"""A bound beyond the last element: the open end of a Slice with a positive step, the open start with a negative one."""
TO_START = -(2**63)
"""A bound before the first element: the open end of a Slice with a negative step."""

_FAR = 2**31 - 1  # beyond any axis; files use INT32_MAX as well as INT64_MAX for an open end


# -- Slice ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """The positions ``first, first + step, ...`` along an axis, ``count`` of them."""

    first: DimLike
    count: DimLike
    step: int


def slice_span(length: DimLike, start: DimLike, end: DimLike, step: int) -> Span:
    """The positions that ``start:end:step`` selects from an axis, as NumPy reads it.

    On a named axis, a bound that counts from the far side is clamped as in NumPy: ``[:5]`` of ``time`` has
    ``min(5, time)`` elements. A bound that cuts from the near side, as both do in ``[1:-1]``, and a bound that is named
    itself, are taken to lie on the axis, which gives plain lengths such as ``height - 2``; an axis too short for it
    gets a negative length, which a plan refuses.
    """
    if isinstance(length, int) and isinstance(start, int) and isinstance(end, int):
        positions = range(*slice(start, end, step).indices(length))
        return Span(positions.start, len(positions), step)
    if step < 0:  # read from the other end, it is a slice with a positive step
        mirrored = slice_span(length, _mirrored(start, length), _mirrored(end, length), -step)
        return Span(length - 1 - mirrored.first, mirrored.count, step)
    if isinstance(start, int) and isinstance(end, int) and (start < 0) == (end < 0) and end <= start:
        return Span(0, 0, step)
    first = _first(start, length)
    count = ceil_div(_stop(end, length) - first, step)
    return Span(first, max(count, 0) if isinstance(count, int) else count, step)


def _first(start: DimLike, length: DimLike) -> DimLike:
    if isinstance(start, str) or start >= 0:
        return start
    return 0 if start <= -_FAR else length - dim_min(length, -start)


def _stop(end: DimLike, length: DimLike) -> DimLike:
    if isinstance(end, str):
        return end
    if end < 0:
        return length + end
    return length if end >= _FAR else dim_min(length, end)


def _mirrored(bound: DimLike, length: DimLike) -> DimLike:
    return -bound - 1 if isinstance(bound, int) else length - 1 - bound


def slice_spans(x: TensorType, attributes: Attributes) -> dict[int, Span]:
    """The span of each axis that a Slice cuts."""
    starts, ends, axes, steps = (attributes[name] for name in ("starts", "ends", "axes", "steps"))
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise ArgumentError(
            "Slice: starts, ends, axes and steps must have one entry for each axis that is cut; "
            f"got {len(starts)} starts, {len(ends)} ends, {len(axes)} axes and {len(steps)} steps."
        )
    if 0 in steps:
        raise ArgumentError(f"Slice: a step must not be 0; got steps {steps}.")
    if len(axes) > x.rank:
        raise ShapeError(f"Slice: {len(axes)} axes are cut, but {x} has {x.rank}.")
    found = normalize_axes(axes, x.rank, "Slice: axis")
    return {
        axis: slice_span(x.shape[axis], start, end, step)
        for axis, start, end, step in zip(found, starts, ends, steps, strict=True)
    }


def _slice_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    spans = slice_spans(x, attributes)
    return (x.with_shape(spans[i].count if i in spans else dim for i, dim in enumerate(x.shape)),)


def _slice_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    """Put the gradient back where the elements came from, with zeros elsewhere."""
    (x,), (g,) = node.inputs, grads
    assert x is not None
    assert g is not None
    spans = slice_spans(x.type, node.attributes)
    backward = tuple(axis for axis, span in spans.items() if span.step < 0)
    if backward:
        n = len(backward)
        g = b.emit("Slice", g, starts=(TO_END,) * n, ends=(TO_START,) * n, axes=backward, steps=(-1,) * n)
    before: list[DimLike] = [0] * x.type.rank
    after: list[DimLike] = [0] * x.type.rank
    for axis, span in spans.items():
        stride = abs(span.step)
        g = _spread(b, g, axis, stride)
        lowest = span.first + (span.count - 1) * span.step if span.step < 0 else span.first
        if span.count == 0:
            lowest = 0
        before[axis] = lowest
        # The spread gradient ends with stride - 1 zeros; those that lie beyond the axis are cut by a negative pad.
        after[axis] = x.type.shape[axis] - lowest - span.count * stride
    return (_padded(b, g, before, after),)


def _spread(b: Builder, g: Value, axis: int, stride: int) -> Value:
    """Each element along an axis followed by ``stride - 1`` zeros."""
    if stride == 1:
        return g
    shape, rank = g.type.shape, g.type.rank
    apart = b.emit("Unsqueeze", g, axes=(axis + 1,))
    after = [stride - 1 if i == axis + 1 else 0 for i in range(rank + 1)]
    apart = _padded(b, apart, [0] * (rank + 1), after)
    return b.emit("Reshape", apart, shape=(*shape[:axis], shape[axis] * stride, *shape[axis + 1 :]))


def _padded(b: Builder, g: Value, before: Sequence[DimLike], after: Sequence[DimLike]) -> Value:
    pads = (*before, *after)
    return g if all(p == 0 for p in pads) else b.emit("Pad", g, pads=pads)


# -- Pad --------------------------------------------------------------------------------------------------------------


def _pad_sides(x: TensorType, attributes: Attributes) -> tuple[Shape, Shape]:
    pads = attributes["pads"]
    if len(pads) != 2 * x.rank:
        raise ShapeError(
            f"Pad: pads must hold the lengths to add before each axis of {x}, then those after: "
            f"{2 * x.rank} numbers; got {len(pads)}."
        )
    return pads[: x.rank], pads[x.rank :]


def _pad_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x, mode = operand(types, 0), attributes["mode"]
    before, after = _pad_sides(x, attributes)
    dims = []
    for axis, (length, *sides) in enumerate(zip(x.shape, before, after, strict=True)):
        if mode != "constant":
            _check_border(x, axis, [p for p in sides if isinstance(p, int)], mode)
        kept = length + sum(min(p, 0) for p in sides if isinstance(p, int))
        if isinstance(kept, int) and kept < 0:
            raise ShapeError(f"Pad: pads {tuple(sides)} cut more from axis {axis} of {x} than there is.")
        dims.append(length + sides[0] + sides[1])
    return (x.with_shape(dims),)


def _check_border(x: TensorType, axis: int, pads: Sequence[int], mode: str) -> None:
    if any(p < 0 for p in pads):
        raise ShapeError(
            f"Pad: negative pads cut, which only mode 'constant' can do; got mode {mode!r} and pads {pads}."
        )
    length = x.shape[axis]
    if not isinstance(length, int):
        return
    # A reflection does not repeat the border element, so it has one element less to show; an edge needs one element.
    limit = max(length - 1, 0) if mode == "reflect" else TO_END if length else 0
    if any(p > limit for p in pads):
        raise ShapeError(f"Pad: axis {axis} of {x} is too short for mode {mode!r} with pads {tuple(pads)}.")


def _pad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x,), (g,) = node.inputs, grads
    assert x is not None
    assert g is not None
    before, after = _pad_sides(x.type, node.attributes)
    mode = node.attributes["mode"]
    if mode != "constant":
        # The axes were padded one after the other, so the last one is folded back first.
        for axis in reversed(range(x.type.rank)):
            g = _fold_border(b, g, axis, x.type.shape[axis], (before[axis], after[axis]), mode)
        return (g,)
    if all(isinstance(p, int) and p >= 0 for p in (*before, *after)):
        axes = tuple(i for i in range(x.type.rank) if before[i] != 0 or after[i] != 0)
        starts = tuple(before[i] for i in axes)
        ends = tuple(before[i] + x.type.shape[i] for i in axes)
        return (b.emit("Slice", g, starts=starts, ends=ends, axes=axes) if axes else g,)
    return (_padded(b, g, [-p for p in before], [-p for p in after]),)


def _fold_border(b: Builder, g: Value, axis: int, length: DimLike, pads: tuple[DimLike, DimLike], mode: str) -> Value:
    """Add the gradient of an axis's border to that of the elements that the border shows."""
    before, after = pads
    behind = before + length

    def part(start: DimLike, end: DimLike) -> Value:
        return b.emit("Slice", g, starts=(start,), ends=(end,), axes=(axis,))

    def shown(border: Value, at: DimLike) -> Value:
        """The gradient of a border, at the place of the elements that it shows."""
        if mode == "edge":
            source = b.emit("ReduceSum", border, axes=(axis,))
        else:
            source = b.emit("Slice", border, starts=(TO_END,), ends=(TO_START,), axes=(axis,), steps=(-1,))
        sides: list[DimLike] = [0] * (2 * source.type.rank)
        sides[axis] = at
        sides[source.type.rank + axis] = length - at - source.type.shape[axis]
        return b.emit("Pad", source, pads=sides)

    total = part(before, behind)
    if before != 0:
        total = b.emit("Add", total, shown(part(0, before), 0 if mode == "edge" else 1))
    if after != 0:
        last = length - 1
        total = b.emit("Add", total, shown(part(behind, behind + after), last if mode == "edge" else last - after))
    return total


# -- Trilu ------------------------------------------------------------------------------------------------------------


def _trilu_type(types: Types, _attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    if x.rank < 2:
        raise ShapeError(f"Trilu: the operand must have at least two axes; got {x}.")
    return (x,)


def _trilu_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (g,) = grads
    assert g is not None
    return (b.emit("Trilu", g, **node.attributes),)


OPS = (
    OpDef(
        name="Slice",
        inputs=("x",),
        infer=_slice_type,
        vjp=_slice_vjp,
        doc="start:end:step along some axes, as NumPy reads it; TO_END and TO_START are open bounds.",
        attributes={
            "starts": Attribute("dims", doc="First positions; negative ones count from the end."),
            "ends": Attribute("dims", doc="Positions to stop before; negative ones count from the end."),
            "axes": Attribute("ints", None, "The axes to cut, from either end; None: the first ones."),
            "steps": Attribute("ints", None, "Distances between positions, not 0; None: 1."),
        },
        traits=frozenset({Trait.MOVEMENT, Trait.LINEAR}),
    ),
    OpDef(
        name="Pad",
        inputs=("x",),
        infer=_pad_type,
        vjp=_pad_vjp,
        doc="x with borders: of one value, or showing the elements next to the border, or the outermost one.",
        attributes={
            "pads": Attribute("dims", doc="Lengths to add before each axis, then after each; negative ones cut."),
            "mode": Attribute("str", "constant", "What the border shows.", ("constant", "reflect", "edge")),
            "value": Attribute("float", 0.0, "The border's value in mode 'constant'."),
        },
        traits=frozenset({Trait.LINEAR}),
    ),
    OpDef(
        name="Trilu",
        inputs=("x",),
        infer=_trilu_type,
        vjp=_trilu_vjp,
        doc="The upper (or lower) triangle of the last two axes, zero elsewhere.",
        attributes={
            "k": Attribute("int", 0, "The diagonal that bounds it: 0 the main one, positive ones above it."),
            "upper": Attribute("bool", True, "Keep what is on and above the diagonal; False: on and below."),
        },
        traits=frozenset({Trait.LINEAR}),
    ),
)
