"""Every op's ONNX form, run by ONNX Runtime, against the NumPy kernel."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from cases import CASES
from op_cases.case import Case
from op_cases.harness import assert_close, build, each_case, each_dtype, kernel_results, operands
from op_cases.onnx_runtime import run_onnx

from graphc.errors import GraphcError
from graphc.ops.registry import OPS
from graphc.runtimes.np_kernels import KERNELS
from graphc.runtimes.onnx_opsets import DEFAULT_OPSET, IR_VERSION

WITH_KERNEL = [case for case in CASES if case.op in KERNELS]
FIRST_OF_OP = list({case.op: case for case in reversed(WITH_KERNEL)}.values())[::-1]
DIMS_ARE_ATTRIBUTES = {"RandomBits", "RandomUniform"}
"""No operand of theirs has a dim to name; tests/ops/test_random.py names those of their results."""
SLACK = 2.0
"""Two rounded results are compared, and each may be off by the tolerance against the truth."""


def skip_if_it_cannot_run(case: Case, dtype: str) -> None:
    reason = case.onnx if isinstance(case.onnx, str) else case.onnx.get(dtype, "")
    if reason:
        pytest.skip(reason)


@pytest.mark.parametrize(("case", "dtype"), each_dtype(WITH_KERNEL))
def test_onnx_runtime_gives_the_same_numbers(case: Case, dtype: str) -> None:
    skip_if_it_cannot_run(case, dtype)
    built = build(case, dtype)
    wanted = kernel_results(case, operands(case, dtype))
    for result, answer in zip(run_onnx(built.graph, built.feeds), wanted, strict=True):
        assert_close(case, np.asarray(result), answer, SLACK)


@pytest.mark.parametrize("case", each_case(WITH_KERNEL))
def test_with_a_named_first_dim(case: Case) -> None:
    dtype = case.dtypes[0]
    skip_if_it_cannot_run(case, dtype)
    try:
        built = build(case, dtype, symbolic=True)
    except GraphcError as error:
        pytest.skip(f"the type rule needs this length: {error}")
    if not any(isinstance(d, str) for v in built.graph.inputs for d in v.type.shape):
        pytest.skip("no operand has a dim to name")
    wanted = kernel_results(case, operands(case, dtype))
    for result, answer in zip(run_onnx(built.graph, built.feeds), wanted, strict=True):
        assert_close(case, np.asarray(result), answer, SLACK)


def test_a_first_dim_can_be_named_for_every_op() -> None:
    """The test above skips what a type rule refuses; it may not skip all cases of an op."""
    named: set[str] = set()
    for case in WITH_KERNEL:
        if case.op not in named:
            with suppress(GraphcError):
                graph = build(case, case.dtypes[0], symbolic=True).graph
                if any(isinstance(d, str) for v in graph.inputs for d in v.type.shape):
                    named.add(case.op)
    without = {case.op for case in WITH_KERNEL} - named - {name for name, op in OPS.items() if not op.inputs}
    assert without == DIMS_ARE_ATTRIBUTES


@pytest.mark.parametrize("opset", [opset for opset in IR_VERSION if opset != DEFAULT_OPSET])
@pytest.mark.parametrize("case", each_case(FIRST_OF_OP))
def test_every_opset(case: Case, opset: int) -> None:
    dtype = case.dtypes[0]
    skip_if_it_cannot_run(case, dtype)
    built = build(case, dtype)
    wanted = kernel_results(case, operands(case, dtype))
    for result, answer in zip(run_onnx(built.graph, built.feeds, opset), wanted, strict=True):
        assert_close(case, np.asarray(result), answer, SLACK)
