"""Operands for cases: random numbers that are the same in every run, in shapes whose dims differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import numpy as np
from op_cases.case import Array

ALL_FLOATS = ("float16", "float32", "float64")
UNARY_SHAPES = ((3, 4), (2, 1, 5), (), (0, 3), (2, 3, 4))
BINARY_SHAPES = (
    ((3, 4), (3, 4)),
    ((2, 3, 4), (4,)),
    ((5, 1), (1, 4)),
    ((), (2, 3)),
    ((0, 3), (1, 3)),
    ((3, 1), (2, 1, 5)),
)
SPECIAL = np.array([-np.inf, -1.0, -1e-40, -0.0, 0.0, 1e-40, 1.0, np.inf, np.nan])

_serial = count()


def numbers(shape: Sequence[int], low: float = -2.0, high: float = 2.0, away_from: Sequence[float] = ()) -> Array:
    """Float64 numbers between ``low`` and ``high``, at least 0.01 away from each kink."""
    random = np.random.default_rng(next(_serial))
    x = np.asarray(random.uniform(low, high, tuple(shape)))
    for kink in away_from:
        x = np.where(np.abs(x - kink) < 0.01, kink + 0.02, x)
    return x


def between_integers(shape: Sequence[int], low: int = -3, high: int = 3) -> Array:
    """Float64 numbers whose fraction is between 0.1 and 0.4 or 0.6 and 0.9: away from integers and halves."""
    random = np.random.default_rng(next(_serial))
    fraction = random.uniform(0.1, 0.4, tuple(shape)) + 0.5 * random.integers(0, 2, tuple(shape))
    return np.asarray(random.integers(low, high, tuple(shape)) + fraction)


def integers(shape: Sequence[int], low: int, high: int, dtype: str) -> Array:
    """Integers from ``low`` to ``high``, both among them where there is room."""
    random = np.random.default_rng(next(_serial))
    x = random.integers(low, high, tuple(shape), dtype=dtype, endpoint=True)
    if x.size > 1:
        x.flat[0], x.flat[-1] = low, high
    return x


def booleans(shape: Sequence[int]) -> Array:
    """True and False."""
    return np.random.default_rng(next(_serial)).random(tuple(shape)) < 0.5


def name_of(*shapes: Sequence[int]) -> str:
    """Shapes as a case's id: ``3x4_4``."""
    return "_".join("x".join(map(str, shape)) or "scalar" for shape in shapes)
