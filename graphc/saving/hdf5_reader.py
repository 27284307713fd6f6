"""A small, strict reader of the HDF5 files that Keras and graphc write.

The HDF5 library trusts what a file says about itself: a damaged or hostile file can crash it or make it ask for any amount
of memory. What weight files use of HDF5 is little, so that little is read here, with every offset and length checked against
the bytes there are, and everything else is refused: superblock 0 or 1, groups with symbol tables, data sets that are
contiguous (or compact) arrays of numbers, hard links only.

Source: "HDF5 File Format Specification Version 3.0", The HDF Group, sections II.A, III.A, III.D, III.E, IV.A.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphc.errors import ModelFileError

Array = np.ndarray[Any, Any]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_UNDEFINED = 2**64 - 1
_MAX_RANK = 32
_MAX_MESSAGES = 1_000  # of one object
_MAX_MEMBERS = 1_000_000  # of one group
_MAX_TREE_DEPTH = 64

# Types of object header messages.
_DATASPACE, _DATATYPE, _LAYOUT, _SYMBOL_TABLE, _CONTINUATION = 0x1, 0x3, 0x8, 0x11, 0x10
_REFUSED = {
    0x2: "links of the new style",
    0x6: "links of the new style",
    0x7: "data in other files",
    0xB: "filters, such as compression",
}


@dataclass(frozen=True)
class Dataset:
    """An array in the file, not read yet."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data: memoryview

    def array(self) -> Array:
        """The array; it shares the file's memory and cannot be written to."""
        return np.frombuffer(self.data, self.dtype).reshape(self.shape)


@dataclass
class Group:
    """A folder of groups and data sets, by name."""

    file: _File
    addresses: dict[str, int]
    _opened: dict[str, Group | Dataset] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.addresses)

    def __iter__(self) -> Iterator[str]:
        return iter(self.addresses)

    def get(self, path: str) -> Group | Dataset | None:
        """The member of that path (``layers/dense/vars/0``); None where there is none.

        Raises:
            ModelFileError: the member is damaged or of a kind that is not read.
        """
        current: Group | Dataset | None = self
        for name in path.split("/"):
            if not isinstance(current, Group):
                return None
            current = current._member(name)
        return current

    def _member(self, name: str) -> Group | Dataset | None:
        if name not in self.addresses:
            return None
        if name not in self._opened:
            self._opened[name] = self.file.open(self.addresses[name], name)
        return self._opened[name]


def read_hdf5(data: bytes | memoryview, what: str) -> Group:
    """The root group of a file in memory.

    Args:
        data: the file's bytes.
        what: what the file is called in messages.

    Raises:
        ModelFileError: it is no HDF5 file, damaged, or uses parts of the format that are not read.
    """
    file = _File(memoryview(data), what)
    root = file.open(file.root_address(), "the root")
    if not isinstance(root, Group):
        raise file.damaged("its root is no group")
    return root


class _File:
    def __init__(self, data: memoryview, what: str) -> None:
        self.data, self.what = data, what
        self.base = 0

    def damaged(self, how: str) -> ModelFileError:
        return ModelFileError(
            f"{self.what} cannot be read as HDF5: {how}. It is damaged, cut short or of another kind."
        )

    def bytes_at(self, address: int, length: int) -> memoryview:
        start = self.base + address
        if not 0 <= start <= start + length <= len(self.data):
            raise self.damaged(f"{length:,} bytes at {address:#x} lie outside of its {len(self.data):,} bytes")
        return self.data[start : start + length]

    def unpack(self, layout: str, address: int) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.bytes_at(address, struct.calcsize("<" + layout)))

    def signed(self, signature: bytes, address: int) -> None:
        if self.bytes_at(address, 4) != signature:
            raise self.damaged(f"{signature.decode()} is missing at {address:#x}")

    def root_address(self) -> int:
        """The address of the root group's object header."""
        if bytes(self.bytes_at(0, 8)) != _SIGNATURE:
            raise self.damaged("its first bytes are not those of an HDF5 file")
        version, offset_size, length_size = self.unpack("BxxxxBB", 8)
        if version > 1 or offset_size != 8 or length_size != 8:
            raise ModelFileError(
                f"{self.what} is written in a form of HDF5 (superblock {version}) that is not read; Keras writes superblock "
                "0. Write it again with h5py's defaults."
            )
        place = 24 + 4 * version
        (self.base,) = self.unpack("Q", place)
        if self.base != 0:
            raise self.damaged(f"it begins at {self.base}")
        (address,) = self.unpack("Q", place + 40)
        return int(address)

    # -- objects ------------------------------------------------------------------------------------------------------

    def open(self, address: int, name: str) -> Group | Dataset:
        """The group or data set whose object header is at an address."""
        messages: dict[int, memoryview] = {}
        for kind, body in self._messages(address):
            if kind in _REFUSED:
                raise ModelFileError(f"{self.what}: {name!r} uses {_REFUSED[kind]}, which are not read.")
            messages.setdefault(kind, body)
        if _SYMBOL_TABLE in messages:
            tree, heap = self._unpacked(messages[_SYMBOL_TABLE], "QQ", name)
            return Group(self, dict(self._links(tree, self._heap(heap))))
        if _DATASPACE in messages and _DATATYPE in messages and _LAYOUT in messages:
            shape = self._shape(messages[_DATASPACE], name)
            dtype = self._dtype(messages[_DATATYPE], name)
            size = dtype.itemsize
            for length in shape:
                size *= length
            return Dataset(shape, dtype, self._contents(messages[_LAYOUT], size, name))
        raise self.damaged(f"{name!r} is neither a group nor a data set")

    def _unpacked(self, body: memoryview, layout: str, name: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + layout)
        if len(body) < size:
            raise self.damaged(f"the description of {name!r} is cut short")
        return struct.unpack("<" + layout, body[:size])

    def _messages(self, address: int) -> Iterator[tuple[int, memoryview]]:
        """The messages of an object header, version 1."""
        version, count, size = self.unpack("BxHxxxxI", address)
        if version != 1:
            raise self.damaged(f"the object header at {address:#x} has version {version}")
        if count > _MAX_MESSAGES:
            raise self.damaged(f"the object header at {address:#x} has {count} messages")
        blocks = [self.bytes_at(address + 16, size)]
        for block in blocks:  # grows while it is walked; each block belongs to a counted message
            at = 0
            while at + 8 <= len(block) and count:
                kind, length = struct.unpack("<HH", block[at : at + 4])
                body = block[at + 8 : at + 8 + length]
                if len(body) < length:
                    raise self.damaged(f"a message of the object header at {address:#x} is cut short")
                at, count = at + 8 + length, count - 1
                if kind == _CONTINUATION:
                    blocks.append(self.bytes_at(*self._unpacked(body, "QQ", "a header")))
                else:
                    yield kind, body

    # -- groups -------------------------------------------------------------------------------------------------------

    def _heap(self, address: int) -> memoryview:
        """The names of a group's members, each ended by a zero byte."""
        self.signed(b"HEAP", address)
        size, start = self.unpack("QxxxxxxxxQ", address + 8)
        return self.bytes_at(start, size)

    def _links(self, tree: int, heap: memoryview) -> Iterator[tuple[str, int]]:
        """The names and addresses of a group's members."""
        todo, seen, members = [(tree, 0)], {tree}, 0
        while todo:
            address, depth = todo.pop()
            self.signed(b"TREE", address)
            kind, level, used = self.unpack("BBH", address + 4)
            if kind != 0 or depth > _MAX_TREE_DEPTH:
                raise self.damaged(f"the tree at {address:#x} is not that of a group")
            words = self.unpack(f"{2 * used + 1}Q", address + 24)
            for child in words[1::2]:
                if child in seen:
                    raise self.damaged(f"the tree at {address:#x} goes in a circle")
                seen.add(child)
                if level:
                    todo.append((child, depth + 1))
                    continue
                for link in self._leaf(child, heap):
                    members += 1
                    if members > _MAX_MEMBERS:
                        raise self.damaged(f"a group has more than {_MAX_MEMBERS:,} members")
                    yield link

    def _leaf(self, address: int, heap: memoryview) -> Iterator[tuple[str, int]]:
        self.signed(b"SNOD", address)
        (count,) = self.unpack("xxH", address + 4)
        block = self.bytes_at(address + 8, 40 * count)
        for place, target, cache in struct.iter_unpack("<QQI20x", block):
            end = bytes(heap[place : place + 4096]).find(b"\0")
            if place >= len(heap) or end < 0:
                raise self.damaged("the name of a member is cut short")
            name = bytes(heap[place : place + end]).decode("utf-8", "replace")
            if cache == 2 or target == _UNDEFINED:
                raise ModelFileError(f"{self.what}: {name!r} is a soft link; only data at its own place is read.")
            yield name, target

    # -- data sets ----------------------------------------------------------------------------------------------------

    def _shape(self, body: memoryview, name: str) -> tuple[int, ...]:
        version, rank, _ = self._unpacked(body, "BBB", name)
        if version not in (1, 2) or rank > _MAX_RANK:
            raise self.damaged(f"{name!r} has a shape of version {version} and rank {rank}")
        start = 8 if version == 1 else 4
        return tuple(self._unpacked(body[start:], f"{rank}Q", name))

    def _dtype(self, body: memoryview, name: str) -> np.dtype[Any]:
        head, bits, _, _, size = self._unpacked(body, "BBBBI", name)
        kind = head & 0x0F
        order = ">" if bits & 1 else "<"
        if kind == 0 and size in (1, 2, 4, 8):
            return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}")
        if kind == 1 and size in (2, 4, 8) and self._is_ieee(body, size, name):
            return np.dtype(f"{order}f{size}")
        if kind == 8 and size == 1:  # how h5py writes booleans: an enumeration of FALSE and TRUE
            return np.dtype(bool)
        raise ModelFileError(f"{self.what}: {name!r} holds something other than numbers (HDF5 type class {kind}).")

    def _is_ieee(self, body: memoryview, size: int, name: str) -> bool:
        layouts = {2: (16, 10, 5, 0, 10, 15), 4: (32, 23, 8, 0, 23, 127), 8: (64, 52, 11, 0, 52, 1023)}
        offset, *found = self._unpacked(body[8:], "HHBBBBI", name)
        return offset == 0 and tuple(found) == layouts[size]

    def _contents(self, body: memoryview, size: int, name: str) -> memoryview:
        """The bytes of a data set, which must be as many as its shape and dtype say."""
        version, kind = self._unpacked(body, "BB", name)
        if version != 3 or kind not in (0, 1):
            raise ModelFileError(
                f"{self.what}: {name!r} is stored in chunks or in a form of HDF5 that is not read; Keras stores whole arrays. "
                "Write it again without compression or chunks."
            )
        if kind == 0:
            (stored,) = self._unpacked(body[2:], "H", name)
            data = body[4 : 4 + stored]
        else:
            address, stored = self._unpacked(body[2:], "QQ", name)
            data = self.bytes_at(address, stored) if address != _UNDEFINED else memoryview(b"")
        if len(data) != size:
            raise self.damaged(f"{name!r} should have {size:,} bytes and has {len(data):,}")
        return data
