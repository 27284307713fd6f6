"""The guide's first model: 784 pixels, two hidden layers of 64, 10 logits."""

from __future__ import annotations

import graphc


def build() -> graphc.Model:
    """The model, with new weights. Input ``(batch, 784)`` named ``pixels``, output ``(batch, 10)`` named ``logits``."""
    layers = graphc.layers
    inputs = graphc.Input(shape=(784,), name="pixels")
    x = layers.Dense(64, activation="relu", name="hidden_1")(inputs)
    x = layers.Dense(64, activation="relu", name="hidden_2")(x)
    outputs = layers.Dense(10, name="logits")(x)
    return graphc.Model(inputs=inputs, outputs=outputs, name="mnist_mlp")
