"""The text form: what is printed, and that reading it back gives the same graph and the same text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from graphc.errors import GraphError
from graphc.ir.builder import Builder
from graphc.ir.compare import graph_difference, graphs_equal
from graphc.ir.dims import Dim
from graphc.ir.dtypes import DTYPES
from graphc.ir.graph import Graph, Origin
from graphc.ir.parser import parse_graph
from graphc.ir.printer import print_graph
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS

MODEL = """\
graph mnist_mlp {
  %x: float32[batch, 784] = Input()
  %dense/kernel: float32[784, 64] = State() {state = "dense/kernel"}
  %c: float32[2] = Constant() {value = [1.0, 2.0]}
  %low: float32[] = Constant() {value = -0.5}
  %dense/MatMul: float32[batch, 64] = MatMul(%x, %dense/kernel)
  %split: (float32[batch, 2], float32[batch, 62]) = Split(%dense/MatMul) {sizes = (2, 62), axis = 1}
  %total: float32[batch, 62] = CumSum(%split:1) {axis = 0, reverse = true}
  %clipped: float32[batch, 2] = Clip(%split, _, %low)
  %y: float32[batch, 2] = Add(%clipped, %c)
  %new: float32[784, 64] = Mul(%dense/kernel, %low)
  output logits = %y
  output total = %total
  update dense/kernel = %new
}
"""


def round_trip(graph: Graph) -> Graph:
    """Prints and parses, with and without defaults, and checks that nothing was lost."""
    for rules in (OPS, None):
        text = print_graph(graph, rules)
        again = parse_graph(text, OPS)
        assert graph_difference(graph, again) is None
        assert print_graph(again, rules) == text
    return again


def test_the_form_is_stable() -> None:
    graph = parse_graph(MODEL, OPS)
    assert print_graph(graph, OPS) == MODEL
    round_trip(graph)
    assert [v.name for v in graph.inputs] == ["x"]
    assert list(graph.outputs) == ["logits", "total"]
    assert graph.node("total").inputs[0] is graph.node("split").outputs[1]
    assert graph.node("clipped").inputs[1] is None
    assert graph.node("total").attributes["exclusive"] is False, "defaults are filled in"


def test_defaults_are_printed_when_nobody_knows_them() -> None:
    text = print_graph(parse_graph(MODEL, OPS))
    assert "CumSum(%split:1) {axis = 0, exclusive = false, reverse = true}" in text
    assert "= Input()\n" in text


def test_what_a_person_writes_is_read_too() -> None:
    text = """
    // a comment before the graph, "quotes" and all
    graph g{%x:float32[ n,( height-2 )//2 ]=Input() // behind a node
      %"x y": float32[n, (height - 2) // 2]
        = Neg( // an operand follows
            %x)
      %d: int64[] = DimSize() {dim = (height - 2) // 2, dtype = "int64"}
      output "the result" = %"x y" output d = %d }
    // and after it
    """
    assert print_graph(parse_graph(text, OPS), OPS) == (
        "graph g {\n"
        "  %x: float32[n, (height - 2) // 2] = Input()\n"
        '  %"x y": float32[n, (height - 2) // 2] = Neg(%x)\n'
        "  %d: int64[] = DimSize() {dim = (height - 2) // 2}\n"
        '  output "the result" = %"x y"\n'
        "  output d = %d\n"
        "}\n"
    )


def test_inputs_come_first_in_the_order_of_the_call() -> None:
    graph = Graph("g")
    build = Builder(graph, OPS)
    a = build.input("a", TensorType.of("float32", (2,)))
    n = build.emit("Neg", a, name="n")
    b = build.input("b", TensorType.of("float32", (2,)))
    graph.outputs["y"] = build.emit("Add", n, b, name="y")
    graph.inputs.reverse()
    assert print_graph(graph, OPS).splitlines()[1:4] == [
        "  %b: float32[2] = Input()",
        "  %a: float32[2] = Input()",
        "  %n: float32[2] = Neg(%a)",
    ]
    assert [v.name for v in round_trip(graph).inputs] == ["b", "a"]


def test_origins_are_comments() -> None:
    graph = Graph("g")
    build = Builder(graph, OPS)
    with build.origin(Origin("block/dense", "model.py", 7)):
        graph.outputs["y"] = build.emit("Neg", build.input("x", TensorType.of("float32", (2,))))
    text = print_graph(graph, OPS, origins=True)
    assert "%block/dense/Neg: float32[2] = Neg(%x)  // layer 'block/dense' at model.py:7\n" in text
    assert graphs_equal(graph, parse_graph(text, OPS))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.1), "0.1"),
        (np.float16(65504.0), "6.55e+04"),
        (np.float64(1e300), "1e+300"),
        (np.array([np.inf, -np.inf, np.nan, -0.0], np.float32), "[inf, -inf, nan, -0.0]"),
        (np.array([[1, -2], [3, 4]], np.int8), "[[1, -2], [3, 4]]"),
        (np.array([2**64 - 1], np.uint64), "[18446744073709551615]"),
        (np.array([True, False]), "[true, false]"),
        (np.zeros((0, 3), np.float32), "[]"),
        (np.zeros((2, 0), np.int32), "[]"),
        (np.zeros((1, 1, 1), np.float32), "[[[0.0]]]"),
        (np.array([-np.nan], np.float32).view(np.uint32) | np.uint32(1), "[4290772993]"),
    ],
)
def test_constants_as_lists(value: Any, text: str) -> None:
    graph = Graph("g")
    graph.outputs["y"] = Builder(graph, OPS).constant(np.asarray(value), name="c")
    assert f"Constant() {{value = {text}}}" in print_graph(graph, OPS)
    round_trip(graph)


@given(npst.arrays(st.sampled_from(DTYPES), npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
def test_constants_keep_their_bits(array: np.ndarray[Any, Any]) -> None:
    graph = Graph("g")
    graph.outputs["y"] = Builder(graph, OPS).own_constant(array, "c")
    value = round_trip(graph).node("c").attributes["value"]
    assert value.dtype == array.dtype
    assert value.shape == array.shape
    assert value.tobytes() == array.tobytes(), "NaNs with other bits, -0.0 and subnormals included"
    assert not value.flags.writeable


def test_large_constants_are_base64() -> None:
    graph = Graph("g")
    array = np.arange(33, dtype=">i2").astype(np.int16)
    graph.outputs["y"] = Builder(graph, OPS).constant(array, name="c")
    text = print_graph(graph, OPS)
    assert '{value = base64"AAABAAIAAwAE' in text, "little-endian"
    round_trip(graph)


@given(st.text(st.characters(exclude_characters=':"'), min_size=1, max_size=20).filter(str.isprintable))
def test_any_node_name(name: str) -> None:
    graph = Graph("g")
    build = Builder(graph, OPS)
    build.input(name, TensorType.of("float32", (2,)))
    graph.outputs["y"] = build.emit("Neg", graph.inputs[0])
    assert round_trip(graph).inputs[0].name == name


@given(st.text(max_size=20))
def test_any_graph_and_output_and_state_name(name: str) -> None:
    graph = Graph(name)
    build = Builder(graph, OPS)
    attributes = {"state": name, "dtype": "float32", "shape": ()}
    (state,) = graph.add_node("State", (), attributes, (TensorType("float32", ()),), name="s").outputs
    graph.outputs[name] = build.emit("Neg", state)
    graph.updates[name] = graph.outputs[name]
    again = round_trip(graph)
    assert again.name == name
    assert list(again.outputs) == list(again.updates) == list(again.states()) == [name]


@pytest.mark.parametrize("name", ["a//b", "/a", "a/", "a b", "ä", "%x", "a}", "\\", "output", "graph", "_", "-", "1"])
def test_names_that_look_like_something_else(name: str) -> None:
    graph = Graph(name)
    build = Builder(graph, OPS)
    graph.outputs[name] = build.emit("Neg", build.input(name, TensorType.of("float32", ())))
    round_trip(graph)


@pytest.mark.parametrize("dim", ["true", "nan", "(a - 1) // 2", "max(2*b, a)", "a*b", "a % 3", "-a + 1"])
def test_dims_in_types_and_attributes(dim: str) -> None:
    name = Dim(dim)
    graph = Graph("g")
    build = Builder(graph, OPS)
    x = build.input("x", TensorType("float32", (name, 2)))
    graph.outputs["d"] = build.emit("DimSize", dim=name)
    graph.outputs["y"] = build.emit("Reshape", x, shape=(2, name, 1))
    again = round_trip(graph)
    assert again.node("Reshape").attributes["shape"] == (2, dim, 1)
    assert isinstance(again.node("DimSize").attributes["dim"], Dim)


def test_tuples_of_every_length() -> None:
    graph = Graph("g")
    build = Builder(graph, OPS)
    x = build.input("x", TensorType.of("float32", (1, 4)))
    for axes in ((), (0,), (0, 1)):
        graph.outputs[f"y{len(axes)}"] = build.emit("ReduceSum", x, axes=axes, keepdims=False)
    graph.outputs["all"] = build.emit("ReduceSum", x)
    text = print_graph(graph, OPS)
    assert [f"axes = {t}" in text for t in ("()", "(0,)", "(0, 1)", "none")] == [True, True, True, False]
    round_trip(graph)


def test_an_attribute_without_a_text_form_is_refused() -> None:
    graph = Graph("g")
    graph.outputs["y"] = graph.add_node("Odd", (), {"what": object()}, (TensorType("float32", ()),)).output
    with pytest.raises(
        GraphError, match=r"Attribute 'what' of node 'Odd' .* is a object, which the text form does not"
    ):
        print_graph(graph)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (("graph mnist_mlp", "graph other"), "the names 'mnist_mlp' and 'other'"),
        (("%low", "%lower"), "node 'low' is only in the first graph"),
        (("Add(%clipped, %c)", "Sub(%clipped, %c)"), "node 'y': op Add and Sub"),
        (("Add(%clipped, %c)", "Add(%c, %clipped)"), "node 'y': operands .'clipped', 'c'. and .'c', 'clipped'."),
        (("{value = -0.5}", "{value = 0.5}"), "node 'low': attribute 'value' "),
        (("{axis = 0, reverse = true}", "{axis = 0}"), "node 'total': attribute 'reverse' True and False"),
        (("%y: ", "%unused: float32[] = Neg(%low) %y: "), "node 'unused' is only in the second graph"),
        (("output total = %total", ""), "outputs .* and "),
        (("update dense/kernel = %new", "update dense/kernel = %dense/kernel"), "updates .* and "),
    ],
)
def test_differences_are_found(change: tuple[str, str], difference: str) -> None:
    found = graph_difference(parse_graph(MODEL, OPS), parse_graph(MODEL.replace(*change), OPS))
    assert found is not None
    import re

    assert re.match(difference, found), found
