"""The functions of `graphc.ops`: on arrays against NumPy, traced against eager, with named dims, and against Keras."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from function_cases import elementwise, networks, reductions, shapes
from function_cases.case import BATCH, TIME, Array, FunctionCase, arrays_in, map_arrays

from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.functional import FUNCTIONS, dispatch
from graphc.ops.functional.tracing import TracedTensor, Tracer
from graphc.runtimes.numpy_runtime import evaluate_op, prepare

CASES = [*elementwise.CASES, *reductions.CASES, *shapes.CASES, *networks.CASES]
PLAIN = {"convert_to_numpy", "dtype", "is_tensor", "ndim", "shape", "size"}
"""Functions that say something about a tensor: they are not recorded in a functional model."""


@pytest.fixture(autouse=True, scope="module")
def _evaluator() -> None:
    dispatch.use_evaluator(evaluate_op)


def each(cases: Iterable[FunctionCase]) -> list[Any]:
    found, seen = [], dict[str, int]()
    for case in cases:
        name = f"{case.name}-{case.id}" if case.id else case.name
        seen[name] = seen.get(name, 0) + 1
        found.append(pytest.param(case, id=name if seen[name] == 1 else f"{name}-{seen[name]}"))
    return found


def call(case: FunctionCase, args: Any = None) -> Any:
    return FUNCTIONS[case.name](*(case.args if args is None else args), **case.kwargs)


def flat(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


def trace(case: FunctionCase, named: Mapping[int, str]) -> tuple[Graph, Callable[[list[Array]], list[Array]]]:
    """The case as a graph whose inputs are its arrays, axes of the lengths in ``named`` with a name; and how to run it."""
    graph = Graph("case")
    tracer = Tracer(graph)
    count = iter(range(99))

    def as_input(array: Array) -> TracedTensor:
        dims = [Dim(named[n]) if n in named else n for n in array.shape]
        return tracer.wrap(tracer.builder.input(f"x{next(count)}", TensorType.of(array.dtype, dims)))

    with tracer.active():
        results = flat(call(case, map_arrays(as_input, case.args)))
        graph.outputs = {f"y{i}": tracer.value_of(y) for i, y in enumerate(results)}
    executable = prepare(graph)

    def run(arrays: list[Array]) -> list[Array]:
        return list(executable.run({f"x{i}": a for i, a in enumerate(arrays)}).values())

    return graph, run


def assert_same(results: list[Any], answers: list[Any]) -> None:
    """Equal up to the order in which floats are summed."""
    assert len(results) == len(answers)
    for result, answer in zip(results, map(np.asarray, answers), strict=True):
        assert result.dtype == answer.dtype
        if answer.dtype.kind != "f":
            np.testing.assert_array_equal(result, answer)
        else:
            near = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-13}[answer.dtype.name]
            np.testing.assert_allclose(result, answer, near, near)


# -- numbers ------------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "case", each(SYMBOLIC)
)
def test_no_length_is_frozen(case: FunctionCase) -> None:
    _, run = trace(case, {BATCH: "batch", TIME: "time"})
    other = map_arrays(shortened, case.args)
    assert_same(run(arrays_in(other)), flat(call(case, other)))


# -- Keras --------------------------------------------------------------------------------------------------------------


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
