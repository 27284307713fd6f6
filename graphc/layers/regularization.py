"""Layers that act only in training: Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch, random


class Dropout(Layer):
    """In training, sets a fraction ``rate`` of the elements to zero and scales the others by ``1 / (1 - rate)``.

    Args:
        rate: from 0 to 1.
        noise_shape: the shape of the random mask, which broadcasts to the inputs; None stands for the input's length.
        seed: for masks that do not depend on the program's seed.
    """

    supports_masking = True

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ArgumentError(
                f"Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: rate={rate}"
            )
        self.rate, self.seed = rate, seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, thinned out in training."""
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return ops.zeros_like(inputs)
        dtype = dispatch.dtype_of(inputs)
        dims = ops.shape(inputs)
        shape = dims if self.noise_shape is None else self._noise_dims(dims)
        drawn = random.uniform(shape, seed=self.seed)
        keep = ops.cast(ops.greater_equal(drawn, self.rate), dtype)
        return ops.multiply(inputs, ops.multiply(keep, 1.0 / (1.0 - self.rate)))

    def _noise_dims(self, dims: Sequence[Any]) -> tuple[Any, ...]:
        assert self.noise_shape is not None
        if len(self.noise_shape) != len(dims):
            raise ArgumentError(
                f"`noise_shape` must have the rank of the inputs ({len(dims)}); got {self.noise_shape} in layer {self.name!r}."
            )
        return tuple(d if n is None else n for n, d in zip(self.noise_shape, dims, strict=True))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
        return {**super().get_config(), **own}
