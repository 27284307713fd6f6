"""Losses against Keras: every reduction, with and without sample weights, and the gradients through a Dense layer."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import graphc

from . import harness
from .cases import LOSS_CASES, LOSS_FUNCTIONS, LOSS_STRINGS, REDUCTIONS
from .test_layers import public_classes

CASES = {case.name: case for case in LOSS_CASES}
FUNCTIONS = {case.name: case for case in LOSS_FUNCTIONS}
# Options that Keras leaves out of ``get_config``, so that they are lost when a model is saved.
KERAS_FORGETS = {"CosineSimilarity": ["axis"], "Huber": ["delta"]}
STRINGS = {case.name: case for case in LOSS_STRINGS}


@functools.cache
def ours(name: str) -> harness.Record:
    return harness.run_loss(graphc, CASES[name], keras(name).facts)


@functools.cache
def keras(name: str) -> harness.Record:
    return harness.fixture("losses", name)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", CASES)
def test_value(name: str, reduction: str) -> None:
    keys = [key for key in keras(name).arrays if key in {reduction, f"{reduction}/weighted"}]
    for key in keys:
        value, reference = ours(name).arrays[key], keras(name).arrays[key]
        assert value.shape == reference.shape, key
        assert value.dtype == reference.dtype, key
        np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.step])
def test_step(name: str) -> None:
    theirs, mine = keras(name), ours(name)
    start = harness.seeded_weights(name, theirs.facts["weights"])
    actual, expected = harness.numbered(mine.arrays, "step"), harness.numbered(theirs.arrays, "step")
    np.testing.assert_allclose(mine.facts["loss"], theirs.facts["loss"], rtol=1e-5)
    for value, reference in zip(actual, expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-6)
    harness.assert_same_update(start, actual, expected)


@pytest.mark.parametrize("name", CASES)
def test_config_is_keras_config(name: str) -> None:
    config = dict(ours(name).facts["config"])
    for key in KERAS_FORGETS.get(CASES[name].loss, ()):
        config.pop(key)
    harness.assert_same_json(config, keras(name).facts["config"])
    assert ours(name).facts["name"] == keras(name).facts["name"]


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name: str) -> None:
    case = CASES[name]
    loss = getattr(graphc.losses, case.loss)(**case.config)
    again = type(loss).from_config(loss.get_config())
    assert again.get_config() == loss.get_config()
    y_true, y_pred, _ = harness.loss_data(case)
    np.testing.assert_array_equal(harness.to_numpy(again(y_true, y_pred)), harness.to_numpy(loss(y_true, y_pred)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str) -> None:
    expected = harness.fixture("loss_functions", name).arrays
    actual = harness.run_loss_function(graphc, FUNCTIONS[name]).arrays
    harness.assert_arrays(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", STRINGS)
def test_string(name: str) -> None:
    expected = harness.fixture("loss_strings", name).facts
    actual = harness.run_loss_string(graphc, STRINGS[name], expected).facts
    np.testing.assert_allclose(actual["loss"], expected["loss"], rtol=1e-5)


def test_every_loss_has_a_case() -> None:
    covered = {getattr(graphc.losses, case.loss) for case in LOSS_CASES}
    public = public_classes(graphc.losses, graphc.losses.Loss)
    missing = sorted(name for name, loss in public.items() if loss not in covered and name != "LossFunctionWrapper")
    assert not missing, f"losses without a parity case: {missing}"
