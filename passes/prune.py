"""``prune``: remove what no output and no update needs.

::

    %x: float32[2] = Input()
    %w: float32[2] = State() {state = "w"}            %x: float32[2] = Input()
    %a: float32[2] = Add(%x, %w)                 ->   %y: float32[2] = Neg(%x)
    %y: float32[2] = Neg(%x)                          output y = %y
    output y = %y

Dead nodes, unused constants and unused states go. Inputs stay, since callers feed them; so do states that the graph
updates without reading them. Exact.
"""

from __future__ import annotations

from graphc.ir.graph import Graph
from graphc.ir.traversal import live_nodes
from graphc.passes.base import Options, PassResult


def prune(graph: Graph, _options: Options) -> PassResult:
    """Remove nodes from which no output and no update is computed."""
    live = live_nodes(graph)
    dead = [node for node in graph.nodes() if node not in live and node.op != "Input"]
    dead = [node for node in dead if not (node.op == "State" and node.attributes["state"] in graph.updates)]
    graph.remove_nodes(dead)
    return PassResult(bool(dead), tuple(f"removed %{node.name} ({node.op})" for node in dead))
