"""To be written."""

from graphc.runtimes.onnx_lowering import Row

ROWS: dict[str, Row] = {}
