"""Nested structures of tensors: lists, tuples and dicts. Dicts are walked by sorted key, as in Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def _children(structure: Any) -> list[Any] | None:
    if isinstance(structure, list | tuple):
        return list(structure)
    if isinstance(structure, dict):
        return [structure[key] for key in ordered_keys(structure)]
    return None


def ordered_keys(structure: dict[Any, Any]) -> list[Any]:
    """The order in which a dict's values are flattened: sorted where keys can be compared."""
    try:
        return sorted(structure)
    except TypeError:
        return list(structure)


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order."""
    found: list[Any] = []
    todo = [structure]
    while todo:
        item = todo.pop()
        children = _children(item)
        if children is None:
            found.append(item)
        else:
            todo += reversed(children)
    return found


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The same nesting with ``function`` applied to each leaf. Nesting is as deep as the user wrote it."""
    if isinstance(structure, dict):
        mapped = {key: map_structure(function, structure[key]) for key in ordered_keys(structure)}
        return {key: mapped[key] for key in structure}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(map_structure(function, item) for item in structure))
    if isinstance(structure, list | tuple):
        return type(structure)(map_structure(function, item) for item in structure)
    return function(structure)


def pack_like(structure: Any, leaves: Iterable[Any]) -> Any:
    """Leaves put into the nesting of ``structure``."""
    source: Iterator[Any] = iter(leaves)
    return map_structure(lambda _: next(source), structure)
