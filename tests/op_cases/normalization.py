"""Cases of `graphc.ops.normalization`. The oracles are the formulas, and for gradients the chain rule step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, name_of, numbers


def _others(x: Array, axis: int) -> tuple[int, ...]:
    return tuple(a for a in range(x.ndim) if a != axis % x.ndim)


def _wide(vector: Array, x: Array, axis: int) -> Array:
    """A number for each channel, shaped to meet x."""
    return np.expand_dims(vector, _others(x, axis))


def batch_normalization(
    x: Array, scale: Array, bias: Array, mean: Array, variance: Array, *, epsilon: float = 1e-5, axis: int = 1
) -> Array:
    """With given statistics."""
    scale, bias, mean, variance = (_wide(v, x, axis) for v in (scale, bias, mean, variance))
    return scale * (x - mean) / np.sqrt(variance + epsilon) + bias


def batch_norm_training(
    x: Array, scale: Array, bias: Array, *, epsilon: float = 1e-5, axis: int = 1
) -> tuple[Array, Array, Array]:
    """With the batch's own statistics."""
    mean, variance = x.mean(_others(x, axis)), x.var(_others(x, axis))
    return batch_normalization(x, scale, bias, mean, variance, epsilon=epsilon, axis=axis), mean, variance


def batch_norm_training_grad(
    x: Array, scale: Array, mean: Array, variance: Array, g: Array, *, epsilon: float = 1e-5, axis: int = 1
) -> tuple[Array, Array, Array]:
    """Backwards through output, root, variance and mean, one after another."""
    axes, count = _others(x, axis), x.size // x.shape[axis]
    centered = x - _wide(mean, x, axis)
    root = np.sqrt(_wide(variance, x, axis) + epsilon)
    by_normalized = g * _wide(scale, x, axis)
    by_root = -(by_normalized * centered).sum(axes, keepdims=True) / root**2
    by_variance = by_root / (2.0 * root)
    by_centered = by_normalized / root + by_variance * 2.0 * centered / count
    by_mean = -(by_normalized / root).sum(axes, keepdims=True)
    return by_centered + by_mean / count, (g * centered / root).sum(axes), g.sum(axes)


def layer_normalization(
    x: Array, scale: Array, bias: Array | None = None, *, epsilon: float = 1e-5, axis: int = -1
) -> Array:
    """Over all axes from ``axis`` on."""
    axes = tuple(range(axis % x.ndim, x.ndim))
    normalized = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    return normalized * scale + (0.0 if bias is None else bias)


def layer_normalization_grad(
    x: Array, scale: Array, g: Array, *, epsilon: float = 1e-5, axis: int = -1
) -> tuple[Array, Array, Array]:
    """Backwards through output, root, variance and mean, one after another."""
    first = axis % x.ndim
    axes, leading = tuple(range(first, x.ndim)), tuple(range(first))
    count = max(1, x[(0,) * first].size if x.size else 1)
    centered = x - x.mean(axes, keepdims=True)
    root = np.sqrt(x.var(axes, keepdims=True) + epsilon)
    by_normalized = g * scale
    by_root = -(by_normalized * centered).sum(axes, keepdims=True) / root**2
    by_centered = by_normalized / root + by_root / (2.0 * root) * 2.0 * centered / count
    by_mean = -(by_normalized / root).sum(axes, keepdims=True)
    return by_centered + by_mean / count, (g * centered / root).sum(leading), g.sum(leading)


CHANNELS: tuple[tuple[Sequence[int], int], ...] = (
    ((4, 3), 1),
    ((5, 4), -1),
    ((2, 3, 4, 5), 1),
    ((2, 4, 5, 3), -1),
    ((3, 2, 5), 2),
    ((3, 5, 2), 1),
    ((4, 3, 2), 0),
    ((2, 3, 4, 5, 2), 3),
    ((6, 1), 1),
    ((1, 3, 2), 1),
    ((70, 7), 1),  # more rows than are taken as one
    ((2, 600), 1),
)
ROWS: tuple[tuple[Sequence[int], int], ...] = (
    ((3, 4), -1),
    ((2, 3, 5), -1),
    ((2, 3, 4), 1),
    ((4, 2, 3, 2), 2),
    ((3, 4), 0),
    ((5,), 0),
    ((2, 1, 6), 2),
    ((0, 4), -1),
    ((70, 7), 1),
    ((2, 600), 1),
)
SMALL = 12  # elements: these run in float16 too


def _dtypes(shape: Sequence[int]) -> tuple[str, ...]:
    return ALL_FLOATS if 0 < np.prod(shape) <= SMALL else ("float32", "float64")


def _batch_cases(shape: Sequence[int], axis: int) -> list[Case]:
    channels = (shape[axis],)
    name, attributes = f"{name_of(shape)}-axis{axis}", {"axis": axis, "epsilon": 1e-2}
    x, g, scale, bias = numbers(shape), numbers(shape), numbers(channels), numbers(channels)
    mean, variance = x.mean(_others(x, axis)), x.var(_others(x, axis))
    options = {"dtypes": _dtypes(shape), "rtol": 1e-5, "atol": 1e-5, "id": name}
    moving = numbers(channels), numbers(channels, 0.1, 2.0)
    return [
        Case("BatchNormalization", [x, scale, bias, *moving], batch_normalization, attributes, **options),
        Case("BatchNormTraining", [x, scale, bias], batch_norm_training, attributes, **options),
        Case("BatchNormTrainingGrad", [x, scale, mean, variance, g], batch_norm_training_grad, attributes, **options),
    ]


def _layer_cases(shape: Sequence[int], axis: int) -> list[Case]:
    normalized = tuple(shape[axis % len(shape) :])
    name, attributes = f"{name_of(shape)}-axis{axis}", {"axis": axis, "epsilon": 1e-2}
    x, g, scale, bias = numbers(shape), numbers(shape), numbers(normalized), numbers(normalized)
    options = {"dtypes": _dtypes(shape), "rtol": 1e-5, "atol": 1e-5}
    return [
        Case("LayerNormalization", [x, scale, bias], layer_normalization, attributes, id=name, **options),
        Case("LayerNormalization", [x, scale], layer_normalization, attributes, id=f"{name}-no_bias", **options),
        Case("LayerNormalizationGrad", [x, scale, g], layer_normalization_grad, attributes, id=name, **options),
    ]


CASES = [
    *(case for shape, axis in CHANNELS for case in _batch_cases(shape, axis)),
    *(case for shape, axis in ROWS for case in _layer_cases(shape, axis)),
]
