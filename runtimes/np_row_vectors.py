"""Arithmetic between every row of a matrix and one vector, at full speed for short rows too.

NumPy's inner loop is as long as the vector, and starting it costs as much as some twenty elements. Repeating a short
vector and taking several rows of the matrix as one makes the loop long.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from graphc.runtimes.kernel import Array, Step
from graphc.runtimes.np_windows import Scratch

_LOOP = 512  # elements: where the cost of starting a loop no longer shows


class RowVector:
    """A vector that meets the rows of C-contiguous matrices."""

    def __init__(self, length: int, dtype: np.dtype[np.generic], scratch: Scratch) -> None:
        self._tile = scratch((max(1, _LOOP // max(1, length)), length), dtype)
        self.array = self._tile[0]

    def load(self, vector: Array) -> Step:
        """The step that copies a vector in; run it before the vector is used."""
        return partial(np.copyto, self._tile, vector)

    def spread(self) -> Step:
        """The step that repeats ``array`` after it was written to."""
        return partial(np.copyto, self._tile[1:], self.array)

    def pairs(self, *matrices: Array) -> Iterator[tuple[Array, ...]]:
        """Views that cover the matrices, each with the operand that meets them: ``(*views, operand)``."""
        repeat, length = self._tile.shape
        rows = matrices[0].shape[0]
        whole = rows - rows % repeat
        if not all(m.flags.c_contiguous for m in matrices):
            whole = 0
        if whole:
            yield (*(m[:whole].reshape(-1, repeat * length) for m in matrices), self._tile.reshape(-1))
        if whole < rows:
            yield (*(m[whole:] for m in matrices), self.array)
