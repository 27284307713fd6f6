"""Writing a file so that, whatever happens, a reader finds the old file or the complete new one.

The bytes go to a temporary file in the same folder, are flushed to the disk, and the temporary file then takes the name
in one step (``os.replace``). An exception, Ctrl-C or a full disk removes the temporary file; a killed process can leave
one behind, named ``.graphc-*.tmp``, which nothing reads.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast

from graphc.errors import CheckpointError

# The cause in words, and what a person can do about it.
_CAUSES: dict[int, str] = {
    errno.EACCES: "no permission to write there; choose a folder that you may write to",
    errno.EPERM: "no permission to write there; choose a folder that you may write to",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOSPC: "the disk is full; free some space or choose another disk",
    errno.EDQUOT: "your disk quota is used up; free some space or choose another disk",
    errno.EFBIG: "the file would be larger than the file system or the process's limit (ulimit -f) allows",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ELOOP: "its symbolic links go in a circle; choose another path",
    errno.EIO: "the disk reported an error; choose another disk",
}

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Replace (or make) the file ``path`` with what is written to the file object that this gives.

    The file object is binary and can be written, read back and sought in; its ``name`` is the temporary file's path,
    for a caller that checks what it wrote before the file takes its name (after ``flush``). The new file has the
    permission bits of the one it replaces, or those of any new file. A symbolic link is followed where it leads to a
    regular file: the link stays, and the file behind it is replaced.

    Raises:
        CheckpointError: the folder is missing, the file cannot be written, or ``path`` is a folder, pipe, device or
            broken link. What was there before is untouched.
    """
    shown = os.fspath(path)
    if not isinstance(shown, str) or not shown or "\0" in shown:
        raise CheckpointError(f"Cannot write to {shown!r}: it is not a file path.")
    target, mode = _resolve(shown)
    folder = os.path.dirname(target) or os.curdir
    temporary = os.path.join(folder, f".graphc-{secrets.token_hex(8)}.tmp")
    raw: _TemporaryFile | None = None
    try:
        with _translated(shown):
            raw = _TemporaryFile(temporary, shown, mode)
        file = io.BufferedRandom(raw)
        yield cast(BinaryIO, file)
        with _translated(shown):
            if not file.closed:
                file.flush()
                raw.sync()
                file.close()
            else:  # the caller's own wrapper closed it
                _sync(temporary)
            os.replace(temporary, target)
    except BaseException:
        if raw is not None:
            raw.close()  # first, so that the buffer above it drops what it still holds
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    # A file's name is in its folder's data: without this, a power cut could bring the old file back.
    with _translated(shown):
        _sync_folder(folder)


class _TemporaryFile(io.FileIO):
    """A new file whose errors are `CheckpointError`, so that those of the caller's own files stay what they are."""

    def __init__(self, temporary: str, shown: str, mode: int | None) -> None:
        def opener(name: str, flags: int) -> int:
            extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            return os.open(name, flags | extra, 0o666 if mode is None else mode)

        super().__init__(temporary, "x+", opener=opener)  # x: refuses a name that exists
        self._shown = shown
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(self.fileno(), mode)  # the umask may have taken bits away that the old file has

    def write(self, data: Any, /) -> int:
        with _translated(self._shown):
            return super().write(data)

    def truncate(self, size: int | None = None, /) -> int:
        with _translated(self._shown):
            return super().truncate(size)

    def sync(self) -> None:
        """Wait until the file's bytes are on the disk."""
        os.fsync(self.fileno())


def _resolve(shown: str) -> tuple[str, int | None]:
    """The path to replace, with links followed, and the permission bits of what is there now."""
    try:
        target = os.path.realpath(shown, strict=True) if os.path.islink(shown) else shown
        old = os.stat(target).st_mode
    except FileNotFoundError:
        if os.path.islink(shown):
            raise CheckpointError(
                f"Cannot write {shown!r}: it is a symbolic link to something that does not exist; remove the link or "
                "choose another path."
            ) from None
        folder = os.path.dirname(shown)
        if folder and not os.path.isdir(folder):
            raise CheckpointError(f"Cannot write {shown!r}: there is no folder {folder!r}; make it first.") from None
        return shown, None
    except OSError as error:
        raise _translate(error, shown) from error
    for is_kind, kind in _KINDS:
        if is_kind(old):
            raise CheckpointError(f"Cannot write {shown!r}: it is {kind}; give the path of a file.")
    if not os.access(target, os.W_OK):
        raise CheckpointError(f"Cannot write {shown!r}: the file is read-only; remove it first or choose another path.")
    return target, stat.S_IMODE(old) & 0o777


@contextmanager
def _translated(shown: str) -> Iterator[None]:
    try:
        yield
    except CheckpointError:
        raise
    except OSError as error:
        raise _translate(error, shown) from error


def _translate(error: OSError, shown: str) -> CheckpointError:
    cause = _CAUSES.get(error.errno or 0) or error.strerror or str(error)
    return CheckpointError(f"Cannot write {shown!r}: {cause}.")


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: str) -> None:
    """Wait until the names in a folder are on the disk."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows cannot open a folder
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that cannot flush a folder
            raise
    finally:
        os.close(descriptor)
