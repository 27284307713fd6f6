"""Where in a weights file the variables of each part of a model are: Keras's walk over attributes that hold layers.

The walk, not the names of layers, decides: ``layers/dense_1/vars``, ``layers/bidirectional/forward_layer/cell/vars``,
``encoder/vars``. Each part is stored once, at the first place that the walk meets it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphc.functional import Functional
from graphc.layers.layer import Layer
from graphc.model import Model
from graphc.naming import snake_case
from graphc.optimizers import Optimizer
from graphc.sequential import Sequential

Part = Layer | Optimizer

_OWN_ATTRIBUTES = frozenset(
    """
    _calls _compile_arguments _compiled _constructor_arguments _functional _input_structure _inputs _layer_graph _metrics
    _output_structure _outputs _stack _targets _trackers _weights
    """.split()
)
"""What graphc itself keeps in a layer or model, and no file holds."""


def places(model: Layer) -> Iterator[tuple[str, Part]]:
    """Each layer, and each optimizer of a model, once, with the path of its group; the model's own is the empty one."""
    visited: dict[int, Any] = {}  # the objects too: an id is only theirs while they live
    todo: list[tuple[str, Any]] = [("", model)]
    while todo:
        place, item = todo.pop()
        if id(item) in visited:
            continue
        visited[id(item)] = item
        if isinstance(item, Layer | Optimizer):
            yield place, item
        found = _members(item) if isinstance(item, list | tuple) else _attributes(item)
        todo += reversed([(f"{place}/{name}".lstrip("/"), child) for name, child in found])


def _attributes(part: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of a layer that hold layers, or lists, tuples and dicts that may hold some; private ones last."""
    if isinstance(part, Optimizer):
        return
    listed = isinstance(part, Sequential) or hasattr(part, "layer_graph")
    if listed:
        yield "layers", list(part.layers)
    names = set(vars(part)) | _properties(type(part))
    if isinstance(part, Model) and not listed:
        names |= {"layers"}  # of a model with a `call` of its own, too, but among the others
    for name in sorted(names, key=lambda n: (n.startswith("_"), n)):
        if name in _OWN_ATTRIBUTES or name.startswith("__"):
            continue
        try:
            value = getattr(part, name)
        except Exception:
            continue
        if isinstance(value, Layer | Optimizer):
            yield name, value
        elif isinstance(value, Mapping):
            yield name, list(value.values())
        elif isinstance(value, list | tuple):
            yield name, value


def _properties(cls: type) -> frozenset[str]:
    """The properties of a class, without those that all layers and models have."""
    own = [base for base in cls.__mro__ if not any(issubclass(frame, base) for frame in (Functional, Sequential))]
    return frozenset(name for base in own for name, value in vars(base).items() if isinstance(value, property))


def _members(container: Any) -> Iterator[tuple[str, Any]]:
    """Layers by the snake_case name of their class, and containers, numbered within their name."""
    counts: dict[str, int] = {}
    for item in container:
        child: Any = list(item.values()) if isinstance(item, Mapping) else item
        if isinstance(child, Layer | Optimizer):
            stem = snake_case(type(child).__name__)
        elif isinstance(child, list | tuple):
            stem = "container"
        else:
            continue
        count = counts.get(stem, 0)
        counts[stem] = count + 1
        yield (f"{stem}_{count}" if count else stem), child
