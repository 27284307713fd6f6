"""When two attributes, and two graphs, are the same: bit for bit, so that 0.0 is not -0.0 and 1 is not True."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

from graphc.ir.graph import Graph, Node, Value


def attribute_key(value: Any) -> Hashable:
    """A hashable that is equal for two attribute values exactly when they are the same, arrays by content."""
    match value:
        case float():
            return ("float", struct.pack("<d", value))
        case tuple():
            return ("tuple", *map(attribute_key, value))
        case np.ndarray():
            # A digest and not the bytes: keys of large weights must stay small.
            data = np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
            digest = blake2b(data, digest_size=32).digest()
            return ("array", value.dtype.str, value.shape, digest)
        case Graph():
            return ("graph", *_structure(value))
        case str():  # a named dim prints like a string, but is not one
            return (type(value).__name__, str(value))
    return (type(value).__name__, value)


def _structure(graph: Graph) -> tuple[Hashable, ...]:
    """What a graph computes, without the names of its nodes and outputs, which do not count in the body of a loop."""
    number: dict[Value | None, int] = {None: -1}
    nodes = []
    for node in graph.nodes():
        nodes.append((node.op, tuple(number[v] for v in node.inputs), attributes_key(node.attributes)))
        for value in node.outputs:
            number[value] = len(number)
    ends = (graph.inputs, graph.outputs.values())
    return (*nodes, *(tuple(number[value] for value in values) for values in ends))


def attributes_key(attributes: Mapping[str, Any]) -> Hashable:
    """`attribute_key` of a node's attributes, whatever their order."""
    return tuple((name, attribute_key(attributes[name])) for name in sorted(attributes))


def same_attribute(a: Any, b: Any) -> bool:
    """True when two attribute values are the same."""
    if a is b:
        return True
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and (a.dtype != b.dtype or a.shape != b.shape):
        return False
    return attribute_key(a) == attribute_key(b)


def graphs_equal(a: Graph, b: Graph) -> bool:
    """True when two graphs have the same name, nodes, inputs, outputs and updates; see `graph_difference`."""
    return graph_difference(a, b) is None


def graph_difference(a: Graph, b: Graph) -> str | None:
    """The first thing in which two graphs differ, in words, or None when they are equal.

    Equal graphs have the same name, the same nodes by name (op, operands, attributes, types), and the same inputs,
    outputs and updates in the same order. Origins and the age of nodes do not count.
    """
    if a.name != b.name:
        return f"the names {a.name!r} and {b.name!r}"
    for node in a.nodes():
        if node.name not in b:
            return f"node {node.name!r} is only in the first graph"
        if difference := _node_difference(node, b.node(node.name)):
            return f"node {node.name!r}: {difference}"
    for node in b.nodes():
        if node.name not in a:
            return f"node {node.name!r} is only in the second graph"
    if _names(a.inputs) != _names(b.inputs):
        return f"inputs {_names(a.inputs)} and {_names(b.inputs)}"
    for what, left, right in (("outputs", a.outputs, b.outputs), ("updates", a.updates, b.updates)):
        pairs = [(name, v.name) for name, v in left.items()], [(name, v.name) for name, v in right.items()]
        if pairs[0] != pairs[1]:
            return f"{what} {pairs[0]} and {pairs[1]}"
    return None


def _names(values: list[Value]) -> list[str]:
    return [v.name for v in values]


def _node_difference(a: Node, b: Node) -> str | None:
    if a.op != b.op:
        return f"op {a.op} and {b.op}"
    operands = tuple([None if v is None else v.name for v in node.inputs] for node in (a, b))
    if operands[0] != operands[1]:
        return f"operands {operands[0]} and {operands[1]}"
    types = tuple([v.type for v in node.outputs] for node in (a, b))
    if types[0] != types[1]:
        return f"types {', '.join(map(str, types[0]))} and {', '.join(map(str, types[1]))}"
    if a.attributes.keys() != b.attributes.keys():
        return f"attributes {sorted(a.attributes)} and {sorted(b.attributes)}"
    for name, value in a.attributes.items():
        other = b.attributes[name]
        if isinstance(value, Graph) and isinstance(other, Graph):
            if inside := graph_difference(value, other):
                return f"attribute {name!r}: {inside}"
        elif not same_attribute(value, other):
            return f"attribute {name!r} {value!r} and {other!r}"
    return None
