"""Convolution layers. Kernels are ``(*window, channels / groups, filters)`` in both data formats, as in Keras."""

from __future__ import annotations

from typing import Any

from graphc import activations, constraints, initializers, regularizers
from graphc.errors import ArgumentError, ShapeError
from graphc.layers.core import positive_int
from graphc.layers.data_format import channels_first, layout, standard_data_format, standard_padding, standard_tuple
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


class BaseConv(Layer):
    """What convolutions of every rank share."""

    rank: int

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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if isinstance(filters, bool) or not hasattr(filters, "__index__") or filters <= 0:
            raise ArgumentError(
                f"Invalid value for argument `filters`. Expected a strictly positive value. Received filters={filters!r}."
            )
        self.filters = int(filters)
        self.groups = positive_int(groups, "groups")
        if self.filters % self.groups:
            raise ArgumentError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )
        self.kernel_size = standard_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = standard_tuple(strides, self.rank, "strides")
        self.dilation_rate = standard_tuple(dilation_rate, self.rank, "dilation_rate")
        self.padding = standard_padding(padding)
        self.data_format = standard_data_format(data_format)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.kernel: Any = None
        self.bias: Any = None

    @property
    def _channel_axis(self) -> int:
        return 1 if channels_first(self.data_format) else -1

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ArgumentError(
                f"The channel axis of the input to layer {self.name!r} must have a fixed length; got shape {input_shape}."
            )
        if channels % self.groups:
            raise ArgumentError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups}, but the input has {channels} channels (full input shape is {input_shape})."
            )
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        """The convolved inputs."""
        self._check_size(inputs)
        kernel = self.kernel
        if channels_first(self.data_format):  # the IR's NCHW form has ONNX's kernels: (filters, channels, *window)
            kernel = ops.transpose(kernel, (self.rank + 1, self.rank, *range(self.rank)))
        outputs = dispatch.apply(
            "Conv",
            inputs,
            kernel,
            self.bias,
            strides=self.strides,
            dilations=self.dilation_rate,
            pads="SAME_UPPER" if self.padding == "same" else (0,) * (2 * self.rank),
            group=self.groups,
            layout=layout(self.data_format),
        )
        return self.activation(outputs)

    def _check_size(self, inputs: Any) -> None:
        if self.padding == "same":
            return
        shape = dispatch.shape_of(inputs)
        spatial = shape[2:] if channels_first(self.data_format) else shape[1:-1]
        for length, window, dilation in zip(spatial, self.kernel_size, self.dilation_rate, strict=True):
            if isinstance(length, int) and length < (window - 1) * dilation + 1:
                shown = tuple(None if isinstance(d, str) else d for d in shape)
                raise ShapeError(
                    f"Computed output size would be zero or negative. Layer {self.name!r} received `inputs shape={shown}`, "
                    f"`kernel_size={self.kernel_size}`, `dilation_rate={self.dilation_rate}`; use padding='same', "
                    "a smaller kernel or larger inputs."
                )

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": list(self.dilation_rate),
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Conv2D(BaseConv):
    """A 2-D convolution: ``(batch, height, width, channels)`` to ``(batch, new height, new width, filters)``.

    Args:
        filters: the number of output channels.
        kernel_size: the window, an integer or two.
        strides: the step of the window.
        padding: ``valid`` or ``same``.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: the distance between a window's elements.
        groups: the channels are convolved in this many separate groups.
    """

    rank = 2
