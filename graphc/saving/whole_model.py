"""Whole models in one file, Keras 3's ``.keras`` archive: architecture, training configuration, weights, optimizer state."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from graphc._version import __version__
from graphc.atomic import atomic_write
from graphc.errors import ArgumentError, ModelFileError
from graphc.layers.weight_budget import weight_budget
from graphc.model import Model
from graphc.saving.archive import CONFIG, METADATA, WEIGHTS, ArchiveReader, write_archive
from graphc.saving.input_file import MAX_FILE_BYTES, read_file
from graphc.saving.json_text import dump_json, parse_json
from graphc.saving.model_json import decode_utf8, model_from_object
from graphc.saving.weights_file import set_weights, weights_image
from graphc.serialization import serialize_keras_object

KERAS_VERSION = "3.15.1"
"""The version of Keras whose files these are."""

# Endings of files of other kinds, and what writes those.
_OTHER_ENDINGS = {
    ".weights.h5": "model.save_weights(path) writes weights alone",
    ".h5": "Keras's old format is not written; leave the ending out or use .keras",
    ".hdf5": "Keras's old format is not written; leave the ending out or use .keras",
    ".onnx": "model.export(path) writes ONNX",
    ".json": "model.to_json() gives the architecture alone",
}

# A weights file holds the weights, at most six slots of the optimizer for each, and a little for every part.
_SLOTS, _OVERHEAD = 8, 2**13


# -- writing ----------------------------------------------------------------------------------------------------------


def save_model(model: Model, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Write a model as one file.

    Args:
        model: any model. One that is not built is saved without weights.
        filepath: where to, with the ending ``.keras`` or none; or a binary file object.
        overwrite: whether an existing file may be replaced.
        zipped: always; Keras's folders of three files cannot be replaced in one step.
        kwargs: ``include_optimizer=False`` leaves the state of the optimizer out.

    Raises:
        ArgumentError: another kind of file asked for, a file in the way, or a layer without ``get_config``.
        CheckpointError: the file cannot be written; what was there before is untouched.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    if kwargs.pop("save_format", None) not in (None, "keras"):
        raise ArgumentError("Models are saved in the `.keras` format; leave `save_format` out.")
    if kwargs:
        raise ArgumentError(f"The following argument(s) are not supported: {list(kwargs)}.")
    if not isinstance(model, Model):
        raise ArgumentError(f"`save_model` takes a model; got {type(model).__name__}.")
    if zipped is False:
        raise ArgumentError("Models are saved as one file, which can be replaced in one step; leave `zipped` out.")
    if isinstance(filepath, io.IOBase):
        write_archive(filepath, _members(model, include_optimizer))  # type: ignore[arg-type]
        return
    path = _writable_path(filepath)
    if not overwrite and path.exists():
        raise ArgumentError(f"{path} exists already; pass overwrite=True to replace it.")
    if not model.built:
        warnings.warn(
            f"Model {model.name!r} is saved before it is built, so the file holds no weights. Call it on data first.",
            stacklevel=3,
        )
    members = _members(model, include_optimizer)
    with atomic_write(path) as out:
        write_archive(out, members)


def model_to_bytes(model: Model) -> bytes:
    """A model as the bytes of its file."""
    memory = io.BytesIO()
    write_archive(memory, _members(model, include_optimizer=True))
    return memory.getvalue()


def _writable_path(filepath: Any) -> Path:
    if not isinstance(filepath, str | os.PathLike):
        raise ArgumentError(f"`filepath` must be a path or a binary file; got {type(filepath).__name__}.")
    path = Path(filepath)
    for ending, advice in _OTHER_ENDINGS.items():
        if path.name.endswith(ending):
            raise ArgumentError(f"A whole model is not saved as {ending!r}: {advice}. Received: filepath={filepath}")
    return path


def _members(model: Model, include_optimizer: bool) -> dict[str, bytes | memoryview]:
    """Everything that goes into the file, made before the first byte is written."""
    metadata = {
        "keras_version": KERAS_VERSION,
        "date_saved": datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        "graphc_version": __version__,
    }
    return {
        METADATA: dump_json(metadata).encode(),
        CONFIG: dump_json(serialize_keras_object(model)).encode(),
        WEIGHTS: weights_image(model, optimizer=include_optimizer, random_key=include_optimizer),
    }


# -- reading ----------------------------------------------------------------------------------------------------------


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """A model from a file that graphc or Keras 3 wrote.

    Args:
        filepath: the file, whatever its ending; or a binary file object.
        custom_objects: names to classes and functions of yours that the file refers to.
        compile: whether to compile the model as the file says, and to bring the optimizer's state back.
        safe_mode: accepted for Keras's sake. It cannot be switched off: a file never runs code.

    Raises:
        ModelFileError: the file is missing, damaged, or no model; nothing is left half-made.
    """
    del safe_mode
    if isinstance(filepath, io.IOBase):
        what, data = "The file object", filepath.read(MAX_FILE_BYTES)
    elif isinstance(filepath, str | os.PathLike):
        what, data = os.fspath(filepath), read_file(Path(filepath))
    else:
        raise ArgumentError(f"`filepath` must be a path or a binary file; got {type(filepath).__name__}.")
    _check_kind(data, what)
    archive = ArchiveReader(data, what)
    del data
    try:
        return _model_of(archive, custom_objects, compile)
    except ModelFileError as error:
        if what in str(error):
            raise
        raise ModelFileError(f"{what}: {error}") from error


def model_from_bytes(data: bytes, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model from what `model_to_bytes` gave."""
    return load_model(io.BytesIO(data), custom_objects)


def _model_of(archive: ArchiveReader, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    what = archive.what
    if METADATA in archive:  # nothing in it is needed, but a broken one is a broken file
        parse_json(decode_utf8(archive.read(METADATA), METADATA), METADATA)
    entry = parse_json(decode_utf8(archive.read(CONFIG), CONFIG), CONFIG)
    if not compile and isinstance(entry, dict):
        entry.pop("compile_config", None)
    with weight_budget(archive.size(WEIGHTS) + 2**20):
        model = model_from_object(entry, custom_objects)
    parts = len(model._flatten_layers()) + len(model.variables) + 1
    limit = sum(v.array.nbytes for v in model.variables) * _SLOTS + parts * _OVERHEAD * _SLOTS
    set_weights(model, archive.read(WEIGHTS, limit), f"{what} ({WEIGHTS})")
    return model


def _check_kind(data: bytes, what: str) -> None:
    """Say what a file of another known kind is, and what reads it."""
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        raise ModelFileError(
            f"{what} is an HDF5 file, not a .keras archive. Weights alone are read with model.load_weights(path); whole "
            "models of Keras's old format must be saved again by Keras as .keras."
        )
    if data[:256].lstrip()[:1] == b"{":
        raise ModelFileError(
            f"{what} is a JSON file: graphc.models.model_from_json(text) makes the model, without weights."
        )
