"""What the table of cases cannot say of convolution, pooling and normalization: named lengths, refusals, ties, numerics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from cases import CASES
from op_cases.case import Array, Case
from op_cases.harness import assert_close, case_ids, operands
from op_cases.onnx_runtime import run_onnx

from graphc.errors import ArgumentError, DTypeError, GraphcError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import evaluate_op, prepare

F32 = "float32"
Operand = tuple[object, ...] | None


def emit(op: str, shapes: Sequence[Operand], attributes: Mapping[str, Any], dtype: str = F32) -> tuple[Value, ...]:
    """The results of one node on inputs of these shapes."""
    builder = Builder(Graph(op), OPS)
    values = [
        None if shape is None else builder.input(f"x{i}", TensorType.of(dtype, shape)) for i, shape in enumerate(shapes)
    ]
    return builder.emit_node(op, values, **attributes).outputs


NHWC, NCHW = {"layout": "NHWC"}, {"layout": "NCHW"}
SAME = {"pads": "SAME_UPPER"}
TYPES: list[tuple[str, list[Operand], dict[str, Any], tuple[object, ...]]] = [
    ("Conv", [("batch", "h", "w", 3), (3, 2, 3, 8)], NHWC, ("batch", "h - 2", "w - 1", 8)),
    ("Conv", [("batch", 3, "time"), (8, 3, 4)], {**NCHW, "strides": (2,)}, ("batch", 8, "(time - 2) // 2")),
    ("Conv", [("batch", "h", 7, 3), (3, 3, 3, 8)], {**NHWC, **SAME}, ("batch", "h", 7, 8)),
    ("Conv", [("batch", "h", 7, 3), (3, 3, 3, 8)], {**NHWC, **SAME, "strides": (2, 2)}, ("batch", "(h + 1) // 2", 4, 8)),
    ("Conv", [("batch", "time", 4), (3, 4, 5)], {**NHWC, "dilations": (2,), "pads": (4, 0)}, ("batch", "time", 5)),
    ("ConvTranspose", [("batch", "h", 5, 3), (3, 3, 2, 3)], {**NHWC, **SAME, "strides": (2, 2)}, ("batch", "2*h", 10, 2)),
    ("ConvTranspose", [("batch", "h", 5, 3), (3, 3, 2, 3)], {**NHWC, "strides": (2, 2)}, ("batch", "2*h + 1", 11, 2)),
    ("ConvGradInput", [("batch", "h - 2", 5, 8), (3, 3, 4, 8)], {**NHWC, "dims": (Dim("h"), 7)}, ("batch", "h", 7, 4)),
    ("ConvGradWeight", [("batch", "h", 7, 4), ("batch", "h - 2", 5, 8)], {**NHWC, "kernel_shape": (3, 3)}, (3, 3, 4, 8)),
    ("MaxPool", [("batch", "h", 7, 4)], {**NHWC, "kernel_shape": (2, 2), "strides": (2, 2)}, ("batch", "h // 2", 3, 4)),
    ("AveragePool", [("b", 4, "h")], {**NCHW, "kernel_shape": (3,), "strides": (3,), **SAME}, ("b", 4, "(h + 2) // 3")),
    ("AveragePoolGrad", [("b", "h // 2", 4)], {**NHWC, "kernel_shape": (2,), "strides": (2,), "dims": (Dim("h"),)},
     ("b", "h", 4)),
    ("BatchNormalization", [("b", "h", 4), (4,), (4,), (4,), (4,)], {"axis": -1}, ("b", "h", 4)),
    ("LayerNormalization", [("b", "h", 4), (4,)], {}, ("b", "h", 4)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "shapes", "attributes", "wanted"), [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(TYPES)]
)
def test_named_lengths(op: str, shapes: list[Operand], attributes: dict[str, Any], wanted: tuple[object, ...]) -> None:
    assert str(emit(op, shapes, attributes)[0].type) == str(TensorType.of(F32, wanted))


REFUSALS: list[tuple[str, list[Operand], dict[str, Any], type[GraphcError], str]] = [
    ("Conv", [(2, 5, 3), (3, 4, 8)], NHWC, ShapeError, "has 3 channels, but a kernel of shape .* needs 4"),
    ("Conv", [(2, 5, 6), (3, 3, 7)], {**NHWC, "group": 2}, ShapeError, r"filters \(7\) must be divisible by 'group' \(2\)"),
    ("Conv", [(2, 5, 6), (3, 6, 7)], {**NHWC, "group": 0}, ArgumentError, "'group' must be a positive integer; got 0"),
    ("Conv", [(2, 2, 8, 3), (3, 3, 3, 4)], NHWC, ShapeError, r"no elements.*lengths \[2, 8\].*kernel \[3, 3\].*Use a larger"),
    ("Conv", [(5, 3), (3, 3, 8)], NHWC, ShapeError, "the input must have rank 3 to 5"),
    ("Conv", [(2, 5, 5, 3), (3, 3, 8)], NHWC, ShapeError, "the kernel must have rank 4"),
    ("Conv", [(2, 5, 3), ("k", 3, 8)], NHWC, ShapeError, "kernel's spatial shape must be known"),
    ("Conv", [(2, 5, 3), (3, 3, 8), (7,)], NHWC, ShapeError, r"bias must have shape \[8\]"),
    ("Conv", [(2, 5, 3), (3, 3, 8)], {**NHWC, "strides": (2, 2)}, ArgumentError, "'strides' must hold one positive integer"),
    ("Conv", [(2, 5, 3), (3, 3, 8)], {**NHWC, "dilations": (0,)}, ArgumentError, "'dilations'"),
    ("Conv", [(2, 5, 3), (3, 3, 8)], {**NHWC, "pads": (1, -1)}, ArgumentError, "'pads' must be \"SAME_UPPER\" or 2 integers"),
    ("Conv", [(2, 5, 3), (3, 3, 8)], {"layout": "NWC"}, ArgumentError, "'layout' must be one of"),
    ("Conv", [(2, 5, 3), (3, 3, 8)], {}, ArgumentError, "needs attribute 'layout'"),
    ("ConvTranspose", [(2, 5, 3), (3, 8, 4)], NHWC, ShapeError, "has 3 channels.*needs 4"),
    ("ConvTranspose", [(2, 5, 3), (3, 8, 3)], {**NHWC, "output_padding": (1,)}, ArgumentError, "below its stride"),
    ("ConvTranspose", [(2, 5, 3), (3, 8, 3)], {**NHWC, **SAME, "strides": (2,), "output_padding": (1,)}, ArgumentError,
     "has no place with pads"),
    ("ConvTranspose", [(2, 1, 3), (3, 8, 3)], {**NHWC, "pads": (2, 1)}, ShapeError, "no elements"),
    ("ConvGradInput", [(2, 4, 8), (3, 3, 8)], {**NHWC, "dims": (7,)}, ShapeError, r"spatial lengths \[5\].*got \[4\]"),
    ("ConvGradInput", [(2, 4, 8), (3, 3, 8)], {**NHWC, "dims": (7, 7)}, ArgumentError, "'dims' must hold one length"),
    ("ConvGradWeight", [(2, 7, 3), (3, 5, 8)], {**NHWC, "kernel_shape": (3,)}, ShapeError, "one batch size"),
    ("MaxPool", [(2, 7, 3)], {**NHWC, "kernel_shape": (2, 2)}, ArgumentError, "'kernel_shape' must hold one length"),
    ("MaxPool", [(2, 7, 3)], {**NHWC, "kernel_shape": (2,), "pads": (2, 0)}, ArgumentError, "smaller than the window"),
    ("MaxPool", [(2, 1, 3)], {**NHWC, "kernel_shape": (2,)}, ShapeError, "no elements"),
    ("MaxPoolGrad", [(2, 6, 3), (2, 3, 3), (2, 4, 3)], {**NHWC, "kernel_shape": (2,), "strides": (2,)}, ShapeError,
     r"the gradient must have shape \[2, 3, 3\]"),
    ("BatchNormalization", [(2, 5, 3), (3,), (3,), (4,), (3,)], {"axis": -1}, ShapeError, r"mean must have shape \[3\]"),
    ("BatchNormTraining", [(3,), (3,), (3,)], {"axis": 0}, ShapeError, "rank 2 at least"),
    ("BatchNormTraining", [(2, 3), (3,), (3,)], {"axis": 2}, ShapeError, "axis 2 is out of range"),
    ("LayerNormalization", [(2, 5, 3), (5,)], {}, ShapeError, r"scale must have the shape \[3\]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "shapes", "attributes", "error", "words"),
    [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(REFUSALS)],
)
def test_wrong_operands_are_refused_with_a_reason(
    op: str, shapes: list[Operand], attributes: dict[str, Any], error: type[GraphcError], words: str
) -> None:
    with pytest.raises(error, match=words):
        emit(op, shapes, attributes)


def test_integers_are_refused() -> None:
    with pytest.raises(DTypeError, match="the input must have one of the dtypes float16"):
        emit("Conv", [(2, 5, 3), (3, 3, 8)], NHWC, dtype="int32")


# -- ONNX with named spatial lengths ----------------------------------------------------------------------------------

FAMILIES = ("Conv", "MaxPool", "AveragePool", "BatchNorm", "LayerNorm")


def _windowed() -> list[Any]:
    names = case_ids(CASES)
    rows = [(case, name) for case, name in zip(CASES, names, strict=True) if case.op.startswith(FAMILIES)]
    return [pytest.param(case, id=name) for case, name in rows if not case.onnx or isinstance(case.onnx, Mapping)]


def _named(case: Case, inputs: Sequence[Array | None]) -> tuple[list[tuple[object, ...] | None], dict[str, Any]]:
    """Shapes with every batch and spatial length of the op's input named, and the lengths that follow from them."""
    attributes = OPS.attributes(case.op, case.attributes)
    shapes: list[tuple[object, ...] | None] = [None if x is None else x.shape for x in inputs]
    layout = attributes.get("layout", "NHWC")

    def name(shape: Sequence[object]) -> tuple[object, ...]:
        lengths = [f"n{i}" for i in range(len(shape) - 2)]
        return ("batch", shape[1], *lengths) if layout == "NCHW" else ("batch", *lengths, shape[-1])

    def rename(op: str, shape: Sequence[object], *rest: Operand) -> tuple[object, ...]:
        given = {k: v for k, v in attributes.items() if k in OPS[op].attributes}
        return emit(op, [name(shape), *rest], given)[0].type.shape

    given = dict(case.attributes)
    match case.op:
        case "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool":
            shapes[0] = name(inputs[0].shape)  # type: ignore[union-attr]
        case "ConvGradWeight":
            filters = inputs[1].shape[1 if layout == "NCHW" else -1]  # type: ignore[union-attr]
            per_group = inputs[0].shape[1 if layout == "NCHW" else -1] // attributes["group"]  # type: ignore[union-attr]
            kernel = attributes["kernel_shape"]
            w = (filters, per_group, *kernel) if layout == "NCHW" else (*kernel, per_group, filters)
            shapes = [name(inputs[0].shape), rename("Conv", inputs[0].shape, w)]  # type: ignore[union-attr]
        case "MaxPoolGrad" | "MaxPoolSelect":
            x, pooled = name(inputs[0].shape), rename("MaxPool", inputs[0].shape)  # type: ignore[union-attr]
            shapes = [x, pooled, pooled if case.op == "MaxPoolGrad" else x]
        case _:
            pytest.skip("its lengths are given by an attribute, or the harness names them")
    return shapes, given


@pytest.mark.parametrize("case", _windowed())
def test_onnx_with_named_spatial_lengths(case: Case) -> None:
    inputs = operands(case, F32)
    shapes, attributes = _named(case, inputs)
    graph = Graph(case.op)
    builder = Builder(graph, OPS)
    values = [
        None if shape is None else builder.input(f"x{i}", TensorType.of(F32, shape)) for i, shape in enumerate(shapes)
    ]
    graph.outputs["y"] = builder.emit(case.op, *values, **attributes)
    feeds = {f"x{i}": array for i, array in enumerate(inputs) if array is not None}
    (wanted,) = evaluate_op(case.op, inputs, case.attributes)
    (found,) = run_onnx(graph, feeds)
    assert_close(case, found, wanted, 2.0)
    np.testing.assert_array_equal(prepare(graph).run(feeds)["y"], wanted)


@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
@pytest.mark.parametrize("pads", ["SAME_UPPER", (1, 0, 2, 1)])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_onnx_of_gradients_for_inputs_of_any_length(
    strides: tuple[int, int], pads: str | tuple[int, ...], layout: str
) -> None:
    """The lengths of the result are named; one file serves several."""
    from graphc.autodiff import gradient

    channels = 3
    shape = ("batch", channels, "h", "w") if layout == "NCHW" else ("batch", "h", "w", channels)
    kernel = (4, channels, 3, 2) if layout == "NCHW" else (3, 2, channels, 4)
    graph = Graph("gradients")
    builder = Builder(graph, OPS)
    x = builder.input("x", TensorType.of(F32, shape))
    w = builder.input("w", TensorType.of(F32, kernel))
    windows: dict[str, Any] = {"strides": strides, "pads": pads, "layout": layout}
    y = builder.emit("Conv", x, w, **windows)
    z = builder.emit("AveragePool", y, kernel_shape=(3, 2), **windows)
    by_x, by_w = gradient(builder, builder.emit("Mul", z, z), [x, w])
    assert by_x is not None
    assert by_w is not None
    graph.outputs = {"by_x": by_x, "by_w": by_w}
    random = np.random.default_rng(0)
    for height, width in ((7, 9), (8, 8), (6, 11)):
        lengths = {"batch": 2, "h": height, "w": width}
        feeds = {
            "x": random.standard_normal([lengths.get(d, d) for d in shape]).astype(F32),  # type: ignore[call-overload]
            "w": random.standard_normal(kernel).astype(F32),
        }
        wanted = prepare(graph).run(feeds)
        for name, found in zip(graph.outputs, run_onnx(graph, feeds), strict=True):
            np.testing.assert_allclose(found, wanted[name], rtol=1e-4, atol=1e-4)


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_the_first_of_equal_maxima_gets_the_gradient() -> None:
    x = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [2.0, 0.0, 2.0]], F32).reshape(1, 3, 3, 1)
    g = np.array([[1.0, 10.0], [100.0, 1000.0]], F32).reshape(1, 2, 2, 1)
    attributes = {"kernel_shape": (2, 2), "layout": "NHWC"}
    (y,) = evaluate_op("MaxPool", [x], attributes)
    (by_x,) = evaluate_op("MaxPoolGrad", [x, y, g], attributes)
    np.testing.assert_array_equal(by_x[0, :, :, 0], [[0, 0, 10], [0, 1, 0], [100, 0, 1000]])


def test_statistics_keep_their_digits_far_from_zero() -> None:
    x = (np.random.default_rng(0).standard_normal((5000, 3)) + [1e3, -2e3, 0.0]).astype(F32)
    _, mean, variance = evaluate_op("BatchNormTraining", [x, np.ones(3, F32), np.zeros(3, F32)], {"axis": -1})
    np.testing.assert_allclose(mean, x.astype(np.float64).mean(0), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(variance, x.astype(np.float64).var(0), rtol=1e-5)


def test_statistics_of_nothing_are_nan() -> None:
    none = np.zeros((0, 3), F32)
    y, mean, variance = evaluate_op("BatchNormTraining", [none, np.ones(3, F32), np.zeros(3, F32)], {"axis": -1})
    assert y.shape == (0, 3)
    assert np.isnan([*mean, *variance]).all()
