"""Pooling layers."""

from __future__ import annotations

from typing import Any

from graphc.errors import ShapeError
from graphc.layers.data_format import channels_first, layout, standard_data_format, standard_padding, standard_tuple
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


class BasePooling(Layer):
    """What window pooling of every rank shares."""

    rank: int
    op: str

    def __init__(
        self, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None, **kwargs: Any
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
        shape = dispatch.shape_of(inputs)
        spatial = shape[2:] if channels_first(self.data_format) else shape[1:-1]
        for length, window in zip(spatial, self.pool_size, strict=True):
            if self.padding == "valid" and isinstance(length, int) and length < window:
                shown = tuple(None if isinstance(d, str) else d for d in shape)
                raise ShapeError(
                    f"Computed output size would be zero or negative. Layer {self.name!r} received `inputs shape={shown}`, "
                    f"`pool_size={self.pool_size}`; use padding='same', a smaller pool or larger inputs."
                )
        return dispatch.apply(
            self.op,
            inputs,
            kernel_shape=self.pool_size,
            strides=self.strides,
            pads="SAME_UPPER" if self.padding == "same" else (0,) * (2 * self.rank),
            layout=layout(self.data_format),
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


class MaxPooling2D(BasePooling):
    """The largest element of each window of ``(batch, height, width, channels)``."""

    rank, op = 2, "MaxPool"

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class AveragePooling2D(BasePooling):
    """The mean of each window of ``(batch, height, width, channels)``; padding does not count."""

    rank, op = 2, "AveragePool"

    def __init__(
        self,
        pool_size: Any = (2, 2),  # Keras 2's default; Keras 3 has none
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class GlobalPooling(Layer):
    """What pooling over all spatial axes shares."""

    rank: int
    maximum: bool

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standard_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The pooled inputs."""
        axes = tuple(range(2, self.rank + 2)) if channels_first(self.data_format) else tuple(range(1, self.rank + 1))
        reduce = ops.max if self.maximum else ops.mean
        return reduce(inputs, axis=axes, keepdims=self.keepdims)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalAveragePooling1D(GlobalPooling):
    """The mean over time: ``(batch, time, features)`` to ``(batch, features)``; masked steps do not count."""

    rank, maximum = 1, False
    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The pooled inputs."""
        if mask is None:
            return super().call(inputs)
        axis = 2 if channels_first(self.data_format) else 1
        mask = ops.expand_dims(ops.cast(mask, dispatch.dtype_of(inputs)), 1 if axis == 2 else 2)
        total = ops.sum(ops.multiply(inputs, mask), axis=axis, keepdims=self.keepdims)
        return ops.divide(total, ops.sum(mask, axis=axis, keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Time is gone, and the mask with it."""
        del inputs, mask


class GlobalAveragePooling2D(GlobalPooling):
    """The mean over height and width: ``(batch, height, width, channels)`` to ``(batch, channels)``."""

    rank, maximum = 2, False


class GlobalAveragePooling3D(GlobalPooling):
    """The mean over depth, height and width."""

    rank, maximum = 3, False


class GlobalMaxPooling1D(GlobalPooling):
    """The maximum over time: ``(batch, time, features)`` to ``(batch, features)``."""

    rank, maximum = 1, True


class GlobalMaxPooling2D(GlobalPooling):
    """The maximum over height and width."""

    rank, maximum = 2, True


class GlobalMaxPooling3D(GlobalPooling):
    """The maximum over depth, height and width."""

    rank, maximum = 3, True
