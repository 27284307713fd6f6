"""ONNX rows of `graphc.ops.comparison`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.runtimes.onnx_formula import Expr, apply, formula, native
from graphc.runtimes.onnx_lowering import Row, Same

_SIGNS = ("detect_negative", "detect_positive")


def _is_inf(attributes: Mapping[str, Any], x: Expr) -> Expr:
    return apply("IsInf", x, **{name: attributes[name] for name in _SIGNS})


ROWS: dict[str, Row] = {
    "Equal": Same(),
    "Greater": Same(),
    "GreaterOrEqual": Same(),
    "Less": Same(),
    "LessOrEqual": Same(),
    "And": Same(),
    "Or": Same(),
    "Xor": Same(),
    "Not": Same(),
    "IsNaN": Same(),
    # ONNX takes float16 from opset 20 on.
    "IsInf": native(("float32", "float64"), formula(_is_inf), attributes=_SIGNS),
}
