"""The guide's shared layer: one embedding for two texts, here with the mean of their vectors compared."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"words": 40, "width": 8}


def build(words: int = 1000, width: int = 128) -> graphc.Model:
    """The model, with new weights. Inputs ``text_a`` and ``text_b``, ``(batch, time)``; output ``(batch, 1)``: a logit."""
    layers = graphc.layers
    shared_embedding = layers.Embedding(words, width, name="words")
    text_a = graphc.Input(shape=(None,), dtype="int32", name="text_a")
    text_b = graphc.Input(shape=(None,), dtype="int32", name="text_b")
    pool = layers.GlobalAveragePooling1D()
    encoded_a, encoded_b = pool(shared_embedding(text_a)), pool(shared_embedding(text_b))
    same_author = layers.Dense(1, name="same_author")(layers.multiply([encoded_a, encoded_b]))
    return graphc.Model([text_a, text_b], same_author, name="shared_embedding")


def compile_model(model: graphc.Model) -> None:
    """Adam and the binary cross-entropy of a logit."""
    model.compile(graphc.optimizers.Adam(1e-2), graphc.losses.BinaryCrossentropy(from_logits=True))


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random texts of 9 and 6 words, with random answers."""
    rng = np.random.default_rng(seed)
    words = model.get_layer("words").input_dim
    texts = [rng.integers(0, words, (rows, length)).astype("int32") for length in (9, 6)]
    return texts, rng.integers(0, 2, (rows, 1)).astype("float32")
