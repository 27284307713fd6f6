"""The guide's ensemble: three models of one architecture whose answers are averaged."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"features": 11}


def build_member(features: int = 128) -> graphc.Model:
    """One linear model ``(batch, features)`` to ``(batch, 1)``."""
    inputs = graphc.Input(shape=(features,))
    return graphc.Model(inputs, graphc.layers.Dense(1)(inputs))


def build(features: int = 128) -> graphc.Model:
    """The model, with new weights. Input ``(batch, features)``, output ``(batch, 1)``."""
    members = [build_member(features) for _ in range(3)]
    inputs = graphc.Input(shape=(features,), name="features")
    outputs = graphc.layers.average([member(inputs) for member in members])
    return graphc.Model(inputs=inputs, outputs=outputs, name="ensemble")


def compile_model(model: graphc.Model) -> None:
    """Adam and the mean squared error."""
    model.compile(optimizer=graphc.optimizers.Adam(1e-2), loss="mse")


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random features, and their sum."""
    x = np.random.default_rng(seed).standard_normal((rows, *model.input_shape[1:]), dtype="float32")
    return x, x.sum(axis=-1, keepdims=True)
