"""Masking: which time steps of a sequence are padding."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional.masks import set_mask


class Masking(Layer):
    """Masks the steps whose features all equal ``mask_value``, and sets them to zero.

    Input ``(batch, ..., features)``; the mask is ``(batch, ...)``, True where a feature differs from ``mask_value``.
    """

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(mask_value, str | dict) or not hasattr(mask_value, "__float__"):
            raise ArgumentError(f"`mask_value` of layer {self.name!r} must be a number; got {mask_value!r}.")
        self.mask_value = mask_value
        self.supports_masking = True
        self.built = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True for the steps that hold data."""
        del previous_mask
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """The inputs, zero in masked steps."""
        seen = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        outputs = ops.where(seen, inputs, 0)
        set_mask(outputs, ops.squeeze(seen, axis=-1))
        return outputs

    def get_config(self) -> dict[str, Any]:
        """The value."""
        return {**super().get_config(), "mask_value": self.mask_value}
