"""NumPy kernels of `graphc.ops.reduction`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.types import normalize_axes, normalize_axis
from graphc.runtimes.kernel import Call, Kernel, Step
from graphc.runtimes.np_steps import extreme_step, in_sequence, keepdims_view, sum_step


def _axes(call: Call) -> tuple[int, ...]:
    rank = call.inputs[0].ndim
    axes = call.attributes["axes"]
    return tuple(range(rank)) if axes is None else tuple(sorted(normalize_axes(axes, rank)))


# -- sums -------------------------------------------------------------------------------------------------------------


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
        return extreme_step(ufunc, x, out, axes, call.scratch)

    return bind


def _prod(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    axes = _axes(call)
    kept = keepdims_view(out, x.shape, axes)
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
    kept = keepdims_view(out, x.shape, axes)
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
        kept = keepdims_view(out, x.shape, (axis,))
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
