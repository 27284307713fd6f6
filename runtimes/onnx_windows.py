"""What the ONNX rows of convolution and pooling share: layouts, padding, and the transposed convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir.dims import DimLike, Shape
from graphc.ops.windows import CHANNELS_LAST, Windows
from graphc.runtimes.onnx_lowering import Lowering


def is_channels_last(lowering: Lowering) -> bool:
    """True for a node in the layout that ONNX does not have."""
    return bool(lowering.node.attributes["layout"] == CHANNELS_LAST)


def transpose(lowering: Lowering, x: str, perm: Sequence[int], outputs: Sequence[str] | None = None) -> str:
    """``x`` with its axes in another order."""
    return lowering.emit("Transpose", [x], outputs, perm=tuple(perm))[0]


def channels_first(lowering: Lowering, x: str, rank: int) -> str:
    """An operand as (batch, channels, *spatial)."""
    return transpose(lowering, x, (0, rank - 1, *range(1, rank - 1))) if is_channels_last(lowering) else x


def kernel_first(lowering: Lowering, w: str, rank: int) -> str:
    """A kernel as (filters, channels, *spatial)."""
    return transpose(lowering, w, (rank - 1, rank - 2, *range(rank - 2))) if is_channels_last(lowering) else w


def emit_result(lowering: Lowering, op: str, inputs: Sequence[str], rank: int, **attributes: Any) -> None:
    """Emit the node that makes the result in ONNX's layout, and the transpose back where one is needed."""
    if is_channels_last(lowering):
        transpose_back(lowering, lowering.emit(op, inputs, **attributes)[0], rank)
    else:
        lowering.emit(op, inputs, lowering.outputs, **attributes)


def transpose_back(lowering: Lowering, x: str, rank: int) -> None:
    """Make the result from its (batch, channels, *spatial) form."""
    transpose(lowering, x, (0, *range(2, rank), 1), lowering.outputs)


def pads_attributes(windows: Windows, spatial: Shape) -> dict[str, Any] | None:
    """The padding as attributes; None where it has to be computed from the data's lengths by nodes.

    Explicit numbers wherever they are known, since every reader of the file understands them alike.
    """
    begins, ends = zip(*windows.padding(spatial), strict=True)
    if not any(isinstance(p, str) for p in (*begins, *ends)):
        pads = (*begins, *ends)
        return {"pads": pads if any(pads) else None}
    if all(d == 1 for d in windows.dilations):
        return {"auto_pad": "SAME_UPPER"}
    return None


def padded(lowering: Lowering, x: str, windows: Windows, spatial: Shape, dtype: str, value: float = 0.0) -> str:
    """``x`` with its padding as elements, computed when the lengths are known."""
    begins, ends = zip(*windows.padding(spatial), strict=True)
    operands = [x, lowering.dims((0, 0, *begins, 0, 0, *ends))]
    if value:
        operands.append(lowering.scalar(value, dtype))
    return lowering.emit("Pad", operands)[0]


def unless_default(values: Sequence[DimLike], default: int = 1) -> tuple[DimLike, ...] | None:
    """An attribute's values, or None to leave it out where all are ONNX's default."""
    return tuple(values) if any(v != default for v in values) else None


def transposed_convolution(
    lowering: Lowering,
    inputs: Sequence[str],
    windows: Windows,
    lengths: tuple[Shape, Shape],
    group: int,
    outputs: Sequence[str] | None = None,
) -> str:
    """The adjoint of a convolution by these windows, in (batch, channels, *spatial).

    Args:
        lowering: of the node.
        inputs: gradient, kernel and perhaps bias.
        windows: of the convolution.
        lengths: spatial lengths of the gradient and of the result.
        group: of the convolution.
        outputs: names of the result.
    """
    small, large = lengths
    begins, ends = zip(*windows.padding(large), strict=True)
    rows = zip(small, windows.strides, windows.extents, begins, ends, large, strict=True)
    # What the windows do not reach at the end: less than a stride.
    rest: list[DimLike] = [
        length - ((count - 1) * stride + extent - begin - end) for count, stride, extent, begin, end, length in rows
    ]
    common: dict[str, Any] = {
        "group": None if group == 1 else group,
        "strides": unless_default(windows.strides),
        "dilations": unless_default(windows.dilations),
        "kernel_shape": windows.kernel,
    }
    if not any(isinstance(n, str) for n in (*begins, *ends, *rest)):
        pads, extra = unless_default((*begins, *ends), 0), unless_default(rest, 0)
        return lowering.emit("ConvTranspose", inputs, outputs, pads=pads, output_padding=extra, **common)[0]
    # The lengths are known only with the data: all positions that any input could have, then those that this one has.
    most = unless_default([stride - 1 for stride in windows.strides], 0)
    whole = lowering.emit("ConvTranspose", inputs, output_padding=most, **common)[0]
    stops = [begin + length for begin, length in zip(begins, large, strict=True)]
    axes = lowering.ints(range(2, 2 + windows.rank))
    return lowering.emit("Slice", [whole, lowering.dims(begins), lowering.dims(stops), axes], outputs)[0]
