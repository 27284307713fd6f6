"""SeparableConv1D, SeparableConv2D."""

from __future__ import annotations

from typing import Any

from graphc.layers.base_conv import ConvolutionLayer, WeightRules, positive
from graphc.ops.functional.convolution import biased_conv, biased_depthwise_conv


class BaseSeparableConv(ConvolutionLayer):
    """A convolution of each channel by itself, and then one that mixes the channels.

    Depthwise kernel ``(*kernel_size, channels, depth_multiplier)``, pointwise kernel
    ``(1, ..., 1, channels * depth_multiplier, filters)``, bias ``(filters,)``.

    Args:
        filters: the number of output channels.
        kernel_size: the window of the first convolution, an integer or one for each spatial axis.
        strides: its step.
        padding: ``valid`` or ``same``.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: the distance between the window's elements.
        depth_multiplier: the channels that the first convolution makes of each.
        activation: applied to the result.
        use_bias: whether a number for each filter is added.

    Raises:
        ArgumentError: a number is out of range.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rules = {
            "depthwise": WeightRules(depthwise_initializer, depthwise_regularizer, depthwise_constraint),
            "pointwise": WeightRules(pointwise_initializer, pointwise_regularizer, pointwise_constraint),
            "bias": WeightRules(bias_initializer, bias_regularizer, bias_constraint),
        }
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, activity_regularizer, rules,
            **kwargs,
        )  # fmt: skip
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier")
        self.filters = positive(filters, "filters")
        self.depthwise_kernel: Any = None
        self.pointwise_kernel: Any = None

    def build(self, input_shape: Any) -> None:
        """Make the kernels and the bias."""
        channels = self._input_channels(input_shape)
        apart = (*self.kernel_size, channels, self.depth_multiplier)
        mixed = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self._add_kernel("depthwise_kernel", "depthwise", apart)
        self.pointwise_kernel = self._add_kernel("pointwise_kernel", "pointwise", mixed)
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """The convolved inputs."""
        self._check_size(inputs)
        apart = biased_depthwise_conv(
            inputs, self.depthwise_kernel, None, self.strides, self.padding, self.data_format, self.dilation_rate
        )
        outputs = biased_conv(apart, self.pointwise_kernel, self.bias, 1, "valid", self.data_format, 1)
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            "filters": self.filters,
            **self._window_config(),
            **self._weight_config(),
        }


class SeparableConv1D(BaseSeparableConv):
    """A separable convolution over time."""

    rank = 1


class SeparableConv2D(BaseSeparableConv):
    """A separable convolution over height and width."""

    rank = 2
