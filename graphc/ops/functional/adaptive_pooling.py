"""Adaptive pooling: the sizes of the result are given, and the windows follow from them.

New element ``i`` of ``size`` covers the old elements from ``floor(i * length / size)`` up to
``ceil((i + 1) * length / size)``, so that windows differ by one in length, and may overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import DimLike
from graphc.ops.functional.arguments import Tensor, channels_last, floating, rank_of, scalar
from graphc.ops.functional.creation import arange
from graphc.ops.functional.dispatch import apply, cast_to, function, shape_of
from graphc.ops.resampling import mean_windows

__all__ = ["adaptive_average_pool", "adaptive_max_pool"]


@function
def adaptive_average_pool(
    inputs: Tensor, output_size: int | Sequence[int | None], data_format: str | None = None
) -> Tensor:
    """The mean of each window.

    Args:
        inputs: ``(batch, *spatial, channels)``, or channels first.
        output_size: how long the spatial axes will be, all of them or each; None for as long as they are.
        data_format: "channels_last" or "channels_first".
    """
    x, targets = _targets(inputs, output_size, data_format, "adaptive_average_pool")
    if not targets:
        return x
    return apply("Resize", x, axes=tuple(targets), sizes=tuple(targets.values()), mode="mean")


@function
def adaptive_max_pool(
    inputs: Tensor, output_size: int | Sequence[int | None], data_format: str | None = None
) -> Tensor:
    """The largest element of each window.

    Of several that are the largest, the first gets the gradient, as in Keras; where a length is known only when data
    comes, they share it.

    Args:
        inputs: ``(batch, *spatial, channels)``, or channels first.
        output_size: how long the spatial axes will be, all of them or each; None for as long as they are.
        data_format: "channels_last" or "channels_first".
    """
    x, targets = _targets(inputs, output_size, data_format, "adaptive_max_pool")
    layout = "NHWC" if channels_last(data_format, "adaptive_max_pool") else "NCHW"
    for axis, size in targets.items():
        length = shape_of(x)[axis]
        x = _maxima(x, axis, length, size, layout) if isinstance(length, int) else _masked_maxima(x, axis, length, size)
    return x


def _targets(inputs: Tensor, output_size: Any, data_format: str | None, name: str) -> tuple[Tensor, dict[int, int]]:
    """The inputs as floats, and the new length of each spatial axis that changes."""
    x, rank = floating(inputs), rank_of(inputs)
    if not 3 <= rank <= 5:
        raise ShapeError(
            f"{name}: the input must have rank 3 to 5: batch, channels and 1 to 3 spatial axes; got {shape_of(x)}."
        )
    first = 1 if channels_last(data_format, name) else 2
    sizes = tuple(output_size) if isinstance(output_size, list | tuple) else (output_size,) * (rank - 2)
    if len(sizes) != rank - 2 or any(
        n is not None and (isinstance(n, bool) or not hasattr(n, "__index__") or n < 1) for n in sizes
    ):
        raise ArgumentError(
            f"{name}: output_size must be a positive integer or {rank - 2} of them; got output_size={output_size!r}."
        )
    shape = shape_of(x)
    if 0 in shape[first : first + len(sizes)]:
        raise ShapeError(f"{name}: the spatial axes must have elements; got shape {shape}.")
    return x, {first + i: int(n) for i, n in enumerate(sizes) if n is not None and n != shape[first + i]}


def _maxima(x: Tensor, axis: int, length: int, size: int, layout: str) -> Tensor:
    """The maxima of windows along one axis: one pool where they are equally long and apart, else a choice from two."""
    begins, ends = mean_windows(length, size)
    spans, first = ends - begins, 1 if layout == "NHWC" else 2

    def pool(window: int, step: int) -> Tensor:
        def along(value: int) -> tuple[int, ...]:
            return tuple(value if a == axis else 1 for a in range(first, first + rank_of(x) - 2))

        return apply("MaxPool", x, kernel_shape=along(window), strides=along(step), layout=layout)

    short, step = int(spans.min()), int(begins[1]) if size > 1 else 1
    if (spans == short).all() and (np.diff(begins) == step).all() and step > 0:
        return pool(short, step)
    if (spans == short).all():
        return apply("Gather", pool(short, 1), begins, axis=axis)
    both = apply("Concat", pool(short, 1), pool(short + 1, 1), axis=axis)
    return apply("Gather", both, np.where(spans == short, begins, begins + length - short + 1), axis=axis)


def _masked_maxima(x: Tensor, axis: int, length: DimLike, size: int) -> Tensor:
    """The maxima of windows along an axis of named length: over all elements, with those outside as minus infinity."""
    if size == 1:
        return apply("ReduceMax", x, axes=(axis,), keepdims=True)
    # i * length // size <= old < -((i + 1) * -length // size), with both sides multiplied instead of divided.
    new, old, total = np.arange(size, dtype=np.int32)[:, None], arange(length), cast_to(length, "int32")
    begun = apply("Less", apply("Mul", new, total), apply("Mul", apply("Add", old, np.int32(1)), np.int32(size)))
    not_over = apply("Less", apply("Mul", old, np.int32(size)), apply("Mul", new + np.int32(1), total))
    rest = tuple(range(2, rank_of(x) - axis + 1))
    inside = apply("Unsqueeze", apply("And", begun, not_over), axes=rest) if rest else apply("And", begun, not_over)
    spread = apply("Unsqueeze", x, axes=(axis,))
    return apply("ReduceMax", apply("Where", inside, spread, scalar(-np.inf, x)), axes=(axis + 1,), keepdims=False)
