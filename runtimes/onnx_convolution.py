"""ONNX rows of `graphc.ops.convolution`.

Nodes in Keras's layout are written with transposes around them; the `layout` pass, which runs before, leaves none.
"""

from __future__ import annotations

from typing import Any

from graphc.ops.convolution import split_kernel
from graphc.ops.windows import Windows, channel_axis, spatial_dims
from graphc.runtimes.onnx_lowering import Lowering, Row
from graphc.runtimes.onnx_shapes import reshaped
from graphc.runtimes.onnx_windows import (
    channels_first,
    emit_result,
    is_channels_last,
    kernel_first,
    padded,
    pads_attributes,
    transpose,
    transpose_back,
    transposed_convolution,
    unless_default,
)


def _conv(lowering: Lowering) -> None:
    attributes, x_type = lowering.node.attributes, lowering.type(0)
    rank, layout, group = x_type.rank, attributes["layout"], attributes["group"]
    spatial = spatial_dims(x_type.shape, layout)
    windows = Windows.of("Conv", split_kernel(lowering.type(1).shape, layout)[2], attributes)
    x, w = channels_first(lowering, lowering.inputs[0], rank), kernel_first(lowering, lowering.inputs[1], rank)
    pads = pads_attributes(windows, spatial)
    if pads is None:
        x, pads = padded(lowering, x, windows, spatial, x_type.dtype), {}
    emit_result(
        lowering,
        "Conv",
        [x, w, *lowering.inputs[2:]],
        rank,
        kernel_shape=windows.kernel,
        strides=unless_default(windows.strides),
        dilations=unless_default(windows.dilations),
        group=None if group == 1 else group,
        **pads,
    )


def _transposed(lowering: Lowering) -> None:
    """ConvTranspose and ConvGradInput."""
    attributes, x_type = lowering.node.attributes, lowering.type(0)
    rank, layout = x_type.rank, attributes["layout"]
    windows = Windows.of(lowering.node.op, split_kernel(lowering.type(1).shape, layout)[2], attributes)
    inputs = [
        channels_first(lowering, lowering.inputs[0], rank),
        kernel_first(lowering, lowering.inputs[1], rank),
        *lowering.inputs[2:],
    ]
    lengths = spatial_dims(x_type.shape, layout), spatial_dims(lowering.node.output.type.shape, layout)
    if is_channels_last(lowering):
        transpose_back(lowering, transposed_convolution(lowering, inputs, windows, lengths, attributes["group"]), rank)
    else:
        transposed_convolution(lowering, inputs, windows, lengths, attributes["group"], lowering.outputs)


def _grad_weight(lowering: Lowering) -> None:
    """A convolution with batch and channels exchanged: the input as images, the gradient as kernels.

    Element ``k`` of the kernel meets the input at ``o * stride + k * dilation``, so that the gradient, as a kernel, is
    dilated by the stride and moves by the dilation. Where the stride does not divide the input it gives elements that
    the kernel does not have; they are cut off.
    """
    attributes, x_type = lowering.node.attributes, lowering.type(0)
    rank, layout, group = x_type.rank, attributes["layout"], attributes["group"]
    spatial = spatial_dims(x_type.shape, layout)
    windows = Windows.of(lowering.node.op, attributes["kernel_shape"], attributes)
    x = channels_first(lowering, lowering.inputs[0], rank)
    g = channels_first(lowering, lowering.inputs[1], rank)
    exchange = (1, 0, *range(2, rank))
    images = transpose(lowering, x, exchange) if group == 1 else _images_by_group(lowering, x, group)
    pads = pads_attributes(windows, spatial)
    if pads is None or "auto_pad" in pads:  # the exchanged convolution has another padding rule
        images, pads = padded(lowering, images, windows, spatial, x_type.dtype), {}
    kernels = transpose(lowering, g, exchange)
    common: dict[str, Any] = {
        "strides": unless_default(windows.dilations),
        "dilations": unless_default(windows.strides),
        "group": None if group == 1 else group,
    }
    (found,) = lowering.emit("Conv", [images, kernels], **common, **pads)
    rows = zip(spatial, windows.padding(spatial), windows.extents, windows.strides, strict=True)
    rest = [(length + begin + end - extent) % stride for length, (begin, end), extent, stride in rows]
    if any(r != 0 for r in rest):
        starts, axes = lowering.ints([0] * windows.rank), lowering.ints(range(2, rank))
        (found,) = lowering.emit("Slice", [found, starts, lowering.ints(windows.kernel), axes])
    # (channels of a group, filters, *kernel) to the kernel's own order.
    transpose(lowering, found, (*range(2, rank), 0, 1) if is_channels_last(lowering) else exchange, lowering.outputs)


def _images_by_group(lowering: Lowering, x: str, group: int) -> str:
    """(batch, channels, *spatial) as (channels of a group, groups * batch, *spatial)."""
    shape, layout = lowering.type(0).shape, lowering.node.attributes["layout"]
    batch, spatial = shape[0], spatial_dims(shape, layout)
    channels = shape[channel_axis(len(shape), layout)] // group
    split = reshaped(lowering, x, (batch, group, channels, *spatial))
    exchanged = transpose(lowering, split, (2, 1, 0, *range(3, len(shape) + 1)))
    return reshaped(lowering, exchanged, (channels, batch * group, *spatial))


ROWS: dict[str, Row] = {
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "ConvGradInput": _transposed,
    "ConvGradWeight": _grad_weight,
}
