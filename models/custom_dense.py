"""The guide's layer of one's own: a Dense layer written with `graphc.ops`."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {}


class CustomDense(graphc.layers.Layer):
    """``inputs @ w + b``.

    Args:
        units: the length of the last axis of the output.
    """

    def __init__(self, units: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        shape = (input_shape[-1], self.units)
        self.w = self.add_weight(shape=shape, initializer="random_normal", trainable=True, name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="random_normal", trainable=True, name="b")

    def call(self, inputs: Any) -> Any:
        """The affine map."""
        return graphc.ops.matmul(inputs, self.w) + self.b

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units}


CUSTOM_OBJECTS = {"CustomDense": CustomDense}


def build() -> graphc.Model:
    """The model, with new weights. Input ``(batch, 4)``, output ``(batch, 10)``: logits."""
    inputs = graphc.Input((4,), name="features")
    return graphc.Model(inputs, CustomDense(10, name="logits")(inputs), name="custom_dense")


def compile_model(model: graphc.Model) -> None:
    """Adam and the cross-entropy of labels."""
    loss = graphc.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(graphc.optimizers.Adam(1e-2), loss)


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random features, with random labels."""
    rng = np.random.default_rng(seed)
    return rng.random((rows, *model.input_shape[1:]), dtype="float32"), rng.integers(0, 10, rows)
