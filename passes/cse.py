"""``cse``: compute equal expressions once (common subexpression elimination).

::

    %a: float32[2] = Add(%x, %y)                      %a: float32[2] = Add(%x, %y)
    %b: float32[2] = Add(%y, %x)                 ->   %c: float32[2] = Mul(%a, %a)
    %c: float32[2] = Mul(%a, %b)

Two nodes are equal when they have the same op, the same operands (in either order where the op is commutative) and the
same attributes, constants by the bits of their elements. Every op is a function of its operands and attributes: random
bits, too, come from a key that is an operand, so that equal ones are the same bits. Inputs and states are never merged.
Exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from graphc.ir.compare import attributes_key
from graphc.ir.graph import Graph, Node, Value
from graphc.ops.opdef import OpTable, Trait
from graphc.passes.base import Options, PassResult
from graphc.passes.rewrite import INTERFACE_OPS


def cse(graph: Graph, options: Options) -> PassResult:
    """Replace each node by an equal one that comes before it."""
    # Only constants of one type can be equal; the others need no digest of their elements.
    constants = Counter(node.output.type for node in graph.nodes_of("Constant"))
    first: dict[Hashable, Node] = {}
    gone: list[Node] = []
    notes: list[str] = []
    for node in graph.nodes():
        if node.op in INTERFACE_OPS or (node.op == "Constant" and constants[node.output.type] == 1):
            continue
        kept = first.setdefault(_key(node, options.rules), node)
        if kept is not node:
            for old, new in zip(node.outputs, kept.outputs, strict=True):
                graph.replace_uses(old, new)
            gone.append(node)
            notes.append(f"%{node.name} is %{kept.name}")
    graph.remove_nodes(gone)
    return PassResult(bool(gone), tuple(notes))


def _key(node: Node, rules: OpTable) -> Hashable:
    """Equal for two nodes exactly when they compute the same; their operands have been merged before."""
    operands: list[Value | None] = list(node.inputs)
    while operands and operands[-1] is None:
        operands.pop()
    if Trait.COMMUTATIVE in rules[node.op].traits:
        operands.sort(key=_place)
    return (node.op, tuple(operands), attributes_key(node.attributes))


def _place(value: Value | None) -> tuple[str, int]:
    return ("", -1) if value is None else (value.producer.name, value.index)
