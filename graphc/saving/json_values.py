"""The values inside configurations: tensors, slices and plain data, as Keras writes them into JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.errors import ModelFileError
from graphc.layers.symbolic import SymbolicTensor

History = Callable[[SymbolicTensor], list[Any]]


def to_json_value(value: Any, history: History) -> Any:
    """An argument of a layer call as JSON: tensors by the layer, call and output they come from.

    Raises:
        ModelFileError: it is not plain data.
    """
    if isinstance(value, SymbolicTensor):
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history(value)}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, slice):
        parts = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": parts}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, list | tuple):
        return [to_json_value(v, history) for v in value]
    if isinstance(value, dict):
        return {k: to_json_value(v, history) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": str(value.dtype)}}
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
    if kind is None or not isinstance(kind, str) or not kind.startswith("__"):
        return {k: from_json_value(v, tensor, where) for k, v in value.items()}
    if not isinstance(config, Mapping):
        raise ModelFileError(f"{where}: {kind} has no configuration.")
    if kind == "__keras_tensor__":
        return tensor(config.get("keras_history"))  # type: ignore[arg-type]
    if kind == "__slice__":
        parts = [config.get(k) for k in ("start", "stop", "step")]
        if any(p is not None and (isinstance(p, bool) or not isinstance(p, int)) for p in parts):
            raise ModelFileError(f"{where}: a slice must hold integers; found {parts}.")
        return slice(*parts)
    if kind == "__ellipsis__":
        return Ellipsis
    if kind in ("__numpy__", "__tensor__"):
        return _array(config, where)
    raise ModelFileError(f"{where}: values of kind {kind!r} are not read; files hold data, never code.")


def _array(config: Mapping[str, Any], where: str) -> np.ndarray[Any, Any]:
    dtype = config.get("dtype")
    if dtype not in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
                     "float64"):  # fmt: skip
        raise ModelFileError(f"{where}: an array of dtype {dtype!r} is not read.")
    try:
        return np.asarray(config.get("value"), dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        raise ModelFileError(f"{where}: an array is not a rectangle of numbers.") from None


def index_tuple(key: Any) -> Any:
    """JSON's list of slices as the tuple that indexing takes."""
    return tuple(key) if isinstance(key, list) and any(isinstance(k, slice) or k is Ellipsis for k in key) else key
