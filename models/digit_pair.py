"""The guide's shared vision model: do two images show the same digit?"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"side": 9, "filters": 4}


def build_vision_model(side: int = 27, filters: int = 64) -> graphc.Model:
    """An image ``(batch, side, side, 1)`` as one vector."""
    layers = graphc.layers
    digit = graphc.Input(shape=(side, side, 1))
    x = layers.Conv2D(filters, (3, 3))(digit)
    x = layers.Conv2D(filters, (3, 3))(x)
    x = layers.MaxPooling2D((2, 2))(x)
    return graphc.Model(digit, layers.Flatten()(x), name="vision_model")


def build(side: int = 27, filters: int = 64) -> graphc.Model:
    """The model, with new weights. Inputs ``digit_a`` and ``digit_b``, ``(batch, side, side, 1)``; a probability out."""
    layers = graphc.layers
    vision_model = build_vision_model(side, filters)
    digit_a = graphc.Input(shape=(side, side, 1), name="digit_a")
    digit_b = graphc.Input(shape=(side, side, 1), name="digit_b")
    concatenated = layers.concatenate([vision_model(digit_a), vision_model(digit_b)])
    same = layers.Dense(1, activation="sigmoid", name="same_digit")(concatenated)
    return graphc.Model([digit_a, digit_b], same, name="digit_pair")


def compile_model(model: graphc.Model) -> None:
    """Adam and the binary cross-entropy."""
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random pairs of images, with random answers."""
    rng = np.random.default_rng(seed)
    pairs = [rng.random((rows, *shape[1:]), dtype="float32") for shape in model.input_shape]
    return pairs, rng.integers(0, 2, (rows, 1)).astype("float32")
