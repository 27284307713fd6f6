"""Depthwise convolutions: one input channel in each group.

There is no product of matrices in them, so they go one window element at a time: a slice of the input times that
element's weights, over blocks of images that stay in the cache. With ``m`` filters to a channel they are ``m``
convolutions over every ``m``-th filter.
"""

from __future__ import annotations

from functools import partial
from math import prod

import numpy as np

from graphc.runtimes.kernel import Array, Step
from graphc.runtimes.np_threads import run_lanes, worker_count
from graphc.runtimes.np_windows import Reusable, Scratch, Sliding, Tap, split_blocks, split_evenly, taps

_BLOCK = 1 << 16  # elements of a block's result: with its input and a product, what the second-level cache holds
_THREAD_WORK = 1 << 21  # products (elements of the result times elements of the window) that repay a second thread
_MAX_PARTIAL_SUMS = 8


def _image_ranges(images: int, sliding: Sliding, channels: int) -> list[tuple[int, int]]:
    blocks = split_blocks(images, sliding.counts, max(prod(sliding.counts), _BLOCK // max(1, channels)))
    return [(block.first, block.last) for block in blocks]


def _workers(lanes: int, images: int, sliding: Sliding, filters: int, *, uses_blas: bool = False) -> int:
    work = images * prod(sliding.counts) * filters * prod(sliding.kernel)
    return worker_count(lanes, worthwhile=work >= _THREAD_WORK, uses_blas=uses_blas)


def _multiples(array: Array, count: int) -> list[Array]:
    """The last axis split into the first, second ... filter of every channel."""
    split = array.reshape(*array.shape[:-1], array.shape[-1] // count, count)
    return [split[..., i] for i in range(count)]


def depthwise_forward(
    x: Array, w: Array, bias: Array | None, out: Array, sliding: Sliding, scratch: Scratch
) -> list[Step]:
    """Steps of ``out[o] = bias + sum over window elements of x * w``, with ``w`` (*kernel, 1, filters)."""
    multiple = out.shape[-1] // x.shape[-1]
    ranges = _image_ranges(x.shape[0], sliding, x.shape[-1])
    workers = _workers(len(ranges), x.shape[0], sliding, out.shape[-1])
    most = max((last - first for first, last in ranges), default=0)
    products = Reusable(scratch, x.dtype, most * prod(out.shape[1:-1]) * x.shape[-1], workers)
    found = taps(sliding, x.shape[1:-1])
    lanes = []
    for i, (first, last) in enumerate(ranges):
        lane: list[Step] = []
        target = out[first:last]
        lane.append(partial(target.fill, 0) if bias is None else partial(np.copyto, target, bias))
        for filters, weights in zip(_multiples(target, multiple), _multiples(w[..., 0, :], multiple), strict=True):
            for tap in found:
                source = x[(slice(first, last), *tap.inputs)]
                place = filters[(slice(None), *tap.windows)]
                term = products.array(i % workers, source.shape)
                lane += [partial(np.multiply, source, weights[tap.element], term), partial(np.add, place, term, place)]
        lanes.append(lane)
    return [run_lanes(lanes, workers)] if lanes else []


def depthwise_grad_input(
    g: Array, w: Array, bias: Array | None, out: Array, sliding: Sliding, scratch: Scratch
) -> list[Step]:
    """Steps that add each gradient times the window's weights to the input positions under the window."""
    multiple = g.shape[-1] // out.shape[-1]
    ranges = _image_ranges(g.shape[0], sliding, out.shape[-1])
    workers = _workers(len(ranges), g.shape[0], sliding, g.shape[-1])
    most = max((last - first for first, last in ranges), default=0)
    products = Reusable(scratch, g.dtype, most * prod(g.shape[1:-1]) * out.shape[-1], workers)
    found = taps(sliding, out.shape[1:-1])
    lanes = []
    for i, (first, last) in enumerate(ranges):
        target = out[first:last]
        lane: list[Step] = [partial(target.fill, 0) if bias is None else partial(np.copyto, target, bias)]
        for gradient, weights in zip(
            _multiples(g[first:last], multiple), _multiples(w[..., 0, :], multiple), strict=True
        ):
            for tap in found:
                source = gradient[(slice(None), *tap.windows)]
                place = target[(slice(None), *tap.inputs)]
                term = products.array(i % workers, source.shape)
                lane += [partial(np.multiply, source, weights[tap.element], term), partial(np.add, place, term, place)]
        lanes.append(lane)
    return [run_lanes(lanes, workers)] if lanes else []


def depthwise_grad_weight(x: Array, g: Array, out: Array, sliding: Sliding, scratch: Scratch) -> list[Step]:
    """Steps that sum input times gradient for each window element and filter; ``out`` is (*kernel, 1, filters)."""
    channels = x.shape[-1]
    multiple = g.shape[-1] // channels
    ranges = _image_ranges(x.shape[0], sliding, channels)
    found = taps(sliding, x.shape[1:-1])
    # The lanes, and with them the order of summation, follow from the shapes alone.
    shares = split_evenly(len(ranges), min(len(ranges), _MAX_PARTIAL_SUMS)) if ranges else []
    workers = _workers(len(shares), x.shape[0], sliding, g.shape[-1], uses_blas=True)
    most = max((last - first for first, last in ranges), default=0) * prod(g.shape[1:-1])
    products = Reusable(scratch, x.dtype, most * channels, workers)
    sums = Reusable(scratch, x.dtype, channels, workers)
    ones = scratch((most,), x.dtype)
    totals = [scratch((multiple, *sliding.kernel, channels), x.dtype) for _ in shares]

    def bind(tap: Tap, first: int, last: int, filters: Array, total: Array, worker: int) -> list[Step]:
        source, gradient = x[(slice(first, last), *tap.inputs)], filters[(slice(None), *tap.windows)]
        term = products.array(worker, source.shape)
        rows, part = term.reshape(-1, channels), sums.array(worker, (channels,))
        place = total[tap.element]
        return [
            partial(np.multiply, source, gradient, term),
            partial(np.matmul, ones[: rows.shape[0]], rows, part),
            partial(np.add, place, part, place),
        ]

    lanes = []
    for i, (low, high) in enumerate(shares):
        lane: list[Step] = [partial(totals[i].fill, 0)]
        for first, last in ranges[low:high]:
            for filters, total in zip(_multiples(g[first:last], multiple), totals[i], strict=True):
                for tap in found:
                    lane += bind(tap, first, last, filters, total, i % workers)
        lanes.append(lane)
    if not lanes:
        return [partial(out.fill, 0)]
    steps: list[Step] = [partial(ones.fill, 1), run_lanes(lanes, workers)]
    steps += [partial(np.add, totals[0], part, totals[0]) for part in totals[1:]]
    steps += [partial(np.copyto, o, t) for o, t in zip(_multiples(out[..., 0, :], multiple), totals[0], strict=True)]
    return steps
