"""What normalisation layers share: a learned scale ``gamma`` and a learned offset ``beta``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc import constraints, initializers, regularizers
from graphc.errors import ShapeError
from graphc.ir.types import normalize_axis
from graphc.layers.layer import Layer


class AffineNormalization(Layer):
    """A layer that normalises, multiplies by ``gamma`` if ``scale`` and adds ``beta`` if ``center``."""

    def __init__(
        self,
        *,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Any = None
        self.beta: Any = None

    def add_gamma_and_beta(self, shape: Sequence[int]) -> None:
        """Make those of the two weights that the layer has."""
        if self.scale:
            self.gamma = self.add_weight(
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                name="beta",
            )

    def gamma_and_beta_config(self) -> dict[str, Any]:
        """Their initializers, regularizers and constraints, as configurations hold them."""
        return {
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def fixed_lengths(layer: Layer, axes: Sequence[int], input_shape: Sequence[int | None]) -> tuple[int, ...]:
    """The lengths of some axes of the input, which weights take their shape from.

    Raises:
        ShapeError: an axis is out of range, or its length is not fixed.
    """
    found = []
    for axis in axes:
        try:
            length = input_shape[normalize_axis(axis, len(input_shape), "axis")]
        except ShapeError:
            raise ShapeError(
                f"{type(layer).__name__} layer {layer.name!r}: axis {axis} is out of bounds for inputs of shape "
                f"{tuple(input_shape)}."
            ) from None
        if length is None:
            raise ShapeError(
                f"{type(layer).__name__} layer {layer.name!r}: axis {axis} of the inputs must have a fixed length; got "
                f"inputs of shape {tuple(input_shape)}."
            )
        found.append(length)
    return tuple(found)
