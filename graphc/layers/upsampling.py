"""UpSampling1D, UpSampling2D, UpSampling3D: each spatial axis a whole number of times as long."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.data_format import spatial_axes, standard_data_format, standard_tuple
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops.functional import dispatch
from graphc.ops.functional.image import INTERPOLATIONS, resize


def _repeated(inputs: Any, factors: tuple[int, ...], data_format: str) -> Any:
    """Each element ``factors`` times along the spatial axes: `nearest` by whole numbers."""
    axes, shape = spatial_axes(len(factors), data_format), dispatch.shape_of(inputs)
    sizes = tuple(shape[axis] * factor for axis, factor in zip(axes, factors, strict=True))
    return dispatch.apply("Resize", inputs, axes=axes, sizes=sizes, mode="nearest")


class UpSampling1D(Layer):
    """Repeats each step ``size`` times: ``(batch, time, features)`` to ``(batch, time * size, features)``."""

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(size, bool) or not isinstance(size, int):
            raise ArgumentError(f"Expected an integer value for `size`, got {type(size)}.")
        if size <= 0:
            raise ArgumentError(f"Argument `size` should be a positive integer. Received: size={size}")
        self.size = size
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """The longer inputs."""
        return _repeated(inputs, (self.size,), "channels_last")

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {**super().get_config(), "size": self.size}


class UpSampling2D(Layer):
    """Enlarges images by whole factors.

    Args:
        size: the factors of height and width, or one for both.
        data_format: ``channels_last`` or ``channels_first``.
        interpolation: ``nearest`` repeats pixels; ``bilinear``, ``bicubic``, ``lanczos3`` and ``lanczos5`` interpolate.

    Raises:
        ArgumentError: a factor is not a positive integer, or the interpolation is unknown.
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = standard_data_format(data_format)
        self.size = standard_tuple(size, 2, "size")
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in INTERPOLATIONS:
            raise ArgumentError(
                f"Invalid value for argument `interpolation`. Expected one of {tuple(INTERPOLATIONS)}. "
                f"Received: interpolation={interpolation!r}"
            )
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """The larger images."""
        if self.interpolation == "nearest":
            return _repeated(inputs, self.size, self.data_format)
        shape = dispatch.shape_of(inputs)
        lengths = [shape[axis] for axis in spatial_axes(2, self.data_format)]
        size = tuple(length * factor for length, factor in zip(lengths, self.size, strict=True))
        return resize(inputs, size, self.interpolation, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "size": list(self.size),
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }


class UpSampling3D(Layer):
    """Repeats each element of volumes: ``size`` holds the factors of the three spatial axes, or one for all."""

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standard_data_format(data_format)
        self.size = standard_tuple(size, 3, "size")
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        """The larger volumes."""
        return _repeated(inputs, self.size, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), "size": list(self.size), "data_format": self.data_format}
