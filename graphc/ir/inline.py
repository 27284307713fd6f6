"""Putting a copy of one graph into another: the body of a loop into the graph of its gradient."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import GraphError
from graphc.ir.graph import Graph, Value


def inline(graph: Graph, body: Graph, operands: Sequence[Value]) -> list[Value]:
    """Copy the nodes of ``body`` into ``graph``, with values of ``graph`` in the place of its inputs.

    Args:
        graph: changed in place; names that it has already get a number behind them in the copy.
        body: a graph without states; it stays as it is.
        operands: one value of ``graph`` for each input of ``body``, of its type.

    Returns:
        The values of ``graph`` that the outputs of ``body`` became, in order.

    Raises:
        GraphError: the operands do not fit the inputs, or ``body`` has states.
    """
    if len(operands) != len(body.inputs):
        raise GraphError(f"Graph {body.name!r} has {len(body.inputs)} inputs; got {len(operands)} operands.")
    for value, operand in zip(body.inputs, operands, strict=True):
        if value.type != operand.type:
            raise GraphError(f"Input %{value.name} of graph {body.name!r} is {value.type}; got {operand!r}.")
    twin = dict(zip(body.inputs, operands, strict=True))
    for node in body.nodes():
        if node.op == "State":
            raise GraphError(
                f"Graph {body.name!r} has the state {node.attributes['state']!r} and cannot be put into another graph."
            )
        if node.op != "Input":
            inputs = [None if v is None else twin[v] for v in node.inputs]
            types = [v.type for v in node.outputs]
            new = graph.add_node(node.op, inputs, node.attributes, types, name=node.name, origin=node.origin)
            twin.update(zip(node.outputs, new.outputs, strict=True))
    return [twin[value] for value in body.outputs.values()]
