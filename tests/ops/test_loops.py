"""Loops written in Python: what a step may touch, nested structures, random numbers, models, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from op_cases.case import Array
from op_cases.onnx_runtime import run_onnx

from graphc import compiler, ops
from graphc.autodiff import gradient
from graphc.errors import ArgumentError, DTypeError, GraphcError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops.functional import random
from graphc.ops.functional.loops import scan_steps
from graphc.ops.functional.tracing import current_tracer
from graphc.ops.functional.variable import Variable
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare

RANDOM = np.random.default_rng(3)
TIME_BATCH = ("time", "batch", 3)


def numbers(*shape: int) -> Array:
    return RANDOM.uniform(-1.0, 1.0, shape).astype(np.float32)


def lowered(function: Callable[..., Any], *shapes: Sequence[Any]) -> compiler.Lowered:
    """A function of float32 inputs ``x0``, ``x1`` ... as a graph."""
    types = {f"x{i}": TensorType.of("float32", shape) for i, shape in enumerate(shapes)}
    result = compiler.lower(lambda inputs: function(*inputs), types, list(types))
    verify(result.graph, OPS)
    return result


def run(result: compiler.Lowered, *arrays: Array) -> list[Array]:
    """The outputs of NumPy, which must be those of ONNX Runtime."""
    feeds = {f"x{i}": np.asarray(x) for i, x in enumerate(arrays)}
    found = list(prepare(result.graph, result.state()).run(feeds).values())
    graph, _ = compiler.optimize(compiler.frozen(result), "O2", verify_each=True)
    for ours, other in zip(found, run_onnx(graph, feeds), strict=True):
        np.testing.assert_allclose(ours, np.asarray(other), rtol=1e-5, atol=1e-6)
    return found


# -- what a step may touch --------------------------------------------------------------------------------------------


def test_a_step_sees_tensors_and_variables_from_outside() -> None:
    kernel = Variable(numbers(3, 4), name="kernel")

    def model(x: Any, bias: Any) -> Any:
        doubled = bias * 2.0

        def step(slices: list[Any], states: list[Any]) -> Any:
            # `doubled` comes first, so the sum is asked of a tensor of the graph around the loop.
            new = ops.tanh(doubled + ops.matmul(slices[0], kernel) + states[0])
            return [new], [new]

        outputs, states = scan_steps(step, [ops.zeros((ops.shape(x)[1], 4))], [x], reverse=True)
        return [*outputs, *states, doubled]

    result = lowered(model, TIME_BATCH, (4,))
    assert list(result.variables) == ["kernel"]
    (loop,) = result.graph.nodes_of("Scan")
    assert [v.name for v in loop.inputs[2:] if v is not None] == ["kernel", "Mul"]
    for time, batch in ((5, 2), (1, 3)):
        x, bias = numbers(time, batch, 3), numbers(4)
        stacked, last, _ = run(result, x, bias)
        h = np.zeros((batch, 4), np.float32)
        for t in reversed(range(time)):
            h = np.tanh(2 * bias + x[t] @ kernel.numpy() + h)
            np.testing.assert_allclose(stacked[t], h, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(last, h, rtol=1e-5, atol=1e-6)


def test_a_loop_inside_a_loop_reaches_all_around_it() -> None:
    scale = Variable(np.float32(0.5), name="scale")

    def model(x: Any, offset: Any) -> Any:
        def row(slices: list[Any], states: list[Any]) -> Any:
            total = states[0]

            def cell(inner: list[Any], inner_states: list[Any]) -> Any:
                new = inner_states[0] * scale + inner[0] + offset * total
                return [new], [new]

            outputs, ends = scan_steps(cell, [ops.zeros(())], slices)
            return outputs, [total + ends[0]]

        outputs, states = scan_steps(row, [ops.ones(())], [x])
        return [*outputs, *states]

    x, offset = numbers(4, 3), np.float32(0.3)
    stacked, last = run(lowered(model, ("rows", "columns"), ()), x, offset)
    total = np.float32(1)
    for r in range(4):
        new = np.float32(0)
        for c in range(3):
            new = new * np.float32(0.5) + x[r, c] + offset * total
            np.testing.assert_allclose(stacked[r, c], new, rtol=1e-5, atol=1e-6)
        total = total + new
    np.testing.assert_allclose(last, total, rtol=1e-5)


def test_gradients_reach_variables_through_a_loop() -> None:
    kernel = Variable(numbers(3, 3) * 0.5, name="kernel")

    def model(x: Any) -> Any:
        def step(slices: list[Any], states: list[Any]) -> Any:
            return [], [ops.tanh(ops.matmul(states[0], kernel)) + slices[0]]

        _, (last,) = scan_steps(step, [ops.zeros((ops.shape(x)[1], 3))], [x])
        return ops.sum(last * last)

    result = lowered(model, TIME_BATCH)
    graph = result.graph
    (grad,) = gradient(Builder(graph, OPS), graph.outputs["output"], [graph.states()["kernel"]])
    assert grad is not None
    graph.outputs["grad"] = grad
    x = numbers(6, 2, 3)
    executable = prepare(graph, result.state())
    found = executable.run({"x0": x})["grad"]
    saved, direction = kernel.numpy(), numbers(3, 3)
    ends = []
    for sign in (1, -1):
        kernel.assign(saved + sign * 1e-2 * direction)
        ends.append(float(executable.run({"x0": x})["output"]))
    np.testing.assert_allclose((found * direction).sum(), (ends[0] - ends[1]) / 2e-2, rtol=1e-2)


def test_a_variable_may_not_be_assigned_in_a_step() -> None:
    counter = Variable(np.float32(0), name="counter", trainable=False)

    def step(slices: list[Any], _states: list[Any]) -> Any:
        counter.assign(counter.value + 1.0)
        return [slices[0]], []

    with pytest.raises(ArgumentError, match=r"'counter' is assigned inside a step of a loop.*state of the loop"):
        lowered(lambda x: scan_steps(step, [], [x])[0], (4, 3))
    scan_steps(step, [], [numbers(4, 3)])
    assert float(counter) == 4.0, "on arrays a step is ordinary Python"


def test_a_tensor_may_not_leave_its_step() -> None:
    kept: list[Any] = []

    def step(slices: list[Any], _states: list[Any]) -> Any:
        kept.append(slices[0])
        return [slices[0]], []

    with pytest.raises(ArgumentError, match="may not be kept"):
        lowered(lambda x: scan_steps(step, [], [x])[0][0] + kept[0], (4, 3))


def test_losses_of_a_step_are_summed() -> None:
    def model(x: Any) -> Any:
        def step(slices: list[Any], _states: list[Any]) -> Any:
            tracer = current_tracer()
            assert tracer is not None
            tracer.losses.append(tracer.value_of(ops.sum(ops.square(slices[0]))))
            return [slices[0]], []

        outputs, _ = scan_steps(step, [], [x])
        tracer = current_tracer()
        assert tracer is not None
        (loss,) = tracer.losses
        return [*outputs, tracer.wrap(loss)]

    x = numbers(5, 3)
    np.testing.assert_allclose(run(lowered(model, ("time", 3)), x)[1], (x * x).sum(), rtol=1e-5)


# -- random numbers ---------------------------------------------------------------------------------------------------


def test_steps_draw_different_numbers_and_runtimes_the_same() -> None:
    def model(x: Any) -> Any:
        def step(slices: list[Any], _states: list[Any]) -> Any:
            inner, _ = scan_steps(lambda s, _: ([random.uniform((2,)) + s[0]], []), [], [ops.zeros((3,))])
            return [random.uniform((2,)), random.uniform((2,), seed=5), inner[0]], []

        first, _ = scan_steps(step, [], [x])
        second, _ = scan_steps(lambda _, __: ([random.uniform((2,))], []), [], [x])
        return [*first, *second, random.uniform((2,))]

    result = lowered(model, ("time",))
    assert result.random_key is not None
    drawn = run(result, np.zeros(4, np.float32))
    every = np.concatenate([array.reshape(-1) for array in drawn])
    assert len(every) == 4 * (2 + 2 + 6) + 4 * 2 + 2
    assert len(np.unique(every)) == len(every), "no number is drawn twice"
    next_step = prepare(result.graph, {"random_key": np.array([0, 1], np.uint32)})
    other = list(next_step.run({"x0": np.zeros(4, np.float32)}).values())
    assert not np.isin(other[0], drawn[0]).any(), "another step of training draws others"


def test_the_gradient_sees_the_numbers_that_were_drawn() -> None:
    def model(x: Any, h: Any) -> Any:
        def step(_slices: list[Any], states: list[Any]) -> Any:
            return [], [states[0] * random.uniform((3,))]

        return scan_steps(step, [h], [x])[1][0]

    result = lowered(model, ("time",), (3,))
    graph = result.graph
    (grad,) = gradient(Builder(graph, OPS), graph.outputs["output"], [graph.inputs[1]])
    assert grad is not None
    graph.outputs["grad"] = grad
    h = numbers(3)
    found = prepare(graph, result.state()).run({"x0": np.zeros(5, np.float32), "x1": h})
    np.testing.assert_allclose(found["grad"] * h, found["output"], rtol=1e-5)


# -- scan, map --------------------------------------------------------------------------------------------------------


def nested(carry: Any, x: Any) -> Any:
    total = carry["b"] + x[0] * x[1]["k"]
    return {"b": total, "a": [carry["a"][0] + 1]}, (total, None, {"z": x[0], "y": total * 2})


@pytest.mark.parametrize("traced", [False, True], ids=["arrays", "traced"])
def test_nested_structures(traced: bool) -> None:
    x, k = numbers(4, 3), numbers(4, 3)
    init = {"a": [0], "b": np.zeros(3, np.float32)}
    shape: list[Any] = []

    def model(x: Any, k: Any) -> Any:
        carry, ys = ops.scan(nested, init, (x, {"k": k}))
        shape[:] = [list(carry), ys[1], list(ys[2])]
        return [carry["b"], carry["a"][0], ys[0], ys[2]["z"], ys[2]["y"]]

    found = run(lowered(model, ("time", 3), ("time", 3)), x, k) if traced else model(x, k)
    totals = np.cumsum(x * k, axis=0)
    for ours, answer in zip(found, (totals[-1], 4, totals, x, 2 * totals), strict=True):
        np.testing.assert_allclose(ours, answer, rtol=1e-5, atol=1e-6)
    assert found[1].dtype == np.int32
    assert shape == [["a", "b"], None, ["z", "y"]]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_no_step_at_all(reverse: bool) -> None:
    init = numbers(3)
    carry, ys = ops.scan(
        lambda c, x: (c + x[0], ops.matmul(x, x)), init, np.zeros((0, 3, 3), np.float32), None, reverse
    )
    np.testing.assert_array_equal(carry, init)
    assert (ys.shape, ys.dtype) == ((0, 3, 3), np.float32)
    result = lowered(lambda x: list(ops.scan(lambda c, y: (c + y, c * 2), init, x, reverse=reverse)), ("time", 3))
    carry, ys = prepare(result.graph).run({"x0": np.zeros((0, 3), np.float32)}).values()
    np.testing.assert_array_equal(carry, init)
    assert ys.shape == (0, 3)


def test_length_may_be_a_named_dim() -> None:
    def model(x: Any) -> Any:
        return list(ops.scan(lambda c, _: (c * 2.0, c), 1.0, length=ops.shape(x)[0]))

    carry, ys = run(lowered(model, ("time",)), np.zeros(5, np.float32))
    assert carry == 32.0
    assert ys.tolist() == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_in_a_functional_model() -> None:
    from graphc import Input, Model

    inputs = Input((None, 3))
    steps = ops.transpose(inputs, (1, 0, 2))
    carry, ys = ops.scan(lambda c, x: (c + x, c * x), ops.sum(inputs * 0.0, axis=1), steps)
    assert carry.shape == (None, 3)
    assert ys.shape == (None, None, 3)
    model = Model(inputs, [carry, ops.transpose(ys, (1, 0, 2))])
    for shape in ((2, 4, 3), (3, 1, 3)):
        x = numbers(*shape)
        total, products = model.predict(x, verbose=0)
        np.testing.assert_allclose(total, x.sum(1), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(products, x * (np.cumsum(x, axis=1) - x), rtol=1e-5, atol=1e-6)


def test_map_needs_no_state_in_the_graph() -> None:
    result = lowered(lambda x: ops.map(lambda y: ops.matmul(y, ops.transpose(y)), x), ("n", 2, 3))
    (loop,) = result.graph.nodes_of("Scan")
    assert loop.attributes["num_states"] == 0
    x = numbers(4, 2, 3)
    np.testing.assert_allclose(run(result, x)[0], x @ x.transpose(0, 2, 1), rtol=1e-5, atol=1e-6)


# -- refusals ---------------------------------------------------------------------------------------------------------

X = np.zeros((4, 3), np.float32)
REFUSALS: dict[str, tuple[Callable[[Any], Any], type[GraphcError], str]] = {
    "no function": (lambda x: ops.scan(3, 0.0, x), ArgumentError, "f must be a function"),
    "nothing to scan": (lambda x: ops.scan(lambda c, y: (c, y), x), ArgumentError, "without xs there must be a length"),
    "a scalar": (lambda x: ops.scan(lambda c, y: (c, y), 0.0, ops.sum(x)), ShapeError, "got the scalar"),
    "no tensor": (lambda x: ops.scan(lambda c, y: (c, y), x, []), ArgumentError, "a tensor to scan over"),
    "two lengths": (lambda x: ops.scan(lambda c, y: (c, y), 0.0, [x, x[1:]]), ShapeError, "first axes 4, 3"),
    "another length": (lambda x: ops.scan(lambda c, y: (c, y), 0.0, x, 5), ArgumentError, "length is 5, and .* has 4"),
    "a wrong length": (lambda x: ops.scan(lambda c, y: (c, y), x, length=-1), ArgumentError, "integer of at least 0"),
    "unroll": (lambda x: ops.scan(lambda c, y: (c, y), 0.0, x, unroll=0), ArgumentError, "unroll must be a positive"),
    "no pair": (lambda x: ops.scan(lambda c, y: c, x[0], x), ArgumentError, "must return a pair"),
    "nesting": (
        lambda x: ops.scan(lambda c, y: ([c], y), x[0], x),
        ArgumentError,
        r"as it is nested in init, tensor; got",
    ),
    "shape": (
        lambda x: ops.scan(lambda c, y: (c + y, y), ops.zeros((1, 3)), ops.stack([x, x])),
        ShapeError,
        r"State 0 of a loop is float32\[1, 3\] before a step and float32\[4, 3\] behind it",
    ),
    "dtype": (
        lambda x: ops.scan(lambda c, y: (c + y, y), ops.zeros((3,), "int32"), x),
        DTypeError,
        r"is int32\[3\] before a step and float\d\d\[3\]",
    ),
    "map": (lambda x: ops.map(3, x), ArgumentError, "map: f must be a function"),
    "steps": (lambda x: scan_steps(lambda s, _: s, [], [x]), ArgumentError, "two lists"),
    "states": (lambda x: scan_steps(lambda s, _: (s, []), [x[0]], [x]), ArgumentError, "1 new states.*got 0"),
    "associative": (lambda x: ops.associative_scan(3, x), ArgumentError, "f must be a function"),
    "associative nesting": (lambda x: ops.associative_scan(lambda a, b: [a], x), ArgumentError, "f must return"),
    "associative axis": (lambda x: ops.associative_scan(lambda a, b: a, x, axis=2), ShapeError, "axis 2"),
    "associative lengths": (
        lambda x: ops.associative_scan(lambda a, b: a, [x, x[1:]]),
        ShapeError,
        r"one length along axis 0; got \[3, 4\]",
    ),
}


@pytest.mark.parametrize("traced", [False, True], ids=["arrays", "traced"])
@pytest.mark.parametrize("name", REFUSALS)
def test_wrong_loops_are_refused(name: str, traced: bool) -> None:
    function, error, words = REFUSALS[name]
    with pytest.raises(error, match=words):
        lowered(function, X.shape) if traced else function(X)


def test_associative_scan_needs_a_known_length() -> None:
    with pytest.raises(ShapeError, match="'time'"):
        lowered(lambda x: ops.associative_scan(lambda a, b: a + b, x), ("time", 3))
