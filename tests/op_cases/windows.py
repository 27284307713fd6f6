"""Sliding windows the slow way, for the oracles of convolution and pooling: one window and one element at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from op_cases.case import Array

Ints = tuple[int, ...]
LAYOUTS = ("NCHW", "NHWC")


@dataclass(frozen=True)
class Geometry:
    """A window that slides over spatial axes, as ONNX describes it."""

    kernel: Ints
    strides: Ints = ()
    dilations: Ints = ()
    pads: Ints | str = ()

    def steps(self) -> tuple[Ints, Ints]:
        """Strides and dilations, one for each axis."""
        ones = (1,) * len(self.kernel)
        return self.strides or ones, self.dilations or ones

    def windows(self, lengths: Sequence[int]) -> tuple[Ints, Ints]:
        """The number of windows along each axis, and the padding in front."""
        strides, dilations = self.steps()
        rank = len(self.kernel)
        extents = [(k - 1) * d + 1 for k, d in zip(self.kernel, dilations, strict=True)]
        if self.pads == "SAME_UPPER":
            counts = [-(-n // s) for n, s in zip(lengths, strides, strict=True)]
            missing = [(c - 1) * s + e - n for c, s, e, n in zip(counts, strides, extents, lengths, strict=True)]
            return tuple(counts), tuple(max(0, m) // 2 for m in missing)
        pads = self.pads or (0,) * (2 * rank)
        room = [n + int(pads[i]) + int(pads[rank + i]) - extents[i] for i, n in enumerate(lengths)]
        return tuple(r // s + 1 for r, s in zip(room, strides, strict=True)), tuple(int(p) for p in pads[:rank])

    def meetings(self, lengths: Sequence[int]) -> Iterator[tuple[Ints, Ints, Ints]]:
        """(window, element of the kernel, position in the input) for each element that does not lie in the padding."""
        strides, dilations = self.steps()
        counts, begins = self.windows(lengths)
        for window in product(*map(range, counts)):
            for element in product(*map(range, self.kernel)):
                rows = zip(window, strides, element, dilations, begins, strict=True)
                place = tuple(o * s + k * d - b for o, s, k, d, b in rows)
                if all(0 <= p < n for p, n in zip(place, lengths, strict=True)):
                    yield window, element, place


def to_first(x: Array, layout: str) -> Array:
    """(batch, channels, *spatial)."""
    return np.moveaxis(x, -1, 1) if layout == "NHWC" else x


def from_first(x: Array, layout: str) -> Array:
    """The opposite of `to_first`."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if layout == "NHWC" else x


def kernel_to_first(w: Array, layout: str) -> Array:
    """(filters, channels, *kernel)."""
    return np.moveaxis(w, (-1, -2), (0, 1)) if layout == "NHWC" else w


def kernel_from_first(w: Array, layout: str) -> Array:
    """The opposite of `kernel_to_first`."""
    return np.ascontiguousarray(np.moveaxis(w, (0, 1), (-1, -2))) if layout == "NHWC" else w
