"""Layers that disturb their input in training: GaussianNoise, GaussianDropout, AlphaDropout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.layer import Layer
from graphc.layers.regularization import noise_shape_tuple, unit_number
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch, random


class GaussianNoise(Layer):
    """In training, adds normal noise of mean 0.

    Args:
        stddev: of the noise, from 0 to 1.
        seed: for noise that does not depend on the program's seed.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev, self.seed = unit_number(stddev, "stddev"), seed
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, noisy in training."""
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(
            dispatch.shape_of(inputs), stddev=self.stddev, dtype=dispatch.dtype_of(inputs), seed=self.seed
        )
        return ops.add(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


class GaussianDropout(Layer):
    """In training, multiplies by normal noise of mean 1 and variance ``rate / (1 - rate)`` (Srivastava et al., 2014).

    Args:
        rate: the dropout rate whose variance the noise has, from 0 to less than 1.
        seed: for noise that does not depend on the program's seed.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = unit_number(rate, "rate"), seed
        if rate == 1:
            raise ArgumentError(f"GaussianDropout layer {self.name!r}: rate=1 stands for noise of infinite variance.")
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, noisy in training."""
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        noise = random.normal(
            dispatch.shape_of(inputs), mean=1.0, stddev=stddev, dtype=dispatch.dtype_of(inputs), seed=self.seed
        )
        return ops.multiply(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


_SELU_FLOOR = -1.6732632423543772 * 1.0507009873554805
"""What `selu` tends to for very negative inputs."""


class AlphaDropout(Layer):
    """`Dropout` for layers with the activation ``selu``: keeps mean 0 and variance 1 (Klambauer et al., 2017).

    Dropped elements become selu's lower bound ``f``; then everything is brought back to mean 0 and variance 1 by
    ``a * x + b`` with ``a = ((1 - rate) * (1 + rate * f ** 2)) ** -0.5`` and ``b = -a * f * rate``.

    Args:
        rate: from 0 to less than 1.
        noise_shape: the shape of the random mask, which broadcasts to the inputs; None stands for the input's length.
        seed: for masks that do not depend on the program's seed.
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = unit_number(rate, "rate"), seed
        if rate == 1:
            raise ArgumentError(f"AlphaDropout layer {self.name!r}: no variance is left to restore with rate=1.")
        self.noise_shape = noise_shape_tuple(noise_shape)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, thinned out in training."""
        if not training or self.rate == 0:
            return inputs
        try:
            shape = random.mask_shape(inputs, self.noise_shape)
        except ArgumentError as error:
            raise ArgumentError(f"AlphaDropout layer {self.name!r}: {error}") from None
        keep = ops.greater_equal(random.uniform(shape, seed=self.seed), self.rate)
        a = ((1.0 - self.rate) * (1.0 + self.rate * _SELU_FLOOR**2)) ** -0.5
        b = -a * _SELU_FLOOR * self.rate
        return ops.add(ops.multiply(ops.where(keep, inputs, _SELU_FLOOR), a), b)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
        return {**super().get_config(), **own}
