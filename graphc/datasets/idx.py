"""Reads the ``.gz`` files of MNIST's own format, IDX: a type, the lengths of the axes, and bytes."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import DataError

LARGEST = 2**28
"""Bytes of one unpacked array; Fashion-MNIST's training images have 47 million."""

_UINT8 = 8


def read_idx(path: Path, rank: int) -> np.ndarray[Any, Any]:
    """An array of uint8.

    Args:
        path: a gzip file.
        rank: how many axes the array must have.

    Raises:
        DataError: the file is damaged, too large, or of another kind.
    """
    import gzip

    try:
        with gzip.open(path) as file:
            header = file.read(4 + 4 * rank)
            if len(header) != 4 + 4 * rank or header[:4] != bytes((0, 0, _UINT8, rank)):
                raise DataError(f"{path} is no IDX file of uint8 with {rank} axes.")
            shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4))
            size = math.prod(shape)
            if size > LARGEST:
                raise DataError(f"{path} announces an array of shape {shape}; at most {LARGEST} bytes are read.")
            data = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked; it is damaged or of another kind: {error}") from None
    if len(data) != size:
        raise DataError(f"{path} announces an array of shape {shape}, but not {size} bytes follow.")
    return np.frombuffer(data, np.uint8).reshape(shape)
