"""Moving and repeating elements without computing on them. Shapes are attributes: static or symbolic, never data.

This file holds the ops that keep or regroup whole axes; `graphc.ops.slicing` cuts and pads them, `graphc.ops.indexing`
picks elements by index. The family's table joins the three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, Shape, product
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, broadcast_shapes, format_shape, normalize_axes, normalize_axis
from graphc.ops import indexing, slicing
from graphc.ops.opdef import Attribute, Attributes, Domain, OpDef, Trait, Types, operand, present, same_dtype
from graphc.ops.shape_checks import agree

_MOVEMENT = frozenset({Trait.MOVEMENT, Trait.LINEAR})


def _given(grads: Sequence[Value | None]) -> Value:
    """The gradient of an op's only result."""
    (g,) = grads
    assert g is not None
    return g


def _operand(node: Node, index: int = 0) -> Value:
    value = node.inputs[index]
    assert value is not None
    return value


# -- Reshape ----------------------------------------------------------------------------------------------------------


def resolve_shape(shape: Sequence[DimLike], like: Shape) -> Shape:
    """``shape`` with a -1 in it replaced by the length that keeps the number of elements of ``like``.

    ``(-1, 24)`` for ``[batch, 4, 6]`` is ``(batch, 24)``; ``(-1, 8)`` for ``[batch, time, 8]`` is ``(batch*time, 8)``.

    Raises:
        ShapeError: there is none, or ``shape`` cannot have as many elements as ``like``.
    """
    wanted = format_shape(shape)
    open_axes = [i for i, dim in enumerate(shape) if isinstance(dim, int) and dim < 0]
    if len(open_axes) > 1 or any(shape[i] != -1 for i in open_axes):
        raise ShapeError(f"Reshape: lengths must not be negative, and only one may be -1; got {wanted}.")
    given = [dim for i, dim in enumerate(shape) if i not in open_axes]
    # Named lengths on both sides cancel, so that [batch, 4] to (batch, 5) is seen to be wrong for every batch.
    common = _count_named(like) & _count_named(given)
    total, known = _product_without(like, common), _product_without(given, common)
    if not open_axes:
        if agree(total, known) is None:
            raise ShapeError(
                f"Reshape: {format_shape(like)} has {product(like)} elements, and {wanted} has {product(given)}."
            )
        return tuple(shape)
    if known == 0:
        raise ShapeError(
            f"Reshape: -1 in {wanted} could be any length, since another length is 0; give it as a number."
        )
    length = total // known
    if agree(total, product((length, known))) is None:
        raise ShapeError(
            f"Reshape: the {product(like)} elements of {format_shape(like)} do not fit {wanted}: "
            f"{product(given)} must divide them."
        )
    return tuple(length if i in open_axes else dim for i, dim in enumerate(shape))


def _count_named(dims: Sequence[DimLike]) -> Counter[DimLike]:
    return Counter(dim for dim in dims if isinstance(dim, str))


def _product_without(dims: Sequence[DimLike], left_out: Counter[DimLike]) -> DimLike:
    """The product of lengths, each named one left out as often as ``left_out`` says."""
    remaining = Counter(left_out)
    kept: list[DimLike] = []
    for dim in dims:
        if isinstance(dim, str) and remaining[dim]:
            remaining[dim] -= 1
        else:
            kept.append(dim)
    return product(kept)


def _reshape_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    return (x.with_shape(resolve_shape(attributes["shape"], x.shape)),)


def _reshape_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    return (b.emit("Reshape", _given(grads), shape=_operand(node).type.shape),)


# -- Transpose --------------------------------------------------------------------------------------------------------


def permutation(rank: int, perm: Sequence[int] | None) -> tuple[int, ...]:
    """The order of the operand's axes in the result of a Transpose."""
    if perm is None:
        return tuple(reversed(range(rank)))
    if len(perm) != rank:
        raise ShapeError(f"Transpose: perm must name each of the {rank} axes once; got {tuple(perm)}.")
    return normalize_axes(perm, rank, "Transpose: axis")


def _transpose_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    return (x.with_shape(x.shape[i] for i in permutation(x.rank, attributes["perm"])),)


def _transpose_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    perm = permutation(_operand(node).type.rank, node.attributes["perm"])
    return (b.emit("Transpose", _given(grads), perm=tuple(perm.index(i) for i in range(len(perm)))),)


# -- Squeeze, Unsqueeze -----------------------------------------------------------------------------------------------


def _squeezed_axes(shape: Shape, axes: Sequence[int]) -> tuple[int, ...]:
    found = normalize_axes(axes, len(shape), "Squeeze: axis")
    for axis in found:
        if shape[axis] != 1:
            raise ShapeError(f"Squeeze: axis {axis} of {format_shape(shape)} must have length 1; it has {shape[axis]}.")
    return found


def _squeeze_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    axes = _squeezed_axes(x.shape, attributes["axes"])
    return (x.with_shape(dim for i, dim in enumerate(x.shape) if i not in axes),)


def _squeeze_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    axes = _squeezed_axes(_operand(node).type.shape, node.attributes["axes"])
    return (b.emit("Unsqueeze", _given(grads), axes=axes),)


def _unsqueeze_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    rank = x.rank + len(attributes["axes"])
    axes = normalize_axes(attributes["axes"], rank, "Unsqueeze: axis")
    lengths = iter(x.shape)
    return (x.with_shape(1 if i in axes else next(lengths) for i in range(rank)),)


def _unsqueeze_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    return (b.emit("Squeeze", _given(grads), axes=node.attributes["axes"]),)


# -- Expand, ExpandLike, Tile -----------------------------------------------------------------------------------------


def _expand_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    if any(isinstance(dim, int) and dim < 0 for dim in attributes["shape"]):
        raise ShapeError(f"Expand: lengths must not be negative; got {format_shape(attributes['shape'])}.")
    try:
        return (x.with_shape(broadcast_shapes(x.shape, attributes["shape"])),)
    except ShapeError as error:
        raise ShapeError(f"Expand: {error}") from None


def _expand_vjp(_b: Builder, _node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    return (_given(grads),)  # the reverse sweep sums over the repeated axes


def _expand_like_type(types: Types, _attributes: Attributes) -> tuple[TensorType]:
    x, like = operand(types, 0), operand(types, 1)
    lead = like.rank - x.rank
    pairs = list(zip(x.shape, like.shape[max(lead, 0) :], strict=False))
    if lead < 0 or any(isinstance(h, int) and isinstance(w, int) and h not in (1, w) for h, w in pairs):
        raise ShapeError(
            f"ExpandLike: the shape of x must broadcast to that of like; got x {x} and like {like}: "
            "each axis of x must have like's length or 1."
        )
    return (x.with_shape(like.shape),)


def _expand_like_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    return b.emit("SumToShape", _given(grads), _operand(node)), None


def _tile_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x, repeats = operand(types, 0), attributes["repeats"]
    if len(repeats) != x.rank or any(isinstance(r, int) and r < 0 for r in repeats):
        raise ShapeError(
            f"Tile: repeats must hold one number, 0 or more, for each axis of {x}; got {format_shape(repeats)}."
        )
    return (x.with_shape(product(pair) for pair in zip(x.shape, repeats, strict=True)),)


def _tile_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    # Split each axis into (copy, element) and add up the copies.
    shape = _operand(node).type.shape
    pairs = [dim for pair in zip(node.attributes["repeats"], shape, strict=True) for dim in pair]
    copies = b.emit("Reshape", _given(grads), shape=pairs)
    return (b.emit("ReduceSum", copies, axes=range(0, len(pairs), 2), keepdims=False),)


# -- Concat, Split ----------------------------------------------------------------------------------------------------


def _concat_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    xs = present(types)
    if len(xs) != len(types):
        raise ArgumentError("Concat: every operand must be there.")
    dtype = same_dtype("Concat", xs)
    first = xs[0]
    axis = normalize_axis(attributes["axis"], first.rank, "Concat: axis")
    dims = list(first.shape)
    for x in xs[1:]:
        merged = [agree(a, b) for i, (a, b) in enumerate(zip(dims, x.shape, strict=False)) if i != axis]
        if x.rank != first.rank or None in merged:
            listed = ", ".join(str(t) for t in xs)
            raise ShapeError(f"Concat: operands must have one shape except along axis {axis}; got {listed}.")
        along = dims[axis] + x.shape[axis]
        dims = [dim for dim in merged if dim is not None]
        dims.insert(axis, along)
    return (TensorType(dtype, tuple(dims)),)


def _concat_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    # Slices rather than one Split: they are views in NumPy, and those that nobody needs are pruned.
    g = _given(grads)
    axis = normalize_axis(node.attributes["axis"], g.type.rank)
    lengths = [v.type.shape[axis] for v in node.inputs if v is not None]
    ends: list[DimLike] = list(accumulate(lengths, lambda a, c: a + c))
    starts = [0, *ends[:-1]]
    return [
        b.emit("Slice", g, starts=(start,), ends=(end,), axes=(axis,)) for start, end in zip(starts, ends, strict=True)
    ]


def _split_type(types: Types, attributes: Attributes) -> tuple[TensorType, ...]:
    x, sizes = operand(types, 0), attributes["sizes"]
    axis = normalize_axis(attributes["axis"], x.rank, "Split: axis")
    total: DimLike = sum(sizes, start=0)
    bad_size = any(isinstance(size, int) and size < 0 for size in sizes)
    if not sizes or bad_size or agree(total, x.shape[axis]) is None:
        raise ShapeError(
            f"Split: sizes must add up to {x.shape[axis]}, the length of axis {axis} of {x}; got {format_shape(sizes)}."
        )
    return tuple(x.with_shape((*x.shape[:axis], size, *x.shape[axis + 1 :])) for size in sizes)


def _split_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    parts = [
        b.emit("Expand", b.constant(0.0, dtype=out.type.dtype), shape=out.type.shape) if g is None else g
        for out, g in zip(node.outputs, grads, strict=True)
    ]
    return (b.emit("Concat", *parts, axis=node.attributes["axis"]),)


OPS = (
    OpDef(
        name="Reshape",
        inputs=("x",),
        infer=_reshape_type,
        vjp=_reshape_vjp,
        doc="The same elements, in row-major order, in another shape. 0 is a length of zero, not ONNX's 'keep'.",
        attributes={"shape": Attribute("dims", doc="The new lengths; one may be -1: whatever is left.")},
        traits=_MOVEMENT,
    ),
    OpDef(
        name="Transpose",
        inputs=("x",),
        infer=_transpose_type,
        vjp=_transpose_vjp,
        doc="The axes in another order.",
        attributes={"perm": Attribute("ints", None, "Which axis of x each axis of the result is; None: reversed.")},
        traits=_MOVEMENT,
    ),
    OpDef(
        name="Squeeze",
        inputs=("x",),
        infer=_squeeze_type,
        vjp=_squeeze_vjp,
        doc="Remove axes of length 1.",
        attributes={"axes": Attribute("ints", doc="The axes to remove, from either end.")},
        traits=_MOVEMENT,
    ),
    OpDef(
        name="Unsqueeze",
        inputs=("x",),
        infer=_unsqueeze_type,
        vjp=_unsqueeze_vjp,
        doc="Add axes of length 1.",
        attributes={"axes": Attribute("ints", doc="Where the new axes are in the result, from either end.")},
        traits=_MOVEMENT,
    ),
    OpDef(
        name="Expand",
        inputs=("x",),
        infer=_expand_type,
        vjp=_expand_vjp,
        doc="x broadcast with a shape; where the shape has length 1, x keeps its own length.",
        attributes={"shape": Attribute("dims", doc="The shape to broadcast with.")},
        traits=_MOVEMENT,
    ),
    OpDef(
        name="ExpandLike",
        inputs=("x", "like"),
        infer=_expand_like_type,
        vjp=_expand_like_vjp,
        doc="x repeated to the shape of like, along axes where x has length 1, or lacks.",
        traits=_MOVEMENT,
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="Tile",
        inputs=("x",),
        infer=_tile_type,
        vjp=_tile_vjp,
        doc="x repeated as a whole along each axis.",
        attributes={"repeats": Attribute("dims", doc="How often, for each axis.")},
        traits=_MOVEMENT,
    ),
    OpDef(
        name="Concat",
        inputs=("xs*",),
        infer=_concat_type,
        vjp=_concat_vjp,
        doc="The operands one after the other along an axis.",
        attributes={"axis": Attribute("int", doc="The axis to join along, from either end.")},
        traits=_MOVEMENT,
    ),
    OpDef(
        name="Split",
        inputs=("x",),
        infer=_split_type,
        vjp=_split_vjp,
        doc="Consecutive parts of x along an axis: one result for each size.",
        attributes={
            "sizes": Attribute("dims", doc="The lengths of the parts."),
            "axis": Attribute("int", 0, "The axis to cut, from either end."),
        },
        traits=_MOVEMENT,
        outputs=("parts*",),
    ),
    *slicing.OPS,
    *indexing.OPS,
)
