"""Rescaling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from graphc.errors import ArgumentError
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.serialization import deserialize_keras_object, serialize_keras_object


class Rescaling(Layer):
    """``inputs * scale + offset``, in the layer's dtype whatever that of the inputs.

    Args:
        scale: a number, or several that broadcast with the last axes of the inputs.
        offset: likewise.

    Raises:
        ArgumentError: they are no numbers.
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value in (("scale", scale), ("offset", offset)):
            if np.asarray(value).dtype.kind not in "iuf":
                raise ArgumentError(
                    f"`{name}` of Rescaling must be a number or an array. Received: {name}={value!r:.80}"
                )
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The rescaled inputs."""
        scale, offset = np.asarray(self.scale, self.compute_dtype), np.asarray(self.offset, self.compute_dtype)
        return ops.add(ops.multiply(ops.cast(inputs, self.compute_dtype), scale), offset)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "scale": serialize_keras_object(self.scale),
            "offset": serialize_keras_object(self.offset),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A layer from what `get_config` gave; arrays are plain data there."""
        read = {name: deserialize_keras_object(config[name]) for name in ("scale", "offset") if name in config}
        return cls(**{**config, **read})
