"""Weights from Keras's old ``.h5`` files: those of Keras 1 and 2, of the published image models, and of ``save("x.h5")``.

Such a file names its layers in the attribute ``layer_names``, and each layer's group its weights in ``weight_names``; a long
list of names is cut into ``layer_names0``, ``layer_names1`` and so on. A whole model's file has this in the group
``model_weights``. Weights go to the model's layers either in order, as Keras does it by default, or by the layers' names.

The file is checked as a whole, every name, link, shape and dtype of it, before the first weight is set.
"""

from __future__ import annotations

import math
import mmap
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import ModelFileError, NotBuiltError
from graphc.layers.layer import Layer
from graphc.model import Model
from graphc.ops.functional.variable import Variable

Found = list[tuple[Variable, np.ndarray[Any, Any]]]

_MOST_NAMES = 2**14
_LARGEST_NAMES = 2**31
"""Names, and bytes, of one list of names. A heap with names can also hold the model's whole configuration, so what a list
might have in bytes can be a thousand times what it has."""

_HEAP = b"GCOL\x01\x00\x00\x00"

_MOST_PARTS = 256
"""Pieces that one list of names is cut into; Keras cuts at 64 kB."""

_LARGEST_CHUNK = 2**26
"""Elements that HDF5 would unpack at once. Keras's own files are not cut into chunks."""


def load_legacy_weights(model: Model, filepath: Any, *, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """Set a model's weights from an old ``.h5`` file. Either all are set or none.

    Args:
        model: a built model.
        filepath: the file.
        by_name: set the layers whose names are in the file, and leave the others alone; by default the file's layers with
            weights are taken in order and must be as many as the model's.
        skip_mismatch: warn of weights of another number or shape and leave them alone, instead of refusing the file.

    Raises:
        ModelFileError: the file is missing, damaged, or does not fit the model; names the layer and the weight.
        NotBuiltError: the model has no weights yet.
    """
    path = Path(filepath)
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no weights yet: build it by calling it on data, or `build(input_shape)`, first."
        )
    if not path.is_file():
        raise ModelFileError(f"{path} is not a regular file." if path.exists() else f"{path}: no such file.")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            found = _File(path, file, skip_mismatch).read(model, by_name)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{path} cannot be read as HDF5; it is damaged or of another kind: {error}") from None
    for variable, array in found:
        variable.assign(array)


class _File:
    """An open file, and what its messages need to say."""

    def __init__(self, path: Path, file: Any, skip_mismatch: bool) -> None:
        self.path, self.skip_mismatch = path, skip_mismatch
        self.root = file
        if "layer_names" not in file.attrs and "layer_names0" not in file.attrs and "model_weights" in file:
            self.root = self.member(file, "model_weights")

    def read(self, model: Model, by_name: bool) -> Found:
        """Weights and their new values."""
        saved = self.names(self.root, "layer_names", "layers")
        if not saved:
            raise ModelFileError(
                f"{self.path} names no layers. It is no file of weights in Keras's old format; files in the new one end in "
                ".weights.h5 or .keras."
            )
        pairs = self.pairs_by_name(model, saved) if by_name else self.pairs_in_order(model, saved)
        found = [entry for layer, name in pairs for entry in self.layer(layer, name)]
        if "top_level_model_weights" in self.root:
            found += self.weights(model._own_variables(), "top_level_model_weights", f"model {model.name!r} itself")
        return found

    def pairs_in_order(self, model: Model, saved: list[str]) -> Iterator[tuple[Layer, str]]:
        """The layers that have weights, of the model and of the file, in order."""
        names = [name for name in saved if self.names(self.member(self.root, name), "weight_names", f"layer {name!r}")]
        layers = [layer for layer in model.layers if layer.variables]
        if len(names) != len(layers):
            raise ModelFileError(
                f"{self.path} has weights of {len(names)} layers, and model {model.name!r} has {len(layers)} layers with "
                "weights: the file is of another model (`include_top` counts), or should be read by_name=True."
            )
        return zip(layers, names, strict=True)

    def pairs_by_name(self, model: Model, saved: list[str]) -> Iterator[tuple[Layer, str]]:
        """The layers of the model whose names are in the file."""
        held = set(saved)
        return ((layer, layer.name) for layer in model.layers if layer.name in held)

    def layer(self, layer: Layer, name: str) -> Found:
        """A layer's weights in the order of these files: the trainable ones first."""
        variables = layer.trainable_variables + layer.non_trainable_variables
        what = f"layer {layer.name!r}" + ("" if name == layer.name else f" ({name!r} in the file)")
        return self.weights(variables, name, what)

    def weights(self, variables: list[Variable], name: str, what: str) -> Found:
        """The values for some weights, from a group of the file."""
        group = self.member(self.root, name)
        names = self.names(group, "weight_names", what)
        if len(names) != len(variables):
            self.mismatch(f"{what} has {len(variables)} weights in the model and {len(names)} in the file")
            return []
        found = []
        for variable, weight_name in zip(variables, names, strict=True):
            array = self.array(group, weight_name, variable)
            if array is not None:
                found.append((variable, array))
        return found

    def array(self, group: Any, name: str, variable: Variable) -> np.ndarray[Any, Any] | None:
        """One weight's value, checked before its bytes are read: a declared size never sizes a buffer."""
        dataset = self.member(group, name)
        weight = f"weight {variable.path!r}"
        if not hasattr(dataset, "shape"):
            raise ModelFileError(f"{self.path}: {weight} is a group of the file ({name!r}), not an array.")
        if dataset.is_virtual or dataset.external:
            raise ModelFileError(f"{self.path}: {weight} points outside of the file.")
        if dataset.dtype.kind not in "fiub" or (dataset.dtype.kind == "f") != (variable.array.dtype.kind == "f"):
            raise ModelFileError(f"{self.path}: {weight} must be {variable.dtype}; found {dataset.dtype}.")
        if tuple(dataset.shape) != variable.shape:
            self.mismatch(f"{weight} has shape {variable.shape} in the model and {dataset.shape} in the file")
            return None
        if dataset.chunks is not None and math.prod(dataset.chunks) > _LARGEST_CHUNK:
            raise ModelFileError(f"{self.path}: {weight} is stored in chunks of {dataset.chunks} elements.")
        return np.asarray(dataset[()])

    def mismatch(self, message: str) -> None:
        """Refuse the file, or only say so if that was asked for."""
        if not self.skip_mismatch:
            raise ModelFileError(f"{self.path}: {message}.")
        warnings.warn(f"{self.path}: {message}; left alone.", stacklevel=2)

    def names(self, group: Any, key: str, what: str) -> list[str]:
        """A list of names, put together if it was cut up."""
        if key in group.attrs:
            return self.attribute(group, key, what)
        found: list[str] = []
        for part in range(_MOST_PARTS):
            if f"{key}{part}" not in group.attrs:
                return found
            found += self.attribute(group, f"{key}{part}", what)
        raise ModelFileError(f"{self.path}: the list {key!r} of {what} is in more than {_MOST_PARTS} parts.")

    def attribute(self, group: Any, key: str, what: str) -> list[str]:
        """One list of names. Its size is looked at before it is read."""
        import h5py

        stored = group.attrs.get_id(key)
        count = math.prod(stored.shape)
        if count == 0:  # Keras writes an empty list as one of numbers
            return []
        string = h5py.check_string_dtype(stored.dtype)
        if string is None or len(stored.shape) != 1:
            raise ModelFileError(f"{self.path}: {key!r} of {what} must be a list of names.")
        # Newer files keep each name apart, and a list can then name one large text any number of times.
        largest = self.largest_text if string.length is None else string.length
        if count > _MOST_NAMES or count * largest > _LARGEST_NAMES:
            raise ModelFileError(
                f"{self.path}: {key!r} of {what} may have {count} names of {largest} bytes, more than are read."
            )
        names = group.attrs[key]
        try:
            return [name if isinstance(name, str) else bytes(name).decode("utf-8") for name in names]
        except UnicodeDecodeError as error:
            raise ModelFileError(f"{self.path}: {key!r} of {what} is not UTF-8: {error}") from None

    @cached_property
    def largest_text(self) -> int:
        """The most bytes that a text of no fixed length can have here: those of the largest of the heaps that hold them.

        HDF5 does not say how long such a text is before it has read it. It reads it from a "global heap collection", which
        starts with a signature, a version, zeros and its size (HDF5 File Format Specification, III.E).
        """
        size = self.path.stat().st_size
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            largest, at = 0, data.find(_HEAP)
            while at >= 0:
                largest = max(largest, int.from_bytes(data[at + 8 : at + 16], "little"))
                at = data.find(_HEAP, at + 8)
        return min(largest, size)

    def member(self, group: Any, name: str) -> Any:
        """A member of a group, reached through hard links only."""
        import h5py

        place = group
        for part in name.split("/"):
            link = place.get(part, getlink=True) if part and hasattr(place, "keys") and part in place else None
            if link is None:
                raise ModelFileError(f"{self.path}: there is no {name!r} in the group {group.name!r}.")
            if not isinstance(link, h5py.HardLink):
                raise ModelFileError(
                    f"{self.path}: {name!r} is a {type(link).__name__}; only data inside the file is read."
                )
            place = place[part]
        return place
