"""Windows over channels-last views: blocks of images, slices under one window element, columns for products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from itertools import product as combinations
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from graphc.ops.windows import CHANNELS_FIRST, Windows
from graphc.runtimes.kernel import Array, Step

Scratch = Callable[[Sequence[int], Any], Array]
Slices = tuple[slice, ...]

_FEW_CHANNELS = 4  # below, copying columns element by element is slower than copying them image by image


def channels_last(array: Array, layout: str) -> Array:
    """A view (batch, *spatial, channels) of an array in either layout."""
    return np.moveaxis(array, 1, -1) if layout == CHANNELS_FIRST else array


def reshaped_view(array: Array, shape: Sequence[int]) -> Array | None:
    """``array`` in another shape, or None where that takes a copy."""
    try:
        return np.reshape(array, shape, copy=False)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Sliding:
    """Windows over an input of known lengths: one entry for each spatial axis.

    Attributes:
        kernel: elements of the window.
        strides: its step.
        dilations: the step between its elements.
        begins: padding before the input; negative where the first window starts inside.
        counts: the number of windows.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    begins: tuple[int, ...]
    counts: tuple[int, ...]

    @staticmethod
    def of(windows: Windows, lengths: Sequence[int], counts: Sequence[int]) -> Sliding:
        """The windows of an op over an input of these lengths."""
        begins = tuple(int(before) for before, _ in windows.padding(lengths))
        return Sliding(windows.kernel, windows.strides, windows.dilations, begins, tuple(counts))

    def region(self, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """The input positions, padding included, that windows ``first`` to ``last`` of each axis cover."""
        rows = zip(ranges, self.kernel, self.strides, self.dilations, self.begins, strict=True)
        return [(a * s - p, (b - 1) * s + (k - 1) * d + 1 - p) for (a, b), k, s, d, p in rows]


@dataclass(frozen=True, slots=True)
class Block:
    """Images ``first`` to ``last``, and their windows in rows ``top`` to ``bottom`` of the first spatial axis."""

    first: int
    last: int
    top: int
    bottom: int

    @property
    def images(self) -> slice:
        """The images of the block."""
        return slice(self.first, self.last)

    @property
    def rows(self) -> slice:
        """The rows of the block."""
        return slice(self.top, self.bottom)

    def ranges(self, counts: Sequence[int]) -> list[tuple[int, int]]:
        """The windows of the block along each spatial axis."""
        return [(self.top, self.bottom), *((0, count) for count in counts[1:])]

    def size(self, counts: Sequence[int]) -> int:
        """The number of windows in the block."""
        return (self.last - self.first) * (self.bottom - self.top) * prod(counts[1:])


def split_evenly(count: int, parts: int) -> list[tuple[int, int]]:
    """``range(count)`` in ``parts`` contiguous parts whose lengths differ by one at most."""
    edges = [count * i // parts for i in range(parts + 1)]
    return list(pairwise(edges))


def split_blocks(images: int, counts: Sequence[int], target: int) -> list[Block]:
    """Blocks of about ``target`` windows each: several images, or strips of one.

    The number of blocks is even where there are several, so that two threads get equal shares.
    """
    image = prod(counts)
    if images * image == 0:
        return []
    if image > target:
        strips = split_evenly(counts[0], min(counts[0], -(-image // target)))
        return [Block(i, i + 1, top, bottom) for i in range(images) for top, bottom in strips]
    parts = -(-images // (target // image))
    if parts > 1:
        parts = min(parts + parts % 2, images)
    return [Block(first, last, 0, counts[0]) for first, last in split_evenly(images, parts)]


def split_images(images: int, size: int, target: int) -> list[tuple[int, int]]:
    """Ranges of whole images, of ``size`` elements each, that hold about ``target`` elements."""
    return [(block.first, block.last) for block in split_blocks(images, (max(1, size),), max(size, target, 1))]


# -- slices: one element of the window at a time ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tap:
    """One element of the window, all windows at once.

    Attributes:
        element: its index in the window.
        windows: the windows for which it lies inside the input.
        inputs: the input positions that it then has.
    """

    element: tuple[int, ...]
    windows: Slices
    inputs: Slices

    def meets_all(self, counts: Sequence[int]) -> bool:
        """True when the element lies inside the input for every window."""
        return all(s.start == 0 and s.stop == c for s, c in zip(self.windows, counts, strict=True))


def axis_taps(sliding: Sliding, axis: int, length: int) -> list[tuple[slice, slice]]:
    """(windows, inputs) of each element of the window along one axis, without those that meet only padding."""
    return [pair for pair in _axis_taps(sliding, axis, length, 0, sliding.counts[axis]) if pair is not None]


def taps(sliding: Sliding, lengths: Sequence[int], rows: tuple[int, int] | None = None) -> list[Tap]:
    """The taps in row-major order; elements that meet nothing but padding are left out.

    Args:
        sliding: the windows.
        lengths: the input's spatial lengths.
        rows: only the windows in these rows of the first axis; ``Tap.windows`` then counts from its start.
    """
    ranges = [(0, count) for count in sliding.counts]
    if rows is not None:
        ranges[0] = rows
    axes = [_axis_taps(sliding, axis, lengths[axis], *ranges[axis]) for axis in range(len(ranges))]
    found = []
    for element in combinations(*(range(k) for k in sliding.kernel)):
        pairs = [axes[axis][k] for axis, k in enumerate(element)]
        met = [pair for pair in pairs if pair is not None]
        if len(met) == len(pairs):
            found.append(Tap(element, tuple(w for w, _ in met), tuple(i for _, i in met)))
    return found


def _axis_taps(sliding: Sliding, axis: int, length: int, first: int, last: int) -> list[tuple[slice, slice] | None]:
    stride, found = sliding.strides[axis], list[tuple[slice, slice] | None]()
    for k in range(sliding.kernel[axis]):
        offset = k * sliding.dilations[axis] - sliding.begins[axis]
        # Windows o with 0 <= o * stride + offset < length.
        low = max(first, -(offset // stride))
        high = min(last, (length - 1 - offset) // stride + 1)
        if low < high:
            start = low * stride + offset
            inputs = slice(start, start + (high - low - 1) * stride + 1, stride)
            found.append((slice(low - first, high - first), inputs))
        else:
            found.append(None)
    return found


# -- columns: all elements of the window at once ----------------------------------------------------------------------


class Reusable:
    """Memory for the blocks of one worker, which use it one after another."""

    def __init__(self, scratch: Scratch, dtype: Any, size: int, workers: int) -> None:
        self._scratch, self._dtype, self._size = scratch, dtype, size
        self._pieces: list[Array | None] = [None] * workers

    def array(self, worker: int, shape: Sequence[int]) -> Array:
        """The start of a worker's memory; taken from the scratch when first asked for."""
        piece = self._pieces[worker]
        if piece is None:
            piece = self._pieces[worker] = self._scratch((self._size,), self._dtype)
        return piece[: prod(shape)].reshape(shape)


class Columns:
    """The windows of an input as matrices (groups, windows, elements of the kernel * channels of the group).

    Padding goes through a padded copy of the block. Where the windows are a matrix as they lie (a 1x1 kernel), nothing
    is copied.
    """

    def __init__(
        self, x: Array, sliding: Sliding, group: int, blocks: Sequence[Block], workers: int, scratch: Scratch
    ) -> None:
        self._x, self._sliding, self._group = x, sliding, group
        self._channels = x.shape[-1] // group
        padded = max((prod(self._region_shape(block)) for block in blocks), default=0)
        most = max((block.size(sliding.counts) for block in blocks), default=0)
        self._padded = Reusable(scratch, x.dtype, padded, workers)
        self._columns = Reusable(scratch, x.dtype, most * prod(sliding.kernel) * x.shape[-1], workers)

    def _region_shape(self, block: Block) -> tuple[int, ...]:
        region = self._sliding.region(block.ranges(self._sliding.counts))
        return (block.last - block.first, *(stop - start for start, stop in region), self._x.shape[-1])

    def bind(self, block: Block, worker: int) -> tuple[list[Step], Array]:
        """The steps that fill a block's matrices, and the matrices."""
        steps, region = self._bind_region(block, worker)
        windows = self._view(region, block)
        size, elements = block.size(self._sliding.counts), prod(self._sliding.kernel) * self._channels
        shape = (self._group, size, elements)
        matrix = reshaped_view(windows, shape)
        if matrix is not None and is_row_matrix(matrix):
            return steps, matrix
        rank = len(self._sliding.kernel)
        if self._channels < _FEW_CHANNELS:
            order = (0, *range(2 + rank, 3 + 2 * rank), *range(1, 2 + rank))
            windows = windows.transpose(order)
            columns = self._columns.array(worker, windows.shape)
            matrix = columns.reshape(self._group, elements, size).transpose(0, 2, 1)
        else:
            columns = self._columns.array(worker, windows.shape)
            matrix = columns.reshape(shape)
        steps.append(partial(np.copyto, columns, windows))
        return steps, matrix

    def _bind_region(self, block: Block, worker: int) -> tuple[list[Step], Array]:
        region = self._sliding.region(block.ranges(self._sliding.counts))
        source = self._x[block.images]
        lengths = source.shape[1:-1]
        inside = all(start >= 0 and stop <= length for (start, stop), length in zip(region, lengths, strict=True))
        compact = self._x.strides[-1] == self._x.itemsize or self._x.shape[-1] == 1
        if inside and (compact or prod(self._sliding.kernel) == 1):
            return [], source[(slice(None), *(slice(start, stop) for start, stop in region))]
        padded = self._padded.array(worker, self._region_shape(block))
        return _pad(padded, source, region), padded

    def _view(self, region: Array, block: Block) -> Array:
        """(groups, images, *windows, *kernel, channels of the group), without a copy."""
        sliding = self._sliding
        batch, *spatial, channel = region.strides
        counts = [last - first for first, last in block.ranges(sliding.counts)]
        steps = [s * stride for s, stride in zip(spatial, sliding.strides, strict=True)]
        holes = [s * dilation for s, dilation in zip(spatial, sliding.dilations, strict=True)]
        return as_strided(
            region,
            (self._group, region.shape[0], *counts, *sliding.kernel, self._channels),
            (channel * self._channels, batch, *steps, *holes, channel),
            writeable=False,
        )


def _pad(padded: Array, source: Array, region: Sequence[tuple[int, int]]) -> list[Step]:
    """Steps that fill ``padded`` with a region of ``source`` and zeros where the region reaches beyond it."""
    inner: list[slice] = [slice(None)]
    taken: list[slice] = [slice(None)]
    steps: list[Step] = []
    for (start, stop), length in zip(region, source.shape[1:-1], strict=True):
        low = min(max(start, 0), stop)  # the part inside the source; empty where the region lies wholly outside
        high = max(low, min(stop, length))
        for border in (slice(0, low - start), slice(high - start, stop - start)):
            if border.start < border.stop:
                steps.append(partial(padded[(*inner, border)].fill, 0))
        inner.append(slice(low - start, high - start))
        taken.append(slice(low, high))
    steps.append(partial(np.copyto, padded[tuple(inner)], source[tuple(taken)]))
    return steps


def is_row_matrix(matrix: Array) -> bool:
    """True when BLAS takes the matrices of a stack as they lie: contiguous rows that do not overlap."""
    row, column = matrix.strides[-2:]
    return column == matrix.itemsize and row >= matrix.shape[-1] * matrix.itemsize and row % matrix.itemsize == 0


def is_blas_matrix(matrix: Array) -> bool:
    """True when BLAS takes the matrices of a stack as they lie, by rows or by columns."""
    return is_row_matrix(matrix) or is_row_matrix(np.swapaxes(matrix, -1, -2))
