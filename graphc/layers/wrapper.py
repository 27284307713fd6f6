"""Wrapper, the base of layers that change what another layer does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from graphc.errors import ArgumentError
from graphc.layers.layer import Layer
from graphc.layers.sequence_calls import build_inside
from graphc.serialization import deserialize_keras_object, serialize_keras_object


class Wrapper(Layer):
    """A layer around another one. To be subclassed: on its own it has no ``call``.

    Args:
        layer: the layer inside.

    Raises:
        ArgumentError: it is no layer.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"`{type(self).__name__}` must be given a layer, an instance of graphc.layers.Layer. Received: {layer!r:.80}"
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        """Build the layer inside."""
        build_inside(self.layer, input_shape)

    def get_config(self) -> dict[str, Any]:
        """The layer inside."""
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """A wrapper, with a new layer inside, from what `get_config` gave."""
        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects=custom_objects)
        return cls(layer, **config)
