"""Functions for which ONNX Runtime's CPU provider has no float64 kernel, written with those for which it has one.

Each is good to a few units in the last place; what could overflow or cancel is rearranged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from graphc.runtimes.np_erf import LARGE_BOTTOM, LARGE_TOP, SMALL_BOTTOM, SMALL_TOP
from graphc.runtimes.onnx_formula import Expr, apply, log1p, where

# Highest power first: S. L. Moshier, "Methods and Programs for Mathematical Functions" (1989), Cephes atan.
_ATAN_TOP = (
    -8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1, -1.228866684490136173410e2,
    -6.485021904942025371773e1,
)  # fmt: skip
_ATAN_BOTTOM = (
    1.0, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2, 4.853903996359136964868e2,
    1.945506571482613964425e2,
)  # fmt: skip
_TAN_THREE_EIGHTHS = math.sqrt(2.0) + 1.0  # tan(3/8 pi)


def _polynomial(coefficients: Sequence[float], x: Expr) -> Expr:
    first, second, *rest = coefficients
    value = x * first + second
    for coefficient in rest:
        value = value * x + coefficient
    return value


def _with_sign_of(x: Expr, size: Expr) -> Expr:
    return apply("Sign", x) * size


def tan(x: Expr) -> Expr:
    """``sin(x) / cos(x)``."""
    return apply("Sin", x) / apply("Cos", x)


def atan(x: Expr) -> Expr:
    """Reduced to [-0.42, 0.66] by ``atan(x) = pi/4 + atan((x - 1) / (x + 1))`` and ``pi/2 - atan(1 / x)``."""
    size = apply("Abs", x)
    small, large = size > 0.66, size > _TAN_THREE_EIGHTHS
    reduced = where(large, -1.0 / size, where(small, (size - 1.0) / (size + 1.0), size))
    start = where(large, math.pi / 2, where(small, math.pi / 4, 0.0))
    square = reduced * reduced
    correction = reduced * square * _polynomial(_ATAN_TOP, square) / _polynomial(_ATAN_BOTTOM, square)
    return _with_sign_of(x, start + (correction + reduced))


def asin(x: Expr) -> Expr:
    """``atan(x / sqrt(1 - x**2))``."""
    return atan(x / apply("Sqrt", (1.0 - x) * (1.0 + x)))


def acos(x: Expr) -> Expr:
    """``2 * atan(sqrt((1 - x) / (1 + x)))``."""
    return atan(apply("Sqrt", (1.0 - x) / (1.0 + x))) * 2.0


def cosh(x: Expr) -> Expr:
    """By ``e**(x / 2)``, so that nothing overflows before the result does."""
    root = apply("Exp", x * 0.5)
    return root * 0.5 * root + 0.5 / root / root


def sinh(x: Expr) -> Expr:
    """``tanh(x) * cosh(x)``, which keeps small values."""
    return apply("Tanh", x) * cosh(x)


def asinh(x: Expr) -> Expr:
    """By ``log1p``; from 1e8 on it is ``log(2 * x)`` to the last bit, and ``x**2`` may overflow."""
    size = apply("Abs", x)
    small = log1p(size + size * (size / (1.0 + apply("Sqrt", size * size + 1.0))))
    return _with_sign_of(x, where(size > 1e8, apply("Log", size) + math.log(2.0), small))


def acosh(x: Expr) -> Expr:
    """By ``log1p``, and by ``log(2 * x)`` from 1e8 on."""
    above = x - 1.0
    small = log1p(above + apply("Sqrt", above) * apply("Sqrt", above + 2.0))
    return where(x > 1e8, apply("Log", x) + math.log(2.0), small)


def atanh(x: Expr) -> Expr:
    """``log1p(2 * x / (1 - x)) / 2``."""
    size = apply("Abs", x)
    return _with_sign_of(x, log1p(2.0 * size / (1.0 - size)) * 0.5)


def erf(x: Expr) -> Expr:
    """Cody's rational approximations, as in the NumPy kernel."""
    size = apply("Min", apply("Abs", x), 6.0)
    square = size * size
    small = size * _polynomial(SMALL_TOP, square) / _polynomial(SMALL_BOTTOM, square)
    tail = apply("Exp", -square) * (_polynomial(LARGE_TOP, size) / _polynomial(LARGE_BOTTOM, size))
    return _with_sign_of(x, where(size > 0.5, 1.0 - tail, small))
