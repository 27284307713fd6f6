"""Cases of `graphc.ops.bitwise`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import integers

DTYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")


def any_integers(shape: tuple[int, ...], dtype: str) -> Array:
    limits = np.iinfo(dtype)
    return integers(shape, limits.min, limits.max, dtype)


def combine(op: str, oracle: Callable[..., Any]) -> list[Case]:
    return [Case(op, [any_integers((3, 1), d), any_integers((1, 4), d)], oracle, id=d) for d in DTYPES]


def shift(x: Array, y: Array, direction: str) -> Array:
    """In Python's integers, cut to the dtype's bits."""
    bits = 8 * x.dtype.itemsize
    function = (lambda a, b: (int(a) << int(b)) % 2**bits) if direction == "LEFT" else (lambda a, b: int(a) >> int(b))
    return np.asarray(np.vectorize(function, otypes=[x.dtype])(x, y))


CASES: list[Case] = [
    *combine("BitwiseAnd", np.bitwise_and),
    *combine("BitwiseOr", np.bitwise_or),
    *combine("BitwiseXor", np.bitwise_xor),
    *(Case("BitwiseNot", [any_integers((3, 4), d)], np.invert, id=d) for d in DTYPES),
    *(
        Case("BitShift", [any_integers((3, 4), d), integers((4,), 0, 8 * np.dtype(d).itemsize - 1, d)], shift,
             {"direction": direction}, id=f"{d}-{direction}")
        for d in DTYPES[:4] for direction in ("LEFT", "RIGHT")
    ),
]  # fmt: skip
