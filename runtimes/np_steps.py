"""Steps that several kernels share: sequences, and sums and extremes along axes at the speed of memory.

NumPy's reductions pay for every inner loop they start, which dominates where rows or columns are short. On contiguous
float operands, sums are products with a vector of ones instead, which BLAS computes at full speed in either direction
(3 to 10 times faster where measured), and extremes are found with few calls whose inner loops are long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from graphc.runtimes.kernel import Array, Step

Scratch = Callable[[Sequence[int], Any], Array]

_LONG_ROW = 4096  # longer rows are summed pairwise by NumPy: as fast, and more exact
_SHORT_ROW = 64  # rows up to this length have their maximum taken over a transposed copy
_MANY = 4096  # elements from which many calls are worth their longer inner loops


def in_sequence(steps: Sequence[Step]) -> Step:
    """One step that runs several."""
    if len(steps) == 1:
        return steps[0]
    fixed = tuple(steps)

    def run() -> None:
        for step in fixed:
            step()

    return run


def keepdims_view(out: Array, x_shape: Sequence[int], axes: Sequence[int]) -> Array:
    """A contiguous result with its reduced axes put back."""
    return out.reshape([1 if i in axes else n for i, n in enumerate(x_shape)])


# -- stages -----------------------------------------------------------------------------------------------------------


def _can_stage(x: Array, axes: Sequence[int]) -> bool:
    return bool(axes) and x.dtype.kind == "f" and x.flags.c_contiguous and x.size > 0


Middle = Callable[[Array, Array], Step]
"""Reduces the middle one of three axes: from ``(before, n, after)`` to ``(before, after)``."""


def _in_stages(x: Array, out: Array, axes: Sequence[int], scratch: Scratch, reduce_middle: Middle) -> Step:
    """Reduce neighbouring axes together, the innermost group of them first."""
    kept_or_reduced = ((i in axes, n) for i, n in enumerate(x.shape) if n != 1)
    groups = [
        (is_reduced, math.prod(n for _, n in run)) for is_reduced, run in groupby(kept_or_reduced, lambda p: p[0])
    ]
    steps: list[Step] = []
    while any(is_reduced for is_reduced, _ in groups):
        at = max(i for i, (is_reduced, _) in enumerate(groups) if is_reduced)
        before = math.prod(n for _, n in groups[:at])
        after = math.prod(n for _, n in groups[at + 1 :])
        last = sum(is_reduced for is_reduced, _ in groups) == 1
        target = out if last else scratch((before, after), x.dtype)
        steps.append(reduce_middle(x.reshape(before, groups[at][1], after), target.reshape(before, after)))
        x = target
        groups = groups[:at] + groups[at + 1 :]
    return in_sequence(steps or [partial(np.copyto, out, x.reshape(out.shape))])


# -- sums -------------------------------------------------------------------------------------------------------------


def sum_step(x: Array, out: Array, axes: Sequence[int], scratch: Scratch) -> Step:
    """A step that writes the sum of ``x`` along ``axes`` into ``out``, which has them with length 1 or not at all."""
    out = keepdims_view(out, x.shape, axes)
    if x.dtype == np.float16:  # running sums in float16 lose every small addend
        wide = out if out.dtype == np.float32 else scratch(out.shape, np.float32)
        total = partial(np.add.reduce, x, tuple(axes), np.float32, wide, True)
        return total if wide is out else in_sequence([total, partial(np.copyto, out, wide)])
    if _can_stage(x, axes):
        return _in_stages(x, out, axes, scratch, _sum_middle)
    return partial(np.add.reduce, x, tuple(axes), out.dtype, out, True)


def _sum_middle(x: Array, out: Array) -> Step:
    before, n, after = x.shape
    if after == 1:
        return row_sum(x.reshape(before, n), out.reshape(before))
    ones = np.ones(n, x.dtype)
    if before == 1:
        return partial(np.dot, ones, x.reshape(n, after), out.reshape(after))
    return partial(np.matmul, ones.reshape(1, n), x, out.reshape(before, 1, after))


def row_sum(x: Array, out: Array) -> Step:
    """A step that sums each row of a contiguous float32 or float64 matrix."""
    if x.shape[1] > _LONG_ROW:
        return partial(np.add.reduce, x, 1, None, out)
    return partial(np.dot, x, np.ones(x.shape[1], x.dtype), out)


# -- extremes ---------------------------------------------------------------------------------------------------------


def extreme_step(ufunc: Any, x: Array, out: Array, axes: Sequence[int], scratch: Scratch) -> Step:
    """A step that reduces ``x``, which has elements, by np.maximum or np.minimum into the contiguous ``out``."""
    if _can_stage(x, axes):
        return _in_stages(x, out, axes, scratch, partial(_extreme_middle, ufunc=ufunc, scratch=scratch))
    return partial(ufunc.reduce, x, tuple(axes), None, keepdims_view(out, x.shape, axes), True)


def _extreme_middle(x: Array, out: Array, ufunc: Any, scratch: Scratch) -> Step:
    before, n, after = x.shape
    if after == 1:
        return _row_extreme(x.reshape(before, n), out.reshape(before), ufunc, scratch)
    if x.size < _MANY or n == 1:
        return partial(ufunc.reduce, x, 1, None, out)
    return _extreme_by_halves(x, out, ufunc, scratch)


def _extreme_by_halves(x: Array, out: Array, ufunc: Any, scratch: Scratch) -> Step:
    """Compare one half of the axis with the other until one place is left: few calls with long inner loops."""
    n = x.shape[1]
    half = (n + 1) // 2
    winners = scratch((len(x), half, x.shape[2]), x.dtype)
    steps: list[Step] = [partial(ufunc, x[:, : n - half], x[:, half:], out=winners[:, : n - half])]
    if n % 2:
        steps.append(partial(np.copyto, winners[:, half - 1], x[:, half - 1]))
    while half > 1:
        n, half = half, (half + 1) // 2
        first = winners[:, : n - half]
        steps.append(partial(ufunc, first, winners[:, half:n], out=first))
    steps.append(partial(np.copyto, out, winners[:, 0]))
    return in_sequence(steps)


def row_max(x: Array, out: Array, scratch: Scratch) -> Step:
    """A step that takes the maximum of each row of a contiguous matrix."""
    return _row_extreme(x, out, np.maximum, scratch)


def _row_extreme(x: Array, out: Array, ufunc: Any, scratch: Scratch) -> Step:
    rows, n = x.shape
    if n > _SHORT_ROW or rows <= 1:
        return partial(ufunc.reduce, x, 1, None, out)
    columns = scratch((n, rows), x.dtype)
    x_by_column = x.T

    def over_columns() -> None:
        np.copyto(columns, x_by_column)
        ufunc.reduce(columns, 0, None, out)

    return over_columns
