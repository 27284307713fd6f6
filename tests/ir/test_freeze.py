from __future__ import annotations

import numpy as np
import pytest

from graphc.errors import GraphError
from graphc.ir.freeze import freeze
from graphc.ir.graph import Graph
from graphc.ir.parser import parse_graph
from graphc.ir.printer import print_graph
from graphc.ir.verify import verify
from graphc.ops.registry import OPS

TEXT = """graph g {
  %x: float32[batch, 2] = Input()
  %dense/kernel: float32[2] = State() {state = "dense/kernel"}
  %count: int32[] = State() {state = "count"}
  %y: float32[batch, 2] = Mul(%x, %dense/kernel)
  %more: int32[] = Add(%count, %count)
  output y = %y
  output kernel = %dense/kernel
  update count = %more
}
"""
KERNEL = np.array([1.5, -2.0], np.float32)


@pytest.fixture
def graph() -> Graph:
    return parse_graph(TEXT, OPS)


def test_states_become_constants_of_the_same_name(graph: Graph) -> None:
    kernel = KERNEL.copy()
    freeze(graph, {"dense/kernel": kernel}, ["dense/kernel"])
    verify(graph, OPS)
    assert print_graph(graph, OPS) == TEXT.replace(
        'State() {state = "dense/kernel"}', "Constant() {value = [1.5, -2.0]}"
    )
    value = graph.node("dense/kernel").attributes["value"]
    assert np.shares_memory(value, kernel), "nothing is copied"
    assert not value.flags.writeable
    assert kernel.flags.writeable, "the owner's array stays as it was"


def test_every_state_by_default() -> None:
    graph = parse_graph(TEXT.replace("  update count = %more\n", ""), OPS)
    freeze(graph, {"dense/kernel": KERNEL, "count": np.array(3, np.int32)})
    assert graph.states() == {}
    assert graph.outputs["kernel"] is graph.node("dense/kernel").output
    verify(graph, OPS)


@pytest.mark.parametrize(
    ("state", "names", "message"),
    [
        ({}, ["kernel"], "has no state 'kernel' to freeze. Did you mean \"dense/kernel\""),
        ({}, ["dense/kernel"], "State 'dense/kernel' has no array to freeze; pass it in `state`."),
        (
            {"dense/kernel": np.zeros(3, np.float32)},
            ["dense/kernel"],
            r"must be float32\[2\]; its array is float32\[3\]",
        ),
        ({"dense/kernel": np.zeros(2)}, ["dense/kernel"], r"must be float32\[2\]; its array is float64\[2\]"),
        (
            {"dense/kernel": KERNEL, "count": np.array(3, np.int32)},
            None,
            "'count' cannot be frozen: graph 'g' updates it",
        ),
    ],
)
def test_refusals_change_nothing(graph: Graph, state: dict[str, np.ndarray], names: list[str], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        freeze(graph, state, names)
    assert print_graph(graph, OPS) == TEXT
