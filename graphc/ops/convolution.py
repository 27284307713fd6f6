"""Convolution, transposed convolution, and the two gradients that they share.

One implementation for one to three spatial axes, any groups, strides, dilations and padding, in two layouts:

* ``"NCHW"`` (ONNX's): ``x (batch, channels, *spatial)``, ``w (filters, channels / group, *kernel)``;
* ``"NHWC"`` (Keras's): ``x (batch, *spatial, channels)``, ``w (*kernel, channels / group, filters)``.

`Conv`, `ConvGradInput` and `ConvGradWeight` are one form that is linear in x, w and g, ``sum(conv(x, w) * g)``, seen
from each of its three sides. The gradient of each is written with the other two, so derivatives of any order exist.
`ConvTranspose` is `ConvGradInput` that knows the length of its result by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, Shape, product
from graphc.ir.dtypes import FLOAT_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, format_shape
from graphc.ops.opdef import (
    Attribute,
    Attributes,
    Domain,
    OpDef,
    Types,
    need_dtype,
    need_rank,
    operand,
    optional,
    same_dtype,
)
from graphc.ops.shape_checks import agree
from graphc.ops.windows import (
    CHANNELS_FIRST,
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

_GEOMETRY: dict[str, Attribute] = {
    "strides": STRIDES,
    "dilations": DILATIONS,
    "pads": PADS,
    "group": Attribute("int", 1, "Channels and filters are split into this many groups that do not see each other."),
    "layout": LAYOUT,
}


def split_kernel(shape: Shape, layout: str) -> tuple[DimLike, DimLike, Shape]:
    """A kernel's shape as (filters, channels per group, spatial)."""
    if layout == CHANNELS_FIRST:
        return shape[0], shape[1], shape[2:]
    return shape[-1], shape[-2], shape[:-2]


def join_kernel(filters: DimLike, channels: DimLike, spatial: Sequence[DimLike], layout: str) -> Shape:
    """A kernel's shape, put together in a layout."""
    return (filters, channels, *spatial) if layout == CHANNELS_FIRST else (*spatial, channels, filters)


def _channels(type_: TensorType, layout: str) -> DimLike:
    return type_.shape[channel_axis(type_.rank, layout)]


def _need_channels(op: str, have: DimLike, want: DimLike, what: str, why: str) -> None:
    if agree(have, want) is None:
        raise ShapeError(f"{op}: {what} has {have} channels, but {why} needs {want}.")


def _need_divisible(op: str, group: int, **counts: DimLike) -> None:
    if group < 1:
        raise ArgumentError(f"{op}: 'group' must be a positive integer; got {group}.")
    for what, count in counts.items():
        if isinstance(count, int) and count % group:
            raise ShapeError(f"{op}: the {what} ({count}) must be divisible by 'group' ({group}).")


def _need_lengths(op: str, have: Shape, want: Shape, what: str, why: str) -> None:
    if len(have) != len(want) or any(agree(h, w) is None for h, w in zip(have, want, strict=True)):
        raise ShapeError(
            f"{op}: {what} must have spatial lengths {format_shape(want)} {why}; got {format_shape(have)}."
        )


def _need_bias(op: str, bias: TensorType | None, filters: DimLike) -> None:
    if bias is not None and (bias.rank != 1 or agree(bias.shape[0], filters) is None):
        raise ShapeError(f"{op}: the bias must have shape [{filters}], one number for each output channel; got {bias}.")


def _operands(op: str, types: Types, first: str, second: str) -> tuple[TensorType, TensorType]:
    """The two operands of every op here, with dtype and rank checked."""
    a, b = operand(types, 0), operand(types, 1)
    same_dtype(op, types)
    need_dtype(op, a, FLOAT_DTYPES, first)
    need_spatial(op, a, first)
    need_rank(op, b, a.rank, second)
    return a, b


# -- type rules -------------------------------------------------------------------------------------------------------


def _conv_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x, w = _operands("Conv", types, "the input", "the kernel")
    layout, group = attributes["layout"], attributes["group"]
    filters, per_group, kernel = split_kernel(w.shape, layout)
    _need_divisible("Conv", group, filters=filters)
    why = f"a kernel of shape {format_shape(w.shape)} ({layout}) in {group} group(s)"
    _need_channels("Conv", _channels(x, layout), per_group * group, f"the input of shape {format_shape(x.shape)}", why)
    _need_bias("Conv", optional(types, 2), filters)
    spatial = Windows.of("Conv", kernel, attributes).output_dims("Conv", spatial_dims(x.shape, layout))
    return (x.with_shape(join_shape(x.shape[0], spatial, filters, layout)),)


def _conv_transpose_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x, w = _operands("ConvTranspose", types, "the input", "the kernel")
    layout, group = attributes["layout"], attributes["group"]
    channels, per_group, kernel = split_kernel(w.shape, layout)
    _need_divisible("ConvTranspose", group, channels=channels)
    why = f"a kernel of shape {format_shape(w.shape)} ({layout})"
    _need_channels("ConvTranspose", _channels(x, layout), channels, f"the input of shape {format_shape(x.shape)}", why)
    filters = per_group * group
    _need_bias("ConvTranspose", optional(types, 2), filters)
    windows = Windows.of("ConvTranspose", kernel, attributes)
    spatial = transposed_dims(windows, spatial_dims(x.shape, layout), attributes["output_padding"])
    return (x.with_shape(join_shape(x.shape[0], spatial, filters, layout)),)


def transposed_dims(windows: Windows, spatial: Shape, output_padding: Sequence[int]) -> Shape:
    """The spatial lengths of a transposed convolution: ONNX's formula for ConvTranspose.

    Raises:
        ArgumentError: ``output_padding`` is not below the strides, or is given where the padding already decides.
        ShapeError: nothing would be left of an axis.
    """
    extra = tuple(output_padding) or (0,) * windows.rank
    if len(extra) != windows.rank or any(not 0 <= e < s for e, s in zip(extra, windows.strides, strict=False)):
        raise ArgumentError(
            f"ConvTranspose: 'output_padding' must hold one integer for each spatial axis, from 0 to below its stride "
            f"{windows.strides}; got {extra}."
        )
    if windows.is_same:
        if any(extra):
            raise ArgumentError(
                f"ConvTranspose: 'output_padding' {extra} has no place with pads=\"SAME_UPPER\", whose output is the "
                "input's length times the stride; give explicit pads."
            )
        return tuple(length * stride for length, stride in zip(spatial, windows.strides, strict=True))
    dims: list[DimLike] = []
    padding = windows.padding(spatial)
    rows = zip(spatial, windows.strides, extra, windows.extents, padding, strict=True)
    for length, stride, more, extent, (before, behind) in rows:
        count = (length - 1) * stride + (more + extent) - before - behind
        if isinstance(count, int) and count < 1:
            raise ShapeError(
                f"ConvTranspose: the output would have no elements. Received spatial lengths {format_shape(spatial)}, "
                f"kernel {format_shape(windows.kernel)}, strides {format_shape(windows.strides)}, pads "
                f"{format_shape(tuple(windows.pads))}. Use a larger input or smaller pads."
            )
        dims.append(count)
    return tuple(dims)


def _grad_input_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    op = "ConvGradInput"
    g, w = _operands(op, types, "the gradient", "the kernel")
    layout, group, dims = attributes["layout"], attributes["group"], attributes["dims"]
    filters, per_group, kernel = split_kernel(w.shape, layout)
    _need_divisible(op, group, filters=filters)
    why = f"a kernel of shape {format_shape(w.shape)} ({layout})"
    _need_channels(op, _channels(g, layout), filters, f"the gradient of shape {format_shape(g.shape)}", why)
    if len(dims) != len(kernel):
        raise ArgumentError(
            f"{op}: 'dims' must hold one length for each of the {len(kernel)} spatial axes; got {dims}."
        )
    expected = Windows.of(op, kernel, attributes).output_dims(op, dims)
    _need_lengths(op, spatial_dims(g.shape, layout), expected, "the gradient", f"for inputs of {format_shape(dims)}")
    return (g.with_shape(join_shape(g.shape[0], dims, per_group * group, layout)),)


def _grad_weight_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    op = "ConvGradWeight"
    x, g = _operands(op, types, "the input", "the gradient")
    layout, group, kernel = attributes["layout"], attributes["group"], attributes["kernel_shape"]
    channels, filters = _channels(x, layout), _channels(g, layout)
    _need_divisible(op, group, channels=channels, filters=filters)
    if agree(x.shape[0], g.shape[0]) is None:
        raise ShapeError(f"{op}: input and gradient must have one batch size; got {x} and {g}.")
    if len(kernel) != x.rank - 2:
        raise ArgumentError(f"{op}: 'kernel_shape' must hold {x.rank - 2} lengths for an input {x}; got {kernel}.")
    lengths = spatial_dims(x.shape, layout)
    expected = Windows.of(op, kernel, attributes).output_dims(op, lengths)
    _need_lengths(op, spatial_dims(g.shape, layout), expected, "the gradient", f"for inputs of {format_shape(lengths)}")
    return (x.with_shape(join_kernel(filters, channels // group, kernel, layout)),)


# -- gradients --------------------------------------------------------------------------------------------------------


def _geometry(node: Node) -> dict[str, Any]:
    return {name: node.attributes[name] for name in _GEOMETRY}


def _operand_values(node: Node) -> tuple[Value, Value]:
    a, b = node.inputs[:2]
    assert a is not None
    assert b is not None
    return a, b


def _bias_gradient(b: Builder, node: Node, g: Value) -> Value | None:
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return None
    channels = channel_axis(g.type.rank, node.attributes["layout"])
    return b.emit("ReduceSum", g, axes=tuple(a for a in range(g.type.rank) if a != channels), keepdims=False)


def _dims(value: Value, node: Node) -> Shape:
    return spatial_dims(value.type.shape, node.attributes["layout"])


def _kernel_dims(value: Value, node: Node) -> Shape:
    return split_kernel(value.type.shape, node.attributes["layout"])[2]


def _conv_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x, w), (g,) = _operand_values(node), grads
    assert g is not None
    by_x = b.emit("ConvGradInput", g, w, dims=_dims(x, node), **_geometry(node))
    by_w = b.emit("ConvGradWeight", x, g, kernel_shape=_kernel_dims(w, node), **_geometry(node))
    return (by_x, by_w, _bias_gradient(b, node, g))[: len(node.inputs)]


def _conv_transpose_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x, w), (g,) = _operand_values(node), grads
    assert g is not None
    by_x = b.emit("Conv", g, w, **_geometry(node))
    by_w = b.emit("ConvGradWeight", g, x, kernel_shape=_kernel_dims(w, node), **_geometry(node))
    return (by_x, by_w, _bias_gradient(b, node, g))[: len(node.inputs)]


def _grad_input_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (g, w), (h,) = _operand_values(node), grads
    assert h is not None
    by_g = b.emit("Conv", h, w, **_geometry(node))
    by_w = b.emit("ConvGradWeight", h, g, kernel_shape=_kernel_dims(w, node), **_geometry(node))
    return by_g, by_w


def _grad_weight_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x, g), (h,) = _operand_values(node), grads
    assert h is not None
    by_x = b.emit("ConvGradInput", g, h, dims=_dims(x, node), **_geometry(node))
    by_g = b.emit("Conv", x, h, **_geometry(node))
    return by_x, by_g


# -- cost -------------------------------------------------------------------------------------------------------------


def _products(strided: TensorType, kernel: Shape, per_group: DimLike) -> DimLike:
    """A multiplication and an addition for each element of the strided side, of the kernel, and channel of a group."""
    return product((*strided.shape, *kernel, per_group, 2))


def _conv_cost(inputs: Sequence[TensorType], outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
    _, per_group, kernel = split_kernel(inputs[1].shape, attributes["layout"])
    return _products(outputs[0], kernel, per_group)


def _transposed_cost(inputs: Sequence[TensorType], _outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
    _, per_group, kernel = split_kernel(inputs[1].shape, attributes["layout"])
    return _products(inputs[0], kernel, per_group)


def _weight_cost(inputs: Sequence[TensorType], outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
    _, per_group, kernel = split_kernel(outputs[0].shape, attributes["layout"])
    return _products(inputs[1], kernel, per_group)


OPS = (
    OpDef(
        name="Conv",
        inputs=("x", "w", "b?"),
        infer=_conv_type,
        vjp=_conv_vjp,
        doc="The convolution (cross-correlation) of x with the kernel w, plus a bias for each filter.",
        attributes=_GEOMETRY,
        cost=_conv_cost,
    ),
    OpDef(
        name="ConvTranspose",
        inputs=("x", "w", "b?"),
        infer=_conv_transpose_type,
        vjp=_conv_transpose_vjp,
        doc="The transposed convolution; w (channels, filters / group, *kernel), reversed in NHWC.",
        attributes={
            **_GEOMETRY,
            "output_padding": Attribute("ints", (), "Elements added behind each spatial axis; () means none."),
        },
        cost=_transposed_cost,
    ),
    OpDef(
        name="ConvGradInput",
        inputs=("g", "w"),
        infer=_grad_input_type,
        vjp=_grad_input_vjp,
        doc="The gradient of Conv with respect to its input, from the gradient g of its output.",
        attributes={**_GEOMETRY, "dims": Attribute("dims", doc="The spatial lengths of Conv's input.")},
        cost=_transposed_cost,
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="ConvGradWeight",
        inputs=("x", "g"),
        infer=_grad_weight_type,
        vjp=_grad_weight_vjp,
        doc="The gradient of Conv with respect to its kernel, from its input and the gradient g of its output.",
        attributes={**_GEOMETRY, "kernel_shape": Attribute("ints", doc="The kernel's spatial shape.")},
        cost=_weight_cost,
        domain=Domain.GRAPHC,
    ),
)
