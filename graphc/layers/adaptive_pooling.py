"""Pooling to given sizes: AdaptiveAveragePooling and AdaptiveMaxPooling in one to three dimensions."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.data_format import standard_data_format
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops


class BaseAdaptivePooling(Layer):
    """As many windows as asked for, whatever the input's size: ``(batch, *spatial, channels)`` to sizes that are given.

    Args:
        output_size: the new length of the spatial axes, an integer or one for each; None for as long as the input.
        data_format: ``channels_last`` or ``channels_first``.

    Raises:
        ArgumentError: a size is not a positive integer.
    """

    rank: int

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = (output_size,) * self.rank if isinstance(output_size, int) else output_size
        if not isinstance(sizes, list | tuple) or len(sizes) != self.rank:
            raise ArgumentError(
                f"`output_size` must be an integer or a tuple of {self.rank}, one for each spatial axis. "
                f"Received: {output_size!r} of type {type(output_size)}"
            )
        if any(n is not None and (isinstance(n, bool) or not hasattr(n, "__index__") or n < 1) for n in sizes):
            raise ArgumentError(
                f"`output_size` of {type(self).__name__} must hold positive integers, or None to keep a length. "
                f"Received: output_size={output_size!r}"
            )
        self.output_size = tuple(None if n is None else int(n) for n in sizes)
        self.data_format = standard_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), "output_size": list(self.output_size), "data_format": self.data_format}


class BaseAdaptiveAveragePooling(BaseAdaptivePooling):
    """The mean of each window."""

    def call(self, inputs: Any) -> Any:
        """The means."""
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class BaseAdaptiveMaxPooling(BaseAdaptivePooling):
    """The largest element of each window."""

    def call(self, inputs: Any) -> Any:
        """The largest elements."""
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(BaseAdaptiveAveragePooling):
    """The mean of each of so many windows over time."""

    rank = 1


class AdaptiveAveragePooling2D(BaseAdaptiveAveragePooling):
    """The mean of each of so many windows over height and width."""

    rank = 2


class AdaptiveAveragePooling3D(BaseAdaptiveAveragePooling):
    """The mean of each of so many windows over three spatial axes."""

    rank = 3


class AdaptiveMaxPooling1D(BaseAdaptiveMaxPooling):
    """The largest element of each of so many windows over time."""

    rank = 1


class AdaptiveMaxPooling2D(BaseAdaptiveMaxPooling):
    """The largest element of each of so many windows over height and width."""

    rank = 2


class AdaptiveMaxPooling3D(BaseAdaptiveMaxPooling):
    """The largest element of each of so many windows over three spatial axes."""

    rank = 3
