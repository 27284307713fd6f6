"""The numbers of the functions of `graphc.ops`: of arrays, traced, with named dims, and those of Keras."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from function_cases.case import BATCH, TIME, Array, FunctionCase, arrays_in, map_arrays
from function_cases.harness import CASES, assert_same, call, each, flat, trace

from graphc.ops.functional import FUNCTIONS

# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", each(CASES))
def test_arrays_give_what_numpy_gives(case: FunctionCase) -> None:
    before = [a.copy() for a in arrays_in(case.args)]
    results, answers = flat(call(case)), flat(case.answer())
    assert len(results) == len(answers)
    for result, answer in zip(results, answers, strict=True):
        assert isinstance(result, np.ndarray | np.generic)
        assert result.dtype == case.dtype
        assert result.shape == np.shape(answer)
        np.testing.assert_allclose(np.asarray(result, float), np.asarray(answer, float), case.rtol, case.atol)
    for array, copy in zip(arrays_in(case.args), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("case", each(case for case in CASES if not case.traced))
def test_traced_gives_what_arrays_give(case: FunctionCase) -> None:
    _, run = trace(case, {})
    assert_same(run(arrays_in(case.args)), flat(call(case)))


SYMBOLIC = [
    case
    for case in CASES
    if not case.traced and not case.symbolic and any({BATCH, TIME} & set(a.shape) for a in arrays_in(case.args))
]


@pytest.mark.parametrize("case", each(SYMBOLIC))
def test_named_dims_give_what_arrays_give(case: FunctionCase) -> None:
    _, run = trace(case, {BATCH: "batch", TIME: "time"})
    assert_same(run(arrays_in(case.args)), flat(call(case)))


def shortened(array: Array) -> Array:
    """The first elements of the axes that have names: the same call on other data."""
    keep = {BATCH: 4, TIME: 6}
    return array[tuple(slice(keep.get(n)) for n in array.shape)].copy()


@pytest.mark.parametrize("case", each(SYMBOLIC))
def test_no_length_is_frozen(case: FunctionCase) -> None:
    _, run = trace(case, {BATCH: "batch", TIME: "time"})
    other = map_arrays(shortened, case.args)
    assert_same(run(arrays_in(other)), flat(call(case, other)))


# -- Keras ------------------------------------------------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("case", each(case for case in CASES if not case.keras))
def test_numbers_and_dtypes_are_keras_s(case: FunctionCase) -> None:
    import keras

    if keras.backend.backend() != "jax":
        pytest.skip("the dtypes of results are those of Keras on JAX")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensors = map_arrays(keras.ops.convert_to_tensor, case.args)
        answers = flat(getattr(keras.ops, case.name)(*tensors, **case.kwargs))
    results = flat(call(case))
    assert len(results) == len(answers)
    for result, answer in zip(results, answers, strict=True):
        assert result.dtype == keras.backend.standardize_dtype(answer.dtype)
        expected = keras.ops.convert_to_numpy(answer)
        assert result.shape == expected.shape
        near = 5 * case.rtol if result.dtype.kind == "f" else 0
        np.testing.assert_allclose(np.asarray(result, float), np.asarray(expected, float), near, near)


# What graphc leaves out of Keras's signatures, and why.
OTHER_ARGUMENTS = {
    "einsum": "Keras passes any keyword on to its backend",
    "mish": "Keras has it in activations only",
    "multi_hot": "num_tokens is an old name of num_classes",
}


@pytest.mark.peer
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_arguments_and_defaults_are_keras_s(name: str) -> None:
    if name in OTHER_ARGUMENTS:
        pytest.skip(OTHER_ARGUMENTS[name])
    import keras

    def arguments(function: Callable[..., Any]) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    assert arguments(FUNCTIONS[name]) == arguments(getattr(keras.ops, name))
