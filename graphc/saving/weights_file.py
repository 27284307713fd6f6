"""``.weights.h5`` files in Keras 3's layout: groups follow the attributes that hold layers, not the layers' names.

The file is written in memory and takes its place in one step, so a killed save leaves the old file intact. Reading checks
every link, shape and dtype against the model before the first weight is set.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from graphc.atomic import atomic_write
from graphc.errors import ArgumentError, ModelFileError, NotBuiltError
from graphc.layers.layer import Layer
from graphc.model import Model
from graphc.naming import snake_case
from graphc.ops.functional.variable import Variable
from graphc.sequential import Sequential

_ENDING = ".weights.h5"


def save_weights(model: Model, filepath: Any, *, overwrite: bool = True, max_shard_size: Any = None) -> None:
    """Write all weights.

    Args:
        model: a built model.
        filepath: must end in ``.weights.h5``.
        overwrite: whether an existing file may be replaced.
        max_shard_size: not supported.

    Raises:
        ArgumentError: a wrong ending, a file in the way, or sharding asked for.
        CheckpointError: the file cannot be written; the old one is untouched.
        NotBuiltError: the model has no weights yet.
    """
    path = _checked_path(filepath)
    if max_shard_size is not None:
        raise ArgumentError("Weights are written to one file; `max_shard_size` is not supported.")
    if not overwrite and path.exists():
        raise ArgumentError(f"{path} exists already; pass overwrite=True to replace it.")
    _need_built(model)
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w", track_order=False) as file:
        for place, layer in places(model):
            group = file.create_group(f"{place}/vars" if place else "vars")
            group.attrs["name"] = layer.name
            for i, variable in enumerate(layer._own_variables()):
                group.create_dataset(str(i), data=variable.array)
        for i, variable in enumerate(_optimizer_variables(model)):
            file.require_group("optimizer/vars").create_dataset(str(i), data=variable.array)
    with atomic_write(path) as out:
        out.write(memory.getbuffer())


def load_weights(model: Model, filepath: Any, *, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Set all weights from a file that graphc or Keras 3 wrote. Either all are set or none.

    Args:
        model: a built model of the same architecture.
        filepath: must end in ``.weights.h5``.
        skip_mismatch: leave weights alone whose shapes differ, instead of refusing the file.

    Raises:
        ModelFileError: the file is missing, damaged, or does not fit the model; names the weight.
    """
    if kwargs:
        raise ArgumentError(f"Unexpected keyword arguments of load_weights: {sorted(kwargs)}.")
    path = _checked_path(filepath)
    _need_built(model)
    if not path.exists():
        raise ModelFileError(f"{path}: no such file.")
    if not path.is_file():
        raise ModelFileError(f"{path} is not a regular file.")
    import h5py

    found: list[tuple[Variable, np.ndarray[Any, Any]]] = []
    try:
        with h5py.File(path, "r") as file:
            for place, layer in places(model):
                found += _read_layer(file, place, layer, path, skip_mismatch)
            found += _read_optimizer(file, model, path)
    except (OSError, RuntimeError, KeyError) as error:
        raise ModelFileError(f"{path} cannot be read as HDF5; it is damaged or of another kind: {error}") from None
    for variable, array in found:
        variable.assign(array)


def _optimizer_variables(model: Model) -> list[Variable]:
    """The state of the model's optimizer, once it has trained; Keras keeps it in the same file."""
    optimizer = model.optimizer
    return list(optimizer.variables) if optimizer is not None and optimizer.built else []


def places(model: Layer) -> Iterator[tuple[str, Layer]]:
    """Each layer once, with the path of its group: Keras's walk over the attributes that hold layers."""
    visited: set[int] = set()
    todo: list[tuple[str, Layer]] = [("", model)]
    while todo:
        place, layer = todo.pop()
        if id(layer) in visited:
            continue
        visited.add(id(layer))
        yield place, layer
        todo += reversed([(f"{place}/{part}".lstrip("/"), child) for part, child in _children(layer)])


def _children(layer: Layer) -> Iterator[tuple[str, Layer]]:
    if isinstance(layer, Sequential) or hasattr(layer, "layer_graph"):
        # A Functional holds its layers in `layers`, and so does a Sequential, where the input layer is not among them.
        yield from (("layers/" + part, child) for part, child in _numbered(layer.layers))  # type: ignore[attr-defined]
        return
    attributes = vars(layer)
    for name in sorted(attributes, key=lambda n: (n.startswith("_"), n)):
        value = attributes[name]
        if name in ("_calls", "_constructor_arguments", "_weights"):
            continue
        if isinstance(value, Layer):
            yield name, value
        elif isinstance(value, list | tuple | set):
            yield from ((f"{name}/{part}", x) for part, x in _numbered([v for v in value if isinstance(v, Layer)]))
        elif isinstance(value, dict):
            yield from (
                (f"{name}/{part}", x) for part, x in _numbered([v for v in value.values() if isinstance(v, Layer)])
            )


def _numbered(layers: list[Layer]) -> Iterator[tuple[str, Layer]]:
    """Layers by the snake_case name of their class, numbered within it."""
    counts: dict[str, int] = {}
    for layer in layers:
        stem = snake_case(type(layer).__name__)
        count = counts.get(stem, 0)
        counts[stem] = count + 1
        yield (f"{stem}_{count}" if count else stem), layer


def _read_layer(
    file: Any, place: str, layer: Layer, path: Path, skip_mismatch: bool
) -> list[tuple[Variable, np.ndarray[Any, Any]]]:
    variables = layer._own_variables()
    if not variables:
        return []
    group = _member(file, f"{place}/vars".lstrip("/"), path)
    names = [str(i) for i in range(len(variables))]
    stored = 0 if group is None else len(group)
    if group is None or stored != len(variables):
        if skip_mismatch:
            return []
        raise ModelFileError(
            f"{path}: layer {layer.name!r} expects {len(variables)} variables at {place or '/'}/vars; the file has {stored}."
        )
    found = []
    for name, variable in zip(names, variables, strict=True):
        dataset = _member(group, name, path)
        if dataset is None or not hasattr(dataset, "shape"):
            raise ModelFileError(f"{path}: weight {variable.path!r} is missing at {place}/vars/{name}.")
        if dataset.is_virtual or dataset.external:
            raise ModelFileError(f"{path}: weight {variable.path!r} points outside of the file.")
        if dataset.dtype.kind not in "fiub" or (dataset.dtype.kind == "f") != (variable.array.dtype.kind == "f"):
            raise ModelFileError(f"{path}: weight {variable.path!r} must be {variable.dtype}; found {dataset.dtype}.")
        if tuple(dataset.shape) != variable.shape:  # before reading: a declared size never sizes a buffer
            if skip_mismatch:
                continue
            raise ModelFileError(
                f"{path}: weight {variable.path!r} has shape {variable.shape} in the model and {dataset.shape} in the file."
            )
        found.append((variable, np.asarray(dataset[()])))
    return found


def _read_optimizer(file: Any, model: Model, path: Path) -> list[tuple[Variable, np.ndarray[Any, Any]]]:
    """The optimizer's state, where the file has it and the model is compiled with an optimizer that it fits.

    Weights of a model may be loaded whatever it was trained with, so a state of another optimizer is left alone.
    """
    group = _member(file, "optimizer/vars", path)
    if group is None or model.optimizer is None:
        return []
    model.optimizer.build(model.trainable_variables)
    found = []
    for i, variable in enumerate(_optimizer_variables(model)):
        dataset = _member(group, str(i), path)
        if dataset is None or tuple(getattr(dataset, "shape", (-1,))) != variable.shape or len(group) <= i:
            return []
        if dataset.is_virtual or dataset.external or dataset.dtype.kind not in "fiu":
            return []
        found.append((variable, np.asarray(dataset[()])))
    return found if len(found) == len(group) else []


def _member(group: Any, name: str, path: Path) -> Any:
    """A member reached through hard links only; None when there is none.

    Raises:
        ModelFileError: a soft or external link is in the way.
    """
    import h5py

    for part in name.split("/"):
        if part not in group:
            return None
        link = group.get(part, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ModelFileError(f"{path}: {name!r} is a {type(link).__name__}; only data inside the file is read.")
        group = group[part]
    return group


def _checked_path(filepath: Any) -> Path:
    text = os.fspath(filepath) if isinstance(filepath, str | os.PathLike) else None
    if not isinstance(text, str) or not text.endswith(_ENDING):
        raise ArgumentError(f"The filename must end in `{_ENDING}`. Received: filepath={filepath}")
    return Path(text)


def _need_built(model: Model) -> None:
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no weights yet: build it by calling it on data, or `build(input_shape)`, first."
        )
