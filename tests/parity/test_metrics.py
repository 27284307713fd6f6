"""``evaluate``, ``test_on_batch`` and ``predict`` against Keras: how metrics are resolved, named and averaged."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import graphc

from . import harness
from .cases import METRIC_CASES

CASES = {case.name: case for case in METRIC_CASES}


@functools.cache
def ours(name: str) -> harness.Record:
    return harness.run_evaluate(graphc, CASES[name], keras(name).facts)


@functools.cache
def keras(name: str) -> harness.Record:
    return harness.fixture("metrics", name)


@pytest.mark.parametrize("form", ["evaluated", "tested"])
@pytest.mark.parametrize("name", CASES)
def test_logs(name: str, form: str) -> None:
    harness.assert_logs(ours(name).facts[form], keras(name).facts[form], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_listed_results(name: str) -> None:
    np.testing.assert_allclose(ours(name).facts["listed"], keras(name).facts["listed"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_predictions(name: str) -> None:
    harness.assert_arrays(ours(name).arrays, keras(name).arrays, rtol=1e-5, atol=4e-6)
