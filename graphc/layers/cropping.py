"""Cropping1D, Cropping2D, Cropping3D."""

from __future__ import annotations

from typing import Any

from graphc.errors import ShapeError
from graphc.layers.data_format import (
    channels_first,
    public_lengths,
    spatial_axes,
    standard_data_format,
    standard_pairs,
    standard_tuple,
)
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


class BaseCropping(Layer):
    """Cuts elements off both ends of each spatial axis of ``(batch, *spatial, channels)``, or channels first.

    Args:
        cropping: as the configuration holds it.
        pairs: how many elements to cut (before, behind) of each spatial axis.
        data_format: ``channels_last`` or ``channels_first``.
    """

    rank: int

    def __init__(
        self, cropping: Any, pairs: tuple[tuple[int, int], ...], data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cropping = cropping
        self._pairs = pairs
        self.data_format = standard_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The cropped inputs.

        Raises:
            ShapeError: nothing would be left.
        """
        shape = dispatch.shape_of(inputs)
        lengths = [shape[axis] for axis in spatial_axes(self.rank, self.data_format)]
        if any(isinstance(n, int) and n <= sum(pair) for n, pair in zip(lengths, self._pairs, strict=True)):
            raise ShapeError(
                f"Values in the `cropping` argument of layer {self.name!r} should be smaller than the corresponding "
                f"spatial dimension of the input. Received: input_shape={public_lengths(shape)}, cropping={self.cropping}"
            )
        cuts = tuple(slice(before, -behind if behind else None) for before, behind in self._pairs)
        whole = slice(None)
        return ops.get_item(inputs, (whole, whole, *cuts) if channels_first(self.data_format) else (whole, *cuts))


class Cropping1D(BaseCropping):
    """Cuts steps off the beginning and the end of time; ``cropping`` is an integer, or (before, behind)."""

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        before, behind = standard_tuple(cropping, 2, "cropping", minimum=0)
        super().__init__((before, behind), ((before, behind),), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), "cropping": self.cropping}


class BaseImageCropping(BaseCropping):
    """Cropping whose spatial axes may stand on either side of the channels."""

    def __init__(self, cropping: Any, data_format: str | None, **kwargs: Any) -> None:
        pairs = standard_pairs(cropping, self.rank, "cropping")
        super().__init__(pairs, pairs, data_format, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}


class Cropping2D(BaseImageCropping):
    """Cuts off the borders of images; ``cropping`` is an integer, or for height and width an integer or (before, behind)."""

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(BaseImageCropping):
    """Cuts off the borders of volumes; ``cropping`` is an integer, or for each axis an integer or (before, behind)."""

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)
