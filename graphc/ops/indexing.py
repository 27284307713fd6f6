"""Picking elements by index, the sums that undo it, and ops that make indices and their one-hot form.

Indices are int32 or int64; negative ones count from the end. An index outside the axis is an error when the data comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import DTypeError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, Shape
from graphc.ir.dtypes import INT_DTYPES, NUMERIC_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, normalize_axis
from graphc.ops.opdef import (
    Attribute,
    Attributes,
    Domain,
    NotDifferentiable,
    OpDef,
    Trait,
    Types,
    elementwise_cost,
    need_dtype,
    operand,
)
from graphc.ops.shape_checks import agree_shapes

INDEX_DTYPES = ("int32", "int64")
_INDEX_HAS_NO_GRADIENT = NotDifferentiable("its operand is an index")


def _operands(node: Node, grads: Sequence[Value | None]) -> tuple[Value, Value, Value]:
    first, second = node.inputs
    (g,) = grads
    assert first is not None
    assert second is not None
    assert g is not None
    return first, second, g


# -- Gather -----------------------------------------------------------------------------------------------------------


def _gather_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    data, indices = operand(types, 0), operand(types, 1)
    need_dtype("Gather", indices, INDEX_DTYPES, "indices")
    axis = normalize_axis(attributes["axis"], data.rank, "Gather: axis")
    return (data.with_shape((*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])),)


def _gather_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    data, indices, g = _operands(node, grads)
    axis = normalize_axis(node.attributes["axis"], data.type.rank)
    return b.emit("GatherGrad", indices, g, axis=axis, size=data.type.shape[axis]), None


def _gather_grad_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    indices, g = operand(types, 0), operand(types, 1)
    need_dtype("GatherGrad", indices, INDEX_DTYPES, "indices")
    need_dtype("GatherGrad", g, NUMERIC_DTYPES, "g")
    axis = normalize_axis(attributes["axis"], max(g.rank - indices.rank + 1, 0), "GatherGrad: axis")
    if agree_shapes(g.shape[axis : axis + indices.rank], indices.shape) is None:
        raise ShapeError(f"GatherGrad: g must have the axes of indices at {axis}; got indices {indices} and g {g}.")
    return (g.with_shape((*g.shape[:axis], attributes["size"], *g.shape[axis + indices.rank :])),)


def _gather_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    indices, _, h = _operands(node, grads)
    axis = normalize_axis(node.attributes["axis"], h.type.rank)
    return None, b.emit("Gather", h, indices, axis=axis)


def _one_addition_each(
    inputs: Sequence[TensorType], _outputs: Sequence[TensorType], _attributes: Attributes
) -> DimLike:
    return inputs[1].size


# -- GatherElements ---------------------------------------------------------------------------------------------------


def _check_fits(op: str, indices: TensorType, shape: Shape, axis: int) -> None:
    """Along every other axis, indices must not be longer than what they point into."""
    need_dtype(op, indices, INDEX_DTYPES, "indices")
    pairs = list(zip(indices.shape, shape, strict=False))
    surplus = [short - long for i, (short, long) in enumerate(pairs) if i != axis]
    too_long = any(isinstance(more, int) and more > 0 for more in surplus)
    if indices.rank != len(shape) or too_long:
        raise ShapeError(
            f"{op}: indices must have rank {len(shape)}, and no axis but {axis} may be longer than in {list(shape)}; "
            f"got {indices}."
        )


def _gather_elements_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    data, indices = operand(types, 0), operand(types, 1)
    axis = normalize_axis(attributes["axis"], data.rank, "GatherElements: axis")
    _check_fits("GatherElements", indices, data.shape, axis)
    return (data.with_shape(indices.shape),)


def _gather_elements_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    data, indices, g = _operands(node, grads)
    return b.emit("ScatterElementsAdd", indices, g, axis=node.attributes["axis"], shape=data.type.shape), None


def _scatter_elements_add_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    indices, g = operand(types, 0), operand(types, 1)
    need_dtype("ScatterElementsAdd", g, NUMERIC_DTYPES, "g")
    shape = attributes["shape"]
    axis = normalize_axis(attributes["axis"], len(shape), "ScatterElementsAdd: axis")
    _check_fits("ScatterElementsAdd", indices, shape, axis)
    if agree_shapes(indices.shape, g.shape) is None:
        raise ShapeError(f"ScatterElementsAdd: g must have the shape of indices; got indices {indices} and g {g}.")
    return (g.with_shape(shape),)


def _scatter_elements_add_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    indices, _, h = _operands(node, grads)
    return None, b.emit("GatherElements", h, indices, axis=node.attributes["axis"])


# -- OneHot, Iota -----------------------------------------------------------------------------------------------------


def _one_hot_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    indices, depth = operand(types, 0), attributes["depth"]
    need_dtype("OneHot", indices, INT_DTYPES, "indices")
    if depth < 0:
        raise ShapeError(f"OneHot: depth must not be negative; got {depth}.")
    axis = normalize_axis(attributes["axis"], indices.rank + 1, "OneHot: axis")
    return (TensorType(attributes["dtype"], (*indices.shape[:axis], depth, *indices.shape[axis:])),)


def _iota_type(_types: Types, attributes: Attributes) -> tuple[TensorType]:
    length = attributes["dim"]
    if attributes["dtype"] == "bool":
        raise DTypeError("Iota: the numbers must have a numeric dtype; got bool.")
    if isinstance(length, int) and length < 0:
        raise ShapeError(f"Iota: dim must not be negative; got {length}.")
    return (TensorType(attributes["dtype"], (length,)),)


OPS = (
    OpDef(
        name="Gather",
        inputs=("data", "indices"),
        infer=_gather_type,
        vjp=_gather_vjp,
        doc="The slices of data at indices along an axis: the axis becomes the axes of indices.",
        attributes={"axis": Attribute("int", 0, "The axis that indices point into, from either end.")},
        traits=frozenset({Trait.MOVEMENT, Trait.LINEAR}),
    ),
    OpDef(
        name="GatherGrad",
        inputs=("indices", "g"),
        infer=_gather_grad_type,
        vjp=_gather_grad_vjp,
        doc="The gradient of Gather by its data: the slices of g added up where they came from.",
        attributes={
            "axis": Attribute("int", 0, "The axis of the data that indices point into."),
            "size": Attribute("dim", doc="The length of that axis."),
        },
        traits=frozenset({Trait.LINEAR}),
        cost=_one_addition_each,
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="GatherElements",
        inputs=("data", "indices"),
        infer=_gather_elements_type,
        vjp=_gather_elements_vjp,
        doc="One element for each index: its position with the index in place of its place along an axis.",
        attributes={"axis": Attribute("int", 0, "The axis that indices point into, from either end.")},
        traits=frozenset({Trait.MOVEMENT, Trait.LINEAR}),
    ),
    OpDef(
        name="ScatterElementsAdd",
        inputs=("indices", "g"),
        infer=_scatter_elements_add_type,
        vjp=_scatter_elements_add_vjp,
        doc="The gradient of GatherElements by its data: the elements of g added up where they came from.",
        attributes={
            "axis": Attribute("int", 0, "The axis of the data that indices point into."),
            "shape": Attribute("dims", doc="The shape of the data."),
        },
        traits=frozenset({Trait.LINEAR}),
        cost=_one_addition_each,
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="OneHot",
        inputs=("indices",),
        infer=_one_hot_type,
        vjp=_INDEX_HAS_NO_GRADIENT,
        doc="1 at each index along a new axis, else 0; an index outside 0 .. depth - 1 gives zeros, as in Keras.",
        attributes={
            "depth": Attribute("int", doc="The length of the new axis."),
            "axis": Attribute("int", -1, "Where the new axis is in the result, from either end."),
            "dtype": Attribute("dtype", "float32", "The dtype of the result."),
        },
        cost=elementwise_cost(),
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="Iota",
        inputs=(),
        infer=_iota_type,
        vjp=NotDifferentiable("it has no operand"),
        doc="0, 1, 2 ... along one axis.",
        attributes={
            "dim": Attribute("dim", doc="How many numbers."),
            "dtype": Attribute("dtype", "int64", "The dtype of the numbers."),
        },
        domain=Domain.GRAPHC,
    ),
)
