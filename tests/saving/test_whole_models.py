"""``model.save`` and ``load_model``: what comes back, what the file is, and what is left when saving fails."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError, CheckpointError, ModelFileError

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((24, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def small(optimizer: Any = None, seed: int = 1) -> Any:
    graphc.utils.set_random_seed(seed)
    graphc.utils.clear_session()
    inputs = graphc.Input((4,), name="x")
    hidden = layers.Dropout(0.3)(layers.BatchNormalization()(layers.Dense(8, activation="tanh")(inputs)))
    model = graphc.Model(inputs, layers.Dense(1, name="out")(hidden), name="small")
    if optimizer is not None:
        model.compile(optimizer, "mse", metrics=["mae"])
    return model


def fit(model: Any, epochs: int = 1) -> dict[str, Any]:
    history: dict[str, Any] = model.fit(X, Y, epochs=epochs, batch_size=4, shuffle=False, verbose=0).history
    return history


def same_weights(one: Any, other: Any) -> None:
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


OPTIMIZERS = {
    "adam": lambda: graphc.optimizers.Adam(0.01, amsgrad=True),
    "rmsprop": lambda: graphc.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "sgd": lambda: graphc.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "schedule": lambda: graphc.optimizers.Adam(graphc.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)),
    "ema": lambda: graphc.optimizers.SGD(0.05, use_ema=True, gradient_accumulation_steps=2),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_resumes_bit_for_bit(name: str, tmp_path: Path) -> None:
    straight, halved = small(OPTIMIZERS[name]()), small(OPTIMIZERS[name]())
    fit(straight)
    expected = fit(straight)
    fit(halved)
    halved.save(tmp_path / "m.keras")
    resumed = graphc.models.load_model(tmp_path / "m.keras")
    assert fit(resumed) == expected  # dropout included: the random key is in the file
    same_weights(straight, resumed)
    for a, b in zip(straight.optimizer.variables, resumed.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_path_without_an_ending_is_one_file(tmp_path: Path) -> None:
    model = small("adam")
    model.save(tmp_path / "path_to_my_model")
    assert os.listdir(tmp_path) == ["path_to_my_model"]
    again = graphc.models.load_model(str(tmp_path / "path_to_my_model"))
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert again.compiled


def test_the_archive_has_keras_members_in_keras_order(tmp_path: Path) -> None:
    model = small("adam")
    fit(model)
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        metadata = json.loads(archive.read("metadata.json"))
        config = json.loads(archive.read("config.json"))
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
            assert weights["layers/dense/vars/0"].shape == (4, 8)
            assert weights["layers/dropout/vars"].attrs["name"] == "dropout"
            assert weights["optimizer/vars/0"][()] == 6
    assert metadata["keras_version"] == "3.15.1"
    assert list(config) == ["module", "class_name", "config", "registered_name", "build_config", "compile_config"]
    assert list(config["compile_config"]) == [
        "optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution",
        "jit_compile",
    ]  # fmt: skip


def test_equal_models_give_equal_bytes_but_for_the_date(tmp_path: Path) -> None:
    members = []
    for i in range(2):
        model = small("adam")
        fit(model)
        model.save(tmp_path / f"{i}.keras")
        with zipfile.ZipFile(tmp_path / f"{i}.keras") as archive:
            members.append({name: archive.read(name) for name in archive.namelist() if name != "metadata.json"})
    assert members[0] == members[1]


def test_without_the_optimizer(tmp_path: Path) -> None:
    model = small("adam")
    fit(model)
    model.save(tmp_path / "m.keras", include_optimizer=False)
    again = graphc.models.load_model(tmp_path / "m.keras")
    same_weights(model, again)
    assert int(again.optimizer.iterations) == 0
    uncompiled = graphc.models.load_model(tmp_path / "m.keras", compile=False)
    assert not uncompiled.compiled
    same_weights(model, uncompiled)


def test_models_that_are_not_compiled_or_not_built(tmp_path: Path) -> None:
    model = small()
    model.save(tmp_path / "m.keras")
    again = graphc.models.load_model(tmp_path / "m.keras")
    same_weights(model, again)
    assert not again.compiled
    open_ended = graphc.Sequential([layers.Dense(3), layers.Dense(2)])
    with pytest.warns(UserWarning, match="before it is built"):
        open_ended.save(tmp_path / "s.keras")
    back = graphc.models.load_model(tmp_path / "s.keras")
    assert not back.built
    assert back(X).shape == (24, 2)


def test_frozen_layers_stay_frozen(tmp_path: Path) -> None:
    model = small("sgd")
    model.layers[1].trainable = False
    model.save(tmp_path / "m.keras")
    again = graphc.models.load_model(tmp_path / "m.keras")
    assert [layer.trainable for layer in again.layers] == [layer.trainable for layer in model.layers]
    assert [v.path for v in again.trainable_weights] == [v.path for v in model.trainable_weights]


def test_layers_shared_between_models_are_shared_again(tmp_path: Path) -> None:
    tied = layers.Dense(4, name="tied")
    z, x = graphc.Input((4,), name="z"), graphc.Input((4,), name="x")
    inner = graphc.Model(z, tied(z), name="inner")
    model = graphc.Model(x, inner(tied(x)))
    assert len(model.weights) == 2
    model.save(tmp_path / "m.keras")
    for again in (graphc.models.load_model(tmp_path / "m.keras"), graphc.models.model_from_json(model.to_json())):
        assert len(again.weights) == 2
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again(X), model(X))


def test_file_objects_copies_and_pickles() -> None:
    model = small("adam")
    fit(model)
    memory = io.BytesIO()
    model.save(memory)
    memory.seek(0)
    for again in (graphc.models.load_model(memory), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        same_weights(model, again)
        assert int(again.optimizer.iterations) == 6
        assert fit(again) == fit(copy.deepcopy(model))


def test_a_lambda_cannot_be_saved_and_nothing_is_left(tmp_path: Path) -> None:
    inputs = graphc.Input((4,))
    model = graphc.Model(inputs, layers.Dense(2, activation=lambda x: x * 2.0)(inputs))
    with pytest.raises(ArgumentError, match="lambda"):
        model.save(tmp_path / "m.keras")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("m.h5", "old format"), ("m.weights.h5", "save_weights"), ("m.onnx", "export"), ("m.json", "to_json")],
)
def test_endings_of_other_kinds(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=words):
        small().save(tmp_path / name)


def test_arguments_of_save(tmp_path: Path) -> None:
    model = small()
    model.save(tmp_path / "m.keras")
    with pytest.raises(ArgumentError, match="exists already"):
        model.save(tmp_path / "m.keras", overwrite=False)
    with pytest.raises(ArgumentError, match="nonsense"):
        model.save(tmp_path / "m.keras", nonsense=1)
    with pytest.raises(ArgumentError, match="zipped"):
        model.save(tmp_path / "folder", zipped=False)
    with pytest.raises(ArgumentError, match="takes a model"):
        graphc.models.save_model(3, tmp_path / "m.keras")
    with pytest.raises(ArgumentError, match="path or a binary file"):
        graphc.models.load_model(3)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    small().save(path)
    before = path.read_bytes()

    class Broken(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

        def save_own_variables(self, store: Any) -> None:
            raise RuntimeError("no")

    inputs = graphc.Input((4,))
    with pytest.raises(RuntimeError, match="no"):
        graphc.Model(inputs, Broken()(inputs)).save(path)
    assert path.read_bytes() == before
    with pytest.raises(CheckpointError):
        small().save(tmp_path / "none" / "m.keras")
    assert os.listdir(tmp_path) == ["m.keras"]


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_killed_save_leaves_a_file_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    program = textwrap.dedent(
        """
        import sys, graphc
        from graphc import layers
        inputs = graphc.Input((300,))
        model = graphc.Model(inputs, layers.Dense(2000)(layers.Dense(2000)(inputs)))
        model.save(sys.argv[1])
        print("saved", flush=True)
        while True:
            model.save(sys.argv[1])
        """
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"saved\n"
        for _ in range(200):  # until it is amid writing, or at any other moment
            if any(name.endswith(".tmp") for name in os.listdir(tmp_path)):
                break
        process.send_signal(signal.SIGKILL)
    assert graphc.models.load_model(path).count_params() == 300 * 2000 + 2000 + 2000 * 2000 + 2000


def test_own_variables_of_a_layer_of_the_users(tmp_path: Path) -> None:
    @graphc.saving.register_keras_serializable("tests")
    class Table(layers.Layer):
        """Keeps a table that is no weight."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.table = np.zeros(3, "float32")

        def call(self, inputs: Any) -> Any:
            return inputs + self.table[0]

        def save_own_variables(self, store: dict[str, Any]) -> None:
            store["table"] = self.table

        def load_own_variables(self, store: dict[str, Any]) -> None:
            self.table = np.array(store["table"])

    inputs = graphc.Input((4,))
    layer = Table(name="table")
    model = graphc.Model(inputs, layer(inputs))
    layer.table[:] = 5
    model.save(tmp_path / "m.keras")
    again = graphc.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.get_layer("table").table, [5, 5, 5])


def test_custom_objects_by_argument_scope_and_registration(tmp_path: Path) -> None:
    class Times(layers.Layer):
        def __init__(self, factor: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    def start(shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, 0.5, dtype)

    def error(y_true: Any, y_pred: Any) -> Any:
        return graphc.ops.mean(graphc.ops.abs(y_true - y_pred), axis=-1)

    inputs = graphc.Input((4,))
    model = graphc.Model(inputs, Times(3.0)(layers.Dense(2, kernel_initializer=start)(inputs)))
    model.compile("sgd", loss=error, metrics=[error])
    model.train_on_batch(X, np.zeros((24, 2), "float32"))
    model.save(tmp_path / "m.keras")
    own = {"Times": Times, "start": start, "error": error}
    with pytest.raises(ModelFileError, match="start|Times"):
        graphc.models.load_model(tmp_path / "m.keras")
    with graphc.saving.custom_object_scope(own):
        scoped = graphc.models.load_model(tmp_path / "m.keras")
    given = graphc.models.load_model(tmp_path / "m.keras", custom_objects=own)
    target = np.ones((24, 2), "float32")
    expected = model.test_on_batch(X, target)
    assert scoped.test_on_batch(X, target) == given.test_on_batch(X, target) == expected


def test_serialized_objects_come_back() -> None:
    value = {
        "layer": layers.Dense(3, activation="relu", name="d"),
        "start": graphc.initializers.HeNormal(seed=3),
        "loss": graphc.losses.MeanSquaredError(),
        "optimizer": graphc.optimizers.SGD(0.5),
        "rate": graphc.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5),
        "function": graphc.activations.relu,
        "data": [(1, 2.5), slice(1, None), ..., b"bytes", np.arange(3), np.float32(2), None, True, "text"],
    }
    config = json.loads(json.dumps(graphc.saving.serialize_keras_object(value)))
    assert config["layer"]["module"] == "keras.layers"
    assert config["function"] == {
        "module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function",
    }  # fmt: skip
    again = graphc.saving.deserialize_keras_object(config)
    assert again["layer"].get_config() == value["layer"].get_config()
    assert [type(again[k]).__name__ for k in ("start", "loss", "optimizer", "rate")] == [
        "HeNormal", "MeanSquaredError", "SGD", "ExponentialDecay",
    ]  # fmt: skip
    assert again["function"] is graphc.activations.relu
    np.testing.assert_array_equal(again["data"].pop(4), np.arange(3))
    assert again["data"] == [[1, 2.5], slice(1, None), ..., b"bytes", 2.0, None, True, "text"]
    with pytest.raises(ArgumentError, match="get_config"):
        graphc.saving.serialize_keras_object(object())


def test_weights_of_a_whole_model_for_another(tmp_path: Path) -> None:
    model, other = small("adam"), small("adam", seed=2)
    fit(model)
    model.save(tmp_path / "m.keras")
    other.load_weights(tmp_path / "m.keras")
    same_weights(model, other)
    with pytest.raises(ArgumentError, match="by_name"):
        other.load_weights(tmp_path / "m.keras", by_name=True)
    with pytest.raises(ArgumentError, match="must end in"):
        other.load_weights(tmp_path / "m.npz")


def test_a_compile_of_the_users_own_is_left_to_the_user(tmp_path: Path) -> None:
    class Own(graphc.Model):
        def compile(self, rate: float) -> None:  # type: ignore[override]
            super().compile(graphc.optimizers.SGD(rate), "mse")

    inputs = graphc.Input((4,))
    model = Own(inputs, layers.Dense(1)(inputs))
    model.compile(0.5)
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="`compile` of its own"):
        again = graphc.models.load_model(tmp_path / "m.keras", {"Own": Own})
    assert not again.compiled
    same_weights(model, again)
