"""Walking over a graph. Nothing here recurses, so depth costs no stack."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from graphc.ir.graph import Graph, Node, Value

MAX_BODY_DEPTH = 16
"""How deep loops may stand inside each other. What walks into bodies may recurse this far."""


def bodies(node: Node) -> dict[str, Graph]:
    """The graphs among a node's attributes, by the attribute's name: the step of a loop."""
    return {name: value for name, value in node.attributes.items() if isinstance(value, Graph)}


def body_depth(graph: Graph) -> int:
    """How deep bodies stand inside each other in a graph: 0 without any; counted up to `MAX_BODY_DEPTH`."""
    depth, level = 0, {id(body): body for node in graph.nodes() for body in bodies(node).values()}
    while level and depth < MAX_BODY_DEPTH:
        depth += 1
        level = {id(b): b for body in level.values() for node in body.nodes() for b in bodies(node).values()}
    return depth


def ancestors(values: Iterable[Value]) -> set[Node]:
    """The nodes that ``values`` are computed from, with the nodes that produce ``values`` themselves."""
    found = {value.producer for value in values}
    todo = list(found)
    while todo:
        for value in todo.pop().inputs:
            if value is not None and value.producer not in found:
                found.add(value.producer)
                todo.append(value.producer)
    return found


def live_nodes(graph: Graph) -> set[Node]:
    """The nodes that some output or update of the graph is computed from."""
    return ancestors([*graph.outputs.values(), *graph.updates.values()])


def users(graph: Graph, value: Value) -> list[Node]:
    """The nodes that take ``value`` as an operand, each once, oldest first."""
    return list(dict.fromkeys(use.node for use in graph.uses(value)))


def descendants(graph: Graph, values: Iterable[Value]) -> set[Node]:
    """The nodes that depend on one of ``values``."""
    found: set[Node] = set()
    todo = list(values)
    while todo:
        for node in users(graph, todo.pop()):
            if node not in found:
                found.add(node)
                todo += node.outputs
    return found


def chains(graph: Graph, belongs: Callable[[Node], bool]) -> list[list[Node]]:
    """The longest runs of nodes that belong, where each but the last feeds the next one and nothing else.

    A node may have other operands beside the run's; a value that is a result of the graph ends its run. Every node that
    belongs is in exactly one run, in order.
    """
    run_of: dict[Node, list[Node]] = {}
    only_user: dict[Node, Node | None] = {}
    runs: list[list[Node]] = []
    for node in graph.nodes():
        if not belongs(node):
            continue
        producers = (v.producer for v in node.inputs if v is not None)
        before = next((p for p in producers if only_user.get(p) is node), None)
        if before is None:
            run: list[Node] = []
            runs.append(run)
        else:
            run = run_of[before]
            only_user[before] = None  # `node` may take it as several operands
        run.append(node)
        run_of[node] = run
        only_user[node] = _only_user(graph, node)
    return runs


def _only_user(graph: Graph, node: Node) -> Node | None:
    """The one node that uses the results of ``node``, when nothing else does."""
    found = {user for value in node.outputs for user in users(graph, value)}
    if len(found) != 1 or any(map(graph.is_result, node.outputs)):
        return None
    return found.pop()
