"""Calls of `graphc.ops` functions on symbolic tensors: nodes of the layer graph without weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.layers.layer import Layer
from graphc.naming import auto_name, snake_case


def operation_class_name(function: Callable[..., Any]) -> str:
    """``expand_dims`` to ``ExpandDims``: the class name that Keras's files hold for the call of an ops function."""
    name = function.__name__
    return _CLASS_NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))


# Functions whose class is not the function's name in another spelling.
_CLASS_NAMES = {
    "abs": "Absolute",
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "isin": "IsIn",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rms_normalization": "RMSNorm",
    "swish": "Silu",
    "hard_swish": "HardSilu",
}


class Operation(Layer):
    """One function of `graphc.ops` as a node of a functional model; ``x + 1`` makes one."""

    def __init__(
        self, function: Callable[..., Any], name: str | None = None, fixed: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(name=name or auto_name(snake_case(operation_class_name(function))), autocast=False)
        self.function = function
        self.fixed = dict(fixed or {})
        """Arguments that every call gets: those that a file keeps with the operation rather than with its call."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function."""
        return self.function(*args, **{**self.fixed, **kwargs})

    def _resolve_training(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | None:
        del args, kwargs  # an ops function takes what it is given
        return None

    def _hand_on_mask(self, first: Any, outputs: Any, previous: Any) -> Any:
        del first, previous  # what a function gives has no mask, as in Keras
        return outputs

    def get_config(self) -> dict[str, Any]:
        """Keras stores nothing but the name for these."""
        return {"name": self.name}
