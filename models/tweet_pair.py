"""The guide's pair of tweets: one LSTM encodes both, a logistic regression says whether they share their author."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"length": 7, "characters": 10, "units": 6}


def build(length: int = 140, characters: int = 256, units: int = 64) -> graphc.Model:
    """The model, with new weights. Inputs ``tweet_a`` and ``tweet_b``, ``(batch, length, characters)``; a probability out."""
    layers = graphc.layers
    tweet_a = graphc.Input(shape=(length, characters), name="tweet_a")
    tweet_b = graphc.Input(shape=(length, characters), name="tweet_b")
    shared_lstm = layers.LSTM(units, name="shared_lstm")
    merged = layers.concatenate([shared_lstm(tweet_a), shared_lstm(tweet_b)], axis=-1)
    predictions = layers.Dense(1, activation="sigmoid", name="same_author")(merged)
    return graphc.Model(inputs=[tweet_a, tweet_b], outputs=predictions, name="tweet_pair")


def compile_model(model: graphc.Model) -> None:
    """RMSprop and the binary cross-entropy, as in the guide."""
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random binary matrices, with random answers."""
    rng = np.random.default_rng(seed)
    tweets = [rng.integers(0, 2, (rows, *shape[1:])).astype("float32") for shape in model.input_shape]
    return tweets, rng.integers(0, 2, (rows, 1)).astype("float32")
