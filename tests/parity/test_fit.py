"""``fit`` against Keras: histories, splits, weights after the last epoch, and the form of the progress lines."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import graphc

from . import harness
from .cases import FIT_CASES

CASES = {case.name: case for case in FIT_CASES}


@functools.cache
def ours(name: str) -> harness.Record:
    return harness.run_fit(graphc, CASES[name], keras(name).facts)


@functools.cache
def keras(name: str) -> harness.Record:
    return harness.fixture("fit", name)


@pytest.mark.parametrize("name", CASES)
def test_history(name: str) -> None:
    actual, expected = ours(name).facts["history"], keras(name).facts["history"]
    assert list(actual) == list(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(actual[key], values, rtol=1e-4, atol=1e-6, err_msg=key)
    assert ours(name).facts["epochs"] == keras(name).facts["epochs"]


@pytest.mark.parametrize("name", CASES)
def test_weights_after_fit(name: str) -> None:
    start = harness.numbered(keras(name).arrays, "start")
    actual, expected = harness.numbered(ours(name).arrays, "end"), harness.numbered(keras(name).arrays, "end")
    for index, (value, reference) in enumerate(zip(actual, expected, strict=True)):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-6, err_msg=f"weight {index}")
    harness.assert_same_update(start, actual, expected)


@pytest.mark.parametrize("key", ["progress1", "progress2", "evaluate1", "evaluate2"])
@pytest.mark.parametrize("name", CASES)
def test_progress_lines_have_keras_form(name: str, key: str) -> None:
    assert ours(name).facts[key] == keras(name).facts[key]
