"""Arithmetic between every row of a matrix and one vector, at full speed for short rows too.

NumPy's inner loop is as long as the vector, and starting it costs as much as some twenty elements. Repeating a short
vector and taking several rows of the matrix as one makes the loop long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from graphc.runtimes.kernel import Array, Step

_LOOP = 512  # elements: where the cost of starting a loop no longer shows


class RowVector:
    """A vector that meets the rows of C-contiguous matrices.

    Attributes:
        array: the vector; after writing to it, run the step `spread`.
    """

    def __init__(self, length: int, dtype: Any, scratch: Callable[[Sequence[int], Any], Array]) -> None:
        self._tile = scratch((max(1, _LOOP // max(1, length)), length), dtype)
        self.array: Array = self._tile[0]

    def load(self, source: Array) -> Step:
        """The step that copies an array of this size in; run it before the vector is used."""
        return partial(np.copyto, self._tile.reshape(-1, *source.shape), source)

    def spread(self) -> None:
        """Repeat what was written to ``array``."""
        self._tile[1:] = self.array

    def pairs(self, *matrices: Array) -> list[tuple[Array, ...]]:
        """Views that cover the matrices, each with the operand that meets them: ``(*views, operand)``."""
        repeat, length = self._tile.shape
        rows = matrices[0].shape[0]
        whole = rows - rows % repeat if all(m.flags.c_contiguous for m in matrices) else 0
        found: list[tuple[Array, ...]] = []
        if whole:
            found.append((*(m[:whole].reshape(-1, repeat * length) for m in matrices), self._tile.reshape(-1)))
        if whole < rows:
            found.append((*(m[whole:] for m in matrices), self.array))
        return found
