from __future__ import annotations

import pytest

from graphc.ir.graph import Graph
from graphc.ir.parser import parse_graph
from graphc.ir.traversal import ancestors, chains, descendants, live_nodes, users
from graphc.ops.registry import OPS

TEXT = """graph g {
  %x: float32[2] = Input()
  %w: float32[2] = State() {state = "w"}
  %a: float32[2] = Neg(%x)
  %b: float32[2] = Abs(%a)
  %c: float32[2] = Mul(%b, %b)
  %d: float32[2] = Add(%c, %w)
  %e: float32[2] = Exp(%d)
  %f: float32[2] = Sub(%e, %d)
  %dead: float32[2] = Sqrt(%f)
  %new: float32[2] = Neg(%w)
  output d = %d
  output f = %f
  update w = %new
}
"""


@pytest.fixture
def graph() -> Graph:
    return parse_graph(TEXT, OPS)


def names(nodes: object) -> list[str]:
    return sorted(n.name for n in nodes)  # type: ignore[attr-defined]


def test_ancestors_and_descendants(graph: Graph) -> None:
    value = graph.node("c").output
    assert names(ancestors([value])) == ["a", "b", "c", "x"]
    assert names(ancestors([])) == []
    assert names(descendants(graph, [value])) == ["d", "dead", "e", "f"]
    assert names(descendants(graph, [graph.node("dead").output])) == []


def test_live_nodes_feed_outputs_and_updates(graph: Graph) -> None:
    assert names(set(graph.nodes()) - live_nodes(graph)) == ["dead"]


def test_users_are_listed_once(graph: Graph) -> None:
    assert [n.name for n in users(graph, graph.node("b").output)] == ["c"]
    assert [n.name for n in users(graph, graph.node("d").output)] == ["e", "f"]


def test_chains_end_where_a_value_is_shared_or_a_result(graph: Graph) -> None:
    found = chains(graph, lambda node: node.op not in ("Input", "State"))
    assert [[n.name for n in run] for run in found] == [["a", "b", "c", "d"], ["e", "f"], ["dead"], ["new"]]


def test_chains_of_some_nodes(graph: Graph) -> None:
    found = chains(graph, lambda node: node.op in ("Neg", "Mul"))
    assert [[n.name for n in run] for run in found] == [["a"], ["c"], ["new"]]


def test_a_run_has_one_continuation() -> None:
    graph = parse_graph(
        """graph g {
          %x: float32[2] = Input()
          %a: float32[2] = Neg(%x)
          %b: float32[2] = Abs(%x)
          %c: float32[2] = Add(%a, %b)
          output c = %c
        }""",
        OPS,
    )
    found = chains(graph, lambda node: node.op != "Input")
    assert [[n.name for n in run] for run in found] == [["a", "c"], ["b"]]
