"""The arguments of layer calls as Keras writes them into JSON: tensors by where they come from, slices, plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import ModelFileError
from graphc.layers.symbolic import SymbolicTensor
from graphc.serialization import data_config, data_value

History = Callable[[SymbolicTensor], list[Any]]


def to_json_value(value: Any, history: History) -> Any:
    """An argument of a layer call as JSON: tensors by the layer, call and output they come from.

    Raises:
        ModelFileError: it is not plain data.
    """
    if isinstance(value, SymbolicTensor):
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history(value)}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, list | tuple):
        return [to_json_value(v, history) for v in value]
    if isinstance(value, dict):
        return {k: to_json_value(v, history) for k, v in value.items()}
    data = data_config(value)
    if data is not None:
        return data
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ModelFileError(
        f"A call with the argument {value!r:.80} of type {type(value).__name__} cannot be saved: "
        "only tensors, numbers, strings, slices, arrays, lists and dicts can."
    )


def from_json_value(value: Any, tensor: Callable[[list[Any]], Any], where: str) -> Any:
    """An argument from JSON. ``tensor`` finds a tensor by [layer, call, output].

    Raises:
        ModelFileError: it is of an unknown kind.
    """
    if isinstance(value, list):
        return [from_json_value(v, tensor, where) for v in value]
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), value.get("config")
    if not isinstance(kind, str) or not kind.startswith("__"):
        return {k: from_json_value(v, tensor, where) for k, v in value.items()}
    if kind == "__keras_tensor__":
        return tensor(config.get("keras_history") if isinstance(config, dict) else config)  # type: ignore[arg-type]
    return data_value(kind, config, where)


def index_tuple(key: Any) -> Any:
    """JSON's list of slices as the tuple that indexing takes."""
    return tuple(key) if isinstance(key, list) and any(isinstance(k, slice) or k is Ellipsis for k in key) else key
