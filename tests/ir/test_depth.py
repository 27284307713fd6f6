"""Depth costs no stack and size no more than linear time: chains of 10,000 nodes, and values with 10,000 users."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from graphc.ir.builder import Builder
from graphc.ir.compare import graph_difference
from graphc.ir.graph import Graph
from graphc.ir.parser import parse_graph
from graphc.ir.printer import print_graph
from graphc.ir.traversal import ancestors, chains, descendants, live_nodes
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops.registry import OPS


def chain(count: int) -> Graph:
    graph = Graph("chain")
    build = Builder(graph, OPS)
    value = build.input("x", TensorType.of("float32", ("batch", 2)))
    for _ in range(count):
        value = build.emit("Tanh", value)
    graph.outputs["y"] = value
    return graph


def star(count: int) -> Graph:
    graph = Graph("star")
    build = Builder(graph, OPS)
    x = build.input("x", TensorType.of("float32", ("batch", 2)))
    for i in range(count):
        graph.outputs[f"y{i}"] = build.emit("Tanh", x)
    return graph


@contextmanager
def little_stack() -> Iterator[None]:
    """Fails what recurses once per node."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def work(graph: Graph) -> None:
    """Everything that walks over a graph."""
    text = print_graph(graph, OPS, origins=True)
    again = parse_graph(text, OPS)
    assert graph_difference(graph, again) is None
    verify(again, OPS)
    copy, _ = again.clone()
    assert len(copy.to_networkx()) == len(copy)
    x = copy.inputs[0]
    assert (
        len(ancestors(copy.outputs.values())) == len(live_nodes(copy)) == len(descendants(copy, [x])) + 1 == len(copy)
    )
    chains(copy, lambda node: node.op == "Tanh")
    new = Builder(copy, OPS).emit("Neg", x)
    for use in copy.uses(x):
        if use.node is not new.producer:
            copy.set_inputs(use.node, [new])
    for node in copy.nodes():
        copy.rename(node, f"renamed/{node.name}")
    for node in reversed(copy.nodes()):
        for name in list(copy.outputs.names_of(node.outputs[0])):
            del copy.outputs[name]
        copy.remove_node(node)
    assert len(copy) == 0


@pytest.mark.parametrize("make", [chain, star])
def test_ten_thousand_nodes(make: Callable[[int], Graph]) -> None:
    with little_stack():
        work(make(10_000))


@pytest.mark.slow
@pytest.mark.parametrize("make", [chain, star])
def test_time_is_linear(make: Callable[[int], Graph]) -> None:
    def seconds(count: int) -> float:
        graph = make(count)
        gc.collect()
        gc.disable()  # its pauses grow with all that is alive, whoever made it
        begin = time.process_time()
        work(graph)
        spent = time.process_time() - begin
        gc.enable()
        return spent

    # Eight times the nodes: 8 if linear, 64 if quadratic; sorting and caches take a little more than the first.
    assert min(seconds(16_000) for _ in range(2)) < 24 * min(seconds(2_000) for _ in range(3))
