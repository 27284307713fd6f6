"""Every NumPy kernel: its numbers against an independent oracle, and the contract of `graphc.runtimes.kernel`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from cases import CASES
from op_cases.case import Array, Case
from op_cases.harness import (
    assert_close,
    bind_kernel,
    each_dtype,
    expected,
    kernel_results,
    operands,
    poisoned,
    result_types,
)

from graphc.ir import dtypes
from graphc.ops.registry import OPS
from graphc.runtimes.np_kernels import KERNELS
from graphc.runtimes.np_plan import resolve_attributes

WITH_KERNEL = [case for case in CASES if case.op in KERNELS]
IN_PLACE = [case for case in WITH_KERNEL if KERNELS[case.op].in_place]
VIEWS = [case for case in WITH_KERNEL if KERNELS[case.op].view is not None]


@pytest.mark.parametrize(("case", "dtype"), each_dtype(WITH_KERNEL))
def test_matches_the_oracle_and_the_type_rule(case: Case, dtype: str) -> None:
    inputs = operands(case, dtype)
    types = result_types(case, inputs)
    wanted = expected(case, inputs, types)
    for result, answer, type_ in zip(kernel_results(case, inputs), wanted, types, strict=True):
        assert answer.shape == type_.shape
        assert_close(case, result, answer)


@pytest.mark.parametrize(("case", "dtype"), each_dtype(WITH_KERNEL))
def test_keeps_its_operands_and_can_run_again(case: Case, dtype: str) -> None:
    inputs = [None if x is None else x.copy() for x in operands(case, dtype)]
    before = [None if x is None else x.copy() for x in inputs]
    for array in inputs:
        if array is not None:
            array.flags.writeable = False
    first = kernel_results(case, inputs)
    again = [poisoned(a.shape, a.dtype) for a in first]
    run = bind_kernel(case, inputs, again)
    run()
    run()
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("case", "dtype"), each_dtype(IN_PLACE))
def test_result_may_be_an_operands_memory(case: Case, dtype: str) -> None:
    inputs = operands(case, dtype)
    wanted = kernel_results(case, inputs)
    aliased = [
        i for i, x in enumerate(inputs) if x is not None and (x.shape, x.dtype) == (wanted[0].shape, wanted[0].dtype)
    ]
    for i in aliased:
        # Other operands of the same type become the same array too: `x * x` may overwrite x.
        for twins in ([i], aliased):
            shared = [inputs[i] if j in twins else x for j, x in enumerate(inputs)]
            answer = wanted if twins == [i] else kernel_results(case, shared)
            memory = np.array(inputs[i])
            mine = [memory if j in twins else x for j, x in enumerate(inputs)]
            bind_kernel(case, mine, [memory, *(poisoned(a.shape, a.dtype) for a in answer[1:])])()
            np.testing.assert_array_equal(memory, answer[0])


def _every_other(x: Array) -> Array:
    wide = poisoned((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def _backwards(x: Array) -> Array:
    return np.ascontiguousarray(x[..., ::-1])[..., ::-1]


@pytest.mark.parametrize(
    "layout", [_every_other, _backwards, np.asfortranarray], ids=["strided", "backwards", "fortran"]
)
@pytest.mark.parametrize(("case", "dtype"), each_dtype(WITH_KERNEL))
def test_operands_may_have_any_strides_and_come_late(case: Case, dtype: str, layout: Callable[[Array], Array]) -> None:
    inputs = operands(case, dtype)
    wanted = kernel_results(case, inputs)
    # A plan binds its kernels before there is data, so nothing may be read, or copied, while binding.
    strided = [
        None if x is None else layout(poisoned(x.shape, x.dtype)) if x.ndim else np.zeros_like(x) for x in inputs
    ]
    results = [poisoned(a.shape, a.dtype) for a in wanted]
    run = bind_kernel(case, strided, results)
    for late, x in zip(strided, inputs, strict=True):
        if late is not None:
            late[...] = x
    run()
    for result, answer in zip(results, wanted, strict=True):
        assert_close(case, result, answer)


@pytest.mark.parametrize(("case", "dtype"), each_dtype(VIEWS))
def test_view_is_the_result_without_a_copy(case: Case, dtype: str) -> None:
    inputs = operands(case, dtype)
    view = KERNELS[case.op].view
    assert view is not None
    attributes = resolve_attributes(OPS.attributes(case.op, case.attributes), {})
    (type_,) = result_types(case, inputs)
    result = view(inputs[0], attributes)
    if result is not None:
        assert result.dtype == dtypes.numpy_dtype(type_.dtype)
        np.testing.assert_array_equal(result, kernel_results(case, inputs)[0])
        assert result.size == 0 or np.shares_memory(result, inputs[0])
