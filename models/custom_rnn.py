"""The guide's custom recurrent layer: a Python loop over a fixed number of steps, inside a functional model."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"units": 6, "filters": 5}


class CustomRNN(graphc.layers.Layer):
    """Each step's output is a projection of the input plus one of the output before; a Dense layer reads them all.

    Args:
        units: the length of the state.
    """

    def __init__(self, units: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.projection_1 = graphc.layers.Dense(units=units, activation="tanh")
        self.projection_2 = graphc.layers.Dense(units=units, activation="tanh")
        self.classifier = graphc.layers.Dense(1)

    def call(self, inputs: Any) -> Any:
        """``(batch, time, features)`` to ``(batch, time, 1)``; batch and time must be fixed."""
        outputs = []
        state = graphc.ops.zeros(shape=(inputs.shape[0], self.units))
        for t in range(inputs.shape[1]):
            state = self.projection_1(inputs[:, t, :]) + self.projection_2(state)
            outputs.append(state)
        return self.classifier(graphc.ops.stack(outputs, axis=1))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units}


CUSTOM_OBJECTS = {"CustomRNN": CustomRNN}


def build(batch: int = 16, steps: int = 10, features: int = 5, filters: int = 32, units: int = 32) -> graphc.Model:
    """The model, with new weights. Input ``(batch, steps, features)`` of a fixed batch, output ``(batch, steps - 2, 1)``."""
    inputs = graphc.Input(batch_shape=(batch, steps, features), name="sequence")
    x = graphc.layers.Conv1D(filters, 3)(inputs)
    return graphc.Model(inputs, CustomRNN(units, name="custom_rnn")(x), name="custom_rnn_model")


def compile_model(model: graphc.Model) -> None:
    """Adam and the mean squared error."""
    model.compile(graphc.optimizers.Adam(1e-2), "mse")


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random sequences, and at each step the sum of the features two steps on. ``rows`` must be a multiple of the batch."""
    x = np.random.default_rng(seed).random((rows, *model.input_shape[1:]), dtype="float32")
    return x, x[:, 2:].sum(axis=-1, keepdims=True)
