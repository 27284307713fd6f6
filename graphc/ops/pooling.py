"""Maximum and mean over sliding windows, with their gradients, for one to three spatial axes and both layouts.

Only whole windows count (ONNX's ``ceil_mode=0``). Where several elements of a window are its maximum, which is common
after a Relu, the first in row-major order gets the gradient, as in JAX, PyTorch and TensorFlow; a NaN gets none.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, Shape
from graphc.ir.dtypes import FLOAT_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, format_shape
from graphc.ops.opdef import (
    Attribute,
    Attributes,
    Cost,
    Domain,
    OpDef,
    Trait,
    TypeRule,
    Types,
    need_dtype,
    operand,
    same_dtype,
)
from graphc.ops.shape_checks import agree
from graphc.ops.windows import (
    DILATIONS,
    LAYOUT,
    PADS,
    STRIDES,
    Windows,
    channel_axis,
    join_shape,
    need_spatial,
    spatial_dims,
)

_KERNEL = Attribute("ints", doc="The window's length along each spatial axis.")
_MAX: dict[str, Attribute] = {
    "kernel_shape": _KERNEL,
    "strides": STRIDES,
    "dilations": DILATIONS,
    "pads": PADS,
    "layout": LAYOUT,
}
_AVERAGE: dict[str, Attribute] = {
    "kernel_shape": _KERNEL,
    "strides": STRIDES,
    "pads": PADS,
    "count_include_pad": Attribute("bool", False, "Padding counts in the mean, as zeros."),
    "layout": LAYOUT,
}


def pooling_windows(op: str, attributes: Attributes) -> Windows:
    """The windows of a pooling node.

    Raises:
        ArgumentError: a number is out of range, or a window could lie in the padding altogether.
    """
    windows = Windows.of(op, attributes["kernel_shape"], attributes)
    pads = windows.pads
    if not isinstance(pads, str) and any(p >= e for p, e in zip(pads, windows.extents * 2, strict=True)):
        raise ArgumentError(
            f"{op}: padding must be smaller than the window, so that each window holds data; got pads {pads} for a "
            f"window that spans {windows.extents}."
        )
    return windows


def _pooled_shape(op: str, shape: Shape, attributes: Attributes) -> Shape:
    layout = attributes["layout"]
    if len(attributes["kernel_shape"]) != len(shape) - 2:
        raise ArgumentError(
            f"{op}: 'kernel_shape' must hold one length for each of the {len(shape) - 2} spatial axes of an input of "
            f"shape {format_shape(shape)}; got {attributes['kernel_shape']}."
        )
    spatial = pooling_windows(op, attributes).output_dims(op, spatial_dims(shape, layout))
    return join_shape(shape[0], spatial, shape[channel_axis(len(shape), layout)], layout)


def _need_shape(op: str, type_: TensorType, shape: Shape, what: str) -> None:
    if type_.rank != len(shape) or any(agree(a, b) is None for a, b in zip(type_.shape, shape, strict=True)):
        raise ShapeError(f"{op}: {what} must have shape {format_shape(shape)}; got {type_}.")


# -- type rules -------------------------------------------------------------------------------------------------------


def _pool_type(op: str) -> TypeRule:
    def infer(types: Types, attributes: Attributes) -> tuple[TensorType]:
        x = operand(types, 0)
        need_dtype(op, x, FLOAT_DTYPES, "the input")
        need_spatial(op, x, "the input")
        return (x.with_shape(_pooled_shape(op, x.shape, attributes)),)

    return infer


def _max_grad_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    return (_check_max("MaxPoolGrad", types, attributes, third_is_input=False),)


def _max_select_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    _check_max("MaxPoolSelect", types, attributes, third_is_input=True)
    return (operand(types, 1),)


def _check_max(op: str, types: Types, attributes: Attributes, *, third_is_input: bool) -> TensorType:
    x, y, third = operand(types, 0), operand(types, 1), operand(types, 2)
    same_dtype(op, types)
    need_dtype(op, x, FLOAT_DTYPES, "the input")
    need_spatial(op, x, "the input")
    pooled = _pooled_shape(op, x.shape, attributes)
    _need_shape(op, y, pooled, "the maxima")
    if third_is_input:
        _need_shape(op, third, x.shape, "the values")
    else:
        _need_shape(op, third, pooled, "the gradient")
    return x


def _average_grad_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    op, layout = "AveragePoolGrad", attributes["layout"]
    g = operand(types, 0)
    need_dtype(op, g, FLOAT_DTYPES, "the gradient")
    need_spatial(op, g, "the gradient")
    dims = attributes["dims"]
    if len(dims) != g.rank - 2:
        raise ArgumentError(f"{op}: 'dims' must hold one length for each of the {g.rank - 2} spatial axes; got {dims}.")
    shape = join_shape(g.shape[0], dims, g.shape[channel_axis(g.rank, layout)], layout)
    _need_shape(
        op, g, _pooled_shape(op, shape, attributes), f"the gradient for an input of shape {format_shape(shape)}"
    )
    return (g.with_shape(shape),)


# -- gradients --------------------------------------------------------------------------------------------------------


def _operands(node: Node) -> list[Value]:
    return [value for value in node.inputs if value is not None]


def _max_pool_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x,), (g,) = _operands(node), grads
    return (b.emit("MaxPoolGrad", x, node.output, g, **node.attributes),)


def _max_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    # Where the maximum lies does not change with x, almost everywhere.
    x, y, _ = _operands(node)
    return None, None, b.emit("MaxPoolSelect", x, y, grads[0], **node.attributes)


def _max_select_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    x, y, _ = _operands(node)
    return None, None, b.emit("MaxPoolGrad", x, y, grads[0], **node.attributes)


def _average_pool_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x,), (g,) = _operands(node), grads
    dims = spatial_dims(x.type.shape, node.attributes["layout"])
    return (b.emit("AveragePoolGrad", g, dims=dims, **node.attributes),)


def _average_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    geometry = {name: node.attributes[name] for name in _AVERAGE}
    return (b.emit("AveragePool", grads[0], **geometry),)


def _cost(pooled: int) -> Cost:
    """One operation for each element of each window; ``pooled`` says which operand has the windows (-1: the result)."""

    def cost(inputs: Sequence[TensorType], outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
        windows = outputs[0] if pooled < 0 else inputs[pooled]
        return windows.size * pooling_windows("pooling", attributes).size

    return cost


OPS = (
    OpDef(
        name="MaxPool",
        inputs=("x",),
        infer=_pool_type("MaxPool"),
        vjp=_max_pool_vjp,
        doc="The largest element of each window; padding does not count.",
        attributes=_MAX,
        traits=frozenset({Trait.NON_SMOOTH}),
        cost=_cost(-1),
    ),
    OpDef(
        name="MaxPoolGrad",
        inputs=("x", "y", "g"),
        infer=_max_grad_type,
        vjp=_max_grad_vjp,
        doc="The gradient of MaxPool: each window's g goes to its first maximum; x is MaxPool's input, y its output.",
        attributes=_MAX,
        traits=frozenset({Trait.NON_SMOOTH}),
        cost=_cost(1),
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="MaxPoolSelect",
        inputs=("x", "y", "v"),
        infer=_max_select_type,
        vjp=_max_select_vjp,
        doc="For each window, the element of v where x has its first maximum; the adjoint of MaxPoolGrad in g.",
        attributes=_MAX,
        traits=frozenset({Trait.NON_SMOOTH}),
        cost=_cost(1),
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="AveragePool",
        inputs=("x",),
        infer=_pool_type("AveragePool"),
        vjp=_average_pool_vjp,
        doc="The mean of each window.",
        attributes=_AVERAGE,
        traits=frozenset({Trait.LINEAR}),
        cost=_cost(-1),
    ),
    OpDef(
        name="AveragePoolGrad",
        inputs=("g",),
        infer=_average_grad_type,
        vjp=_average_grad_vjp,
        doc="The gradient of AveragePool: each window's g spread evenly over its elements.",
        attributes={**_AVERAGE, "dims": Attribute("dims", doc="The spatial lengths of AveragePool's input.")},
        traits=frozenset({Trait.LINEAR}),
        cost=_cost(0),
        domain=Domain.GRAPHC,
    ),
)
