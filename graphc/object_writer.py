"""Objects as Keras's files describe them: module, class name, configuration, what they were built for."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from graphc import constraints, initializers, losses, metrics, optimizers, regularizers
from graphc.custom_objects import get_registered_name
from graphc.errors import ArgumentError
from graphc.layers.layer import Layer
from graphc.nesting import Task, run
from graphc.optimizers import schedules
from graphc.structure import flatten

# Keras's modules of everything that is no layer, with the base class of what is in them.
VOCABULARY: dict[str, tuple[type, ModuleType]] = {
    "keras.initializers": (initializers.Initializer, initializers),
    "keras.regularizers": (regularizers.Regularizer, regularizers),
    "keras.constraints": (constraints.Constraint, constraints),
    "keras.losses": (losses.Loss, losses),
    "keras.metrics": (metrics.Metric, metrics),
    "keras.optimizers": (optimizers.Optimizer, optimizers),
    "keras.optimizers.schedules": (schedules.LearningRateSchedule, schedules),
}

PLAIN = (str, int, float, bool, type(None))

sharing = threading.local()
"""What the scope of `shared_objects` has met so far: ``written`` and ``read``."""


def serialize_keras_object(obj: Any) -> Any:
    """An object as plain data: Keras's configuration of it.

    Args:
        obj: a layer, model, initializer, loss ..., a function, plain data, or lists, tuples and dicts of these.

    Raises:
        ArgumentError: it has no ``get_config``, or is a lambda, which no file can refer to.
    """
    with shared_objects():
        return run(serialize_task(obj))


def serialize_task(obj: Any) -> Task[Any]:
    """`serialize_keras_object` as a task."""
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, PLAIN):
        return obj
    if isinstance(obj, list | tuple):
        items = []
        for item in obj:
            items.append(item if isinstance(item, PLAIN) else (yield serialize_task(item)))
        return items
    if isinstance(obj, Mapping):
        members = {}
        for key, item in obj.items():
            members[key] = item if isinstance(item, PLAIN) else (yield serialize_task(item))
        return members
    data = data_config(obj)
    if data is not None:
        return data
    if isinstance(obj, Layer):
        return (yield layer_entry_task(obj))
    if inspect.isfunction(obj):
        return _function_config(obj)
    if isinstance(obj, type) or not hasattr(obj, "get_config"):
        raise ArgumentError(
            f"{obj!r:.80} of type {type(obj).__name__} cannot be saved: it has no `get_config(self)`, which returns the "
            "constructor's arguments as plain data."
        )
    for base, vocabulary in VOCABULARY.values():
        if isinstance(obj, base):
            return vocabulary.serialize(obj)
    cls = type(obj)
    module, registered_name = _module_of(cls)
    config = yield serialize_task(obj.get_config())
    return {"module": module, "class_name": cls.__name__, "config": config, "registered_name": registered_name}


def data_config(value: Any) -> dict[str, Any] | None:
    """The configuration of data that JSON has no form for: slices, the ellipsis, bytes, arrays. None for other things."""
    if isinstance(value, slice):
        parts = {part: _index(getattr(value, part)) for part in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, bytes):
        return {"class_name": "__bytes__", "config": {"value": value.decode("utf-8")}}
    if isinstance(value, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": str(value.dtype)}}
    return None


def _index(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _function_config(function: Callable[..., Any]) -> dict[str, Any]:
    if not function.__name__.isidentifier():
        raise ArgumentError(
            "A lambda cannot be saved: files hold names, not code. Define the function with `def`, and pass it in "
            "`custom_objects` when loading."
        )
    name = get_registered_name(function)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def layer_entry_task(layer: Layer) -> Task[dict[str, Any]]:
    """A layer or model as an entry of a file."""
    cls = type(layer)
    if task_beside(cls, "get_config", "config_task"):
        config = yield layer.config_task()  # type: ignore[attr-defined]
    else:
        config = layer.get_config()
        if not isinstance(config, Mapping):
            raise ArgumentError(f"`get_config` of layer {layer.name!r} must return a dict; it returned {config!r:.60}.")
        if not _is_built_in(cls):  # a class of the user's may hold objects in its configuration
            config = yield serialize_task(config)
    module, registered_name = _module_of(cls)
    entry = {"module": module, "class_name": cls.__name__, "config": config, "registered_name": registered_name}
    build = layer.get_build_config()
    if build is not None:
        entry["build_config"] = yield serialize_task(build)
    if hasattr(layer, "get_compile_config"):
        entry["compile_config"] = yield serialize_task(layer.get_compile_config())
    _mark_shared(layer, entry)
    return entry


def custom_objects_of(model: Layer) -> dict[str, Any]:
    """The classes and functions of the user's own in a model, by the names under which its configuration refers to them.

    For copies within one program: a file says only the names.
    """
    found: dict[str, Any] = {}
    for layer in model._flatten_layers():
        compiled = getattr(layer, "_compile_arguments", None) or {}
        held = [*vars(layer).values(), *compiled.values()]
        for item in (layer, *(leaf for value in held for leaf in flatten(value))):
            thing = item if inspect.isfunction(item) else type(item)
            if (thing is item or hasattr(item, "get_config")) and not _is_our_own(thing):
                found[get_registered_name(thing)] = thing
    return found


def _is_our_own(thing: Any) -> bool:
    return str(thing.__module__).startswith("graphc.")


def _is_built_in(cls: type) -> bool:
    from graphc.layers import LAYERS

    return LAYERS.get(cls.__name__) is cls


def _module_of(cls: type) -> tuple[str | None, str | None]:
    """The module and registered name under which files name a class."""
    if _is_built_in(cls):
        return "keras.layers", None
    known: tuple[str, str | None] | None = vars(cls).get("_keras_module")
    if known is not None:
        return known
    return None if cls.__module__ == "__main__" else cls.__module__, get_registered_name(cls)


def task_beside(cls: type, method: str, task: str) -> bool:
    """True when the class that defines ``method`` also defines ``task``, which does the same without recursion.

    False when a subclass has written a ``method`` of its own, which then counts.
    """
    owner = next(base for base in cls.__mro__ if method in vars(base))
    return task in vars(owner)


@contextmanager
def shared_objects() -> Iterator[None]:
    """Inside, a layer that is met twice is written (and read) as one. Scopes within join the outermost."""
    if getattr(sharing, "written", None) is not None:
        yield
        return
    sharing.written, sharing.read = {}, {}
    try:
        yield
    finally:
        sharing.written = sharing.read = None


def _mark_shared(layer: Layer, entry: dict[str, Any]) -> None:
    written: dict[int, tuple[Layer, dict[str, Any]]] | None = getattr(sharing, "written", None)
    if written is None:
        return
    if id(layer) not in written:
        written[id(layer)] = (layer, entry)
        return
    first = written[id(layer)][1]
    if "shared_object_id" not in first:
        # Keras writes Python's id(). A count says the same and makes equal models give equal files.
        first["shared_object_id"] = 1 + sum("shared_object_id" in e for _, e in written.values())
    entry["shared_object_id"] = first["shared_object_id"]
