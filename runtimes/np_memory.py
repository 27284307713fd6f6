"""Memory of a plan: blocks that are handed out, given back at a value's last use, and handed out again."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from graphc.runtimes.kernel import Array

_ALIGN = 64  # bytes: a cache line, and the widest vector register


@dataclass(eq=False, slots=True)
class Block:
    """A piece of memory that holds one value at a time."""

    memory: Array
    size: int

    def array(self, shape: Sequence[int], dtype: Any) -> Array:
        """The block's start as an array."""
        count = prod(shape) * np.dtype(dtype).itemsize
        array: Array = self.memory[:count].view(dtype).reshape(shape)
        return array


def _allocate(size: int) -> Array:
    raw = np.empty(size + _ALIGN, dtype=np.uint8)
    start = -raw.ctypes.data % _ALIGN
    return raw[start : start + size]


class BufferPool:
    """Best-fit reuse of blocks in program order.

    Attributes:
        total: bytes allocated so far, which is the plan's peak.
    """

    def __init__(self) -> None:
        self.total = 0
        self._free: list[tuple[int, int, Block]] = []
        self._count = 0

    def take(self, shape: Sequence[int], dtype: Any) -> Block:
        """A block that is large enough; the smallest free one that fits without wasting more than half of it."""
        size = max(prod(shape) * np.dtype(dtype).itemsize, 1)
        size = -(-size // _ALIGN) * _ALIGN
        at = bisect_left(self._free, (size,))
        if at < len(self._free) and self._free[at][0] <= 2 * size:
            return self._free.pop(at)[2]
        self.total += size
        return Block(_allocate(size), size)

    def give(self, block: Block) -> None:
        """Return a block whose value nobody reads any more."""
        self._count += 1  # among equal sizes the block given back first is reused first
        insort(self._free, (block.size, self._count, block))


class ScratchMemory:
    """Memory that each kernel may use during its own call only, shared by all kernels of a plan."""

    def __init__(self) -> None:
        self.total = 0
        self._chunk = _allocate(_ALIGN)
        self._used = 0

    def begin_kernel(self) -> None:
        """Start handing out the same memory again: the next kernel's."""
        self._used = 0

    def __call__(self, shape: Sequence[int], dtype: Any) -> Array:
        size = prod(shape) * np.dtype(dtype).itemsize
        if self._used + size > len(self._chunk):
            # Earlier kernels keep the chunk they were bound to; doubling bounds what is held for them.
            self._chunk = _allocate(max(size, 2 * len(self._chunk)))
            self.total += len(self._chunk)
            self._used = 0
        start, self._used = self._used, self._used + -(-size // _ALIGN) * _ALIGN
        array: Array = self._chunk[start : start + size].view(dtype).reshape(shape)
        return array
