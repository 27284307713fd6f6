"""Objects from what Keras's files say of them.

A class name stands for a built-in class of a closed table, or for a class that the running program handed in
(`graphc.custom_objects`); nothing is ever imported by name, and no file can hold code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from graphc import activations, losses, metrics
from graphc.custom_objects import custom_object_scope, get_registered_object
from graphc.errors import ArgumentError, ModelFileError, did_you_mean
from graphc.layers.layer import Layer
from graphc.nesting import Task, run
from graphc.object_writer import PLAIN, VOCABULARY, shared_objects, sharing, task_beside

Entry = Mapping[str, Any]

# Where a function that a file names is looked for.
_FUNCTION_TABLES: tuple[ModuleType, ...] = (activations, losses, metrics)

_ARRAY_DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
)  # fmt: skip

_MAX_RANK = 32  # NumPy 1's, and more than any model has

_models: dict[str, type[Layer]] = {}


def use_models(models: Mapping[str, type[Layer]]) -> None:
    """Hand in the model classes, which live above layers, by the class names that files hold."""
    _models.update(models)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """An object from what `serialize_keras_object` gave, or from Keras's own configuration of it.

    Args:
        config: plain data.
        custom_objects: names to classes and functions of yours that the configuration may refer to.
        safe_mode: accepted for Keras's sake. It cannot be switched off: a file never runs code.

    Raises:
        ModelFileError: it is malformed, or names something unknown.
    """
    del safe_mode
    with custom_object_scope(custom_objects or {}), shared_objects():
        return run(deserialize_task(config))


def deserialize_task(config: Any) -> Task[Any]:
    """`deserialize_keras_object` as a task, within the scopes around it."""
    if isinstance(config, PLAIN):
        return config
    if isinstance(config, list | tuple):
        items = []
        for item in config:
            items.append(item if isinstance(item, PLAIN) else (yield deserialize_task(item)))
        return items
    if not isinstance(config, Mapping):
        raise ModelFileError(f"A configuration must be plain data; found {type(config).__name__}.")
    kind = config.get("class_name")
    if not isinstance(kind, str) or "config" not in config:
        members = {}
        for key, item in config.items():
            members[key] = item if isinstance(item, PLAIN) else (yield deserialize_task(item))
        return members
    if kind.startswith("__"):
        return data_value(kind, config["config"], "a configuration")
    if kind == "function":
        return _function(config["config"])
    if kind == "DTypePolicy":
        return _dtype(config["config"])
    return (yield object_task(config))


def data_value(kind: str, config: Any, where: str) -> Any:
    """What `data_config` described.

    Raises:
        ModelFileError: it is malformed or of a kind that is not read, code above all.
    """
    if kind == "__lambda__":
        raise ModelFileError(
            f"{where} holds the bytecode of a lambda function. Files hold data, never code, so it is not read; there is no "
            "switch for it. Write the function as a custom layer, or with a name that `custom_objects` knows."
        )
    if not isinstance(config, Mapping):
        raise ModelFileError(f"{where}: {kind} has no configuration.")
    if kind == "__slice__":
        parts = [config.get(k) for k in ("start", "stop", "step")]
        if any(p is not None and (isinstance(p, bool) or not isinstance(p, int)) for p in parts):
            raise ModelFileError(f"{where}: a slice must hold integers; found {parts}.")
        return slice(*parts)
    if kind == "__ellipsis__":
        return Ellipsis
    if kind == "__bytes__" and isinstance(config.get("value"), str):
        return config["value"].encode("utf-8")
    if kind in ("__numpy__", "__tensor__"):
        return _array(config, where)
    raise ModelFileError(f"{where}: values of kind {kind!r} are not read; files hold data, never code.")


def _array(config: Entry, where: str) -> np.ndarray[Any, Any]:
    dtype = config.get("dtype")
    if dtype not in _ARRAY_DTYPES:
        raise ModelFileError(f"{where}: an array of dtype {dtype!r:.60} is not read.")
    try:
        return np.asarray(config.get("value"), dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        raise ModelFileError(f"{where}: an array is not a rectangle of numbers.") from None


def _function(name: Any) -> Any:
    if not isinstance(name, str):
        raise ModelFileError(f"A function must be given by its name; found {name!r:.60}.")
    found = get_registered_object(name)
    if found is not None:
        return found
    for table in _FUNCTION_TABLES:
        try:
            return table.deserialize(name)
        except ArgumentError:
            continue
    raise ModelFileError(
        f"Unknown function {name!r}. A function of your own must be handed in: custom_objects={{{name!r}: {name}}}, or "
        "registered with graphc.saving.register_keras_serializable."
    )


def _dtype(config: Any) -> str:
    name = config.get("name") if isinstance(config, Mapping) else None
    if not isinstance(name, str):
        raise ModelFileError(f"A DTypePolicy must hold a name; found {config!r:.60}.")
    return name


def object_task(entry: Entry) -> Task[Any]:
    """A layer, a model or an object of the training vocabulary."""
    module, class_name = entry.get("module"), entry["class_name"]
    vocabulary = VOCABULARY.get(module) if isinstance(module, str) else None
    if vocabulary is not None:
        try:
            return vocabulary[1].deserialize(entry)
        except ArgumentError as error:
            raise ModelFileError(str(error)) from error
    found = _registered(entry)
    if found is None or (isinstance(found, type) and issubclass(found, Layer)):
        return (yield layer_task(entry))
    if not isinstance(found, type):
        return found
    return _construct(found, entry["config"], class_name)


def _registered(entry: Entry) -> Any:
    for name in (entry.get("registered_name"), entry.get("class_name")):
        found = get_registered_object(name) if isinstance(name, str) else None
        if found is not None:
            return found
    return None


def _construct(cls: Any, config: Any, class_name: str) -> Any:
    if not isinstance(config, Mapping):
        raise ModelFileError(f"The configuration of {class_name} must be an object; found {config!r:.60}.")
    try:
        return cls.from_config(dict(config)) if hasattr(cls, "from_config") else cls(**config)
    except Exception as error:  # as in layer_task
        raise ModelFileError(f"The configuration of {class_name} does not fit: {error}") from error


def layer_task(entry: Entry) -> Task[Layer]:
    """A layer or model, with new weights, from its entry in a file.

    Raises:
        ModelFileError: the class is unknown, or the configuration does not fit it.
    """
    class_name, config = entry.get("class_name"), entry.get("config")
    if not isinstance(class_name, str) or not isinstance(config, Mapping):
        raise ModelFileError(f"A layer must have a `class_name` and a `config`; found {str(dict(entry))[:80]}.")
    read: dict[int, tuple[str, Layer]] | None = getattr(sharing, "read", None)
    if read is None:
        read = {}
    shared = entry.get("shared_object_id")
    if isinstance(shared, int) and shared in read:
        first, layer = read[shared]
        if first != class_name:
            raise ModelFileError(f"The object of shared_object_id {shared} is a {first} and a {class_name} at once.")
        return layer
    name = config.get("name")
    if name is not None and (not isinstance(name, str) or not name or not name.isprintable()):
        raise ModelFileError(f"A layer's name must be printable text; found {name!r:.60}.")
    for key in ("batch_shape", "batch_input_shape"):
        shape = config.get(key)
        if isinstance(shape, list) and len(shape) > _MAX_RANK:
            raise ModelFileError(f"Layer {name!r} has an input of rank {len(shape):,}; a rank is at most {_MAX_RANK}.")
    cls = find_layer_class(class_name, entry)
    try:
        if task_beside(cls, "from_config", "from_config_task"):
            layer = yield cls.from_config_task(config)  # type: ignore[attr-defined]
        else:
            layer = cls.from_config(dict(config))
    except ModelFileError:
        raise
    except Exception as error:  # whatever a constructor makes of a configuration that nobody checked
        raise ModelFileError(f"The configuration of {class_name} {name!r} does not fit: {error}") from error
    if not isinstance(layer, Layer):
        raise ModelFileError(f"`from_config` of {class_name} returned {layer!r:.60}, which is no layer.")
    _restore(layer, entry)
    if isinstance(shared, int):
        read[shared] = (class_name, layer)
    return layer


def _restore(layer: Layer, entry: Entry) -> None:
    """Build and compile as the file says."""
    build, arguments = entry.get("build_config"), entry.get("compile_config")
    try:
        if isinstance(build, Mapping) and not layer.built:
            layer.build_from_config(build)
        if isinstance(arguments, Mapping) and arguments and hasattr(layer, "compile_from_config"):
            layer.compile_from_config(arguments)
    except ModelFileError:
        raise
    except Exception as error:  # as in layer_task
        raise ModelFileError(f"Layer {layer.name!r} cannot be built: {error}") from error


def find_layer_class(class_name: str, entry: Entry) -> type[Layer]:
    """The class that a file names.

    Raises:
        ModelFileError: it is neither built in nor handed in; suggests near names.
    """
    from graphc.layers import LAYERS

    found = _registered(entry)
    if isinstance(found, type) and issubclass(found, Layer):
        return found
    found = LAYERS.get(class_name) or _models.get(class_name)
    if found is None:
        raise ModelFileError(
            f"Unknown layer class {class_name!r}.{did_you_mean(class_name, LAYERS)} "
            "A class of your own must be handed in: custom_objects={'" + class_name + "': " + class_name + "}, or "
            "registered with graphc.saving.register_keras_serializable."
        )
    cls: type[Layer] = found
    return cls
