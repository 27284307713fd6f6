"""Checking that a graph keeps every invariant of the IR, in time linear in its size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graphc.errors import GraphcError, GraphError
from graphc.ir.builder import OpRules
from graphc.ir.compare import same_attribute
from graphc.ir.graph import Graph, Node, Value


def verify(graph: Graph, rules: OpRules) -> None:
    """Check every invariant that `graphc.ir.graph` states.

    Args:
        graph: any graph.
        rules: complete attributes and infer types; what the graph records must be what they say.

    Raises:
        GraphError: the first invariant that is broken, with the node and its layer.
    """
    nodes = graph.nodes()  # raises where there is a cycle
    for node in nodes:
        for problem in _problems(graph, node, rules):
            where = f", {node.origin}" if str(node.origin) else ""
            raise GraphError(f"Graph {graph.name!r}, node {node.name!r} ({node.op}{where}): {problem}.")
    for problem in _edge_problems(graph, nodes):
        raise GraphError(f"Graph {graph.name!r}: {problem}.")
    for problem in _interface_problems(graph, nodes):
        raise GraphError(f"Graph {graph.name!r}: {problem}.")


def _belongs(graph: Graph, value: Value) -> bool:
    producer = value.producer
    if producer.name not in graph or graph.node(producer.name) is not producer:
        return False
    return 0 <= value.index < len(producer.outputs) and producer.outputs[value.index] is value


def _problems(graph: Graph, node: Node, rules: OpRules) -> Iterator[str]:
    """What is wrong with one node."""
    if node.name not in graph or graph.node(node.name) is not node:
        yield "the graph does not know it by this name"
        return
    if not all(_belongs(graph, value) for value in node.outputs):
        yield "its outputs do not name it as their producer, with their place as index"
    for slot, value in enumerate(node.inputs):
        if value is not None and not _belongs(graph, value):
            yield f"operand {slot}, %{value.name}, is no value of this graph"
    try:
        complete = rules.attributes(node.op, node.attributes)
        expected = tuple(rules.infer(node.op, [None if v is None else v.type for v in node.inputs], complete))
    except GraphcError as error:
        yield f"its attributes or operands are refused: {str(error).rstrip('.')}"
        return
    if list(complete) != list(node.attributes):
        yield f"its attributes are {list(node.attributes)}; complete and in order they are {list(complete)}"
    for name, value in complete.items():
        if name in node.attributes and not same_attribute(value, node.attributes[name]):
            yield f"attribute {name!r} is {node.attributes[name]!r}; its canonical form is {value!r}"
        if isinstance(value, np.ndarray) and value.flags.writeable:
            yield f"the tensor in attribute {name!r} can be written to; it must be read-only"
        if isinstance(value, Graph):
            try:
                verify(value, rules)
            except GraphError as error:
                yield f"in attribute {name!r}: {str(error).rstrip('.')}"
                return
    recorded = tuple(value.type for value in node.outputs)
    if recorded != expected:
        shown = [", ".join(map(str, types)) or "nothing" for types in (recorded, expected)]
        yield f"its recorded type is {shown[0]}; the type rule gives {shown[1]}"


def _edge_problems(graph: Graph, nodes: tuple[Node, ...]) -> Iterator[str]:
    """Where edges and operands differ."""
    edges = set(graph.edges())
    operands = {
        (v.producer.name, node.name, slot) for node in nodes for slot, v in enumerate(node.inputs) if v is not None
    }
    for producer, consumer, slot in sorted(operands - edges):
        yield f"operand {slot} of node {consumer!r} is a value of {producer!r}, and there is no such edge"
    for producer, consumer, slot in sorted(edges - operands):
        yield f"there is an edge from {producer!r} to operand {slot} of node {consumer!r}, which is another value"


def _interface_problems(graph: Graph, nodes: tuple[Node, ...]) -> Iterator[str]:
    """What is wrong with inputs, states, outputs and updates."""
    named = [
        *(("input", v.name, v) for v in graph.inputs),
        *(("output", name, v) for name, v in graph.outputs.items()),
        *(("update", name, v) for name, v in graph.updates.items()),
    ]
    for what, name, value in named:
        if not _belongs(graph, value):
            yield f"{what} {name!r} is %{value.name}, which is no value of this graph"
    if len(set(graph.inputs)) != len(graph.inputs):
        yield f"an input is listed twice in {[v.name for v in graph.inputs]}"
    listed = {value.producer for value in graph.inputs}
    for node in nodes:
        if (node.op == "Input") != (node in listed):
            yield f"node {node.name!r} ({node.op}) is {'' if node in listed else 'not '}among the graph's inputs"
    states: dict[str, Node] = {}
    for node in nodes:
        if node.op == "State":
            other = states.setdefault(node.attributes["state"], node)
            if other is not node:
                yield f"state {node.attributes['state']!r} has two nodes, {other.name!r} and {node.name!r}"
    for name, value in graph.updates.items():
        if name not in states:
            yield f"update {name!r} is of a state that has no node"
        elif states[name].output.type != value.type:
            yield f"state {name!r} is {states[name].output.type}; its update %{value.name} is {value.type}"
