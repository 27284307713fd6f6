"""The explicit table of how each IR op is written in ONNX."""

from __future__ import annotations

from graphc.runtimes import (
    onnx_activation,
    onnx_bitwise,
    onnx_comparison,
    onnx_convolution,
    onnx_elementwise,
    onnx_linalg,
    onnx_movement,
    onnx_normalization,
    onnx_pooling,
    onnx_random,
    onnx_recurrent,
    onnx_reduction,
    onnx_resize,
    onnx_scan,
    onnx_select,
    onnx_softmax,
    onnx_source,
)
from graphc.runtimes.onnx_lowering import Row

ROWS: dict[str, Row] = {
    **onnx_source.ROWS,
    **onnx_elementwise.ROWS,
    **onnx_activation.ROWS,
    **onnx_comparison.ROWS,
    **onnx_bitwise.ROWS,
    **onnx_select.ROWS,
    **onnx_random.ROWS,
    **onnx_linalg.ROWS,
    **onnx_reduction.ROWS,
    **onnx_recurrent.ROWS,
    **onnx_movement.ROWS,
    **onnx_softmax.ROWS,
    **onnx_normalization.ROWS,
    **onnx_convolution.ROWS,
    **onnx_pooling.ROWS,
    **onnx_scan.ROWS,
    **onnx_resize.ROWS,
}
