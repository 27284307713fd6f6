"""What the tables of parity cases are written with: shapes, and objects of the package under test by name."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int | None, ...]
Shapes = tuple[Shape, ...] | dict[str, Shape]

VECTOR: Shape = (4,)
WIDE: Shape = (11,)
SEQUENCE: Shape = (6, 4)
IMAGE: Shape = (7, 9, 4)
IMAGE_EVEN: Shape = (8, 6, 4)
IMAGE_FIRST: Shape = (4, 7, 9)
VOLUME: Shape = (5, 3, 6, 2)
VOLUME_FIRST: Shape = (2, 5, 3, 6)


@dataclass(frozen=True)
class Obj:
    """An object of the package: ``Obj("regularizers", "L2", {"l2": 0.1})`` is ``k.regularizers.L2(l2=0.1)``."""

    module: str
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Function:
    """A function of the package itself: ``Function("activations", "relu")`` is ``k.activations.relu``."""

    module: str
    name: str


def resolve(k: Any, value: Any) -> Any:
    """``value`` with every ``Obj`` and ``Function`` in it, at any depth of lists, tuples and dicts, taken from ``k``."""
    if isinstance(value, Function):
        return getattr(functools.reduce(getattr, value.module.split("."), k), value.name)
    if isinstance(value, Obj):
        module = functools.reduce(getattr, value.module.split("."), k)
        return getattr(module, value.name)(**resolve(k, dict(value.config)))
    if isinstance(value, dict):
        return {key: resolve(k, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(resolve(k, item) for item in value)
    return value
