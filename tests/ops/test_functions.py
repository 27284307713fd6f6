"""The functions of `graphc.ops`: on arrays against NumPy, traced against eager, with named dims, and against Keras."""

from __future__ import annotations

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
    assert len(results) == len(answers)
    for result, answer in zip(results, answers, strict=True):
        assert np.asarray(result).dtype == np.asarray(answer).dtype
        np.testing.assert_array_equal(result, answer)


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
    "case", each(case for case in SYMBOLIC if case.name not in ("scatter", "get_item", "segment_sum"))
)
def test_no_length_is_frozen(case: FunctionCase) -> None:
    _, run = trace(case, {BATCH: "batch", TIME: "time"})
    other = map_arrays(shortened, case.args)
    assert_same(run(arrays_in(other)), flat(call(case, other)))
