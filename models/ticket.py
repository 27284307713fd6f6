"""The guide's system for issue tickets: title, body and tags in; priority and department out."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"words": 50, "embedding": 7, "title_units": 6, "body_units": 5}


def build(
    words: int = 10000,
    tags: int = 12,
    departments: int = 4,
    embedding: int = 64,
    title_units: int = 128,
    body_units: int = 32,
) -> graphc.Model:
    """The model, with new weights.

    Inputs ``title`` and ``body``, ``(batch, time)`` word numbers of any lengths, and ``tags``, ``(batch, tags)`` of 0 and 1.
    Outputs ``priority``, ``(batch, 1)``, and ``department``, ``(batch, departments)``: logits.
    """
    layers = graphc.layers
    title = graphc.Input(shape=(None,), name="title")
    body = graphc.Input(shape=(None,), name="body")
    marks = graphc.Input(shape=(tags,), name="tags")
    title_features = layers.LSTM(title_units)(layers.Embedding(words, embedding, name="title_words")(title))
    body_features = layers.LSTM(body_units)(layers.Embedding(words, embedding, name="body_words")(body))
    x = layers.concatenate([title_features, body_features, marks])
    priority = layers.Dense(1, name="priority")(x)
    department = layers.Dense(departments, name="department")(x)
    return graphc.Model(inputs=[title, body, marks], outputs=[priority, department], name="ticket")


def compile_model(model: graphc.Model) -> None:
    """RMSprop, and a loss with a weight for each output, as in the guide."""
    model.compile(
        optimizer=graphc.optimizers.RMSprop(1e-3),
        loss={
            "priority": graphc.losses.BinaryCrossentropy(from_logits=True),
            "department": graphc.losses.CategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 1.0, "department": 0.2},
    )


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random tickets of 10 words in the title and 25 in the body, with random answers."""
    rng = np.random.default_rng(seed)
    words = model.get_layer("title_words").input_dim
    departments = model.output_shape[1][-1]
    x = {
        "title": rng.integers(0, words, (rows, 10)).astype("float32"),
        "body": rng.integers(0, words, (rows, 25)).astype("float32"),
        "tags": rng.integers(0, 2, (rows, model.input_shape[2][-1])).astype("float32"),
    }
    y = {
        "priority": rng.random((rows, 1), dtype="float32"),
        "department": graphc.utils.to_categorical(rng.integers(0, departments, rows), departments),
    }
    return x, y
