"""NumPy kernels of `graphc.ops.linalg`: one BLAS call where the strides allow it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from graphc.runtimes.kernel import Array, Call, Kernel, Step


def product(x: Array, y: Array, out: Array) -> Step:
    """A step that writes ``x @ y`` into the contiguous ``out``; transposed views go to BLAS as they are.

    ``np.dot`` costs less per call than ``np.matmul`` and copies operands whose strides BLAS cannot take, so products of
    two matrices use it. A stack of matrices times one matrix is one product of all their rows.
    """
    if not np.issubdtype(out.dtype, np.floating):
        return partial(np.matmul, x, y, out)
    if x.ndim > 2 and y.ndim == 2:
        try:
            x = np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]), copy=False)
        except ValueError:  # the rows lie at uneven distances
            return partial(np.matmul, x, y, out)
        out = out.reshape(len(x), y.shape[1])
    if x.ndim == 2 and y.ndim == 2:
        return partial(np.dot, x, y, out)
    return partial(np.matmul, x, y, out)


def _in_float32(call: Call, bind: Callable[[Call], Step]) -> Step:
    """Bind on float32 copies of float16 operands: BLAS has no float16, and sums in it lose digits."""
    copies: list[tuple[Array, Array]] = []

    def widened(array: Array | None) -> Array | None:
        if array is None:
            return None
        wide = call.scratch(array.shape, np.float32)
        copies.append((wide, array))
        return wide

    inputs = [widened(array) for array in call.inputs]
    out = call.outputs[0]
    wide_out = call.scratch(out.shape, np.float32)
    step = bind(Call(call.op, inputs, [wide_out], call.attributes, call.scratch))

    def run() -> None:
        for wide, array in copies:
            np.copyto(wide, array)
        step()
        np.copyto(out, wide_out, casting="same_kind")

    return run


def _matmul(call: Call) -> Step:
    if call.outputs[0].dtype == np.float16:
        return _in_float32(call, _matmul)
    x, y = call.inputs
    return product(x, y, call.outputs[0])


def _gemm(call: Call) -> Step:
    (out,) = call.outputs
    if out.dtype == np.float16:
        return _in_float32(call, _gemm)
    attributes = call.attributes
    a = call.inputs[0].T if attributes["trans_a"] else call.inputs[0]
    b = call.inputs[1].T if attributes["trans_b"] else call.inputs[1]
    c: Array | None = call.inputs[2] if len(call.inputs) > 2 else None
    alpha, beta = out.dtype.type(attributes["alpha"]), out.dtype.type(attributes["beta"])
    multiply = product(a, b, out)
    if c is None and alpha == 1:
        return multiply
    if c is not None and alpha == 1 and beta == 1:
        bias = c

        def plain() -> None:
            multiply()
            np.add(out, bias, out)

        return plain
    scaled_c = None if c is None else call.scratch(c.shape, c.dtype)

    def scaled() -> None:
        multiply()
        np.multiply(out, alpha, out)
        if c is not None and scaled_c is not None:
            np.multiply(c, beta, scaled_c)
            np.add(out, scaled_c, out)

    return scaled


KERNELS: dict[str, Kernel] = {"MatMul": Kernel(_matmul), "Gemm": Kernel(_gemm)}
