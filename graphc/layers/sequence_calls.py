"""What layers that are called on ``(sequences, initial_state=...)`` share: checks of masks, and what files hold of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import ShapeError
from graphc.layers.layer import Layer
from graphc.layers.scope import layer_scope
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.structure import flatten, map_structure


class SequenceLayer(Layer):
    """A layer that is called on ``sequences`` and maybe an ``initial_state``, whose shapes its files hold."""

    _initial_state_shape: Any = None

    def _build_once(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        super()._build_once(args, kwargs)
        states = kwargs.get("initial_state", args[1] if len(args) > 1 else None)
        if states is not None:
            self._initial_state_shape = map_structure(_shown_shape, states)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built for, in Keras's two forms: without and with initial states."""
        config = super().get_build_config()
        if config is None or self._initial_state_shape is None:
            return config
        shapes = {"sequences_shape": config["input_shape"], "initial_state_shape": self._initial_state_shape}
        return {"shapes_dict": shapes}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build from what `get_build_config` gave."""
        shapes = config.get("shapes_dict")
        if not isinstance(shapes, Mapping):
            super().build_from_config(config)
            return
        super().build_from_config({"input_shape": shapes.get("sequences_shape")})
        self._initial_state_shape = shapes.get("initial_state_shape")


def build_inside(layer: Layer, *shapes: Any) -> None:
    """Build a layer that is part of another, if it is not built yet."""
    if not layer.built:
        with layer_scope(layer.name, None):
            layer.build_with_shapes(*shapes)


def step_mask(mask: Any, sequences: Any, layer: str) -> Any:
    """A mask as ``(batch, time)`` booleans: of several the first, and a step with features of its own counts if one does.

    Raises:
        ShapeError: it does not fit the sequences ``(batch, time, ...)``.
    """
    mask = flatten(mask)[0]
    if mask is None:
        return None
    shape, wanted = dispatch.shape_of(mask), dispatch.shape_of(sequences)[:2]
    fits = len(shape) >= 2 and all(
        a == b or isinstance(a, str) or isinstance(b, str) for a, b in zip(shape, wanted, strict=False)
    )
    if not fits:
        shown = [tuple(None if isinstance(d, str) else d for d in s) for s in (shape, wanted)]
        raise ShapeError(
            f"The mask of layer {layer!r} must have the batch and the time steps of its input, shape {shown[1]}; "
            f"got a mask of shape {shown[0]}."
        )
    if dispatch.dtype_of(mask) != "bool":
        mask = ops.cast(mask, "bool")
    return ops.any(mask, axis=tuple(range(2, len(shape)))) if len(shape) > 2 else mask


def _shown_shape(x: Any) -> tuple[Any, ...]:
    return tuple(None if isinstance(d, str) else d for d in dispatch.shape_of(x))
