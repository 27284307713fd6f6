"""NumPy kernels of `graphc.ops.reduction`.

Sums of float32 and float64 are products with a vector of ones where the operand is contiguous: BLAS reads memory at
full speed in either direction, where NumPy's reductions pay for every short inner loop (3 to 10 times where measured).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.types import normalize_axes, normalize_axis
from graphc.runtimes.kernel import Array, Call, Kernel, Step

Scratch = Callable[[Sequence[int], Any], Array]

_LONG_ROW = 4096  # longer rows are summed pairwise by NumPy: as fast, and more exact
_SHORT_ROW = 64  # rows up to this length have their maximum taken over a transposed copy
_MANY = 4096  # elements from which many calls are worth their longer inner loops


def _axes(call: Call) -> tuple[int, ...]:
    rank = call.inputs[0].ndim
    axes = call.attributes["axes"]
    return tuple(range(rank)) if axes is None else tuple(sorted(normalize_axes(axes, rank)))


def _keepdims_view(out: Array, x_shape: Sequence[int], axes: Sequence[int]) -> Array:
    """A contiguous result with its reduced axes put back."""
    return out.reshape([1 if i in axes else n for i, n in enumerate(x_shape)])


def in_sequence(steps: Sequence[Step]) -> Step:
    """One step that runs several."""
    if len(steps) == 1:
        return steps[0]
    fixed = tuple(steps)

    def run() -> None:
        for step in fixed:
            step()

    return run


# -- steps that reduce, for contiguous float operands -----------------------------------------------------------------

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


# -- sums -------------------------------------------------------------------------------------------------------------


def sum_step(x: Array, out: Array, axes: Sequence[int], scratch: Scratch) -> Step:
    """A step that writes the sum of ``x`` along ``axes`` into ``out``, which has them with length 1 or not at all."""
    out = _keepdims_view(out, x.shape, axes)
    if x.dtype == np.float16:  # running sums in float16 lose every small addend
        wide = out if out.dtype == np.float32 else scratch(out.shape, np.float32)
        total = partial(np.add.reduce, x, tuple(axes), np.float32, wide, True)
        return total if wide is out else in_sequence([total, partial(np.copyto, out, wide)])
    if _can_stage(x, axes):
        return _in_stages(x, out, axes, scratch, _sum_middle)
    return partial(np.add.reduce, x, tuple(axes), out.dtype, out, True)


def _can_stage(x: Array, axes: Sequence[int]) -> bool:
    return bool(axes) and x.dtype.kind == "f" and x.flags.c_contiguous and x.size > 0


def _sum(call: Call) -> Step:
    return sum_step(call.inputs[0], call.outputs[0], _axes(call), call.scratch)


def _mean(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    axes = _axes(call)
    count = math.prod(x.shape[i] for i in axes)
    # Before the sum is rounded to float16 it may exceed that dtype's range, although the mean does not.
    total = call.scratch(out.shape, np.float32) if out.dtype == np.float16 else out
    divide = partial(np.divide, total, total.dtype.type(count), out)
    return in_sequence([sum_step(x, total, axes, call.scratch), divide])


def _sum_to_shape(call: Call) -> Step:
    x, like = call.inputs
    lead = x.ndim - like.ndim
    stretched = [i for i, (n, w) in enumerate(zip(x.shape[lead:], like.shape, strict=True)) if n != w]
    if any(like.shape[i] != 1 for i in stretched):
        raise ShapeError(
            f"SumToShape: shape {x.shape} cannot be summed to {like.shape}: an axis has neither length nor 1."
        )
    axes = (*range(lead), *(lead + i for i in stretched))
    return sum_step(x, call.outputs[0], axes, call.scratch)


# -- other reductions -------------------------------------------------------------------------------------------------


def _least(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


def _greatest(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return np.inf
    return True if dtype.kind == "b" else np.iinfo(dtype).max


def _extreme(ufunc: Any, of_nothing: Callable[[np.dtype[Any]], Any]) -> Callable[[Call], Step]:
    def bind(call: Call) -> Step:
        (x,), (out,) = call.inputs, call.outputs
        axes = _axes(call)
        if x.size == 0:
            return partial(out.fill, of_nothing(out.dtype))
        if _can_stage(x, axes):
            middle = partial(_extreme_middle, ufunc=ufunc, scratch=call.scratch)
            return _in_stages(x, out, axes, call.scratch, middle)
        return partial(ufunc.reduce, x, axes, None, _keepdims_view(out, x.shape, axes), True)

    return bind


def _prod(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    axes = _axes(call)
    kept = _keepdims_view(out, x.shape, axes)
    if out.dtype == np.float16:
        wide = call.scratch(kept.shape, np.float32)
        return in_sequence(
            [partial(np.multiply.reduce, x, axes, np.float32, wide, True), partial(np.copyto, kept, wide)]
        )
    return partial(np.multiply.reduce, x, axes, out.dtype, kept, True)


def _squares(call: Call, root: bool) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    dtype = np.float32 if out.dtype == np.float16 else out.dtype
    squared = call.scratch(x.shape, dtype)
    total = call.scratch(out.shape, dtype) if out.dtype == np.float16 else out
    steps: list[Step] = [
        partial(np.multiply, x, x, squared, dtype=dtype),
        sum_step(squared, total, _axes(call), call.scratch),
    ]
    if root:
        steps.append(partial(np.sqrt, total, total))
    if total is not out:
        steps.append(partial(np.copyto, out, total))
    return in_sequence(steps)


def _log_sum_exp(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    axes = _axes(call)
    if x.size == 0:
        return partial(out.fill, -np.inf)
    dtype = np.float32 if out.dtype == np.float16 else out.dtype
    kept = _keepdims_view(out, x.shape, axes)
    largest = call.scratch(kept.shape, dtype)
    total = call.scratch(kept.shape, dtype)
    finite = call.scratch(kept.shape, np.bool_)
    powers = call.scratch(x.shape, dtype)
    sum_up = sum_step(powers, total, axes, call.scratch)

    def run() -> None:
        np.maximum.reduce(x, axes, out=largest, keepdims=True)
        # Infinities are not subtracted: inf - inf is NaN, where the answer is the infinity itself.
        np.isfinite(largest, finite)
        np.logical_not(finite, finite)
        np.copyto(largest, 0, where=finite)
        np.subtract(x, largest, powers)
        np.exp(powers, powers)
        sum_up()
        np.log(total, total)
        np.add(total, largest, kept, casting="same_kind")

    return run


def _index_of(function: Callable[..., Any]) -> Callable[[Call], Step]:
    def bind(call: Call) -> Step:
        (x,), (out,) = call.inputs, call.outputs
        axis = normalize_axis(call.attributes["axis"], x.ndim)
        if x.shape[axis] == 0:
            raise ShapeError(f"{call.op}: axis {axis} of shape {x.shape} has no elements, so none has an index.")
        kept = _keepdims_view(out, x.shape, (axis,))
        if not call.attributes["select_last_index"]:
            return partial(function, x, axis, kept, keepdims=True)
        backwards = np.flip(x, axis)
        last = x.shape[axis] - 1

        def from_the_end() -> None:
            function(backwards, axis, kept, keepdims=True)
            np.subtract(last, kept, kept)

        return from_the_end

    return bind


def _cumsum(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    if out.dtype == np.float16:
        wide = call.scratch(out.shape, np.float32)
        return in_sequence([_cumsum(Call(call.op, [x], [wide], call.attributes)), partial(np.copyto, out, wide)])
    axis = normalize_axis(call.attributes["axis"], x.ndim)
    if call.attributes["reverse"]:
        x, out = np.flip(x, axis), np.flip(out, axis)
    x, out = np.moveaxis(x, axis, 0), np.moveaxis(out, axis, 0)
    if not call.attributes["exclusive"] or not len(x):
        return partial(np.add.accumulate, x, 0, out.dtype, out)

    def shifted() -> None:
        out[0] = 0
        np.add.accumulate(x[:-1], 0, out.dtype, out[1:])

    return shifted


KERNELS: dict[str, Kernel] = {
    "ReduceSum": Kernel(_sum),
    "ReduceMean": Kernel(_mean),
    "ReduceMax": Kernel(_extreme(np.maximum, _least)),
    "ReduceMin": Kernel(_extreme(np.minimum, _greatest)),
    "ReduceProd": Kernel(_prod),
    "ReduceSumSquare": Kernel(partial(_squares, root=False)),
    "ReduceL2": Kernel(partial(_squares, root=True)),
    "ReduceLogSumExp": Kernel(_log_sum_exp),
    "ArgMax": Kernel(_index_of(np.argmax)),
    "ArgMin": Kernel(_index_of(np.argmin)),
    "CumSum": Kernel(_cumsum),
    "SumToShape": Kernel(_sum_to_shape),
}
