"""The graph itself: edges follow operands, names stay unique, and nothing is lost when it is edited."""

from __future__ import annotations

import networkx as nx
import pytest

from graphc.errors import GraphError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, ResultTable, Use, Value
from graphc.ir.parser import parse_graph
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops.registry import OPS

TEXT = """graph g {
  %x: float32[2] = Input()
  %w: float32[2] = State() {state = "w"}
  %square: float32[2] = Mul(%x, %x)
  %parts: (float32[1], float32[1]) = Split(%square) {sizes = (1, 1)}
  %sum: float32[2] = Add(%square, %w)
  %first: float32[1] = Neg(%parts)
  %second: float32[1] = Neg(%parts:1)
  output sum = %sum
  output also = %sum
  output second = %second
  update w = %sum
}
"""


@pytest.fixture
def graph() -> Graph:
    return parse_graph(TEXT, OPS)


def value(graph: Graph, name: str) -> Value:
    return graph.node(name).outputs[0]


def test_a_square_has_two_edges(graph: Graph) -> None:
    square = graph.node("square")
    assert graph.uses(value(graph, "x")) == [Use(square, 0), Use(square, 1)]
    assert sorted(graph.edges())[-3:] == [("w", "sum", 1), ("x", "square", 0), ("x", "square", 1)]


def test_uses_tell_the_outputs_of_a_node_apart(graph: Graph) -> None:
    first, second = graph.node("parts").outputs
    assert [use.node.name for use in graph.uses(first)] == ["first"]
    assert [use.node.name for use in graph.uses(second)] == ["second"]
    assert first.name == "parts"
    assert second.name == "parts:1"


def test_questions_about_use(graph: Graph) -> None:
    assert graph.is_result(value(graph, "sum"))
    assert not graph.is_result(value(graph, "square"))
    assert graph.is_used(value(graph, "sum")), "as an output"
    assert not graph.is_used(value(graph, "first"))
    assert graph.has_one_use(graph.node("parts").outputs[1])
    assert not graph.has_one_use(value(graph, "x")), "two operands"
    assert not graph.has_one_use(value(graph, "sum")), "a result"


def test_set_inputs_moves_edges(graph: Graph) -> None:
    x, square = value(graph, "x"), value(graph, "square")
    graph.set_inputs(graph.node("sum"), [x, x])
    assert [use.node.name for use in graph.uses(square)] == ["parts"]
    assert len(graph.uses(x)) == 4
    assert graph.uses(value(graph, "w")) == []
    verify(graph, OPS)


def test_set_inputs_with_more_and_fewer_operands() -> None:
    graph = parse_graph(
        """graph g {
          %x: float32[2] = Input()
          %low: float32[] = Constant() {value = 0.0}
          %y: float32[2] = Clip(%x, %low, %low)
          output y = %y
        }""",
        OPS,
    )
    x, low, clip = value(graph, "x"), value(graph, "low"), graph.node("y")
    graph.set_inputs(clip, [x])
    assert graph.uses(low) == []
    graph.set_inputs(clip, [x, None, low])
    assert graph.uses(low) == [Use(clip, 2)]
    verify(graph, OPS)


def test_set_inputs_refuses_strangers(graph: Graph) -> None:
    stranger = value(parse_graph(TEXT, OPS), "x")
    with pytest.raises(GraphError, match="%x does not belong to graph 'g'"):
        graph.set_inputs(graph.node("sum"), [stranger, stranger])
    assert graph.node("sum").inputs == (value(graph, "square"), value(graph, "w"))


def test_a_cycle_is_found(graph: Graph) -> None:
    graph.set_inputs(graph.node("square"), [value(graph, "x"), value(graph, "sum")])
    with pytest.raises(GraphError, match=r"has a cycle through (square, sum|sum, square)\."):
        graph.nodes()


def test_replace_uses_reaches_operands_outputs_and_updates(graph: Graph) -> None:
    old, new = value(graph, "sum"), value(graph, "square")
    graph.replace_uses(old, new)
    assert graph.outputs["sum"] is new
    assert graph.outputs["also"] is new
    assert graph.updates["w"] is new
    assert list(graph.outputs) == ["sum", "also", "second"], "the order stays"
    assert not graph.is_used(old)
    graph.replace_uses(value(graph, "x"), value(graph, "w"))
    assert graph.node("square").inputs == (value(graph, "w"), value(graph, "w"))
    verify(graph, OPS)


def test_replace_uses_by_itself_changes_nothing(graph: Graph) -> None:
    square = value(graph, "square")
    graph.replace_uses(square, square)
    assert [use.node.name for use in graph.uses(square)] == ["parts", "sum"]


def test_replace_uses_keeps_types(graph: Graph) -> None:
    with pytest.raises(GraphError, match=r"Cannot replace %square: float32\[2\] by %parts: float32\[1\]\."):
        graph.replace_uses(value(graph, "square"), value(graph, "parts"))


def test_rename_keeps_edges(graph: Graph) -> None:
    graph.rename(graph.node("square"), "block/square")
    assert "square" not in graph
    assert value(graph, "block/square").name == "block/square"
    assert [use.node.name for use in graph.uses(value(graph, "block/square"))] == ["parts", "sum"]
    graph.rename(graph.node("block/square"), "x")
    assert graph.node("x_1").op == "Mul", "a name that is taken gets a number"
    verify(graph, OPS)


@pytest.mark.parametrize("name", ["a:b", 'a"b', "a\nb", "\x7f"])
def test_malformed_names_are_refused(graph: Graph, name: str) -> None:
    with pytest.raises(GraphError, match="cannot name a node"):
        graph.rename(graph.node("square"), name)
    with pytest.raises(GraphError, match="cannot name a node"):
        graph.add_node("Neg", [value(graph, "x")], {}, [TensorType("float32", (2,))], name=name)


def test_unique_names() -> None:
    graph = Graph()
    build = Builder(graph, OPS)
    x = build.input("x", TensorType("float32", (2,)))
    names = [build.emit("Neg", x).name for _ in range(4)]
    assert names == ["Neg", "Neg_1", "Neg_2", "Neg_3"]
    graph.remove_node(graph.node("Neg_1"))
    assert build.emit("Neg", x, name="Neg_1").name == "Neg_1"
    assert build.emit("Neg", x).name == "Neg_4"


def test_remove_node_refuses_what_is_used(graph: Graph) -> None:
    with pytest.raises(GraphError, match="'square' cannot be removed: it is used by parts, sum"):
        graph.remove_node(graph.node("square"))
    with pytest.raises(GraphError, match="'sum' cannot be removed: it is used by the graph's outputs or updates"):
        graph.remove_node(graph.node("sum"))
    graph.remove_node(graph.node("first"))
    assert "first" not in graph
    with pytest.raises(GraphError, match="has no node 'first'"):
        graph.node("first")


def test_removed_inputs_leave_the_list() -> None:
    graph = parse_graph("graph g { %x: float32[] = Input() %y: float32[] = Input() output y = %y }", OPS)
    graph.remove_node(graph.node("x"))
    assert [v.name for v in graph.inputs] == ["y"]


def test_succeed_takes_name_and_place(graph: Graph) -> None:
    old = graph.node("square")
    new = graph.add_node("Abs", [value(graph, "x")], {}, [TensorType("float32", (2,))])
    graph.replace_uses(old.output, new.output)
    graph.succeed(new, old)
    assert [node.name for node in graph.nodes()][2] == "square"
    assert graph.node("square") is new
    verify(graph, OPS)


def test_nodes_come_in_a_stable_order(graph: Graph) -> None:
    assert [node.name for node in graph] == ["x", "w", "square", "parts", "sum", "first", "second"]
    graph.set_inputs(graph.node("parts"), [value(graph, "sum")])
    assert [node.name for node in graph] == ["x", "w", "square", "sum", "parts", "first", "second"]


def test_recording_collects_new_nodes(graph: Graph) -> None:
    build = Builder(graph, OPS)
    with graph.recording() as outer:
        build.emit("Neg", value(graph, "x"), name="a")
        with graph.recording() as inner:
            build.emit("Neg", value(graph, "x"), name="b")
        build.emit("Neg", value(graph, "x"), name="c")
    build.emit("Neg", value(graph, "x"), name="d")
    assert [n.name for n in outer] == ["a", "c"]
    assert [n.name for n in inner] == ["b"]


def test_clone_shares_nothing_that_changes(graph: Graph) -> None:
    copy, twin = graph.clone()
    assert [n.name for n in copy] == [n.name for n in graph]
    assert twin[value(graph, "x")] is value(copy, "x")
    assert copy.outputs["also"] is value(copy, "sum")
    copy.replace_uses(value(copy, "sum"), value(copy, "square"))
    copy.remove_nodes([copy.node("sum"), copy.node("first")])
    copy.rename(copy.node("x"), "input")
    copy.set_attributes(copy.node("parts"), {"sizes": (1, 1), "axis": -1})
    assert [n.name for n in graph] == ["x", "w", "square", "parts", "sum", "first", "second"]
    assert graph.outputs["sum"] is value(graph, "sum")
    assert graph.node("parts").attributes["axis"] == 0
    verify(graph, OPS)
    verify(copy, OPS)


def test_attributes_are_read_only(graph: Graph) -> None:
    with pytest.raises(TypeError):
        graph.node("parts").attributes["axis"] = 1  # type: ignore[index]


def test_networkx_algorithms_run_on_a_frozen_view(graph: Graph) -> None:
    view = graph.to_networkx()
    assert nx.is_directed_acyclic_graph(view)
    assert nx.ancestors(view, "sum") == {"x", "square", "w"}
    assert nx.dag_longest_path_length(view, weight=None, default_weight=1) == 3
    assert view.nodes["parts"]["op"] == "Split"
    assert view.nodes["parts"]["attributes"]["sizes"] == (1, 1)
    assert view.nodes["parts"]["types"] == ("float32[1]", "float32[1]")
    assert view.number_of_edges("x", "square") == 2
    assert view.edges["parts", "second", 0]["output"] == 1
    for change in (lambda: view.add_node("y"), lambda: view.remove_node("x"), lambda: view.add_edge("x", "sum")):
        with pytest.raises(nx.NetworkXError):
            change()
    assert len(graph) == 7


def test_result_table_is_a_dict_that_knows_its_values(graph: Graph) -> None:
    x, w = value(graph, "x"), value(graph, "w")
    table = ResultTable({"a": x, "b": w})
    table["c"] = x
    assert table.names_of(x) == ("a", "c")
    table["a"] = w
    assert table.names_of(w) == ("b", "a")
    assert list(table) == ["a", "b", "c"], "an entry keeps its place"
    assert table.pop("c") is x
    assert not table.holds(x)
    assert table.names_of(x) == ()
    assert table == {"a": w, "b": w}
    table.clear()
    assert not table.holds(w)
    with pytest.raises(KeyError):
        table["a"]
