"""``.weights.h5`` files in Keras 3's layout, alone and inside of ``.keras`` archives.

The file is written in memory and takes its place in one step, so a killed save leaves the old file intact. Reading checks
every shape and dtype against the model before the first weight is set; either all are set or none.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graphc.atomic import atomic_write
from graphc.errors import ArgumentError, ModelFileError, NotBuiltError
from graphc.layers.layer import Layer
from graphc.model import Model
from graphc.ops.functional.variable import Variable
from graphc.optimizers import Optimizer
from graphc.saving.archive import WEIGHTS, ArchiveReader
from graphc.saving.hdf5_reader import Dataset, Group, read_hdf5
from graphc.saving.input_file import read_file
from graphc.saving.weight_places import places

Array = np.ndarray[Any, Any]

_ENDING = ".weights.h5"

_RANDOM_KEY = "graphc/random_key"
"""Where graphc keeps what its random numbers go on from; Keras, which saves nothing of the kind, does not look there."""


# -- writing ----------------------------------------------------------------------------------------------------------


def save_weights(model: Model, filepath: Any, overwrite: bool = True, max_shard_size: Any = None) -> None:
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
    image = weights_image(model)
    with atomic_write(path) as out:
        out.write(image)


def weights_image(model: Model, *, optimizer: bool = True, random_key: bool = False) -> memoryview:
    """The bytes of a weights file.

    Args:
        model: the model; layers that are not built yet have empty groups.
        optimizer: whether the state of the optimizer goes in.
        random_key: whether it also says where random numbers go on from.
    """
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w", track_order=False) as file:
        for place, part in places(model):
            if isinstance(part, Optimizer) and not (optimizer and part.built):
                continue
            group = file.create_group(f"{place}/vars" if place else "vars")
            group.attrs["name"] = part.name
            for name, array in _stored(part).items():
                group.create_dataset(name, data=array)
        if random_key and model._random_key is not None:
            file.create_dataset(_RANDOM_KEY, data=model._random_key.array)
    return memory.getbuffer()


def _stored(part: Layer | Optimizer) -> dict[str, Array]:
    """The arrays of a part by name: ``0``, ``1`` ..., or what ``save_own_variables(store)`` of a class of yours puts in."""
    store: dict[str, Array] = {}
    if hasattr(part, "save_own_variables"):
        part.save_own_variables(store)
        return {str(name): np.asarray(value) for name, value in store.items()}
    return {str(i): variable.array for i, variable in enumerate(_variables(part))}


def _variables(part: Layer | Optimizer) -> list[Variable]:
    return list(part.variables) if isinstance(part, Optimizer) else part._own_variables()


# -- reading ----------------------------------------------------------------------------------------------------------


def load_weights(model: Model, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Set all weights from a file that graphc or Keras 3 wrote. Either all are set or none.

    Args:
        model: a built model of the same architecture.
        filepath: ends in ``.weights.h5``; or in ``.keras``, for the weights of a whole model; or in ``.h5`` or ``.hdf5``, for
            Keras's old format.
        skip_mismatch: leave weights alone whose shapes differ, instead of refusing the file.
        kwargs: ``by_name=True`` finds layers by their names; old format only.

    Raises:
        ArgumentError: another ending, or an unknown argument.
        ModelFileError: the file is missing, damaged, or does not fit the model; names the weight.
    """
    path = _checked_path(filepath, (_ENDING, ".keras", ".h5", ".hdf5"))
    old = not path.name.endswith((_ENDING, ".keras"))
    by_name = bool(kwargs.pop("by_name", False))
    if kwargs or (by_name and not old):
        unexpected = sorted(kwargs) or ["by_name"]
        raise ArgumentError(f"Unexpected keyword arguments of load_weights for {path.suffix!r}: {unexpected}.")
    _need_built(model)
    if old:
        from graphc.saving.legacy_h5_weights import load_legacy_weights

        load_legacy_weights(model, path, by_name=by_name, skip_mismatch=skip_mismatch)
        return
    data = read_file(path)
    if path.suffix == ".keras":
        data = ArchiveReader(data, str(path)).read(WEIGHTS)
    set_weights(model, data, str(path), skip_mismatch=skip_mismatch)


def set_weights(model: Model, data: bytes | memoryview, what: str, *, skip_mismatch: bool = False) -> None:
    """Set all weights from the bytes of a weights file. Either all are set or none.

    Args:
        model: the model.
        data: the file's bytes.
        what: what the file is called in messages.
        skip_mismatch: leave weights alone whose shapes differ.

    Raises:
        ModelFileError: the file is damaged or does not fit; names the weight.
    """
    reading = _Reading(read_hdf5(data, what), what, skip_mismatch)
    if model.optimizer is not None:
        model.optimizer.build(model.trainable_variables)
    for place, part in places(model):
        if isinstance(part, Optimizer):
            reading.optimizer(place, part)
        else:
            reading.layer(place, part)
    key = reading.root.get(_RANDOM_KEY)
    if isinstance(key, Dataset) and model._random_key is not None and key.shape == model._random_key.shape:
        reading.found.append((model._random_key, key.array()))
    for variable, array in reading.found:
        variable.assign(array)
    for layer, store in reading.stores:
        _load_own(layer, store, what)


def _load_own(layer: Any, store: dict[str, Array], what: str) -> None:
    try:
        layer.load_own_variables(store)
    except Exception as error:  # a method of the user's, on data of somebody else's
        raise ModelFileError(f"{what}: layer {layer.name!r} cannot load its variables: {error}") from error


@dataclass
class _Reading:
    """What was found so far: nothing is set before everything was checked."""

    root: Group
    what: str
    skip_mismatch: bool
    found: list[tuple[Variable, Array]] = field(default_factory=list)
    stores: list[tuple[Layer, dict[str, Array]]] = field(default_factory=list)

    def _members(self, place: str) -> dict[str, Dataset]:
        group = self.root.get(f"{place}/vars".lstrip("/"))
        if not isinstance(group, Group):
            return {}
        members = {name: group.get(name) for name in group}
        return {name: member for name, member in members.items() if isinstance(member, Dataset)}

    def layer(self, place: str, layer: Layer) -> None:
        """Check and keep the variables of a layer."""
        members = self._members(place)
        if hasattr(layer, "load_own_variables"):
            self.stores.append((layer, {name: dataset.array() for name, dataset in members.items()}))
            return
        variables = layer._own_variables()
        where = f"{place}/vars".lstrip("/")
        if len(members) != len(variables):
            if self.skip_mismatch:
                return
            raise ModelFileError(
                f"{self.what}: layer {layer.name!r} expects {len(variables)} variables at {where}; the file has "
                f"{len(members)}."
            )
        for i, variable in enumerate(variables):
            dataset = members.get(str(i))
            if dataset is None:
                raise ModelFileError(f"{self.what}: weight {variable.path!r} is missing at {where}/{i}.")
            self._keep(variable, dataset)

    def _keep(self, variable: Variable, dataset: Dataset) -> None:
        if not _fits(dataset.dtype, variable.array.dtype):
            raise ModelFileError(
                f"{self.what}: weight {variable.path!r} must be {variable.dtype}; found {dataset.dtype}."
            )
        if dataset.shape != variable.shape:
            if self.skip_mismatch:
                return
            raise ModelFileError(
                f"{self.what}: weight {variable.path!r} has shape {variable.shape} in the model and {dataset.shape} in the "
                "file."
            )
        self.found.append((variable, dataset.array()))

    def optimizer(self, place: str, optimizer: Optimizer) -> None:
        """Keep the state of an optimizer, if the file has that of one like it.

        Weights may be loaded whatever the model was trained with, so the state of another optimizer is left alone, as in
        Keras.
        """
        members, variables = self._members(place), optimizer.variables
        fitting = len(members) == len(variables) and all(
            str(i) in members and members[str(i)].shape == v.shape and _fits(members[str(i)].dtype, v.array.dtype)
            for i, v in enumerate(variables)
        )
        if fitting:
            self.found += [(v, members[str(i)].array()) for i, v in enumerate(variables)]
        elif len(members) > 2:  # Keras writes the counter and the rate of an optimizer that was never used
            warnings.warn(
                f"{self.what} holds the state of another optimizer than {optimizer.name!r} ({len(members)} variables; this "
                f"one has {len(variables)}), so training goes on with a fresh one.",
                stacklevel=5,
            )


def _fits(stored: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    """Floats of any size for floats, integers for integers."""
    return (stored.kind == "f") == (wanted.kind == "f")


def _checked_path(filepath: Any, endings: tuple[str, ...] = (_ENDING,)) -> Path:
    text = os.fspath(filepath) if isinstance(filepath, str | os.PathLike) else None
    if not isinstance(text, str) or not text.endswith(endings):
        shown = " or ".join(f"`{ending}`" for ending in endings)
        raise ArgumentError(f"The filename must end in {shown}. Received: filepath={filepath}")
    return Path(text)


def _need_built(model: Model) -> None:
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no weights yet: build it by calling it on data, or `build(input_shape)`, first."
        )
