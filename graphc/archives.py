"""Unpacks ``.tar`` and ``.zip`` archives whose names and sizes nobody vouches for.

Every member must be a plain file or a folder below the target: a name that leads elsewhere, a link or a device makes the
whole archive refused. Files are unpacked into a temporary folder and moved to their places when all of them are there.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from graphc.errors import ArgumentError, DataError

MOST_MEMBERS = 2**20

_BLOCK = 2**20

_DAMAGES = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError),
    *(FileExistsError, NotADirectoryError, IsADirectoryError),  # two members of one name, or a file where a folder is
)


@dataclass(frozen=True)
class _Member:
    """A file of an archive, or a folder, which has no ``open``."""

    name: str
    size: int
    open: Callable[[], IO[bytes]] | None


def extract_archive(path: Path, folder: Path, formats: Sequence[str] = ("tar", "zip")) -> None:
    """Unpack an archive.

    Args:
        path: the archive; ``.tar`` may be packed with gzip, bzip2 or xz.
        folder: where to; made if need be. Files that are there under names of the archive's are replaced, others stay.
        formats: ``"tar"`` and ``"zip"``, or one of them.

    Raises:
        ArgumentError: another format.
        DataError: the file is none of these archives, is damaged, has a member that is not allowed, or unpacks to more
            than the disk has room for. Nothing is unpacked then.
    """
    if unknown := [name for name in formats if name not in ("tar", "zip")]:
        raise ArgumentError(f"Archives of the formats 'tar' and 'zip' are unpacked; got {unknown[0]!r}.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".graphc-", dir=folder.parent) as work:
            if "tar" in formats and tarfile.is_tarfile(path):
                with tarfile.open(path) as tar:
                    _unpack(_tar_members(tar, path), Path(work), path)
            elif "zip" in formats and zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    _unpack(_zip_members(archive, path), Path(work), path)
            else:
                raise DataError(f"{path} is no archive of the format {' or '.join(formats)}.")
            _merge(Path(work), folder)
    except _DAMAGES as error:
        raise DataError(f"{path} cannot be unpacked: {error}") from None


def _tar_members(tar: Any, path: Path) -> Iterator[_Member]:
    for member in tar:
        if member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse():
            yield _Member(member.name, member.size, partial(_open_tar_member, tar, member))
        elif member.isdir():
            yield _Member(member.name, 0, None)
        else:
            raise DataError(f"{path}: {member.name!r} is neither a plain file nor a folder (type {member.type!r}).")
        tar.members.clear()  # tarfile keeps all of them, which a long archive makes a lot


def _zip_members(archive: zipfile.ZipFile, path: Path) -> Iterator[_Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DataError(f"{path}: {info.filename!r} is neither a plain file nor a folder (mode {mode:o}).")
        if info.is_dir():
            yield _Member(info.filename, 0, None)
        else:
            yield _Member(info.filename, info.file_size, partial(archive.open, info))


def _open_tar_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    if file is None:
        raise DataError("A member of a tar archive has no contents.")
    return file


def _unpack(members: Iterator[_Member], work: Path, path: Path) -> None:
    room = shutil.disk_usage(work).free
    for number, member in enumerate(members):
        if number >= MOST_MEMBERS:
            raise DataError(f"{path} has more than {MOST_MEMBERS} members.")
        place = work.joinpath(*_parts(member.name, path))
        if member.open is None:
            place.mkdir(parents=True, exist_ok=True)
            continue
        room -= member.size
        if member.size < 0 or room < 0:
            raise DataError(f"{path} unpacks to more bytes than there is room for on the disk.")
        place.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, place.open("xb") as target:
            _copy(source, target, member.size)


def _copy(source: Any, target: Any, size: int) -> None:
    while size > 0:
        block = source.read(min(_BLOCK, size))
        if not block:
            raise EOFError("a file in it ends too early")
        target.write(block)
        size -= len(block)


def _parts(name: str, path: Path) -> tuple[str, ...]:
    """The parts of a member's name, all of them plain names.

    Raises:
        DataError: it leads out of the folder, or would on another system.
    """
    parts = tuple(part for part in PurePosixPath(name).parts if part != ".")
    if name.startswith("/") or ".." in parts or any(c in name for c in "\\:\0"):
        raise DataError(f"{path}: the name {name!r} leads out of the folder, or would on another system.")
    return parts


def _merge(source: Path, target: Path) -> None:
    """Move all files below one folder to the same places below another."""
    for parent, _, files in os.walk(source):
        place = target / Path(parent).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for file in files:
            os.replace(Path(parent, file), place / file)
    with suppress(FileNotFoundError):
        shutil.rmtree(source)
