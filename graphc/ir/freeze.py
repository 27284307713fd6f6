"""Turning states into constants: a trained model becomes a function of its inputs alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from graphc.errors import GraphError, did_you_mean
from graphc.ir import dtypes
from graphc.ir.graph import Graph, Value


def freeze(graph: Graph, state: Mapping[str, np.ndarray[Any, Any]], names: Iterable[str] | None = None) -> None:
    """Replace ``State`` nodes by ``Constant`` nodes of the same names, in place.

    The constants share the memory of the arrays: nothing is copied, and whoever owns an array must not write to it
    while the graph is in use.

    Args:
        graph: changed in place.
        state: state name to its array, of exactly the state's type.
        names: the states to freeze; every state of the graph by default.

    Raises:
        GraphError: a state is unknown, has no array or one of another type, or is updated by the graph. Nothing has
            been changed then.
    """
    values = graph.states()
    chosen = list(values) if names is None else list(dict.fromkeys(names))
    for name in chosen:
        if name not in values:
            raise GraphError(f"Graph {graph.name!r} has no state {name!r} to freeze.{did_you_mean(name, values)}")
        if name in graph.updates:
            raise GraphError(f"State {name!r} cannot be frozen: graph {graph.name!r} updates it.")
        if name not in state:
            raise GraphError(f"State {name!r} has no array to freeze; pass it in `state`.")
        array, type_ = state[name], values[name].type
        if array.shape != type_.shape or array.dtype != dtypes.numpy_dtype(type_.dtype):
            raise GraphError(f"State {name!r} must be {type_}; its array is {array.dtype}{list(array.shape)}.")
    for name in chosen:
        _replace(graph, values[name], state[name])


def _replace(graph: Graph, value: Value, array: np.ndarray[Any, Any]) -> None:
    old = value.producer
    shared = array.view()
    shared.flags.writeable = False
    new = graph.add_node("Constant", (), {"value": shared}, (value.type,), name=old.name, origin=old.origin)
    graph.replace_uses(value, new.output)
    graph.succeed(new, old)
