"""Questions about symbolic tensors."""

from __future__ import annotations

from typing import Any

from graphc.layers.symbolic import SymbolicTensor
from graphc.structure import flatten


def is_keras_tensor(x: Any) -> bool:
    """True for what `Input` and layers called on it give."""
    return isinstance(x, SymbolicTensor)


def get_source_inputs(tensor: Any) -> list[SymbolicTensor]:
    """The inputs that tensors were computed from, each once, in the order in which the calls took them.

    Args:
        tensor: a symbolic tensor, or a list or dict of them. A tensor without history is its own source.
    """
    sources: dict[int, SymbolicTensor] = {}
    seen: set[int] = set()
    todo = [x for x in reversed(flatten(tensor)) if isinstance(x, SymbolicTensor)]
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        above = item.call.input_tensors if item.call is not None else []
        if above:
            todo += reversed(above)
        else:
            sources[id(item)] = item
    return list(sources.values())
