"""NumPy kernels of `graphc.ops.pooling`.

All of them combine slices, one for each element of the window, over blocks of images that stay in the cache. Maximum
and sum over a box are taken one axis at a time, rows first: fewer operations, and the first ones run over whole rows.
Padding is never stored: a slice simply leaves out the windows for which its element lies outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from graphc.ops.pooling import pooling_windows
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_half import in_float32
from graphc.runtimes.np_threads import run_lanes, worker_count
from graphc.runtimes.np_windows import Reusable, Scratch, Sliding, axis_taps, channels_last, split_images, taps

_BLOCK = 1 << 17  # input elements of a block: what the second-level cache holds beside the results
_THREAD_WORK = 1 << 22  # input elements times elements of the window that repay a second thread


def _sliding(call: Call, x: Array, y: Array) -> Sliding:
    return Sliding.of(pooling_windows(call.op, call.attributes), x.shape[1:-1], y.shape[1:-1])


def _ranges(x: Array, sliding: Sliding) -> tuple[list[tuple[int, int]], int]:
    """Ranges of images, and how many threads to deal them to."""
    ranges = split_images(x.shape[0], prod(x.shape[1:]), _BLOCK)
    work = x.size * prod(sliding.kernel)
    return ranges, worker_count(len(ranges), worthwhile=work >= _THREAD_WORK, uses_blas=False)


# -- one axis at a time -----------------------------------------------------------------------------------------------


def _at(axis: int, place: slice) -> tuple[slice, ...]:
    """The index of a slice along a spatial axis."""
    return (*(slice(None),) * (axis + 1), place)


def _combine(
    function: np.ufunc, neutral: float, source: Array, target: Array, axis: int, sliding: Sliding
) -> list[Step]:
    """Steps that combine the window's elements along one axis."""
    count = sliding.counts[axis]
    found = axis_taps(sliding, axis, source.shape[axis + 1])
    whole = [source[_at(axis, inputs)] for windows, inputs in found if (windows.start, windows.stop) == (0, count)]
    rest = [pair for pair in found if (pair[0].start, pair[0].stop) != (0, count)]
    steps: list[Step]
    if len(whole) > 1:
        steps = [partial(function, whole[0], whole[1], out=target)]
    elif whole:
        steps = [partial(np.copyto, target, whole[0])]
    else:
        steps = [partial(target.fill, neutral)]
    steps += [partial(function, target, part, out=target) for part in whole[2:]]
    for windows, inputs in rest:
        place = target[_at(axis, windows)]
        steps.append(partial(function, place, source[_at(axis, inputs)], out=place))
    return steps


def _reduce(
    function: np.ufunc, neutral: float, x: Array, y: Array, sliding: Sliding, scratch: Scratch
) -> tuple[list[list[Step]], int]:
    """Lanes that combine each window of ``x`` into ``y``, and the number of threads."""
    ranges, workers = _ranges(x, sliding)
    rank = len(sliding.kernel)
    most = max((last - first for first, last in ranges), default=0)
    shapes = [(*sliding.counts[: axis + 1], *x.shape[axis + 2 :]) for axis in range(rank - 1)]
    buffers = [Reusable(scratch, x.dtype, most * prod(shape), workers) for shape in shapes]
    lanes = []
    for i, (first, last) in enumerate(ranges):
        lane: list[Step] = []
        source = x[first:last]
        for axis in range(rank):
            final = axis == rank - 1
            target = y[first:last] if final else buffers[axis].array(i % workers, (last - first, *shapes[axis]))
            lane += _combine(function, neutral, source, target, axis, sliding)
            source = target
        lanes.append(lane)
    return lanes, workers


def _max_pool(call: Call) -> Step:
    layout = call.attributes["layout"]
    x, y = channels_last(call.inputs[0], layout), channels_last(call.outputs[0], layout)
    lanes, workers = _reduce(np.maximum, -np.inf, x, y, _sliding(call, x, y), call.scratch)
    return run_lanes(lanes, workers)


def _weights(sliding: Sliding, lengths: Sequence[int], include_pad: bool, dtype: Any) -> Array:
    """One over the number of elements that each window counts: a scalar, or (*windows, 1) where they differ."""
    if include_pad:
        return np.asarray(1.0 / prod(sliding.kernel), dtype)
    counts = np.ones((), np.int64)
    for axis, length in enumerate(lengths):
        along = np.zeros(sliding.counts[axis], np.int64)
        for windows, _ in axis_taps(sliding, axis, length):
            along[windows] += 1
        counts = counts[..., np.newaxis] * along
    weights = (1.0 / np.maximum(counts, 1)).astype(dtype)
    if weights.size and (weights == weights.flat[0]).all():
        return np.asarray(weights.flat[0])
    return weights[..., np.newaxis]


def _average_pool(call: Call) -> Step:
    layout = call.attributes["layout"]
    x, y = channels_last(call.inputs[0], layout), channels_last(call.outputs[0], layout)
    sliding = _sliding(call, x, y)
    weights = _weights(sliding, x.shape[1:-1], call.attributes["count_include_pad"], x.dtype)
    lanes, workers = _reduce(np.add, 0.0, x, y, sliding, call.scratch)
    for lane, (first, last) in zip(lanes, _ranges(x, sliding)[0], strict=True):
        lane.append(partial(np.multiply, y[first:last], weights, out=y[first:last]))
    return run_lanes(lanes, workers)


def _average_grad(call: Call) -> Step:
    layout = call.attributes["layout"]
    g, out = channels_last(call.inputs[0], layout), channels_last(call.outputs[0], layout)
    sliding = _sliding(call, out, g)
    rank = len(sliding.kernel)
    weights = _weights(sliding, out.shape[1:-1], call.attributes["count_include_pad"], g.dtype)
    ranges, workers = _ranges(out, sliding)
    most = max((last - first for first, last in ranges), default=0)
    # The adjoint of the sum: spread along the last axis first.
    shapes = [(*sliding.counts[:axis], *out.shape[axis + 1 :]) for axis in range(rank)]
    buffers = [Reusable(call.scratch, g.dtype, most * prod(shape), workers) for shape in (g.shape[1:], *shapes[1:])]
    lanes = []
    for i, (first, last) in enumerate(ranges):
        source = buffers[0].array(i % workers, (last - first, *g.shape[1:]))
        lane: list[Step] = [partial(np.multiply, g[first:last], weights, out=source)]
        for axis in reversed(range(rank)):
            target = buffers[axis].array(i % workers, (last - first, *shapes[axis])) if axis else out[first:last]
            lane += _spread(source, target, axis, sliding)
            source = target
        lanes.append(lane)
    return run_lanes(lanes, workers)


def _spread(source: Array, target: Array, axis: int, sliding: Sliding) -> list[Step]:
    """Steps that add each window's number to all its elements along one axis."""
    found = axis_taps(sliding, axis, target.shape[axis + 1])
    steps: list[Step] = [partial(target.fill, 0)]
    for windows, inputs in found:
        place, part = target[_at(axis, inputs)], source[_at(axis, windows)]
        if _overlap(sliding, axis):
            steps.append(partial(np.add, place, part, out=place))
        else:
            steps.append(partial(np.copyto, place, part))
    return steps


def _overlap(sliding: Sliding, axis: int) -> bool:
    """True when two windows may share an element."""
    return sliding.strides[axis] <= (sliding.kernel[axis] - 1) * sliding.dilations[axis]


# -- the first maximum ------------------------------------------------------------------------------------------------


class _FirstMaximum:
    """Finds, one window element after another, the windows that have their first maximum there."""

    def __init__(self, most: int, workers: int, scratch: Scratch) -> None:
        self._equal = Reusable(scratch, np.bool_, most, workers)
        self._taken = Reusable(scratch, np.bool_, most, workers)

    def bind(self, x: Array, y: Array, sliding: Sliding, worker: int) -> list[tuple[list[Step], Any, Any, Array]]:
        """For each element: steps, the index of its windows, the index of its inputs, the mask that the steps make."""
        taken = self._taken.array(worker, y.shape)
        found = taps(sliding, x.shape[1:-1])
        bound: list[tuple[list[Step], Any, Any, Array]] = []
        for i, tap in enumerate(found):
            windows, inputs = (slice(None), *tap.windows), (slice(None), *tap.inputs)
            before, values, maxima = taken[windows], x[inputs], y[windows]
            if i == 0 and tap.meets_all(sliding.counts):
                bound.append(([partial(np.equal, values, maxima, out=taken)], windows, inputs, taken))
                continue
            steps: list[Step] = [partial(taken.fill, False)] if i == 0 else []
            mask = self._equal.array(worker, maxima.shape)
            steps += [partial(np.equal, values, maxima, out=mask), partial(np.greater, mask, before, out=mask)]
            if i < len(found) - 1:
                steps.append(partial(np.logical_or, before, mask, out=before))
            bound.append((steps, windows, inputs, mask))
        return bound


def _max_grad(call: Call) -> Step:
    layout = call.attributes["layout"]
    x, y, g = (channels_last(array, layout) for array in call.inputs)
    out = channels_last(call.outputs[0], layout)
    sliding = _sliding(call, x, y)
    ranges, workers = _ranges(x, sliding)
    most = max((last - first for first, last in ranges), default=0) * prod(y.shape[1:])
    first_maximum = _FirstMaximum(most, workers, call.scratch)
    terms = Reusable(call.scratch, g.dtype, most, workers)
    overlap = any(_overlap(sliding, axis) for axis in range(len(sliding.kernel)))
    lanes = []
    for i, (first, last) in enumerate(ranges):
        gradient, target = g[first:last], out[first:last]
        lane: list[Step] = [partial(target.fill, 0)]
        for steps, windows, inputs, mask in first_maximum.bind(x[first:last], y[first:last], sliding, i % workers):
            lane += steps
            place = target[inputs]
            if overlap:
                term = terms.array(i % workers, place.shape)
                lane += [
                    partial(np.multiply, gradient[windows], mask, out=term),
                    partial(np.add, place, term, out=place),
                ]
            else:
                lane.append(partial(np.multiply, gradient[windows], mask, out=place))
        lanes.append(lane)
    return run_lanes(lanes, workers)


def _max_select(call: Call) -> Step:
    layout = call.attributes["layout"]
    x, y, v = (channels_last(array, layout) for array in call.inputs)
    out = channels_last(call.outputs[0], layout)
    sliding = _sliding(call, x, y)
    ranges, workers = _ranges(x, sliding)
    most = max((last - first for first, last in ranges), default=0) * prod(y.shape[1:])
    first_maximum = _FirstMaximum(most, workers, call.scratch)
    terms = Reusable(call.scratch, v.dtype, most, workers)
    lanes = []
    for i, (first, last) in enumerate(ranges):
        values, target = v[first:last], out[first:last]
        lane: list[Step] = [partial(target.fill, 0)]
        for steps, windows, inputs, mask in first_maximum.bind(x[first:last], y[first:last], sliding, i % workers):
            place = target[windows]
            term = terms.array(i % workers, place.shape)
            lane += [
                *steps,
                partial(np.multiply, values[inputs], mask, out=term),
                partial(np.add, place, term, out=place),
            ]
        lanes.append(lane)
    return run_lanes(lanes, workers)


KERNELS: dict[str, Kernel] = {
    "MaxPool": Kernel(in_float32(_max_pool)),
    "MaxPoolGrad": Kernel(in_float32(_max_grad)),
    "MaxPoolSelect": Kernel(in_float32(_max_select)),
    "AveragePool": Kernel(in_float32(_average_pool)),
    "AveragePoolGrad": Kernel(in_float32(_average_grad)),
}
