"""Recurrent layers and wrappers: what parity fixtures do not show. State kept between batches, dropout, cells of the user,
exported graphs, masks against a plain loop, and what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import graphc
from graphc import layers, ops

Array = np.ndarray[Any, Any]

UNITS = 3
FEATURES = 4


def sequences(batch: int = 3, time: int = 6, features: int = FEATURES, seed: int = 0) -> Array:
    return np.random.RandomState(seed).uniform(-1, 1, (batch, time, features)).astype(np.float32)


def model_of(layer: Any, *shape: Any, masked: bool = False) -> Any:
    x = graphc.Input(shape or (None, FEATURES))
    return graphc.Model(x, layer(layers.Masking()(x) if masked else x))


def randomise(model: Any, seed: int = 1) -> Any:
    """Weights that are all different from zero."""
    random = np.random.RandomState(seed)
    model.set_weights([random.uniform(-0.7, 0.7, w.shape).astype(np.float32) for w in model.get_weights()])
    return model


class Minimal(graphc.Layer):
    """The cell of Keras's documentation: the output is the state."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent")

    def call(self, inputs: Any, states: Any) -> Any:
        output = ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel))
        return output, [output]


class Running(graphc.Layer):
    """A cell whose output is no state and has another length: the sum so far and its mean, and the number of steps."""

    state_size = (FEATURES, 1)
    output_size = 1

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        total, count = states[0] + inputs, states[1] + 1.0
        return ops.sum(total, axis=-1, keepdims=True) / count, (total, count)


class NotALayer:
    """A cell that is a plain object."""

    state_size = FEATURES

    def call(self, inputs: Any, states: Any) -> Any:
        return inputs + states[0], [inputs + states[0]]


# -- numbers against plain loops --------------------------------------------------------------------------------------


def naive(cell: Any, x: Array, mask: Array, *, backwards: bool, zeros: bool) -> tuple[Array, Array]:
    """The layer's rule, sample by sample and step by step: outputs in the order of processing, and the last states."""
    batch, time, _ = x.shape
    order = range(time - 1, -1, -1) if backwards else range(time)
    rows, ends = [], []
    for b in range(batch):
        states = [np.asarray(s) for s in cell.get_initial_state(1)]
        before = np.zeros((1, cell.output_size), np.float32)
        row = []
        for t in order:
            if mask[b, t]:
                before, states = cell(x[b : b + 1, t], states)
                row.append(before)
            else:
                row.append(np.zeros_like(before) if zeros else before)
        rows.append(np.stack(row, 1))
        ends.append(np.concatenate(states, -1))
    return np.concatenate(rows), np.concatenate(ends)


MASKS = np.array(
    [[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1], [1, 0, 0, 1, 0, 1], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]], bool
)


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "gelu"])  # one op, and a loop
@pytest.mark.parametrize("cls", ["SimpleRNN", "GRU", "LSTM"])
def test_masks(cls: str, activation: str, backwards: bool, zeros: bool) -> None:
    layer = getattr(layers, cls)(
        UNITS, activation=activation, return_sequences=True, return_state=True, go_backwards=backwards,
        zero_output_for_mask=zeros,
    )  # fmt: skip
    last = getattr(layers, cls)(UNITS, activation=activation, go_backwards=backwards, zero_output_for_mask=zeros)
    x = sequences(5)
    expected, ends = naive(randomise_layer(layer, x).cell, x, MASKS, backwards=backwards, zeros=zeros)
    outputs, *states = layer(x, mask=MASKS)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.concatenate(states, -1), ends, rtol=1e-5, atol=1e-6)
    last(x)
    last.set_weights(layer.get_weights())
    np.testing.assert_allclose(last(x, mask=MASKS), expected[:, -1], rtol=1e-5, atol=1e-6)


def randomise_layer(layer: Any, x: Array) -> Any:
    layer(x)
    return randomise(layer)


def test_a_mask_with_features_counts_where_one_does() -> None:
    layer, x = layers.GRU(UNITS), sequences(5)
    wide = MASKS[:, :, None] & (np.arange(3) == 1)
    np.testing.assert_array_equal(layer(x, mask=wide), layer(x, mask=MASKS))


def test_stacked_cells_are_layers_on_each_other() -> None:
    stack = layers.RNN([layers.LSTMCell(UNITS), layers.GRUCell(2)], return_sequences=True, go_backwards=True)
    first, second = layers.LSTM(UNITS, return_sequences=True, go_backwards=True), layers.GRU(2, return_sequences=True)
    x = sequences(5)
    randomise_layer(stack, x)
    flipped = np.flip(MASKS, 1)
    second(first(x))
    first.set_weights(stack.get_weights()[:3])
    second.set_weights(stack.get_weights()[3:])
    np.testing.assert_allclose(stack(x, mask=MASKS), second(first(x, mask=MASKS), mask=flipped), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("cls", ["SimpleRNN", "GRU", "LSTM"])
def test_bidirectional_is_two_layers(cls: str, merge_mode: Any) -> None:
    both = layers.Bidirectional(getattr(layers, cls)(UNITS, return_sequences=True), merge_mode=merge_mode)
    x = sequences(5)
    randomise_layer(both, x)
    y = both.forward_layer(x, mask=MASKS)
    back = np.flip(both.backward_layer(x, mask=MASKS), 1)
    expected = {
        "concat": lambda: np.concatenate([y, back], -1),
        "sum": lambda: y + back,
        "mul": lambda: y * back,
        "ave": lambda: (y + back) / 2,
        None: lambda: np.stack([y, back]),
    }[merge_mode]()
    found = both(x, mask=MASKS)
    np.testing.assert_allclose(np.stack(found) if merge_mode is None else found, expected, rtol=1e-6, atol=1e-7)
    assert not y[~MASKS].any()


@pytest.mark.parametrize(
    ("cell", "size"),
    [(Minimal(UNITS), UNITS), (Running(), 1), (NotALayer(), FEATURES), ([Minimal(UNITS), layers.GRUCell(2)], 2)],
)
def test_cells_of_the_user(cell: Any, size: int) -> None:
    x = sequences(5)
    layer = layers.RNN(cell, return_sequences=True)
    assert layer(x).shape == (5, 6, size)
    model = model_of(layer)
    assert model.output_shape == layer.compute_output_shape((None, None, FEATURES))
    np.testing.assert_allclose(model(x), layer(x), rtol=1e-6)
    last = model_of(layers.RNN(cell))(x)
    np.testing.assert_allclose(last, layer(x)[:, -1], rtol=1e-6)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_cell_whose_output_is_no_state(backwards: bool) -> None:
    layer = layers.RNN(Running(), return_sequences=True, return_state=True, go_backwards=backwards)
    x = sequences(5)
    outputs, total, count = layer(x, mask=MASKS)
    order = np.flip(x, 1) if backwards else x
    valid = np.flip(MASKS, 1) if backwards else MASKS
    sums = np.cumsum(np.where(valid[..., None], order, 0), 1).sum(-1)
    counts = np.cumsum(valid, 1)
    expected = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    np.testing.assert_allclose(outputs[..., 0], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(total.sum(-1), sums[:, -1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(count[:, 0], counts[:, -1])


def test_conv_lstm_with_a_mask() -> None:
    layer = layers.ConvLSTM1D(2, 2, return_sequences=True)
    x = np.random.RandomState(0).uniform(-1, 1, (5, 6, 4, 2)).astype(np.float32)
    randomise_layer(layer, x)
    found = layer(x, mask=MASKS)
    whole = layers.ConvLSTM1D(2, 2, return_sequences=True)
    whole(x)
    whole.set_weights(layer.get_weights())
    for b, valid in enumerate(MASKS):
        if valid.any():
            np.testing.assert_allclose(found[b, valid], whole(x[b : b + 1, valid])[0], rtol=1e-5, atol=1e-6)
        assert not found[b, : np.argmax(valid) if valid.any() else None].any()


def test_the_loop_of_the_guide_with_a_static_batch() -> None:
    class CustomRNN(graphc.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.project, self.carry, self.classifier = layers.Dense(5), layers.Dense(5), layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            state, outputs = ops.zeros((inputs.shape[0], 5)), []
            for t in range(inputs.shape[1]):
                state = self.project(inputs[:, t, :]) + self.carry(state)
                outputs.append(state)
            return self.classifier(ops.stack(outputs, axis=1))

    x = graphc.Input(batch_shape=(2, 6, FEATURES))
    model = graphc.Model(x, CustomRNN()(x))
    assert model(sequences(2)).shape == (2, 6, 1)
    assert len(model.weights) == 6


# -- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", ["SimpleRNN", "GRU", "LSTM"])
def test_stateful_layers_go_on_where_the_last_batch_ended(cls: str) -> None:
    x = graphc.Input(batch_shape=(2, 3, FEATURES))
    layer = getattr(layers, cls)(UNITS, return_sequences=True, stateful=True)
    model = graphc.Model(x, layer(x))
    whole = model_of(getattr(layers, cls)(UNITS, return_sequences=True))
    whole.set_weights(randomise(model).get_weights())
    data = sequences(2)
    parts = [model.predict(data[:, t : t + 3], batch_size=2, verbose=0) for t in (0, 3)]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole(data), rtol=1e-5, atol=1e-6)
    layer.reset_state()
    np.testing.assert_array_equal(model(data[:, :3]), parts[0])
    assert [v.shape for v in layer.states] == [(2, UNITS)] * (2 if cls == "LSTM" else 1)
    assert layer.states[0].numpy().any()


def test_states_are_kept_in_training_and_are_no_weights(tmp_path: Path) -> None:
    x = graphc.Input(batch_shape=(2, 3, FEATURES))
    layer = layers.Bidirectional(layers.GRU(UNITS, stateful=True))
    model = graphc.Model(x, layers.Dense(1)(layer(x)))
    model.compile("sgd", "mse")
    model.fit(sequences(4, 3), np.zeros((4, 1)), batch_size=2, shuffle=False, verbose=0)
    assert len(layer.states) == 2
    assert all(v.numpy().any() for v in layer.states)
    assert len(layer.weights) == 6
    assert not any("rnn_state" in v.path for v in model.weights)
    model.save_weights(tmp_path / "m.weights.h5")
    before = layer.states[0].numpy()
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(layer.states[0].numpy(), before)
    layer.reset_states()
    assert not any(v.numpy().any() for v in layer.states)


def test_stateful_stacks_keep_nested_states() -> None:
    layer = layers.RNN([layers.LSTMCell(UNITS), layers.GRUCell(2)], stateful=True)
    layer(sequences(2))
    assert [[v.shape for v in states] for states in layer.states] == [[(2, UNITS), (2, UNITS)], [(2, 2)]]
    first = layer(sequences(2, seed=5))
    layer.reset_state()
    layer(sequences(2))
    np.testing.assert_array_equal(layer(sequences(2, seed=5)), first)


def test_initial_states_continue_a_sequence() -> None:
    x = sequences()
    for layer in (layers.LSTM(UNITS, return_state=True), layers.GRU(UNITS, return_state=True, activation="selu")):
        whole, *_ = layer(x)
        _, *states = layer(x[:, :2])
        np.testing.assert_allclose(layer(x[:, 2:], initial_state=states)[0], whole, rtol=1e-5, atol=1e-6)


# -- dropout ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"dropout": 0.5, "implementation": 1}]
)
@pytest.mark.parametrize("cls", ["GRU", "LSTM"])
def test_dropout_acts_in_training_only(cls: str, config: Any) -> None:
    layer, x = getattr(layers, cls)(8, **config), sequences()
    plain = getattr(layers, cls)(8)
    randomise_layer(layer, x), plain(x)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), plain(x), rtol=1e-6, atol=1e-7)
    assert np.abs(layer(x, training=True) - plain(x)).max() > 1e-3
    model = model_of(layer)
    assert np.abs(model(x, training=True) - model(x, training=True)).max() > 1e-3  # other masks for each batch
    np.testing.assert_allclose(model(x), plain(x), rtol=1e-6, atol=1e-7)


def test_dropped_features_are_the_same_at_each_step() -> None:
    """With kernels that are the identity, the last state is the sum of what was not dropped."""
    layer = layers.SimpleRNN(400, activation="linear", dropout=0.25, use_bias=False)
    x = np.ones((2, 5, 400), np.float32)
    layer(x)
    layer.set_weights([np.eye(400, dtype=np.float32)] * 2)
    last = layer(x, training=True)
    values, counts = np.unique(np.round(last, 4), return_counts=True)
    np.testing.assert_allclose(values, [0, 5 / 0.75], rtol=1e-4)
    assert 0.17 < counts[0] / last.size < 0.33
    assert (last[0] != last[1]).any()


def test_each_gate_has_masks_of_its_own_with_recurrent_dropout() -> None:
    cell = layers.LSTMCell(200, dropout=0.5, recurrent_dropout=0.3, seed=3)
    cell.build((None, 100))
    masks = cell.draw(4)
    assert [m.shape for m in masks.inputs] == [(4, 100)] * 4
    assert [m.shape for m in masks.state] == [(4, 200)] * 4
    for group, rate in ((masks.inputs, 0.5), (masks.state, 0.3)):
        assert all((a != b).any() for a, b in zip(group[:-1], group[1:], strict=True))
        drop = np.mean([m == 0 for m in group])
        assert abs(drop - rate) < 0.05
        np.testing.assert_allclose(np.max(group), 1 / (1 - rate), rtol=1e-6)


def test_a_seed_decides_the_masks() -> None:
    x = sequences()
    weights = randomise_layer(layers.GRU(8), x).get_weights()
    found = []
    for seed in (3, 3, 4):
        layer = layers.GRU(8, dropout=0.5, recurrent_dropout=0.3, seed=seed)
        layer(x)
        layer.set_weights(weights)
        found.append(layer(x, training=True))
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_dropout_trains() -> None:
    graphc.utils.set_random_seed(0)
    model = model_of(layers.Bidirectional(layers.LSTM(UNITS, dropout=0.2, recurrent_dropout=0.2)))
    model.compile(graphc.optimizers.Adam(0.05), "mse")
    x, y = sequences(8), np.full((8, 2 * UNITS), 0.5)
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=10, verbose=0)
    assert model.evaluate(x, y, verbose=0) < 0.5 * before


# -- TimeDistributed --------------------------------------------------------------------------------------------------


class Centred(graphc.Layer):
    """Subtracts the mean over the batch: no sample is treated on its own."""

    def call(self, inputs: Any) -> Any:
        return inputs - ops.mean(inputs, axis=0, keepdims=True)


def test_layers_of_the_user_see_one_step_at_a_time() -> None:
    x = sequences()
    for shape in ((6, FEATURES), (None, FEATURES)):
        model = model_of(layers.TimeDistributed(Centred()), *shape)
        np.testing.assert_allclose(model(x), x - x.mean(0, keepdims=True), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("time", [6, None])
def test_statistics_are_those_of_each_step(time: Any) -> None:
    normalise = layers.BatchNormalization(momentum=0.5, epsilon=0.0)
    model = model_of(layers.TimeDistributed(normalise), time, FEATURES)
    x = sequences(7)
    y = model(x, training=True)
    np.testing.assert_allclose(y, (x - x.mean(0)) / x.std(0), rtol=1e-4, atol=1e-4)
    mean = np.zeros(FEATURES)
    for t in range(6):
        mean = 0.5 * mean + 0.5 * x[:, t].mean(0)
    np.testing.assert_allclose(normalise.moving_mean.numpy(), mean, rtol=1e-5, atol=1e-6)


def test_a_stateful_layer_inside_goes_from_step_to_step() -> None:
    """Each step is a batch of its own, so its sequences go on where those of the step before ended."""
    inner = layers.GRU(UNITS, stateful=True)
    x = graphc.Input(batch_shape=(2, 3, 4, FEATURES))
    model = graphc.Model(x, layers.TimeDistributed(inner)(x))
    data = np.random.RandomState(0).uniform(-1, 1, (2, 3, 4, FEATURES)).astype(np.float32)
    plain = layers.GRU(UNITS, return_sequences=True)
    plain(data[:, 0])
    plain.set_weights(randomise(model).get_weights())
    whole = plain(data.reshape(2, 12, FEATURES))
    np.testing.assert_allclose(model(data), whole[:, 3::4], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(inner.states[0].numpy(), whole[:, -1], rtol=1e-5, atol=1e-6)


def test_dropout_differs_from_step_to_step() -> None:
    model = model_of(layers.TimeDistributed(layers.Dropout(0.5)), None, 100)
    y = model(np.ones((2, 6, 100), np.float32), training=True)
    assert len({row.tobytes() for sample in y for row in sample}) == 12


def test_penalties_of_a_model_inside_are_those_of_each_step() -> None:
    step = graphc.Input((FEATURES,))
    inner = graphc.Model(step, layers.Dense(2, activity_regularizer="l2")(step))
    model = model_of(layers.TimeDistributed(inner))
    x = sequences()
    y = model(x)
    np.testing.assert_allclose(float(sum(model.losses)), 0.01 * np.square(y).sum() / len(x), rtol=1e-5)


def test_frames_of_any_length() -> None:
    x = graphc.Input((None, 6, 5, 2))
    y = layers.TimeDistributed(layers.TimeDistributed(layers.Conv1D(3, 2)))(x)
    assert y.shape == (None, None, 6, 4, 3)
    assert layers.TimeDistributed(layers.Conv2D(3, 2)).compute_output_shape((None, 7, 6, 5, 2)) == (None, 7, 5, 4, 3)
    model = graphc.Model(x, layers.LSTM(2)(layers.TimeDistributed(layers.Flatten())(y)))
    for time in (1, 4):
        assert model(np.ones((2, time, 6, 5, 2), np.float32)).shape == (2, 2)


# -- exported graphs --------------------------------------------------------------------------------------------------


def exported(model: Any, path: Path) -> list[str]:
    model.export(path)
    graph = onnx.load(path).graph
    return [node.op_type for node in graph.node]


def agrees(model: Any, path: Path) -> None:
    """ONNX Runtime gives the model's numbers for two batch sizes and two lengths."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    for batch, time in ((2, 6), (5, 3)):
        shape = [batch, time, *(d for d in given.shape[2:])]
        x = np.random.RandomState(batch).uniform(-1, 1, shape).astype(np.float32)
        x[0, 1] = 0.0  # padding, where there is a mask
        wanted = model(x)
        for value, reference in zip(session.run(None, {given.name: x}), np.atleast_1d([wanted]), strict=True):
            np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-5)


LAST = ["Transpose", "LSTM", "Squeeze"]

GRAPHS: dict[str, tuple[Any, list[str]]] = {
    "lstm": (lambda: layers.LSTM(UNITS), LAST),
    "gru": (lambda: layers.GRU(UNITS, go_backwards=True), ["Transpose", "GRU", "Squeeze"]),
    "simple": (lambda: layers.SimpleRNN(UNITS, activation="relu"), ["Transpose", "RNN", "Squeeze"]),
    "sequences": (lambda: layers.LSTM(UNITS, return_sequences=True), [*LAST, "Transpose"]),
    "cell": (lambda: layers.RNN(layers.LSTMCell(UNITS)), LAST),
    "stack": (lambda: layers.RNN([layers.LSTMCell(UNITS), layers.GRUCell(2)]), [*LAST, "GRU", "Squeeze"]),
    "dropout": (lambda: layers.LSTM(UNITS, dropout=0.4, recurrent_dropout=0.2), LAST),
    "bidirectional": (lambda: layers.Bidirectional(layers.LSTM(UNITS)), ["Transpose", "LSTM", "Transpose", "Reshape"]),
    "bidirectional-sequences": (
        lambda: layers.Bidirectional(layers.GRU(UNITS, return_sequences=True)),
        ["Transpose", "GRU", "Transpose", "Reshape"],
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_exported_graphs_are_small(name: str, tmp_path: Path) -> None:
    make, expected = GRAPHS[name]
    model = randomise(model_of(make()))
    assert exported(model, tmp_path / "m.onnx") == expected
    agrees(model, tmp_path / "m.onnx")


ONE_NODE: dict[str, tuple[Any, str]] = {
    "bidirectional-lstm": (lambda: layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True)), "LSTM"),
    "bidirectional-gru": (lambda: layers.Bidirectional(layers.GRU(UNITS), merge_mode="sum"), "GRU"),
    "bidirectional-simple": (lambda: layers.Bidirectional(layers.SimpleRNN(UNITS), merge_mode="ave"), "RNN"),
    "loop": (lambda: layers.LSTM(UNITS, activation="gelu", return_sequences=True), "Scan"),
    "cell": (lambda: layers.RNN(Minimal(UNITS)), "Scan"),
    "odd-cell": (lambda: layers.RNN(Running(), return_sequences=True), "Scan"),
    "stacked-loop": (lambda: layers.RNN([Minimal(UNITS), layers.GRUCell(2)], return_sequences=True), "Scan"),
    "time-distributed-loop": (lambda: layers.TimeDistributed(Centred()), "Scan"),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", ONE_NODE)
def test_each_layer_is_one_node(name: str, masked: bool, tmp_path: Path) -> None:
    make, op = ONE_NODE[name]
    model = randomise(model_of(make(), masked=masked))
    counts = Counter(exported(model, tmp_path / "m.onnx"))
    assert {o: counts[o] for o in ("LSTM", "GRU", "RNN", "Scan", "Loop", "If") if counts[o]} == {op: 1}
    agrees(model, tmp_path / "m.onnx")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv_lstm_is_one_scan(data_format: str, tmp_path: Path) -> None:
    model = randomise(model_of(layers.ConvLSTM2D(2, 2, data_format=data_format, return_sequences=True), None, 4, 5, 3))
    counts = Counter(exported(model, tmp_path / "m.onnx"))
    assert (counts["Scan"], counts["Conv"], counts["Loop"]) == (1, 1, 0)  # the other convolution is in the Scan
    agrees(model, tmp_path / "m.onnx")


def test_time_distributed_is_no_loop(tmp_path: Path) -> None:
    model = model_of(layers.TimeDistributed(layers.Dense(2, activation="tanh")))
    assert exported(model, tmp_path / "m.onnx") == ["MatMul", "Add", "Tanh"]
    counts = Counter(exported(model_of(layers.TimeDistributed(layers.Conv1D(2, 3)), None, 5, 4), tmp_path / "m.onnx"))
    assert (counts["Conv"], counts["Scan"], counts["Loop"]) == (1, 0, 0)


# -- files ------------------------------------------------------------------------------------------------------------


def test_weights_files_follow_the_attributes(tmp_path: Path) -> None:
    import h5py

    x = graphc.Input((None, FEATURES))
    y = layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True))(x)
    y = layers.RNN([layers.GRUCell(2), layers.LSTMCell(2)], return_sequences=True)(y)
    y = layers.TimeDistributed(layers.Dense(1))(y)
    model = randomise(graphc.Model(x, y))
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        places = []
        file.visititems(lambda name, item: places.append(name) if isinstance(item, h5py.Dataset) else None)
    heads = [
        "bidirectional/backward_layer/cell", "bidirectional/forward_layer/cell", "rnn/cell/cells/gru_cell",
        "rnn/cell/cells/lstm_cell",
    ]  # fmt: skip
    expected = [f"layers/{head}/vars/{i}" for head in heads for i in range(3)]
    expected += [f"layers/time_distributed/layer/vars/{i}" for i in range(2)]
    assert sorted(places) == sorted(expected)
    again = graphc.models.model_from_json(model.to_json())
    again.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(again(sequences()), model(sequences()))


def test_paths_of_weights() -> None:
    graphc.utils.clear_session()
    layer = layers.Bidirectional(layers.LSTM(UNITS))
    layer(sequences())
    kinds = ("kernel", "recurrent_kernel", "bias")
    heads = ("bidirectional/forward_lstm/lstm_cell", "bidirectional/backward_lstm/lstm_cell")
    assert [w.path for w in layer.weights] == [f"{head}/{kind}" for head in heads for kind in kinds]


def test_cells_of_the_user_come_back_from_json() -> None:
    model = randomise(model_of(layers.Bidirectional(layers.RNN(Minimal(UNITS)))))
    again = graphc.models.model_from_json(model.to_json(), custom_objects={"Minimal": Minimal})
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(sequences()), model(sequences()))
    with pytest.raises(graphc.errors.ModelFileError, match="Minimal"):
        graphc.models.model_from_json(model.to_json())


def test_initial_states_are_in_the_file() -> None:
    x, h = graphc.Input((None, FEATURES)), graphc.Input((UNITS,))
    model = graphc.Model([x, h], layers.GRU(UNITS)(x, initial_state=h))
    again = graphc.models.model_from_json(model.to_json())
    assert again.to_json() == model.to_json()
    build = model.layers[-1].get_build_config()
    assert build == {"shapes_dict": {"sequences_shape": (None, None, FEATURES), "initial_state_shape": (None, UNITS)}}


# -- what is refused --------------------------------------------------------------------------------------------------


X = (6, FEATURES)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.LSTM(0), "units.*positive integer"),
        (lambda: layers.GRU(2.5), "units.*positive integer"),
        (lambda: layers.LSTM(3)(graphc.Input((4,))), "expected ndim=3, found ndim=2"),
        (lambda: layers.LSTM(3)(graphc.Input((6, None))), "number of features"),
        (lambda: layers.LSTM(3, stateful=True)(graphc.Input(X)), "stateful=True.*batch size must be static"),
        (lambda: layers.LSTM(3, use_cudnn="maybe"), "use_cudnn"),
        (lambda: layers.LSTM(3, foo=1), "Unrecognized keyword"),
        (lambda: layers.LSTM(3)(graphc.Input(X), initial_state=[graphc.Input((3,))]), "2 state.*holds 1"),
        (lambda: layers.GRU(3)(graphc.Input(X), initial_state=graphc.Input((5,))), r"\(None, 3\).*\(None, 5\)"),
        (lambda: layers.LSTM(3)(sequences(), mask=np.ones((3, 5), bool)), r"\(3, 6\).*\(3, 5\)"),
        (lambda: layers.LSTM(3)(sequences(), mask=np.ones(3, bool)), r"mask of shape \(3,\)"),
        (lambda: layers.RNN(3), "`call` method"),
        (lambda: layers.RNN(layers.Dense(3)), "state_size"),
        (lambda: layers.RNN([]), "at least one cell"),
        (lambda: layers.StackedRNNCells([3]), "`call` method"),
        (lambda: layers.StackedRNNCells([layers.Dense(3)]), "`state_size` attribute"),
        (lambda: layers.Bidirectional(3), "must be a layer"),
        (lambda: layers.Bidirectional(layers.Dense(3)), "no `go_backwards`"),
        (lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="cat"), "Invalid merge mode. Received: cat"),
        (lambda: layers.Bidirectional(layers.LSTM(3), backward_layer=layers.LSTM(3)), "different `go_backwards`"),
        (
            lambda: layers.Bidirectional(
                layers.LSTM(3), backward_layer=layers.LSTM(3, go_backwards=True, return_sequences=True)
            ),
            'same value for attribute "return_sequences"',
        ),
        (lambda: layers.TimeDistributed(3), "`TimeDistributed` must be given a layer"),
        (lambda: layers.TimeDistributed(layers.Dense(3))(graphc.Input((4,))), "at least 3 dimensions"),
        (
            lambda: layers.TimeDistributed(layers.LSTM(3))(
                np.ones((3, 5, 2, 4), np.float32), mask=np.ones((3, 4), bool)
            ),
            r"\(3, 5\); it has shape \(3, 4\)",
        ),
        (lambda: layers.ConvLSTM2D(2, 3, strides=2, dilation_rate=2), "not compatible"),
        (lambda: layers.ConvLSTM2D(2, 3)(graphc.Input((3, None, 6, 2))), "static input shapes"),
        (lambda: layers.ConvLSTM1D(2, 5)(graphc.Input((3, 4, 2))), "does not fit"),
    ],
)
def test_refusals(make: Any, message: str) -> None:
    with pytest.raises(graphc.errors.GraphcError, match=message):
        make()


def test_only_stateful_layers_are_reset() -> None:
    layers.LSTM(3).reset_states()
    with pytest.raises(AttributeError, match="must be stateful"):
        layers.Bidirectional(layers.LSTM(3)).reset_states()


def test_a_stateful_layer_keeps_its_batch_size() -> None:
    layer = layers.GRU(UNITS, stateful=True)
    layer(sequences(2))
    with pytest.raises(graphc.errors.ShapeError, match="Expected batch size: 2. Received batch size: 3"):
        layer(sequences(3))


def test_orthogonal_kernels() -> None:
    layer = layers.LSTM(5)
    layer(sequences())
    kernel = layer.cell.recurrent_kernel.numpy()
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(5), atol=1e-5)
    assert layer.cell.bias.numpy().tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * 10
