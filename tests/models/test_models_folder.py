"""The models of the folder `models/`: each builder runs, its JSON is current, it trains, saves and exports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from guide_models import FOLDER, NAMES, as_feeds, load, rows_of, samples, small

import graphc
from graphc.runtimes import ort_runtime
from graphc.structure import flatten

ROOT = Path(__file__).resolve().parents[2]


def test_the_files_are_what_the_builders_give():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "write_models.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_model_trains(name):
    module, model = load(name), small(name)
    x, y = samples(name, model, 24)
    module.compile_model(model)
    losses = model.fit(x, y, epochs=12, batch_size=rows_of(model, 8), verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_model_comes_back_from_its_files(name, tmp_path):
    module, model = load(name), small(name)
    x, _ = samples(name, model, 5)
    known = getattr(module, "CUSTOM_OBJECTS", None)
    again = graphc.models.model_from_json(model.to_json(), custom_objects=known)
    again.set_weights(model.get_weights())
    model.save(tmp_path / "model.keras")
    loaded = graphc.models.load_model(tmp_path / "model.keras", custom_objects=known)
    for expected, one, two in zip(*(flatten(m.predict(x, verbose=0)) for m in (model, again, loaded)), strict=True):
        np.testing.assert_array_equal(one, expected)
        np.testing.assert_array_equal(two, expected)


@pytest.mark.parametrize("name", NAMES)
def test_onnx_runtime_gives_the_same_numbers_at_any_batch(name, tmp_path):
    model = small(name)
    graph = model.export(tmp_path / "m.onnx", verify=True)
    assert len(graph.nodes) > 0
    onnx.checker.check_model(str(tmp_path / "m.onnx"), full_check=True)
    executable = ort_runtime.prepare(tmp_path / "m.onnx")
    for rows in (1, 5):
        x, _ = samples(name, model, rows)
        results = executable.run(as_feeds(model, x))
        for result, expected in zip(results.values(), flatten(model.predict(x, verbose=0)), strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


def test_the_ticket_model_takes_any_lengths(tmp_path):
    model = small("ticket")
    model.export(tmp_path / "m.onnx")
    executable = ort_runtime.prepare(tmp_path / "m.onnx")
    rng = np.random.default_rng(0)
    for rows, title, body in ((1, 1, 3), (4, 12, 7)):
        x = {
            "title": rng.integers(0, 50, (rows, title)).astype("float32"),
            "body": rng.integers(0, 50, (rows, body)).astype("float32"),
            "tags": rng.integers(0, 2, (rows, 12)).astype("float32"),
        }
        results = executable.run(x)
        for result, expected in zip(results.values(), model.predict(x, verbose=0), strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "most", "once"),
    # The toy ResNet cannot have fewer: ONNX has no operator for a convolution with its activation. See the test below.
    [("ticket", 20, {"LSTM": 2}), ("toy_resnet", 22, {"Conv": 7}), ("tweet_pair", 20, {"LSTM": 2})],
)
def test_files_are_as_small_as_an_expert_would_write_them(name, most, once, tmp_path):
    small(name).export(tmp_path / "m.onnx")
    found = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert len(found) <= most
    assert not {"Loop", "Scan", "If"} & set(found)
    assert {op: found.count(op) for op in once} == once


def test_the_toy_resnet_is_small_once_onnx_runtime_has_joined_convolutions_and_activations(tmp_path):
    small("toy_resnet").export(tmp_path / "m.onnx")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(tmp_path / "m.onnx", options, providers=["CPUExecutionProvider"])
    assert len(onnx.load(tmp_path / "optimized.onnx").graph.node) <= 14


def test_no_transpose_is_left_inside_the_digits_model(tmp_path):
    small("digits_cnn").export(tmp_path / "m.onnx")
    found = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert "Transpose" not in found
    assert found.count("Conv") == 2
    assert found.count("Gemm") == 2


def test_training_reaches_97_percent_on_real_digits():
    module = load("digits_cnn")
    graphc.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    model = module.build()
    module.compile_model(model)
    model.fit(x_train, y_train, batch_size=64, epochs=8, verbose=0)
    assert model.evaluate(x_test, y_test, verbose=0)[1] >= 0.97


def test_the_prose_names_every_model():
    text = (FOLDER / "README.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in text] == []
