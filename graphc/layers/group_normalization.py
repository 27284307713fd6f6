"""GroupNormalization: each sample's channels brought to one scale in groups."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.affine import AffineNormalization, fixed_lengths
from graphc.layers.input_spec import InputSpec
from graphc.ops import functional as ops


class GroupNormalization(AffineNormalization):
    """Mean 0 and variance 1 over each group of channels of a sample, times ``gamma`` plus ``beta`` (Wu and He, 2018).

    Args:
        groups: how many groups the channels are split into, in order; -1 for one channel each (instance normalisation).
        axis: the channel axis; the last by default.
        epsilon: added to the variance.
        center: whether to add a learned ``beta``, ``(channels,)``.
        scale: whether to multiply by a learned ``gamma``, ``(channels,)``.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        if isinstance(groups, bool) or not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ArgumentError(
                "Received an invalid value for argument `groups`, expected a positive integer (or `-1` for instance "
                f"normalization). Received: groups={groups!r}"
            )
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
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ArgumentError(f"`axis` of layer {self.name!r} must be an integer; got {axis!r}.")
        self.groups, self.axis, self.epsilon = groups, axis, epsilon

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        (channels,) = fixed_lengths(self, (self.axis,), input_shape)
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ArgumentError(
                f"GroupNormalization layer {self.name!r}: {channels} channels (axis {self.axis} of inputs of shape "
                f"{tuple(input_shape)}) cannot be split into {self.groups} groups of one size."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.add_gamma_and_beta((channels,))

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        dims = ops.shape(inputs)
        axis, rank = self.axis % len(dims), len(dims)
        per_group = dims[axis] // self.groups
        grouped = ops.reshape(
            ops.cast(inputs, "float32") if inputs.dtype == "float16" else inputs,
            (*dims[:axis], self.groups, per_group, *dims[axis + 1 :]),
        )
        mean, variance = ops.moments(grouped, axes=[i for i in range(1, rank + 1) if i != axis], keepdims=True)
        # x * factor + offset: the scale and offset of single channels are small beside x.
        channels = [1] * axis + [self.groups, per_group] + [1] * (rank - axis - 1)
        factor = ops.rsqrt(ops.add(variance, self.epsilon))
        if self.gamma is not None:
            factor = ops.multiply(factor, ops.reshape(self.gamma, channels))
        offset = ops.multiply(ops.negative(mean), factor)
        if self.beta is not None:
            offset = ops.add(offset, ops.reshape(self.beta, channels))
        outputs = ops.reshape(ops.add(ops.multiply(grouped, factor), offset), dims)
        return ops.cast(outputs, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **self.gamma_and_beta_config(),
        }
