"""The guide's autoencoder: an encoder and a decoder, models of their own, chained by two calls."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"filters": 4}


def build_encoder(filters: int = 16) -> graphc.Model:
    """Images ``(batch, 28, 28, 1)`` to codes ``(batch, filters)``."""
    layers = graphc.layers
    inputs = graphc.Input(shape=(28, 28, 1), name="original_img")
    x = layers.Conv2D(filters, 3, activation="relu")(inputs)
    x = layers.Conv2D(2 * filters, 3, activation="relu")(x)
    x = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(2 * filters, 3, activation="relu")(x)
    x = layers.Conv2D(filters, 3, activation="relu")(x)
    return graphc.Model(inputs, layers.GlobalMaxPooling2D()(x), name="encoder")


def build_decoder(filters: int = 16) -> graphc.Model:
    """Codes ``(batch, filters)`` to images ``(batch, 28, 28, 1)``."""
    layers = graphc.layers
    inputs = graphc.Input(shape=(filters,), name="encoded_img")
    x = inputs if filters == 16 else layers.Dense(16, activation="relu")(inputs)
    x = layers.Reshape((4, 4, 1))(x)
    x = layers.Conv2DTranspose(filters, 3, activation="relu")(x)
    x = layers.Conv2DTranspose(2 * filters, 3, activation="relu")(x)
    x = layers.UpSampling2D(3)(x)
    x = layers.Conv2DTranspose(filters, 3, activation="relu")(x)
    return graphc.Model(inputs, layers.Conv2DTranspose(1, 3, activation="relu")(x), name="decoder")


def build(filters: int = 16) -> graphc.Model:
    """The model, with new weights. Input and output ``(batch, 28, 28, 1)``."""
    inputs = graphc.Input(shape=(28, 28, 1), name="img")
    decoded = build_decoder(filters)(build_encoder(filters)(inputs))
    return graphc.Model(inputs, decoded, name="autoencoder")


def compile_model(model: graphc.Model) -> None:
    """Adam and the mean squared error of the pixels."""
    model.compile(optimizer="adam", loss="mse")


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random images, to be given back as they are."""
    images = np.random.default_rng(seed).random((rows, *model.input_shape[1:]), dtype="float32")
    return images, images
