"""``evaluate``, ``test_on_batch`` and ``predict`` against Keras: how metrics are resolved, named and averaged."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import graphc

from . import harness
from .cases import METRIC_CASES, METRIC_OBJECTS
from .test_layers import public_classes

CASES = {case.name: case for case in METRIC_CASES}
OBJECTS = {case.name: case for case in METRIC_OBJECTS}

# Options that Keras leaves out of ``get_config``.
KERAS_FORGETS = {"CosineSimilarity": ["axis"], "SparseTopKCategoricalAccuracy": ["from_sorted_ids"]}

# Keras lists a value twice when a weighted metric has the name of an unweighted one; its dict is right.
LISTED = [name for name in CASES if name != "weighted-metrics/same-name"]


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


@pytest.mark.parametrize("name", LISTED)
def test_listed_results(name: str) -> None:
    np.testing.assert_allclose(ours(name).facts["listed"], keras(name).facts["listed"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_predictions(name: str) -> None:
    harness.assert_arrays(ours(name).arrays, keras(name).arrays, rtol=1e-5, atol=4e-6)


@pytest.mark.parametrize("name", OBJECTS)
def test_object(name: str) -> None:
    expected = harness.fixture("metric_objects", name)
    actual = harness.run_metric(graphc, OBJECTS[name])
    harness.assert_arrays(actual.arrays, expected.arrays, rtol=1e-5, atol=1e-6)
    for key in KERAS_FORGETS.get(OBJECTS[name].metric, ()):
        actual.facts["config"].pop(key)
    harness.assert_same_json(actual.facts["config"], expected.facts["config"])
    assert actual.facts["name"] == expected.facts["name"]


@pytest.mark.parametrize("name", OBJECTS)
def test_object_config_round_trip(name: str) -> None:
    metric = getattr(graphc.metrics, OBJECTS[name].metric)(**OBJECTS[name].config)
    again = type(metric).from_config(metric.get_config())
    assert again.get_config() == metric.get_config()


def test_every_metric_has_a_case() -> None:
    covered = {getattr(graphc.metrics, case.metric) for case in METRIC_OBJECTS}
    public = public_classes(graphc.metrics, graphc.metrics.Metric)
    missing = sorted(name for name, metric in public.items() if metric not in covered and name != "MeanMetricWrapper")
    assert not missing, f"metrics without a parity case: {missing}"
