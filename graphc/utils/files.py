"""`get_file`: files from the network, as Keras's users know it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from graphc.download import fetch
from graphc.errors import ArgumentError

_LENGTHS = {"sha256": 64, "md5": 32}


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: Any = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """Download a file unless it is in the cache, and unpack it if it is an archive.

    Args:
        fname: its name in the cache; the last part of ``origin`` by default. For an archive, the name of the folder that
            it is unpacked into; with an ending, of the archive.
        origin: where it is published, ``https://`` or ``http://``.
        untar: the old way to say ``extract=True, archive_format="tar"``.
        md5_hash: the old way to give ``file_hash``.
        file_hash: its SHA-256 or MD5. Give one wherever it is known: it is what tells the right file from another.
        cache_subdir: the folder of the cache, or an absolute path.
        hash_algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` to tell by the length.
        extract: unpack it.
        archive_format: ``"tar"``, ``"zip"``, a list of them, or ``"auto"`` for both.
        cache_dir: the cache; by default the folder of `GRAPHC_HOME`, or the system's place for caches.
        force_download: download it even if it is there.

    Returns:
        The file's path, or that of the folder with what was unpacked.

    Raises:
        ArgumentError: an argument makes no sense.
        DownloadError: no connection, no such file, broken off, or of another hash.
        DataError: it cannot be unpacked, or has members that lead out of the folder.
    """
    if origin is None:
        raise ArgumentError("get_file needs `origin`, the address of the file.")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    if hash_algorithm not in (*_LENGTHS, "auto"):
        raise ArgumentError(f"`hash_algorithm` must be 'auto', 'sha256' or 'md5'; got {hash_algorithm!r}.")
    if file_hash is not None and hash_algorithm != "auto" and len(file_hash) != _LENGTHS[hash_algorithm]:
        raise ArgumentError(
            f"`file_hash` is no {hash_algorithm}, which has {_LENGTHS[hash_algorithm]} hexadecimal digits: {file_hash!r}."
        )
    given = os.fspath(fname) if fname is not None else ""
    name = given or unquote(urlsplit(origin).path).rpartition("/")[2]
    if not name:
        raise ArgumentError(f"The address {origin!r} does not end in a file's name; pass `fname`.")
    unpack = extract or untar
    # Keras's names: what has an ending is the archive, and what has none is the folder.
    is_folder = unpack and not (given and "." in given)
    stored = f"{name}_archive" if is_folder else name
    home = None if cache_dir is None else Path(cache_dir).expanduser().absolute()
    path = fetch(
        origin, stored, folder=str(cache_subdir), known_hash=file_hash, home=home, force=force_download, limit=_NO_LIMIT
    )
    if not unpack:
        return str(path)
    formats = ("tar",) if untar else ("tar", "zip") if archive_format == "auto" else archive_format
    if not formats:
        return str(path)
    from graphc.archives import extract_archive  # it loads tarfile, zipfile and tempfile

    folder = path.with_name(name if is_folder else f"{name.partition('.')[0]}_extracted")
    extract_archive(path, folder, (formats,) if isinstance(formats, str) else tuple(formats))
    return str(folder)


_NO_LIMIT = 2**63
