"""ONNX rows of `graphc.ops.elementwise`.

An op is one operator wherever ONNX Runtime's CPU provider has a kernel for its dtype, and a formula elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from graphc.ir.dtypes import INT_DTYPES, NUMERIC_DTYPES, is_float, is_unsigned
from graphc.runtimes import onnx_float64
from graphc.runtimes.onnx_formula import SMALL_INTEGERS, Expr, apply, expm1, formula, log1p, native, where
from graphc.runtimes.onnx_lowering import Lowering, Row, Same

_SINGLE = ("float16", "float32")
_SIGNED = tuple(d for d in NUMERIC_DTYPES if is_float(d) or not is_unsigned(d))
_POW = ("int32", "int64", "float16", "float32", "float64")
_POW_WIDER = {d: "int64" for d in INT_DTYPES if d not in _POW}


def _floor_mod(_: object, x: Expr, y: Expr) -> Expr:
    # ONNX defines fmod=0 for integers only. C's remainder is moved by one divisor where its sign is not the divisor's.
    remainder = apply("Mod", x, y, fmod=1)
    other_sign = apply("Xor", remainder < 0.0, y < 0.0)
    inexact = apply("Not", apply("Equal", remainder, 0.0))
    return where(apply("And", inexact, other_sign), remainder + y, remainder)


_float_floor_mod = formula(_floor_mod, {})
_plain_mod = Same(attributes=("fmod",))


def _mod(lowering: Lowering) -> None:
    floors = not lowering.node.attributes["fmod"]
    row = _float_floor_mod if floors and is_float(lowering.type(0).dtype) else _plain_mod
    row(lowering)


def _single(otherwise: Callable[[Expr], Expr]) -> Row:
    return native(_SINGLE, formula(lambda _, x: otherwise(x)))


ROWS: dict[str, Row] = {
    "Neg": native(_SIGNED, formula(lambda _, x: 0 - x)),
    "Abs": Same(),
    "Sign": Same(),
    "Floor": Same(),
    "Ceil": Same(),
    "Round": Same(),
    "Sqrt": Same(),
    "Reciprocal": Same(),
    "Exp": Same(),
    "Log": Same(),
    "Expm1": formula(lambda _, x: expm1(x)),
    "Log1p": formula(lambda _, x: log1p(x)),
    "Sin": Same(),
    "Cos": Same(),
    "Tan": _single(onnx_float64.tan),
    "Asin": _single(onnx_float64.asin),
    "Acos": _single(onnx_float64.acos),
    "Atan": _single(onnx_float64.atan),
    "Sinh": _single(onnx_float64.sinh),
    "Cosh": _single(onnx_float64.cosh),
    "Tanh": Same(),
    "Asinh": _single(onnx_float64.asinh),
    "Acosh": _single(onnx_float64.acosh),
    "Atanh": _single(onnx_float64.atanh),
    "Erf": _single(onnx_float64.erf),
    "Add": Same(),
    "Sub": Same(),
    "Mul": Same(),
    "Div": Same(),
    "Pow": native(_POW, formula(lambda _, x, y: apply("Pow", x, y), _POW_WIDER)),
    "Max": formula(lambda _, x, y: apply("Max", x, y), SMALL_INTEGERS),
    "Min": formula(lambda _, x, y: apply("Min", x, y), SMALL_INTEGERS),
    "Mod": _mod,
}
