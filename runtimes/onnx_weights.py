"""The arrays of an ONNX file: collected once each, then written inside the file or into one data file beside it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import onnx
from onnx import TensorProto, helper

from graphc.errors import ModelFileError
from graphc.runtimes.kernel import Array

MIN_EXTERNAL_BYTES = 1024
"""Smaller arrays always stay in the model: they hold shapes and axes, which a reader needs to infer types."""

# Data that starts on a page can be mapped into memory instead of read. Windows maps from multiples of 64 KiB only,
# which would waste space on small arrays.
_PAGE, _MAP_GRANULARITY, _LARGE = 4096, 65536, 1 << 20


class Weights:
    """Named arrays in the order in which they were added; equal constants share one name."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self._names: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def add(self, name: str, array: Array) -> None:
        """Keep an array under this very name, also when another has the same content."""
        self.arrays[name] = array

    def find(self, array: Array) -> str | None:
        """The name of the shared array with this dtype, shape and content, bit for bit."""
        return self._names.get(_content(array))

    def share(self, name: str, array: Array) -> None:
        """Keep an array that `find` may give to others."""
        self.arrays[name] = array
        self._names[_content(array)] = name


def _content(array: Array) -> tuple[str, tuple[int, ...], bytes]:
    return str(array.dtype), array.shape, hashlib.blake2b(_bytes_of(array), digest_size=16).digest()


def _bytes_of(array: Array) -> memoryview:
    """An array's bytes in C order and little-endian, as ONNX stores them; not copied where they already are so."""
    stored = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    return stored.reshape(-1).view("uint8").data


def embedded(name: str, array: Array) -> TensorProto:
    """An initializer that holds its data."""
    tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)
    tensor.raw_data = bytes(_bytes_of(array))
    return tensor


def external(name: str, array: Array, location: str, offset: int) -> TensorProto:
    """An initializer whose data lie in the file ``location``, relative to the model's folder."""
    tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", array.nbytes)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return tensor


def is_external(array: Array) -> bool:
    """True for an array that goes to the data file when there is one."""
    return array.nbytes >= MIN_EXTERNAL_BYTES


def layout(arrays: Mapping[str, Array]) -> dict[str, int]:
    """Where in the data file each array starts."""
    offsets: dict[str, int] = {}
    end = 0
    for name, array in arrays.items():
        grain = _MAP_GRANULARITY if array.nbytes >= _LARGE else _PAGE
        offsets[name] = -(-end // grain) * grain
        end = offsets[name] + array.nbytes
    return offsets


def _pieces(arrays: Mapping[str, Array]) -> Iterator[bytes | memoryview]:
    end = 0
    for name, offset in layout(arrays).items():
        yield bytes(offset - end)
        yield _bytes_of(arrays[name])
        end = offset + arrays[name].nbytes


def data_file_name(model_file: str, arrays: Mapping[str, Array]) -> str:
    """The data file's name, made from the model's and the content.

    Two versions of a model never share a data file, so the old model stays whole until the new one has taken its place.
    """
    digest = hashlib.blake2b(digest_size=8)
    for piece in _pieces(arrays):
        digest.update(piece)
    return f"{model_file}.{digest.hexdigest()}.data"


def write_data(file: BinaryIO, arrays: Mapping[str, Array]) -> None:
    """Write the data file, straight from the arrays."""
    for piece in _pieces(arrays):
        file.write(piece)


def data_files_of(folder: str, model_file: str) -> set[str]:
    """The names in ``folder`` that `data_file_name` gives to data files of this model, whatever their content."""
    pattern = re.compile(re.escape(model_file) + r"\.[0-9a-f]{16}\.data")
    return {name for name in os.listdir(folder) if pattern.fullmatch(name)}


def external_files(path: str) -> list[str]:
    """The paths of the files in which a model file keeps data.

    Raises:
        ModelFileError: the file is not an ONNX model.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's own classes differ from release to release
        raise ModelFileError(f"{path!r} is not an ONNX model: {error}.") from None
    folder = os.path.dirname(path)
    found = {
        entry.value
        for tensor in model.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return sorted(os.path.join(folder, location) for location in found)
