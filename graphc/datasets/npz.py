"""Reads data sets from ``.npz`` archives: plain arrays, and arrays of lists, which NumPy stores as pickles."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError  # from NumPy's second try at a header that is no Python literal
from typing import Any

import numpy as np

from graphc.datasets.plain_pickle import read_pickle
from graphc.errors import DataError

Array = np.ndarray[Any, Any]

LARGEST = 2**28
"""Bytes of one unpacked array; MNIST, the largest of the built-in ones, has 47 million."""


def read_npz(path: Path, names: Sequence[str]) -> list[Array]:
    """Arrays of an archive, by name.

    Args:
        path: a file, trusted no further than its hash was checked.
        names: of the arrays that are wanted.

    Returns:
        The arrays, in the order of ``names``. Nothing in the file is run: see `read_pickle`.

    Raises:
        DataError: the file is damaged or too large, an array is missing, or has a dtype that is no plain number's.
    """
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return [_read_member(archive, name, path) for name in names]
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path} cannot be read as .npz; it is damaged or of another kind: {error}") from None


def _read_member(archive: Any, name: str, path: Path) -> Array:
    found = [info for info in archive.infolist() if info.filename == f"{name}.npy"]
    if len(found) != 1:
        held = sorted({info.filename.removesuffix(".npy") for info in archive.infolist()})[:8]
        raise DataError(f"{path} must hold one array {name!r}; it holds {held}. It is no file of this data set.")
    if found[0].file_size > LARGEST:
        raise DataError(f"{path}: array {name!r} has {found[0].file_size} bytes, and at most {LARGEST} are read.")
    what = f"{path}: array {name!r}"
    data = archive.read(found[0])
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(stream)
    except (ValueError, SyntaxError, TypeError, TokenError, RecursionError, MemoryError) as error:
        raise DataError(f"{what} has a damaged header: {error}") from None
    if dtype.hasobject:
        array = read_pickle(data[stream.tell() :], what)
        if not isinstance(array, np.ndarray) or array.dtype != object or array.shape != shape:
            raise DataError(f"{what} is announced as {dtype} of shape {shape} and holds something else.")
        return array
    if dtype.kind not in "biuf":
        raise DataError(f"{what} has dtype {dtype}; numbers were expected.")
    size = math.prod(shape) * dtype.itemsize
    if any(d < 0 for d in shape) or size != len(data) - stream.tell():
        raise DataError(
            f"{what} is announced as {dtype} of shape {shape}, and {len(data) - stream.tell()} bytes follow instead of {size}."
        )
    order: Any = "F" if fortran else "C"
    return np.frombuffer(data, dtype, offset=stream.tell()).reshape(shape, order=order).copy()
