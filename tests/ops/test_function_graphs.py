"""What the functions of `graphc.ops` do to a graph: the ops that they emit, named dims, states, and recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from function_cases.harness import ROWS, run_named

from graphc import ops
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.functional import FUNCTIONS
from graphc.ops.functional.tracing import TracedTensor, Tracer
from graphc.ops.functional.variable import Variable

PLAIN = {"convert_to_numpy", "dtype", "is_tensor", "ndim", "shape", "size"}
"""Functions that say something about a tensor: they are not recorded in a functional model."""


# -- the graph --------------------------------------------------------------------------------------------------------


def traced_ops(function: Callable[..., Any], *shapes: tuple[Any, ...], dtype: str = "float32") -> list[str]:
    """The ops that a function of traced tensors emits, in order, without inputs and constants."""
    graph = Graph("ops")
    tracer = Tracer(graph)
    inputs = [tracer.wrap(tracer.builder.input(f"x{i}", TensorType.of(dtype, shape))) for i, shape in enumerate(shapes)]
    with tracer.active():
        function(*inputs)
    return [node.op for node in graph.nodes() if node.op not in ("Input", "Constant")]


X = ("batch", 7, 6)
NATURAL: dict[str, tuple[Callable[..., Any], tuple[tuple[Any, ...], ...], list[str]]] = {
    "add": (lambda x: x + 1, (X,), ["Add"]),
    "subtract": (lambda x: 1 - x, (X,), ["Sub"]),
    "divide": (lambda x: x / 2, (X,), ["Div"]),
    "square": (ops.square, (X,), ["Mul"]),
    "power-2": (lambda x: x**2, (X,), ["Mul"]),
    "power-half": (lambda x: x**0.5, (X,), ["Sqrt"]),
    "rsqrt": (ops.rsqrt, (X,), ["Sqrt", "Reciprocal"]),
    "negative": (lambda x: -x, (X,), ["Neg"]),
    "compare": (lambda x: x > 0, (X,), ["Greater"]),
    "float64-array": (lambda x: x * np.ones(6), (X,), ["Mul"]),
    "clip": (lambda x: ops.clip(x, 0, 1), (X,), ["Clip"]),
    "relu": (ops.relu, (X,), ["Relu"]),
    "gelu": (ops.gelu, (X,), ["Gelu"]),
    "sum-all": (ops.sum, (X,), ["ReduceSum"]),
    "mean": (lambda x: ops.mean(x, axis=(1, 2)), (X,), ["ReduceMean"]),
    "argmax": (lambda x: ops.argmax(x, axis=-1), (X,), ["ArgMax", "Cast"]),
    "any": (lambda x: ops.any(x > 0, axis=-1), (X,), ["Greater", "ReduceMax"]),
    "softmax": (ops.softmax, (X,), ["Softmax"]),
    "softmax-two-last-axes": (lambda x: ops.softmax(x, (1, 2)), (X,), ["Reshape", "Softmax", "Reshape"]),
    "reshape": (lambda x: ops.reshape(x, (-1, 42)), (X,), ["Reshape"]),
    "reshape-same": (lambda x: ops.reshape(x, ops.shape(x)), (X,), []),
    "transpose-same": (lambda x: ops.transpose(x, (0, 1, 2)), (X,), []),
    "cast-same": (lambda x: ops.cast(x, "float32"), (X,), []),
    "concatenate": (lambda x, y: ops.concatenate([x, y], -1), (X, X), ["Concat"]),
    "concatenate-one": (lambda x: ops.concatenate([x]), (X,), []),
    "item": (lambda x: x[:, 0], (X,), ["Slice", "Squeeze"]),
    "item-everything": (lambda x: x[..., :], (X,), []),
    "items-of-two-axes": (lambda x: x[:, 0, 1:3], (X,), ["Slice", "Squeeze"]),
    "item-of-named-axis": (lambda x: x[0], (X,), ["Gather"]),
    "take": (lambda x: ops.take(x, np.int32([0, 2]), axis=1), (X,), ["Gather"]),
    "zeros-like": (lambda x: x + ops.zeros_like(x), (X,), ["Expand", "Add"]),
    "dense": (lambda x, w: ops.einsum("bti,io->bto", x, w), (X, (6, 4)), ["MatMul"]),
    "matmul": (lambda x, w: x @ w, (X, (6, 4)), ["MatMul"]),
    "dot": (ops.dot, (X, (6, 4)), ["MatMul"]),
    "tensordot": (lambda x, w: ops.tensordot(x, w, 1), (X, (6, 4)), ["MatMul"]),
    "scores": (lambda q, k: ops.einsum("btd,bsd->bts", q, k), (X, X), ["Transpose", "MatMul"]),
    "conv": (ops.conv, (("batch", 8, 8, 3), (3, 3, 3, 4)), ["Conv"]),
    "depthwise": (ops.depthwise_conv, (("batch", 8, 8, 3), (3, 3, 3, 2)), ["Reshape", "Conv"]),
    "max-pool": (lambda x: ops.max_pool(x, 2), (("batch", 8, 8, 3),), ["MaxPool"]),
    "layer-normalization": (ops.layer_normalization, (X, (6,), (6,)), ["LayerNormalization"]),
    "sparse-crossentropy": (
        lambda x: ops.sparse_categorical_crossentropy(np.int32([0, 1]), x, from_logits=True),
        ((2, 3),),
        ["SparseSoftmaxCrossEntropy"],
    ),
    "stop-gradient": (ops.stop_gradient, (X,), ["StopGradient"]),
}


@pytest.mark.parametrize("name", NATURAL)
def test_emits_few_and_natural_ops(name: str) -> None:
    function, shapes_, expected = NATURAL[name]
    assert traced_ops(function, *shapes_) == expected


WITH_DIMS: dict[str, tuple[Callable[..., Any], Any]] = {
    "as-number": (lambda x: ops.sum(x) / ops.shape(x)[0], ROWS.sum() / 3),
    "size-as-number": (lambda x: ops.sum(x) / ops.size(x), ROWS.mean()),
    "reshape": (lambda x: ops.reshape(x, (ops.shape(x)[1], -1)), ROWS.reshape(4, 3)),
    "reshape-product": (lambda x: ops.reshape(x, (ops.shape(x)[0] * ops.shape(x)[1],)), ROWS.ravel()),
    "broadcast-to": (lambda x: ops.broadcast_to(x[:1], ops.shape(x)), np.broadcast_to(ROWS[:1], (3, 4))),
    "zeros": (lambda x: ops.zeros((ops.shape(x)[0], 2)), np.zeros((3, 2))),
    "full": (lambda x: ops.full(ops.shape(x), 1.5), np.full((3, 4), 1.5)),
    "full-traced": (lambda x: ops.full(ops.shape(x), ops.max(x)), np.full((3, 4), 11.0)),
    "ones-like": (ops.ones_like, np.ones((3, 4))),
    "arange": (lambda x: ops.arange(ops.shape(x)[1]), np.arange(4)),
    "arange-bounds": (lambda x: ops.arange(1, ops.shape(x)[1], 2), np.arange(1, 4, 2)),
    "arange-float": (lambda x: ops.arange(ops.shape(x)[1], dtype="float32"), np.arange(4)),
    "eye": (lambda x: ops.eye(ops.shape(x)[0], ops.shape(x)[1], 1), np.eye(3, 4, 1)),
    "tri": (lambda x: ops.tri(ops.shape(x)[1], k=-1), np.tri(4, k=-1)),
    "slice": (lambda x: x[:, ops.shape(x)[1] // 2 :], ROWS[:, 2:]),
    "item": (lambda x: x[:, ops.shape(x)[1] - 2], ROWS[:, 2]),
    "last": (lambda x: x[:, -1], ROWS[:, -1]),
    "tile": (lambda x: ops.tile(x, (1, ops.shape(x)[0])), np.tile(ROWS, (1, 3))),
    "split-half": (lambda x: ops.split(x, 2, axis=1)[1], ROWS[:, 2:]),
    "computed-slice": (lambda x: ops.slice(x, (ops.argmax(x[:, 0]), 0), (1, ops.shape(x)[1])), ROWS[2:]),
    "repeat": (lambda x: ops.repeat(x, 2, axis=1), ROWS.repeat(2, 1)),
    "causal-mask": (
        lambda x: ops.arange(ops.shape(x)[0])[:, None] >= ops.arange(ops.shape(x)[1]),
        np.arange(3)[:, None] >= np.arange(4),
    ),
}


@pytest.mark.parametrize("name", WITH_DIMS)
def test_dims_are_lengths_and_numbers(name: str) -> None:
    function, answer = WITH_DIMS[name]
    result = run_named(function, ROWS)
    assert result.shape == np.shape(answer)
    np.testing.assert_allclose(np.asarray(result, float), np.asarray(answer, float), 1e-6)


def test_shape_names_what_is_not_known() -> None:
    x = Tracer(Graph("shape")).wrap(Graph("x").add_node("x", (), {}, [TensorType.of("float32", ("batch", 3))]).output)
    assert (ops.shape(x), ops.ndim(x), ops.size(x), ops.dtype(x)) == (("batch", 3), 2, Dim("3*batch"), "float32")
    assert (ops.shape(ROWS), ops.ndim(ROWS), ops.size(ROWS), ops.dtype(ROWS)) == ((3, 4), 2, 12, "float32")
    assert (ops.shape(1.5), ops.dtype(1.5), ops.dtype([1, 2])) == ((), "float32", "int32")


def test_variables_are_operands() -> None:
    weight = Variable(np.float32([2, 3]), name="w")
    np.testing.assert_array_equal(ops.multiply(weight, 2), [4, 6])
    copy = ops.convert_to_tensor(weight)
    weight.assign([5, 6])
    np.testing.assert_array_equal(copy, [2, 3])
    graph = Graph("variables")
    tracer = Tracer(graph)
    with tracer.active():
        doubled = ops.multiply(weight, 2)
        also = ops.full((3, 2), weight)
    assert isinstance(doubled, TracedTensor)
    assert isinstance(also, TracedTensor)
    assert [node.op for node in graph.nodes()] == ["State", "Constant", "Mul", "Expand"]


def test_what_is_a_tensor() -> None:
    assert ops.is_tensor(np.ones(2))
    assert not ops.is_tensor([1, 2])
    assert not ops.is_tensor(Variable(1.0))
    assert type(ops.convert_to_numpy([1, 2])) is np.ndarray


# -- recording --------------------------------------------------------------------------------------------------------


class Symbolic:
    """What a functional model's tensors look like to the functions."""

    is_symbolic = True
    dtype = "float32"

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []

    def record(self, function: Any, args: Any, kwargs: Any) -> str:
        self.calls.append((function, args, kwargs))
        return "recorded"


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - PLAIN))
def test_calls_with_symbolic_tensors_are_recorded(name: str) -> None:
    symbol = Symbolic()
    nested = {"axis": [{"deep": symbol}]}
    assert FUNCTIONS[name](symbol) == FUNCTIONS[name](1, x=2, **nested) == "recorded"
    assert symbol.calls == [(FUNCTIONS[name], (symbol,), {}), (FUNCTIONS[name], (1,), {"x": 2, **nested})]
    assert FUNCTIONS[FUNCTIONS[name].__name__] is FUNCTIONS[name]  # how a saved model finds it again


def test_the_table_is_what_ops_exports() -> None:
    assert sorted(FUNCTIONS) == sorted(ops.__all__)
    for name, function in FUNCTIONS.items():
        assert getattr(ops, name) is function
        assert function.__doc__, name
