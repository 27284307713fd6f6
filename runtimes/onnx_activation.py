"""ONNX rows of `graphc.ops.activation`: one operator where there is one, else the operator's defining formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.ops.activation import GELU_TANH_CUBIC, GELU_TANH_SCALE
from graphc.runtimes import onnx_float64
from graphc.runtimes.onnx_formula import Expr, apply, expm1, formula, native, softplus, where
from graphc.runtimes.onnx_lowering import Lowering, Row, Same

Attributes = Mapping[str, Any]

_SINGLE = ("float16", "float32")


def _elu(a: Attributes, x: Expr) -> Expr:
    return where(x > 0.0, x, expm1(apply("Min", x, 0.0)) * a["alpha"])


def _selu(a: Attributes, x: Expr) -> Expr:
    gamma: float = a["gamma"]
    return _elu(a, x) * gamma


def _celu(a: Attributes, x: Expr) -> Expr:
    return where(x > 0.0, x, expm1(apply("Min", x, 0.0) / a["alpha"]) * a["alpha"])


def _hard_sigmoid(a: Attributes, x: Expr) -> Expr:
    return apply("Clip", x * a["alpha"] + a["beta"], 0.0, 1.0)


def _gelu(erf: Callable[[Expr], Expr]) -> Callable[[Attributes, Expr], Expr]:
    def gelu(a: Attributes, x: Expr) -> Expr:
        if a["approximate"] == "none":
            return 0.5 * x * (erf(x * 0.5**0.5) + 1.0)
        return 0.5 * x * (apply("Tanh", x * (x * x * (GELU_TANH_SCALE * GELU_TANH_CUBIC) + GELU_TANH_SCALE)) + 1.0)

    return gelu


_gelu_single = native(_SINGLE, formula(_gelu(lambda x: apply("Erf", x))), since=20, attributes=("approximate",))
_gelu_double = formula(_gelu(onnx_float64.erf))


def _gelu_row(lowering: Lowering) -> None:
    row = _gelu_double if lowering.type(0).dtype == "float64" else _gelu_single
    row(lowering)


ROWS: dict[str, Row] = {
    "Relu": Same(),
    "ReluGrad": formula(lambda _, g, y: where(y > 0.0, g, 0.0), {}),
    "LeakyRelu": native(_SINGLE, formula(lambda a, x: where(x < 0.0, x * a["alpha"], x)), attributes=("alpha",)),
    "Elu": native(_SINGLE, formula(_elu), attributes=("alpha",)),
    "Selu": native(_SINGLE, formula(_selu), attributes=("alpha", "gamma")),
    "Celu": native(("float32",), formula(_celu), attributes=("alpha",)),
    "Sigmoid": Same(),
    "HardSigmoid": native(_SINGLE, formula(_hard_sigmoid), attributes=("alpha", "beta")),
    "HardSwish": native(_SINGLE, formula(lambda _, x: x * _hard_sigmoid({"alpha": 1 / 6, "beta": 0.5}, x))),
    "Softplus": native(_SINGLE, formula(lambda _, x: softplus(x))),
    "Softsign": native(_SINGLE, formula(lambda _, x: x / (apply("Abs", x) + 1.0))),
    "Gelu": _gelu_row,
    "Mish": native(_SINGLE, formula(lambda _, x: x * apply("Tanh", softplus(x)))),
    "ThresholdedRelu": native(_SINGLE, formula(lambda a, x: where(x > a["alpha"], x, 0.0)), attributes=("alpha",)),
    "PRelu": native(_SINGLE, formula(lambda _, x, slope: where(x < 0.0, x * slope, x))),
}
