"""Files from the network: downloaded once, checked against a hash, kept in a cache folder.

The cache is the folder that ``GRAPHC_HOME`` names, or else the system's place for caches (``~/.cache/graphc`` on Linux).
Data sets are in its folder ``datasets``, published weights in ``models``. A file that Keras downloaded before is used where
it lies, if its hash is right. Pooch does the downloading: into a temporary file, which takes its name only when it is
complete and its hash is right.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from graphc.errors import ArgumentError, DataError, GraphcError

GIB = 2**30
LARGEST_FILE = 2 * GIB
"""Bytes; VGG19's weights, the largest file of the built-in ones, are a quarter of that."""

_TIMEOUT = 30  # seconds without an answer


class DownloadError(GraphcError, OSError):
    """A file could not be downloaded; the message names the address and where to put the file by hand."""


def cache_folder() -> Path:
    """The folder for downloaded files: ``GRAPHC_HOME``, or the system's place for caches."""
    home = os.environ.get("GRAPHC_HOME")
    if home:
        return Path(home).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("graphc"))


def keras_folder() -> Path:
    """The folder where Keras keeps its downloads: ``KERAS_HOME``, or ``~/.keras``."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser().absolute()


def fetch(
    url: str,
    name: str,
    *,
    folder: str = "datasets",
    known_hash: str | None = None,
    keras_names: Iterable[str] | None = None,
    limit: int = LARGEST_FILE,
    home: Path | None = None,
    force: bool = False,
) -> Path:
    """The path of a file that is downloaded unless it is there already.

    Args:
        url: where it is published, ``https://`` or ``http://``.
        name: its name in the cache, without folders.
        folder: the folder of the cache that it belongs to.
        known_hash: its SHA-256 or MD5 in hexadecimal digits; None if nobody published one, and then a file that is there
            is taken as it is.
        keras_names: paths below Keras's cache folder where Keras keeps the same file; ``folder/name`` by default.
        limit: the most bytes that it may have.
        home: another cache folder, and then Keras's is not looked into.
        force: download it even if it is there.

    Raises:
        ArgumentError: ``url``, ``name`` or ``known_hash`` is not of these forms.
        DownloadError: no connection, no such file on the server, broken off half-way, too large, or of the wrong hash.
            Nothing half-written is left behind.
    """
    _check(url, name, known_hash)
    place = (cache_folder() if home is None else home) / folder
    target = place / name
    if not force and has_hash(target, known_hash):
        return target
    if not force and home is None and known_hash is not None:
        for other in keras_names if keras_names is not None else (f"{folder}/{name}",):
            path = keras_folder() / other
            if has_hash(path, known_hash):
                return path
    _download(url, place, name, known_hash, limit, force)
    return target


def local_or_fetched(path: Any, url: str, name: str, **options: Any) -> Path:
    """A file that the user has, or else one of the cache.

    Args:
        path: Keras's ``path`` argument: a file of the user's, which is taken as it is and not downloaded; or a plain file
            name that is no file here, under which the download is kept in the cache.
        url: where the file is published.
        name: Keras's default for ``path``. It always means the cache: a file of that name that happens to lie in the
            current folder is not taken for the published one.
        options: as for `fetch`.

    Raises:
        ArgumentError: ``path`` is no path.
        DataError: ``path`` has folders in it and there is no such file.
        DownloadError: as for `fetch`.
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentError(f"`path` must be a file's path; got {path!r}.")
    given = Path(path).expanduser()
    if str(path) != name and given.is_file():
        return given
    if given.name != str(path):
        raise DataError(
            f"There is no file {str(path)!r}. Give the path of a file that you have, or leave `path` out to download "
            f"{url}."
        )
    return fetch(url, given.name, **options)


def has_hash(path: Path, known_hash: str | None) -> bool:
    """True when this is a file, and one of that hash if there is one."""
    if not path.is_file():
        return False
    if known_hash is None:
        return True
    import hashlib

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(_algorithm(known_hash), usedforsecurity=False))
    return digest.hexdigest() == known_hash.lower()


def _algorithm(known_hash: str) -> str:
    return "sha256" if len(known_hash) == 64 else "md5"


def _check(url: str, name: str, known_hash: str | None) -> None:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise ArgumentError(f"Files are downloaded from http:// and https:// addresses; got {url!r}.")
    if not name or name in (".", "..") or Path(name).name != name or "\\" in name or not name.isprintable():
        raise ArgumentError(f"The name of a downloaded file must be a plain file name without folders; got {name!r}.")
    if known_hash is not None and not (
        len(known_hash) in (32, 64) and all(c in "0123456789abcdef" for c in known_hash.lower())
    ):
        raise ArgumentError(
            f"A file's hash must be a SHA-256 of 64 or an MD5 of 32 hexadecimal digits; got {known_hash!r}."
        )


def _download(url: str, place: Path, name: str, known_hash: str | None, limit: int, force: bool) -> None:
    import pooch

    target = place / name
    wanted = None if known_hash is None else f"{_algorithm(known_hash)}:{known_hash}"
    by_hand = f"To place the file by hand, save it as {target}."
    if target.is_file() and not force:
        by_hand = f"The file that is there, {target}, has another hash; replace it by hand if you have the right one."
    elif target.exists() and not target.is_file():
        raise DownloadError(f"Cannot download {url}: {target}, where it is to be kept, is not a file. Move it away.")
    print(f"Downloading data from {url}", flush=True)  # Keras's words
    logger = pooch.get_logger()
    level = logger.level
    fresh = f".graphc-{secrets.token_hex(8)}.tmp"  # a name under which Pooch cannot find a file that is there already
    try:
        logger.setLevel("WARNING")  # it would advise the user how to call Pooch
        pooch.retrieve(url, wanted, fname=fresh, path=place, downloader=_Downloader(limit))
        os.replace(place / fresh, target)
    except DownloadError as error:
        raise DownloadError(f"{error} {by_hand}") from None
    except OSError as error:
        raise DownloadError(f"Cannot download {url}: {_cause(error)}. {by_hand}") from error
    except ValueError as error:
        found = str(error).partition("but got ")[2].partition(".")[0]  # Pooch's words for a wrong hash
        if not found:
            raise DownloadError(f"Cannot download {url}: {error}. {by_hand}") from error
        raise DownloadError(
            f"{url} is not the file that was expected: its {_algorithm(known_hash or '').upper()} is {found}, not "
            f"{known_hash}. It was thrown away. {by_hand}"
        ) from None
    finally:
        logger.setLevel(level)
        with suppress(OSError):
            (place / fresh).unlink()


def _cause(error: OSError) -> str:
    """In a few words what went wrong, on the network or on the disk."""
    response = getattr(error, "response", None)  # of requests' HTTPError
    if response is not None:
        return f"the server answered {response.status_code} {response.reason}"
    if error.errno is not None:
        return f"{error.strerror} ({error.filename})" if error.filename else str(error.strerror)
    text = " ".join(str(error).split())  # one line
    kind = type(error).__name__
    if "Timeout" in kind:
        return f"no answer within {_TIMEOUT} seconds"
    if kind == "ChunkedEncodingError":
        return "the connection broke off before the file was complete"
    if kind in ("ConnectionError", "ProxyError", "SSLError"):
        return f"no connection ({kind}); check the network"
    return f"{kind}: {text}"


class _Downloader:
    """Pooch's HTTP downloader with a limit on bytes, and a check that the whole file came.

    Pooch's own would go on as long as the server sends, and with some versions of urllib3 it takes a broken-off transfer
    for a complete one, which without a known hash nobody would notice.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._announced: int | None = None

    def __call__(self, url: str, output_file: str, pooch_: Any, check_only: bool = False) -> Any:
        """Download to ``output_file``, a path; this is the form that Pooch calls.

        Raises:
            DownloadError: too many bytes, or fewer than the server announced.
        """
        import pooch

        download = pooch.HTTPDownloader(
            progressbar=True,
            chunk_size=2**17,
            timeout=_TIMEOUT,
            # The bytes as they are stored: a .gz file must not be unpacked on the way.
            headers={"Accept-Encoding": "identity"},
            hooks={"response": self._look_at},
        )
        with open(output_file, "wb") as file:
            writer = _LimitedWriter(file, self._limit, url)
            found = download(url, writer, pooch_, check_only=check_only)
        if self._announced is not None and writer.written != self._announced:
            raise DownloadError(f"{url} broke off after {writer.written} of {self._announced} bytes.")
        return found

    def _look_at(self, response: Any, *args: Any, **kwargs: Any) -> None:
        """Note how long the file is to be; refuse one that is too long before its first byte."""
        del args, kwargs
        length = response.headers.get("content-length", "")
        plain = "content-encoding" not in response.headers
        self._announced = int(length) if plain and length.isdigit() and response.ok else None
        if self._announced is not None and self._announced > self._limit:
            raise DownloadError(_too_large(response.url, self._announced, self._limit))


class _LimitedWriter:
    """A file to write to, up to so many bytes."""

    def __init__(self, file: Any, limit: int, url: str) -> None:
        self._file, self._limit, self._url = file, limit, url
        self.written = 0

    def write(self, data: bytes) -> int:
        """Write all of it.

        Raises:
            DownloadError: that would be too much.
        """
        self.written += len(data)
        if self.written > self._limit:
            raise DownloadError(_too_large(self._url, self.written, self._limit))
        return int(self._file.write(data))

    def flush(self) -> None:
        """Nothing: Pooch asks after each piece, which is not needed before the end."""


def _too_large(url: str, size: int, limit: int) -> str:
    return f"{url} has {size} bytes or more, and at most {limit} are accepted."
