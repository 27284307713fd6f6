"""Layers that act only in training, and penalties: dropout of single elements and of whole maps, ActivityRegularization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc import regularizers
from graphc.errors import ArgumentError
from graphc.layers.data_format import channels_first, standard_data_format
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops.functional import random


def unit_number(value: Any, name: str) -> Any:
    """``value``, which must be a number from 0 to 1.

    Raises:
        ArgumentError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ArgumentError(
            f"Invalid value received for argument `{name}`. Expected a float value between 0 and 1. "
            f"Received: {name}={value}"
        )
    return value


def noise_shape_tuple(noise_shape: Any) -> tuple[int | None, ...] | None:
    """A dropout's ``noise_shape`` as a tuple of positive integers and None.

    Raises:
        ArgumentError: it is something else.
    """
    if noise_shape is None:
        return None
    shape = None if isinstance(noise_shape, str) or not hasattr(noise_shape, "__iter__") else tuple(noise_shape)
    if shape is None or any(d is not None and (isinstance(d, bool) or not isinstance(d, int) or d <= 0) for d in shape):
        raise ArgumentError(
            "Invalid value received for argument `noise_shape`. Expected a tuple or list of positive integers and None. "
            f"Received: noise_shape={noise_shape}"
        )
    return shape


class Dropout(Layer):
    """In training, sets a fraction ``rate`` of the elements to zero and scales the others by ``1 / (1 - rate)``.

    Args:
        rate: from 0 to 1.
        noise_shape: the shape of the random mask, which broadcasts to the inputs; None stands for the input's length.
        seed: for masks that do not depend on the program's seed.
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = unit_number(rate, "rate"), seed
        self.noise_shape = noise_shape_tuple(noise_shape)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, thinned out in training."""
        if not training or self.rate == 0:
            return inputs
        try:
            return random.dropout(inputs, self.rate, self._noise_shape_for(inputs), self.seed)
        except ArgumentError as error:
            raise ArgumentError(f"{type(self).__name__} layer {self.name!r}: {error}") from None

    def _noise_shape_for(self, inputs: Any) -> tuple[int | None, ...] | None:
        del inputs
        return self.noise_shape

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
        return {**super().get_config(), **own}


class _SpatialDropout(Dropout):
    """Drops whole feature maps: one random number for each sample and channel (Tompson et al., 2014)."""

    rank: int

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = standard_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank)

    def _noise_shape_for(self, inputs: Any) -> tuple[int | None, ...]:
        del inputs
        ones = (1,) * (self.rank - 2)
        return (None, None, *ones) if channels_first(self.data_format) else (None, *ones, None)

    def get_config(self) -> dict[str, Any]:
        """All arguments; Keras writes the dtype as a plain name here, and not whether the layer is trainable."""
        own = {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}
        return {**own, "data_format": self.data_format}


class SpatialDropout1D(_SpatialDropout):
    """`Dropout` of whole channels of ``(batch, steps, channels)``."""

    rank = 3

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        config = super().get_config()
        del config["data_format"]
        return config


class SpatialDropout2D(_SpatialDropout):
    """`Dropout` of whole channels of images, ``(batch, height, width, channels)`` or channels first."""

    rank = 4


class SpatialDropout3D(_SpatialDropout):
    """`Dropout` of whole channels of volumes, ``(batch, depth, height, width, channels)`` or channels first."""

    rank = 5


class ActivityRegularization(Layer):
    """Adds ``l1 * sum(|x|) + l2 * sum(x ** 2)`` of its input, over the batch's size, to the loss; gives the input back."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Both factors."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
