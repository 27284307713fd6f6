"""``trim_loops``: take out of loops what nobody needs.

::

    %s: (f[4], f[2], f[n, 4], f[n, 2], f[n, 4], f[n, 2]) = Scan(%a, %b, %x, %w, %v) {body = graph body {
      ...
      output state_0 = %new_a
      output state_1 = %new_b
      output result_0 = %y
      output result_1 = %z
    }, num_states = 2, num_scanned = 1}
    output last = %s
    output y = %s:2

becomes, where the first state and ``%y`` do not depend on the second state and on ``%v``::

    %s: (f[4], f[n, 4], f[n, 4]) = Scan(%a, %x, %w) {body = graph body {
      ...
      output state_0 = %new_a
      output result_0 = %y
    }, num_states = 1, num_scanned = 1}

A result stays when somebody reads it; a state when somebody reads it behind the loop or on entry of its steps, or when
what stays is computed from it; a slice and an invariant when what stays is computed from it. One tensor to scan over always
stays, since its length is the number of steps. Exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.traversal import ancestors
from graphc.ops.scan import Loop
from graphc.passes.base import Options, PassResult
from graphc.passes.rewrite import remove_dead


def trim_loops(graph: Graph, options: Options) -> PassResult:
    """Remove states, results and operands that no result of the graph needs."""
    notes = []
    for node in graph.nodes_of("Scan"):
        loop = Loop.of(node.attributes)
        kept = _needed(graph, node, loop)
        if (
            any(map(graph.is_used, node.outputs))
            and len(kept.inputs) + len(kept.results) < len(node.inputs) + loop.results
        ):
            _replace(graph, Builder(graph, options.rules), node, kept)
            gone = loop.results - len(kept.results), len(node.inputs) - len(kept.inputs)
            notes.append(f"removed {gone[0]} results and {gone[1]} operands of %{node.name}")
    return PassResult(bool(notes), tuple(notes))


# -- match -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kept:
    """The indices of the operands, and of the results, that stay."""

    inputs: Sequence[int]
    results: Sequence[int]


def _needed(graph: Graph, node: Node, loop: Loop) -> _Kept:
    inputs, outputs = loop.body.inputs, list(loop.body.outputs.values())
    results = [i for i in range(loop.results) if graph.is_used(node.outputs[loop.states + i])]
    states = {
        i
        for i in range(loop.states)
        if graph.is_used(node.outputs[i]) or graph.is_used(node.outputs[loop.first_entry + i])
    }
    while True:
        live = ancestors([*(outputs[i] for i in states), *(outputs[loop.states + i] for i in results)])
        read = {i for i, value in enumerate(inputs) if value.producer in live}
        if states >= {i for i in read if i < loop.states}:
            break
        states |= {i for i in read if i < loop.states}
    scanned = [i for i in range(loop.states, loop.end) if i in read] or [loop.states]
    return _Kept([*sorted(states), *scanned, *(i for i in sorted(read) if i >= loop.end)], results)


# -- rewrite -----------------------------------------------------------------------------------------------------------


def _replace(graph: Graph, build: Builder, node: Node, kept: _Kept) -> None:
    loop = Loop.of(node.attributes)
    states = [i for i in kept.inputs if i < loop.states]
    scanned = [i for i in kept.inputs if loop.states <= i < loop.end]
    with build.origin(node.origin):
        new = build.emit_node(
            "Scan",
            [node.inputs[i] for i in kept.inputs],
            body=_trimmed(loop, kept, states),
            num_states=len(states),
            num_scanned=len(scanned),
            reverse=node.attributes["reverse"],
        )
    stay = [*states, *(loop.states + i for i in kept.results), *(loop.first_entry + i for i in states)]
    for i, value in zip(stay, new.outputs, strict=True):
        graph.replace_uses(node.outputs[i], value)
    operands = [v.producer for v in node.inputs if v is not None]
    graph.succeed(new, node)
    remove_dead(graph, operands)


def _trimmed(loop: Loop, kept: _Kept, states: Sequence[int]) -> Graph:
    """A copy of the body with the inputs and outputs that stay."""
    body, twin = loop.body.clone()
    names = list(body.outputs)
    stay = [*states, *(loop.states + i for i in kept.results)]
    body.outputs = {names[i]: body.outputs[names[i]] for i in stay}
    inputs: list[Value] = [twin[loop.body.inputs[i]] for i in kept.inputs]
    needed = ancestors(body.outputs.values()) | {value.producer for value in inputs}
    body.remove_nodes([node for node in body.nodes() if node not in needed])
    return body
