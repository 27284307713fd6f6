"""Three training steps against Keras: optimizers, regularisers, constraints, several outputs, BatchNormalization."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import graphc

from . import harness
from .cases import OPTIMIZER_CASES, Obj, resolve
from .test_layers import public_classes

CASES = {case.name: case for case in OPTIMIZER_CASES}


@functools.cache
def ours(name: str) -> harness.Record:
    return harness.run_steps(graphc, CASES[name], keras(name).facts)


@functools.cache
def keras(name: str) -> harness.Record:
    return harness.fixture("optimizers", name)


@pytest.mark.parametrize("name", CASES)
def test_weights_after_three_steps(name: str) -> None:
    mine, theirs = ours(name).arrays, keras(name).arrays
    start = harness.numbered(mine, "start")
    for value, reference in zip(start, harness.numbered(theirs, "start"), strict=True):
        np.testing.assert_array_equal(value, reference)
    actual, expected = harness.numbered(mine, "end"), harness.numbered(theirs, "end")
    for index, (value, reference) in enumerate(zip(actual, expected, strict=True)):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-6, err_msg=f"weight {index}")
    harness.assert_same_update(start, actual, expected)


@pytest.mark.parametrize("name", CASES)
def test_losses_of_the_steps(name: str) -> None:
    for actual, expected in zip(ours(name).facts["logs"], keras(name).facts["logs"], strict=True):
        harness.assert_logs(actual, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_listed_results(name: str) -> None:
    np.testing.assert_allclose(ours(name).facts["listed"], keras(name).facts["listed"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_config_is_keras_config(name: str) -> None:
    harness.assert_same_json(ours(name).facts["config"], keras(name).facts["config"])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if isinstance(case.optimizer, Obj)])
def test_config_round_trip(name: str) -> None:
    optimizer = resolve(graphc, CASES[name].optimizer)
    again = type(optimizer).from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()


def test_every_optimizer_has_a_case() -> None:
    covered = {
        getattr(graphc.optimizers, case.optimizer.name) for case in OPTIMIZER_CASES if isinstance(case.optimizer, Obj)
    }
    public = public_classes(graphc.optimizers, graphc.optimizers.Optimizer)
    missing = sorted(name for name, optimizer in public.items() if optimizer not in covered)
    assert not missing, f"optimizers without a parity case: {missing}"
