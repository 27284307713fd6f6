"""Reductions along axes.

``axis`` is None for all axes, an integer or a tuple; reduced axes stay with length 1 when ``keepdims`` is True. Sums
and products of small integers and booleans are int32 (uint32 for unsigned ones), means of integers are float32. Means and
variances of float16 are computed in float32, as in Keras.
"""

from __future__ import annotations

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir import dtypes
from graphc.ops.functional.arguments import (
    Axis,
    Tensor,
    bool_as_int,
    compute_dtype,
    concrete_dtype,
    floating,
    is_float,
    one_axis,
    rank_of,
    scalar,
    several_axes,
)
from graphc.ops.functional.dispatch import apply, cast_to, dtype_of, function, promote, shape_of

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]


def _reduce(op: str, x: Tensor, axis: Axis, keepdims: bool, function_name: str) -> Tensor:
    axes = several_axes(axis, rank_of(x), function_name)
    return apply(op, x, axes=axes, keepdims=bool(keepdims))


def _sum_dtype(x: Tensor) -> str:
    """The dtype that sums and products have: at least 32 bits for integers."""
    found = concrete_dtype(x)
    if dtypes.is_float(found):
        return found
    return dtypes.result_dtype(found, "uint32" if dtypes.is_unsigned(found) else "int32")


# -- sums and means ---------------------------------------------------------------------------------------------------


@function
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of elements."""
    return _reduce("ReduceSum", cast_to(x, _sum_dtype(x)), axis, keepdims, "sum")


@function
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False, dtype: str | None = None) -> Tensor:
    """The product of elements, computed in ``dtype`` if given."""
    return _reduce("ReduceProd", cast_to(x, _sum_dtype(x) if dtype is None else dtype), axis, keepdims, "prod")


@function
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of elements."""
    x = floating(x)
    wide = cast_to(x, compute_dtype(x))
    return cast_to(_reduce("ReduceMean", wide, axis, keepdims, "mean"), concrete_dtype(x))


def _variance(x: Tensor, axis: Axis, keepdims: bool, name: str) -> Tensor:
    """The variance of a floating tensor in the dtype that it is computed in."""
    wide = cast_to(x, compute_dtype(x))
    centered = apply("Sub", wide, _reduce("ReduceMean", wide, axis, True, name))
    return _reduce("ReduceMean", apply("Mul", centered, centered), axis, keepdims, name)


@function
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance of elements, divided by their number (no Bessel correction)."""
    x = floating(x)
    return cast_to(_variance(x, axis, keepdims, "var"), concrete_dtype(x))


@function
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of elements: the square root of `var`."""
    x = floating(x)
    return cast_to(apply("Sqrt", _variance(x, axis, keepdims, "std")), concrete_dtype(x))


@function
def average(x: Tensor, axis: Axis = None, weights: Tensor | None = None) -> Tensor:
    """The mean of elements weighted by ``weights``, of the shape of ``x`` or, for one axis, of that axis's length.

    Raises:
        ArgumentError: ``weights`` has another rank.
    """
    if weights is None:
        return mean(x, axis)
    x, weights = promote(x, weights, to_float=True)
    if rank_of(weights) == 1 and rank_of(x) > 1:
        if axis is None:
            raise ArgumentError("average: weights of rank 1 need the axis that they belong to.")
        along = one_axis(axis, rank_of(x), "average")
        weights = apply("Unsqueeze", weights, axes=tuple(i for i in range(rank_of(x)) if i != along))
    elif rank_of(weights) != rank_of(x):
        raise ArgumentError(
            f"average: weights must have the shape of x or one axis; got {shape_of(x)} and {shape_of(weights)}."
        )
    total = _reduce("ReduceSum", apply("Mul", x, weights), axis, False, "average")
    return apply("Div", total, _reduce("ReduceSum", weights, axis, False, "average"))


@function
def count_nonzero(x: Tensor, axis: Axis = None) -> Tensor:
    """How many elements are not zero, as int32."""
    return _reduce("ReduceSum", cast_to(cast_to(x, "bool"), "int32"), axis, False, "count_nonzero")


@function
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` without overflow."""
    return _reduce("ReduceLogSumExp", floating(x), axis, keepdims, "logsumexp")


@function
def cumsum(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """The running sum along an axis, or over all elements in order for None."""
    x = bool_as_int(x) if dtype is None else cast_to(x, dtypes.standardize_dtype(dtype))
    if axis is None:
        x, axis = apply("Reshape", x, shape=(-1,)), 0
    return apply("CumSum", x, axis=one_axis(axis, rank_of(x), "cumsum"))


# -- extremes ---------------------------------------------------------------------------------------------------------


def _extreme(op: str, pair: str, x: Tensor, axis: Axis, keepdims: bool, initial: Tensor | None, name: str) -> Tensor:
    reduced = _reduce(op, x, axis, keepdims, name)
    return reduced if initial is None else apply(pair, *promote(reduced, initial))


@function
def max(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Tensor | None = None) -> Tensor:
    """The largest element, NaN if any is; not below ``initial``."""
    return _extreme("ReduceMax", "Max", x, axis, keepdims, initial, "max")


@function
def min(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Tensor | None = None) -> Tensor:
    """The smallest element, NaN if any is; not above ``initial``."""
    return _extreme("ReduceMin", "Min", x, axis, keepdims, initial, "min")


@function
def amax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`max` under NumPy's other name."""
    return _reduce("ReduceMax", x, axis, keepdims, "amax")


@function
def amin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`min` under NumPy's other name."""
    return _reduce("ReduceMin", x, axis, keepdims, "amin")


@function
def ptp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """From peak to peak: the largest element less the smallest."""
    return apply("Sub", _reduce("ReduceMax", x, axis, keepdims, "ptp"), _reduce("ReduceMin", x, axis, keepdims, "ptp"))


def _index(op: str, x: Tensor, axis: int | None, keepdims: bool, name: str) -> Tensor:
    if axis is not None:
        along = one_axis(axis, rank_of(x), name)
        return cast_to(apply(op, bool_as_int(x), axis=along, keepdims=bool(keepdims)), "int32")
    flat = apply("Reshape", bool_as_int(x), shape=(-1,))
    index = cast_to(apply(op, flat, axis=0, keepdims=False), "int32")
    return apply("Reshape", index, shape=(1,) * rank_of(x)) if keepdims and rank_of(x) else index


@function
def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element along an axis, or in the flattened ``x``, as int32; the first of equals."""
    return _index("ArgMax", x, axis, keepdims, "argmax")


@function
def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element along an axis, or in the flattened ``x``, as int32; the first of equals."""
    return _index("ArgMin", x, axis, keepdims, "argmin")


@function
def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true (not zero)."""
    return _reduce("ReduceMin", cast_to(x, "bool"), axis, keepdims, "all")


@function
def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element is true (not zero)."""
    return _reduce("ReduceMax", cast_to(x, "bool"), axis, keepdims, "any")


# -- ignoring NaN -----------------------------------------------------------------------------------------------------


def _without_nan(x: Tensor, instead: float) -> tuple[Tensor, Tensor]:
    """``x`` with NaN replaced, and where it was NaN."""
    missing = apply("IsNaN", x)
    return apply("Where", missing, scalar(instead, x), x), missing


@function
def nansum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements that are not NaN."""
    return sum(_without_nan(x, 0)[0] if is_float(x) else x, axis, keepdims)


@function
def nanprod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product of the elements that are not NaN."""
    return prod(_without_nan(x, 1)[0] if is_float(x) else x, axis, keepdims)


def _mean_and_count(x: Tensor, axis: Axis, keepdims: bool, name: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    filled, missing = _without_nan(cast_to(x, compute_dtype(x)), 0)
    present = cast_to(apply("Not", missing), concrete_dtype(filled))
    count = _reduce("ReduceSum", present, axis, keepdims, name)
    return apply("Div", _reduce("ReduceSum", filled, axis, keepdims, name), count), count, filled, missing


@function
def nanmean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of the elements that are not NaN; NaN where there are none."""
    x = floating(x)
    return cast_to(_mean_and_count(x, axis, keepdims, "nanmean")[0], concrete_dtype(x))


def _nan_variance(x: Tensor, axis: Axis, keepdims: bool, name: str) -> Tensor:
    center, _, filled, missing = _mean_and_count(x, axis, True, name)
    distance = apply("Where", missing, scalar(0, filled), apply("Sub", filled, center))
    total = _reduce("ReduceSum", apply("Mul", distance, distance), axis, keepdims, name)
    present = cast_to(apply("Not", missing), concrete_dtype(filled))
    return apply("Div", total, _reduce("ReduceSum", present, axis, keepdims, name))


@function
def nanvar(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance of the elements that are not NaN; NaN where there are none."""
    x = floating(x)
    return cast_to(_nan_variance(x, axis, keepdims, "nanvar"), concrete_dtype(x))


@function
def nanstd(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of the elements that are not NaN; NaN where there are none."""
    x = floating(x)
    return cast_to(apply("Sqrt", _nan_variance(x, axis, keepdims, "nanstd")), concrete_dtype(x))


def _nan_extreme(op: str, worst: float, x: Tensor, axis: Axis, keepdims: bool, name: str) -> Tensor:
    if dtype_of(x) == "bool" or not is_float(x):
        return _reduce(op, x, axis, keepdims, name)
    filled, missing = _without_nan(x, worst)
    reduced = _reduce(op, filled, axis, keepdims, name)
    none_left = _reduce("ReduceMin", missing, axis, keepdims, name)
    return apply("Where", none_left, scalar(np.nan, x), reduced)


@function
def nanmax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest of the elements that are not NaN; NaN where there are none."""
    return _nan_extreme("ReduceMax", -np.inf, x, axis, keepdims, "nanmax")


@function
def nanmin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest of the elements that are not NaN; NaN where there are none."""
    return _nan_extreme("ReduceMin", np.inf, x, axis, keepdims, "nanmin")
