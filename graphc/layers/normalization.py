"""BatchNormalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc import initializers
from graphc.errors import ArgumentError, ShapeError
from graphc.layers.affine import AffineNormalization, fixed_lengths
from graphc.layers.input_spec import InputSpec
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch

_LEAST_COUNT = 1e-7
"""Keras's epsilon: added to the number of unmasked elements, which may be 0."""


class BatchNormalization(AffineNormalization):
    """Normalises each channel: by the batch's statistics in training, by their moving averages otherwise.

    Ioffe and Szegedy, "Batch normalization" (2015). The variance is the biased one, for the moving average too, as in
    Keras. A layer with ``trainable = False`` uses the moving averages in training as well and leaves them alone. Masked
    steps do not count in the batch's statistics.

    With ``renorm`` (Ioffe, "Batch renormalization", 2017) training also uses averages: the normalised batch is multiplied
    by ``r = deviation / average deviation`` and shifted by ``d = (mean - average mean) / average deviation``, of which no
    gradient is taken.

    Args:
        axis: the channel axis; the last by default.
        momentum: how much of the old moving average stays at each step.
        epsilon: added to the variance.
        center: whether to add a learned ``beta``.
        scale: whether to multiply by a learned ``gamma``.
        renorm: whether to use batch renormalisation.
        renorm_clipping: bounds of the correction: ``rmax``, ``rmin`` and ``dmax``, each optional.
        renorm_momentum: how much of the averages that training uses stays at each step.
        synchronized: over several devices; not supported.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        if synchronized:
            raise ArgumentError(
                f"BatchNormalization layer {self.name!r}: there is one device, so `synchronized=True` has no meaning; "
                "leave it out."
            )
        if isinstance(axis, list | tuple) and len(axis) == 1:
            (axis,) = axis
        if isinstance(axis, bool) or not hasattr(axis, "__index__"):
            raise ArgumentError(f"`axis` of layer {self.name!r} must be an integer; got {axis!r}.")
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.renorm = bool(renorm)
        self.renorm_clipping = _clipping(renorm_clipping, self.name) if renorm else renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.moving_mean: Any = None
        self.moving_variance: Any = None
        self.moving_stddev: Any = None
        self.renorm_mean: Any = None
        self.renorm_stddev: Any = None

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the moving averages."""
        rank = len(input_shape)
        shape = fixed_lengths(self, (self.axis,), input_shape)
        if self.axis % rank == 0:
            raise ShapeError(
                f"BatchNormalization layer {self.name!r}: axis {self.axis} of inputs of shape {tuple(input_shape)} is the "
                "batch, not a channel axis."
            )
        self.add_gamma_and_beta(shape)
        self.moving_mean = self._add_average(shape, self.moving_mean_initializer, "moving_mean")
        self.moving_variance = self._add_average(shape, self.moving_variance_initializer, "moving_variance")
        if self.renorm:
            self.moving_stddev = self._add_average(shape, self._deviations, "moving_stddev")
            self.renorm_mean = self._add_average(shape, self.moving_mean_initializer, "renorm_mean")
            self.renorm_stddev = self._add_average(shape, self._deviations, "renorm_stddev")
        self.input_spec = InputSpec(ndim=rank, axes={self.axis % rank: shape[0]})

    def _add_average(self, shape: tuple[int, ...], initializer: Any, name: str) -> Any:
        return self.add_weight(shape, initializer, trainable=False, name=name)

    def _deviations(self, shape: Any, dtype: Any = None) -> Any:
        return np.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The normalised inputs."""
        gamma = self.gamma if self.gamma is not None else np.ones(self.moving_mean.shape, self.dtype)
        beta = self.beta if self.beta is not None else np.zeros(self.moving_mean.shape, self.dtype)
        axis = self.axis % len(dispatch.shape_of(inputs))
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ShapeError(
                f"BatchNormalization layer {self.name!r}: the mask must have one axis less than the inputs; got a mask of "
                f"shape {tuple(mask.shape)} and inputs of shape {tuple(inputs.shape)}."
            )
        if not training or not self.trainable:
            moving = (self.moving_mean, self.moving_variance)
            return dispatch.apply("BatchNormalization", inputs, gamma, beta, *moving, epsilon=self.epsilon, axis=axis)
        if mask is None and not self.renorm:
            outputs, mean, variance = dispatch.apply_many(
                "BatchNormTraining", (inputs, gamma, beta), epsilon=self.epsilon, axis=axis
            )
            self._average((self.moving_mean, mean), (self.moving_variance, variance), momentum=self.momentum)
            return outputs
        mean, variance = self._statistics(inputs, mask, axis)
        if self.renorm:
            gamma, beta = self._renormalised(mean, variance, gamma, beta)
        else:
            self._average((self.moving_mean, mean), (self.moving_variance, variance), momentum=self.momentum)
        return ops.batch_normalization(inputs, mean, variance, axis, beta, gamma, self.epsilon)

    def _statistics(self, inputs: Any, mask: Any, axis: int) -> tuple[Any, Any]:
        """Mean and biased variance of each channel, over the unmasked elements."""
        others = [i for i in range(len(inputs.shape)) if i != axis]
        if mask is None:
            mean, variance = ops.moments(inputs, axes=others)
            return mean, variance
        seen = ops.broadcast_to(ops.expand_dims(ops.cast(mask, "bool"), -1), ops.shape(inputs))
        count = ops.add(ops.sum(ops.cast(seen, inputs.dtype), axis=others, keepdims=True), _LEAST_COUNT)
        mean = ops.divide(ops.sum(ops.where(seen, inputs, 0), axis=others, keepdims=True), count)
        squares = ops.square(ops.where(seen, ops.subtract(inputs, mean), 0))
        variance = ops.divide(ops.sum(squares, axis=others, keepdims=True), count)
        return ops.squeeze(mean, others), ops.squeeze(variance, others)

    def _average(self, *pairs: tuple[Any, Any], momentum: float) -> None:
        """Move each average towards the batch's value."""
        for moving, batch in pairs:
            kept = ops.multiply(moving, momentum)
            moving.assign(ops.add(kept, ops.multiply(ops.stop_gradient(batch), 1.0 - momentum)))

    def _renormalised(self, mean: Any, variance: Any, gamma: Any, beta: Any) -> tuple[Any, Any]:
        """Scale and offset with the correction by ``r`` and ``d``; moves the averages."""
        deviation = ops.sqrt(ops.add(variance, self.epsilon))
        average = ops.maximum(self.renorm_stddev, self.epsilon**0.5)
        r = ops.divide(deviation, average)
        d = ops.divide(ops.subtract(mean, self.renorm_mean), average)
        bounds = self.renorm_clipping
        r = r if bounds.get("rmin") is None else ops.maximum(r, bounds["rmin"])
        r = r if bounds.get("rmax") is None else ops.minimum(r, bounds["rmax"])
        d = d if bounds.get("dmax") is None else ops.clip(d, -bounds["dmax"], bounds["dmax"])
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        scale, offset = ops.multiply(r, gamma), ops.add(ops.multiply(d, gamma), beta)
        self._average((self.renorm_mean, mean), (self.renorm_stddev, deviation), momentum=self.renorm_momentum)
        self._average((self.moving_mean, mean), (self.moving_stddev, deviation), momentum=self.momentum)
        square = ops.square(self.moving_stddev.value)
        self.moving_variance.assign(ops.relu(ops.subtract(square, self.epsilon)))
        return scale, offset

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        weights = self.gamma_and_beta_config()
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": weights.pop("beta_initializer"),
            "gamma_initializer": weights.pop("gamma_initializer"),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            **weights,
            "synchronized": False,
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }


def _clipping(given: Any, layer: str) -> Mapping[str, float]:
    bounds: dict[str, Any] = dict(given or {})
    if unknown := sorted(set(bounds) - {"rmax", "rmin", "dmax"}):
        raise ArgumentError(
            f"`renorm_clipping` of layer {layer!r} takes rmax, rmin and dmax; got {', '.join(map(repr, unknown))}."
        )
    least, most, shift = (bounds.get(key) for key in ("rmin", "rmax", "dmax"))
    if least is not None and most is not None and most < least:
        raise ArgumentError(f"`renorm_clipping` of layer {layer!r}: rmax must not be less than rmin; got {bounds}.")
    if shift is not None and shift < 0:
        raise ArgumentError(f"`renorm_clipping` of layer {layer!r}: dmax must not be negative; got {bounds}.")
    return bounds
