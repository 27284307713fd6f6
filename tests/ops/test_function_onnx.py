"""Functions of `graphc.ops`, traced and exported: ONNX Runtime gives what arrays give."""

from __future__ import annotations

import numpy as np
import pytest
from function_cases.case import BATCH, TIME, FunctionCase, arrays_in
from function_cases.harness import CASES, call, each, flat, trace
from op_cases.onnx_runtime import run_onnx

NEAR = {"float16": 5e-3, "float32": 2e-5, "float64": 1e-6}
FIRST = {case.name: case for case in reversed(CASES) if not case.traced}


@pytest.mark.parametrize("case", each(sorted(FIRST.values(), key=lambda case: case.name)))
def test_onnx_runtime_gives_what_arrays_give(case: FunctionCase) -> None:
    graph, _ = trace(case, {} if case.symbolic else {BATCH: "batch", TIME: "time"})
    results = run_onnx(graph, {f"x{i}": array for i, array in enumerate(arrays_in(case.args))})
    for result, answer in zip(results, map(np.asarray, flat(call(case))), strict=True):
        assert result.dtype == answer.dtype
        near = NEAR.get(answer.dtype.name, 0)
        np.testing.assert_allclose(np.asarray(result, float), np.asarray(answer, float), near, near)
