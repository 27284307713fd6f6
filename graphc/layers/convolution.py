"""Conv1D, Conv2D, Conv3D."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.base_conv import ConvolutionLayer, WeightRules, positive
from graphc.layers.data_format import channels_first
from graphc.ops import functional as ops
from graphc.ops.functional.convolution import biased_conv


class BaseConv(ConvolutionLayer):
    """A convolution: ``(batch, *spatial, channels)`` to ``(batch, *new spatial, filters)``, or channels first.

    Kernel ``(*kernel_size, channels / groups, filters)``, bias ``(filters,)``.

    Args:
        filters: the number of output channels.
        kernel_size: the window, an integer or one for each spatial axis.
        strides: the step of the window.
        padding: ``valid``, or ``same`` for as many outputs as inputs (divided by the stride, rounded up).
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: the distance between a window's elements.
        groups: the channels are convolved in this many separate groups.
        activation: applied to the result.
        use_bias: whether a number for each filter is added.

    Raises:
        ArgumentError: a number is out of range, the groups do not divide the filters or the input's channels, or both
            strides and dilation are above 1.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        if isinstance(groups, bool) or not hasattr(groups, "__index__") or groups <= 0:
            raise ArgumentError(f"The number of groups must be a positive integer. Received: groups={groups!r}.")
        self.groups = int(groups)
        if self.filters % self.groups:
            raise ArgumentError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )
        self._refuse_strides_with_dilation()
        self.kernel: Any = None

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self._input_channels(input_shape)
        if channels % self.groups:
            raise ArgumentError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups}, but the input has {channels} channels (full input shape is {input_shape})."
            )
        self.kernel = self._add_kernel("kernel", "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """The convolved inputs."""
        self._check_size(inputs)
        padding = self.padding
        if padding == "causal":
            inputs, padding = self._delayed(inputs), "valid"
        outputs = biased_conv(
            inputs, self.kernel, self.bias, self.strides, padding, self.data_format, self.dilation_rate
        )
        return self.activation(outputs)

    def _delayed(self, inputs: Any) -> Any:
        """The inputs with zeros before the first step, so that no output sees a later input."""
        before = (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)
        return ops.pad(
            inputs, ((0, 0), (0, 0), before) if channels_first(self.data_format) else ((0, 0), before, (0, 0))
        )

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(),
            "groups": self.groups,
            **self._weight_config(),
        }


class Conv1D(BaseConv):
    """A convolution over time. ``padding="causal"`` pads the beginning only: no output sees a later input."""

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(BaseConv):
    """A convolution over height and width."""

    rank = 2


class Conv3D(BaseConv):
    """A convolution over three spatial axes."""

    rank = 3
