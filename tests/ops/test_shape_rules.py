"""What the table of cases cannot say of products, reductions, movements and softmax: named lengths, refusals, edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from op_cases.case import Array
from op_cases.onnx_runtime import run_onnx

from graphc.autodiff import gradient
from graphc.errors import ArgumentError, DTypeError, ExecutionError, GraphcError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.ops.slicing import TO_END, TO_START, slice_span
from graphc.runtimes.numpy_runtime import prepare

F32, I64 = "float32", "int64"
Operand = tuple[str, tuple[object, ...]]


def build(op: str, operands: list[Operand], **attributes: Any) -> tuple[Graph, Builder]:
    """A graph of one node with inputs ``x0``, ``x1`` ... and outputs ``y0``, ``y1`` ..."""
    graph = Graph(op)
    builder = Builder(graph, OPS)
    node = builder.emit_node(
        op, [builder.input(f"x{i}", TensorType.of(*operand)) for i, operand in enumerate(operands)], **attributes
    )
    graph.outputs = {f"y{i}": value for i, value in enumerate(node.outputs)}
    return graph, builder


def f32(*shapes: tuple[object, ...]) -> list[Operand]:
    """Float operands of these shapes."""
    return [(F32, shape) for shape in shapes]


NAMED: list[tuple[str, list[Operand], dict[str, Any], str]] = [
    ("MatMul", f32(("batch", 784), (784, 10)), {}, "[batch, 10]"),
    ("MatMul", f32(("batch", "time", 8), (8, 3)), {}, "[batch, time, 3]"),
    ("MatMul", f32(("batch", 2, 3), ("n", 3, 4)), {}, "[max(batch, n), 2, 4]"),
    ("Gemm", f32(("batch", 784), (10, 784), (10,)), {"trans_b": 1}, "[batch, 10]"),
    ("Reshape", f32(("batch", 4, 6)), {"shape": (-1, 24)}, "[batch, 24]"),
    ("Reshape", f32(("batch", 4, 6)), {"shape": ("batch", -1)}, "[batch, 24]"),
    ("Reshape", f32(("batch", "time", 8)), {"shape": (-1, 8)}, "[batch*time, 8]"),
    ("Reshape", f32(("batch", "time", 8)), {"shape": ("batch", "time", 2, -1)}, "[batch, time, 2, 4]"),
    ("Reshape", f32(("batch", 3)), {"shape": (-1, 4)}, "[(3*batch) // 4, 4]"),
    ("Reshape", f32(("batch", 3)), {"shape": (32, 3)}, "[32, 3]"),
    ("Slice", f32(("height", 3)), {"starts": (1,), "ends": (-1,)}, "[height - 2, 3]"),
    ("Slice", f32(("time", 3)), {"starts": (0,), "ends": (5,)}, "[min(5, time), 3]"),
    ("Slice", f32(("time", 3)), {"starts": (-5,), "ends": (TO_END,)}, "[min(5, time), 3]"),
    ("Slice", f32(("time", 3)), {"starts": (0,), "ends": (Dim("time") // 2,)}, "[time // 2, 3]"),
    ("Slice", f32(("time",)), {"starts": (TO_END,), "ends": (TO_START,), "steps": (-1,)}, "[time]"),
    ("Slice", f32(("time",)), {"starts": (0,), "ends": (TO_END,), "steps": (2,)}, "[(time + 1) // 2]"),
    ("Slice", f32(("time",)), {"starts": (3,), "ends": (1,)}, "[0]"),
    ("Concat", f32(("batch", 3), ("batch", 4)), {"axis": 1}, "[batch, 7]"),
    ("Concat", f32(("a", 3), ("b", 3)), {"axis": 0}, "[a + b, 3]"),
    ("Concat", f32(("batch", 3), (32, 3)), {"axis": 1}, "[32, 6]"),
    ("Gather", [(F32, (100, 8)), ("int32", ("batch", "time"))], {}, "[batch, time, 8]"),
    ("Pad", f32(("batch", "height")), {"pads": (0, 1, 0, 2)}, "[batch, height + 3]"),
    ("Tile", f32(("batch", 3)), {"repeats": (2, 4)}, "[2*batch, 12]"),
    ("Expand", f32((1, 3)), {"shape": ("batch", 3)}, "[batch, 3]"),
    ("ReduceMean", f32(("batch", 3, "time")), {"axes": (0, -1), "keepdims": False}, "[3]"),
    ("SumToShape", f32((Dim("max(a, b)"), 4), ("a", 1)), {}, "[a, 1]"),
    ("OneHot", [(I64, ("batch",))], {"depth": 10}, "[batch, 10]"),
    ("Iota", [], {"dim": "time"}, "[time]"),
    ("SparseSoftmaxCrossEntropy", [(F32, ("batch", 10)), (I64, ("batch",))], {}, "[batch]"),
]


@pytest.mark.parametrize(
    ("op", "operands", "attributes", "shape"), [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(NAMED)]
)
def test_named_lengths_stay_readable(op: str, operands: list[Operand], attributes: dict[str, Any], shape: str) -> None:
    graph, _ = build(op, operands, **attributes)
    assert str(graph.outputs["y0"].type).partition("[")[2] == shape[1:]


REFUSALS: list[tuple[str, list[Operand], dict[str, Any], type[GraphcError], str]] = [
    ("MatMul", f32(("batch", 784), (64, 10)), {}, ShapeError, "784 is not 64"),
    ("MatMul", f32((3,), (4,)), {}, ShapeError, "the only axis of y"),
    ("MatMul", f32(("h", "w"), (Dim("w") + 1, 3)), {}, ShapeError, "one length"),
    ("MatMul", f32((), (3,)), {}, ShapeError, "at least one axis"),
    ("MatMul", f32((2, 3, 4), (5, 4, 6)), {}, ShapeError, "before the last two"),
    ("MatMul", [("int8", (3, 4)), ("int8", (4, 5))], {}, DTypeError, "int32, int64"),
    ("Gemm", f32((2, 3, 4), (4, 5)), {}, ShapeError, "a must have rank 2"),
    ("Gemm", f32((3, 4), (5, 6)), {"trans_b": 1}, ShapeError, "b float32.*|4 is not 6"),
    ("Gemm", f32((3, 4), (4, 5), (4,)), {}, ShapeError, "c must broadcast"),
    ("Gemm", f32((3, 4), (4, 5), (1, 3, 5)), {}, ShapeError, "c must broadcast"),
    ("ReduceSum", f32((3, 4)), {"axes": (2,)}, ShapeError, "ReduceSum: axis 2 is out of range"),
    ("ReduceSum", f32((3, 4)), {"axes": (0, -2)}, ShapeError, "twice"),
    ("ReduceSum", [("bool", (3,))], {}, DTypeError, "int8"),
    ("ReduceMean", [(I64, (3,))], {}, DTypeError, "float16"),
    ("ArgMax", f32((3, 0)), {"axis": 1}, ShapeError, "no elements"),
    ("ArgMin", f32(()), {}, ShapeError, "at least one axis"),
    ("CumSum", f32((3,)), {"axis": 1}, ShapeError, "CumSum: axis 1"),
    ("SumToShape", f32((3, 4), (2,)), {}, ShapeError, "must broadcast"),
    ("SumToShape", f32((4,), (3, 4)), {}, ShapeError, "must broadcast"),
    ("ExpandLike", f32((3,), (2, 4)), {}, ShapeError, "must broadcast"),
    ("Reshape", f32((3, 4)), {"shape": (5, -1)}, ShapeError, "must divide"),
    ("Reshape", f32((3, 4)), {"shape": (5,)}, ShapeError, "12 elements"),
    ("Reshape", f32((3, 4)), {"shape": (-1, -1)}, ShapeError, "only one may be -1"),
    ("Reshape", f32((3, 4)), {"shape": (-2, 6)}, ShapeError, "must not be negative"),
    ("Reshape", f32((3, 0)), {"shape": (0, -1)}, ShapeError, "any length"),
    (
        "Reshape",
        f32(("batch", 4)),
        {"shape": ("batch", 5)},
        ShapeError,
        r"4\*batch elements, and \[batch, 5\] has 5\*batch",
    ),
    ("Reshape", f32(("batch", 4)), {"shape": ("batch", -1, 3)}, ShapeError, "must divide"),
    ("Transpose", f32((3, 4)), {"perm": (0,)}, ShapeError, "each of the 2 axes"),
    ("Transpose", f32((3, 4)), {"perm": (0, 0)}, ShapeError, "twice"),
    ("Squeeze", f32((3, 1)), {"axes": (0,)}, ShapeError, "it has 3"),
    ("Squeeze", f32(("batch", 1)), {"axes": (0,)}, ShapeError, "it has batch"),
    ("Unsqueeze", f32((3,)), {"axes": (3,)}, ShapeError, "out of range"),
    ("Expand", f32((3,)), {"shape": (4,)}, ShapeError, "Expand"),
    ("Expand", f32((3,)), {"shape": (-1, 3)}, ShapeError, "negative"),
    ("Tile", f32((3, 4)), {"repeats": (2,)}, ShapeError, "for each axis"),
    ("Concat", f32((3, 4), (3, 5)), {"axis": 0}, ShapeError, "except along axis 0"),
    ("Concat", f32((3, 4), (3,)), {"axis": 0}, ShapeError, "except along axis 0"),
    ("Concat", f32(("h", 4), (Dim("h") - 2, 4)), {"axis": 1}, ShapeError, "except along axis 1"),
    ("Split", f32((5, 2)), {"sizes": (2, 2)}, ShapeError, "add up to 5"),
    ("Slice", f32((5,)), {"starts": (0,), "ends": (1, 2)}, ArgumentError, "1 starts, 2 ends"),
    ("Slice", f32((5,)), {"starts": (0,), "ends": (1,), "steps": (0,)}, ArgumentError, "must not be 0"),
    ("Slice", f32((5,)), {"starts": (0, 0), "ends": (1, 1)}, ShapeError, "2 axes are cut"),
    ("Pad", f32((5, 2)), {"pads": (1, 1)}, ShapeError, "4 numbers"),
    ("Pad", f32((5,)), {"pads": (-3, -3)}, ShapeError, "more .* than there is"),
    ("Pad", f32((3,)), {"pads": (3, 0), "mode": "reflect"}, ShapeError, "too short"),
    ("Pad", f32((3,)), {"pads": (-1, 0), "mode": "edge"}, ShapeError, "negative pads"),
    ("Pad", f32((3,)), {"pads": (1, 0), "mode": "wrap"}, ArgumentError, "reflect"),
    ("Trilu", f32((3,)), {}, ShapeError, "two axes"),
    ("Gather", [(F32, (3,)), ("int8", (2,))], {}, DTypeError, "indices"),
    ("GatherGrad", [(I64, (4,)), (F32, (3, 2))], {"size": 5}, ShapeError, "the axes of indices"),
    ("GatherElements", [(F32, (3, 4)), (I64, (3, 5))], {}, ShapeError, "no axis but 0"),
    ("ScatterElementsAdd", [(I64, (2, 4)), (F32, (3, 4))], {"shape": (3, 4)}, ShapeError, "the shape of indices"),
    ("OneHot", [(F32, (3,))], {"depth": 4}, DTypeError, "indices"),
    ("Softmax", [(I64, (3,))], {}, DTypeError, "float16"),
    ("Softmax", f32((3,)), {"axis": 1}, ShapeError, "Softmax: axis 1"),
    ("SparseSoftmaxCrossEntropy", [(F32, (6, 5)), (I64, (5,))], {}, ShapeError, r"int64\[6\]"),
    ("SparseSoftmaxCrossEntropy", [(F32, (6, 5)), (F32, (6,))], {}, DTypeError, "labels"),
]


@pytest.mark.parametrize(
    ("op", "operands", "attributes", "error", "words"),
    [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(REFUSALS)],
)
def test_wrong_operands_are_refused_with_a_reason(
    op: str, operands: list[Operand], attributes: dict[str, Any], error: type[GraphcError], words: str
) -> None:
    with pytest.raises(error, match=words):
        build(op, operands, **attributes)


# -- what only the data can tell --------------------------------------------------------------------------------------

MISFITS: list[tuple[str, list[Operand], dict[str, Any], list[Array], str]] = [
    ("MatMul", f32((2, "k"), (4, 3)), {}, [np.ones((2, 5)), np.ones((4, 3))], "MatMul"),
    ("Reshape", f32(("batch", 3)), {"shape": (-1, 4)}, [np.ones((2, 3))], "6 elements"),
    ("Concat", f32(("a", 3), ("b", 3)), {"axis": 1}, [np.ones((2, 3)), np.ones((4, 3))], "Concat"),
    ("Split", f32(("n",)), {"sizes": (2, 3)}, [np.ones(6)], "add up to 5"),
    ("Gather", [(F32, (5,)), (I64, (2,))], {}, [np.ones(5), np.array([0, 5])], "-5 to 4; got indices from 0 to 5"),
    ("Gather", [(F32, (5,)), (I64, (2,))], {}, [np.ones(5), np.array([-6, 0])], "-5 to 4"),
    ("GatherGrad", [(I64, (2,)), (F32, (2,))], {"size": 5}, [np.array([0, 5]), np.ones(2)], "-5 to 4"),
    ("GatherElements", [(F32, (5,)), (I64, (2,))], {}, [np.ones(5), np.array([0, 5])], "-5 to 4"),
    ("ScatterElementsAdd", [(I64, (2,)), (F32, (2,))], {"shape": (5,)}, [np.array([0, 5]), np.ones(2)], "-5 to 4"),
    ("Pad", f32(("n",)), {"pads": (3, 0), "mode": "reflect"}, [np.ones(3)], "too short"),
    ("Pad", f32(("n",)), {"pads": (1, 0), "mode": "edge"}, [np.ones(0)], "too short"),
    ("Pad", f32(("n",)), {"pads": (-3, 2)}, [np.ones(2)], "more"),
    ("ArgMax", f32(("n",)), {}, [np.ones(0)], "no elements"),
    ("SumToShape", f32(("n", 3), ("m", 3)), {}, [np.ones((4, 3)), np.ones((2, 3))], "cannot be summed"),
    ("SparseSoftmaxCrossEntropy", [(F32, (2, 3)), (I64, (2,))], {}, [np.ones((2, 3)), np.array([0, 3])],
     "0 to 2 .*from 0 to 3"),
    ("SparseSoftmaxCrossEntropy", [(F32, (2, 3)), ("int32", (2,))], {}, [np.ones((2, 3)), np.array([0, -1])],
     "from -1"),
    ("SparseSoftmaxCrossEntropy", [(F32, (2, 300)), ("int8", (2,))], {}, [np.ones((2, 300)), np.array([0, -1])],
     "from -1"),
    ("SparseSoftmaxCrossEntropyGrad", [(F32, (2, 3)), (I64, (2,)), (F32, (2,))], {},
     [np.ones((2, 3)), np.array([0, 3]), np.ones(2)], "from 0 to 3"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "operands", "attributes", "arrays", "words"),
    [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(MISFITS)],
)
def test_data_that_does_not_fit_is_an_error(
    op: str, operands: list[Operand], attributes: dict[str, Any], arrays: list[Array], words: str
) -> None:
    graph, _ = build(op, operands, **attributes)
    feeds = {f"x{i}": x.astype(dtype) for i, (x, (dtype, _)) in enumerate(zip(arrays, operands, strict=True))}
    with pytest.raises((GraphcError, ExecutionError), match=words):
        prepare(graph).run(feeds)


@pytest.mark.parametrize("length", [2, 3, 4, 7, 8])
@pytest.mark.parametrize("bounds", [(1, -1, 1), (0, 5, 1), (-5, TO_END, 1), (-3, -1, 2), (TO_END, TO_START, -1),
                                    (-1, 0, -2), (TO_END, 1, -3), (5, TO_START, -2), (0, TO_END, 3)])  # fmt: skip
def test_span_of_a_named_axis_is_the_span_of_its_length(length: int, bounds: tuple[int, int, int]) -> None:
    start, end, step = bounds
    graph, _ = build("Slice", f32(("n",)), starts=(start,), ends=(end,), steps=(step,))
    x = np.arange(length, dtype=F32)
    known = slice_span(length, start, end, step)
    found = prepare(graph).run({"x0": x})["y0"]
    np.testing.assert_array_equal(found, x[start:end:step])
    assert found.shape == (known.count,)
    assert TensorType(F32, graph.outputs["y0"].type.shape).substitute({"n": length}).shape == found.shape


@pytest.mark.parametrize(("a", "b"), [(4, 4), (4, 1), (1, 4)])
def test_gradient_of_a_broadcast_that_only_the_data_decides(a: int, b: int) -> None:
    graph = Graph("unknown")
    builder = Builder(graph, OPS)
    x = builder.input("x", TensorType.of("float64", ("a", 3)))
    y = builder.input("y", TensorType.of("float64", ("b", 3)))
    product = builder.emit("Mul", x, y)
    by_x, by_y = gradient(builder, builder.emit("ReduceSum", product), [x, y])
    assert by_x is not None
    assert by_y is not None
    (second,) = gradient(builder, builder.emit("ReduceSum", by_x), [y])
    assert second is not None
    graph.outputs = {"by_x": by_x, "by_y": by_y, "second": second}
    feeds = {"x": np.arange(3.0 * a).reshape(a, 3), "y": np.arange(3.0 * b).reshape(b, 3) + 1}
    n = max(a, b)
    ones = np.ones((n, 3))
    wanted = [
        (ones * feeds["y"]).reshape(n // a, a, 3).sum(0) if a != 1 else (ones * feeds["y"]).sum(0, keepdims=True),
        (ones * feeds["x"]).reshape(n // b, b, 3).sum(0) if b != 1 else (ones * feeds["x"]).sum(0, keepdims=True),
        np.full((b, 3), n / b),
    ]
    for results in (list(prepare(graph).run(feeds).values()), run_onnx(graph, feeds)):
        for result, answer in zip(results, wanted, strict=True):
            np.testing.assert_array_equal(result, answer)


# -- choices that the cases stay away from ----------------------------------------------------------------------------


def gradient_of_sum(op: str, x: Array, **attributes: Any) -> Array:
    """The gradient of the sum of an op's result."""
    graph, builder = build(op, [(x.dtype.name, x.shape)], **attributes)
    (g,) = gradient(builder, graph.outputs["y0"], graph.inputs)
    assert g is not None
    graph.outputs = {"g": g}
    return prepare(graph).run({"x0": x})["g"]


@pytest.mark.parametrize(("op", "sign"), [("ReduceMax", 1.0), ("ReduceMin", -1.0)])
def test_equal_extremes_share_the_gradient(op: str, sign: float) -> None:
    x = sign * np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [1.0, 0.0, 5.0]])
    shares = [[0, 1 / 2, 1 / 2], [1 / 3, 1 / 3, 1 / 3], [0, 0, 1]]
    np.testing.assert_allclose(gradient_of_sum(op, x, axes=(1,)), shares)


def test_softmax_of_constant_rows_is_uniform_in_place() -> None:
    graph, builder = build("Softmax", f32((3, 4)))
    graph.outputs = {"y": builder.emit("Softmax", builder.emit("Neg", graph.outputs["y0"]))}
    np.testing.assert_allclose(prepare(graph).run({"x0": np.full((3, 4), 1e4, F32)})["y"], 0.25)


def test_sums_over_repeated_indices_repeat_bit_for_bit() -> None:
    random = np.random.default_rng(1)
    feeds = {"x0": random.integers(0, 3, 5000), "x1": random.standard_normal((5000, 4)).astype(F32)}
    graph, _ = build("GatherGrad", [(I64, (5000,)), (F32, (5000, 4))], size=3)
    executable = prepare(graph)
    first = executable.run(feeds)["y0"].copy()
    np.testing.assert_array_equal(executable.run(feeds)["y0"], first)
    np.testing.assert_allclose(
        first, [feeds["x1"][feeds["x0"] == i].sum(0, dtype="float64") for i in range(3)], rtol=1e-4
    )
