"""What CIFAR-10 and CIFAR-100 share: images in pickles in a tar archive, which is read in memory and never unpacked.

Learning Multiple Layers of Features from Tiny Images, A. Krizhevsky, 2009.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphc.datasets.plain_pickle import read_pickle
from graphc.errors import DataError

Array = np.ndarray[Any, Any]

LARGEST = 2**29
"""Bytes of the unpacked archive; the real ones have 180 million."""


def read_batches(
    path: Path, folder: str, parts: Mapping[str, Sequence[str]], label_key: str
) -> dict[str, tuple[Array, Array]]:
    """Images and labels of an archive, by part.

    Args:
        path: the ``.tar.gz`` file as published, or a folder that it was unpacked into.
        folder: the archive's folder with the batches.
        parts: a name for a part to the names of its batches, which are put one behind the other.
        label_key: the labels' key in a batch.

    Returns:
        For each part, images ``(n, 32, 32, 3)`` and labels ``(n, 1)``, both uint8.

    Raises:
        DataError: the archive is missing, damaged or too large, a batch is missing, or is none.
    """
    names = [name for part in parts.values() for name in part]
    files = _from_folder(path, folder, names) if path.is_dir() else _from_archive(path, folder, names)
    batches = {name: _parse(files.pop(name), f"{path}: {folder}/{name}", label_key) for name in names}
    found = {}
    for part, members in parts.items():
        images = np.concatenate([batches[name][0] for name in members])
        labels = np.concatenate([batches[name][1] for name in members])
        # The colours come last as a view, as in Keras: the bytes stay where they are.
        found[part] = images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels.reshape(-1, 1)
    return found


def _from_folder(path: Path, folder: str, names: Sequence[str]) -> dict[str, bytes]:
    place = path / folder if (path / folder).is_dir() else path
    found = {}
    for name in names:
        file = place / name
        if not file.is_file():
            raise DataError(
                f"{path} has no file {name!r}; give the published .tar.gz file or the folder unpacked from it."
            )
        if file.stat().st_size > LARGEST:
            raise DataError(f"{file} has {file.stat().st_size} bytes, and at most {LARGEST} are read.")
        found[name] = file.read_bytes()
    return found


def _from_archive(path: Path, folder: str, names: Sequence[str]) -> dict[str, bytes]:
    """The contents of regular files, looked up by their whole name: nothing is written, so no name can lead anywhere."""
    import gzip
    import tarfile

    plain = (tarfile.REGTYPE, tarfile.AREGTYPE)  # a sparse file says how many zeros it stands for
    wanted = {f"{folder}/{name}": name for name in names}
    found: dict[str, bytes] = {}
    try:
        with gzip.open(path) as unpacked, tarfile.open(fileobj=_limited(unpacked, path), mode="r|") as archive:
            for member in archive:
                name = wanted.get(member.name)
                if name is not None and member.type in plain and not member.issparse() and name not in found:
                    file = archive.extractfile(member)
                    found[name] = file.read() if file is not None else b""
                    if len(found) == len(wanted):
                        break
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{path} cannot be read as .tar.gz; it is damaged or of another kind: {error}") from None
    for member_name, name in wanted.items():
        if name not in found:
            raise DataError(f"{path} holds no file {member_name!r}; it is no archive of this data set.")
    return found


def _limited(file: Any, path: Path) -> Any:
    return _Limited(file, path)


class _Limited:
    """A file to read from, up to a number of bytes: what a small archive unpacks to has no other limit."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path, self._left = file, path, LARGEST

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes.

        Raises:
            DataError: there were too many already.
        """
        data: bytes = self._file.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"{self._path} unpacks to more than {LARGEST} bytes.")
        return data


def _parse(data: bytes, what: str, label_key: str) -> tuple[Array, Array]:
    batch = read_pickle(data, what)
    if not isinstance(batch, dict):
        raise DataError(f"{what} is no batch of CIFAR: it holds a {type(batch).__name__}.")
    entries = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in batch.items()}
    images, labels = entries.get("data"), entries.get(label_key)
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (3072,):
        raise DataError(f"{what}: 'data' must be an array of uint8 of shape (n, 3072).")
    if (
        not isinstance(labels, list)
        or len(labels) != len(images)
        or not all(type(label) is int and 0 <= label < 256 for label in labels)
    ):
        raise DataError(f"{what}: {label_key!r} must be a list of {len(images)} class numbers.")
    return images, np.array(labels, np.uint8)
