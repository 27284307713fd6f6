"""Counter-based random bits: a pure function of (seed, step, op index, element position).

Nothing is drawn from a stream, so there is no generator whose state could differ: resuming is exact, and a dropout mask
is the same in every runtime that multiplies, adds, shifts and xors 32-bit unsigned integers.

With ``P`` a bijection of 32-bit words whose output bits each depend on all input bits:

* *Key*. The state ``key = (seed, step)`` and the op's index give two words ``(a, b)``: add a pair of constants made
  from the index, apply ``P`` to both words, mix each into the other, apply ``P`` again. For one index this is a
  bijection of 64 bits, so two different (seed, step) never share a stream.
* *Bits*. Element ``i`` gets ``P(P(i + a) ^ b)``.

``P`` is ``lowbias32``, two multiplications and three xor-shifts, found by exhaustive search for low avalanche bias
(C. Wellons, "Prospecting for Hash Functions", 2018; its family is MurmurHash3's finaliser, A. Appleby 2011). One ``P``
with a key before it would give streams that are permutations of each other; the key word between two of them is the
construction of S. Even and Y. Mansour, "A construction of a cipher from a single pseudorandom permutation" (1997).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.dtypes import FLOAT_DTYPES
from graphc.ir.types import TensorType
from graphc.ops.opdef import (
    Attribute,
    Attributes,
    Domain,
    NotDifferentiable,
    OpDef,
    Trait,
    Types,
    elementwise_cost,
    need_dtype,
    operand,
)

Array = np.ndarray[Any, Any]

SHIFTS = (16, 15, 16)
MULTIPLIERS = (0x7FEB352D, 0x846CA68B)
"""``P``: xor-shift by 16, multiply, xor-shift by 15, multiply, xor-shift by 16."""
MIX = (0x9E3779B1, 0xC2B2AE3E)
"""What the other word is multiplied by when the two words of a key are mixed; odd times even keeps it a bijection."""
FRACTION_BITS = {"float16": 11, "float32": 24, "float64": 32}
"""The high bits that make a uniform number: as many as a float dtype holds exactly below one."""

_MASK = 0xFFFFFFFF


def mix_word(x: int) -> int:
    """``P`` of one word."""
    x ^= x >> SHIFTS[0]
    x = x * MULTIPLIERS[0] & _MASK
    x ^= x >> SHIFTS[1]
    x = x * MULTIPLIERS[1] & _MASK
    return x ^ x >> SHIFTS[2]


def mix_words(x: Array, scratch: Array) -> None:
    """``P`` of every word of a uint32 array, in place; ``scratch`` has the same shape and dtype."""
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, None), strict=True):
        np.right_shift(x, shift, out=scratch)
        np.bitwise_xor(x, scratch, out=x)
        if multiplier is not None:
            np.multiply(x, multiplier, out=x)


def scramble(words: Array, b: int, scratch: Array) -> None:
    """Turn a uint32 array of ``position + a`` into bits, in place; ``scratch`` has the same shape and dtype."""
    mix_words(words, scratch)
    np.bitwise_xor(words, b, out=words)
    mix_words(words, scratch)


@cache
def index_words(index: int) -> tuple[int, int]:
    """The two constants that tell the streams of different op indices apart."""
    return mix_word((2 * index + 1) & _MASK), mix_word((2 * index + 2) & _MASK)


def stream_words(seed: int, step: int, index: int) -> tuple[int, int]:
    """The two words ``(a, b)`` of the stream of one op at one step."""
    first, second = index_words(index)
    a, b = mix_word((seed + first) & _MASK), mix_word((step + second) & _MASK)
    a, b = (a + MIX[0] * b) & _MASK, (b + MIX[1] * a) & _MASK
    return mix_word(a), mix_word(b)


def random_bits(seed: int, step: int, index: int, shape: Sequence[int]) -> Array:
    """What ``RandomBits`` gives, eagerly: a uint32 array.

    Args:
        seed: the first word of the key, below 2**32.
        step: the second word of the key, below 2**32.
        index: which op asks.
        shape: lengths.
    """
    a, b = stream_words(seed, step, index)
    words = np.arange(math.prod(shape), dtype=np.uint32)
    np.add(words, a, out=words)
    scramble(words, b, np.empty_like(words))
    return words.reshape(shape)


def random_uniform(seed: int, step: int, index: int, shape: Sequence[int], dtype: str = "float32") -> Array:
    """What ``RandomUniform`` gives, eagerly: numbers in ``[0, 1)`` that are multiples of ``2**-FRACTION_BITS``."""
    kept = FRACTION_BITS[dtype]
    bits = random_bits(seed, step, index, shape) >> np.uint32(32 - kept)
    numbers: Array = bits.astype(dtype)
    numbers *= 2.0**-kept
    return numbers


# -- ops --------------------------------------------------------------------------------------------------------------


def _check_key(op: str, types: Types) -> None:
    key = operand(types, 0)
    need_dtype(op, key, ("uint32",), "key")
    if key.shape != (2,):
        raise ShapeError(f"{op}: the key must be uint32[2], the seed and the step; got {key}.")


def _bits_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    _check_key("RandomBits", types)
    return (TensorType.of("uint32", attributes["shape"]),)


def _uniform_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    _check_key("RandomUniform", types)
    result = TensorType.of(attributes["dtype"], attributes["shape"])
    need_dtype("RandomUniform", result, FLOAT_DTYPES, "result")
    return (result,)


_PIECEWISE = NotDifferentiable("random numbers do not depend on anything that is differentiated")
_COMMON = {
    "shape": Attribute("dims", doc="The result's shape."),
    "index": Attribute("int", doc="Tells apart the ops that share a key."),
}

OPS = (
    OpDef(
        name="RandomBits",
        inputs=("key",),
        infer=_bits_type,
        vjp=_PIECEWISE,
        doc="Random 32-bit words, decided by the key (seed, step), the index and each element's position.",
        attributes=_COMMON,
        traits=frozenset({Trait.RANDOM}),
        cost=elementwise_cost(18),
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="RandomUniform",
        inputs=("key",),
        infer=_uniform_type,
        vjp=_PIECEWISE,
        doc="Uniform numbers in [0, 1): the high bits of RandomBits as a fraction.",
        attributes={**_COMMON, "dtype": Attribute("dtype", "float32", "The result's float dtype.")},
        traits=frozenset({Trait.RANDOM}),
        cost=elementwise_cost(20),
        domain=Domain.GRAPHC,
    ),
)
