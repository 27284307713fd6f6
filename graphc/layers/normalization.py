"""BatchNormalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc import constraints, initializers, regularizers
from graphc.errors import ArgumentError, ShapeError
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


class BatchNormalization(Layer):
    """Normalises each channel: by the batch's statistics in training, by their moving averages otherwise.

    Ioffe and Szegedy, "Batch normalization" (2015). The variance is the biased one, for the moving average too, as in
    Keras. A layer with ``trainable = False`` uses the moving averages in training as well and leaves them alone.

    Args:
        axis: the channel axis; the last by default.
        momentum: how much of the old moving average stays at each step.
        epsilon: added to the variance.
        center: whether to add a learned ``beta``.
        scale: whether to multiply by a learned ``gamma``.
    """

    supports_masking = True

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
        synchronized: bool = False,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if synchronized or renorm:
            raise ArgumentError("BatchNormalization supports neither `synchronized` (one device only) nor `renorm`.")
        if isinstance(axis, list | tuple):
            (axis,) = axis
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.center, self.scale = center, scale
        self.renorm_clipping, self.renorm_momentum = renorm_clipping, renorm_momentum
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the moving averages."""
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ShapeError(
                f"Axis {self.axis} of layer {self.name!r} is not a channel axis of inputs of shape {input_shape}."
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ArgumentError(
                f"Axis {self.axis} of the input to layer {self.name!r} must have a fixed length; got shape {input_shape}."
            )
        shape = (channels,)
        if self.scale:
            self.gamma = self.add_weight(
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                name="beta",
            )
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        self.input_spec = InputSpec(ndim=rank, axes={self.axis % rank: channels})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The normalised inputs."""
        del mask
        channels, dtype = self.moving_mean.shape, self.dtype
        gamma = self.gamma if self.gamma is not None else np.ones(channels, dtype)
        beta = self.beta if self.beta is not None else np.zeros(channels, dtype)
        axis = self.axis % len(dispatch.shape_of(inputs))
        if not training or not self.trainable:
            moving = (self.moving_mean, self.moving_variance)
            return dispatch.apply("BatchNormalization", inputs, gamma, beta, *moving, epsilon=self.epsilon, axis=axis)
        outputs, mean, variance = dispatch.apply_many(
            "BatchNormTraining", (inputs, gamma, beta), epsilon=self.epsilon, axis=axis
        )
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept = ops.multiply(moving, self.momentum)
            moving.assign(ops.add(kept, ops.multiply(ops.stop_gradient(batch), 1.0 - self.momentum)))
        return outputs

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "synchronized": False,
            "renorm": False,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }
