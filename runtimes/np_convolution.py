"""NumPy kernels of `graphc.ops.convolution`.

All kernels work on channels-last views. A convolution is a matrix product of columns (the input under each window) and
the kernel, made for a block of images at a time so that the columns stay in the cache; blocks are dealt to threads.
The gradient for the weights is the same columns, transposed, times the gradient. The gradient for the input is, with
stride 1, a convolution with the mirrored kernel; else columns of gradients that are added where they came from.
One channel per group (depthwise) has no product to speak of: its kernels add one window element at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from graphc.ops.windows import CHANNELS_FIRST, Windows
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_depthwise import depthwise_forward, depthwise_grad_input, depthwise_grad_weight
from graphc.runtimes.np_half import in_float32
from graphc.runtimes.np_row_vectors import RowVector
from graphc.runtimes.np_threads import in_order, run_lanes, worker_count
from graphc.runtimes.np_windows import (
    Block,
    Columns,
    Reusable,
    Scratch,
    Sliding,
    channels_last,
    is_blas_matrix,
    is_row_matrix,
    reshaped_view,
    split_blocks,
    split_evenly,
    taps,
)

_COLUMN_BYTES = 8 << 20  # of one block: larger ones leave the last-level cache when two threads run
_MIN_WINDOWS = 256  # of one block: BLAS repacks the kernel for each product, which fewer rows do not repay
_MAX_WINDOWS = 2048
_THREAD_FLOPS = 40_000_000  # about a fifth of a millisecond of one core
_MAX_PARTIAL_SUMS = 8  # lanes of a weight gradient, each with a sum of its own ...
_PARTIAL_SUM_BYTES = 32 << 20  # ... within this memory
_MIRROR_LIMIT = 1.25  # a mirrored convolution does this much more work than columns of gradients, at the same speed


def _kernel_last(array: Array, layout: str) -> Array:
    """A view (*kernel, channels of a group, filters) of a kernel in either layout."""
    return np.moveaxis(array, (0, 1), (-1, -2)) if layout == CHANNELS_FIRST else array


def _lengths(array: Array) -> tuple[int, ...]:
    return tuple(array.shape[1:-1])


@dataclass(frozen=True, slots=True)
class _Problem:
    """The size of a convolution, whichever of its three sides is computed."""

    images: int
    sliding: Sliding
    group: int
    channels: int
    filters: int
    itemsize: int

    @property
    def elements(self) -> int:
        """Columns of the column matrix of one group."""
        return prod(self.sliding.kernel) * (self.channels // self.group)

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.images * prod(self.sliding.counts) * self.elements * self.filters

    def blocks(self) -> list[Block]:
        """Blocks whose columns fit the cache; at least two where the work is worth two threads."""
        target = _COLUMN_BYTES // max(1, self.elements * self.group * self.itemsize)
        target = min(_MAX_WINDOWS, max(_MIN_WINDOWS, target))
        if self.flops >= _THREAD_FLOPS:
            target = min(target, -(-self.images * prod(self.sliding.counts) // 2))
        return split_blocks(self.images, self.sliding.counts, max(1, target))

    def largest(self, blocks: Sequence[Block]) -> int:
        """Windows in the largest block."""
        return max((block.size(self.sliding.counts) for block in blocks), default=0)

    def workers(self, lanes: int) -> int:
        """Threads for this many lanes."""
        return worker_count(lanes, worthwhile=self.flops >= _THREAD_FLOPS, uses_blas=True)


# -- forward ----------------------------------------------------------------------------------------------------------


def _forward(x: Array, weights: Array, bias: Array | None, out: Array, p: _Problem, scratch: Scratch) -> list[Step]:
    """Steps that write the convolution of ``x`` with ``weights`` (groups, elements, filters of a group) to ``out``."""
    blocks = p.blocks()
    workers = p.workers(len(blocks))
    columns = Columns(x, p.sliding, p.group, blocks, workers, scratch)
    results = Reusable(scratch, out.dtype, p.largest(blocks) * p.filters, workers)
    steps: list[Step] = []
    vector = None
    if bias is not None:
        vector = RowVector(p.filters, out.dtype, scratch)
        steps.append(vector.load(bias))
    lanes = []
    for i, block in enumerate(blocks):
        lane, matrix = columns.bind(block, i % workers)
        target = out[block.images, block.rows]
        rows = (matrix.shape[1], p.filters)
        direct = reshaped_view(target, rows)
        result = results.array(i % workers, rows) if direct is None else direct
        lane.append(_product(matrix, weights, _by_group(result, p.group)))
        if vector is not None:
            lane += [partial(np.add, part, operand, out=part) for part, operand in vector.pairs(result)]
        if direct is None:
            lane.append(partial(np.copyto, target, result.reshape(target.shape)))
        lanes.append(lane)
    return [*steps, run_lanes(lanes, workers)] if lanes else steps


def _by_group(matrix: Array, group: int) -> Array:
    """A matrix (rows, channels) as (groups, rows, channels of the group)."""
    return matrix.reshape(matrix.shape[0], group, matrix.shape[1] // group).transpose(1, 0, 2)


def _product(a: Array, b: Array, out: Array) -> Step:
    if a.shape[0] == 1:
        return partial(np.matmul, a[0], b[0], out=out[0])
    return partial(np.matmul, a, b, out=out)


def _kernel_matrices(w: Array, group: int, scratch: Scratch) -> tuple[list[Step], Array]:
    """A kernel (*kernel, channels, filters) as (groups, elements, filters of the group), and the steps that copy it."""
    *kernel, channels, filters = w.shape
    shape = (prod(kernel) * channels, group, filters // group)
    view = reshaped_view(w, shape)
    if view is not None and is_blas_matrix(view.transpose(1, 0, 2)):
        return [], view.transpose(1, 0, 2)
    copy = scratch(w.shape, w.dtype)
    return [partial(np.copyto, copy, w)], copy.reshape(shape).transpose(1, 0, 2)


def _mirrored_matrices(w: Array, group: int, scratch: Scratch) -> tuple[list[Step], Array]:
    """The mirrored kernel that takes filters to channels, as (groups, elements, channels of the group)."""
    *kernel, channels, filters = w.shape
    rank, per_group = len(kernel), filters // group
    mirrored = w[(slice(None, None, -1),) * rank].reshape(*kernel, channels, group, per_group)
    mirrored = mirrored.transpose(rank + 1, *range(rank), rank + 2, rank)
    shape = (group, prod(kernel) * per_group, channels)
    view = reshaped_view(mirrored, shape)
    if view is not None and is_blas_matrix(view):
        return [], view
    copy = scratch(mirrored.shape, w.dtype)
    return [partial(np.copyto, copy, mirrored)], copy.reshape(shape)


def _conv(call: Call) -> Step:
    layout, group = call.attributes["layout"], call.attributes["group"]
    x, w = channels_last(call.inputs[0], layout), _kernel_last(call.inputs[1], layout)
    bias = call.inputs[2] if len(call.inputs) > 2 else None
    out = channels_last(call.outputs[0], layout)
    sliding = Sliding.of(Windows.of(call.op, w.shape[:-2], call.attributes), _lengths(x), _lengths(out))
    if _is_depthwise(w, group):
        return in_order(depthwise_forward(x, w, bias, out, sliding, call.scratch))
    problem = _Problem(x.shape[0], sliding, group, x.shape[-1], out.shape[-1], x.itemsize)
    steps, weights = _kernel_matrices(w, group, call.scratch)
    return in_order([*steps, *_forward(x, weights, bias, out, problem, call.scratch)])


def _is_depthwise(w: Array, group: int) -> bool:
    return group > 1 and w.shape[-2] == 1


# -- gradient for the input -------------------------------------------------------------------------------------------


def _grad_input(call: Call) -> Step:
    """Binds ConvGradInput(g, w), and ConvTranspose(x, w, bias), which is the same with a bias."""
    layout, group = call.attributes["layout"], call.attributes["group"]
    g, w = channels_last(call.inputs[0], layout), _kernel_last(call.inputs[1], layout)
    bias = call.inputs[2] if len(call.inputs) > 2 else None
    out = channels_last(call.outputs[0], layout)
    sliding = Sliding.of(Windows.of(call.op, w.shape[:-2], call.attributes), _lengths(out), _lengths(g))
    scratch = call.scratch
    if _is_depthwise(w, group):
        return in_order(depthwise_grad_input(g, w, bias, out, sliding, scratch))
    mirrored_work = prod(_lengths(out)) <= _MIRROR_LIMIT * prod(_lengths(g))
    if all(s == 1 for s in sliding.strides) and mirrored_work:
        steps, weights = _mirrored_matrices(w, group, scratch)
        problem = _Problem(g.shape[0], _mirrored(sliding, _lengths(out)), group, g.shape[-1], out.shape[-1], g.itemsize)
        return in_order([*steps, *_forward(g, weights, bias, out, problem, scratch)])
    problem = _Problem(g.shape[0], sliding, group, out.shape[-1], g.shape[-1], g.itemsize)
    steps, weights = _kernel_matrices(w, group, scratch)
    return in_order([*steps, *_scatter(g, weights.transpose(0, 2, 1), bias, out, problem, scratch)])


def _mirrored(sliding: Sliding, lengths: tuple[int, ...]) -> Sliding:
    """The windows over the gradient that give the input's gradient, one for each of the input's ``lengths``."""
    rows = zip(sliding.kernel, sliding.dilations, sliding.begins, strict=True)
    begins = tuple((k - 1) * d - before for k, d, before in rows)
    return Sliding(sliding.kernel, (1,) * len(lengths), sliding.dilations, begins, lengths)


def _scatter(g: Array, weights: Array, bias: Array | None, out: Array, p: _Problem, scratch: Scratch) -> list[Step]:
    """Columns of gradients, ``g`` times ``weights`` (groups, filters, elements), added where their windows lie."""
    blocks = p.blocks()
    # Strips of one image overlap in the result, so that one lane has them all.
    images = sorted({(block.first, block.last) for block in blocks})
    workers = p.workers(len(images))
    columns = Reusable(scratch, g.dtype, p.largest(blocks) * p.elements * p.group, workers)
    copies = Reusable(scratch, g.dtype, p.largest(blocks) * p.filters, workers)
    counts, kernel = p.sliding.counts, p.sliding.kernel

    def bind_block(block: Block, worker: int, places: Array) -> list[Step]:
        steps, rows = _row_matrix(g[block.images, block.rows], copies, worker)
        matrix = columns.array(worker, (p.group, rows.shape[0], p.elements))
        steps.append(_product(_by_group(rows, p.group), weights, matrix))
        windows = (block.last - block.first, block.bottom - block.top, *counts[1:])
        spread = np.moveaxis(matrix.reshape(p.group, *windows, *kernel, p.channels // p.group), 0, -2)
        for tap in taps(p.sliding, places.shape[1:-2], (block.top, block.bottom)):
            place = places[(slice(None), *tap.inputs)]
            at: tuple[Any, ...] = (slice(None), *tap.windows, *tap.element)
            steps.append(partial(np.add, place, spread[at], out=place))
        return steps

    lanes = []
    for i, (first, last) in enumerate(images):
        target = out[first:last]
        places = target.reshape(*target.shape[:-1], p.group, p.channels // p.group)
        lane: list[Step] = [partial(target.fill, 0) if bias is None else partial(np.copyto, target, bias)]
        for block in blocks:
            if block.first == first:
                lane += bind_block(block, i % workers, places)
        lanes.append(lane)
    return [run_lanes(lanes, workers)] if lanes else []


def _row_matrix(array: Array, copies: Reusable, worker: int) -> tuple[list[Step], Array]:
    """(positions, channels) of a channels-last block, and the step that copies it where it is no matrix as it lies."""
    shape = (prod(array.shape[:-1]), array.shape[-1])
    view = reshaped_view(array, shape)
    if view is not None and is_row_matrix(view):
        return [], view
    copy = copies.array(worker, array.shape)
    return [partial(np.copyto, copy, array)], copy.reshape(shape)


# -- gradient for the weights -----------------------------------------------------------------------------------------


def _grad_weight(call: Call) -> Step:
    layout, group, scratch = call.attributes["layout"], call.attributes["group"], call.scratch
    x, g = channels_last(call.inputs[0], layout), channels_last(call.inputs[1], layout)
    out = _kernel_last(call.outputs[0], layout)
    sliding = Sliding.of(Windows.of(call.op, out.shape[:-2], call.attributes), _lengths(x), _lengths(g))
    if _is_depthwise(out, group):
        return in_order(depthwise_grad_weight(x, g, out, sliding, scratch))
    p = _Problem(x.shape[0], sliding, group, x.shape[-1], g.shape[-1], x.itemsize)
    blocks = p.blocks()
    if not blocks:
        return partial(out.fill, 0)
    shape = (group, p.elements, p.filters // group)
    # As many sums as the memory allows, whatever the number of cores: the order of summation must not depend on it.
    lane_count = min(len(blocks), _MAX_PARTIAL_SUMS, max(2, _PARTIAL_SUM_BYTES // max(1, prod(shape) * x.itemsize)))
    workers = p.workers(lane_count)
    columns = Columns(x, sliding, group, blocks, workers, scratch)
    copies = Reusable(scratch, g.dtype, p.largest(blocks) * p.filters, workers)
    terms = Reusable(scratch, x.dtype, prod(shape), workers)
    direct = reshaped_view(out, shape) if group == 1 else None
    sums = [scratch(shape, x.dtype) if i or direct is None else direct for i in range(lane_count)]

    def bind_block(block: Block, worker: int, total: Array, first: bool) -> list[Step]:
        steps, matrix = columns.bind(block, worker)
        copied, rows = _row_matrix(g[block.images, block.rows], copies, worker)
        term = total if first else terms.array(worker, shape)
        steps += [*copied, _product(matrix.transpose(0, 2, 1), _by_group(rows, group), term)]
        return steps if first else [*steps, partial(np.add, total, term, out=total)]

    lanes = []
    for i, (first, last) in enumerate(split_evenly(len(blocks), lane_count)):
        bound = [bind_block(block, i % workers, sums[i], j == 0) for j, block in enumerate(blocks[first:last])]
        lanes.append([step for steps in bound for step in steps])
    steps: list[Step] = [run_lanes(lanes, workers)]
    steps += [partial(np.add, sums[0], part, out=sums[0]) for part in sums[1:]]
    if direct is None:
        kernel = sums[0].reshape(group, *sliding.kernel, p.channels // group, p.filters // group)
        places = out.reshape(*out.shape[:-1], group, p.filters // group)
        steps.append(partial(np.copyto, places, np.moveaxis(kernel, 0, -2)))
    return in_order(steps)


KERNELS: dict[str, Kernel] = {
    "Conv": Kernel(in_float32(_conv)),
    "ConvTranspose": Kernel(in_float32(_grad_input)),
    "ConvGradInput": Kernel(in_float32(_grad_input)),
    "ConvGradWeight": Kernel(in_float32(_grad_weight)),
}
