"""ONNX rows of `graphc.ops.random`: the same integer operations, with positions from ``Range``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphc.ops.random import FRACTION_BITS, MIX, MULTIPLIERS, SHIFTS, index_words
from graphc.runtimes.onnx_formula import Expr, apply, cast, emit_formula, tensor
from graphc.runtimes.onnx_lowering import Lowering, Row


def _mix_words(x: Expr) -> Expr:
    for shift, multiplier in zip(SHIFTS, MULTIPLIERS, strict=False):
        x = (x ^ (x >> shift)) * multiplier
    return x ^ (x >> SHIFTS[-1])


def _words(lowering: Lowering, dims: str) -> Expr:
    """The random words in one row."""

    def pair(values: tuple[int, int]) -> Expr:
        return tensor(lowering.constant(np.array(values, np.uint32), "words"))

    def pick(indices: int | list[int]) -> Expr:
        return tensor(lowering.constant(np.array(indices, np.int64), "indices"))

    def integer(value: int) -> Expr:
        return tensor(lowering.scalar(value, "int64"))

    key = _mix_words(tensor(lowering.inputs[0]) + pair(index_words(lowering.node.attributes["index"])))
    key = _mix_words(key + apply("Gather", key, pick([1, 0])) * pair(MIX))
    a, b = apply("Gather", key, pick(0)), apply("Gather", key, pick(1))
    size = apply("ReduceProd", tensor(dims), keepdims=0)
    positions = cast(apply("Range", integer(0), size, integer(1)), "uint32")
    return _mix_words(_mix_words(positions + a) ^ b)


def _row(deliver: Callable[[Lowering, Expr], Expr]) -> Row:
    def row(lowering: Lowering) -> None:
        dims = lowering.dims(lowering.node.attributes["shape"])
        result = deliver(lowering, _words(lowering, dims))
        emit_formula(lowering, apply("Reshape", result, tensor(dims), allowzero=1), "uint32")

    return row


def _fraction(lowering: Lowering, words: Expr) -> Expr:
    dtype = lowering.node.attributes["dtype"]
    kept = FRACTION_BITS[dtype]
    high = words >> (32 - kept) if kept < 32 else words
    return cast(high, dtype) * tensor(lowering.scalar(2.0**-kept, dtype))


ROWS: dict[str, Row] = {"RandomBits": _row(lambda _, words: words), "RandomUniform": _row(_fraction)}
