"""The models of the folder `models/`: each builder runs, its JSON is current, it trains and exports."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import graphc
from graphc.runtimes import ort_runtime
from graphc.saving.model_json import read_model

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "models").glob("*.py"))


def build(name):
    spec = importlib.util.spec_from_file_location(f"models_{name}", ROOT / "models" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build()


def test_the_files_are_what_the_builders_give():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "write_models.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_model_trains_saves_and_exports(name, tmp_path):
    graphc.utils.set_random_seed(0)
    model = build(name)
    again = read_model(ROOT / "models" / f"{name}.json")
    again.set_weights(model.get_weights())
    rng = np.random.default_rng(0)
    x = rng.random((24, *model.input_shape[1:]), dtype="float32")
    y = rng.integers(0, 10, 24)
    np.testing.assert_array_equal(model(x), again(x))
    model.compile("adam", graphc.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    losses = model.fit(x, y, epochs=12, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.export(tmp_path / "m.onnx", verify=True)
    executable = ort_runtime.prepare(tmp_path / "m.onnx")
    for rows in (1, 5, 24):
        result = executable.run({model.input_names[0]: x[:rows]})["logits"]
        np.testing.assert_allclose(result, model(x[:rows]), rtol=1e-5, atol=1e-5)


def test_no_transpose_is_left_inside_the_digits_model(tmp_path):
    build("digits_cnn").export(tmp_path / "m.onnx")
    found = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert "Transpose" not in found
    assert found.count("Conv") == 2
    assert found.count("Gemm") == 2


def test_training_reaches_97_percent_on_real_digits():
    spec = importlib.util.spec_from_file_location("digits", ROOT / "models" / "digits_cnn.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    graphc.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    model = module.build()
    loss = graphc.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(graphc.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=64, epochs=8, verbose=0)
    assert model.evaluate(x_test, y_test, verbose=0)[1] >= 0.97
