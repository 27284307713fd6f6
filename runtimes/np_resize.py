"""NumPy kernels of `graphc.ops.resize`: one axis after another, each by a matrix of weights that is made while binding.

Most filters have a few taps: then an axis is resized by that many passes over whole rows, each a selection of elements
times a weight. A filter with many taps, as a wide antialiasing one has, is a matrix product instead. The gradient is the
same with the transposed matrix, whose rows are bands too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod

import numpy as np

from graphc.ir.types import normalize_axes
from graphc.ops.resampling import NEAREST, nearest_indices, weight_matrix
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_half import in_float32
from graphc.runtimes.np_steps import in_sequence
from graphc.runtimes.np_windows import reshaped_view

_MOST_TAPS = 8
"""Bands up to this width are passes over memory; a pass costs about as much as a product with this many columns."""


def _resize_each(call: Call, sizes: tuple[int, ...], along: Callable[[Array, Array, int], Step]) -> Step:
    """Steps that resize the axes one after another, those that shrink most first, through scratch memory.

    Args:
        call: of the kernel.
        sizes: the new length of each of the node's axes.
        along: ``along(x, out, axis)`` gives the step that resizes one axis.
    """
    (x,), (out,) = call.inputs, call.outputs
    axes = normalize_axes(call.attributes["axes"], x.ndim)
    changed = [(axis, size) for axis, size in zip(axes, sizes, strict=True) if x.shape[axis] != size]
    if out.size == 0:
        return in_sequence([])
    if not changed:
        return partial(np.copyto, out, x)
    changed.sort(key=lambda pair: pair[1] / x.shape[pair[0]])
    steps: list[Step] = []
    for index, (axis, size) in enumerate(changed):
        shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
        target = out if index == len(changed) - 1 else call.scratch(shape, out.dtype)
        steps.append(along(x, target, axis))
        x = target
    return in_sequence(steps)


def _weighted(weights: Array, x: Array, out: Array, axis: int, call: Call) -> Step:
    """``out`` along ``axis`` is the matrix ``weights`` times ``x``."""
    used = weights != 0
    firsts = used.argmax(axis=1)
    lasts = np.where(used.any(axis=1), weights.shape[1] - 1 - used[:, ::-1].argmax(axis=1), 0)
    taps = int((lasts - firsts).max()) + 1
    if taps > _MOST_TAPS:
        return _product(weights.astype(out.dtype), x, out, axis, call)
    rows, column = np.arange(len(weights)), [-1 if a == axis else 1 for a in range(x.ndim)]
    part = call.scratch(out.shape, out.dtype) if taps > 1 else out
    steps: list[Step] = []
    for tap in range(taps):
        # Behind the end of a narrow band its last element again, with weight 0: no element from outside, which may be NaN.
        index = np.minimum(firsts + tap, lasts)
        weight = np.where(firsts + tap <= lasts, weights[rows, index], 0.0).astype(out.dtype).reshape(column)
        target = part if tap else out
        steps.append(partial(np.take, x, index, axis=axis, out=target, mode="clip"))
        if (weight != 1).any():
            steps.append(partial(np.multiply, target, weight, out=target))
        if tap:
            steps.append(partial(np.add, out, part, out=out))
    return in_sequence(steps)


def _product(weights: Array, x: Array, out: Array, axis: int, call: Call) -> Step:
    """A matrix product along an axis, of ``(before, length, after)`` or, along the last axis, of ``(before, length)``."""
    length, after = x.shape[axis], prod(x.shape[axis + 1 :])
    steps: list[Step] = []
    stack = reshaped_view(x, (-1, length, after))
    if stack is None:
        stack = call.scratch((prod(x.shape[:axis]), length, after), x.dtype)
        steps.append(partial(np.copyto, stack.reshape(x.shape), x))
    result = out.reshape(-1, out.shape[axis], after)
    if after == 1:
        steps.append(partial(np.matmul, stack[..., 0], np.ascontiguousarray(weights.T), out=result[..., 0]))
    else:
        steps.append(partial(np.matmul, weights, stack, out=result))
    return in_sequence(steps)


def _resize(call: Call) -> Step:
    mode, antialias = call.attributes["mode"], call.attributes["antialias"]
    if mode == NEAREST:
        return _resize_each(call, call.attributes["sizes"], _pick)

    def along(x: Array, out: Array, axis: int) -> Step:
        return _weighted(weight_matrix(mode, x.shape[axis], out.shape[axis], antialias), x, out, axis, call)

    return _resize_each(call, call.attributes["sizes"], along)


def _pick(x: Array, out: Array, axis: int) -> Step:
    index = nearest_indices(x.shape[axis], out.shape[axis])
    return partial(np.take, x, index, axis=axis, out=out, mode="clip")


def _resize_grad(call: Call) -> Step:
    mode, antialias = call.attributes["mode"], call.attributes["antialias"]

    def along(g: Array, out: Array, axis: int) -> Step:
        return _weighted(weight_matrix(mode, out.shape[axis], g.shape[axis], antialias).T, g, out, axis, call)

    return _resize_each(call, call.attributes["dims"], along)


_resize_in_float32 = in_float32(_resize)


def _resize_any(call: Call) -> Step:
    # `nearest` moves elements of any dtype as they are.
    return _resize(call) if call.attributes["mode"] == NEAREST else _resize_in_float32(call)


KERNELS = {"Resize": Kernel(_resize_any), "ResizeGrad": Kernel(in_float32(_resize_grad))}
