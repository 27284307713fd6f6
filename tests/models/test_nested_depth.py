"""Depth: thousands of layers in a chain, hundreds of models within each other, in time that grows with their number."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers

X = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")


def nested(levels: int) -> Any:
    """Models in models, each with an operation of its own, of any number of steps."""
    x = graphc.Input((None, 4))
    model = graphc.Model(x, layers.Dense(4, name="innermost")(x), name="m0")
    for level in range(1, levels):
        x = graphc.Input((None, 4))
        y = graphc.Sequential([model], name=f"s{level}")(x) if level % 40 == 0 else model(x)
        model = graphc.Model(x, y * 1.0, name=f"m{level}")
    return model


@pytest.mark.parametrize("levels", [30, 400])
def test_models_within_models(levels: int, tmp_path: Path) -> None:
    model = nested(levels)
    kernel, bias = model.get_weights()
    expected = X @ kernel + bias

    def check(other: Any) -> None:
        np.testing.assert_allclose(other.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)

    check(model)
    np.testing.assert_allclose(model(X), expected, rtol=1e-5, atol=1e-6)
    model.summary(print_fn=lambda text: None)
    again = graphc.models.model_from_json(model.to_json(indent=0))
    again.set_weights(model.get_weights())
    check(again)
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    check(graphc.models.load_model(tmp_path / "m.keras"))
    clone = graphc.models.clone_model(model, recursive=True)
    clone.set_weights(model.get_weights())
    check(clone)
    model.export(tmp_path / "m.onnx")
    model.train_on_batch(X, np.zeros_like(X))
    assert not np.array_equal(model.get_weights()[0], kernel)


def chain(length: int) -> Any:
    x = inputs = graphc.Input((4,))
    for i in range(length):
        x = layers.Dense(4)(x) if i % 2 else layers.Activation("tanh")(x)
    return graphc.Model(inputs, x)


def test_a_chain_of_three_thousand_layers_is_saved_and_loaded(tmp_path: Path) -> None:
    model = chain(3_000)
    again = graphc.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    model.save(tmp_path / "m.keras")
    loaded = graphc.models.load_model(tmp_path / "m.keras")
    expected = model.predict(X[:, 0], verbose=0)
    for other in (again, loaded, graphc.models.clone_model(loaded, clone_function=lambda layer: layer)):
        np.testing.assert_array_equal(other.predict(X[:, 0], verbose=0), expected)


@pytest.mark.slow
def test_time_grows_with_the_number_of_layers(tmp_path: Path) -> None:
    def seconds(length: int) -> float:
        start = time.perf_counter()
        model = chain(length)
        model.save(tmp_path / "m.keras")
        graphc.models.load_model(tmp_path / "m.keras")
        return time.perf_counter() - start

    seconds(100)
    assert seconds(4_000) < 8 * seconds(1_000)  # four times the layers
