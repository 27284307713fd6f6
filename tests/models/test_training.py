"""fit, evaluate, predict: what they compute, repeatability, and what they refuse."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError, DataError


def classifier(seed=0, dropout=0.0, metrics=("accuracy",)):
    graphc.utils.clear_session()
    graphc.utils.set_random_seed(seed)
    inputs = graphc.Input((6,), name="x")
    h = layers.Dense(8, activation="relu")(inputs)
    h = layers.Dropout(dropout)(h)
    model = graphc.Model(inputs, layers.Dense(3, name="out")(h))
    loss = graphc.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(graphc.optimizers.Adam(0.01), loss, metrics=list(metrics))
    return model


def data(n=50):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n, 6)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64") + (x[:, 1] > 0.5)


def test_training_learns_and_history_has_keras_keys():
    model = classifier()
    x, y = data(200)
    history = model.fit(x, y, epochs=30, batch_size=16, validation_split=0.25, verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == list(range(30))
    assert history.history["loss"][-1] < 0.6 * history.history["loss"][0]
    assert history.history["accuracy"][-1] > 0.8


def test_evaluate_weighs_the_short_last_batch():
    model = classifier()
    x, y = data(50)
    by_batches = model.evaluate(x, y, batch_size=16, verbose=0)
    at_once = model.evaluate(x, y, batch_size=50, verbose=0)
    np.testing.assert_allclose(by_batches, at_once, rtol=1e-5)
    logits = model.predict(x, verbose=0)
    assert by_batches[1] == pytest.approx(np.mean(logits.argmax(-1) == y), abs=1e-6)
    assert model.evaluate(x, y, verbose=0, return_dict=True).keys() == {"loss", "accuracy"}


def test_predict_joins_batches():
    model = classifier()
    x, _ = data(37)
    np.testing.assert_allclose(model.predict(x, batch_size=8, verbose=0), model(x), rtol=1e-5, atol=1e-6)
    assert model.predict(x[:1], verbose=0).shape == (1, 3)
    np.testing.assert_allclose(model.predict_on_batch(x), model(x), rtol=1e-6)


def test_same_seed_same_bits():
    def weights():
        model = classifier(seed=7, dropout=0.4)
        model.fit(*data(), epochs=3, batch_size=8, verbose=0)
        return model.get_weights()

    for first, second in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(first, second)


PROGRAM = """
import hashlib, sys
sys.path.insert(0, {folder!r})
from test_training import classifier, data
model = classifier(seed=3, dropout=0.3)
model.fit(*data(), epochs=2, batch_size=8, verbose=0)
print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
"""


def test_same_seed_same_bits_across_processes(tmp_path):
    folder = os.path.dirname(__file__)
    digests = set()
    for hash_seed in ("0", "123"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(folder=folder)],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_dropout_acts_in_training_only_and_differs_from_step_to_step():
    inputs = graphc.Input((200,))
    model = graphc.Model(inputs, layers.Dropout(0.25)(inputs))
    ones = np.ones((50, 200), "float32")
    np.testing.assert_array_equal(model(ones), ones)
    first, second = model(ones, training=True), model(ones, training=True)
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / 0.75)}
    assert np.mean(first == 0) == pytest.approx(0.25, abs=0.02)
    assert not np.array_equal(first, second)


def test_moving_statistics_move_in_training_only():
    inputs = graphc.Input((4,))
    norm = layers.BatchNormalization(momentum=0.9)
    model = graphc.Model(inputs, norm(inputs))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(3.0, 2.0, (64, 4)).astype("float32")
    model.evaluate(x, x, verbose=0)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), np.zeros(4))
    model.train_on_batch(x, x)
    np.testing.assert_allclose(norm.moving_mean.numpy(), 0.1 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance.numpy(), 0.9 + 0.1 * x.var(0), rtol=1e-5)


def test_two_outputs_with_named_losses_and_weights():
    x = graphc.Input((4,), name="x")
    h = layers.Dense(5, activation="tanh")(x)
    model = graphc.Model(x, [layers.Dense(1, name="price")(h), layers.Dense(2, name="kind")(h)])
    model.compile(
        "sgd",
        {"price": "mse", "kind": graphc.losses.CategoricalCrossentropy(from_logits=True)},
        loss_weights={"price": 2.0, "kind": 0.5},
        metrics={"kind": ["accuracy"]},
    )
    rng = np.random.default_rng(0)
    xs, price = rng.standard_normal((20, 4)).astype("float32"), rng.standard_normal((20, 1))
    kind = np.eye(2, dtype="float32")[rng.integers(0, 2, 20)]
    results = model.evaluate(xs, {"price": price, "kind": kind}, verbose=0, return_dict=True)
    assert set(results) == {"loss", "price_loss", "kind_loss", "kind_accuracy"}
    assert results["loss"] == pytest.approx(2 * results["price_loss"] + 0.5 * results["kind_loss"], rel=1e-5)
    as_list = model.evaluate(xs, [price, kind], verbose=0)
    assert as_list == pytest.approx([results[k] for k in ("loss", "price_loss", "kind_loss", "kind_accuracy")])


def test_sample_and_class_weights():
    x, y = data(40)
    model = classifier()
    weights = np.where(y == 0, 3.0, 1.0)
    weighted = model.test_on_batch(x, y, sample_weight=weights, return_dict=True)["loss"]
    logits = model(x)
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    per_sample = -logp[np.arange(40), y]
    assert weighted == pytest.approx(np.mean(per_sample * weights), rel=1e-5)
    first, second = classifier(seed=5), classifier(seed=5)
    first.train_on_batch(x, y, sample_weight=weights)
    second.train_on_batch(x, y, class_weight={0: 3.0})
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_generator_of_batches():
    model = classifier()
    x, y = data(64)

    def stream():
        while True:
            for i in range(0, 64, 16):
                yield x[i : i + 16], y[i : i + 16]

    history = model.fit(stream(), steps_per_epoch=4, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


def test_a_callback_can_stop_training():
    class Stop(graphc.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                self.model.stop_training = True

    history = classifier().fit(*data(), epochs=10, verbose=0, callbacks=[Stop()])
    assert len(history.epoch) == 3


def test_ctrl_c_waits_for_the_end_of_the_step():
    inputs = graphc.Input((3,))
    w1, w2 = layers.Dense(3, use_bias=False), layers.Dense(3, use_bias=False)
    model = graphc.Model(inputs, layers.add([w1(inputs), w2(inputs)]))
    model.compile("sgd", "mse")
    w2.set_weights(w1.get_weights())  # the two stay equal as long as every step is whole

    class Interrupt(graphc.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 5:
                os.kill(os.getpid(), signal.SIGINT)

    x = np.random.default_rng(0).standard_normal((100, 3)).astype("float32")
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, x, batch_size=4, verbose=0, callbacks=[Interrupt()])
    np.testing.assert_array_equal(w1.get_weights()[0], w2.get_weights()[0])
    assert int(model.optimizer.iterations.numpy()) == 6
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    model.fit(x, x, epochs=1, verbose=0)


def test_one_model_in_several_threads():
    model = classifier()
    x, _ = data(64)
    expected = model.predict(x, verbose=0)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda n: model.predict(x[: n + 1], verbose=0), [63, 7, 31, 63, 15] * 6):
            np.testing.assert_allclose(result, expected[: len(result)], rtol=1e-5, atol=1e-6)


def test_progress_lines(capsys):
    classifier().fit(*data(64), epochs=2, batch_size=32, verbose=2)
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "Epoch 1/2"
    assert lines[1].startswith("2/2 - ")
    assert "accuracy: " in lines[1]
    assert "loss: " in lines[1]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"epochs": -1}, ArgumentError, "epochs"),
        ({"batch_size": 0}, ArgumentError, "batch_size"),
        ({"batch_size": -3}, ArgumentError, "batch_size"),
        ({"epochs": 1.5}, ArgumentError, "epochs"),
        ({"validation_split": 1.5}, ArgumentError, "validation_split"),
        ({"verbose": "loud"}, ArgumentError, "verbose"),
        ({"y": np.zeros(7, int)}, DataError, "cardinality"),
        ({"x": np.zeros((0, 6), "float32"), "y": np.zeros(0, int)}, DataError, "empty"),
        ({"x": np.full((50, 6), "a")}, DataError, "numbers"),
        ({"x": np.full((50, 6), None)}, DataError, "object"),
        ({"x": np.zeros((50, 6), complex)}, DataError, "complex"),
        ({"x": np.zeros((50, 5), "float32")}, DataError, r"\(None, 6\).*\(50, 5\)"),
        ({"y": np.full(50, 3)}, DataError, "3"),
        ({"y": np.full(50, -1)}, DataError, "-1"),
        ({"y": np.full(50, 0.5)}, DataError, "0.5"),
        ({"x": [[1, 2, 3], [1, 2]]}, DataError, "rectangular"),
        ({"y": None}, ArgumentError, "targets"),
    ],
)
def test_what_fit_refuses_before_it_changes_anything(arguments, error, words):
    model = classifier()
    x, y = data()
    before = model.get_weights()
    with pytest.raises(error, match=words):
        model.fit(**{"x": x, "y": y, "verbose": 0, **arguments})
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"loss": "mean_squared_eror"}, "mean_squared_error"),
        ({"optimizer": "adm"}, "adam"),
        ({"metrics": ["acuracy"]}, "accuracy"),
        ({"metrics": "accuracy"}, "list"),
        ({"loss": ["mse", "mse"]}, "2 entries for 1"),
        ({"loss": {"nope": "mse"}}, "nope"),
        ({"loss_weights": [1.0, 2.0]}, "2 entries for 1"),
    ],
)
def test_what_compile_refuses(arguments, words):
    model = classifier()
    with pytest.raises(ArgumentError, match=words):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})


def test_training_needs_compile():
    inputs = graphc.Input((2,))
    model = graphc.Model(inputs, layers.Dense(1)(inputs))
    with pytest.raises(ArgumentError, match="compile"):
        model.fit(np.zeros((2, 2)), np.zeros((2, 1)))


def test_inputs_are_never_written():
    x, y = data(32)
    x.flags.writeable = False
    y.flags.writeable = False
    classifier().fit(x, y, epochs=1, verbose=0)
    fortran = np.asfortranarray(x)[::-1]
    np.testing.assert_allclose(classifier().predict(fortran, verbose=0), classifier()(x[::-1]), rtol=1e-5, atol=1e-6)


def test_lists_and_float64_are_accepted():
    x, y = data(8)
    model = classifier()
    model.fit(x.tolist(), y.tolist(), epochs=1, verbose=0)
    np.testing.assert_allclose(model.predict(x.astype("float64"), verbose=0), model(x), rtol=1e-6)


def test_compile_sees_what_was_changed_in_a_layer():
    model = classifier()
    x, _ = data(4)
    model.predict(x, verbose=0)
    model.layers[-1].activation = graphc.activations.get("softmax")
    model.compile("sgd", "sparse_categorical_crossentropy")
    np.testing.assert_allclose(model.predict(x, verbose=0).sum(1), np.ones(4), rtol=1e-5)


def test_a_frozen_normalization_uses_its_moving_statistics_in_training():
    inputs = graphc.Input((4,))
    model = graphc.Model(inputs, layers.BatchNormalization(name="norm")(inputs))
    x = np.random.default_rng(0).normal(3, 2, (64, 4)).astype("float32")
    assert abs(model(x, training=True).mean()) < 1e-3
    model.set_weights([np.ones(4), np.zeros(4), np.zeros(4), np.ones(4)])
    model.get_layer("norm").trainable = False
    np.testing.assert_allclose(model(x, training=True), x / np.sqrt(1.001), rtol=1e-5)


def test_a_frozen_model_does_not_train_whatever_its_layers_say():
    model = classifier()
    model.trainable = False
    model.layers[1].trainable = True
    model.compile("adam", graphc.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = model.get_weights()
    model.fit(*data(), epochs=1, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_fixed_batch_refuses_a_short_one():
    inputs = graphc.Input(batch_shape=(4, 6))
    model = graphc.Model(inputs, layers.Dense(3)(inputs))
    model.compile("sgd", graphc.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = data(9)
    for call in (model.fit, model.evaluate):
        with pytest.raises(DataError, match="batches of 4"):
            call(x, y, batch_size=4, verbose=0)
    with pytest.raises(DataError, match="batches of 4"):
        model.predict(x, batch_size=4, verbose=0)
    model.fit(x[:8], y[:8], batch_size=4, verbose=0)


def test_epochs_of_a_given_length_go_on_through_the_data():
    x, y = data(64)
    whole, parts = classifier(), classifier()
    whole.fit(x, y, batch_size=16, epochs=1, shuffle=False, verbose=0)
    parts.fit(x, y, batch_size=16, epochs=2, steps_per_epoch=2, shuffle=False, verbose=0)
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "arguments",
    [{"validation_batch_size": -1}, {"validation_steps": 0}, {"steps_per_epoch": 0}, {"validation_freq": 0}],
)
def test_counts_must_be_positive(arguments):
    x, y = data()
    with pytest.raises(ArgumentError, match="validation|steps"):
        classifier().fit(x, y, validation_data=(x, y), verbose=0, **arguments)
    with pytest.raises(ArgumentError, match="steps"):
        classifier().evaluate(x, y, steps=0, verbose=0)
    with pytest.raises(ArgumentError, match="steps"):
        classifier().predict(x, steps=-1, verbose=0)


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        (lambda x, y: (x, y + 5), "label"),
        (lambda x, y: (x, y[:3]), "cardinality"),
        (lambda x, y: (x[:, :2], y), "shape"),
        (lambda x, y: (x, np.where(y == 0, np.nan, y)), "nan"),
    ],
)
def test_validation_data_is_checked_before_training(validation, words):
    model = classifier()
    x, y = data()
    before = model.get_weights()
    with pytest.raises(DataError, match=words):
        model.fit(x, y, validation_data=validation(x, y), verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_misspelt_name_of_sample_weights_is_refused():
    x, y = data()
    with pytest.raises(ArgumentError, match="nope"):
        classifier().fit(x, y, sample_weight={"nope": np.zeros(50)}, verbose=0)


def test_stop_training_acts_with_and_without_a_progress_bar(capsys):
    class Stop(graphc.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.stop_training = True

    for verbose in (0, 1):
        model = classifier()
        model.fit(*data(64), batch_size=16, verbose=verbose, callbacks=[Stop()])
        assert int(model.optimizer.iterations.numpy()) == 1


class Batches:
    """An object with a length that gives batches, as Keras's PyDataset."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        x, y = data(64)
        return x[i * 16 : i * 16 + 16], y[i * 16 : i * 16 + 16]

    def on_epoch_end(self):
        pass


def test_objects_that_give_batches():
    model = classifier()
    assert model.predict(Batches(), verbose=0).shape == (64, 3)
    assert model.predict(Batches(), steps=2, verbose=0).shape == (32, 3)
    assert len(model.fit(Batches(), epochs=2, validation_data=Batches(), verbose=0).history["val_loss"]) == 2


def test_a_generator_that_ends_stops_training_with_a_warning():
    x, y = data(64)
    with pytest.warns(UserWarning, match="ran out of data"):
        history = classifier().fit(((x[i : i + 16], y[i : i + 16]) for i in range(0, 64, 16)), epochs=3, verbose=0)
    assert len(history.epoch) >= 1


def test_two_outputs_of_one_layer():
    inputs = graphc.Input((6,))
    shared = layers.Dense(3, name="q")
    model = graphc.Model(inputs, [shared(inputs), shared(inputs * 2.0)])
    model.compile("sgd", ["mse", "mae"])
    x, _ = data(8)
    assert np.isfinite(model.evaluate(x, [x[:, :3], x[:, 3:]], verbose=0)[0])


def test_truth_values_as_one_hot_targets():
    x, y = data(20)
    inputs = graphc.Input((6,))
    model = graphc.Model(inputs, layers.Dense(3, activation="softmax")(inputs))
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    as_bool = model.evaluate(x, np.eye(3, dtype=bool)[y], verbose=0)
    assert as_bool == model.evaluate(x, np.eye(3, dtype="float32")[y], verbose=0)


def test_set_weights_sets_all_or_none():
    model = classifier()
    before = model.get_weights()
    with pytest.raises(TypeError, match="dtype"):
        model.set_weights([w + 1 for w in before[:-1]] + [np.array(["a"] * 3)])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
