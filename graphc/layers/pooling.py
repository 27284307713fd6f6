"""Pooling over windows: MaxPooling and AveragePooling in one to three dimensions."""

from __future__ import annotations

from typing import Any

from graphc.errors import ShapeError
from graphc.layers.data_format import (
    layout,
    public_lengths,
    spatial_axes,
    standard_data_format,
    standard_padding,
    standard_tuple,
)
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops.functional import dispatch
from graphc.ops.functional.arguments import floating


class BasePooling(Layer):
    """One number from each window of each channel: ``(batch, *spatial, channels)`` to ``(batch, *new spatial, channels)``.

    Args:
        pool_size: the window, an integer or one for each spatial axis.
        strides: the step of the window; its own size by default.
        padding: ``valid`` for whole windows only, or ``same`` for ``ceil(length / strides)`` of them. Padding is never
            counted.
        data_format: ``channels_last`` or ``channels_first``.

    Raises:
        ArgumentError: a number is out of range.
    """

    rank: int
    op: str

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = standard_tuple(pool_size, self.rank, "pool_size")
        self.strides = standard_tuple(self.pool_size if strides is None else strides, self.rank, "strides")
        self.padding = standard_padding(padding)
        self.data_format = standard_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The pooled inputs."""
        self._check_size(inputs)
        return dispatch.apply(
            self.op,
            floating(inputs),
            kernel_shape=self.pool_size,
            strides=self.strides,
            pads="SAME_UPPER" if self.padding == "same" else (0,) * (2 * self.rank),
            layout=layout(self.data_format),
        )

    def _check_size(self, inputs: Any) -> None:
        shape = dispatch.shape_of(inputs)
        lengths = [shape[axis] for axis in spatial_axes(self.rank, self.data_format)]
        for length, window in zip(lengths, self.pool_size, strict=True):
            if self.padding == "valid" and isinstance(length, int) and length < window:
                raise ShapeError(
                    f"Computed output size would be zero or negative. Layer {self.name!r} received `inputs "
                    f"shape={public_lengths(shape)}`, `pool_size={self.pool_size}`, `strides={self.strides}`; use "
                    "padding='same', a smaller pool or larger inputs."
                )

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "pool_size": list(self.pool_size),
            "padding": self.padding,
            "strides": list(self.strides),
            "data_format": self.data_format,
        }


# Keras 3 asks for the pool_size of average pooling; 2 was Keras 2's default, and still is that of max pooling.


class MaxPooling1D(BasePooling):
    """The largest element of each window of ``(batch, time, features)``."""

    rank, op = 1, "MaxPool"


class MaxPooling2D(BasePooling):
    """The largest element of each window of ``(batch, height, width, channels)``."""

    rank, op = 2, "MaxPool"


class MaxPooling3D(BasePooling):
    """The largest element of each window of three spatial axes."""

    rank, op = 3, "MaxPool"


class AveragePooling1D(BasePooling):
    """The mean of each window of ``(batch, time, features)``."""

    rank, op = 1, "AveragePool"


class AveragePooling2D(BasePooling):
    """The mean of each window of ``(batch, height, width, channels)``."""

    rank, op = 2, "AveragePool"


class AveragePooling3D(BasePooling):
    """The mean of each window of three spatial axes."""

    rank, op = 3, "AveragePool"
