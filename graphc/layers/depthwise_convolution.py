"""DepthwiseConv1D, DepthwiseConv2D."""

from __future__ import annotations

from typing import Any

from graphc.layers.base_conv import ConvolutionLayer, WeightRules, positive
from graphc.ops.functional.convolution import biased_depthwise_conv


class BaseDepthwiseConv(ConvolutionLayer):
    """A convolution of each channel by itself: ``channels`` become ``channels * depth_multiplier``.

    Kernel ``(*kernel_size, channels, depth_multiplier)``, bias ``(channels * depth_multiplier,)``.

    Args:
        kernel_size: the window, an integer or one for each spatial axis.
        strides: the step of the window.
        padding: ``valid`` or ``same``.
        depth_multiplier: the output channels of each input channel.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: the distance between a window's elements.
        activation: applied to the result.
        use_bias: whether a number for each output channel is added.

    Raises:
        ArgumentError: a number is out of range.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rules = {
            "depthwise": WeightRules(depthwise_initializer, depthwise_regularizer, depthwise_constraint),
            "bias": WeightRules(bias_initializer, bias_regularizer, bias_constraint),
        }
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, activity_regularizer, rules,
            **kwargs,
        )  # fmt: skip
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier")
        self.kernel: Any = None

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self._input_channels(input_shape)
        self.kernel = self._add_kernel("kernel", "depthwise", (*self.kernel_size, channels, self.depth_multiplier))
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        """The convolved inputs."""
        self._check_size(inputs)
        outputs = biased_depthwise_conv(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.data_format, self.dilation_rate
        )
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            **self._window_config(),
            **self._weight_config(),
        }


class DepthwiseConv1D(BaseDepthwiseConv):
    """A convolution of each channel over time."""

    rank = 1


class DepthwiseConv2D(BaseDepthwiseConv):
    """A convolution of each channel over height and width."""

    rank = 2
