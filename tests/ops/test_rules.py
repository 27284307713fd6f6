"""What the table of cases cannot say of the element-wise families: refusals, gradients at kinks, and edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from op_cases.case import Array

from graphc.autodiff import gradient
from graphc.errors import ArgumentError, DTypeError, GraphcError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare

F32, BOOL = "float32", "bool"


def gradients(op: str, *operands: Array, **attributes: Any) -> list[Array | None]:
    """The gradient of the sum of the op's result by each operand."""
    graph = Graph(op)
    builder = Builder(graph, OPS)
    values = [builder.input(f"x{i}", TensorType.of(x.dtype, x.shape)) for i, x in enumerate(operands)]
    wrt = [v for v in values if v.type.dtype.startswith("float")]
    result = builder.emit(op, *values, **attributes)
    grads = gradient(builder, result, wrt)
    graph.outputs = {v.name: g for v, g in zip(wrt, grads, strict=True) if g is not None}
    if not graph.outputs:
        return [None] * len(wrt)
    found = prepare(graph).run({f"x{i}": x for i, x in enumerate(operands)})
    return [found.get(v.name) for v in wrt]


REFUSALS: list[tuple[str, list[tuple[str, tuple[object, ...]]], dict[str, Any], type[GraphcError], str]] = [
    ("Add", [(F32, (3, 4)), ("float64", (3, 4))], {}, DTypeError, "one dtype"),
    ("Add", [(F32, (3, 4)), (F32, (3, 5))], {}, ShapeError, r"Add: .*\[3, 4\].*\[3, 5\]"),
    ("Add", [(BOOL, (3,)), (BOOL, (3,))], {}, DTypeError, "got bool"),
    ("Sqrt", [("int32", (3,))], {}, DTypeError, "float32"),
    ("PRelu", [(F32, (3, 1)), (F32, (3, 4))], {}, ShapeError, "slope must broadcast to x"),
    ("ReluGrad", [(F32, (3, 1)), (F32, (3, 4))], {}, ShapeError, "one shape"),
    ("And", [(F32, (3,)), (F32, (3,))], {}, DTypeError, "bool"),
    ("IsNaN", [("int32", (3,))], {}, DTypeError, "float16, float32, float64"),
    ("BitwiseAnd", [(F32, (3,)), (F32, (3,))], {}, DTypeError, "int8"),
    ("BitShift", [("int32", (3,)), ("int32", (3,))], {"direction": "LEFT"}, DTypeError, "uint8"),
    ("BitShift", [("uint8", (3,)), ("uint8", (3,))], {"direction": "UP"}, ArgumentError, "LEFT"),
    ("BitShift", [("uint8", (3,)), ("uint8", (3,))], {}, ArgumentError, "needs attribute 'direction'"),
    ("Gelu", [(F32, (3,))], {"approximate": "erf"}, ArgumentError, "tanh"),
    ("Where", [(F32, (3,)), (F32, (3,)), (F32, (3,))], {}, DTypeError, "condition"),
    ("Where", [(BOOL, (3,)), (F32, (3,)), ("float64", (3,))], {}, DTypeError, "one dtype"),
    ("Where", [(BOOL, (2,)), (F32, (3,)), (F32, (3,))], {}, ShapeError, r"Where: .*\[2\]"),
    ("Clip", [(F32, (3,)), (F32, (1,))], {}, ShapeError, "min must have rank 0"),
    ("Clip", [(F32, (3,)), ("float64", ())], {}, DTypeError, "one dtype"),
    ("Cast", [(F32, (3,))], {"to": "flaot32"}, ArgumentError, "'to' must be of kind dtype"),
    ("RandomBits", [("int32", (2,))], {"shape": (3,), "index": 0}, DTypeError, "uint32"),
    ("RandomBits", [("uint32", (3,))], {"shape": (3,), "index": 0}, ShapeError, "the seed and the step"),
    ("RandomUniform", [("uint32", (2,))], {"shape": (3,), "index": 0, "dtype": "int32"}, DTypeError, "float32"),
]


@pytest.mark.parametrize(
    ("op", "operands", "attributes", "error", "words"),
    [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(REFUSALS)],
)
def test_wrong_operands_are_refused_with_a_reason(
    op: str,
    operands: list[tuple[str, tuple[object, ...]]],
    attributes: dict[str, Any],
    error: type[GraphcError],
    words: str,
) -> None:
    builder = Builder(Graph("wrong"), OPS)
    values = [builder.input(f"x{i}", TensorType.of(*operand)) for i, operand in enumerate(operands)]
    with pytest.raises(error, match=words):
        builder.emit(op, *values, **attributes)


KINKS = [
    ("Relu", [[-1.0, 0.0, 2.0]], {}, [[0.0, 0.0, 1.0]]),
    ("LeakyRelu", [[-1.0, 0.0, 2.0]], {"alpha": 0.5}, [[0.5, 0.5, 1.0]]),
    ("Abs", [[-1.0, 0.0, 2.0]], {}, [[-1.0, 0.0, 1.0]]),
    ("Max", [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], {}, [[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]]),
    ("Min", [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], {}, [[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]),
    ("Clip", [[-2.0, -1.0, 0.5, 1.0, 2.0], -1.0, 1.0], {}, [[0.0, 1.0, 1.0, 1.0, 0.0], 1.0, 1.0]),
    ("Clip", [[-2.0, 0.5, 2.0], 1.0, -1.0], {}, [[0.0, 0.0, 0.0], 0.0, 3.0]),
    ("Pow", [[0.0, 0.0, 2.0], [0.0, 2.0, 0.0]], {}, [[0.0, 0.0, 0.0], [0.0, 0.0, np.log(2.0)]]),
    ("ThresholdedRelu", [[0.5, 1.0, 1.5]], {}, [[0.0, 0.0, 1.0]]),
]


@pytest.mark.parametrize(
    ("op", "operands", "attributes", "wanted"), [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(KINKS)]
)
def test_gradient_at_kinks_and_edges(
    op: str, operands: list[object], attributes: dict[str, Any], wanted: list[object]
) -> None:
    found = gradients(op, *(np.asarray(x, np.float64) for x in operands), **attributes)
    for grad, answer in zip(found, wanted, strict=True):
        assert grad is not None
        np.testing.assert_allclose(grad, np.asarray(answer, np.float64), atol=1e-15)


def test_gradient_of_where_stops_at_the_side_not_taken() -> None:
    by_x, by_y = gradients("Where", np.array([True, False]), np.array([1.0, np.nan]), np.array([np.inf, 2.0]))
    np.testing.assert_array_equal(by_x, [1.0, 0.0])
    np.testing.assert_array_equal(by_y, [0.0, 1.0])


def test_relu_gradient_is_zero_where_infinities_would_give_nan() -> None:
    (out,) = gradients("ReluGrad", np.array([np.inf, np.nan, 1.0]), np.array([0.0, 0.0, 1.0]))[:1]
    np.testing.assert_array_equal(out, [0.0, 0.0, 1.0])


@pytest.mark.parametrize("op", ["StopGradient", "Sign", "Floor", "Ceil", "Round"])
def test_no_gradient_passes(op: str) -> None:
    assert gradients(op, np.array([0.5, 1.5])) == [None]


def test_cast_gives_the_gradient_in_the_operands_dtype() -> None:
    (grad,) = gradients("Cast", np.array([0.5, 1.5], np.float16), to="float32")
    assert grad is not None
    assert grad.dtype == np.float16


def test_no_gradient_passes_through_integers() -> None:
    graph = Graph("steps")
    builder = Builder(graph, OPS)
    x = builder.input("x", TensorType.of("float32", (3,)))
    whole = builder.emit("Cast", x, to="int32")
    assert gradient(builder, builder.emit("Cast", whole, to="float32"), [x]) == [None]


def test_gradient_of_a_constant_power_needs_no_test_for_zero() -> None:
    graph = Graph("square")
    builder = Builder(graph, OPS)
    x = builder.input("x", TensorType.of("float32", (3,)))
    square = builder.emit("Pow", x, builder.constant(2.0))
    gradient(builder, square, [x])
    assert not graph.nodes_of("Equal")
