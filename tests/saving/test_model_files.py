"""JSON and weight files: round trips, and what is refused."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError, CheckpointError, ModelFileError
from graphc.saving.model_json import read_model


def small(name="small"):
    inputs = graphc.Input((4,), name="x")
    shared = layers.Dense(3, name="shared", kernel_regularizer="l2")
    y = layers.BatchNormalization(name="norm")(shared(inputs))
    inner_in = graphc.Input((3,), name="inner_in")
    inner = graphc.Model(inner_in, layers.Dense(4, activation="relu", name="d")(inner_in), name="inner")
    z = shared(inner(y))
    return graphc.Model(inputs, {"a": z + y[:, :3], "b": layers.concatenate([z, y])}, name=name)


DATA = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")


def same(one, other):
    first, second = one(DATA), other(DATA)
    assert first.keys() == second.keys()
    for key in first:
        np.testing.assert_array_equal(first[key], second[key])


def test_json_round_trip_gives_the_same_model_and_the_same_text():
    model = small()
    text = model.to_json()
    again = graphc.models.model_from_json(text)
    again.set_weights(model.get_weights())
    same(model, again)
    assert json.loads(again.to_json()) == json.loads(text)


def test_sequential_round_trip():
    model = graphc.Sequential(
        [graphc.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dropout(0.2), layers.Dense(2)]
    )
    again = graphc.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(DATA), model(DATA))


def test_a_compiled_model_comes_back_compiled():
    model = graphc.Sequential([graphc.Input((4,)), layers.Dense(1)])
    model.compile(graphc.optimizers.RMSprop(0.01), "mse", metrics=["mae"])
    again = graphc.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    target = DATA.sum(1, keepdims=True)
    assert again.train_on_batch(DATA, target) == pytest.approx(model.train_on_batch(DATA, target))
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_weights_round_trip(tmp_path):
    model, other = small("one"), small("other")
    file = tmp_path / "m.weights.h5"
    model.save_weights(file)
    other.load_weights(file)
    same(model, other)


def test_weights_of_another_model_change_nothing(tmp_path):
    file = tmp_path / "m.weights.h5"
    small().save_weights(file)
    inputs = graphc.Input((4,))
    other = graphc.Model(inputs, layers.Dense(7)(inputs))
    before = other.get_weights()
    with pytest.raises(ModelFileError, match="dense"):
        other.load_weights(file)
    np.testing.assert_array_equal(before[0], other.get_weights()[0])


@pytest.mark.parametrize("size", [0, 1, 100, 0.5, 0.9])
def test_truncated_weights_are_refused(tmp_path, size):
    file = tmp_path / "m.weights.h5"
    model = small()
    model.save_weights(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: size if isinstance(size, int) else int(len(whole) * size)])
    with pytest.raises(ModelFileError, match=r"m\.weights\.h5"):
        model.load_weights(file)


def test_the_ending_is_checked_and_missing_files_are_named(tmp_path):
    model = small()
    with pytest.raises(ArgumentError, match=r"\.weights\.h5"):
        model.save_weights(tmp_path / "m.h5")
    with pytest.raises(ModelFileError, match="no such file"):
        model.load_weights(tmp_path / "none.weights.h5")
    with pytest.raises(CheckpointError):
        model.save_weights(tmp_path / "no" / "folder" / "m.weights.h5")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1"),
        ('{"class_name": "Func', "line 1, column"),
        ("null", "object"),
        ("[]", "object"),
        ('{"a":' * 20_000, "deep|valid JSON"),
        ('{"class_name": "Functional", "config": {}}', "layer"),
        ('{"class_name": "NoSuch", "config": {}}', "NoSuch"),
        ("1" * 5000, "number|object"),
    ],
)
def test_bad_json_is_refused(text, words):
    with pytest.raises(ModelFileError, match=words):
        graphc.models.model_from_json(text)


def edited(change):
    entry = json.loads(small().to_json())
    change(entry["config"])
    return json.dumps(entry)


def layer(config, name):
    return next(entry for entry in config["layers"] if entry["name"] == name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: layer(c, "shared").update(class_name="Dnse"), 'Did you mean "Dense"'),
        (lambda c: layer(c, "shared")["config"].update(units="3"), "units"),
        (lambda c: layer(c, "shared")["config"].update(units=True), "units"),
        (lambda c: layer(c, "shared")["config"].update(activation="__import__('os')"), "activation"),
        (lambda c: layer(c, "shared")["config"].update(dtype="float99"), "float99"),
        (lambda c: layer(c, "shared")["config"].update(nonsense=1), "nonsense"),
        (lambda c: layer(c, "x")["config"].update(batch_shape=[None, -4]), "-4"),
        (
            lambda c: layer(c, "norm")["inbound_nodes"][0]["args"][0]["config"].update(keras_history=["ghost", 0, 0]),
            "ghost",
        ),
        (lambda c: c["layers"].append(layer(c, "x")), "x"),
        (lambda c: c.update(output_layers=["ghost", 0, 0]), "ghost"),
        (lambda c: c.update(layers=7), "layers"),
    ],
)
def test_malformed_models_are_refused_with_the_cause(change, words):
    with pytest.raises(ModelFileError, match=words):
        graphc.models.model_from_json(edited(change))


def test_model_files_name_themselves(tmp_path):
    with pytest.raises(ModelFileError, match="no such file"):
        read_model(tmp_path / "none.json")
    with pytest.raises(ModelFileError, match="regular file"):
        read_model(tmp_path)
    file = tmp_path / "m.json"
    file.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ModelFileError, match=r"m\.json.*byte 0"):
        read_model(file)
    file.write_text(small().to_json()[:-40])
    with pytest.raises(ModelFileError, match=r"m\.json.*line 1"):
        read_model(file)


def test_registered_classes_come_back_by_name():
    @graphc.saving.register_keras_serializable("tests")
    class Double(layers.Layer):
        def call(self, inputs):
            return inputs * 2.0

    inputs = graphc.Input((4,))
    model = graphc.Model(inputs, Double()(inputs))
    assert '"registered_name": "tests>Double"' in model.to_json()
    np.testing.assert_array_equal(graphc.models.model_from_json(model.to_json())(DATA), DATA * 2)


def test_training_goes_on_from_saved_weights_and_optimizer_state(tmp_path):
    def trained(epochs):
        graphc.utils.set_random_seed(0)
        inputs = graphc.Input((4,))
        model = graphc.Model(inputs, layers.Dense(1)(layers.Dense(8, activation="tanh")(inputs)))
        model.compile("adam", "mse")
        model.fit(DATA, target, epochs=epochs, batch_size=2, shuffle=False, verbose=0)
        return model

    target = DATA.sum(1, keepdims=True)
    whole, half, again = trained(6), trained(3), trained(1)
    half.save_weights(tmp_path / "m.weights.h5")
    again.load_weights(tmp_path / "m.weights.h5")
    assert int(again.optimizer.iterations.numpy()) == int(half.optimizer.iterations.numpy())
    again.fit(DATA, target, epochs=3, batch_size=2, shuffle=False, verbose=0)
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
