"""``.npz`` files of plain arrays: read without pickle, written in one step."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graphc.atomic import atomic_write
from graphc.errors import ModelFileError

Array = np.ndarray[Any, Any]


def read_npz(path: Any) -> dict[str, Array]:
    """The arrays of a file by name.

    Raises:
        ModelFileError: the file is missing, no .npz file, or holds something other than plain arrays.
    """
    file = Path(path)
    if not file.exists():
        raise ModelFileError(f"{file}: no such file.")
    if not file.is_file():
        raise ModelFileError(f"{file} is not a regular file.")
    try:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ModelFileError(f"{file} is a single array; save it with np.savez under the input's name.")
        with archive:
            return {name: archive[name] for name in archive.files}
    except ModelFileError:
        raise
    except (ValueError, OSError, zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ModelFileError(f"{file} cannot be read as .npz: {error}") from None


def write_npz(path: Any, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name.

    Raises:
        CheckpointError: the file cannot be written; what was there before is untouched.
    """
    memory = io.BytesIO()
    np.savez(memory, **arrays)  # type: ignore[arg-type]
    with atomic_write(path) as out:
        out.write(memory.getbuffer())
