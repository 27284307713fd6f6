"""The guide's one-line step from images to videos: a trained classifier applied to every step of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"steps": 5, "features": 12}


def build(steps: int = 20, features: int = 784) -> graphc.Model:
    """The model, with new weights. Input ``(batch, steps, features)``, output ``(batch, steps, 10)``: probabilities."""
    layers = graphc.layers
    inputs = graphc.Input(shape=(features,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dense(64, activation="relu")(x)
    image_model = graphc.Model(inputs, layers.Dense(10, activation="softmax")(x), name="image_model")
    sequence = graphc.Input(shape=(steps, features), name="sequence")
    return graphc.Model(sequence, layers.TimeDistributed(image_model)(sequence), name="video_classifier")


def compile_model(model: graphc.Model) -> None:
    """RMSprop and the cross-entropy, as in the guide."""
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random sequences, with a random label for each step."""
    rng = np.random.default_rng(seed)
    x = rng.random((rows, *model.input_shape[1:]), dtype="float32")
    return x, graphc.utils.to_categorical(rng.integers(0, 10, x.shape[:2]), 10)
