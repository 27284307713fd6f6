"""``to_json`` and ``model_from_json``: the architecture in Keras 3's JSON, without weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphc import losses, metrics, optimizers
from graphc.errors import GraphcError, ModelFileError
from graphc.functional import Functional
from graphc.model import Model
from graphc.saving.functional_config import layer_from_object, layer_object
from graphc.sequential import Sequential

MAX_JSON_BYTES = 64 * 2**20
"""An architecture is text a person could read; what is larger is no architecture."""


def model_to_json(model: Model, **kwargs: Any) -> str:
    """The JSON text. ``kwargs`` go to ``json.dumps``.

    Raises:
        ModelFileError: a layer cannot be described as plain data.
    """
    if not isinstance(model, Functional | Sequential):
        raise ModelFileError(
            f"Model {model.name!r} is a subclass of Model: its architecture is Python code and cannot be written as JSON. "
            "Build it with the functional API, or save its weights."
        )
    return json.dumps({**layer_object(model), "compile_config": compile_config(model)}, **kwargs)


def compile_config(model: Model) -> dict[str, Any]:
    """What ``compile`` was given, as Keras writes it; empty when it was not called."""
    arguments = model._compile_arguments
    if arguments is None:
        return {}

    def plain(value: Any, table: Any) -> Any:
        if isinstance(value, dict):
            return {k: plain(v, table) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [plain(v, table) for v in value]
        return table.serialize(value)

    return {
        **arguments,
        "optimizer": optimizers.serialize(arguments["optimizer"]),
        "loss": plain(arguments["loss"], losses),
        "metrics": plain(arguments["metrics"], metrics),
        "weighted_metrics": plain(arguments["weighted_metrics"], metrics),
    }


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
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelFileError(
            f"{file} is not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}."
        ) from None
    except OSError as error:
        raise ModelFileError(f"{file} cannot be read: {error.strerror}.") from None
    try:
        return model_from_object(parse_json(text, str(file)), custom_objects)
    except ModelFileError as error:
        if str(file) in str(error):
            raise
        raise ModelFileError(f"{file}: {error}") from error


def parse_json(text: str, what: str) -> Any:
    """JSON as Python data.

    Raises:
        ModelFileError: it is cut short, malformed or nested too deeply.
    """
    if not isinstance(text, str):
        raise ModelFileError(f"{what} must be a string; got {type(text).__name__}.")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelFileError(
            f"{what} is not valid JSON (line {error.lineno}, column {error.colno}): {error.msg}."
        ) from None
    except RecursionError:
        raise ModelFileError(f"{what} is nested too deeply to be a model.") from None
    except ValueError as error:  # an integer of thousands of digits
        raise ModelFileError(f"{what} holds a number that cannot be read: {error}.") from None


def model_from_object(entry: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """A model from a parsed object; compiled again where the object says how."""
    if not isinstance(entry, Mapping):
        raise ModelFileError(f"A model must be a JSON object; found {type(entry).__name__}.")
    try:
        model = layer_from_object(entry, custom_objects)
        if not isinstance(model, Model):
            raise ModelFileError(f"The object describes a {type(model).__name__}, not a model.")
        arguments = entry.get("compile_config")
        if isinstance(arguments, Mapping) and arguments:
            compile_from_config(model, arguments, custom_objects)
    except RecursionError:
        raise ModelFileError("The model is nested too deeply.") from None
    except ModelFileError:
        raise
    except GraphcError as error:
        raise ModelFileError(f"The model cannot be built: {error}") from error
    return model


def compile_from_config(model: Model, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> None:
    """Call ``compile`` as the configuration says."""

    def objects(value: Any, table: Any) -> Any:
        if isinstance(value, Mapping) and "class_name" not in value:
            return {k: objects(v, table) for k, v in value.items()}
        if isinstance(value, list):
            return [objects(v, table) for v in value]
        return table.deserialize(value, custom_objects) if isinstance(value, Mapping) else value

    model.compile(
        optimizer=optimizers.deserialize(config.get("optimizer"), custom_objects) or "rmsprop",
        loss=objects(config.get("loss"), losses),
        loss_weights=config.get("loss_weights"),
        metrics=objects(config.get("metrics"), metrics),
        weighted_metrics=objects(config.get("weighted_metrics"), metrics),
    )
