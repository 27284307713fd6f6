"""The guide's smallest residual connection: an image plus its convolution."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"side": 8}


def build(side: int = 256) -> graphc.Model:
    """The model, with new weights. Input and output ``(batch, side, side, 3)``."""
    layers = graphc.layers
    x = graphc.Input(shape=(side, side, 3), name="image")
    y = layers.Conv2D(3, (3, 3), padding="same")(x)
    return graphc.Model(x, layers.add([x, y]), name="residual_convolution")


def compile_model(model: graphc.Model) -> None:
    """Adam and the mean squared error: the block has no task of its own."""
    model.compile(optimizer=graphc.optimizers.Adam(1e-2), loss="mse")


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random images, to be turned into their negatives."""
    images = np.random.default_rng(seed).random((rows, *model.input_shape[1:]), dtype="float32")
    return images, -images
