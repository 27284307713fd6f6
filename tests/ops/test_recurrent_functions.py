"""The functions that recurrent layers are made of, against a loop over each sample's valid steps in Keras's layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import onnxruntime
import pytest
from op_cases.case import Array

from graphc import activations, compiler
from graphc.autodiff import gradient
from graphc.errors import ExecutionError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.functional import recurrent
from graphc.ops.functional.recurrent import Sequences, Weights, onnx_activation
from graphc.ops.functional.tracing import Tracer
from graphc.ops.functional.variable import Variable
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare
from graphc.runtimes.onnx_export import to_onnx

BATCH, TIME, INPUTS, UNITS = 6, 5, 3, 4
GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}
KINDS = [("lstm", False), ("gru", False), ("gru", True), ("simple_rnn", False)]
MASK = np.array(
    [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 0, 1], [0, 1, 0, 1, 0]], bool
)
"""No valid step, all, padding in front, padding at the end, gaps, gaps at both ends."""


# -- the oracle -------------------------------------------------------------------------------------------------------


def _sigmoid(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


@dataclass(frozen=True)
class Layer:
    """A recurrent layer in Keras's terms."""

    kind: str
    reset_after: bool = False
    go_backwards: bool = False
    zero_output_for_mask: bool = False
    activation: Callable[[Array], Array] = np.tanh
    recurrent_activation: Callable[[Array], Array] = _sigmoid

    def step(self, x: Array, states: list[Array], weights: Sequence[Array]) -> list[Array]:
        """One step of one sample."""
        kernel, recurrent_kernel, bias = weights
        h, act, gate = states[0], self.activation, self.recurrent_activation
        if self.kind == "simple_rnn":
            return [act(x @ kernel + h @ recurrent_kernel + bias)]
        if self.kind == "lstm":
            i, f, c, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4)
            carry = gate(f) * states[1] + gate(i) * act(c)
            return [gate(o) * act(carry), carry]
        first, second = bias if self.reset_after else (bias, np.zeros_like(bias))
        x_z, x_r, x_h = np.split(x @ kernel + first, 3)
        r_z, r_r, r_h = np.split(recurrent_kernel, 3, axis=1)
        b_z, b_r, b_h = np.split(second, 3)
        z, r = gate(x_z + h @ r_z + b_z), gate(x_r + h @ r_r + b_r)
        candidate = act(x_h + (r * (h @ r_h + b_h) if self.reset_after else (r * h) @ r_h))
        return [z * h + (1.0 - z) * candidate]

    def run(self, x: Array, weights: Sequence[Array], states: Sequence[Array] | None, mask: Array | None) -> Sequences:
        """All samples, each over its valid steps; masked steps only pass on what there was."""
        batch, time, _ = x.shape
        outputs, count = np.zeros((batch, time, UNITS)), 2 if self.kind == "lstm" else 1
        finals = [np.zeros((batch, UNITS)) for _ in range(count)]
        for b in range(batch):
            state = [np.zeros(UNITS) if states is None else states[i][b] for i in range(count)]
            shown = np.zeros(UNITS)
            for place, t in enumerate(reversed(range(time)) if self.go_backwards else range(time)):
                is_valid = mask is None or mask[b, t]
                if is_valid:
                    state = self.step(x[b, t], state, weights)
                    shown = state[0]
                outputs[b, place] = shown if is_valid or not self.zero_output_for_mask else 0.0
            for i in range(count):
                finals[i][b] = state[i]
        return Sequences(outputs, outputs[:, -1], tuple(finals))


def _weights(random: np.random.Generator, kind: str, reset_after: bool) -> Weights:
    size = GATES[kind] * UNITS
    bias = (2, size) if reset_after else (size,)
    return Weights(*(random.uniform(-0.7, 0.7, shape) for shape in ((INPUTS, size), (UNITS, size), bias)))


def _states(random: np.random.Generator, kind: str) -> list[Array]:
    return [random.standard_normal((BATCH, UNITS)) for _ in range(2 if kind == "lstm" else 1)]


def _options(kind: str, reset_after: bool, activation: str = "tanh", gate: str = "sigmoid") -> dict[str, Any]:
    options: dict[str, Any] = {"activation": onnx_activation(activation)}
    if kind != "simple_rnn":
        options["recurrent_activation"] = onnx_activation(gate)
    if kind == "gru":
        options["reset_after"] = reset_after
    return options


def assert_same(found: Sequences, wanted: Sequences, rtol: float = 1e-10) -> None:
    """All parts."""
    pairs = [(found.outputs, wanted.outputs), (found.last_output, wanted.last_output)]
    for got, answer in [*pairs, *zip(found.states, wanted.states, strict=True)]:
        np.testing.assert_allclose(got, answer, rtol=rtol, atol=rtol)


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("has_states", [False, True])
def test_one_direction(kind: str, reset_after: bool, masked: bool, has_states: bool) -> None:
    random = np.random.default_rng(1)
    x, mask = random.standard_normal((BATCH, TIME, INPUTS)), MASK if masked else None
    states = _states(random, kind) if has_states else None
    for go_backwards, zero in product([False, True], repeat=2):
        weights = _weights(random, kind, reset_after)
        found = getattr(recurrent, kind)(
            x,
            weights,
            initial_state=states,
            mask=mask,
            go_backwards=go_backwards,
            zero_output_for_mask=zero,
            **_options(kind, reset_after),
        )
        assert_same(found, Layer(kind, reset_after, go_backwards, zero).run(x, weights, states, mask))


@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("has_states", [False, True])
def test_both_directions_in_one_op(kind: str, reset_after: bool, masked: bool, has_states: bool) -> None:
    random = np.random.default_rng(2)
    x, mask = random.standard_normal((BATCH, TIME, INPUTS)), MASK if masked else None
    pairs = [(_weights(random, kind, reset_after), _states(random, kind) if has_states else None) for _ in range(2)]
    (ahead, first), (back, second) = pairs
    for zero in (False, True):
        forward, backward = getattr(recurrent, f"bidirectional_{kind}")(
            x,
            ahead,
            back,
            initial_state=None if first is None or second is None else [*first, *second],
            mask=mask,
            zero_output_for_mask=zero,
            **_options(kind, reset_after),
        )
        assert_same(forward, Layer(kind, reset_after, False, zero).run(x, ahead, first, mask))
        wanted = Layer(kind, reset_after, True, zero).run(x, back, second, mask)
        assert_same(backward, wanted._replace(outputs=wanted.outputs[:, ::-1]))


def test_bias_may_be_absent_in_one_direction() -> None:
    random = np.random.default_rng(3)
    x = random.standard_normal((BATCH, TIME, INPUTS))
    ahead, back = (_weights(random, "lstm", False) for _ in range(2))
    without = back._replace(bias=None)
    _, found = recurrent.bidirectional_lstm(x, ahead, without, **_options("lstm", False))
    _, wanted = recurrent.bidirectional_lstm(x, ahead, back._replace(bias=0 * back.bias), **_options("lstm", False))
    assert_same(found, wanted)


@pytest.mark.parametrize(
    "name",
    [
        "tanh",
        "sigmoid",
        "relu",
        "linear",
        "elu",
        "hard_sigmoid",
        "sparse_sigmoid",
        "leaky_relu",
        "softplus",
        "softsign",
    ],
)
def test_activations_are_kerass(name: str) -> None:
    random = np.random.default_rng(4)
    x, weights = random.standard_normal((BATCH, TIME, INPUTS)), _weights(random, "gru", True)
    function = activations.get(name)
    assert onnx_activation(activations.serialize(function)) is not None
    layer = Layer("gru", True, activation=function, recurrent_activation=function)
    found = recurrent.gru(x, weights, **_options("gru", True, name, name))
    assert_same(found, layer.run(x, weights, None, None))


@pytest.mark.parametrize("function", ["selu", "gelu", "exponential", "relu6", lambda x: x])
def test_other_activations_have_none(function: Any) -> None:
    identifier = {"module": "m", "class_name": "function"} if callable(function) else function
    assert onnx_activation(identifier) is None


# -- gradients --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("zero", [False, True])
def test_gradients_through_a_mask(kind: str, reset_after: bool, both: bool, zero: bool) -> None:
    random = np.random.default_rng(5)
    arrays = [random.standard_normal((BATCH, TIME, INPUTS)), *_weights(random, kind, reset_after)]
    arrays += [*_weights(random, kind, reset_after), *_states(random, kind), *_states(random, kind)]
    graph = Graph("layer")
    tracer = Tracer(graph)
    values = [tracer.builder.input(f"x{i}", TensorType.of(x.dtype, x.shape)) for i, x in enumerate(arrays)]
    x, *rest = map(tracer.wrap, values)
    ahead, back, states = Weights(*rest[:3]), Weights(*rest[3:6]), rest[6:]
    options = {"mask": MASK, "zero_output_for_mask": zero, **_options(kind, reset_after)}
    half = len(states) // 2
    with tracer.active():
        if both:
            results = getattr(recurrent, f"bidirectional_{kind}")(x, ahead, back, initial_state=states, **options)
        else:
            one = getattr(recurrent, kind)
            results = [
                one(x, ahead, initial_state=states[:half], **options),
                one(x, back, initial_state=states[half:], go_backwards=True, **options),
            ]
    of = [tensor.value for one in results for tensor in (one.outputs, one.last_output, *one.states)]
    seeds = [tracer.builder.input(f"seed{i}", v.type) for i, v in enumerate(of)]
    found = gradient(Builder(graph, OPS), of, values, seeds)
    graph.outputs = {f"y{i}": v for i, v in enumerate(of)}
    graph.outputs.update((f"g{i}", v) for i, v in enumerate(found) if v is not None)
    feeds = {f"x{i}": x for i, x in enumerate(arrays)}
    feeds |= {f"seed{i}": random.standard_normal(v.type.shape) for i, v in enumerate(of)}
    executable = prepare(graph)
    exact = {name: array.copy() for name, array in executable.run(feeds).items()}
    for i, array in enumerate(arrays):
        direction, step = random.standard_normal(array.shape), 1e-4

        def value(t: float, i: int = i, array: Array = array, direction: Array = direction) -> float:
            run = executable.run({**feeds, f"x{i}": array + t * direction})
            return sum(float(np.sum(feeds[f"seed{k}"] * run[f"y{k}"])) for k in range(len(of)))

        numeric = (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step)
        np.testing.assert_allclose(np.sum(exact[f"g{i}"] * direction), numeric, rtol=1e-6, atol=1e-8)


# -- ONNX -------------------------------------------------------------------------------------------------------------


class Exported:
    """A function of sequences, and a mask where there is one, exported with named batch and time."""

    def __init__(self, function: Callable[..., Any], masked: bool) -> None:
        types = {"x": TensorType.of("float32", ("batch", "time", INPUTS))}
        if masked:
            types["mask"] = TensorType.of("bool", ("batch", "time"))
        lowered = compiler.lower(lambda given: function(*given), types, [None] * len(types))
        self.graph, _ = compiler.optimize(compiler.frozen(lowered), "O2")
        self.model = to_onnx(self.graph)
        self.operators = [node.op_type for node in self.model.graph.node]

    def assert_agrees(self, batch: int, time: int) -> None:
        """ONNX Runtime gives what NumPy gives."""
        random = np.random.default_rng(batch)
        feeds: dict[str, Array] = {"x": random.standard_normal((batch, time, INPUTS)).astype(np.float32)}
        if len(self.graph.inputs) > 1:
            feeds["mask"] = random.random((batch, time)) < 0.5
            feeds["mask"][0] = False
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            self.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        for got, want in zip(session.run(None, feeds), prepare(self.graph).run(feeds).values(), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def _variables(kind: str, reset_after: bool) -> Weights:
    arrays = _weights(np.random.default_rng(6), kind, reset_after)
    return Weights(*(Variable(np.asarray(a, np.float32), name="w") for a in arrays))


def test_last_output_is_one_operator_between_views() -> None:
    weights = _variables("lstm", False)
    model = Exported(lambda x: recurrent.lstm(x, weights, **_options("lstm", False)).last_output, masked=False)
    assert model.operators == ["Transpose", "LSTM", "Squeeze"]
    (node,) = [node for node in model.model.graph.node if node.op_type == "LSTM"]
    assert list(node.output) == ["", node.output[1]]
    model.assert_agrees(2, 7)


def test_sequences_need_no_more_than_a_transposition() -> None:
    weights = _variables("gru", True)
    model = Exported(lambda x: recurrent.gru(x, weights, **_options("gru", True)).outputs, masked=False)
    assert model.operators == ["Transpose", "GRU", "Squeeze", "Transpose"]
    model.assert_agrees(3, 1)


@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
@pytest.mark.parametrize("both", [False, True])
def test_a_mask_is_one_operator_for_any_batch_and_time(kind: str, reset_after: bool, both: bool) -> None:
    first, second = _variables(kind, reset_after), _variables(kind, reset_after)
    options = _options(kind, reset_after)

    def run(x: Any, mask: Any) -> list[Any]:
        if both:
            found = getattr(recurrent, f"bidirectional_{kind}")(x, first, second, mask=mask, **options)
        else:
            found = [getattr(recurrent, kind)(x, first, mask=mask, **options)]
        return [part for one in found for part in (one.outputs, one.last_output, *one.states)]

    model = Exported(run, masked=True)
    operators = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "RNN"}
    assert model.operators.count(operators[kind]) == 1
    assert not {"Scan", "Loop", "If"} & set(model.operators)
    for batch, time in ((5, 6), (2, 9)):
        model.assert_agrees(batch, time)


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(BATCH, TIME + 1), (BATCH,), (BATCH, TIME, 1)])
def test_a_mask_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(7)
    x, weights = random.standard_normal((BATCH, TIME, INPUTS)), _weights(random, "lstm", False)
    with pytest.raises(ShapeError, match=r"mask .* must have shape \(batch, time\), here \(6, 5\)"):
        recurrent.lstm(x, weights, mask=np.ones(shape, bool), **_options("lstm", False))


def test_a_mask_of_numbers_counts_what_is_not_zero() -> None:
    random = np.random.default_rng(8)
    x, weights = random.standard_normal((BATCH, TIME, INPUTS)), _weights(random, "lstm", False)
    found = recurrent.lstm(x, weights, mask=MASK.astype(np.float32), **_options("lstm", False))
    assert_same(found, Layer("lstm").run(x, weights, None, MASK))


@pytest.mark.parametrize("lengths", [(5, 1), (-1, 2)])
def test_lengths_outside_the_sequences_are_refused_when_data_comes(lengths: tuple[int, int]) -> None:
    random = np.random.default_rng(9)
    graph = Graph("lengths")
    builder = Builder(graph, OPS)
    x = builder.input("x", TensorType.of("float64", (4, 2, INPUTS)))
    operands = [builder.constant(random.standard_normal(shape)) for shape in ((1, UNITS, INPUTS), (1, UNITS, UNITS))]
    lens = builder.input("lens", TensorType.of("int32", (2,)))
    graph.outputs = {"y": builder.emit_node("RNN", [x, *operands, None, lens], hidden_size=UNITS).outputs[0]}
    with pytest.raises(ExecutionError, match=r"sequence_lens must be 0 to 4"):
        prepare(graph).run({"x": np.zeros((4, 2, INPUTS)), "lens": np.array(lengths, np.int32)})


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("op", ["LSTM", "GRU", "RNN"])
def test_what_lies_behind_a_samples_end_is_not_read(op: str, direction: str) -> None:
    random = np.random.default_rng(10)
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op] * UNITS
    x, lens = random.standard_normal((TIME, BATCH, INPUTS)), np.array([5, 2, 0, 3, 1, 4], np.int32)
    w, r = random.standard_normal((1, gates, INPUTS)), random.standard_normal((1, gates, UNITS))
    spoiled = x.copy()
    for sample, length in enumerate(lens):
        spoiled[length:, sample] = np.nan
    evaluate = compiler.numpy_runtime.evaluate_op
    attributes = {"hidden_size": UNITS, "direction": direction}
    clean, dirty = (evaluate(op, [data, w, r, None, lens], attributes) for data in (x, spoiled))
    for first, second in zip(clean, dirty, strict=True):
        np.testing.assert_array_equal(first, second)
