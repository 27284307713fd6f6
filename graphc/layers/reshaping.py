"""Flatten, Reshape, Permute, RepeatVector."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import product
from graphc.layers.data_format import channels_first, standard_data_format
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops


class Flatten(Layer):
    """All axes behind the batch as one: ``(batch, ...)`` to ``(batch, product)``, in channels-last order."""

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standard_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """The flattened inputs."""
        dims = ops.shape(inputs)
        if len(dims) == 1:
            return ops.expand_dims(inputs, -1)
        if channels_first(self.data_format) and len(dims) > 2:
            inputs = ops.transpose(inputs, (0, *range(2, len(dims)), 1))
        return ops.reshape(inputs, (dims[0], product(dims[1:])))

    def get_config(self) -> dict[str, Any]:
        """The data format."""
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """Gives each sample another shape; one length may be -1."""

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        shape = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if any(isinstance(d, bool) or not isinstance(d, int) or d < -1 for d in shape):
            raise ArgumentError(
                f"`target_shape` must hold non-negative integers, and -1 at most once; got {target_shape}."
            )
        if shape.count(-1) > 1:
            raise ArgumentError(
                f"There must be at most one unknown dimension (-1) in `target_shape`. Received: target_shape={target_shape}."
            )
        self.target_shape = shape
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The reshaped inputs."""
        dims = ops.shape(inputs)
        sample = dims[1:]
        if all(isinstance(d, int) for d in sample):
            size, wanted = prod(sample), prod(d for d in self.target_shape if d != -1)
            fits = size == wanted if -1 not in self.target_shape else wanted > 0 and size % wanted == 0
            if not fits:
                raise ShapeError(
                    "The total size of the tensor must be unchanged. "
                    f"Received: input_shape={tuple(sample)}, target_shape={self.target_shape}"
                )
        return ops.reshape(inputs, (dims[0], *self.target_shape))

    def get_config(self) -> dict[str, Any]:
        """The target shape."""
        return {**super().get_config(), "target_shape": list(self.target_shape)}


class Permute(Layer):
    """Reorders the axes of each sample; ``dims`` counts from 1, the batch stays first."""

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if sorted(dims) != list(range(1, len(dims) + 1)):
            raise ArgumentError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be consecutive "
                f"and start from 1. Received dims={dims}"
            )
        self.dims = tuple(dims)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """The permuted inputs."""
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        """The order."""
        return {**super().get_config(), "dims": list(self.dims)}


class RepeatVector(Layer):
    """The same vector at each of ``n`` steps: ``(batch, features)`` to ``(batch, n, features)``."""

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(n, bool) or not isinstance(n, int):
            raise ArgumentError(f"Expected an integer value for `n`, got {type(n)}.")
        if n <= 0:
            raise ArgumentError(f"Argument `n` should be a positive integer. Received: n={n}")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """The repeated inputs."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def get_config(self) -> dict[str, Any]:
        """The number of steps."""
        return {**super().get_config(), "n": self.n}
