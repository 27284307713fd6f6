"""From rows of the table of function cases to graphs that run: what the tests of functions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from function_cases import elementwise, loops, networks, reductions, shapes
from function_cases.case import Array, FunctionCase, map_arrays

from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.functional import FUNCTIONS
from graphc.ops.functional.tracing import TracedTensor, Tracer
from graphc.runtimes.numpy_runtime import prepare

CASES = [*elementwise.CASES, *loops.CASES, *reductions.CASES, *shapes.CASES, *networks.CASES]
ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)


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
    """The case as a graph whose inputs are its arrays,
    axes of the lengths in ``named`` with a name; and how to run it."""
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


def run_named(function: Callable[..., Any], *arrays: Array) -> Array:
    """A function of arrays run as a graph whose inputs have all axes named after their letter: a0, a1, b0 ..."""
    graph = Graph("named")
    tracer = Tracer(graph)
    inputs = []
    for letter, array in zip("abc", arrays, strict=False):
        shape = [Dim(f"{letter}{i}") for i in range(array.ndim)]
        inputs.append(tracer.wrap(tracer.builder.input(letter, TensorType.of(array.dtype, shape))))
    with tracer.active():
        graph.outputs["y"] = tracer.value_of(function(*inputs))
    return prepare(graph).run(dict(zip("abc", arrays, strict=False)))["y"]
