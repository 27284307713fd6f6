"""The user's own classes, by the names under which files may refer to them.

A file never makes Python import anything: a name in a file stands for a built-in class of a closed table, or for a class
that the running program handed in here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from graphc.errors import ArgumentError

T = TypeVar("T", bound=Callable[..., Any])

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_scopes = threading.local()

_BUILT_IN = "graphc."


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Class decorator: files may refer to this class as ``package>name``.

    Raises:
        ArgumentError: the decorated object is neither a class with ``get_config`` nor a function.
    """

    def register(cls: T) -> T:
        if isinstance(cls, type) and not hasattr(cls, "get_config"):
            raise ArgumentError(f"{cls.__name__} cannot be registered: it has no `get_config` method.")
        full = f"{package}>{name or cls.__name__}"
        _registered[full] = cls
        _names[cls] = full
        return cls

    return register


def get_registered_name(cls: Any) -> str:
    """``package>name`` for a registered object, else its plain name."""
    return _names.get(cls) or str(cls.__name__)


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The object of that registered or plain name; None when there is none."""
    for table in (custom_objects or {}, *reversed(_active_scopes()), _registered):
        if name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The table of registered objects; may be changed."""
    return _registered


def _active_scopes() -> list[Mapping[str, Any]]:
    scopes: list[Mapping[str, Any]] = _scopes.__dict__.setdefault("stack", [])
    return scopes


@contextmanager
def custom_object_scope(objects: Mapping[str, Any]) -> Iterator[None]:
    """Inside, files may refer to these objects by these names."""
    _active_scopes().append(dict(objects))
    try:
        yield
    finally:
        _active_scopes().pop()


CustomObjectScope = custom_object_scope


def registered_module(cls: type) -> str | None:
    """The module of a class of graphc itself; None for a user's."""
    module = cls.__module__
    return module if module.startswith(_BUILT_IN) else None
