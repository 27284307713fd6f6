"""``to_json`` and ``model_from_json``: the architecture in Keras 3's JSON, without weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphc.errors import ModelFileError
from graphc.layers.weight_budget import weight_budget
from graphc.model import Model
from graphc.saving.json_text import MAX_JSON_BYTES, dump_json, parse_json
from graphc.serialization import deserialize_keras_object, serialize_keras_object

MAX_WEIGHT_BYTES = 8 * 2**30
"""What the weights of a model may take that is made from JSON alone, where no weights say how large they are."""


def model_to_json(model: Model, **kwargs: Any) -> str:
    """The JSON text. ``kwargs`` go to ``json.dumps``.

    Raises:
        ArgumentError: a layer or object of yours has no ``get_config``.
        ModelFileError: a layer cannot be described as plain data.
    """
    return dump_json(serialize_keras_object(model), **kwargs)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model with new weights from what `to_json` of graphc or Keras 3 wrote.

    Raises:
        ModelFileError: it is not JSON, or not a model; the message says where.
    """
    return model_from_object(parse_json(json_string, "The JSON text"), custom_objects)


def read_model(path: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model with new weights from a ``model.json`` file.

    Raises:
        ModelFileError: the file is missing, too large or no model; the message names it.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise ModelFileError(f"{file}: no such file." if not file.exists() else f"{file} is not a regular file.")
        if file.stat().st_size > MAX_JSON_BYTES:
            raise ModelFileError(f"{file} has {file.stat().st_size} bytes; a model.json has at most {MAX_JSON_BYTES}.")
        text = decode_utf8(file.read_bytes(), str(file))
    except OSError as error:
        raise ModelFileError(f"{file} cannot be read: {error.strerror}.") from None
    try:
        return model_from_object(parse_json(text, str(file)), custom_objects)
    except ModelFileError as error:
        if str(file) in str(error):
            raise
        raise ModelFileError(f"{file}: {error}") from error


def decode_utf8(data: bytes, what: str) -> str:
    """Bytes of a file as text.

    Raises:
        ModelFileError: they are not UTF-8; the message names the first bad byte.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{what} is not UTF-8 text: byte {error.start} is {data[error.start]:#04x}.") from None


def model_from_object(entry: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """A model from a parsed object; compiled again where the object says how.

    Raises:
        ModelFileError: the object is malformed or no model.
    """
    if not isinstance(entry, Mapping):
        raise ModelFileError(f"A model must be a JSON object; found {type(entry).__name__}.")
    if not isinstance(entry.get("class_name"), str) or "config" not in entry:
        raise ModelFileError(f"A model must have a `class_name` and a `config`; found the keys {list(entry)[:12]}.")
    try:
        with weight_budget(MAX_WEIGHT_BYTES):
            model = deserialize_keras_object(entry, custom_objects)
    except RecursionError:
        raise ModelFileError("The model is nested too deeply.") from None
    if not isinstance(model, Model):
        raise ModelFileError(f"The object describes a {type(model).__name__}, not a model.")
    return model
