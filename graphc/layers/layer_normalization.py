"""LayerNormalization and RMSNormalization: each sample brought to one scale by itself."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.ir.types import normalize_axes
from graphc.layers.affine import AffineNormalization, fixed_lengths
from graphc.layers.layer import Layer
from graphc.ops import functional as ops


def axis_argument(axis: Any, layer: str) -> int | list[int]:
    """An axis, or a list of them.

    Raises:
        ArgumentError: it is something else.
    """
    given = list(axis) if isinstance(axis, list | tuple) else [axis]
    if not given or any(isinstance(a, bool) or not isinstance(a, int) for a in given):
        raise ArgumentError(f"`axis` of layer {layer!r} must be an integer or a list of them. Received: axis={axis!r}")
    return given if isinstance(axis, list | tuple) else given[0]


def _axis_list(axis: int | Sequence[int]) -> list[int]:
    return [axis] if isinstance(axis, int) else sorted(axis)


class LayerNormalization(AffineNormalization):
    """Each sample with mean 0 and variance 1 over some axes, times ``gamma`` plus ``beta`` (Ba et al., 2016).

    Args:
        axis: the axis or axes that are normalised together; the last by default. Their lengths are the weights' shape.
        epsilon: added to the variance.
        center: whether to add a learned ``beta``.
        scale: whether to multiply by a learned ``gamma``.
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = bool(kwargs.pop("rms_scaling", False))
        kwargs.setdefault("autocast", False)
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
        self.rms_scaling = rms_scaling
        if rms_scaling:
            warnings.warn(
                f"LayerNormalization layer {self.name!r}: `rms_scaling` divides by the standard deviation, not by the "
                "root mean square; use RMSNormalization.",
                stacklevel=2,
            )
            self.center, self.scale = False, True
        self._center_and_scale = (center, scale)
        self.axis = axis_argument(axis, self.name)
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        self.axis = _axis_list(self.axis)
        self.add_gamma_and_beta(fixed_lengths(self, self.axis, input_shape))

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        if self.rms_scaling:
            outputs = self._scaled_by_deviation(inputs)
        else:
            outputs = ops.layer_normalization(inputs, self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon)
        return ops.cast(outputs, self.dtype)

    def _scaled_by_deviation(self, inputs: Any) -> Any:
        variance = ops.var(inputs, axis=self.axis, keepdims=True)
        normal = ops.multiply(inputs, ops.rsqrt(ops.add(variance, self.epsilon)))
        return ops.multiply(normal, along_axes(self.gamma, self.axis, len(inputs.shape)))

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        center, scale = self._center_and_scale
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": center,
            "scale": scale,
            "rms_scaling": self.rms_scaling,
            **self.gamma_and_beta_config(),
        }


class RMSNormalization(Layer):
    """``x / sqrt(mean(x ** 2) + epsilon) * scale`` over some axes (Zhang and Sennrich, 2019).

    Where the axes are not the last ones, ``scale`` still belongs to them; Keras multiplies along the last axes there.

    Args:
        axis: the axis or axes of the mean; the last by default. Their lengths are the shape of ``scale``.
        epsilon: added to the mean square.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis_argument(axis, self.name)
        self.epsilon = epsilon
        self.scale: Any = None

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        self.axis = _axis_list(self.axis)
        self.scale = self.add_weight(
            shape=fixed_lengths(self, self.axis, input_shape), initializer="ones", name="scale"
        )

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        scale = along_axes(self.scale, self.axis, len(inputs.shape))
        return ops.rms_normalization(inputs, scale=scale, axis=self.axis, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


def along_axes(weight: Any, axes: Any, rank: int) -> Any:
    """A weight, whose axes are some of a tensor's, with axes of length 1 between them so that it broadcasts to it."""
    places = sorted(normalize_axes(axes, rank, "axis"))
    if places == list(range(rank - len(places), rank)):
        return weight
    shape = [1] * rank
    for place, length in zip(places, weight.shape, strict=True):
        shape[place] = length
    return ops.reshape(weight, shape)
