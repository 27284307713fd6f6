"""Kernels on operands larger than a block, and kernels that may not allocate."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.runtimes.kernel import Array, Call
from graphc.runtimes.np_blocks import BLOCK_BYTES
from graphc.runtimes.np_kernels import KERNELS

MULTI_PASS = (
    "Erf", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "HardSwish", "Softplus", "Softsign", "Gelu",
    "Mish",
)  # fmt: skip
SHAPE = (5, 2 * BLOCK_BYTES // 4 // 3)  # several blocks, the last one not full, and rows that blocks cut


def bound(op: str, inputs: list[Array], out: Array, **attributes: Any) -> Callable[[], object]:
    return KERNELS[op].bind(Call(op, inputs, [out], OPS.attributes(op, attributes)))


def run(op: str, x: Array, out: Array | None = None) -> Array:
    result = np.empty(x.shape, x.dtype) if out is None else out
    with np.errstate(all="ignore"):
        bound(op, [x], result)()
    return result


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("op", MULTI_PASS)
def test_blocks_join_without_a_seam(op: str, dtype: str) -> None:
    x = np.linspace(-6.0, 6.0, SHAPE[0] * SHAPE[1]).reshape(SHAPE).astype(dtype)
    whole = run(op, x)
    rows = np.concatenate([run(op, x[:, i : i + 97].copy()) for i in range(0, SHAPE[1], 97)], axis=1)
    # SIMD loops may round the last elements of an array otherwise than the ones before.
    np.testing.assert_allclose(
        whole, rows, rtol=1e-3 if dtype == "float16" else 4 * float(np.finfo(dtype).eps), atol=1e-300
    )
    np.testing.assert_array_equal(run(op, np.asfortranarray(x)), whole)
    memory = x.copy()
    np.testing.assert_array_equal(run(op, memory, memory), whole)


BIG = (256, 512)
FLOATS = np.linspace(-3.0, 3.0, 256 * 512, dtype=np.float32).reshape(BIG)
MASK = FLOATS > 0.5
KEY = np.array([1, 2], np.uint32)
FREE_OF_ALLOCATION: list[tuple[str, list[Array], dict[str, Any]]] = [
    *((op, [FLOATS], {}) for op in (*MULTI_PASS, "Relu", "ThresholdedRelu", "Neg", "Exp", "Reciprocal")),
    ("Gelu", [FLOATS], {"approximate": "tanh"}),
    *((op, [FLOATS, FLOATS], {}) for op in ("Add", "Div", "Max", "Pow", "Mod", "ReluGrad", "PRelu")),
    ("Pow", [FLOATS, np.array(2.0, np.float32)], {}),
    ("Div", [np.full(BIG, -7, np.int32), np.full(BIG, 2, np.int32)], {}),
    ("Where", [MASK, FLOATS, FLOATS], {}),
    ("Where", [MASK, FLOATS, np.zeros((), np.float32)], {}),
    ("Where", [MASK, np.zeros((), np.float32), FLOATS], {}),
    ("Clip", [FLOATS, np.array(-1, np.float32), np.array(1, np.float32)], {}),
    ("Cast", [FLOATS], {"to": "float16"}),
    ("Greater", [FLOATS, FLOATS], {}),
    ("RandomUniform", [KEY], {"shape": BIG, "index": 0}),
    ("RandomBits", [KEY], {"shape": BIG, "index": 0}),
]


@pytest.mark.parametrize(
    ("op", "inputs", "attributes"), [pytest.param(*row, id=f"{i}-{row[0]}") for i, row in enumerate(FREE_OF_ALLOCATION)]
)
def test_running_allocates_nothing(op: str, inputs: list[Array], attributes: dict[str, Any]) -> None:
    types = OPS.infer(op, [TensorType.of(x.dtype, x.shape) for x in inputs], OPS.attributes(op, attributes))
    step = bound(op, inputs, np.empty(BIG, types[0].dtype), **attributes)
    with np.errstate(all="ignore"):
        step()
        tracemalloc.start()
        try:
            step()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # NumPy's casting loops take buffers of 8,192 elements; a temporary would have 131,072.
    assert peak < 8_192 * 8 * 3
