"""Depthwise convolutions: one input channel in each group.

There is no product of matrices in them, so they go one window element at a time: a slice of the input times that
element's weights, over blocks of images that stay in the cache. With ``m`` filters to a channel they are ``m``
convolutions over every ``m``-th filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod

import numpy as np

from graphc.runtimes.kernel import Array, Step
from graphc.runtimes.np_threads import run_lanes, worker_count
from graphc.runtimes.np_windows import Reusable, Scratch, Sliding, Tap, split_evenly, split_images, taps

_BLOCK = 1 << 16  # elements of a block's result: with its input and a product, what the second-level cache holds
_THREAD_WORK = 1 << 21  # products (elements of the result times elements of the window) that repay a second thread
_MAX_PARTIAL_SUMS = 8


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
    """Steps of ``out[window] = bias + sum over elements of x[element] * w[element]``; ``w`` (*kernel, 1, filters)."""
    multiple = out.shape[-1] // x.shape[-1]
    found = [(tap.element, tap.inputs, tap.windows) for tap in taps(sliding, x.shape[1:-1])]
    return _add_products([x] * multiple, w, _multiples(out, multiple), found, bias, out, sliding, scratch)


def depthwise_grad_input(
    g: Array, w: Array, bias: Array | None, out: Array, sliding: Sliding, scratch: Scratch
) -> list[Step]:
    """Steps of ``out[element] = bias + sum over windows of g[window] * w[element]``."""
    multiple = g.shape[-1] // out.shape[-1]
    found = [(tap.element, tap.windows, tap.inputs) for tap in taps(sliding, out.shape[1:-1])]
    return _add_products(_multiples(g, multiple), w, [out] * multiple, found, bias, out, sliding, scratch)


_Route = tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]  # window element, where to read, where to add


def _add_products(
    sources: Sequence[Array],
    w: Array,
    targets: Sequence[Array],
    routes: Sequence[_Route],
    bias: Array | None,
    out: Array,
    sliding: Sliding,
    scratch: Scratch,
) -> list[Step]:
    images, channels = out.shape[0], w.shape[-1] // len(sources)
    ranges = split_images(images, prod(sliding.counts) * channels, _BLOCK)
    if not ranges:
        return []
    workers = _workers(len(ranges), images, sliding, w.shape[-1])
    most = max(last - first for first, last in ranges) * prod(sliding.counts) * channels
    products = Reusable(scratch, w.dtype, most, workers)
    # Weights repeated along the last spatial axis: NumPy's inner loop then runs over a row of pixels, not over one.
    tiles = [scratch((*sliding.kernel, sliding.counts[-1], channels), w.dtype) for _ in sources]
    steps: list[Step] = [
        partial(np.copyto, tile, weights[..., np.newaxis, :])
        for tile, weights in zip(tiles, _multiples(w[..., 0, :], len(sources)), strict=True)
    ]
    lanes = []
    for i, (first, last) in enumerate(ranges):
        whole = out[first:last]
        lane: list[Step] = [partial(whole.fill, 0) if bias is None else partial(np.copyto, whole, bias)]
        for source, tile, target in zip(sources, tiles, targets, strict=True):
            for element, read, add in routes:
                values, place = source[(slice(first, last), *read)], target[(slice(first, last), *add)]
                term = products.array(i % workers, values.shape)
                lane.append(partial(np.multiply, values, tile[element][: values.shape[-2]], out=term))
                lane.append(partial(np.add, place, term, out=place))
        lanes.append(lane)
    return [*steps, run_lanes(lanes, workers)]


def depthwise_grad_weight(x: Array, g: Array, out: Array, sliding: Sliding, scratch: Scratch) -> list[Step]:
    """Steps that sum input times gradient for each window element and filter; ``out`` is (*kernel, 1, filters)."""
    channels = x.shape[-1]
    multiple = g.shape[-1] // channels
    ranges = split_images(x.shape[0], prod(sliding.counts) * channels, _BLOCK)
    if not ranges:
        return [partial(out.fill, 0)]
    found = taps(sliding, x.shape[1:-1])
    # The lanes, and with them the order of summation, follow from the shapes alone.
    shares = split_evenly(len(ranges), min(len(ranges), _MAX_PARTIAL_SUMS))
    workers = _workers(len(shares), x.shape[0], sliding, g.shape[-1], uses_blas=True)
    most = max(last - first for first, last in ranges) * prod(sliding.counts)
    products = Reusable(scratch, x.dtype, most * channels, workers)
    sums = Reusable(scratch, x.dtype, channels, workers)
    ones = scratch((most,), x.dtype)
    totals = [scratch((multiple, *sliding.kernel, channels), x.dtype) for _ in shares]

    def bind(tap: Tap, first: int, last: int, filters: Array, total: Array, worker: int) -> list[Step]:
        values, gradient = x[(slice(first, last), *tap.inputs)], filters[(slice(first, last), *tap.windows)]
        term = products.array(worker, values.shape)
        rows, part = term.reshape(-1, channels), sums.array(worker, (channels,))
        place = total[tap.element]
        return [
            partial(np.multiply, values, gradient, out=term),
            partial(np.matmul, ones[: rows.shape[0]], rows, out=part),
            partial(np.add, place, part, out=place),
        ]

    lanes = []
    for i, (low, high) in enumerate(shares):
        lane: list[Step] = [partial(totals[i].fill, 0)]
        for filters, total in zip(_multiples(g, multiple), totals[i], strict=True):
            for first, last in ranges[low:high]:
                for tap in found:
                    lane += bind(tap, first, last, filters, total, i % workers)
        lanes.append(lane)
    steps: list[Step] = [partial(ones.fill, 1), run_lanes(lanes, workers)]
    steps += [partial(np.add, totals[0], part, out=totals[0]) for part in totals[1:]]
    steps += [partial(np.copyto, o, t) for o, t in zip(_multiples(out[..., 0, :], multiple), totals[0], strict=True)]
    return steps
