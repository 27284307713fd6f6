"""The ZIP container of ``.keras`` files: written stored and reproducibly, read strictly and within budgets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

from graphc.errors import ModelFileError

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"

# Uncompressed bytes that a member may have. Weights are stored as they are, so the file's own size bounds them.
_MAX_BYTES = {METADATA: 2**16, CONFIG: 64 * 2**20}
_MAX_MEMBERS = 10_000
_MAX_EXPANSION = 100  # uncompressed bytes for each compressed one; Keras does not compress at all
_MAX_NAME = 1_024

_DATE = (1980, 1, 1, 0, 0, 0)  # ZIP's earliest: equal models give equal archives


def write_archive(out: BinaryIO, members: Mapping[str, bytes | memoryview]) -> None:
    """Write members, in their order and without compression, as Keras does."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = 0o600 << 16
            info.create_system = 3  # the same on every system
            archive.writestr(info, data)


class ArchiveReader:
    """A ``.keras`` file in memory, its list of members checked.

    Args:
        data: the file's bytes.
        what: what the file is called in messages.

    Raises:
        ModelFileError: it is no ZIP archive, or its members are not those of a model: names twice, names that lead out of
            the archive, encrypted, overlapping, or larger than they can be.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self.what = what
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except Exception as error:  # zipfile raises whatever its parsing runs into
            raise ModelFileError(
                f"{what} is no .keras file: it is not a ZIP archive, or it is cut short ({error})."
            ) from None
        self._members: dict[str, zipfile.ZipInfo] = {}
        infos = self._archive.infolist()
        if len(infos) > _MAX_MEMBERS:
            raise ModelFileError(f"{what} has {len(infos):,} members; a model has at most {_MAX_MEMBERS:,}.")
        for info in infos:
            self._check(info, len(data))
            self._members[info.filename] = info
        end = 0
        for info in sorted(infos, key=lambda i: i.header_offset):
            if info.header_offset < end:
                raise ModelFileError(f"{what}: member {info.filename!r:.80} overlaps another.")
            end = info.header_offset + 30 + info.compress_size

    def _check(self, info: zipfile.ZipInfo, size: int) -> None:
        name, what = info.filename, self.what
        if name in self._members:
            raise ModelFileError(f"{what} has two members named {name!r:.80}.")
        known = name in (METADATA, CONFIG, WEIGHTS)
        if len(name) > _MAX_NAME or (not known and (not name.startswith("assets/") or ".." in name.split("/"))):
            raise ModelFileError(
                f"{what} has a member {name!r:.80}; a model has {METADATA}, {CONFIG}, {WEIGHTS} and a folder assets/."
            )
        if info.orig_filename != name:
            raise ModelFileError(f"{what}: the name of member {name!r:.80} goes on behind a zero byte.")
        if info.flag_bits & 1:
            raise ModelFileError(f"{what}: member {name!r:.80} is encrypted.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ModelFileError(
                f"{what}: member {name!r:.80} is compressed by method {info.compress_type}, not read here."
            )
        if info.compress_size > size or info.file_size > max(_MAX_EXPANSION * info.compress_size, 2**16):
            raise ModelFileError(
                f"{what}: member {name!r:.80} says that its {info.compress_size:,} bytes expand to {info.file_size:,}."
            )
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            raise ModelFileError(f"{what}: member {name!r:.80} is stored, but its sizes differ.")
        if info.file_size > _MAX_BYTES.get(name, info.file_size):
            raise ModelFileError(
                f"{what}: member {name!r:.80} has {info.file_size:,} bytes; at most {_MAX_BYTES[name]:,}."
            )

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """The uncompressed bytes of a member; 0 when there is none."""
        return self._members[name].file_size if name in self._members else 0

    def read(self, name: str, limit: int | None = None) -> bytes:
        """The bytes of a member.

        Raises:
            ModelFileError: there is none of that name, it has more than ``limit`` bytes, or is damaged.
        """
        if name not in self._members:
            raise ModelFileError(f"{self.what} has no member {name!r}: it is no .keras file, or not a complete one.")
        if limit is not None and self.size(name) > limit:
            raise ModelFileError(
                f"{self.what}: member {name!r} has {self.size(name):,} bytes; what this model stores there takes at most "
                f"{limit:,}."
            )
        try:
            return self._archive.read(self._members[name])
        except Exception as error:  # as in the constructor: bad checksums, lengths, headers, compressed data
            raise ModelFileError(f"{self.what}: member {name!r} is damaged: {error}.") from None
