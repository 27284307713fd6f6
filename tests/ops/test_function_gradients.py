"""Gradients through functions of `graphc.ops`, in particular those made of several ops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from function_cases.case import Array, FunctionCase, arrays_in, map_arrays
from function_cases.harness import CASES, call, each, flat

from graphc import ops
from graphc.autodiff.reverse import gradient
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.functional.tracing import TracedTensor, Tracer
from graphc.runtimes.numpy_runtime import prepare


def gradient_of(function: Callable[..., Any], arrays: Sequence[Array]) -> tuple[Callable[..., Any], list[Array | None]]:
    """In float64: a weighted sum of the results as a function of the arrays, and its gradient by each."""
    graph = Graph("gradient")
    tracer = Tracer(graph)
    inputs = [tracer.wrap(tracer.builder.input(f"x{i}", TensorType.of(a.dtype, a.shape))) for i, a in enumerate(arrays)]
    with tracer.active():
        results = [y for y in flat(function(*inputs)) if isinstance(y, TracedTensor) and y.dtype == "float64"]
        weights = np.random.default_rng(7)
        total: Any = np.float64(0)
        for y in results:
            total = ops.add(total, ops.sum(ops.multiply(y, weights.uniform(0.5, 1.5, tuple(y.type.shape)))))
    floats = [x for x in inputs if x.dtype == "float64"]
    grads = gradient(tracer.builder, tracer.value_of(total), [x.value for x in floats])
    graph.outputs = {"total": tracer.value_of(total), **{f"g{i}": g for i, g in enumerate(grads) if g is not None}}
    executable = prepare(graph)

    def run(*values: Array) -> dict[str, Array]:
        return executable.run({f"x{i}": v for i, v in enumerate(values)})

    found = run(*arrays)
    return lambda *values: float(run(*values)["total"]), [found.get(f"g{i}") for i in range(len(floats))]


NO_DERIVATIVE = ("stop_gradient",)  # on purpose


def differentiable() -> list[Any]:
    """The first case of each function whose float operands and results a derivative can be taken of."""
    found: dict[str, FunctionCase] = {}
    for case in CASES:
        floats = [a for a in arrays_in(case.args) if a.dtype == np.float32]
        fits = case.dtype == "float32" and floats and all(np.isfinite(a).all() for a in floats)
        if fits and not case.traced and case.name not in (*found, *NO_DERIVATIVE):
            found[case.name] = case
    return each(found.values())


@pytest.mark.parametrize("case", differentiable())
def test_gradient_is_the_directional_derivative(case: FunctionCase) -> None:
    def wide(array: Array) -> Array:
        return array.astype(np.float64) if array.dtype == np.float32 else array

    arrays = [wide(a) for a in arrays_in(case.args)]

    def function(*inputs: TracedTensor) -> Any:
        rest = iter(inputs)
        return call(case, map_arrays(lambda _: next(rest), case.args))

    total, grads = gradient_of(function, arrays)
    random, step = np.random.default_rng(3), 1e-6
    floats = [i for i, a in enumerate(arrays) if a.dtype == np.float64]
    for i, grad in zip(floats, grads, strict=True):
        direction = random.uniform(-1, 1, arrays[i].shape)
        ahead, behind = ([*arrays[:i], arrays[i] + sign * step * direction, *arrays[i + 1 :]] for sign in (1, -1))
        slope = (total(*ahead) - total(*behind)) / (2 * step)
        found = 0.0 if grad is None else float(np.sum(grad * direction))
        np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-7 * max(1, abs(total(*arrays))))


AWKWARD: dict[str, tuple[Callable[..., Any], list[float], list[float]]] = {
    "divide_no_nan": (ops.divide_no_nan, [2, 0], [0, 0]),
    "arctan2-x-axis": (ops.arctan2, [0, -2], [-0.5, 0]),
    "arctan2-y-axis": (ops.arctan2, [2, 0], [0, -0.5]),
    "sinc": (ops.sinc, [0], [0]),
    "logaddexp": (ops.logaddexp, [1, 1], [0.5, 0.5]),
    "logaddexp-far": (ops.logaddexp, [800, -800], [1, 0]),
    "softplus": (ops.softplus, [-800], [0]),
    "log_sigmoid": (ops.log_sigmoid, [0], [0.5]),
    "sparse_plus": (ops.sparse_plus, [1e200], [1]),
    "binary_crossentropy": (lambda x: ops.binary_crossentropy(np.float64(1), x, from_logits=True), [0], [-0.5]),
    "normalize": (lambda x, y: ops.normalize(ops.stack([x, y]), epsilon=1e-3), [0, 0], [1e3, 1e3]),
    "where": (lambda x: ops.where(x > 0, ops.sqrt(ops.maximum(x, 1e-9)), 0.0), [-1], [0]),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_gradients_at_awkward_points(name: str) -> None:
    function, point, expected = AWKWARD[name]
    graph = Graph("awkward")
    tracer = Tracer(graph)
    inputs = [tracer.wrap(tracer.builder.input(f"x{i}", TensorType("float64", ()))) for i in range(len(point))]
    with tracer.active():
        total = ops.sum(function(*inputs))
    grads = gradient(tracer.builder, tracer.value_of(total), [x.value for x in inputs])
    graph.outputs = {f"g{i}": g for i, g in enumerate(grads) if g is not None}
    found = prepare(graph).run({f"x{i}": np.float64(v) for i, v in enumerate(point)})
    np.testing.assert_allclose([found.get(f"g{i}", 0.0) for i in range(len(point))], expected, rtol=1e-9, atol=1e-12)
