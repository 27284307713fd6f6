"""What convolution layers of every kind share: their windows, the rules for their weights, bias and activation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphc import activations, constraints, initializers, regularizers
from graphc.errors import ArgumentError, ShapeError
from graphc.layers.data_format import (
    channels_first,
    public_lengths,
    spatial_axes,
    standard_data_format,
    standard_padding,
    standard_tuple,
)
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops.functional import dispatch


@dataclass(frozen=True)
class WeightRules:
    """How a weight starts, what is added to the loss for it, and what holds it in bounds: as the constructor got them."""

    initializer: Any
    regularizer: Any
    constraint: Any


class ConvolutionLayer(Layer):
    """The base of all convolutions. Kernels have the window's axes first in both data formats, as in Keras.

    Args:
        kernel_size: the window, an integer or one for each spatial axis.
        strides: the step of the window.
        padding: ``valid`` or ``same``, and ``causal`` where a class allows it.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: the distance between a window's elements.
        activation: applied to the result.
        use_bias: whether a number for each output channel is added.
        activity_regularizer: a regularizer of the output.
        rules: for each kind of weight, by the name that the constructor's arguments begin with; the bias last.
    """

    rank: int
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        activity_regularizer: Any,
        rules: Mapping[str, WeightRules],
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = standard_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = standard_tuple(strides, self.rank, "strides")
        self.dilation_rate = standard_tuple(dilation_rate, self.rank, "dilation_rate")
        self.padding = standard_padding(padding, self.paddings)
        self.data_format = standard_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self._kinds = tuple(rules)
        for kind, given in rules.items():  # kernel_initializer, kernel_regularizer, ..., bias_constraint
            setattr(self, f"{kind}_initializer", initializers.get(given.initializer))
            setattr(self, f"{kind}_regularizer", regularizers.get(given.regularizer))
            setattr(self, f"{kind}_constraint", constraints.get(given.constraint))
        self.bias: Any = None
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def _refuse_strides_with_dilation(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )

    # -- weights ----------------------------------------------------------------------------------------------------

    def _input_channels(self, input_shape: Any) -> int:
        """The number of channels of the input, which every later input must have.

        Raises:
            ShapeError: it is not fixed, or the input has another rank than the kernel.
        """
        axis = 1 if channels_first(self.data_format) else -1
        if len(input_shape) != self.rank + 2:
            raise ShapeError(
                f"Layer {self.name!r} convolves over {self.rank} spatial axes, so its kernel and its input must have rank "
                f"{self.rank + 2}. Received: input_shape={input_shape}"
            )
        channels = input_shape[axis]
        if channels is None:
            raise ShapeError(
                f"The channel axis of the input to layer {self.name!r} must have a fixed length. "
                f"Received: input_shape={input_shape}"
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        return int(channels)

    def _add_kernel(self, name: str, kind: str, shape: tuple[int, ...]) -> Any:
        """A weight by the rules of its kind."""
        return self.add_weight(
            shape=shape,
            initializer=getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
            name=name,
        )

    def _add_bias(self, channels: int) -> None:
        if self.use_bias:
            self.bias = self._add_kernel("bias", "bias", (channels,))

    # -- calls ------------------------------------------------------------------------------------------------------

    def _check_size(self, inputs: Any) -> None:
        """Refuse an input that no window fits into.

        Raises:
            ShapeError: a spatial axis is shorter than the window and there is no padding.
        """
        if self.padding != "valid":
            return
        shape = dispatch.shape_of(inputs)
        lengths = [shape[axis] for axis in spatial_axes(self.rank, self.data_format)]
        for length, window, dilation in zip(lengths, self.kernel_size, self.dilation_rate, strict=True):
            if isinstance(length, int) and length < (window - 1) * dilation + 1:
                raise ShapeError(
                    f"Computed output size would be zero or negative. Layer {self.name!r} received `inputs "
                    f"shape={public_lengths(shape)}`, `kernel_size={self.kernel_size}`, `strides={self.strides}`, "
                    f"`dilation_rate={self.dilation_rate}`; use padding='same', a smaller kernel or larger inputs."
                )

    # -- configuration ----------------------------------------------------------------------------------------------

    def _window_config(self, **between: Any) -> dict[str, Any]:
        """The configuration of the window; ``between`` goes where Keras has it, behind the padding."""
        return {
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding,
            **between,
            "data_format": self.data_format,
            "dilation_rate": list(self.dilation_rate),
        }

    def _weight_config(self) -> dict[str, Any]:
        """The configuration of activation, weights and output."""
        config: dict[str, Any] = {"activation": activations.serialize(self.activation), "use_bias": self.use_bias}
        for kind in self._kinds:
            config[f"{kind}_initializer"] = initializers.serialize(getattr(self, f"{kind}_initializer"))
        for kind in self._kinds:
            config[f"{kind}_regularizer"] = regularizers.serialize(getattr(self, f"{kind}_regularizer"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        for kind in self._kinds:
            config[f"{kind}_constraint"] = constraints.serialize(getattr(self, f"{kind}_constraint"))
        return config


def positive(value: Any, name: str) -> int:
    """A number of filters or the like.

    Raises:
        ArgumentError: it is not a positive integer.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value <= 0:
        raise ArgumentError(
            f"Invalid value for argument `{name}`. Expected a strictly positive value. Received {name}={value!r}."
        )
    return int(value)
