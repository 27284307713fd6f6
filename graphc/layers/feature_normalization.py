"""Normalization of features by statistics of data: given, or found by `Normalization.adapt`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from math import prod
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError, DTypeError, ShapeError
from graphc.layers.layer import Layer
from graphc.ops import functional as ops

_EPSILON = 1e-7  # Keras's: a feature that never varies is not divided by zero

Array = np.ndarray[Any, Any]


class Normalization(Layer):
    """``(inputs - mean) / sqrt(variance)``, feature by feature, in the layer's dtype.

    Weights, none of them trained: mean, variance and count, of the shape of the axes that are kept. There are none where
    mean and variance are given. ``count`` stays 0; Keras's files hold it.

    Args:
        axis: the axes whose elements have statistics of their own, an integer, several, or None for one mean of all.
        mean: the mean, a number or of the shape of the axes that are kept.
        variance: the variance, of the same shape.
        invert: undo the normalization instead: ``inputs * sqrt(variance) + mean``.

    Raises:
        ArgumentError: only one of mean and variance is given, or their shapes differ or have more axes than ``axis``.
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert
        self.supports_masking = True
        self.adapt_mean: Any = None
        self.adapt_variance: Any = None
        self.count: Any = None
        self._kept: tuple[int, ...] = ()
        self._built_shape: tuple[int | None, ...] = ()
        if (mean is None) != (variance is None):
            raise ArgumentError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        if np.shape(mean) != np.shape(variance):
            raise ArgumentError(
                "When setting values directly, `mean` and `variance` must have the same shape. "
                f"Received: mean shape {np.shape(mean)} and variance shape {np.shape(variance)}"
            )
        if len(np.shape(mean)) > len(self.axis):
            raise ArgumentError(
                f"The rank of `mean` must be at most the number of axes ({len(self.axis)}). "
                f"Received: mean shape {np.shape(mean)} for axis {self.axis}"
            )

    # -- statistics -------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the statistics, unless they were given.

        Raises:
            ShapeError: an axis is out of range, its length is not fixed, or what was given does not fit it.
        """
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ShapeError(
                f"All `axis` values of layer {self.name!r} must be in the range [-ndim, ndim). "
                f"Received inputs with ndim={rank}, while axis={self.axis}"
            )
        self._kept = tuple(sorted(axis % rank for axis in self.axis))
        unknown = [axis for axis in self._kept if input_shape[axis] is None]
        if unknown:
            raise ShapeError(
                f"All `axis` values to be kept by layer {self.name!r} must have a known length. "
                f"Received axis={self.axis}, input_shape={tuple(input_shape)}, with unknown axis at index {unknown[0]}"
            )
        self._built_shape = tuple(input_shape)
        if self.input_mean is not None:
            self._given()  # says at once where it does not fit
            return
        lengths = tuple(input_shape[axis] for axis in self._kept)
        self.adapt_mean = self.add_weight(name="mean", shape=lengths, initializer="zeros", trainable=False)
        self.adapt_variance = self.add_weight(name="variance", shape=lengths, initializer="ones", trainable=False)
        self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)

    @property
    def _broadcast_shape(self) -> tuple[int, ...]:
        return tuple(int(n or 0) if axis in self._kept else 1 for axis, n in enumerate(self._built_shape))

    def _given(self) -> tuple[Array, Array]:
        """Mean and variance as they were given, in the rank of the inputs."""
        shape = np.ones(len(self._built_shape), dtype=int)
        lengths = np.shape(self.input_mean)
        if lengths:
            shape[list(self._kept[-len(lengths) :])] = lengths
        try:
            mean, variance = (
                np.broadcast_to(np.reshape(np.asarray(x, self.compute_dtype), shape), self._broadcast_shape)
                for x in (self.input_mean, self.input_variance)
            )
        except ValueError:
            raise ShapeError(
                f"`mean` and `variance` of layer {self.name!r} have shape {lengths}, which does not fit axis={self.axis} "
                f"of inputs of shape {self._built_shape}."
            ) from None
        return mean, variance

    def _statistics(self) -> tuple[Any, Any]:
        """Mean and variance in the rank of the inputs: arrays, or the weights where they can change."""
        if self.input_mean is not None:
            return self._given()
        mean, variance = (ops.reshape(x, self._broadcast_shape) for x in (self.adapt_mean, self.adapt_variance))
        return mean, variance

    @property
    def mean(self) -> Array | None:
        """The mean, with length 1 along the axes that are not kept; None before there is one."""
        return np.array(self._statistics()[0]) if self.built else None

    @property
    def variance(self) -> Array | None:
        """The variance, likewise."""
        return np.array(self._statistics()[1]) if self.built else None

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data; what was found before is forgotten.

        Args:
            data: an array, or batches of arrays (a list, a generator, a dataset), of which the first is taken where a
                batch is a tuple.

        Raises:
            ArgumentError: mean and variance were given.
            DataError: there is no data.
            DTypeError: it does not consist of arrays.
            ShapeError: it does not fit what the layer was built for.
        """
        if self.input_mean is not None:
            raise ArgumentError(
                f"Layer {self.name!r} was given its `mean` and `variance`, so there is nothing for adapt() to find."
            )
        batches = _batches(data)
        first = next(batches, None)
        if first is None or first.size == 0:
            raise DataError("adapt() received no data. Pass an array, or at least one batch of arrays.")
        self.build_from_config({"input_shape": tuple(first.shape)})
        total, count = (np.zeros(()), np.zeros(())), 0
        for batch in chain([first], batches):
            self._check_fit(batch)
            total, count = self._merged(total, count, batch)
        self.adapt_mean.assign(total[0])
        self.adapt_variance.assign(total[1])

    def _check_fit(self, batch: Array) -> None:
        built = self._built_shape
        if batch.ndim != len(built) or any(batch.shape[axis] != built[axis] for axis in self._kept):
            raise ShapeError(
                f"Layer {self.name!r} was built with input_shape={built}, but adapt() is being called with data of an "
                f"incompatible shape, data.shape={batch.shape}"
            )

    def _merged(self, total: tuple[Array, Array], count: int, batch: Array) -> tuple[tuple[Array, Array], int]:
        """Mean and variance of what was seen before and a batch together, by the law of total variance."""
        others = tuple(axis for axis in range(batch.ndim) if axis not in self._kept)
        size = prod(batch.shape[axis] for axis in others)
        if size == 0:
            return total, count
        mean, variance = batch.mean(axis=others, dtype=np.float64), batch.var(axis=others, dtype=np.float64)
        if count == 0:
            return (mean, variance), size
        share = size / (count + size)
        both = total[0] * (1 - share) + mean * share
        spread = (total[1] + (total[0] - both) ** 2) * (1 - share) + (variance + (mean - both) ** 2) * share
        return (both, spread), count + size

    # -- calls ------------------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        """The normalized inputs."""
        mean, variance = self._statistics()
        deviation = ops.maximum(ops.sqrt(variance), _EPSILON)
        x = ops.cast(inputs, self.compute_dtype)
        if self.invert:
            return ops.add(mean, ops.multiply(x, deviation))
        return ops.divide(ops.subtract(x, mean), deviation)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "axis": list(self.axis),
            "invert": self.invert,
            "mean": np.array(self.input_mean).tolist(),
            "variance": np.array(self.input_variance).tolist(),
        }


def _batches(data: Any) -> Iterator[Array]:
    """Data as arrays: itself, or the first parts of its batches."""
    if isinstance(data, np.ndarray):
        yield _numbers(data)
        return
    if isinstance(data, str | bytes) or not isinstance(data, Iterable):
        raise DTypeError(f"adapt() takes an array, or an iterable of batches of arrays; got {type(data).__name__}.")
    for batch in data:
        yield _numbers(batch[0] if isinstance(batch, tuple) else batch)


def _numbers(batch: Any) -> Array:
    if getattr(batch, "shape", None) is None:
        raise DTypeError(
            f"adapt() takes an array, or an iterable of batches of arrays; found an element of type "
            f"{type(batch).__name__}. Convert the data to NumPy arrays."
        )
    array = np.asarray(batch)
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"adapt() takes numbers; found an array of dtype {array.dtype}.")
    return array
