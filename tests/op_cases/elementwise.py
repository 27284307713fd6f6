"""Cases of `graphc.ops.elementwise`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import (
    ALL_FLOATS,
    BINARY_SHAPES,
    SPECIAL,
    UNARY_SHAPES,
    between_integers,
    integers,
    name_of,
    numbers,
)


def unary(
    op: str,
    oracle: Callable[..., Any],
    low: float = -2.0,
    high: float = 2.0,
    *,
    away_from: Sequence[float] = (),
    values: Callable[[Sequence[int]], Array] | None = None,
    special: bool = True,
    **attributes: Any,
) -> list[Case]:
    """An op of one operand in five shapes, and on special values."""
    make = values or (lambda shape: numbers(shape, low, high, away_from))
    common: dict[str, Any] = {"oracle": oracle, "attributes": attributes}
    tag = "_".join(f"{k}={v}" for k, v in attributes.items())
    cases = [
        Case(op, [make(shape)], dtypes=ALL_FLOATS if i == 0 else ("float32", "float64"),
             id=f"{tag}-{name_of(shape)}".strip("-"), **common)
        for i, shape in enumerate(UNARY_SHAPES)
    ]  # fmt: skip
    if special:
        cases.append(Case(op, [SPECIAL], differentiate=(), id=f"{tag}-special".strip("-"), **common))
    return cases


def binary(
    op: str,
    oracle: Callable[..., Any],
    left: Callable[[Sequence[int]], Array],
    right: Callable[[Sequence[int]], Array],
    special: tuple[Array, Array] | None = None,
    **attributes: Any,
) -> list[Case]:
    """An op of two operands in six pairs of shapes, and on special values."""
    tag = "_".join(f"{k}={v}" for k, v in attributes.items())
    cases = [
        Case(op, [left(a), right(b)], oracle, attributes, ALL_FLOATS if i == 0 else ("float32", "float64"),
             id=f"{tag}-{name_of(a, b)}".strip("-"))
        for i, (a, b) in enumerate(BINARY_SHAPES)
    ]  # fmt: skip
    if special is not None:
        cases.append(Case(op, special, oracle, attributes, differentiate=(), id=f"{tag}-special".strip("-")))
    return cases


def whole(op: str, oracle: Callable[..., Any], *inputs: Array, **attributes: Any) -> Case:
    """A case on integers."""
    return Case(op, inputs, oracle, attributes, id="_".join([*attributes, inputs[0].dtype.name]))


def erf(x: Array) -> Array:
    """The error function of the standard library, element by element."""
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(x))


def truncated(x: Array, y: Array) -> Array:
    """Integer division towards zero, in Python's integers."""
    pairs = zip(*(a.ravel().tolist() for a in np.broadcast_arrays(x, y)), strict=True)
    quotients = [abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) for a, b in pairs]
    return np.reshape(quotients, np.broadcast_shapes(x.shape, y.shape))


def remainder(x: Array, y: Array, fmod: int = 0) -> Array:
    """``math.fmod``, or Python's ``%``, element by element."""
    function = math.fmod if fmod else (lambda a, b: a % b)
    return np.asarray(np.vectorize(function, otypes=[np.float64])(x, y))


def ordinary(shape: Sequence[int]) -> Array:
    return numbers(shape, -3.0, 3.0)


def nonzero(shape: Sequence[int]) -> Array:
    return numbers(shape, 0.5, 3.0) * np.where(numbers(shape) < 0, -1.0, 1.0)


def positive(shape: Sequence[int]) -> Array:
    return numbers(shape, 0.3, 3.0)


def apart(shape: Sequence[int]) -> Array:
    """Numbers that are never near those of `between_integers`: whole."""
    return np.round(numbers(shape, -3.0, 3.0))


PAIRS = tuple(a.ravel() for a in np.meshgrid(SPECIAL, SPECIAL))
SMALL = integers((3, 4), -5, 5, "int32")

CASES: list[Case] = [
    *unary("Neg", np.negative),
    whole("Neg", np.negative, integers((3, 4), -9, 9, "int64")),
    whole("Neg", np.negative, integers((3, 4), 0, 9, "uint8")),
    *unary("Abs", np.abs, away_from=(0.0,)),
    whole("Abs", np.abs, integers((3, 4), -9, 9, "int16")),
    *unary("Sign", np.sign, away_from=(0.0,)),
    whole("Sign", np.sign, integers((3, 4), -9, 9, "int32")),
    *unary("Floor", np.floor, values=between_integers),
    *unary("Ceil", np.ceil, values=between_integers),
    *unary("Round", np.round, values=between_integers),
    Case("Round", [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 4.5])], np.round, differentiate=(), id="halves"),
    *unary("Sqrt", np.sqrt, 0.2, 4.0),
    *unary("Reciprocal", np.reciprocal, 0.3, 3.0),
    *unary("Exp", np.exp),
    *unary("Log", np.log, 0.2, 4.0),
    *unary("Expm1", np.expm1),
    Case("Expm1", [np.logspace(-30, 1, 20) * np.tile([1, -1], 10)], np.expm1, atol=0.0, id="near_zero"),
    *unary("Log1p", np.log1p, -0.8, 4.0),
    Case("Log1p", [np.logspace(-30, 30, 21)], np.log1p, atol=0.0, differentiate=(), id="near_zero"),
    *unary("Sin", np.sin),
    *unary("Cos", np.cos),
    *unary("Tan", np.tan, -1.2, 1.2),
    *unary("Asin", np.arcsin, -0.9, 0.9),
    *unary("Acos", np.arccos, -0.9, 0.9),
    *unary("Atan", np.arctan),
    *unary("Sinh", np.sinh),
    *unary("Cosh", np.cosh),
    *unary("Tanh", np.tanh),
    *unary("Asinh", np.arcsinh),
    Case("Asinh", [np.logspace(-30, 15, 16) * np.tile([1, -1], 8)], np.arcsinh, atol=0.0, differentiate=(), id="wide"),
    *unary("Acosh", np.arccosh, 1.2, 4.0),
    *unary("Atanh", np.arctanh, -0.9, 0.9),
    *unary("Erf", erf, -3.0, 3.0),
    Case("Erf", [np.linspace(-7.0, 7.0, 20_001)], erf, rtol=3e-7, atol=1e-7, differentiate=(),
         id="many"),
    Case("Erf", [np.logspace(-30, 0, 301)], erf, rtol=3e-7, atol=0.0, differentiate=(),
         id="near_zero"),
    *binary("Add", np.add, ordinary, ordinary, PAIRS),
    whole("Add", np.add, integers((3, 1), 0, 255, "uint8"), integers((1, 4), 0, 255, "uint8")),
    *binary("Sub", np.subtract, ordinary, ordinary, PAIRS),
    whole("Sub", np.subtract, integers((3, 1), 0, 2**32 - 1, "uint32"), integers((1, 4), 0, 2**32 - 1, "uint32")),
    *binary("Mul", np.multiply, ordinary, ordinary, PAIRS),
    whole("Mul", np.multiply, integers((3, 4), 0, 2**32 - 1, "uint32"), integers((4,), 0, 2**32 - 1, "uint32")),
    *binary("Div", np.divide, ordinary, nonzero, PAIRS),
    whole("Div", truncated, integers((3, 4), -9, 9, "int32"), np.array([-3, 2, 5, -1], np.int32)),
    whole("Div", truncated, np.array([2**62 + 1, -(2**62) - 1, 7, -7]), np.array([3, 3, -2, -2])),
    whole("Div", truncated, integers((3, 4), 0, 255, "uint8"), integers((3, 1), 1, 9, "uint8")),
    *binary("Pow", np.power, positive, ordinary),
    Case("Pow", [ordinary((3, 4)), np.array(2.0)], np.power, differentiate=(0,), id="square"),
    Case("Pow", [ordinary((3, 4)), np.array(3.0)], np.power, differentiate=(0,), id="cube"),
    Case("Pow", [np.array([-2.0, -0.5, 0.0, 1.5]), np.array([0.0])], np.power, differentiate=(0,), id="zeroth_power"),
    Case("Pow", [np.array([0.0, 0.0, 2.0, np.inf, np.nan]), np.array([0.0, 2.0, -1.0, 0.5, 0.0])], np.power,
         differentiate=(), id="special"),
    whole("Pow", np.power, SMALL, np.array(3, np.int32)),
    whole("Pow", np.power, SMALL.astype(np.int8), np.array(2, np.int8)),
    *binary("Max", np.maximum, between_integers, apart, PAIRS),
    whole("Max", np.maximum, integers((3, 4), -9, 9, "int16"), integers((4,), -9, 9, "int16")),
    whole("Max", np.maximum, integers((3, 4), -9, 9, "int64"), integers((3, 1), -9, 9, "int64")),
    *binary("Min", np.minimum, between_integers, apart, PAIRS),
    whole("Min", np.minimum, integers((3, 4), 0, 9, "uint16"), integers((4,), 0, 9, "uint16")),
    *binary("Mod", remainder, ordinary, nonzero, fmod=0),
    *binary("Mod", remainder, ordinary, nonzero, fmod=1),
    whole("Mod", remainder, integers((3, 4), -9, 9, "int32"), np.array([-4, 3, -2, 5], np.int32)),
    whole("Mod", remainder, integers((3, 4), -9, 9, "int32"), np.array([4, -3, 2, 5], np.int32), fmod=1),
]  # fmt: skip
