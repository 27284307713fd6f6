"""Cases of `graphc.ops.linalg`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, integers, name_of, numbers

MATMUL_SHAPES = (
    ((3, 4), (4, 5)),
    ((2, 3, 4), (4, 5)),  # Dense on a sequence: one product, forward and backward
    ((2, 6, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)),
    ((3, 4), (2, 6, 4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (6, 4, 5)),  # stacks that broadcast
    ((1, 3, 4), (2, 4, 5)),
    ((4,), (4,)),
    ((4,), (4, 5)),
    ((3, 4), (4,)),
    ((4,), (2, 4, 5)),
    ((2, 3, 4), (4,)),
    ((1, 4), (4, 1)),
    ((3, 0), (0, 5)),
    ((0, 3, 4), (4, 5)),
    ((0, 4), (4, 5)),
)


def matmul(x: Array, y: Array) -> Array:
    """The product with its sums written out."""
    stacked = (x[None, :] if x.ndim == 1 else x)[..., :, :, None] * (y[:, None] if y.ndim == 1 else y)[..., None, :, :]
    dropped = ((-2,) if x.ndim == 1 else ()) + ((-1,) if y.ndim == 1 else ())
    return np.asarray(np.squeeze(stacked.sum(-2), dropped))


def gemm(
    a: Array, b: Array, c: Array | None = None, alpha: float = 1, beta: float = 1, trans_a: int = 0, trans_b: int = 0
) -> Array:
    """The formula in ONNX's operator page."""
    product = alpha * matmul(a.T if trans_a else a, b.T if trans_b else b)
    return product if c is None else product + beta * c


def gemm_case(c_shape: Sequence[int] | None, name: str, **attributes: float) -> Case:
    """A product of 3x4 and 4x5, in float16 too where no option is set."""
    a, b = (4, 3) if attributes.get("trans_a") else (3, 4), (5, 4) if attributes.get("trans_b") else (4, 5)
    operands = [numbers(a), numbers(b)] + ([] if c_shape is None else [numbers(c_shape)])
    dtypes = ("float32", "float64") if attributes else ALL_FLOATS
    return Case("Gemm", operands, gemm, attributes, dtypes=dtypes, rtol=1e-5, atol=1e-5, id=name)


CASES = [
    *(
        Case("MatMul", [numbers(x), numbers(y)], matmul, dtypes=ALL_FLOATS if i == 0 else ("float32", "float64"),
             rtol=1e-5, atol=1e-5, id=name_of(x, y))
        for i, (x, y) in enumerate(MATMUL_SHAPES)
    ),
    *(
        Case("MatMul", [integers((3, 4), low, 9, dtype), integers((4, 5), low, 9, dtype)], matmul, id=dtype)
        for dtype, low in (("int32", -9), ("int64", -9), ("uint32", 0), ("uint64", 0))
    ),
    gemm_case(None, "no_c"),
    gemm_case((5,), "bias"),
    gemm_case((3, 1), "column"),
    gemm_case((), "scalar"),
    gemm_case((1, 5), "row"),
    gemm_case((3, 5), "full", trans_a=1),
    gemm_case((5,), "trans_b", trans_b=1),
    gemm_case((1,), "both_transposed", trans_a=1, trans_b=1),
    gemm_case((5,), "scaled", alpha=0.5, beta=-1.5),
    gemm_case(None, "alpha_without_c", alpha=0.5, trans_a=1, trans_b=1),
    gemm_case((3, 5), "all", alpha=2.0, beta=0.25, trans_b=1),
    Case("Gemm", [numbers((3, 4)), numbers((4, 5)), None], gemm, rtol=1e-5, atol=1e-5, id="absent_c"),
    Case("Gemm", [numbers((0, 4)), numbers((4, 5)), numbers((5,))], gemm, rtol=1e-5, id="no_rows"),
    Case("Gemm", [numbers((3, 0)), numbers((0, 5)), numbers((5,))], gemm, rtol=1e-5, id="no_inner"),
]  # fmt: skip
