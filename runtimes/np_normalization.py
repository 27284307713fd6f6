"""NumPy kernels of `graphc.ops.normalization`.

They go over blocks of rows that stay in the cache, dealt to threads, and combine the blocks' sums in float64. The
variance is summed around each block's own mean and the blocks are then joined (Chan, Golub and LeVeque 1979), with what
the mean missed by rounding: as exact as two passes over the data, for the price of one. Sums over rows and over columns
are BLAS products with ones.
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np

from graphc.ir.types import normalize_axis
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_half import in_float32
from graphc.runtimes.np_row_vectors import RowVector
from graphc.runtimes.np_threads import in_order, run_lanes, worker_count
from graphc.runtimes.np_windows import Reusable, Scratch, reshaped_view, split_evenly

_BLOCK = 1 << 16  # elements of a block: with results and scratch, what the second-level cache holds
_THREAD_WORK = 1 << 19  # elements that repay a second thread
_MAX_PARTIAL_SUMS = 8  # lanes of a layer normalization's gradient: each sums over its rows by itself


def _workers(lanes: int, elements: int, *, uses_blas: bool = True) -> int:
    return worker_count(lanes, worthwhile=elements >= _THREAD_WORK, uses_blas=uses_blas)


def _split(rows: int, size: int) -> list[tuple[int, int]]:
    """Blocks of rows of an array of this size; an even number of them, so that two threads get equal shares."""
    if size == 0:
        return []
    parts = -(-size // _BLOCK)
    return split_evenly(rows, min(rows, parts + parts % 2 if parts > 1 else 1))


# -- batch normalization ----------------------------------------------------------------------------------------------


class _PlaneVector:
    """A number for each channel that meets blocks (images, channels, elements); see `RowVector`."""

    def __init__(self, length: int, dtype: Any, scratch: Scratch) -> None:
        self.array: Array = scratch((length,), dtype)

    def load(self, source: Array) -> Step:
        return partial(np.copyto, self.array, source)

    def spread(self) -> None:
        """Nothing to repeat."""

    def pairs(self, *blocks: Array) -> list[tuple[Array, ...]]:
        return [(*blocks, self.array[:, np.newaxis])]


class _Channels:
    """An array by channels, in blocks: (rows, channels) where channels come last, else (images, channels, elements)."""

    def __init__(self, call: Call) -> None:
        shape = call.inputs[0].shape
        axis = normalize_axis(call.attributes["axis"], len(shape))
        outer, self.count, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
        self._inner: int = inner
        self._scratch, self._dtype = call.scratch, call.outputs[0].dtype
        self._shape = (outer, self.count) if inner == 1 else (outer, self.count, inner)
        self.size = prod(self._shape)
        self.members = outer * inner  # of one channel
        self.ranges = _split(outer, self.size)
        self.most = max((last - first for first, last in self.ranges), default=0)
        self.workers = _workers(len(self.ranges), self.size)
        self._ones = call.scratch((self.most,), self._dtype)
        self.begin: list[Step] = [partial(self._ones.fill, 1)]

    def members_of(self, first: int, last: int) -> int:
        """Elements of one channel in a block."""
        return (last - first) * self._inner

    def view(self, array: Array) -> Array:
        """An operand or result in this form; an operand that cannot be viewed so is copied first."""
        view = reshaped_view(array, self._shape)
        if view is not None and (view.ndim == 3 or view.flags.c_contiguous):
            return view
        copy = self._scratch(array.shape, array.dtype)
        self.begin.append(partial(np.copyto, copy, array))
        return copy.reshape(self._shape)

    def vector(self) -> RowVector | _PlaneVector:
        """A number for each channel that meets blocks."""
        kind = RowVector if len(self._shape) == 2 else _PlaneVector
        return kind(self.count, self._dtype, self._scratch)

    def blocks(self) -> Reusable:
        """Scratch memory for a block of each worker."""
        return Reusable(self._scratch, self._dtype, self.most * prod(self._shape[1:]), self.workers)

    def sums(self) -> Array:
        """Memory for a number for each block and channel."""
        return self._scratch((len(self.ranges), self.count), self._dtype)

    def total(self, block: Array, out: Array) -> Step:
        """The step that sums a block over everything but channels."""
        if block.ndim == 2:
            return partial(np.matmul, self._ones[: block.shape[0]], block, out=out)
        return partial(np.add.reduce, block, axis=(0, 2), out=out)


def _scale_and_shift(x: Array, y: Array, gain: Any, shift: Any) -> list[Step]:
    """Steps of ``y = x * gain + shift``."""
    steps: list[Step] = [partial(np.multiply, source, g, out=target) for source, target, g in gain.pairs(x, y)]
    return steps + [partial(np.add, target, s, out=target) for target, s in shift.pairs(y)]


def _batch_normalization(call: Call) -> Step:
    channels = _Channels(call)
    scale, bias, mean, variance = call.inputs[1:]
    epsilon = call.attributes["epsilon"]
    x, y = channels.view(call.inputs[0]), channels.view(call.outputs[0])
    gain, shift = channels.vector(), channels.vector()

    def prepare() -> None:
        np.add(variance, epsilon, out=gain.array)
        np.sqrt(gain.array, out=gain.array)
        np.divide(scale, gain.array, out=gain.array)
        np.multiply(mean, gain.array, out=shift.array)
        np.subtract(bias, shift.array, out=shift.array)
        gain.spread()
        shift.spread()

    lanes = [_scale_and_shift(x[first:last], y[first:last], gain, shift) for first, last in channels.ranges]
    if not lanes:
        return lambda: None
    return in_order([*channels.begin, prepare, run_lanes(lanes, _workers(len(lanes), channels.size, uses_blas=False))])


def _training(call: Call) -> Step:
    channels = _Channels(call)
    (_, scale, bias), (out, mean, variance) = call.inputs, call.outputs
    epsilon = call.attributes["epsilon"]
    if not channels.ranges:
        return in_order([partial(mean.fill, np.nan), partial(variance.fill, np.nan)])
    x, y = channels.view(call.inputs[0]), channels.view(out)
    means, rests, squares, blocks = channels.sums(), channels.sums(), channels.sums(), channels.blocks()
    centers = [channels.vector() for _ in range(channels.workers)]
    lanes = []
    for i, (first, last) in enumerate(channels.ranges):
        worker, block = i % channels.workers, x[first:last]
        centered, center = blocks.array(worker, block.shape), centers[worker]
        lane: list[Step] = [channels.total(block, means[i])]
        lane.append(partial(np.divide, means[i], channels.members_of(first, last), out=means[i]))
        lane.append(center.load(means[i]))
        lane += [partial(np.subtract, b, c, out=d) for b, d, c in center.pairs(block, centered)]
        lane.append(channels.total(centered, rests[i]))
        lane += [partial(np.multiply, centered, centered, out=centered), channels.total(centered, squares[i])]
        lanes.append(lane)
    members = np.array([[channels.members_of(first, last)] for first, last in channels.ranges], np.float64)
    gain, shift = channels.vector(), channels.vector()

    def combine() -> None:
        missed = rests / members
        exact = means + missed
        center = (members * exact).sum(axis=0) / channels.members
        between = members * ((exact - center) ** 2 - missed**2)
        spread = (squares.sum(axis=0, dtype=np.float64) + between.sum(axis=0)) / channels.members
        np.copyto(mean, center, casting="same_kind")
        np.copyto(variance, spread, casting="same_kind")
        factor = scale / np.sqrt(spread + epsilon)
        np.copyto(gain.array, factor, casting="same_kind")
        np.copyto(shift.array, bias - center * factor, casting="same_kind")
        gain.spread()
        shift.spread()

    apply = [_scale_and_shift(x[first:last], y[first:last], gain, shift) for first, last in channels.ranges]
    return in_order([*channels.begin, run_lanes(lanes, channels.workers), combine, run_lanes(apply, channels.workers)])


def _training_grad(call: Call) -> Step:
    channels = _Channels(call)
    _, scale, mean, variance, _ = call.inputs
    out, by_scale, by_bias = call.outputs
    epsilon = call.attributes["epsilon"]
    if not channels.ranges:
        return in_order([partial(by_scale.fill, 0), partial(by_bias.fill, 0)])
    x, g, by_x = channels.view(call.inputs[0]), channels.view(call.inputs[4]), channels.view(out)
    sums, products, blocks = channels.sums(), channels.sums(), channels.blocks()
    center = channels.vector()
    lanes: list[list[Step]] = []
    apply: list[list[Step]] = []
    gain, slope, offset = channels.vector(), channels.vector(), channels.vector()
    for i, (first, last) in enumerate(channels.ranges):
        block, gradient, target = x[first:last], g[first:last], by_x[first:last]
        work = blocks.array(i % channels.workers, block.shape)
        lane: list[Step] = [channels.total(gradient, sums[i])]
        lane += [partial(np.subtract, b, c, out=d) for b, d, c in center.pairs(block, work)]
        lane += [partial(np.multiply, work, gradient, out=work), channels.total(work, products[i])]
        lanes.append(lane)
        # by_x = gain * (g - (x * slope + offset))
        lane = _scale_and_shift(block, work, slope, offset)
        lane.append(partial(np.subtract, gradient, work, out=target))
        lane += [partial(np.multiply, t, k, out=t) for t, k in gain.pairs(target)]
        apply.append(lane)

    def combine() -> None:
        root = 1.0 / np.sqrt(variance.astype(np.float64) + epsilon)
        total = sums.sum(axis=0, dtype=np.float64)
        with_centered = products.sum(axis=0, dtype=np.float64)
        np.copyto(by_bias, total, casting="same_kind")
        np.copyto(by_scale, with_centered * root, casting="same_kind")
        tilt = with_centered * root * root / channels.members
        np.copyto(gain.array, scale * root, casting="same_kind")
        np.copyto(slope.array, tilt, casting="same_kind")
        np.copyto(offset.array, total / channels.members - mean * tilt, casting="same_kind")
        for vector in (gain, slope, offset):
            vector.spread()

    return in_order(
        [
            *channels.begin,
            center.load(mean),
            run_lanes(lanes, channels.workers),
            combine,
            run_lanes(apply, channels.workers),
        ]
    )


# -- layer normalization ----------------------------------------------------------------------------------------------


class _Rows:
    """An array as rows that are normalized one by one, in blocks."""

    def __init__(self, call: Call) -> None:
        shape = call.inputs[0].shape
        axis = normalize_axis(call.attributes["axis"], len(shape))
        self._scratch, self.dtype = call.scratch, call.outputs[0].dtype
        self.shape = (prod(shape[:axis]), prod(shape[axis:]))
        rows, self.length = self.shape
        self.ranges = _split(rows, rows * self.length)
        self.most = max((last - first for first, last in self.ranges), default=0)
        self.workers = _workers(len(self.ranges), rows * self.length)
        self.mean_weights = call.scratch((self.length,), self.dtype)
        self._means = Reusable(call.scratch, self.dtype, self.most, self.workers)
        self._roots = Reusable(call.scratch, self.dtype, self.most, self.workers)
        self._epsilon = call.attributes["epsilon"]
        self.begin: list[Step] = [partial(self.mean_weights.fill, 1.0 / max(1, self.length))]

    def view(self, array: Array) -> Array:
        """An operand or result as rows; an operand that cannot be viewed so is copied first."""
        view = reshaped_view(array, self.shape)
        if view is not None and view.flags.c_contiguous:
            return view
        copy = self._scratch(array.shape, array.dtype)
        self.begin.append(partial(np.copyto, copy, array))
        return copy.reshape(self.shape)

    def normalize(self, block: Array, out: Array, worker: int) -> tuple[list[Step], Array]:
        """Steps that write a block's normalized rows to ``out``, and the column of 1 / sqrt(variance + epsilon)."""
        mean, root = self._means.array(worker, (len(block),)), self._roots.array(worker, (len(block),))
        column = root[:, np.newaxis]
        steps: list[Step] = [
            partial(np.matmul, block, self.mean_weights, out=mean),
            partial(np.subtract, block, mean[:, np.newaxis], out=out),
            partial(np.vecdot, out, out, out=root),
            partial(np.divide, root, self.length, out=root),
            partial(np.add, root, self._epsilon, out=root),
            partial(np.sqrt, root, out=root),
            partial(np.reciprocal, root, out=root),
            partial(np.multiply, out, column, out=out),
        ]
        return steps, column


def _layer_normalization(call: Call) -> Step:
    rows = _Rows(call)
    scale, bias = call.inputs[1], call.inputs[2] if len(call.inputs) > 2 else None
    x, y = rows.view(call.inputs[0]), rows.view(call.outputs[0])
    gain = RowVector(rows.length, rows.dtype, call.scratch)
    rows.begin.append(gain.load(scale))
    shift = None
    if bias is not None:
        shift = RowVector(rows.length, rows.dtype, call.scratch)
        rows.begin.append(shift.load(bias))
    lanes = []
    for i, (first, last) in enumerate(rows.ranges):
        target = y[first:last]
        lane, _ = rows.normalize(x[first:last], target, i % rows.workers)
        lane += [partial(np.multiply, t, s, out=t) for t, s in gain.pairs(target)]
        if shift is not None:
            lane += [partial(np.add, t, s, out=t) for t, s in shift.pairs(target)]
        lanes.append(lane)
    return in_order([*rows.begin, run_lanes(lanes, rows.workers)]) if lanes else lambda: None


def _layer_grad(call: Call) -> Step:
    rows, scratch = _Rows(call), call.scratch
    _, scale, _ = call.inputs
    out, by_scale, by_bias = call.outputs
    if not rows.ranges:
        return in_order([partial(by_scale.fill, 0), partial(by_bias.fill, 0)])
    x, g, by_x = rows.view(call.inputs[0]), rows.view(call.inputs[2]), rows.view(out)
    gain = RowVector(rows.length, rows.dtype, scratch)
    ones = scratch((rows.most,), rows.dtype)
    shares = split_evenly(len(rows.ranges), min(len(rows.ranges), _MAX_PARTIAL_SUMS))
    totals = scratch((len(shares), 2, rows.length), rows.dtype)  # for bias and scale
    normalized = Reusable(scratch, rows.dtype, rows.most * rows.length, rows.workers)
    work = Reusable(scratch, rows.dtype, rows.most * rows.length, rows.workers)
    terms = Reusable(scratch, rows.dtype, rows.length, rows.workers)
    means = Reusable(scratch, rows.dtype, 2 * rows.most, rows.workers)

    def add_to(total: Array, block: Array, worker: int) -> list[Step]:
        term = terms.array(worker, total.shape)
        return [
            partial(np.matmul, ones[: len(block)], block, out=term),
            partial(np.add, total, term, out=total),
        ]

    def bind_block(first: int, last: int, total: Array, worker: int) -> list[Step]:
        block, gradient, target = x[first:last], g[first:last], by_x[first:last]
        n, term = normalized.array(worker, block.shape), work.array(worker, block.shape)
        mean_u, mean_un = means.array(worker, (2, len(block)))
        steps, root = rows.normalize(block, n, worker)
        steps += add_to(total[0], gradient, worker)
        steps.append(partial(np.multiply, gradient, n, out=term))
        steps += add_to(total[1], term, worker)
        # by_x = root * (u - mean(u) - n * mean(u * n)), with u = g * scale
        steps += [partial(np.multiply, a, s, out=t) for a, t, s in gain.pairs(gradient, target)]
        return [
            *steps,
            partial(np.matmul, target, rows.mean_weights, out=mean_u),
            partial(np.vecdot, target, n, out=mean_un),
            partial(np.divide, mean_un, rows.length, out=mean_un),
            partial(np.multiply, n, mean_un[:, np.newaxis], out=n),
            partial(np.subtract, target, n, out=target),
            partial(np.subtract, target, mean_u[:, np.newaxis], out=target),
            partial(np.multiply, target, root, out=target),
        ]

    lanes = []
    for i, (low, high) in enumerate(shares):
        lane: list[Step] = [partial(totals[i].fill, 0)]
        for first, last in rows.ranges[low:high]:
            lane += bind_block(first, last, totals[i], i % rows.workers)
        lanes.append(lane)

    def combine() -> None:
        whole = totals.sum(axis=0, dtype=np.float64)
        np.copyto(by_bias.reshape(-1), whole[0], casting="same_kind")
        np.copyto(by_scale.reshape(-1), whole[1], casting="same_kind")

    begin: list[Step] = [*rows.begin, partial(ones.fill, 1), gain.load(scale)]
    return in_order([*begin, run_lanes(lanes, rows.workers), combine])


KERNELS: dict[str, Kernel] = {
    "BatchNormalization": Kernel(in_float32(_batch_normalization), in_place=True),
    "BatchNormTraining": Kernel(in_float32(_training)),
    "BatchNormTrainingGrad": Kernel(in_float32(_training_grad)),
    "LayerNormalization": Kernel(in_float32(_layer_normalization)),
    "LayerNormalizationGrad": Kernel(in_float32(_layer_grad)),
}
