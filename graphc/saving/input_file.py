"""Reading a whole file that somebody else wrote: regular files only, never waiting, never more than was announced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from graphc.errors import ModelFileError

MAX_FILE_BYTES = 64 * 2**30


def read_file(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file; symbolic links are followed.
        limit: the most bytes that it may have.

    Raises:
        ModelFileError: it is missing, no regular file (a pipe would wait for ever), too large, or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file.") from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ModelFileError(f"{path} is not a regular file.")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > limit:
            raise ModelFileError(f"{path} has {status.st_size:,} bytes; at most {limit:,} are read.")
        try:
            return file.read(status.st_size)
        except (OSError, MemoryError) as error:
            raise ModelFileError(f"{path} cannot be read: {error}.") from None
