"""The guide's toy ResNet for CIFAR-10: two residual blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"side": 14, "filters": 4}


def build(side: int = 32, filters: int = 32) -> graphc.Model:
    """The model, with new weights. Input ``(batch, side, side, 3)`` named ``img``, output ``(batch, 10)``: logits."""
    layers = graphc.layers
    inputs = graphc.Input(shape=(side, side, 3), name="img")
    x = layers.Conv2D(filters, 3, activation="relu")(inputs)
    x = layers.Conv2D(2 * filters, 3, activation="relu")(x)
    block_1_output = layers.MaxPooling2D(3)(x)

    x = layers.Conv2D(2 * filters, 3, activation="relu", padding="same")(block_1_output)
    x = layers.Conv2D(2 * filters, 3, activation="relu", padding="same")(x)
    block_2_output = layers.add([x, block_1_output])

    x = layers.Conv2D(2 * filters, 3, activation="relu", padding="same")(block_2_output)
    x = layers.Conv2D(2 * filters, 3, activation="relu", padding="same")(x)
    block_3_output = layers.add([x, block_2_output])

    x = layers.Conv2D(2 * filters, 3, activation="relu")(block_3_output)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    outputs = layers.Dense(10, name="logits")(x)
    return graphc.Model(inputs, outputs, name="toy_resnet")


def compile_model(model: graphc.Model) -> None:
    """RMSprop and the cross-entropy of one-hot labels, as in the guide."""
    model.compile(
        optimizer=graphc.optimizers.RMSprop(1e-3),
        loss=graphc.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["acc"],
    )


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random images, and one-hot labels that say how bright they are."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, rows)
    images = rng.random((rows, *model.input_shape[1:]), dtype="float32") * (labels[:, None, None, None] + 1) / 10
    return images.astype("float32"), graphc.utils.to_categorical(labels, 10)
