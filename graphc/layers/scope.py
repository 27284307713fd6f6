"""What a call inside a call inherits: the path of layers around it and whether it trains."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_local = threading.local()


class _Scope:
    def __init__(self) -> None:
        self.path: list[str] = []
        self.training: list[bool] = []


def _scope() -> _Scope:
    scope: _Scope | None = getattr(_local, "scope", None)
    if scope is None:
        scope = _local.scope = _Scope()
    return scope


@contextmanager
def layer_scope(name: str | None, training: bool | None) -> Iterator[None]:
    """Inside, the path has ``name`` at its end and ``training`` (unless None) is the default of inner calls."""
    scope = _scope()
    if name is not None:
        scope.path.append(name)
    if training is not None:
        scope.training.append(training)
    try:
        yield
    finally:
        if name is not None:
            scope.path.pop()
        if training is not None:
            scope.training.pop()


@contextmanager
def outermost() -> Iterator[None]:
    """Inside, there is no path: used when a model is built or lowered on its own, whatever called for it."""
    before = getattr(_local, "scope", None)
    _local.scope = _Scope()
    try:
        yield
    finally:
        _local.scope = before


def current_path() -> tuple[str, ...]:
    """The names of the layers whose calls are running, outermost first."""
    return tuple(_scope().path)


def current_training() -> bool | None:
    """The ``training`` of the innermost call that said it; None outside of any."""
    training = _scope().training
    return training[-1] if training else None
