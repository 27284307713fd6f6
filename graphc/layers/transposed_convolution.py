"""Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.base_conv import ConvolutionLayer, WeightRules, positive
from graphc.layers.data_format import standard_tuple
from graphc.ops.functional.convolution import biased_conv_transpose


class BaseConvTranspose(ConvolutionLayer):
    """A transposed convolution: ``(batch, *spatial, channels)`` to ``(batch, *larger spatial, filters)``.

    Kernel ``(*kernel_size, filters, channels)``, bias ``(filters,)``. With ``extent = (kernel_size - 1) * dilation_rate + 1``
    an axis becomes as long as ``length * strides`` ("same") or ``(length - 1) * strides + max(extent, strides)`` ("valid").
    With ``output_padding`` it is ``(length - 1) * strides + output_padding`` plus ``extent`` ("valid") or plus 1 where the
    extent is odd ("same"). Where Keras's backends differ, these are the numbers of its JAX backend.

    Args:
        filters: the number of output channels.
        kernel_size: the window, an integer or one for each spatial axis.
        strides: the step between inputs in the output.
        padding: ``valid`` or ``same``.
        output_padding: see above; below the strides.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: the distance between a window's elements.
        activation: applied to the result.
        use_bias: whether a number for each filter is added.

    Raises:
        ArgumentError: a number is out of range, or both strides and dilation are above 1.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rules = {
            "kernel": WeightRules(kernel_initializer, kernel_regularizer, kernel_constraint),
            "bias": WeightRules(bias_initializer, bias_regularizer, bias_constraint),
        }
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, activity_regularizer, rules,
            **kwargs,
        )  # fmt: skip
        self.filters = positive(filters, "filters")
        self.output_padding = (
            None if output_padding is None else standard_tuple(output_padding, self.rank, "output_padding", minimum=0)
        )
        if any(more >= step for more, step in zip(self.output_padding or (), self.strides, strict=False)):
            raise ArgumentError(
                "`output_padding` must be strictly less than `strides` for all dimensions. "
                f"Received: output_padding={self.output_padding}, strides={self.strides}"
            )
        self._refuse_strides_with_dilation()
        self.kernel: Any = None

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self._input_channels(input_shape)
        self.kernel = self._add_kernel("kernel", "kernel", (*self.kernel_size, self.filters, channels))
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """The enlarged inputs."""
        outputs = biased_conv_transpose(
            inputs,
            self.kernel,
            self.bias,
            self.strides,
            self.padding,
            self.output_padding,
            self.data_format,
            self.dilation_rate,
        )
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        extra = None if self.output_padding is None else list(self.output_padding)
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(output_padding=extra),
            **self._weight_config(),
        }


class Conv1DTranspose(BaseConvTranspose):
    """A transposed convolution over time."""

    rank = 1


class Conv2DTranspose(BaseConvTranspose):
    """A transposed convolution over height and width."""

    rank = 2


class Conv3DTranspose(BaseConvTranspose):
    """A transposed convolution over three spatial axes. As in Keras, ``data_format`` comes before ``output_padding``."""

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, *args, **kwargs)
