"""Element-wise arithmetic and mathematical functions.

Operands broadcast as in NumPy and promote by Keras's rule: Python numbers take the other operand's dtype, and functions
that leave the integers (division, roots, exponentials, trigonometry) give float32 for integers and booleans.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir import dtypes
from graphc.ops.functional.arguments import (
    Tensor,
    bool_as_int,
    concrete_dtype,
    float_unary,
    floating,
    is_float,
    rank_of,
    scalar,
)
from graphc.ops.functional.dispatch import apply, cast_to, dtype_of, function, promote

__all__ = [
    "abs",
    "absolute",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "deg2rad",
    "divide",
    "divide_no_nan",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "heaviside",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nan_to_num",
    "negative",
    "power",
    "rad2deg",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
]

# -- arithmetic -------------------------------------------------------------------------------------------------------


def _numeric_or_logical(op: str, logical: str, x1: Tensor, x2: Tensor) -> Tensor:
    """An op on numbers; on two booleans the logical op that agrees with it, as in NumPy."""
    x1, x2 = promote(x1, x2)
    return apply(logical if dtype_of(x1) == "bool" else op, x1, x2)


def _promote_no_bool(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    x1, x2 = promote(x1, x2)
    return bool_as_int(x1), bool_as_int(x2)


@function
def add(x1: Tensor, x2: Tensor) -> Tensor:
    """``x1 + x2``; "or" of two booleans."""
    return _numeric_or_logical("Add", "Or", x1, x2)


@function
def subtract(x1: Tensor, x2: Tensor) -> Tensor:
    """``x1 - x2``."""
    return apply("Sub", *promote(x1, x2))


@function
def multiply(x1: Tensor, x2: Tensor) -> Tensor:
    """``x1 * x2``; "and" of two booleans."""
    return _numeric_or_logical("Mul", "And", x1, x2)


@function
def divide(x1: Tensor, x2: Tensor) -> Tensor:
    """``x1 / x2``; integers are divided as float32."""
    return apply("Div", *promote(x1, x2, to_float=True))


@function
def true_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """``x1 / x2``; integers are divided as float32."""
    return apply("Div", *promote(x1, x2, to_float=True))


@function
def divide_no_nan(x1: Tensor, x2: Tensor) -> Tensor:
    """``x1 / x2``, and 0 where ``x2`` is 0."""
    x1, x2 = promote(x1, x2, to_float=True)
    by_zero = apply("Equal", x2, scalar(0, x2))
    # The divisor is made safe first: a gradient through 1/0 would be NaN even where its value is not selected.
    quotient = apply("Div", x1, apply("Where", by_zero, scalar(1, x2), x2))
    return apply("Where", by_zero, scalar(0, x2), quotient)


@function
def floor_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """The largest integer not above ``x1 / x2``, in the operands' dtype: ``-7 // 2`` is -4."""
    sign_known = _is_positive_number(x2)
    x1, x2 = _promote_no_bool(x1, x2)
    if is_float(x1):
        # Exact where floor(x1 / x2) is not: 1.0 / 0.1 rounds to 10.0, though 0.1 is above a tenth.
        whole = apply("Sub", x1, apply("Mod", x1, x2))
        quotient = apply("Round", apply("Div", whole, x2))
        if sign_known:
            return quotient
        return apply("Where", apply("Equal", x2, scalar(0, x2)), apply("Div", x1, x2), quotient)
    quotient = apply("Div", x1, x2)  # truncated towards zero, so too large by one where the signs differ
    if dtypes.is_unsigned(concrete_dtype(x1)):
        return quotient
    inexact = apply("Not", apply("Equal", apply("Mul", quotient, x2), x1))
    opposite = apply("Less", x1, scalar(0, x1))
    if not sign_known:
        opposite = apply("Xor", opposite, apply("Less", x2, scalar(0, x2)))
    return apply("Sub", quotient, cast_to(apply("And", inexact, opposite), concrete_dtype(x1)))


def _is_positive_number(x: Tensor) -> bool:
    return isinstance(x, int | float) and x > 0


@function
def mod(x1: Tensor, x2: Tensor) -> Tensor:
    """The remainder of ``x1 // x2``, with the divisor's sign: ``-7 % 2`` is 1."""
    return apply("Mod", *_promote_no_bool(x1, x2))


@function
def fmod(x1: Tensor, x2: Tensor) -> Tensor:
    """The remainder of the truncated division, with the dividend's sign, as in C: ``fmod(-7, 2)`` is -1."""
    return apply("Mod", *_promote_no_bool(x1, x2), fmod=1)


@function
def power(x1: Tensor, x2: Tensor) -> Tensor:
    """``x1 ** x2``. Small exponents that are plain numbers become products and roots.

    Raises:
        ArgumentError: integers are raised to a negative Python number.
    """
    exponent = x2 if isinstance(x2, int | float) and not isinstance(x2, bool) else None
    x1, x2 = _promote_no_bool(x1, x2)
    if exponent is None:
        return apply("Pow", x1, x2)
    if not is_float(x1) and exponent < 0:
        raise ArgumentError(f"power: integers have no power {exponent} among the integers; cast them to float32 first.")
    if exponent == 1:
        return x1
    if exponent == 2:
        return apply("Mul", x1, x1)
    if exponent == 3:
        return apply("Mul", apply("Mul", x1, x1), x1)
    if exponent == 0.5:
        return apply("Sqrt", x1)
    if exponent == -1:
        return apply("Reciprocal", x1)
    return apply("Pow", x1, x2)


@function
def maximum(x1: Tensor, x2: Tensor) -> Tensor:
    """The larger of two, element by element; NaN if either is NaN."""
    return _numeric_or_logical("Max", "Or", x1, x2)


@function
def minimum(x1: Tensor, x2: Tensor) -> Tensor:
    """The smaller of two, element by element; NaN if either is NaN."""
    return _numeric_or_logical("Min", "And", x1, x2)


def _ignoring_nan(op: str, x1: Tensor, x2: Tensor) -> Tensor:
    x1, x2 = promote(x1, x2)
    if not is_float(x1):
        return _numeric_or_logical(op, "Or" if op == "Max" else "And", x1, x2)
    either = apply("Where", apply("IsNaN", x2), x1, apply(op, x1, x2))
    return apply("Where", apply("IsNaN", x1), x2, either)


@function
def fmax(x1: Tensor, x2: Tensor) -> Tensor:
    """The larger of two; the other one where one is NaN."""
    return _ignoring_nan("Max", x1, x2)


@function
def fmin(x1: Tensor, x2: Tensor) -> Tensor:
    """The smaller of two; the other one where one is NaN."""
    return _ignoring_nan("Min", x1, x2)


@function
def negative(x: Tensor) -> Tensor:
    """``-x``."""
    return apply("Neg", x)


@function
def absolute(x: Tensor) -> Tensor:
    """``|x|``."""
    return x if dtype_of(x) == "bool" else apply("Abs", x)


abs = absolute


@function
def fabs(x: Tensor) -> Tensor:
    """``|x|`` as a float."""
    return float_unary("Abs", x)


@function
def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1."""
    return apply("Sign", x)


@function
def square(x: Tensor) -> Tensor:
    """``x * x``."""
    x = bool_as_int(x)
    return apply("Mul", x, x)


@function
def sqrt(x: Tensor) -> Tensor:
    """The square root; NaN for negative ``x``."""
    return float_unary("Sqrt", x)


@function
def rsqrt(x: Tensor) -> Tensor:
    """``1 / sqrt(x)``."""
    return apply("Reciprocal", float_unary("Sqrt", x))


@function
def reciprocal(x: Tensor) -> Tensor:
    """``1 / x``."""
    return float_unary("Reciprocal", x)


@function
def cbrt(x: Tensor) -> Tensor:
    """The real cube root."""
    x = floating(x)
    root = apply("Pow", apply("Abs", x), scalar(1 / 3, x))
    return apply("Mul", apply("Sign", x), root)


@function
def hypot(x1: Tensor, x2: Tensor) -> Tensor:
    """``sqrt(x1**2 + x2**2)`` without overflow."""
    x1, x2 = (apply("Abs", x) for x in promote(x1, x2, to_float=True))
    larger, smaller = apply("Max", x1, x2), apply("Min", x1, x2)
    zero = apply("Equal", larger, scalar(0, larger))
    ratio = apply("Div", smaller, apply("Where", zero, scalar(1, larger), larger))
    return apply("Mul", larger, apply("Sqrt", apply("Add", scalar(1, ratio), apply("Mul", ratio, ratio))))


# -- exponentials and logarithms --------------------------------------------------------------------------------------


@function
def exp(x: Tensor) -> Tensor:
    """``e ** x``."""
    return float_unary("Exp", x)


@function
def exp2(x: Tensor) -> Tensor:
    """``2 ** x``."""
    x = floating(x)
    return apply("Pow", scalar(2, x), x)


@function
def expm1(x: Tensor) -> Tensor:
    """``e ** x - 1``, exact near zero."""
    return float_unary("Expm1", x)


@function
def log(x: Tensor) -> Tensor:
    """The natural logarithm; NaN for negative ``x``."""
    return float_unary("Log", x)


@function
def log1p(x: Tensor) -> Tensor:
    """``log(1 + x)``, exact near zero."""
    return float_unary("Log1p", x)


def _log_base(x: Tensor, base: float) -> Tensor:
    natural = float_unary("Log", x)
    return apply("Div", natural, scalar(math.log(base), natural))


@function
def log2(x: Tensor) -> Tensor:
    """The logarithm to base 2."""
    return _log_base(x, 2)


@function
def log10(x: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return _log_base(x, 10)


@function
def logaddexp(x1: Tensor, x2: Tensor) -> Tensor:
    """``log(exp(x1) + exp(x2))`` without overflow."""
    x1, x2 = promote(x1, x2, to_float=True)
    difference = apply("Sub", x1, x2)
    # max + log(1 + exp(-|difference|)); of two equal infinities the difference is NaN, and the sum is right.
    small = apply("Softplus", apply("Neg", apply("Abs", difference)))
    stable = apply("Add", apply("Max", x1, x2), small)
    return apply("Where", apply("IsNaN", difference), apply("Add", x1, x2), stable)


@function
def logaddexp2(x1: Tensor, x2: Tensor) -> Tensor:
    """``log2(2**x1 + 2**x2)`` without overflow."""
    x1, x2 = promote(x1, x2, to_float=True)
    factor = scalar(math.log(2), x1)
    return apply("Div", logaddexp(apply("Mul", x1, factor), apply("Mul", x2, factor)), factor)


@function
def erf(x: Tensor) -> Tensor:
    """The error function."""
    return float_unary("Erf", x)


# -- trigonometry -----------------------------------------------------------------------------------------------------


@function
def sin(x: Tensor) -> Tensor:
    """The sine of an angle in radians."""
    return float_unary("Sin", x)


@function
def cos(x: Tensor) -> Tensor:
    """The cosine of an angle in radians."""
    return float_unary("Cos", x)


@function
def tan(x: Tensor) -> Tensor:
    """The tangent of an angle in radians."""
    return float_unary("Tan", x)


@function
def arcsin(x: Tensor) -> Tensor:
    """The inverse sine, in radians."""
    return float_unary("Asin", x)


@function
def arccos(x: Tensor) -> Tensor:
    """The inverse cosine, in radians."""
    return float_unary("Acos", x)


@function
def arctan(x: Tensor) -> Tensor:
    """The inverse tangent, in radians."""
    return float_unary("Atan", x)


@function
def arctan2(x1: Tensor, x2: Tensor) -> Tensor:
    """The angle of the point ``(x2, x1)`` in radians, in ``(-pi, pi]``. Minus zero counts as zero."""
    y, x = promote(x1, x2, to_float=True)
    zero, pi = scalar(0, y), scalar(math.pi, y)
    # Divide by the larger of the two: exact everywhere, and with the right gradient on the axes.
    steep = apply("Greater", apply("Abs", y), apply("Abs", x))
    divisor = apply("Where", steep, y, x)
    divisor = apply("Where", apply("Equal", divisor, zero), scalar(1, y), divisor)
    angle = apply("Atan", apply("Div", apply("Where", steep, x, y), divisor))
    half_turn = apply("Where", apply("Less", y, zero), apply("Neg", pi), pi)
    from_y_axis = apply("Sub", apply("Mul", half_turn, scalar(0.5, y)), angle)
    from_x_axis = apply("Add", apply("Where", apply("Less", x, zero), half_turn, zero), angle)
    return apply("Where", steep, from_y_axis, from_x_axis)


@function
def sinh(x: Tensor) -> Tensor:
    """The hyperbolic sine."""
    return float_unary("Sinh", x)


@function
def cosh(x: Tensor) -> Tensor:
    """The hyperbolic cosine."""
    return float_unary("Cosh", x)


@function
def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return float_unary("Tanh", x)


@function
def arcsinh(x: Tensor) -> Tensor:
    """The inverse hyperbolic sine."""
    return float_unary("Asinh", x)


@function
def arccosh(x: Tensor) -> Tensor:
    """The inverse hyperbolic cosine."""
    return float_unary("Acosh", x)


@function
def arctanh(x: Tensor) -> Tensor:
    """The inverse hyperbolic tangent."""
    return float_unary("Atanh", x)


@function
def sinc(x: Tensor) -> Tensor:
    """``sin(pi x) / (pi x)``, and 1 at zero."""
    angle = apply("Mul", x := floating(x), scalar(math.pi, x))
    zero = apply("Equal", x, scalar(0, x))
    safe = apply("Where", zero, scalar(1, x), angle)
    return apply("Where", zero, scalar(1, x), apply("Div", apply("Sin", safe), safe))


@function
def deg2rad(x: Tensor) -> Tensor:
    """Degrees to radians."""
    x = floating(x)
    return apply("Mul", x, scalar(math.pi / 180, x))


@function
def rad2deg(x: Tensor) -> Tensor:
    """Radians to degrees."""
    x = floating(x)
    return apply("Mul", x, scalar(180 / math.pi, x))


# -- rounding and limits ----------------------------------------------------------------------------------------------


@function
def floor(x: Tensor) -> Tensor:
    """The largest integer not above ``x``, as a float."""
    return float_unary("Floor", x)


@function
def ceil(x: Tensor) -> Tensor:
    """The smallest integer not below ``x``, as a float."""
    return float_unary("Ceil", x)


@function
def trunc(x: Tensor) -> Tensor:
    """``x`` without its fraction; integers stay as they are."""
    if not is_float(x):
        return x
    return apply("Mul", apply("Sign", x), apply("Floor", apply("Abs", x)))


@function
def round(x: Tensor, decimals: int = 0) -> Tensor:
    """``x`` rounded to ``decimals`` places; halves go to the even neighbour. Integers keep their dtype."""
    if not is_float(x):
        if decimals >= 0:
            return x
        return cast_to(round(cast_to(x, "float32"), decimals), concrete_dtype(x))
    x = floating(x)
    if decimals == 0:
        return apply("Round", x)
    factor = scalar(10.0**decimals, x)
    return apply("Div", apply("Round", apply("Mul", x, factor)), factor)


@function
def clip(x: Tensor, x_min: Tensor, x_max: Tensor) -> Tensor:
    """``x`` held between two limits that broadcast with it; None leaves a side open, ``x_max`` wins over ``x_min``."""
    given = [bound for bound in (x_min, x_max) if bound is not None]
    promoted = [bool_as_int(operand) for operand in promote(bool_as_int(x), *given)]
    x, bounds = promoted[0], promoted[1:]
    low = None if x_min is None else bounds[0]
    high = None if x_max is None else bounds[-1]
    if all(rank_of(bound) == 0 for bound in bounds):
        return apply("Clip", x, low, high) if bounds else x
    if low is not None:
        x = apply("Max", x, low)
    return x if high is None else apply("Min", x, high)


@function
def heaviside(x1: Tensor, x2: Tensor) -> Tensor:
    """0 where ``x1`` is negative, 1 where it is positive, and ``x2`` where it is zero."""
    x1, x2 = promote(x1, x2, to_float=True)
    # Half of sign + 1 keeps NaN.
    step = apply("Mul", apply("Add", apply("Sign", x1), scalar(1, x1)), scalar(0.5, x1))
    return apply("Where", apply("Equal", x1, scalar(0, x1)), x2, step)


@function
def nan_to_num(x: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """``x`` with NaN and infinities replaced; infinities by the largest finite numbers unless given."""
    if not is_float(x):
        return x
    x = floating(x)
    limits: Any = np.finfo(dtypes.numpy_dtype(concrete_dtype(x)))
    for value, replacement in ((np.inf, posinf), (-np.inf, neginf)):
        limit = limits.max if value > 0 else limits.min
        new = scalar(float(limit) if replacement is None else replacement, x)
        x = apply("Where", apply("Equal", x, scalar(value, x)), new, x)
    return apply("Where", apply("IsNaN", x), scalar(nan, x), x)
