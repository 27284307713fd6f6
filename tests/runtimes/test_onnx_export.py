"""The exporter: names, types, states, dims at run time, weights, files; each result checked by two other programs."""

from __future__ import annotations

import hashlib
import operator
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from graphc.errors import CheckpointError, ExportError
from graphc.ir import dtypes
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, as_dim, dim_max, dim_min, substitute
from graphc.ir.graph import Graph, Origin, Value
from graphc.ir.types import TensorType
from graphc.ops.opdef import Attribute, Domain, NotDifferentiable, OpDef, OpTable
from graphc.ops.registry import OPS
from graphc.runtimes import onnx_export
from graphc.runtimes.onnx_export import save_onnx, to_onnx
from graphc.runtimes.onnx_lowering import Lowering
from graphc.runtimes.onnx_opsets import IR_VERSION, ONNX_RUNTIME, choose_versions
from graphc.runtimes.onnx_rows import ROWS

ort = pytest.importorskip("onnxruntime")

Array = np.ndarray[Any, Any]

# An op of the tests' own: the lengths that it is given, as a vector.
LENGTHS = OpDef(
    name="Lengths",
    inputs=(),
    infer=lambda _types, attributes: (TensorType("int64", (len(attributes["dims"]),)),),
    vjp=NotDifferentiable("integers"),
    doc="Dims as a vector.",
    attributes={"dims": Attribute("dims")},
    domain=Domain.GRAPHC,
)
TEST_OPS = OpTable([*OPS.values(), LENGTHS])


def lengths_row(lowering: Lowering) -> None:
    lowering.emit("Identity", [lowering.dims(lowering.node.attributes["dims"])], lowering.outputs)


TEST_ROWS = {**ROWS, "Lengths": lengths_row}


def new_graph(name: str = "net") -> tuple[Graph, Builder]:
    graph = Graph(name)
    return graph, Builder(graph, TEST_OPS)


def f32(*shape: object) -> TensorType:
    return TensorType.of("float32", shape)


def export(graph: Graph, state: Mapping[str, Array] | None = None, **options: Any) -> onnx.ModelProto:
    return to_onnx(graph, state, **{"rows": TEST_ROWS, **options})


def run_everywhere(model: onnx.ModelProto, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Outputs of ONNX Runtime, after comparing them with those of ONNX's reference implementation."""
    settings = ort.SessionOptions()
    settings.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    names = [output.name for output in model.graph.output]
    results = dict(zip(names, session.run(names, dict(feeds)), strict=True))
    reference = dict(zip(names, ReferenceEvaluator(model).run(names, dict(feeds)), strict=True))
    for name in names:
        assert results[name].dtype == reference[name].dtype
        np.testing.assert_allclose(results[name], reference[name], rtol=1e-6, atol=1e-6)
    return results


def node_names(model: onnx.ModelProto) -> list[str]:
    return [node.name for node in model.graph.node]


def initializers(model: onnx.ModelProto) -> dict[str, Array]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def shape_of(info: onnx.ValueInfoProto) -> list[int | str]:
    return [d.dim_param if d.HasField("dim_param") else d.dim_value for d in info.type.tensor_type.shape.dim]


def dense(b: Builder, name: str, x: Value, units: int) -> Value:
    with b.origin(Origin(name, "/home/somebody/secret/model.py", 4711)):
        kernel = b.state(f"{name}/kernel", f32(x.type.shape[-1], units))
        return b.emit("Add", b.emit("MatMul", x, kernel), b.state(f"{name}/bias", f32(units)))


def mlp() -> tuple[Graph, dict[str, Array]]:
    graph, b = new_graph("mlp")
    x = b.input("pixels", f32("batch", 5))
    hidden = dense(b, "hidden", x, 4)
    with b.origin(Origin("act")):
        hidden = b.emit("Relu", hidden)
    graph.outputs = {"scores": dense(b, "scores", hidden, 3)}
    rng = np.random.default_rng(3)
    return graph, {n: rng.normal(size=v.type.shape).astype(np.float32) for n, v in graph.states().items()}


# --- names and types --------------------------------------------------------------------------------------------------


def test_a_model_has_the_users_names() -> None:
    graph, state = mlp()
    model = export(graph, state, metadata={"b": "2", "a": "1"})
    assert model.graph.name == "mlp"
    assert node_names(model) == ["hidden/MatMul", "hidden/Add", "act/Relu", "scores/MatMul", "scores/Add"]
    assert [t for node in model.graph.node for t in node.output] == [
        *("hidden/MatMul", "hidden/Add", "act/Relu", "scores/MatMul"),
        "scores",
    ]
    assert sorted(initializers(model)) == ["hidden/bias", "hidden/kernel", "scores/bias", "scores/kernel"]
    assert [(i.name, shape_of(i)) for i in model.graph.input] == [("pixels", ["batch", 5])]
    assert [(o.name, shape_of(o)) for o in model.graph.output] == [("scores", ["batch", 3])]
    assert (model.ir_version, [(o.domain, o.version) for o in model.opset_import]) == (10, [("", 21)])
    assert model.producer_name == "graphc"
    assert [(p.key, p.value) for p in model.metadata_props] == [("a", "1"), ("b", "2")]
    x = np.random.default_rng(4).normal(size=(7, 5)).astype(np.float32)
    expected = np.maximum(x @ state["hidden/kernel"] + state["hidden/bias"], 0)
    expected = expected @ state["scores/kernel"] + state["scores/bias"]
    np.testing.assert_allclose(run_everywhere(model, {"pixels": x})["scores"], expected, rtol=1e-5, atol=1e-6)


def test_names_can_be_given() -> None:
    graph, state = mlp()
    model = export(graph, state, model_name="mine", producer_name="me", producer_version="7")
    assert (model.graph.name, model.producer_name, model.producer_version) == ("mine", "me", "7")


def test_nothing_of_the_users_machine_is_written() -> None:
    graph, state = mlp()
    content = export(graph, state, value_info=True).SerializeToString()
    for leak in (b"secret", b"4711", b"model.py", os.fsencode(os.getcwd())):
        assert leak not in content


def test_an_output_that_is_an_input_and_one_value_under_two_names() -> None:
    graph, b = new_graph()
    x = b.input("x", f32("batch", 3))
    y = b.emit("Neg", x)
    graph.outputs = {"first": y, "second": y, "copy": x, "x": x}
    model = export(graph)
    assert [o.name for o in model.graph.output] == ["first", "second", "copy", "x"]
    assert [(n.op_type, n.name, *n.output) for n in model.graph.node] == [
        ("Neg", "Neg", "first"),
        ("Identity", "second/Identity", "second"),
        ("Identity", "copy/Identity", "copy"),
    ]
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    results = run_everywhere(model, {"x": array})
    for name, expected in {"first": -array, "second": -array, "copy": array, "x": array}.items():
        np.testing.assert_array_equal(results[name], expected)


def test_outputs_that_are_states_or_constants() -> None:
    graph, b = new_graph()
    graph.outputs = {"w": b.state("w", f32(2)), "c": b.constant(np.float32(3)), "v": b.state("v", f32(1))}
    model = export(graph, {"w": np.ones(2, np.float32), "v": np.zeros(1, np.float32), "unused": np.zeros(1)})
    assert [node.op_type for node in model.graph.node] == ["Identity"] * 3
    assert {k: v.tolist() for k, v in run_everywhere(model, {}).items()} == {"w": [1, 1], "c": 3, "v": [0]}


def test_an_output_named_like_another_node() -> None:
    graph, b = new_graph()
    x = b.input("x", f32("n"))
    a = b.emit("Neg", x, name="a")
    y = b.emit("Exp", a, name="b")
    graph.outputs = {"a": y, "b": a}  # crosswise
    model = export(graph)
    results = run_everywhere(model, {"x": np.float32([1, 2])})
    np.testing.assert_allclose(results["a"], np.exp([-1, -2]), rtol=1e-6)
    np.testing.assert_array_equal(results["b"], [-1, -2])


def test_an_input_and_another_output_of_one_name_are_refused() -> None:
    graph, b = new_graph()
    graph.outputs = {"x": b.emit("Neg", b.input("x", f32("n")))}
    with pytest.raises(ExportError, match=r"'x' names an input and an output that differ.*rename one of them"):
        export(graph)


@pytest.mark.parametrize("name", ["", "line\nbreak", 3])
def test_bad_output_names_are_refused(name: Any) -> None:
    graph, b = new_graph()
    graph.outputs = {name: b.emit("Neg", b.input("x", f32("n")))}
    with pytest.raises(ExportError, match="must be a non-empty string of printable characters"):
        export(graph)


def test_names_with_any_printable_character() -> None:
    graph, b = new_graph("Größe / 模型")
    x = b.input("höhe in m\\²", f32("größe", 2))
    graph.outputs = {"out put/0'|#%*": b.emit("Neg", x, name="模型/Neg x")}
    model = export(graph)
    assert shape_of(model.graph.input[0]) == ["größe", 2]
    assert list(run_everywhere(model, {"höhe in m\\²": np.ones((3, 2), np.float32)})) == ["out put/0'|#%*"]


def test_helper_nodes_are_called_after_their_node() -> None:
    def row(lowering: Lowering) -> None:
        two = lowering.scalar(2.0, "float32")
        (twice,) = lowering.emit("Mul", [lowering.inputs[0], two])
        (more,) = lowering.emit("Mul", [twice, two])
        lowering.emit("Neg", [more], lowering.outputs)

    graph, b = new_graph()
    x = b.input("x", f32("n"))
    b.emit("Abs", x, name="layer/Neg/Mul")  # takes a name that a helper would like
    with b.origin(Origin("layer")):
        y = b.emit("Neg", x)
    graph.outputs = {"y": b.emit("Neg", y)}
    model = export(graph, rows={**ROWS, "Neg": row})
    assert node_names(model) == [
        *("layer/Neg/Mul", "layer/Neg/Mul_1", "layer/Neg/Mul_2", "layer/Neg"),
        *("Neg/Mul", "Neg/Mul_1", "Neg"),
    ]
    assert len(set(node_names(model))) == 7
    np.testing.assert_array_equal(run_everywhere(model, {"x": np.float32([1.5])})["y"], [24])


def test_value_info_on_request() -> None:
    graph, state = mlp()
    assert not export(graph, state).graph.value_info
    infos = {i.name: shape_of(i) for i in export(graph, state, value_info=True).graph.value_info}
    assert infos == {
        "hidden/MatMul": ["batch", 4],
        "hidden/Add": ["batch", 4],
        "act/Relu": ["batch", 4],
        "scores/MatMul": ["batch", 3],
    }


@pytest.mark.parametrize("dtype", dtypes.DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)], ids=["scalar", "empty", "matrix"])
def test_every_dtype_as_input_state_constant_and_output(dtype: str, shape: tuple[int, ...]) -> None:
    graph, b = new_graph()
    type_ = TensorType(dtype, shape)
    array = (np.arange(np.prod(shape, dtype=int)) % 2).reshape(shape).astype(dtype)
    graph.outputs = {
        "input": b.emit("Identity", b.input("x", type_)),
        "state": b.emit("Identity", b.state("s", type_)),
        "constant": b.emit("Identity", b.constant(array)),
    }
    graph.outputs["fed"] = graph.inputs[0]
    model = export(graph, {"s": array})
    for result in run_everywhere(model, {"x": array}).values():
        assert (result.dtype, result.shape) == (array.dtype, shape)
        np.testing.assert_array_equal(result, array)


def test_large_integers_and_special_floats_are_kept_bit_by_bit() -> None:
    graph, b = new_graph()
    integers = np.array([2**63 - 1, -(2**63)], np.int64)
    floats = np.array([-0.0, np.inf, -np.inf, np.nan, 1e-40, np.float32(0.1)], np.float32)
    graph.outputs = {"i": b.constant(integers), "f": b.constant(floats)}
    found = initializers(export(graph))
    assert {a.tobytes() for a in found.values()} == {integers.tobytes(), floats.tobytes()}


# --- states -----------------------------------------------------------------------------------------------------------


def test_states_need_values_of_their_type() -> None:
    graph, state = mlp()
    with pytest.raises(
        ExportError, match=r"State 'hidden/kernel' \(float32\[5, 4\]\) has no value; pass it in `state`"
    ):
        export(graph)
    with pytest.raises(ExportError, match=r"State 'scores/bias' .*has no value"):
        export(graph, {k: v for k, v in state.items() if k != "scores/bias"})
    wrong = state | {"hidden/kernel": state["hidden/kernel"].T}
    with pytest.raises(ExportError, match=r"must be float32\[5, 4\]; got float32\[4, 5\]"):
        export(graph, wrong)
    with pytest.raises(ExportError, match=r"must be float32\[5, 4\]; got float64\[5, 4\]"):
        export(graph, state | {"hidden/kernel": state["hidden/kernel"].astype(np.float64)})


def test_states_that_are_views_are_written_in_order() -> None:
    graph, state = mlp()
    views = {name: np.asfortranarray(a) for name, a in state.items()}
    views["hidden/bias"] = np.stack([state["hidden/bias"], state["hidden/bias"] + 1], axis=1)[:, 0]
    swapped = {name: a.astype(a.dtype.newbyteorder(">")) for name, a in state.items()}
    expected = export(graph, state).SerializeToString()
    assert export(graph, views).SerializeToString() == expected
    assert export(graph, swapped).SerializeToString() == expected


def train_step() -> Graph:
    """``w`` takes a step along ``x``, ``steps`` counts, ``frozen`` stays, ``last`` keeps the input."""
    graph, b = new_graph("step")
    x = b.input("x", f32("batch", 3))
    w, frozen = b.state("w", f32(3)), b.state("frozen", f32(3))
    y = b.emit("Add", b.emit("Mul", x, w), frozen)
    steps = b.state("steps", TensorType.of("int64", ()))
    graph.outputs = {"y": y, "before": w}
    graph.updates = {
        "w": b.emit("Sub", w, b.constant(np.float32(0.5))),
        "steps": b.emit("Add", steps, b.constant(np.int64(1))),
        "last": x,
        "same": w,
    }
    return graph


def test_a_graph_with_updates_takes_states_and_gives_new_ones() -> None:
    model = export(train_step())
    assert [i.name for i in model.graph.input] == ["x", "w", "frozen", "steps"]
    assert [o.name for o in model.graph.output] == ["y", "before", "w:new", "steps:new", "last:new", "same:new"]
    feeds = {"x": np.ones((2, 3), np.float32), "w": np.float32([1, 2, 3]), "frozen": np.float32([0, 0, 1])}
    results = run_everywhere(model, feeds | {"steps": np.array(41)})
    assert {k: v.tolist() for k, v in results.items() if k != "last:new"} == {
        "y": [[1, 2, 4], [1, 2, 4]],
        "before": [1, 2, 3],
        "w:new": [0.5, 1.5, 2.5],
        "steps:new": 42,
        "same:new": [1, 2, 3],
    }


def test_values_become_the_defaults_of_a_graph_with_updates() -> None:
    state = {"w": np.float32([1, 2, 3]), "frozen": np.zeros(3, np.float32), "steps": np.array(0)}
    model = export(train_step(), state)
    assert initializers(model).keys() >= state.keys()
    results = run_everywhere(model, {"x": np.ones((2, 3), np.float32)})
    assert results["steps:new"] == 1
    assert results["y"].tolist() == [[1, 2, 3]] * 2
    with pytest.raises(ExportError, match=r"State 'frozen' .*has no value"):
        export(train_step(), {"w": state["w"]})


def test_a_state_named_like_an_input_or_output() -> None:
    graph, b = new_graph()
    x = b.input("w", f32(2))
    w = b.graph.add_node("State", (), {"state": "w", "dtype": "float32", "shape": (2,)}, (f32(2),), name="other").output
    graph.outputs = {"y": b.emit("Add", x, w)}
    model = export(graph, {"w": np.float32([5, 6])})  # an initializer's name is nobody's interface
    assert run_everywhere(model, {"w": np.float32([1, 1])})["y"].tolist() == [6, 7]
    graph.updates = {"w": x}
    with pytest.raises(ExportError, match="The state 'w' has the name of another input or output; rename one of them"):
        export(graph)


def test_a_state_with_two_nodes_is_one_initializer() -> None:
    graph, b = new_graph()
    first, second = (
        b.state("w", f32(2)),
        b.graph.add_node(
            "State", (), {"state": "w", "dtype": "float32", "shape": (2,)}, (f32(2),), name="w again"
        ).output,
    )
    graph.outputs = {"y": b.emit("Add", first, second)}
    model = export(graph, {"w": np.float32([1, 2])})
    assert list(initializers(model)) == ["w"]
    assert run_everywhere(model, {})["y"].tolist() == [2, 4]


# --- initializers -----------------------------------------------------------------------------------------------------


def test_equal_constants_are_one_initializer_and_unequal_ones_are_not() -> None:
    graph, b = new_graph()
    arrays = [
        np.float32([1, 2]),
        np.float32([1, 2]),
        np.float32([[1, 2]]),  # another shape
        np.int32([1, 2]),  # another dtype
        np.float32([0.0, 1]),
        np.float32([-0.0, 1]),  # another sign of zero
        np.float32([np.nan, 1]),
        np.float32([np.nan, 1]),
    ]
    graph.outputs = {f"y{i}": b.emit("Identity", b.constant(a)) for i, a in enumerate(arrays)}
    model = export(graph)
    assert len(model.graph.initializer) == 6
    for name, result in run_everywhere(model, {}).items():
        assert result.tobytes() == arrays[int(name[1:])].tobytes()


def test_equal_states_keep_their_names() -> None:
    graph, b = new_graph()
    graph.outputs = {"y": b.emit("Add", b.state("a", f32(2)), b.state("b", f32(2)))}
    zeros = np.zeros(2, np.float32)
    assert sorted(initializers(export(graph, {"a": zeros, "b": zeros}))) == ["a", "b"]


def test_what_no_node_reads_is_not_written() -> None:
    graph, b = new_graph()
    b.constant(np.float32([7]))
    b.state("unused", f32(3))
    graph.outputs = {"y": b.emit("Neg", b.input("x", f32("n")))}
    assert initializers(export(graph, {"unused": np.zeros(3, np.float32)})) == {}


# --- dims at run time -------------------------------------------------------------------------------------------------

EXPRESSIONS = [
    "height",
    "2*height + 3",
    "height - 7",
    "-height + 5",
    "height*width - 3*height",
    "(height - 2) // 2",  # negative for height < 2: floors, where ONNX's Div truncates
    "(height + 1) // 2",
    "(-height + 3) // 4",
    "(height - width) // (width + 1)",
    "height % 3",
    "(height - 5) % 3",
    "max(height, width)",
    "min(height - 4, 2*width)",
    "max(0, (height - 9) // 2 + 1) * width",
    "((height + 1) // 2 + 1) // 2",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_dim_is_computed_at_run_time(expression: str) -> None:
    graph, b = new_graph()
    b.input("image", f32("batch", "height", "width", 3))
    dim = as_dim(expression)
    graph.outputs = {"n": b.emit("DimSize", dim=dim), "v": b.emit("Lengths", dims=(-1, dim, 7, 0, "width", dim))}
    model = export(graph)
    for height, width in [(0, 0), (1, 2), (2, 1), (5, 3), (10, 10), (13, 4), (224, 31)]:
        expected = substitute(dim, {"height": height, "width": width})
        results = run_everywhere(model, {"image": np.zeros((2, height, width, 3), np.float32)})
        assert results["n"] == expected, (height, width)
        assert results["v"].tolist() == [-1, expected, 7, 0, width, expected]


def dim_expressions() -> st.SearchStrategy[DimLike]:
    """Dims over a, b and c of every operation that there is; divisors are positive."""
    leaves = st.sampled_from(["a", "b", "c"]).map(as_dim) | st.integers(0, 9)

    def combined(parts: st.SearchStrategy[DimLike]) -> st.SearchStrategy[DimLike]:
        divisor = st.integers(1, 5) | st.sampled_from([as_dim("a + 1"), as_dim("2*b + 3")])
        return st.one_of(
            st.builds(operator.add, parts, parts),
            st.builds(operator.sub, parts, parts),
            st.builds(operator.mul, parts, st.integers(-3, 3) | leaves),
            st.builds(operator.floordiv, parts, divisor),
            st.builds(lambda p, q: as_dim(f"({p}) % ({q})"), parts, divisor),
            st.builds(dim_max, parts, parts),
            st.builds(dim_min, parts, parts),
        )

    return st.recursive(leaves, combined, max_leaves=8)


@given(
    dims=st.lists(dim_expressions(), max_size=4),
    sizes=st.fixed_dictionaries(dict.fromkeys("abc", st.integers(0, 12))),
)
@settings(max_examples=100)
def test_any_dims_are_computed_at_run_time(dims: list[DimLike], sizes: dict[str, int]) -> None:
    graph, b = new_graph()
    b.input("x", f32("a", "b"))
    b.input("y", f32("c", "a"))
    graph.outputs = {"v": b.emit("Lengths", dims=dims)}
    n, m, k = (sizes[name] for name in "abc")
    feeds = {"x": np.zeros((n, m), np.float32), "y": np.zeros((k, n), np.float32)}
    assert run_everywhere(export(graph), feeds)["v"].tolist() == [substitute(d, sizes) for d in dims]


def test_each_dim_is_computed_once() -> None:
    graph, b = new_graph()
    x = b.input("x", f32("batch", "time"))
    b.input("y", f32("batch", "2*time"))
    half = as_dim("(time + 1) // 2")
    graph.outputs = {
        "a": b.emit("Lengths", dims=("batch", half)),
        "b": b.emit("Lengths", dims=("batch", half)),
        "c": b.emit("Lengths", dims=(half, "batch", "time")),
        "d": b.emit("Lengths", dims=("2*time",)),
        "e": b.emit("Lengths", dims=(4, 5)),
        "x": x,
    }
    model = export(graph)
    dims = [n for n in model.graph.node if n.op_type not in ("Identity", "Concat")]
    made = [(n.op_type, *n.input, *(a.i for a in n.attribute)) for n in dims]
    assert len(made) == len(set(made))
    assert sum(op == "Shape" for op, *_ in made) == 3, "batch and time from x, 2*time from y"
    assert sum(n.op_type == "Concat" for n in model.graph.node) == 2
    assert all(n.name.startswith("dims/") for n in model.graph.node if n.op_type != "Identity")
    results = run_everywhere(model, {"x": np.zeros((2, 5), np.float32), "y": np.zeros((2, 10), np.float32)})
    assert [results[k].tolist() for k in "abcde"] == [[2, 3], [2, 3], [3, 2, 5], [10], [4, 5]]


def test_dims_can_come_from_a_state_or_a_scalar_free_graph() -> None:
    graph, b = new_graph()
    table = b.state("table", f32("rows", 3))
    graph.outputs = {"v": b.emit("Lengths", dims=("rows", 2)), "t": table}
    model = export(graph, {"table": np.zeros((4, 3), np.float32)})
    assert run_everywhere(model, {})["v"].tolist() == [4, 2]
    graph.updates = {"table": table}
    model = export(graph)
    assert shape_of(model.graph.input[0]) == ["rows", 3]
    assert run_everywhere(model, {"table": np.zeros((6, 3), np.float32)})["v"].tolist() == [6, 2]


def test_a_dim_that_nothing_has_is_refused() -> None:
    graph, b = new_graph()
    b.input("x", f32("batch", "2*time"))
    with b.origin(Origin("pool")):
        graph.outputs = {"v": b.emit("Lengths", dims=("time // 2",))}
    with pytest.raises(ExportError, match=r"length of dim 'time', part of 'time // 2',.*known: batch, 2\*time.*'pool'"):
        export(graph)


def test_a_long_expression_needs_no_recursion() -> None:
    graph, b = new_graph()
    names = [f"d{i}" for i in range(250)]
    shapes = [names[i : i + 25] for i in range(0, 250, 25)]
    for i, shape in enumerate(shapes):
        b.input(f"x{i}", f32(*shape))
    graph.outputs = {"n": b.emit("DimSize", dim=as_dim(" + ".join(names)))}
    limit = sys.getrecursionlimit()
    model = export(graph)
    feeds = {f"x{i}": np.zeros((1,) * 25, np.float32) for i in range(len(shapes))}
    assert sys.getrecursionlimit() == limit
    assert ReferenceEvaluator(model).run(["n"], feeds)[0] == 250


def test_symbolic_shapes_are_written_as_dim_params() -> None:
    graph, b = new_graph()
    x = b.input("x", f32("batch", "(height - 2) // 2", "max(a, b)", 0))
    b.input("y", f32("batch", "height", "a", "b"))
    graph.outputs = {"z": b.emit("Neg", x)}
    model = export(graph)
    assert shape_of(model.graph.output[0]) == ["batch", "(height - 2) // 2", "max(a, b)", 0]
    feeds = {"x": np.zeros((3, 1, 6, 0), np.float32), "y": np.zeros((3, 4, 5, 6), np.float32)}
    assert run_everywhere(model, feeds)["z"].shape == (3, 1, 6, 0)


# --- rows -------------------------------------------------------------------------------------------------------------


def one_node(op: str = "Neg") -> Graph:
    graph, b = new_graph()
    x = b.input("x", f32("n"))
    with b.origin(Origin("my/layer", "model.py", 12)):
        graph.outputs = {"y": b.emit(op, x)}
    return graph


def test_an_op_without_a_row_is_named_with_its_layer() -> None:
    with pytest.raises(
        ExportError, match=r"The op 'Neg' has no ONNX form \(node 'my/layer/Neg', layer 'my/layer' at model.py:12\)\."
    ):
        export(one_node(), rows={})


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (lambda low: low.emit("Neg", low.inputs), r"The row of 'Neg' does not make \['y'\] \(node 'my/layer/Neg'"),
        (lambda low: [low.emit("Neg", low.inputs, low.outputs) for _ in "12"], "The tensor 'y' is made twice"),
        (lambda low: low.emit("Negg", low.inputs, low.outputs), "ONNX has no operator 'Negg' .*layer 'my/layer'"),
        (lambda low: low.emit("Neg", low.inputs, low.outputs, alpha=1), "ONNX's 'Neg' has no attribute 'alpha'"),
        (lambda low: low.emit("Upsample", [*low.inputs, ""], low.outputs), "ONNX deprecated 'Upsample'"),
        (lambda low: low.emit("Neg", ["nowhere"], low.outputs), "checker refuses what was made.*fault of the exporter"),
        (lambda low: low.emit("Not", low.inputs, low.outputs), "checker refuses what was made"),
        (lambda low: low.type(1), "asks for the type of operand 1, which is absent"),
        (lambda low: low.emit("If", low.inputs, low.outputs, then_branch=1), "of ONNX's kind GRAPH"),
    ],
)
def test_a_wrong_row_is_found(row: Callable[[Lowering], Any], complaint: str) -> None:
    with pytest.raises(ExportError, match=complaint):
        export(one_node(), rows={"Neg": row})


def test_an_operator_that_is_too_new_for_the_opset() -> None:
    def row(lowering: Lowering) -> None:
        lowering.emit("Gelu", lowering.inputs, lowering.outputs)

    with pytest.raises(
        ExportError, match="ONNX has 'Gelu' from opset 20 on; this export writes opset 19, so choose 20"
    ):
        export(one_node(), rows={"Neg": row}, opset=19)
    assert export(one_node(), rows={"Neg": row}, opset=20).graph.node[0].op_type == "Gelu"


def test_attributes_of_every_kind() -> None:
    def row(lowering: Lowering) -> None:
        (a,) = lowering.emit("LeakyRelu", [*lowering.inputs, ""], alpha=1)  # an integer for a float; a blank operand
        (b,) = lowering.emit("Cast", [a], to="float64")
        (c,) = lowering.emit("Cast", [b], to="float32", saturate=None)  # None: left out
        (d,) = lowering.emit("Unsqueeze", [c, lowering.ints((0, 2))])
        (e,) = lowering.emit("Transpose", [d], perm=(2, 1, 0))
        (f,) = lowering.emit("Squeeze", [e, lowering.ints([0, 2])])
        (shape,) = lowering.emit("Shape", [f])
        (ones,) = lowering.emit("ConstantOfShape", [shape], value=np.float32([2]))
        low, high = lowering.emit("Split", [lowering.constant(np.float32([3, 4]), "pair")], count=2, num_outputs=2)
        (g,) = lowering.emit("Mul", [lowering.emit("Mul", [f, ones])[0], lowering.emit("Add", [low, high])[0]])
        (h,) = lowering.emit("Gelu", [g], approximate="tanh")
        (i,) = lowering.emit("Sub", [h, h])
        lowering.emit("Add", [g, i], lowering.outputs)

    model = export(one_node(), rows={"Neg": row})
    assert run_everywhere(model, {"x": np.float32([1, -2])})["y"].tolist() == [14, -28]
    assert "my/layer/Neg/pair" in initializers(model)
    assert [a.name for n in model.graph.node if n.op_type == "Cast" for a in n.attribute] == ["to", "to"]


def test_an_absent_operand_in_the_middle_stays_and_at_the_end_goes() -> None:
    def row(lowering: Lowering) -> None:
        assert list(lowering.inputs) == ["x"]
        lowering.emit("Clip", [lowering.inputs[0], "", lowering.scalar(1.0, "float32"), ""], lowering.outputs)

    graph, b = new_graph()
    x = b.input("x", f32("n"))
    types = (f32("n"),)
    graph.outputs = {"y": graph.add_node("Clip", (x, None, None), {}, types).output}
    model = export(graph, rows={"Clip": row})
    assert len(model.graph.node[0].input) == 3
    assert run_everywhere(model, {"x": np.float32([5, -5])})["y"].tolist() == [1, -5]


# --- opsets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opset", [o for o in IR_VERSION if o <= onnx.defs.onnx_opset_version()])
def test_every_opset_of_the_table_exports_and_runs(opset: int) -> None:
    release = {name: v for name, v in ONNX_RUNTIME.items() if v.opset >= opset}
    graph, state = mlp()
    b = Builder(graph, TEST_OPS)
    graph.outputs["n"] = b.emit("DimSize", dim=as_dim("(batch - 3) // 2"))
    model = export(graph, state, opset=opset)
    assert (model.opset_import[0].version, model.ir_version) == (opset, IR_VERSION[opset])
    if ".".join(ort.__version__.split(".")[:2]) in release:
        assert run_everywhere(model, {"pixels": np.ones((2, 5), np.float32)})["n"] == -1


def test_ir_versions_are_those_of_onnxs_releases() -> None:
    for _, ir, opset, *_ in helper.VERSION_TABLE:
        if opset in IR_VERSION:
            assert IR_VERSION[opset] == ir
    assert all(IR_VERSION[v.opset] <= v.ir for v in ONNX_RUNTIME.values())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (21, 10)),
        ({"opset": 18}, (18, 8)),
        ({"opset": 18, "ir_version": 10}, (18, 10)),
        ({"target": "ort==1.20"}, (21, 10)),
        ({"target": "ort==1.20.1"}, (21, 10)),
        ({"target": "onnxruntime == 1.17"}, (20, 9)),
        ({"target": "ort==1.23"}, (23, 11)),
        ({"target": "ort==1.31"}, (26, 13)),
        ({"target": "ort==1.23", "opset": 21}, (21, 10)),
        ({"target": "ort==1.23", "opset": 21, "ir_version": 11}, (21, 11)),
    ],
)
def test_versions_are_chosen(options: dict[str, Any], expected: tuple[int, int]) -> None:
    versions = choose_versions(**options)
    assert (versions.opset, versions.ir) == expected


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"opset": 27}, "Opset 27 is not supported; choose one from 18 to 26"),
        ({"opset": 17}, "Opset 17 is not supported; choose one from 18 to 26"),
        ({"opset": True}, "Opset True is not supported"),
        ({"opset": "21"}, "Opset '21' is not supported"),
        ({"ir_version": 9}, "IR version 9 is not supported with opset 21; choose one from 10 to 13"),
        ({"ir_version": 14}, "IR version 14 is not supported with opset 21; choose one from 10 to 13"),
        ({"opset": 26, "ir_version": 14}, "choose one from 13 to 13"),
        ({"target": "ort==1.20", "opset": 22}, "ort==1.20 reads opsets up to 21, not 22"),
        ({"target": "ort==1.20", "ir_version": 11}, "ort==1.20 reads IR versions up to 10, not 11"),
        ({"target": "ort==9.99"}, "not in the table of ONNX Runtime's releases, 1.15 to 1.31; a newer release reads"),
        ({"target": "ort>=1.20"}, "not of the form 'ort==1.20'"),
        ({"target": "tensorrt==10"}, "not of the form 'ort==1.20'"),
        ({"target": 1.2}, "not of the form 'ort==1.20'"),
    ],
)
def test_versions_are_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ExportError, match=complaint):
        export(one_node(), **options)


def test_an_opset_that_the_installed_onnx_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx.defs, "onnx_opset_version", lambda: 22)
    with pytest.raises(ExportError, match=r"Opset 23 is newer than the installed onnx .*opset 22.*pip install -U onnx"):
        export(one_node(), opset=23)


@pytest.mark.parametrize("options", [{"producer_name": ""}, {"metadata": {"a": 1}}, {"model_name": 3}])
def test_what_is_not_text_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ExportError, match="string"):
        export(one_node(), **options)


# --- depth and determinism --------------------------------------------------------------------------------------------


def test_a_chain_of_ten_thousand_nodes() -> None:
    graph, b = new_graph()
    value = b.input("x", f32("batch", 2))
    for i in range(10_000):
        value = b.emit(("Neg", "Abs")[i % 2], value)
    graph.outputs = {"y": value}
    model = export(graph, value_info=True)
    assert len(model.graph.node) == len(set(node_names(model))) == 10_000
    results = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
        ["y"], {"x": np.float32([[-3, 4]])}
    )
    assert results[0].tolist() == [[3, 4]]


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    (graph, state), (again, _) = mlp(), mlp()
    shuffled = list(state.items())
    random.Random(1).shuffle(shuffled)
    content = export(graph, state, metadata={"x": "1", "y": "2"}).SerializeToString()
    assert export(graph, state, metadata={"y": "2", "x": "1"}).SerializeToString() == content
    assert export(again, dict(shuffled), metadata={"x": "1", "y": "2"}).SerializeToString() == content
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save_onnx(graph, tmp_path / folder / "m.onnx", state, metadata={"x": "1", "y": "2"})
        assert (tmp_path / folder / "m.onnx").read_bytes() == content


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1]); import test_onnx_export as t; graph, state = t.mlp();"
        "b = t.Builder(graph, t.TEST_OPS); graph.outputs['v'] = b.emit('Lengths', dims=('2*batch', 'batch', 3));"
        "print(hashlib.sha256(t.export(graph, state, value_info=True).SerializeToString()).hexdigest())"
    )
    here = Path(__file__).resolve()
    digests = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(here.parents[2])}
        command = [sys.executable, "-c", code, str(here.parent)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
        digests.add(done.stdout)
    assert len(digests) == 1
    assert len(digests.pop().strip()) == len(hashlib.sha256().hexdigest())


# --- files ------------------------------------------------------------------------------------------------------------


def large_mlp(scale: float = 1.0) -> tuple[Graph, dict[str, Array]]:
    graph, b = new_graph("large")
    x = b.input("x", f32("batch", 300))
    graph.outputs = {"y": dense(b, "second", dense(b, "first", x, 1000), 7)}
    rng = np.random.default_rng(5)
    return graph, {n: scale * rng.normal(size=v.type.shape).astype(np.float32) for n, v in graph.states().items()}


def run_file(path: Path, x: Array) -> Array:
    (result,) = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(["y"], {"x": x})
    return result


def expected_of(state: Mapping[str, Array], x: Array) -> Array:
    hidden = x @ state["first/kernel"] + state["first/bias"]
    return hidden @ state["second/kernel"] + state["second/bias"]


def test_a_file_is_the_model(tmp_path: Path) -> None:
    graph, state = mlp()
    path = tmp_path / "m.onnx"
    assert save_onnx(graph, path, state) == [path]
    assert path.read_bytes() == export(graph, state).SerializeToString()
    assert os.listdir(tmp_path) == ["m.onnx"]


def test_weights_can_lie_beside_the_model(tmp_path: Path) -> None:
    graph, state = large_mlp()
    path = tmp_path / "m.onnx"
    model_file, data_file = save_onnx(graph, path, state, external_threshold=0)
    assert sorted(os.listdir(tmp_path)) == sorted([model_file.name, data_file.name])
    assert path.stat().st_size < 2000
    model = onnx.load(path, load_external_data=False)
    places = {}
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            entries = {e.key: e.value for e in tensor.external_data}
            assert entries["location"] == data_file.name
            offset, length = int(entries["offset"]), int(entries["length"])
            assert offset % (65536 if length >= 1 << 20 else 4096) == 0
            places[tensor.name] = (offset, offset + length)
            stored = data_file.read_bytes()[offset : offset + length]
            assert stored == state[tensor.name].tobytes()
    assert sorted(places) == ["first/bias", "first/kernel", "second/kernel"], "small arrays stay in the model"
    ordered = sorted(places.values())
    assert all(end <= start for (_, end), (start, _) in pairwise(ordered))
    x = np.random.default_rng(6).normal(size=(4, 300)).astype(np.float32)
    np.testing.assert_allclose(run_file(path, x), expected_of(state, x), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(
        ReferenceEvaluator(str(path)).run(["y"], {"x": x})[0], expected_of(state, x), rtol=1e-4, atol=1e-3
    )


def test_both_files_are_the_same_every_time(tmp_path: Path) -> None:
    contents = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        files = save_onnx(large_mlp()[0], tmp_path / folder / "m.onnx", large_mlp()[1], external_threshold=1000)
        contents.append([(file.name, file.read_bytes()) for file in files])
    assert contents[0] == contents[1]


def test_a_second_export_replaces_both_files(tmp_path: Path) -> None:
    graph, state = large_mlp()
    path = tmp_path / "m.onnx"
    (tmp_path / "m.onnx.data").write_bytes(b"the user's own")
    (tmp_path / "other.onnx.0123456789abcdef.data").write_bytes(b"another model's")
    _, first = save_onnx(graph, path, state, external_threshold=0)
    _, same = save_onnx(graph, path, state, external_threshold=0)
    assert first == same
    _, second = save_onnx(graph, path, large_mlp(2.0)[1], external_threshold=0)
    assert first != second
    kept = ["m.onnx", "m.onnx.data", "other.onnx.0123456789abcdef.data"]
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, second.name])
    save_onnx(graph, path, state)
    assert sorted(os.listdir(tmp_path)) == kept


@pytest.mark.parametrize("threshold", [0, 10**9])
def test_a_failed_export_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threshold: int) -> None:
    graph, state = large_mlp()
    path = tmp_path / "m.onnx"
    save_onnx(graph, path, state, external_threshold=threshold)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def refuse(*_args: object, **_options: object) -> None:
        raise onnx.checker.ValidationError("no")

    monkeypatch.setattr(onnx_export.checker, "check_model", refuse)
    for values in (state, large_mlp(2.0)[1]):
        with pytest.raises(ExportError, match="checker refuses"):
            save_onnx(graph, path, values, external_threshold=threshold)
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    x = np.ones((1, 300), np.float32)
    np.testing.assert_allclose(run_file(path, x), expected_of(state, x), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("threshold", [0, 10**9])
def test_a_missing_folder_is_an_error_before_anything_is_written(tmp_path: Path, threshold: int) -> None:
    graph, state = large_mlp()
    with pytest.raises(CheckpointError, match=r"there is no folder '.*nowhere'"):
        save_onnx(graph, tmp_path / "nowhere" / "m.onnx", state, external_threshold=threshold)
    with pytest.raises(CheckpointError, match="it is a folder"):
        save_onnx(graph, tmp_path, state, external_threshold=threshold)
    assert os.listdir(tmp_path) == []


def test_too_large_for_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, state = large_mlp()
    monkeypatch.setattr(onnx_export, "EXTERNAL_THRESHOLD", 1_000_000)
    with pytest.raises(ExportError, match=r"The weights take 1,232,028 bytes.*use save_onnx"):
        export(graph, state)


def test_defaults_of_states_can_lie_beside_the_model(tmp_path: Path) -> None:
    graph, b = new_graph()
    w = b.state("w", f32(1000))
    graph.outputs = {"y": b.emit("Add", b.input("x", f32(1000)), w)}
    graph.updates = {"w": b.emit("Neg", w)}
    save_onnx(graph, tmp_path / "m.onnx", {"w": np.full(1000, 2, np.float32)}, external_threshold=0)
    assert len(os.listdir(tmp_path)) == 2
    np.testing.assert_array_equal(run_file(tmp_path / "m.onnx", np.ones(1000, np.float32)), np.full(1000, 3))


@pytest.mark.slow
def test_more_than_two_gibibytes(tmp_path: Path) -> None:
    graph, b = new_graph()
    values: Sequence[int] = (1, 2, 3)
    shape = (180_000_000,)
    total = b.input("x", f32(1))
    for value in values:
        total = b.emit("Add", total, b.emit("ReduceMax", b.state(f"w{value}", f32(*shape)), axes=(0,), keepdims=True))
    graph.outputs = {"y": total}
    state = {f"w{value}": np.full(shape, value, np.float32) for value in values}
    files = save_onnx(graph, tmp_path / "m.onnx", state)
    assert [file.stat().st_size > 2**31 for file in files] == [False, True]
    assert run_file(tmp_path / "m.onnx", np.float32([0])).tolist() == [6]
