"""Cases of `graphc.ops.random`. How random the bits are is tested in `tests/ops/test_random.py`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from op_cases.case import Array, Case

MASK = 2**32 - 1


def mix(x: int) -> int:
    """One word through the mixer, in Python's integers."""
    x ^= x >> 16
    x = x * 0x7FEB352D & MASK
    x ^= x >> 15
    x = x * 0x846CA68B & MASK
    return x ^ (x >> 16)


def bits(key: Array, shape: tuple[int, ...], index: int) -> Array:
    """Word by word."""
    seed, step = key.tolist()
    a = mix((seed + mix((2 * index + 1) & MASK)) & MASK)
    b = mix((step + mix((2 * index + 2) & MASK)) & MASK)
    a, b = mix((a + 0x9E3779B1 * b) & MASK), mix((b + 0xC2B2AE3E * a) & MASK)
    words = [mix(mix((i + a) & MASK) ^ b) for i in range(math.prod(shape))]
    return np.reshape(np.array(words, np.uint32), shape)


def uniform(key: Array, shape: tuple[int, ...], index: int, dtype: str = "float32") -> Array:
    kept = {"float16": 11, "float32": 24, "float64": 32}[dtype]
    return (bits(key, shape, index) >> np.uint32(32 - kept)).astype(np.float64) / 2.0**kept


def case(op: str, seed: int, step: int, name: str, **attributes: Any) -> Case:
    oracle = bits if op == "RandomBits" else uniform
    return Case(op, [np.array([seed, step], np.uint32)], oracle, attributes, rtol=0.0, atol=0.0, id=name)


CASES: list[Case] = [
    case("RandomBits", 0, 0, "zeros", shape=(3, 4), index=0),
    case("RandomBits", 2**32 - 1, 2**32 - 1, "ones", shape=(2, 3, 4), index=7),
    case("RandomBits", 1234, 99, "scalar", shape=(), index=1),
    case("RandomBits", 1234, 99, "empty", shape=(0, 3), index=1),
    case("RandomBits", 7, 3, "two_blocks", shape=(130, 129), index=2),
    case("RandomBits", 7, 3, "negative_index", shape=(5,), index=-2),
    case("RandomUniform", 42, 0, "float32", shape=(3, 4), index=0),
    case("RandomUniform", 42, 1, "float64", shape=(3, 4), index=0, dtype="float64"),
    case("RandomUniform", 42, 1, "float16", shape=(3, 4), index=0, dtype="float16"),
    case("RandomUniform", 42, 1, "scalar", shape=(), index=5),
    case("RandomUniform", 42, 1, "empty", shape=(2, 0), index=5),
    case("RandomUniform", 9, 1, "two_blocks", shape=(130, 129), index=5),
]
