"""ONNX rows of `graphc.ops.bitwise`."""

from __future__ import annotations

from graphc.runtimes.onnx_formula import apply, formula
from graphc.runtimes.onnx_lowering import Row, Same

ROWS: dict[str, Row] = {
    "BitwiseAnd": Same(),
    "BitwiseOr": Same(),
    "BitwiseXor": Same(),
    "BitwiseNot": Same(),
    # ONNX Runtime's CPU provider shifts no uint16.
    "BitShift": formula(lambda a, x, y: apply("BitShift", x, y, direction=a["direction"]), {"uint16": "uint32"}),
}
