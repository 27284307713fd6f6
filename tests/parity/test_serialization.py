"""Whole models against Keras: JSON both ways, the order of weights, ``.weights.h5`` files, names, ONNX."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import graphc

from . import harness
from .cases import MODEL_CASES, NAMED_LAYERS

CASES = {case.name: case for case in MODEL_CASES}
SAVED = [case.name for case in MODEL_CASES if case.saved]
FILES = harness.FIXTURES / "models"


@functools.cache
def ours(name: str) -> harness.Record:
    return harness.run_model(graphc, CASES[name], keras(name).facts)


@functools.cache
def keras(name: str) -> harness.Record:
    return harness.fixture("models", name)


def keras_json(name: str) -> str:
    return (FILES / f"{name}.json").read_text(encoding="utf-8")


def seeded_model(name: str) -> Any:
    model = harness.build_model(graphc, CASES[name])
    harness.seed_weights(model, name, keras(name).facts["weights"])
    return model


def assert_outputs(model: Any, name: str) -> None:
    """``model`` gives Keras's outputs."""
    actual = harness.model_outputs(model, CASES[name])
    expected = harness.numbered(keras(name).arrays, "out")
    for index, (value, reference) in enumerate(zip(actual, expected, strict=True)):
        np.testing.assert_allclose(value, reference, rtol=1e-5, atol=4e-6, err_msg=f"output {index}")


def datasets(path: Path) -> dict[str, Any]:
    """Every data set of an HDF5 file, by its path."""
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


@pytest.mark.parametrize("name", CASES)
def test_outputs(name: str) -> None:
    assert_outputs(seeded_model(name), name)


@pytest.mark.parametrize("fact", ["names", "inputs", "outputs", "signature"])
@pytest.mark.parametrize("name", CASES)
def test_names_and_signature(name: str, fact: str) -> None:
    expected = keras(name).facts[fact]
    if not expected:
        pytest.skip("Keras's Sequential has no output names")
    assert ours(name).facts[fact] == expected


@pytest.mark.parametrize("name", CASES)
def test_weights_order(name: str) -> None:
    model = harness.build_model(graphc, CASES[name])
    assert [list(item) for item in harness.weight_names(model)] == keras(name).facts["weights"]
    assert [list(value.shape) for value in model.get_weights()] == [shape for _, shape in keras(name).facts["weights"]]


@pytest.mark.parametrize("name", CASES)
def test_json_is_keras_json(name: str) -> None:
    model = harness.build_model(graphc, CASES[name])
    harness.assert_same_json(json.loads(model.to_json()), json.loads(keras_json(name)))


@pytest.mark.parametrize("name", CASES)
def test_keras_json_loads(name: str) -> None:
    model = graphc.models.model_from_json(keras_json(name))
    harness.seed_weights(model, name, keras(name).facts["weights"])
    assert_outputs(model, name)


@pytest.mark.parametrize("name", CASES)
def test_keras_json_survives_a_round_trip(name: str) -> None:
    model = graphc.models.model_from_json(keras_json(name))
    harness.assert_same_json(json.loads(model.to_json()), json.loads(keras_json(name)))


@pytest.mark.parametrize("name", SAVED)
def test_keras_weights_file_loads(name: str) -> None:
    case = CASES[name]
    model = harness.build_model(graphc, case)
    model.load_weights(FILES / f"{name}.weights.h5")
    if not case.compiled:
        assert_outputs(model, name)
    stored = datasets(FILES / f"{name}.weights.h5")
    kept = [value for path, value in stored.items() if not path.startswith("optimizer")]
    assert sorted(value.tobytes() for value in kept) == sorted(value.tobytes() for value in model.get_weights())


@pytest.mark.parametrize("name", SAVED)
def test_weights_file_is_keras_file(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    model = seeded_model(name)
    if case.compiled:
        harness.train_once(graphc, model, case)
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    actual, expected = datasets(path), datasets(FILES / f"{name}.weights.h5")
    assert sorted(actual) == sorted(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(actual[key], value, rtol=1e-5, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_onnx_runtime_agrees(name: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = seeded_model(name)
    path = tmp_path / "model.onnx"
    model.export(path, format="onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    values = harness.flatten(harness.model_inputs(CASES[name]))
    feeds = dict(zip([value.name for value in session.get_inputs()], values, strict=True))
    for index, value in enumerate(session.run(None, feeds)):
        np.testing.assert_allclose(value, keras(name).arrays[f"out{index}"], rtol=1e-5, atol=1e-5)


def test_automatic_names() -> None:
    graphc.utils.clear_session()
    names = [getattr(graphc.layers, layer)(**config).name for layer, config in NAMED_LAYERS]
    assert names == harness.manifest()["automatic_names"]
