"""The reverse sweep: accumulation, broadcasting, paths, errors. Each op's own rule is checked in tests/ops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graphc.autodiff import gradient
from graphc.errors import GraphError, NotDifferentiableError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Origin
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops.opdef import NotDifferentiable, OpTable
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare


def build(**shapes):
    builder = Builder(Graph("test"), OPS)
    return builder, {n: builder.input(n, TensorType.of("float64", s)) for n, s in shapes.items()}


def run(builder, outputs, **feeds):
    builder.graph.outputs = outputs
    verify(builder.graph, OPS)
    return prepare(builder.graph).run({n: np.asarray(a, np.float64) for n, a in feeds.items()})


def test_a_value_used_several_times_sums_its_gradients():
    b, v = build(x=(3,))
    x = v["x"]
    y = b.emit("Add", b.emit("Mul", x, x), b.emit("Mul", b.emit("Mul", x, x), x))  # x**2 + x**3
    (g,) = gradient(b, y, [x])
    data = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(run(b, {"g": g}, x=data)["g"], 2 * data + 3 * data**2, rtol=1e-14)


@pytest.mark.parametrize(
    ("left", "right"), [((4, 3), (3,)), ((4, 1), (1, 3)), ((), (4, 3)), ((2, 1, 3), (4, 1)), ((0, 3), (3,))]
)
def test_broadcast_operands_get_gradients_of_their_own_shape(left, right):
    b, v = build(x=left, y=right)
    out = b.emit("Mul", v["x"], v["y"])
    gx, gy = gradient(b, out, [v["x"], v["y"]])
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(left), rng.standard_normal(right)
    result = run(b, {"gx": gx, "gy": gy}, x=x, y=y)
    full = np.broadcast_shapes(left, right)
    assert result["gx"].shape == left
    assert result["gy"].shape == right

    def summed(a, shape):
        a = np.broadcast_to(a, full)
        lead = len(full) - len(shape)
        a = a.sum(axis=tuple(range(lead)))
        return a.sum(axis=tuple(i for i, d in enumerate(shape) if d == 1 and a.shape[i] != 1), keepdims=True).reshape(
            shape
        )

    np.testing.assert_allclose(result["gx"], summed(y, left), rtol=1e-12)
    np.testing.assert_allclose(result["gy"], summed(x, right), rtol=1e-12)


@pytest.mark.parametrize(("rows", "others"), [(4, 4), (4, 1), (1, 4)])
def test_lengths_that_only_the_data_tells(rows, others):
    b, v = build(x=("n", 3), y=("m", 3))
    gx, gy = gradient(b, b.emit("Mul", v["x"], v["y"]), [v["x"], v["y"]])
    x, y = np.full((rows, 3), 2.0), np.full((others, 3), 5.0)
    result = run(b, {"gx": gx, "gy": gy}, x=x, y=y)
    assert result["gx"].shape == x.shape
    assert result["gy"].shape == y.shape
    assert result["gx"].sum() == pytest.approx(5.0 * 3 * max(rows, others))
    assert result["gy"].sum() == pytest.approx(2.0 * 3 * max(rows, others))


def test_seeds_weigh_several_results():
    b, v = build(x=(2,))
    x = v["x"]
    first, second = b.emit("Exp", x), b.emit("Neg", x)
    seeds = [b.constant(np.array([1.0, 2.0])), b.constant(np.array([10.0, 20.0]))]
    (g,) = gradient(b, [first, second], [x], seeds)
    data = np.array([0.3, -0.7])
    np.testing.assert_allclose(run(b, {"g": g}, x=data)["g"], np.exp(data) * [1, 2] - [10, 20], rtol=1e-14)


def test_gradient_with_respect_to_a_value_inside():
    b, v = build(x=(3,))
    inside = b.emit("Sin", v["x"])
    (g,) = gradient(b, b.emit("Mul", inside, inside), [inside])
    data = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(run(b, {"g": g}, x=data)["g"], 2 * np.sin(data), rtol=1e-14)


def test_no_dependence_gives_none():
    b, v = build(x=(3,), y=(3,))
    assert gradient(b, b.emit("Exp", v["x"]), [v["x"], v["y"]])[1] is None
    assert gradient(b, b.emit("Floor", v["x"]), [v["x"]]) == [None]
    (same,) = gradient(b, v["x"], [v["x"]])
    np.testing.assert_array_equal(run(b, {"g": same}, x=np.zeros(3), y=np.zeros(3))["g"], np.ones(3))


def test_third_derivative():
    b, v = build(x=(2,))
    value = b.emit("Exp", b.emit("Mul", v["x"], b.constant(2.0, dtype="float64")))
    for _ in range(3):
        (value,) = gradient(b, value, [v["x"]])
    data = np.array([0.1, -0.4])
    np.testing.assert_allclose(run(b, {"g": value}, x=data)["g"], 8 * np.exp(2 * data), rtol=1e-13)


def test_an_op_without_gradient_is_named_with_its_layer():
    # No op of the table takes floats to floats without a gradient, so one is made of Sin.
    rules = OpTable(
        [*(op for op in OPS.values() if op.name != "Sin"), replace(OPS["Sin"], vjp=NotDifferentiable("it may not"))]
    )
    b = Builder(Graph("test"), rules)
    x = b.input("x", TensorType.of("float64", (3,)))
    with b.origin(Origin("block/wave", "model.py", 7)):
        y = b.emit("Sin", x)
    with pytest.raises(NotDifferentiableError, match=r"Sin in node 'block/wave/Sin'.*model\.py:7.*it may not"):
        gradient(b, y, [x])
    assert gradient(b, b.emit("Exp", x), [x]) != [None]  # an op that is not on the way does no harm


def test_integers_have_no_gradient():
    b, v = build(x=(3,))
    index = b.emit("ArgMax", v["x"], axis=0, keepdims=False)
    with pytest.raises(GraphError, match="int64"):
        gradient(b, index, [v["x"]])
    b2, v2 = build(x=(3,))
    y = b2.emit("Cast", b2.emit("ArgMax", v2["x"], axis=0, keepdims=False), to="float64")
    assert gradient(b2, y, [v2["x"]]) == [None]


def test_a_seed_of_another_type_is_refused():
    b, v = build(x=(3,))
    with pytest.raises(GraphError, match="seed"):
        gradient(b, b.emit("Exp", v["x"]), [v["x"]], [b.constant(1.0, dtype="float64")])


def test_ten_thousand_nodes_deep():
    b, v = build(x=(2,))
    y = v["x"]
    for _ in range(10_000):
        y = b.emit("Sin", y)
    (g,) = gradient(b, y, [v["x"]])
    data = np.array([0.5, 1.0])
    expected, derivative = data.copy(), np.ones(2)
    for _ in range(10_000):
        derivative *= np.cos(expected)
        expected = np.sin(expected)
    np.testing.assert_allclose(run(b, {"g": g}, x=data)["g"], derivative, rtol=1e-10)
