"""ONNX rows of `graphc.ops.elementwise`.

ONNX Runtime's CPU provider has no float64 kernel for several functions. Where others give the same numbers they are
written as formulas; Asin, Acos, Atan and Erf of float64 are written as they are, for runtimes that have them.
"""

from __future__ import annotations

import math

from graphc.ir.dtypes import INT_DTYPES, NUMERIC_DTYPES, is_float, is_unsigned
from graphc.runtimes.onnx_formula import SMALL_INTEGERS, Expr, apply, expm1, formula, log1p, native, where
from graphc.runtimes.onnx_lowering import Lowering, Row, Same

_SINGLE = ("float16", "float32")
_SIGNED = tuple(d for d in NUMERIC_DTYPES if is_float(d) or not is_unsigned(d))
_POW = ("int32", "int64", "float16", "float32", "float64")
_POW_WIDER = {d: "int64" for d in INT_DTYPES if d not in _POW}


def _cosh(_: object, x: Expr) -> Expr:
    # With e**(x / 2), nothing overflows before the result does.
    root = apply("Exp", x * 0.5)
    return root * 0.5 * root + 0.5 / root / root


def _asinh(_: object, x: Expr) -> Expr:
    # From 1e8 on, asinh(x) is log(2 * x) in float64, and x * x may overflow.
    size = apply("Abs", x)
    small = log1p(size + size * (size / (1.0 + apply("Sqrt", size * size + 1.0))))
    return apply("Sign", x) * where(size > 1e8, apply("Log", size) + math.log(2.0), small)


def _acosh(_: object, x: Expr) -> Expr:
    above = x - 1.0
    return log1p(above + apply("Sqrt", above) * apply("Sqrt", above + 2.0))


def _atanh(_: object, x: Expr) -> Expr:
    size = apply("Abs", x)
    return apply("Sign", x) * (log1p(2.0 * size / (1.0 - size)) * 0.5)


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
    "Tan": native(_SINGLE, formula(lambda _, x: apply("Sin", x) / apply("Cos", x))),
    "Asin": Same(),
    "Acos": Same(),
    "Atan": Same(),
    "Sinh": native(_SINGLE, formula(lambda _, x: apply("Tanh", x) * _cosh(_, x))),
    "Cosh": native(_SINGLE, formula(_cosh)),
    "Tanh": Same(),
    "Asinh": native(_SINGLE, formula(_asinh)),
    "Acosh": native(_SINGLE, formula(_acosh)),
    "Atanh": native(_SINGLE, formula(_atanh)),
    "Erf": Same(),
    "Add": Same(),
    "Sub": Same(),
    "Mul": Same(),
    "Div": Same(),
    "Pow": native(_POW, formula(lambda _, x, y: apply("Pow", x, y), _POW_WIDER)),
    "Max": formula(lambda _, x, y: apply("Max", x, y), SMALL_INTEGERS),
    "Min": formula(lambda _, x, y: apply("Min", x, y), SMALL_INTEGERS),
    "Mod": _mod,
}
