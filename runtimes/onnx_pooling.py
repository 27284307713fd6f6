"""ONNX rows of `graphc.ops.pooling`; see `onnx_convolution` for layouts."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod
from typing import Any

from graphc.ir.dims import DimLike, Shape, product
from graphc.ops.pooling import pooling_windows
from graphc.ops.windows import Windows, channel_axis, spatial_dims
from graphc.runtimes.onnx_lowering import Lowering, Row
from graphc.runtimes.onnx_shapes import reshaped
from graphc.runtimes.onnx_windows import (
    channels_first,
    emit_result,
    is_channels_last,
    padded,
    pads_attributes,
    transpose_back,
    transposed_convolution,
    unless_default,
)


def _shape_first(lowering: Lowering, index: int) -> Shape:
    """An operand's shape as (batch, channels, *spatial)."""
    shape, layout = lowering.type(index).shape, lowering.node.attributes["layout"]
    return (shape[0], shape[channel_axis(len(shape), layout)], *spatial_dims(shape, layout))


class _Maxima:
    """A MaxPool node on (batch, channels, *spatial), and how its input was padded.

    Attributes:
        x: the operand.
        shape: of the operand: the input, or the input with its padding.
        begins: where the input starts in it.
        attributes: of the node.
    """

    def __init__(self, lowering: Lowering) -> None:
        windows = pooling_windows(lowering.node.op, lowering.node.attributes)
        self.x = channels_first(lowering, lowering.inputs[0], lowering.type(0).rank)
        self.shape = _shape_first(lowering, 0)
        spatial = self.shape[2:]
        self.begins: Shape = (0,) * windows.rank
        self.attributes: dict[str, Any] = {
            "kernel_shape": windows.kernel,
            "strides": unless_default(windows.strides),
            "dilations": unless_default(windows.dilations),
        }
        padding = windows.padding(spatial)
        pads = pads_attributes(windows, spatial)
        # ONNX Runtime takes no padding as wide as the kernel has elements; a dilated kernel may need it.
        if all(isinstance(p, int) and p < k for pair, k in zip(padding, windows.kernel, strict=True) for p in pair):
            self.attributes |= pads or {}
        elif pads is not None and "auto_pad" in pads:
            self.attributes |= pads
        else:
            self.x = padded(lowering, self.x, windows, spatial, lowering.type(0).dtype, -inf)
            self.begins = tuple(begin for begin, _ in padding)
            lengths = (length + begin + end for length, (begin, end) in zip(spatial, padding, strict=True))
            self.shape = (*self.shape[:2], *lengths)


def _max_pool(lowering: Lowering) -> None:
    maxima = _Maxima(lowering)
    emit_result(lowering, "MaxPool", [maxima.x], len(maxima.shape), **maxima.attributes)


def _first_maxima(lowering: Lowering, maxima: _Maxima) -> str:
    """For each window, where its first maximum lies in the flattened operand; as a vector."""
    _, indices = lowering.emit("MaxPool", [maxima.x], count=2, **maxima.attributes)
    return _flat(lowering, indices)


def _flat(lowering: Lowering, x: str) -> str:
    return lowering.emit("Reshape", [x, lowering.ints([-1])])[0]


def _shaped(lowering: Lowering, x: str, shape: Sequence[DimLike]) -> None:
    """Make the result from its elements in the order (batch, channels, *spatial)."""
    if is_channels_last(lowering):
        transpose_back(lowering, reshaped(lowering, x, shape), len(shape))
    else:
        reshaped(lowering, x, shape, lowering.outputs)


def _max_grad(lowering: Lowering) -> None:
    shape, maxima = _shape_first(lowering, 0), _Maxima(lowering)
    places = _first_maxima(lowering, maxima)
    g = _flat(lowering, channels_first(lowering, lowering.inputs[2], len(shape)))
    dtype = wide = lowering.type(0).dtype
    if dtype == "float16":  # ONNX Runtime's CPU provider adds no float16
        (g,), wide = lowering.emit("Cast", [g], to="float32"), "float32"
    (zeros,) = lowering.emit("Expand", [lowering.scalar(0.0, wide), lowering.dims([product(maxima.shape)])])
    (sums,) = lowering.emit("ScatterElements", [zeros, places, g], axis=0, reduction="add")
    if wide != dtype:
        (sums,) = lowering.emit("Cast", [sums], to=dtype)
    if maxima.shape != shape:
        sums = reshaped(lowering, sums, maxima.shape)
        stops = [begin + length for begin, length in zip(maxima.begins, shape[2:], strict=True)]
        axes = lowering.ints(range(2, len(shape)))
        (sums,) = lowering.emit("Slice", [sums, lowering.dims(maxima.begins), lowering.dims(stops), axes])
    _shaped(lowering, sums, shape)


def _max_select(lowering: Lowering) -> None:
    maxima = _Maxima(lowering)
    places = _first_maxima(lowering, maxima)
    v = channels_first(lowering, lowering.inputs[2], lowering.type(2).rank)
    if maxima.shape != _shape_first(lowering, 0):
        windows = pooling_windows(lowering.node.op, lowering.node.attributes)
        v = padded(lowering, v, windows, _shape_first(lowering, 0)[2:], lowering.type(2).dtype)
    (found,) = lowering.emit("GatherElements", [_flat(lowering, v), places], axis=0)
    _shaped(lowering, found, _shape_first(lowering, 1))


def _average_attributes(windows: Windows, spatial: Shape) -> dict[str, Any]:
    return {
        "kernel_shape": windows.kernel,
        "strides": unless_default(windows.strides),
        **(pads_attributes(windows, spatial) or {}),
    }


def _average_pool(lowering: Lowering) -> None:
    rank = lowering.type(0).rank
    x = channels_first(lowering, lowering.inputs[0], rank)
    windows = pooling_windows("AveragePool", lowering.node.attributes)
    attributes = _average_attributes(windows, _shape_first(lowering, 0)[2:])
    include_pad = int(lowering.node.attributes["count_include_pad"]) or None
    emit_result(lowering, "AveragePool", [x], rank, count_include_pad=include_pad, **attributes)


def _average_grad(lowering: Lowering) -> None:
    """Each window's gradient over the number of its elements, spread by a transposed convolution with ones."""
    batch, channels, *counts = _shape_first(lowering, 0)
    dtype, lengths = lowering.type(0).dtype, tuple(lowering.node.attributes["dims"])
    windows = pooling_windows("AveragePoolGrad", lowering.node.attributes)
    g = channels_first(lowering, lowering.inputs[0], len(lengths) + 2)
    # One image for each channel, so that one kernel serves them all and their number need not be known.
    images = reshaped(lowering, g, (batch * channels, 1, *counts))
    share = lowering.scalar(1.0 / prod(windows.kernel), dtype)
    if windows.pads != (0,) * (2 * windows.rank) and not lowering.node.attributes["count_include_pad"]:
        # Windows at the border have fewer elements: the mean of ones among padded zeros says which part of them.
        (ones,) = lowering.emit("Expand", [lowering.scalar(1.0, dtype), lowering.dims((1, 1, *lengths))])
        attributes = _average_attributes(windows, lengths)
        (part,) = lowering.emit("AveragePool", [ones], count_include_pad=1, **attributes)
        (share,) = lowering.emit("Div", [share, part])
    (shares,) = lowering.emit("Mul", [images, share])
    (ones,) = lowering.emit("Expand", [lowering.scalar(1.0, dtype), lowering.dims((1, 1, *windows.kernel))])
    spread = transposed_convolution(lowering, [shares, ones], windows, (tuple(counts), lengths), 1)
    _shaped(lowering, spread, (batch, channels, *lengths))


ROWS: dict[str, Row] = {
    "MaxPool": _max_pool,
    "MaxPoolGrad": _max_grad,
    "MaxPoolSelect": _max_select,
    "AveragePool": _average_pool,
    "AveragePoolGrad": _average_grad,
}
