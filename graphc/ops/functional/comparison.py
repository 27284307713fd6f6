"""Comparison, logic, choice and bits. Comparisons give booleans; logic takes any number as true unless it is zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir import dtypes
from graphc.ops.functional.arguments import Tensor, bool_as_int, concrete_dtype, is_float, scalar
from graphc.ops.functional.dispatch import apply, as_array, cast_to, dtype_of, function, promote
from graphc.ops.functional.reduction import all as every
from graphc.ops.functional.reduction import any as some
from graphc.ops.functional.tracing import TracedTensor

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "isclose",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "left_shift",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "nonzero",
    "not_equal",
    "right_shift",
    "select",
    "where",
]

# -- comparison -------------------------------------------------------------------------------------------------------


def _ordered(op: str, x1: Tensor, x2: Tensor) -> Tensor:
    x1, x2 = promote(x1, x2)
    return apply(op, bool_as_int(x1), bool_as_int(x2))


@function
def equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Where ``x1 == x2``."""
    return apply("Equal", *promote(x1, x2))


@function
def not_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Where ``x1 != x2``."""
    return apply("Not", apply("Equal", *promote(x1, x2)))


@function
def less(x1: Tensor, x2: Tensor) -> Tensor:
    """Where ``x1 < x2``."""
    return _ordered("Less", x1, x2)


@function
def less_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Where ``x1 <= x2``."""
    return _ordered("LessOrEqual", x1, x2)


@function
def greater(x1: Tensor, x2: Tensor) -> Tensor:
    """Where ``x1 > x2``."""
    return _ordered("Greater", x1, x2)


@function
def greater_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Where ``x1 >= x2``."""
    return _ordered("GreaterOrEqual", x1, x2)


@function
def isclose(x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where ``|x1 - x2| <= atol + rtol * |x2|``; equal infinities are close."""
    x1, x2 = promote(x1, x2, to_float=True)
    distance = apply("Abs", apply("Sub", x1, x2))
    size = apply("Abs", x2)
    bound = apply("Add", scalar(atol, x2), apply("Mul", scalar(rtol, x2), size))
    near = apply("And", apply("LessOrEqual", distance, bound), apply("Less", size, scalar(np.inf, x2)))
    close = apply("Or", near, apply("Equal", x1, x2))
    return apply("Or", close, apply("And", apply("IsNaN", x1), apply("IsNaN", x2))) if equal_nan else close


@function
def allclose(x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all elements are close (`isclose`), as one boolean."""
    return every(isclose(x1, x2, rtol, atol, equal_nan))


@function
def isin(x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Where an element of ``x1`` is among the elements of ``x2``. Compares all pairs: ``x2`` should be short.

    ``assume_unique`` is accepted for Keras's sake; it changes nothing.
    """
    x1, x2 = promote(x1, x2)
    pairs = apply("Equal", apply("Unsqueeze", x1, axes=(-1,)), apply("Reshape", x2, shape=(-1,)))
    found = some(pairs, axis=-1)
    return apply("Not", found) if invert else found


# -- kinds of numbers -------------------------------------------------------------------------------------------------


def _never(x: Tensor) -> Tensor:
    """False in the shape of ``x``."""
    return apply("Not", apply("Equal", x, x))


@function
def isnan(x: Tensor) -> Tensor:
    """Where ``x`` is not a number."""
    return apply("IsNaN", x) if is_float(x) else _never(x)


@function
def isinf(x: Tensor) -> Tensor:
    """Where ``x`` is plus or minus infinity."""
    return apply("IsInf", x) if is_float(x) else _never(x)


@function
def isfinite(x: Tensor) -> Tensor:
    """Where ``x`` is neither infinite nor NaN."""
    return apply("Less", apply("Abs", x), scalar(np.inf, x)) if is_float(x) else apply("Equal", x, x)


@function
def isposinf(x: Tensor) -> Tensor:
    """Where ``x`` is plus infinity."""
    return apply("Equal", x, scalar(np.inf, x)) if is_float(x) else _never(x)


@function
def isneginf(x: Tensor) -> Tensor:
    """Where ``x`` is minus infinity."""
    return apply("Equal", x, scalar(-np.inf, x)) if is_float(x) else _never(x)


# -- logic ------------------------------------------------------------------------------------------------------------


def _logical(op: str, *operands: Tensor) -> Tensor:
    return apply(op, *(cast_to(x, "bool") for x in operands))


@function
def logical_and(x1: Tensor, x2: Tensor) -> Tensor:
    """Where both are true (not zero)."""
    return _logical("And", x1, x2)


@function
def logical_or(x1: Tensor, x2: Tensor) -> Tensor:
    """Where at least one is true (not zero)."""
    return _logical("Or", x1, x2)


@function
def logical_xor(x1: Tensor, x2: Tensor) -> Tensor:
    """Where exactly one is true (not zero)."""
    return _logical("Xor", x1, x2)


@function
def logical_not(x: Tensor) -> Tensor:
    """Where ``x`` is false (zero)."""
    return _logical("Not", x)


# -- choice -----------------------------------------------------------------------------------------------------------


@function
def where(condition: Tensor, x1: Tensor | None = None, x2: Tensor | None = None) -> Tensor:
    """``x1`` where the condition holds, else ``x2``; the three broadcast. With the condition alone: `nonzero`.

    Raises:
        ArgumentError: only one of ``x1`` and ``x2`` is given.
    """
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ArgumentError("where: give both x1 and x2, or neither.")
    return apply("Where", cast_to(condition, "bool"), *promote(x1, x2))


@function
def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default: Tensor = 0) -> Tensor:
    """For each element the choice of the first condition that holds, else ``default``.

    Raises:
        ArgumentError: the lists are empty or differ in length.
    """
    if not condlist or len(condlist) != len(choicelist):
        raise ArgumentError(
            f"select: condlist and choicelist must have one length, not 0; got {len(condlist)} and {len(choicelist)}."
        )
    *choices, result = promote(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        result = apply("Where", cast_to(condition, "bool"), choice, result)
    return result


@function
def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    """The indices of the elements that are not zero: one int32 array for each axis. Arrays only.

    Raises:
        ArgumentError: ``x`` is traced: the result's length would depend on the data.
    """
    if isinstance(x, TracedTensor):
        raise ArgumentError(
            "nonzero: how many elements are not zero depends on the data, and shapes in a model must not. "
            "Use graphc.ops.where(condition, x1, x2), or multiply by the mask."
        )
    return tuple(index.astype(np.int32) for index in np.nonzero(np.atleast_1d(as_array(x))))


# -- bits -------------------------------------------------------------------------------------------------------------


def _bitwise(op: str, logical: str, x: Tensor, y: Tensor) -> Tensor:
    x, y = promote(x, y)
    return apply(logical if dtype_of(x) == "bool" else op, x, y)


@function
def bitwise_and(x: Tensor, y: Tensor) -> Tensor:
    """The bits that both integers have."""
    return _bitwise("BitwiseAnd", "And", x, y)


@function
def bitwise_or(x: Tensor, y: Tensor) -> Tensor:
    """The bits that either integer has."""
    return _bitwise("BitwiseOr", "Or", x, y)


@function
def bitwise_xor(x: Tensor, y: Tensor) -> Tensor:
    """The bits that exactly one of the integers has."""
    return _bitwise("BitwiseXor", "Xor", x, y)


@function
def bitwise_not(x: Tensor) -> Tensor:
    """All bits turned over."""
    return apply("Not" if dtype_of(x) == "bool" else "BitwiseNot", x)


bitwise_invert = bitwise_not


def _shift(x: Tensor, y: Tensor, direction: str) -> Tensor:
    # BitShift knows unsigned integers only; the bits of a signed integer are those of the unsigned one it wraps to.
    dtype = concrete_dtype(x)
    unsigned = dtype if dtypes.is_unsigned(dtype) else f"u{dtype}"
    shifted = apply("BitShift", cast_to(x, unsigned), cast_to(y, unsigned), direction=direction)
    return cast_to(shifted, dtype)


@function
def bitwise_left_shift(x: Tensor, y: Tensor) -> Tensor:
    """The bits of ``x`` moved up by ``y`` places; zeros come in."""
    x, y = (bool_as_int(operand) for operand in promote(x, y))
    return _shift(x, y, "LEFT")


left_shift = bitwise_left_shift


@function
def bitwise_right_shift(x: Tensor, y: Tensor) -> Tensor:
    """The bits of ``x`` moved down by ``y`` places; copies of the sign bit come in."""
    x, y = (bool_as_int(operand) for operand in promote(x, y))
    if dtypes.is_unsigned(concrete_dtype(x)):
        return _shift(x, y, "RIGHT")
    # Of a negative number the complement is shifted, so that zeros come in as ones.
    negative = apply("Less", x, scalar(0, x))
    shifted = _shift(apply("Where", negative, apply("BitwiseNot", x), x), y, "RIGHT")
    return apply("Where", negative, apply("BitwiseNot", shifted), shifted)


right_shift = bitwise_right_shift
