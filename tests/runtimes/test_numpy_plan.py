"""Plans: buffer reuse, in-place writes, views and state updates must never change a number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.errors import ArgumentError, DTypeError, ExecutionError, GraphError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Origin
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import MAX_PLANS, evaluate_op, prepare


def builder(name="test"):
    return Builder(Graph(name), OPS)


def f32(*shape):
    return TensorType.of("float32", shape)


def test_a_new_batch_size_is_a_new_plan_with_its_own_numbers():
    b = builder()
    x = b.input("x", f32("batch", 3))
    b.graph.outputs["y"] = b.emit("ReduceSum", b.emit("Exp", x), axes=(1,), keepdims=False)
    run = prepare(b.graph)
    for n in (2, 5, 2, 1, 0):
        data = np.linspace(0, 1, 3 * n, dtype="float32").reshape(n, 3)
        np.testing.assert_allclose(run.run({"x": data})["y"], np.exp(data).sum(1), rtol=1e-6)
    assert len(run._plans) == 4


def test_plans_are_bounded():
    b = builder()
    b.graph.outputs["y"] = b.emit("Neg", b.input("x", f32("n")))
    run = prepare(b.graph)
    for n in range(MAX_PLANS + 9):
        run.run({"x": np.zeros(n, "float32")})
    assert len(run._plans) == MAX_PLANS


def test_results_are_not_overwritten_by_the_next_run():
    b = builder()
    b.graph.outputs["y"] = b.emit("Neg", b.input("x", f32(2)))
    run = prepare(b.graph)
    first = run.run({"x": np.float32([1, 2])})["y"]
    run.run({"x": np.float32([3, 4])})
    np.testing.assert_array_equal(first, [-1, -2])


def test_feeds_are_never_written():
    b = builder()
    x = b.input("x", f32(4))
    b.graph.outputs["y"] = b.emit("Exp", b.emit("Neg", x))
    data = np.arange(4, dtype="float32")
    data.flags.writeable = False
    prepare(b.graph).run({"x": data})
    np.testing.assert_array_equal(data, np.arange(4))


def test_memory_is_reused_along_a_chain():
    b = builder()
    y = b.input("x", f32(1000))
    for _ in range(50):
        y = b.emit("ReduceSum", b.emit("Unsqueeze", y, axes=(0,)), axes=(0,), keepdims=False)  # not in place
    b.graph.outputs["y"] = y
    plan = prepare(b.graph).plan({"x": (1000,)})
    assert plan.bytes < 4 * 4096


def test_state_is_updated_in_its_own_array():
    b = builder()
    w = b.state("w", f32(3))
    x = b.input("x", f32(3))
    b.graph.outputs["before"] = b.emit("Mul", w, x)
    b.graph.updates["w"] = b.emit("Sub", w, x)
    weights = np.float32([10, 20, 30])
    run = prepare(b.graph, {"w": weights})
    result = run.run({"x": np.float32([1, 2, 3])})
    np.testing.assert_array_equal(result["before"], [10, 40, 90])
    np.testing.assert_array_equal(weights, [9, 18, 27])
    run.run({"x": np.float32([1, 2, 3])})
    np.testing.assert_array_equal(weights, [8, 16, 24])


def test_states_that_change_places():
    b = builder()
    first, second = b.state("a", f32(2)), b.state("b", f32(2))
    b.graph.updates = {"a": second, "b": first}
    state = {"a": np.float32([1, 2]), "b": np.float32([3, 4])}
    run = prepare(b.graph, state)
    run.run({})
    np.testing.assert_array_equal(state["a"], [3, 4])
    np.testing.assert_array_equal(state["b"], [1, 2])


def test_the_old_state_is_read_to_the_end():
    # `late` reads w after the new value could already have been written.
    b = builder()
    w = b.state("w", f32(2))
    new = b.emit("Neg", w)
    late = b.emit("Add", b.emit("Exp", new), w)
    view = b.emit("Reshape", w, shape=(2, 1))
    b.graph.updates["w"] = new
    b.graph.outputs = {"late": late, "view": view}
    state = {"w": np.float32([1, 2])}
    result = prepare(b.graph, state).run({})
    np.testing.assert_allclose(result["late"], np.exp([-1, -2]) + [1, 2], rtol=1e-6)
    np.testing.assert_array_equal(result["view"], [[1], [2]])
    np.testing.assert_array_equal(state["w"], [-1, -2])


def test_an_update_that_is_a_view_of_the_state():
    b = builder()
    w = b.state("w", f32(2, 2))
    b.graph.updates["w"] = b.emit("Transpose", w, perm=(1, 0))
    state = {"w": np.float32([[1, 2], [3, 4]])}
    run = prepare(b.graph, state)
    run.run({})
    np.testing.assert_array_equal(state["w"], [[1, 3], [2, 4]])


def test_an_in_place_write_spares_views_that_are_still_read():
    b = builder()
    x = b.input("x", f32(2, 3))
    y = b.emit("Exp", x)
    flat = b.emit("Reshape", y, shape=(6,))
    twice = b.emit("Neg", y)  # y's buffer is still seen through `flat`
    b.graph.outputs = {"flat": b.emit("Add", flat, b.constant(np.float32(0.5))), "twice": twice}
    data = np.arange(6, dtype="float32").reshape(2, 3)
    result = prepare(b.graph).run({"x": data})
    np.testing.assert_allclose(result["flat"], np.exp(data).ravel() + 0.5, rtol=1e-6)
    np.testing.assert_allclose(result["twice"], -np.exp(data), rtol=1e-6)


UNARY = ("Neg", "Abs", "Relu", "Sigmoid", "Tanh", "Identity")


@st.composite
def programs(draw):
    """A random program over (2, 3) and (3, 2) arrays: unary and binary ops, transposes, shared and dead values."""
    return [
        (
            draw(st.sampled_from(["unary", "binary", "transpose", "state"])),
            draw(st.integers(0, 99)),
            draw(st.integers(0, 99)),
        )
        for _ in range(draw(st.integers(1, 25)))
    ]


@settings(max_examples=150, deadline=None)
@given(programs(), st.integers(0, 2**32 - 1))
def test_plans_compute_what_single_ops_compute(program, seed):
    rng = np.random.default_rng(seed)
    b = builder()
    values = [b.input("x", f32(2, 3))]
    state = {"w": rng.standard_normal((2, 3)).astype("float32")}
    values.append(b.state("w", f32(2, 3)))
    for kind, i, j in program:
        x = values[i % len(values)]
        if kind == "unary":
            values.append(b.emit(UNARY[j % len(UNARY)], x))
        elif kind == "transpose":
            values.append(b.emit("Transpose", x, perm=(1, 0)))
        elif kind == "binary":
            partners = [v for v in values if v.type == x.type]
            values.append(b.emit("Add" if j % 2 else "Mul", x, partners[j % len(partners)]))
        elif x.type.shape == (2, 3):
            b.graph.updates["w"] = x
    b.graph.outputs = {f"out{i}": v for i, v in enumerate(values) if i % 3 == 0 or i == len(values) - 1}
    feed = rng.standard_normal((2, 3)).astype("float32")
    known = {}
    for node in b.graph.nodes():
        if node.op == "Input":
            known[node.output] = feed
        elif node.op == "State":
            known[node.output] = state["w"].copy()
        else:
            known[node.output] = evaluate_op(node.op, [known[v] for v in node.inputs], node.attributes)[0]
    expected_state = known[b.graph.updates["w"]].copy() if b.graph.updates else state["w"].copy()
    run = prepare(b.graph, state)
    result = run.run({"x": feed})
    for name, value in b.graph.outputs.items():
        np.testing.assert_array_equal(result[name], known[value])
    np.testing.assert_array_equal(state["w"], expected_state)


@pytest.mark.parametrize(
    ("feeds", "error", "words"),
    [
        ({}, ArgumentError, "No value was given for input 'x'"),
        ({"x": np.zeros((2, 3), "float32"), "z": np.zeros(1)}, ArgumentError, "no input 'z'"),
        ({"x": np.zeros((2, 4), "float32")}, ShapeError, "axis 1"),
        ({"x": np.zeros(3, "float32")}, ShapeError, "rank 2"),
    ],
)
def test_wrong_feeds_are_refused(feeds, error, words):
    b = builder()
    b.graph.outputs["y"] = b.emit("Neg", b.input("x", f32("batch", 3)))
    with pytest.raises(error, match=words):
        prepare(b.graph).run(feeds)


def test_a_wrong_dtype_is_refused():
    b = builder()
    b.graph.outputs["y"] = b.emit("Neg", b.input("x", f32(2)))
    with pytest.raises(DTypeError, match="float64"):
        prepare(b.graph).run({"x": np.zeros(2)})


def test_inputs_that_share_a_dim_must_agree():
    b = builder()
    x, y = b.input("x", f32("batch", 2)), b.input("y", f32("batch", 3))
    b.graph.outputs["z"] = b.emit("Concat", x, y, axis=1)
    with pytest.raises(ShapeError, match=r"'batch' is 4 .*'x' and 5 .*'y'"):
        prepare(b.graph).run({"x": np.zeros((4, 2), "float32"), "y": np.zeros((5, 3), "float32")})


def test_a_missing_state_is_named():
    b = builder()
    b.graph.outputs["y"] = b.emit("Neg", b.state("block/w", f32(2)))
    with pytest.raises(GraphError, match="block/w"):
        prepare(b.graph)


def test_an_error_at_run_time_names_the_node_and_its_layer():
    b = builder()
    data, index = b.input("data", f32(3)), b.input("index", TensorType.of("int64", (1,)))
    with b.origin(Origin("encoder/lookup", "model.py", 12)):
        b.graph.outputs["y"] = b.emit("Gather", data, index, axis=0)
    with pytest.raises(ExecutionError, match=r"encoder/lookup.*model\.py:12"):
        prepare(b.graph).run({"data": np.zeros(3, "float32"), "index": np.array([7])})


def test_ten_thousand_nodes():
    b = builder()
    y = b.input("x", f32(2))
    for _ in range(10_000):
        y = b.emit("Neg", y)
    b.graph.outputs["y"] = y
    np.testing.assert_array_equal(prepare(b.graph).run({"x": np.float32([1, 2])})["y"], [1, 2])
