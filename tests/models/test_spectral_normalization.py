"""SpectralNormalization in training, against a loop of NumPy: what Keras's TensorFlow and PyTorch backends do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers

Array = np.ndarray[Any, Any]


def divided(kernel: Array, u: Array, iterations: int) -> tuple[Array, Array]:
    """A kernel over its largest singular value by power iteration, and the vector that it ended with."""
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
    u = u.astype(np.float64)
    for _ in range(iterations):
        v = u @ matrix.T
        v /= np.linalg.norm(v)
        u = v @ matrix
        u /= np.linalg.norm(u)
    return kernel / (v @ matrix @ u.T), u


def test_step_starts_from_the_divided_kernel() -> None:
    random = np.random.RandomState(0)
    x, y = random.rand(3, 4).astype(np.float32), random.rand(3, 5).astype(np.float32)
    layer = layers.SpectralNormalization(layers.Dense(5), power_iterations=2)
    inputs = graphc.Input((4,))
    model = graphc.Model(inputs, layer(inputs))
    kernel, u, bias = (random.rand(*w.shape).astype(np.float32) for w in model.weights)
    model.set_weights([kernel, u, bias])
    model.compile(graphc.optimizers.SGD(0.5), "mse")
    model.train_on_batch(x, y)
    start, vector = divided(kernel, u, 2)
    error = 2 * (x @ start + bias - y) / y.size
    expected = [start - 0.5 * x.T @ error, vector, bias - 0.5 * error.sum(0)]
    for value, reference in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-6)


def test_many_iterations_bring_the_norm_to_one() -> None:
    layer = layers.SpectralNormalization(layers.Conv2D(7, 3), power_iterations=200)
    layer(np.ones((1, 5, 6, 4), np.float32), training=True)
    kernel = layer.layer.kernel.numpy().reshape(-1, 7)
    assert np.linalg.norm(kernel, 2) == pytest.approx(1.0, rel=1e-4)


def test_zero_kernel_stays_and_inference_changes_nothing() -> None:
    layer = layers.SpectralNormalization(layers.Dense(3, kernel_initializer="zeros"))
    x = np.ones((2, 4), np.float32)
    layer(x, training=True)
    assert not layer.layer.kernel.numpy().any()
    layer.layer.kernel.assign(np.eye(4, 3) * 5.0)
    before = [w.numpy() for w in layer.weights]
    layer(x)
    for value, reference in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(value.numpy(), reference)


def test_embedding_may_be_wrapped() -> None:
    layer = layers.SpectralNormalization(layers.Embedding(6, 3), power_iterations=100)
    ids = np.array([[0, 5, 2]], np.int32)
    rows = layer(ids, training=True)
    np.testing.assert_array_equal(rows[0], layer.layer.embeddings.numpy()[[0, 5, 2]])
    assert np.linalg.norm(layer.layer.embeddings.numpy(), 2) == pytest.approx(1.0, rel=1e-4)


def test_layer_without_a_kernel_is_refused() -> None:
    layer = layers.SpectralNormalization(layers.ReLU(), name="spectral")
    with pytest.raises(ValueError, match="'spectral': ReLU object has no attribute 'kernel' nor 'embeddings'"):
        layer(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="`power_iterations` should be greater than zero"):
        layers.SpectralNormalization(layers.Dense(2), power_iterations=0)
