"""The guide's Inception module: three towers over one image, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"side": 8, "filters": 4}


def build(side: int = 256, filters: int = 64) -> graphc.Model:
    """The model, with new weights. Input ``(batch, side, side, 3)``, output ``(batch, 3 * side, side, filters)``."""
    layers = graphc.layers
    image = graphc.Input(shape=(side, side, 3), name="input_img")
    tower_1 = layers.Conv2D(filters, (1, 1), padding="same", activation="relu")(image)
    tower_1 = layers.Conv2D(filters, (3, 3), padding="same", activation="relu")(tower_1)
    tower_2 = layers.Conv2D(filters, (1, 1), padding="same", activation="relu")(image)
    tower_2 = layers.Conv2D(filters, (5, 5), padding="same", activation="relu")(tower_2)
    tower_3 = layers.MaxPooling2D((3, 3), strides=(1, 1), padding="same")(image)
    tower_3 = layers.Conv2D(filters, (1, 1), padding="same", activation="relu")(tower_3)
    outputs = layers.concatenate([tower_1, tower_2, tower_3], axis=1)
    return graphc.Model(image, outputs, name="inception")


def compile_model(model: graphc.Model) -> None:
    """Adam and the mean squared error: the module has no task of its own."""
    model.compile(optimizer=graphc.optimizers.Adam(1e-2), loss="mse")


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random images and targets."""
    rng = np.random.default_rng(seed)
    shapes = (model.input_shape, model.output_shape)
    images, targets = (rng.random((rows, *shape[1:]), dtype="float32") for shape in shapes)
    return images, targets
