"""Pooling over all spatial axes: GlobalMaxPooling and GlobalAveragePooling in one to three dimensions."""

from __future__ import annotations

from typing import Any

from graphc.layers.data_format import channels_first, spatial_axes, standard_data_format
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


class BaseGlobalPooling(Layer):
    """One number from each channel: ``(batch, *spatial, channels)`` to ``(batch, channels)``.

    Args:
        data_format: ``channels_last`` or ``channels_first``.
        keepdims: whether the spatial axes stay, with length 1.
    """

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standard_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    @property
    def _axes(self) -> tuple[int, ...]:
        return spatial_axes(self.rank, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class BaseGlobalMaxPooling(BaseGlobalPooling):
    """The maximum over all spatial axes."""

    def call(self, inputs: Any) -> Any:
        """The largest elements."""
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(BaseGlobalMaxPooling):
    """The maximum over time: ``(batch, time, features)`` to ``(batch, features)``."""

    rank = 1


class GlobalMaxPooling2D(BaseGlobalMaxPooling):
    """The maximum over height and width."""

    rank = 2


class GlobalMaxPooling3D(BaseGlobalMaxPooling):
    """The maximum over three spatial axes."""

    rank = 3


class BaseGlobalAveragePooling(BaseGlobalPooling):
    """The mean over all spatial axes."""

    def call(self, inputs: Any) -> Any:
        """The means."""
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean over time: ``(batch, time, features)`` to ``(batch, features)``; masked steps do not count."""

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The means; NaN for a sample without any step, as in Keras."""
        if mask is None:
            return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)
        present = ops.expand_dims(ops.cast(mask, "bool"), 1 if channels_first(self.data_format) else 2)
        # What stands in masked steps must not matter, not even where it is NaN: a product with 0 would keep that.
        total = ops.sum(ops.where(present, inputs, 0), axis=self._axes, keepdims=self.keepdims)
        count = ops.sum(ops.cast(present, dispatch.dtype_of(inputs)), axis=self._axes, keepdims=self.keepdims)
        return ops.divide(total, count)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Time is gone, and the mask with it."""
        del inputs, mask


class GlobalAveragePooling2D(BaseGlobalAveragePooling):
    """The mean over height and width: ``(batch, height, width, channels)`` to ``(batch, channels)``."""

    rank = 2


class GlobalAveragePooling3D(BaseGlobalAveragePooling):
    """The mean over three spatial axes."""

    rank = 3
