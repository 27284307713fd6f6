"""ONNX rows of `graphc.ops.source`. The exporter itself writes inputs, states and constants, which are not nodes."""

from __future__ import annotations

from graphc.runtimes.onnx_lowering import Lowering, Row


def _dim_size(lowering: Lowering) -> None:
    attributes = lowering.node.attributes
    operands = [lowering.dims((attributes["dim"],)), lowering.ints((0,))]
    if attributes["dtype"] == "int64":
        lowering.emit("Squeeze", operands, lowering.outputs)
    else:
        lowering.emit("Cast", lowering.emit("Squeeze", operands), lowering.outputs, to=attributes["dtype"])


ROWS: dict[str, Row] = {"DimSize": _dim_size}
