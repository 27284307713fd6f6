"""Resampling along one axis: each new element is a weighted mean of old ones, by weights that only the lengths decide.

New element ``i`` of ``size`` lies at ``(i + 0.5) * length / size - 0.5`` among ``length`` old ones (half-pixel centres, as
in Keras, TensorFlow 2 and ONNX's ``half_pixel``). A filter gives the weight of an old element by its distance from there;
what the filter would take from beyond the edges is left out, and the weights of each new element sum to one.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NEAREST, LINEAR, CUBIC, LANCZOS3, LANCZOS5, MEAN = "nearest", "linear", "cubic", "lanczos3", "lanczos5", "mean"
CUBIC_A = -0.5  # Keys' coefficient (IEEE ASSP 29, 1981), which Keras uses; ONNX's and PyTorch's default is -0.75


def _linear(x: Array) -> Array:
    return np.maximum(0.0, 1.0 - x)


def _cubic(x: Array) -> Array:
    near = ((CUBIC_A + 2) * x - (CUBIC_A + 3)) * x * x + 1
    far = CUBIC_A * (((x - 5) * x + 8) * x - 4)
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _lanczos(radius: int) -> Callable[[Array], Array]:
    def weight(x: Array) -> Array:
        return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0.0)

    return weight


FILTERS = MappingProxyType({LINEAR: _linear, CUBIC: _cubic, LANCZOS3: _lanczos(3), LANCZOS5: _lanczos(5)})
"""Mode to the weight at a distance from 0 on."""

MODES = (NEAREST, *FILTERS, MEAN)
"""``nearest`` takes the old element under the centre of the new one; ``mean`` is adaptive average pooling: the plain mean
of the old elements from ``floor(i * length / size)`` up to ``ceil((i + 1) * length / size)``."""


def nearest_indices(length: int, size: int) -> Array:
    """The old element under each new one's centre, ``floor((i + 0.5) * length / size)``, in exact integers."""
    return (2 * np.arange(size, dtype=np.int64) + 1) * length // (2 * size)


def mean_windows(length: int, size: int) -> tuple[Array, Array]:
    """Where the old elements of each new one begin, and where they end."""
    i = np.arange(size, dtype=np.int64)
    return i * length // size, -((i + 1) * -length // size)


def weight_matrix(mode: str, length: int, size: int, antialias: bool = False) -> Array:
    """The weights of ``length`` old elements (columns) in ``size`` new ones (rows), in float64.

    Args:
        mode: one of `MODES`.
        length: how many elements there are, at least 1.
        size: how many there will be.
        antialias: widen the filter where the axis becomes shorter, so that every old element counts.
    """
    if length == size:  # every filter gives an old element itself at its own place; rounding must not blur that
        return np.eye(size)
    old = np.arange(length)
    if mode == NEAREST:
        return np.asarray(nearest_indices(length, size)[:, None] == old, dtype=np.float64)
    if mode == MEAN:
        begins, ends = mean_windows(length, size)
        inside = (begins[:, None] <= old) & (old < ends[:, None])
        return np.asarray(inside / (ends - begins)[:, None])
    width = max(length / size, 1.0) if antialias else 1.0
    centres = (np.arange(size) + 0.5) * length / size - 0.5
    weights = FILTERS[mode](np.abs(centres[:, None] - old) / width)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
