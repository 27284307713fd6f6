"""Sequential models as configurations, in Keras 3's schema, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import ArgumentError, GraphcError, ModelFileError
from graphc.layers.layer import dtype_policy_config
from graphc.nesting import Task
from graphc.sequential import Sequential
from graphc.serialization import layer_entry_task, layer_task


def sequential_config_task(model: Sequential) -> Task[dict[str, Any]]:
    """Name, dtype, layers in order, and the input shape when it is known."""
    layers = []
    for layer in model._stack:
        layers.append((yield layer_entry_task(layer)))
    config: dict[str, Any] = {
        "name": model.name,
        "trainable": model.trainable,
        "dtype": dtype_policy_config(model.dtype),
        "layers": layers,
    }
    if model._functional is not None:
        config["build_input_shape"] = list(model.input_shape)
    return config


def sequential_task(cls: type[Sequential], config: Mapping[str, Any]) -> Task[Sequential]:
    """A sequential model of class ``cls`` with new weights.

    Raises:
        ModelFileError: the configuration is malformed.
    """
    entries = config.get("layers")
    if not isinstance(entries, list):
        raise ModelFileError("A sequential model's configuration must hold a list `layers`.")
    try:
        model = cls(name=config.get("name"))
        for entry in entries:
            if not isinstance(entry, Mapping):
                raise ModelFileError(f"An entry of `layers` must be an object; found {entry!r:.60}.")
            model.add((yield layer_task(entry)))
        shape = config.get("build_input_shape")
        if model._functional is None and isinstance(shape, list) and entries:
            model.build(_checked_shape(shape))
    except ModelFileError:
        raise
    except (GraphcError, TypeError) as error:
        raise ModelFileError(f"Sequential model {config.get('name')!r:.80} cannot be built: {error}") from error
    if config.get("trainable") is False:
        model.trainable = False
    return model


def _checked_shape(shape: list[Any]) -> tuple[int | None, ...]:
    if any(d is not None and (isinstance(d, bool) or not isinstance(d, int)) for d in shape):
        raise ArgumentError(f"`build_input_shape` must hold integers and null; found {shape!r:.80}.")
    return tuple(shape)
