"""The guide's model of news headlines: an auxiliary output behind the LSTM, and an auxiliary input."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"words": 60, "length": 9, "embedding": 8, "units": 6}


def build(words: int = 10000, length: int = 100, embedding: int = 512, units: int = 32) -> graphc.Model:
    """The model, with new weights.

    Inputs ``main_input``, ``(batch, length)`` word numbers, and ``aux_input``, ``(batch, 5)``. Outputs ``main_output`` and
    ``aux_output``, ``(batch, 1)`` each: probabilities.
    """
    layers = graphc.layers
    main_input = graphc.Input(shape=(length,), dtype="int32", name="main_input")
    x = layers.Embedding(output_dim=embedding, input_dim=words, name="words")(main_input)
    lstm_out = layers.LSTM(units)(x)
    auxiliary_output = layers.Dense(1, activation="sigmoid", name="aux_output")(lstm_out)
    auxiliary_input = graphc.Input(shape=(5,), name="aux_input")
    x = layers.concatenate([lstm_out, auxiliary_input])
    for _ in range(3):
        x = layers.Dense(64, activation="relu")(x)
    main_output = layers.Dense(1, activation="sigmoid", name="main_output")(x)
    inputs, outputs = [main_input, auxiliary_input], [main_output, auxiliary_output]
    return graphc.Model(inputs=inputs, outputs=outputs, name="headline")


def compile_model(model: graphc.Model) -> None:
    """RMSprop; the auxiliary loss counts a fifth."""
    model.compile(
        optimizer="rmsprop",
        loss={"main_output": "binary_crossentropy", "aux_output": "binary_crossentropy"},
        loss_weights={"main_output": 1.0, "aux_output": 0.2},
    )


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random headlines and extra data, with random answers."""
    rng = np.random.default_rng(seed)
    words, length = model.get_layer("words").input_dim, model.input_shape[0][-1]
    x = {
        "main_input": rng.integers(1, words, (rows, length)).astype("int32"),
        "aux_input": rng.random((rows, 5), dtype="float32"),
    }
    labels = rng.integers(0, 2, (rows, 1)).astype("float32")
    return x, {"main_output": labels, "aux_output": labels}
