"""The guide's first model: 784 pixels, two hidden layers of 64, 10 logits."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {}


def build() -> graphc.Model:
    """The model, with new weights. Input ``(batch, 784)`` named ``pixels``, output ``(batch, 10)`` named ``logits``."""
    layers = graphc.layers
    inputs = graphc.Input(shape=(784,), name="pixels")
    x = layers.Dense(64, activation="relu", name="hidden_1")(inputs)
    x = layers.Dense(64, activation="relu", name="hidden_2")(x)
    outputs = layers.Dense(10, name="logits")(x)
    return graphc.Model(inputs=inputs, outputs=outputs, name="mnist_mlp")


def compile_model(model: graphc.Model) -> None:
    """RMSprop and the cross-entropy of labels, as in the guide."""
    loss = graphc.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=graphc.optimizers.RMSprop(), loss=loss, metrics=["accuracy"])


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random pixels, with random labels."""
    rng = np.random.default_rng(seed)
    return rng.random((rows, *model.input_shape[1:]), dtype="float32"), rng.integers(0, 10, rows)
