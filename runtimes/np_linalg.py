"""NumPy kernels of `graphc.ops.linalg`: one BLAS call where the strides allow it. float16 passes through float32."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_half import in_float32


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


def _matmul(call: Call) -> Step:
    x, y = call.inputs
    return product(x, y, call.outputs[0])


def _gemm(call: Call) -> Step:
    (out,) = call.outputs
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


KERNELS: dict[str, Kernel] = {"MatMul": Kernel(in_float32(_matmul)), "Gemm": Kernel(in_float32(_gemm))}
