"""Moments, and tensors brought to zero mean, unit variance or unit norm. float16 is computed in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir import dtypes
from graphc.ir.dims import product
from graphc.ops.functional.arguments import (
    Axis,
    Tensor,
    compute_dtype,
    concrete_dtype,
    floating,
    one_axis,
    rank_of,
    scalar,
    several_axes,
)
from graphc.ops.functional.creation import ones, zeros
from graphc.ops.functional.dispatch import apply, cast_to, function, promote, shape_of
from graphc.ops.functional.linalg import norm
from graphc.ops.functional.movement import permuted, reshape

__all__ = ["batch_normalization", "layer_normalization", "moments", "normalize", "rms_normalization"]

EPSILON = 1e-7
"""Keras's default lower bound of divisors."""


def _mean_and_variance(x: Tensor, axes: Axis, name: str) -> tuple[Tensor, Tensor]:
    """Both with the reduced axes kept."""
    along = several_axes(axes, rank_of(x), name)
    mean = apply("ReduceMean", x, axes=along, keepdims=True)
    centered = apply("Sub", x, mean)
    return mean, apply("ReduceMean", apply("Mul", centered, centered), axes=along, keepdims=True)


@function
def moments(x: Tensor, axes: Axis, keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """The mean and the variance over axes.

    Args:
        x: any shape.
        axes: the axes to reduce.
        keepdims: keep them with length 1.
        synchronized: over several devices; not supported.

    Raises:
        ArgumentError: ``synchronized`` is True.
    """
    if synchronized:
        raise ArgumentError("moments: graphc runs on one device; leave `synchronized` out.")
    x = floating(x)
    wide = compute_dtype(x)
    results = _mean_and_variance(cast_to(x, wide), axes, "moments")
    along = several_axes(axes, rank_of(x), "moments")
    if not keepdims and along:
        mean, variance = (apply("Squeeze", value, axes=along) for value in results)
    else:
        mean, variance = results
    if wide == concrete_dtype(x):
        return mean, variance
    largest = float(np.finfo(dtypes.numpy_dtype(concrete_dtype(x))).max)  # held in range, as in Keras: not infinite
    mean, variance = (apply("Clip", v, scalar(-largest, v), scalar(largest, v)) for v in (mean, variance))
    return cast_to(mean, concrete_dtype(x)), cast_to(variance, concrete_dtype(x))


@function
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, each statistic along one axis of ``x``.

    Args:
        x: any shape.
        mean: ``(channels,)``.
        variance: ``(channels,)``.
        axis: the axis of the channels.
        offset: ``(channels,)``; 0 by default.
        scale: ``(channels,)``; 1 by default.
        epsilon: added to the variance.
    """
    along = one_axis(axis, rank_of(x), "batch_normalization")
    mean = floating(mean)
    channels, dtype = shape_of(mean), concrete_dtype(mean)
    scale = ones(channels, dtype) if scale is None else scale
    offset = zeros(channels, dtype) if offset is None else offset
    x, scale, offset, mean, variance = promote(floating(x), scale, offset, mean, variance)
    return apply("BatchNormalization", x, scale, offset, mean, variance, epsilon=epsilon, axis=along)


@function
def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """``x`` with zero mean and unit variance over axes, times ``gamma``, plus ``beta`` (Ba et al. 2016).

    Args:
        x: any shape.
        gamma: the shape of the normalised axes; 1 by default.
        beta: the shape of the normalised axes; 0 by default.
        axis: the axis or axes to normalise together.
        epsilon: added to the variance; 1e-7 by default.
        **kwargs: ``rms_scaling=True`` is Keras's old way to leave out the mean; use `rms_normalization`.

    Raises:
        ArgumentError: an unknown keyword, or ``rms_scaling``.
        ShapeError: ``gamma`` or ``beta`` has another shape.
    """
    if kwargs.pop("rms_scaling", False) or kwargs:
        raise ArgumentError(
            f"layer_normalization: use rms_normalization for rms_scaling; unknown arguments: {sorted(kwargs)}."
        )
    given = floating(x)
    rank = rank_of(given)
    axes = tuple(sorted(several_axes(axis, rank, "layer_normalization")))
    normal = tuple(shape_of(given)[a] for a in axes)
    wide = compute_dtype(given)
    x, scale, bias = (
        cast_to(given, wide),
        _parameter(gamma, normal, wide, "gamma"),
        _parameter(beta, normal, wide, "beta"),
    )
    # LayerNormalization works on the last axes: others are moved there and back.
    order = [*(i for i in range(rank) if i not in axes), *axes]
    scale = ones(normal, wide) if scale is None else scale
    operands = (permuted(x, order), scale) if bias is None else (permuted(x, order), scale, bias)
    result = apply(
        "LayerNormalization", *operands, axis=rank - len(axes), epsilon=EPSILON if epsilon is None else epsilon
    )
    return cast_to(permuted(result, [order.index(i) for i in range(rank)]), concrete_dtype(given))


def _parameter(value: Tensor | None, shape: tuple[Any, ...], dtype: str, name: str) -> Tensor | None:
    """A scale or bias in the shape of the normalised axes."""
    if value is None:
        return None
    have = shape_of(value)
    if have == shape:
        return cast_to(value, dtype)
    if product(have) != product(shape):
        raise ShapeError(
            f"layer_normalization: {name} must have shape {shape}, that of the normalised axes; got {have}."
        )
    return reshape(cast_to(value, dtype), shape)


@function
def rms_normalization(
    x: Tensor, scale: Tensor | None = None, axis: int | Sequence[int] = -1, epsilon: float | None = None
) -> Tensor:
    """``x / sqrt(mean(x**2) + epsilon) * scale`` over axes (Zhang and Sennrich 2019).

    Args:
        x: any shape.
        scale: broadcasts with ``x``; 1 by default.
        axis: the axis or axes of the mean.
        epsilon: 1e-7 by default.
    """
    given = floating(x)
    x = cast_to(given, compute_dtype(given))
    axes = several_axes(axis, rank_of(x), "rms_normalization")
    mean_square = apply("ReduceMean", apply("Mul", x, x), axes=axes, keepdims=True)
    root = apply("Sqrt", apply("Add", mean_square, scalar(EPSILON if epsilon is None else epsilon, x)))
    result = apply("Mul", x, apply("Reciprocal", root))
    if scale is not None:
        result = apply("Mul", result, cast_to(scale, concrete_dtype(x)))
    return cast_to(result, concrete_dtype(given))


@function
def normalize(x: Tensor, axis: Axis = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """``x`` divided by its norm over axes, which counts as ``epsilon`` where it is smaller.

    Args:
        x: any shape; a number counts as a vector of length 1.
        axis: the axis or axes of the norm.
        order: of the norm, an integer from 1 on.
        epsilon: 1e-7 by default.

    Raises:
        ArgumentError: the order is not such an integer.
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ArgumentError(f"normalize: order must be an integer from 1 on; got {order!r}.")
    x = floating(x)
    if rank_of(x) == 0:
        x = apply("Unsqueeze", x, axes=(0,))
    least = EPSILON if epsilon is None else epsilon
    if order != 2:
        return apply("Div", x, apply("Max", norm(x, order, axis, keepdims=True), scalar(least, x)))
    # Through the sum of squares, whose gradient exists at zero, where that of the norm does not.
    axes = several_axes(axis, rank_of(x), "normalize")
    square_sum = apply("ReduceSumSquare", x, axes=axes, keepdims=True)
    bounded = apply("Max", square_sum, scalar(least * least, x))
    return apply("Div", x, apply("Sqrt", bounded))
