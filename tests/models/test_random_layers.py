"""Layers that draw random numbers in training: statistics, repeatability, and inference without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.ops.functional import random

Array = np.ndarray[Any, Any]

ONES = np.ones((40, 50, 30), np.float32)
NORMAL = np.random.RandomState(0).normal(size=(400, 500)).astype(np.float32)

LAYERS: dict[str, Callable[..., Any]] = {
    "Dropout": lambda **k: layers.Dropout(0.3, **k),
    "SpatialDropout1D": lambda **k: layers.SpatialDropout1D(0.3, **k),
    "GaussianNoise": lambda **k: layers.GaussianNoise(0.3, **k),
    "GaussianDropout": lambda **k: layers.GaussianDropout(0.3, **k),
    "AlphaDropout": lambda **k: layers.AlphaDropout(0.3, **k),
}


@pytest.mark.parametrize("name", LAYERS)
def test_inference_changes_nothing(name: str) -> None:
    layer = LAYERS[name]()
    np.testing.assert_array_equal(layer(ONES), ONES)
    inputs = graphc.Input((50, 30))
    np.testing.assert_array_equal(graphc.Model(inputs, layer(inputs)).predict(ONES, verbose=0), ONES)


@pytest.mark.parametrize("name", LAYERS)
def test_the_programs_seed_decides(name: str) -> None:
    layer = LAYERS[name]()
    graphc.utils.set_random_seed(3)
    first, second = np.asarray(layer(ONES, training=True)), np.asarray(layer(ONES, training=True))
    graphc.utils.set_random_seed(3)
    np.testing.assert_array_equal(layer(ONES, training=True), first)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", LAYERS)
def test_a_seed_of_its_own_decides(name: str) -> None:
    first = np.asarray(LAYERS[name](seed=5)(ONES, training=True))
    np.testing.assert_array_equal(LAYERS[name](seed=5)(ONES, training=True), first)
    assert not np.array_equal(LAYERS[name](seed=6)(ONES, training=True), first)


def trained_weights(name: str, seed: int) -> list[Array]:
    """The weights after three steps of a model with the layer in it."""
    graphc.utils.set_random_seed(seed)
    inputs = graphc.Input((6, 4))
    model = graphc.Model(inputs, layers.Dense(3)(LAYERS[name]()(layers.Dense(5)(inputs))))
    model.compile("sgd", "mse")
    x, y = ONES[:20, :6, :4], ONES[:20, :6, :3]
    model.fit(x, y, epochs=3, batch_size=20, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize("name", LAYERS)
def test_training_repeats_bit_for_bit(name: str) -> None:
    for one, other in zip(trained_weights(name, 1), trained_weights(name, 1), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(trained_weights(name, 1)[0], trained_weights(name, 2)[0])


def test_dropout_scales_what_it_keeps() -> None:
    values = np.asarray(layers.Dropout(0.3, seed=1)(ONES, training=True))
    assert set(np.unique(values)) == {np.float32(0.0), np.float32(1 / 0.7)}
    assert (values == 0).mean() == pytest.approx(0.3, abs=0.01)


def test_noise_shape_shares_the_mask() -> None:
    values = np.asarray(layers.Dropout(0.5, noise_shape=(None, 1, 30), seed=1)(ONES, training=True))
    np.testing.assert_array_equal(values, np.broadcast_to(values[:, :1], values.shape))
    assert len(np.unique(values[0, 0])) == 2


@pytest.mark.parametrize(
    ("layer", "shape", "shared"),
    [
        (layers.SpatialDropout1D(0.5, seed=1), (9, 5, 20), (1,)),
        (layers.SpatialDropout2D(0.5, seed=1), (9, 3, 4, 20), (1, 2)),
        (layers.SpatialDropout2D(0.5, "channels_first", seed=1), (9, 20, 3, 4), (2, 3)),
        (layers.SpatialDropout3D(0.5, seed=1), (9, 2, 3, 4, 20), (1, 2, 3)),
        (layers.SpatialDropout3D(0.5, "channels_first", seed=1), (9, 20, 2, 3, 4), (2, 3, 4)),
    ],
)
def test_spatial_dropout_drops_whole_maps(layer: Any, shape: tuple[int, ...], shared: tuple[int, ...]) -> None:
    values = np.asarray(layer(np.ones(shape, np.float32), training=True))
    assert np.all(values.max(shared) == values.min(shared))
    assert (values == 0).mean() == pytest.approx(0.5, abs=0.12)


def test_gaussian_noise() -> None:
    noise = np.asarray(layers.GaussianNoise(0.4, seed=1)(NORMAL, training=True)) - NORMAL
    assert noise.mean() == pytest.approx(0.0, abs=0.004)
    assert noise.std() == pytest.approx(0.4, rel=0.01)
    assert abs(np.corrcoef(noise.ravel(), NORMAL.ravel())[0, 1]) < 0.01


def test_gaussian_dropout() -> None:
    factors = np.asarray(layers.GaussianDropout(0.2, seed=1)(np.ones((400, 500), np.float32), training=True))
    assert factors.mean() == pytest.approx(1.0, abs=0.005)
    assert factors.var() == pytest.approx(0.25, rel=0.02)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    values = np.asarray(layers.AlphaDropout(0.25, seed=1)(NORMAL, training=True))
    assert values.mean() == pytest.approx(0.0, abs=0.01)
    assert values.std() == pytest.approx(1.0, rel=0.01)
    values_of_dropped, counts = np.unique(values, return_counts=True)
    assert counts.max() / values.size == pytest.approx(0.25, abs=0.01)
    floor, rate = -1.6732632 * 1.050701, 0.25
    a = ((1 - rate) * (1 + rate * floor**2)) ** -0.5
    assert values_of_dropped[counts.argmax()] == pytest.approx(a * floor - a * floor * rate, rel=1e-5)


def test_normal_numbers_are_normal() -> None:
    samples = np.sort(random.normal((200_000,), mean=2.0, stddev=3.0, seed=11))
    standard = (samples - 2.0) / 3.0
    for moment, expected in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)):
        assert (standard**moment).mean() == pytest.approx(expected, abs=0.05)
    # The share below -2, -1, 0, 1, 2 standard deviations.
    found = np.searchsorted(standard, [-2.0, -1.0, 0.0, 1.0, 2.0]) / standard.size
    np.testing.assert_allclose(found, [0.0227501, 0.1586553, 0.5, 0.8413447, 0.9772499], atol=0.004)
    assert abs(np.corrcoef(random.normal((100_000,), seed=1), random.normal((100_000,), seed=2))[0, 1]) < 0.02


def test_arguments() -> None:
    for make, told in (
        (lambda: layers.Dropout(1.5), "between 0 and 1. Received: rate=1.5"),
        (lambda: layers.Dropout(0.5, noise_shape="ab"), "noise_shape=ab"),
        (lambda: layers.Dropout(0.5, noise_shape=(0, 2)), r"noise_shape=\(0, 2\)"),
        (lambda: layers.GaussianNoise(-0.1), "stddev=-0.1"),
        (lambda: layers.GaussianDropout(1), "infinite variance"),
        (lambda: layers.AlphaDropout(2), "rate=2"),
        (lambda: layers.SpatialDropout2D(0.5, data_format="middle"), "data_format='middle'"),
    ):
        with pytest.raises(ValueError, match=told):
            make()
    with pytest.raises(ValueError, match="'thin'.*rank of the inputs"):
        layers.Dropout(0.5, noise_shape=(None, 1), name="thin")(ONES, training=True)
    with pytest.raises(ValueError, match="'maps'.*expected ndim=3, found ndim=2"):
        layers.SpatialDropout1D(0.5, name="maps")(NORMAL)
