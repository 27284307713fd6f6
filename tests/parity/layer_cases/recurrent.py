"""Parity cases of recurrent layers and their cells."""

from __future__ import annotations

from typing import Any

from parity.spec import SEQUENCE, VECTOR, Obj

from .case import L1L2, L2, Case, fn, of

UNITS = 3
STATE = (UNITS,)
DYNAMIC = ((None, 4),)
STEPS_ONLY = (6,)
MAX_NORM = Obj("constraints", "MaxNorm", {"max_value": 1.5})


def cell(name: str, units: int = UNITS, **config: Any) -> Obj:
    """A cell by its class name. It has a name of its own: automatic ones depend on what was made before."""
    return Obj("layers", name, {"units": units, "name": f"cell_of_{units}", **config})


def stack(*cells: Obj) -> Obj:
    """Stacked cells."""
    return Obj("layers", "StackedRNNCells", {"cells": list(cells), "name": "stack"})


def on_states(layer: Any, x: Any, *states: Any) -> Any:
    """A recurrent layer with its states given by keyword."""
    return layer(x, initial_state=list(states))


def cell_step(layer: Any, x: Any, *states: Any) -> Any:
    """One step of a cell whose states are a flat list."""
    return layer(x, list(states))


def stacked_step(layer: Any, x: Any, h: Any, c: Any, other: Any) -> Any:
    """One step of an LSTM cell with a cell of one state on top."""
    return layer(x, [[h, c], [other]])


def masked(name: str, layer: str, *, blank: float = 0.4, declared: Any = None, **config: Any) -> Case:
    """A layer behind `Masking`, on sequences with gaps anywhere."""

    def build(k: Any, x: Any) -> Any:
        return getattr(k.layers, layer)(**config)(k.layers.Masking()(x))

    return fn(f"{layer}/masked-{name}", build, SEQUENCE, blank=blank, probe=False, declared=declared)


def with_mask(name: str, layer: str, mask_of: Any, *shapes: Any, **config: Any) -> Case:
    """A layer that is called with a mask made of an input of small integers."""

    def build(k: Any, x: Any, flags: Any, *states: Any) -> Any:
        made = getattr(k.layers, layer)(**config)
        given = {"initial_state": list(states)} if states else {}
        return made(x, mask=mask_of(k, flags), **given)

    dtypes = ("float32", "int32", *("float32" for _ in shapes))
    return fn(f"{layer}/mask-{name}", build, SEQUENCE, STEPS_ONLY, *shapes, dtype=dtypes, integers=(0, 3))


def some(k: Any, flags: Any) -> Any:
    """Steps anywhere."""
    return k.ops.greater(flags, 0)


def from_first(k: Any, flags: Any) -> Any:
    """Steps anywhere, but never the first one masked."""
    first = k.ops.cast(k.ops.equal(k.ops.cumsum(k.ops.ones_like(flags), axis=1), 1), "bool")
    return k.ops.logical_or(k.ops.greater(flags, 0), first)


def late(k: Any, flags: Any) -> Any:
    """The first two steps masked, the others anywhere."""
    place = k.ops.cumsum(k.ops.ones_like(flags), axis=1)
    return k.ops.logical_and(k.ops.greater(flags, 0), k.ops.greater(place, 2))


def embedded(name: str, layer: str, integers: tuple[int, int], **config: Any) -> Case:
    """A layer behind an `Embedding` whose zeros are padding."""

    def build(k: Any, ids: Any) -> Any:
        x = k.layers.Embedding(7, 4, mask_zero=True)(ids)
        return getattr(k.layers, layer)(**config)(x)

    return fn(f"{layer}/embedded-{name}", build, STEPS_ONLY, dtype="int32", integers=integers, probe=False)


def stack_of(*names: str) -> Any:
    """An RNN over a list of cells, masked."""

    def build(k: Any, x: Any) -> Any:
        cells = [getattr(k.layers, name)(UNITS + i) for i, name in enumerate(names)]
        return k.layers.RNN(cells, return_sequences=True, return_state=True)(k.layers.Masking()(x))

    return build


def two_layers(k: Any, x: Any) -> Any:
    """A mask goes through the layer that gives sequences to the one behind it."""
    x = k.layers.Masking(mask_value=0.0)(x)
    x = k.layers.GRU(3, return_sequences=True)(x)
    return k.layers.LSTM(2)(x)


def encoder_decoder(k: Any, x: Any) -> Any:
    """The states of one layer start another."""
    _, h, c = k.layers.LSTM(UNITS, return_state=True)(x)
    return k.layers.LSTM(UNITS, return_sequences=True)(x, initial_state=[h, c])


def shared(k: Any, x: Any) -> Any:
    """One layer called twice, once from the states of the first call."""
    layer = k.layers.GRU(UNITS, return_state=True)
    first, state = layer(x)
    return k.layers.Concatenate()([first, layer(x, initial_state=state)[0]])


ANY_WEIGHTS: dict[str, Any] = {
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "glorot_uniform",
    "bias_initializer": "ones",
    "kernel_regularizer": L2,
    "recurrent_regularizer": "l1",
    "bias_regularizer": L1L2,
    "kernel_constraint": MAX_NORM,
    "recurrent_constraint": "unit_norm",
    "bias_constraint": "non_neg",
}

_SIMPLE = (
    of("SimpleRNN", "plain", SEQUENCE, units=UNITS),
    of("SimpleRNN", "sequences", SEQUENCE, units=UNITS, return_sequences=True, activation="relu"),
    of("SimpleRNN", "state", SEQUENCE, declared=DYNAMIC, units=5, return_state=True, return_sequences=True),
    of("SimpleRNN", "backwards", SEQUENCE, units=UNITS, go_backwards=True, return_sequences=True, return_state=True),
    of("SimpleRNN", "no-bias", SEQUENCE, units=UNITS, use_bias=False, activation=None, spread=0.5),
    of("SimpleRNN", "selu", SEQUENCE, units=UNITS, activation="selu", spread=0.7, unroll=True),
    # Keras's SimpleRNN takes an activity regularizer and forgets it; graphc's applies it, so there is none here.
    of("SimpleRNN", "weights", SEQUENCE, units=UNITS, **ANY_WEIGHTS),
    of("SimpleRNN", "initial-state", SEQUENCE, STATE, units=UNITS, return_sequences=True, call=on_states),
    of("SimpleRNN", "dropout", SEQUENCE, units=UNITS, dropout=0.3, recurrent_dropout=0.2, seed=4, train=False),
    masked("sequences", "SimpleRNN", units=UNITS, return_sequences=True, declared=DYNAMIC),
    masked("backwards", "SimpleRNN", units=UNITS, return_sequences=True, return_state=True, go_backwards=True),
    masked("loop", "SimpleRNN", units=UNITS, return_sequences=True, activation="gelu"),
)

_GRU = (
    of("GRU", "plain", SEQUENCE, units=UNITS),
    of("GRU", "sequences", SEQUENCE, units=UNITS, return_sequences=True, recurrent_activation="hard_sigmoid"),
    of("GRU", "state", SEQUENCE, declared=DYNAMIC, units=5, return_state=True, return_sequences=True),
    of("GRU", "reset-before", SEQUENCE, units=UNITS, reset_after=False, return_sequences=True),
    of("GRU", "backwards", SEQUENCE, units=UNITS, go_backwards=True, return_sequences=True, return_state=True),
    of("GRU", "no-bias", SEQUENCE, units=UNITS, use_bias=False),
    of("GRU", "no-bias-before", SEQUENCE, units=UNITS, use_bias=False, reset_after=False, activation="softsign"),
    of("GRU", "loop", SEQUENCE, units=UNITS, activation="gelu", return_sequences=True),
    of("GRU", "loop-before", SEQUENCE, units=UNITS, activation="exponential", reset_after=False, spread=0.5),
    of("GRU", "weights", SEQUENCE, units=UNITS, activity_regularizer=L2, **ANY_WEIGHTS),
    of("GRU", "initial-state", SEQUENCE, STATE, units=UNITS, return_state=True, call=on_states),
    of("GRU", "dropout", SEQUENCE, units=UNITS, dropout=0.3, recurrent_dropout=0.2, seed=4, train=False),
    of("GRU", "use-cudnn-false", SEQUENCE, units=UNITS, use_cudnn=False, trainable=False),
    masked("last", "GRU", units=UNITS),
    masked("sequences", "GRU", units=UNITS, return_sequences=True, declared=DYNAMIC),
    masked("before", "GRU", units=UNITS, return_sequences=True, reset_after=False, return_state=True),
    masked("backwards", "GRU", units=UNITS, return_sequences=True, return_state=True, go_backwards=True),
    masked("loop", "GRU", units=UNITS, return_sequences=True, activation="gelu", go_backwards=True),
    with_mask("anywhere", "GRU", some, units=UNITS, return_sequences=True),
    with_mask("states", "GRU", from_first, STATE, units=UNITS, return_sequences=True, return_state=True),
    fn("GRU/shared", shared, SEQUENCE),
    fn("GRU/two-masked-layers", two_layers, SEQUENCE, declared=DYNAMIC, blank=0.3, probe=False),
)

_LSTM = (
    of("LSTM", "plain", SEQUENCE, units=UNITS),
    of("LSTM", "sequences", SEQUENCE, units=UNITS, return_sequences=True, recurrent_activation="hard_sigmoid"),
    of("LSTM", "state", SEQUENCE, declared=DYNAMIC, units=5, return_state=True, return_sequences=True),
    of("LSTM", "backwards", SEQUENCE, units=UNITS, go_backwards=True, return_sequences=True, return_state=True),
    of("LSTM", "no-bias", SEQUENCE, units=UNITS, use_bias=False, unit_forget_bias=False),
    of("LSTM", "relu", SEQUENCE, units=UNITS, activation="relu", return_sequences=True, unroll=True),
    of("LSTM", "loop", SEQUENCE, units=UNITS, activation="gelu", recurrent_activation="silu", return_sequences=True),
    of(
        "LSTM",
        "loop-backwards",
        SEQUENCE,
        declared=DYNAMIC,
        units=UNITS,
        activation="selu",
        go_backwards=True,
        spread=0.5,
    ),
    of("LSTM", "weights", SEQUENCE, units=UNITS, activity_regularizer=L2, **ANY_WEIGHTS),
    of("LSTM", "initial-state", SEQUENCE, STATE, STATE, units=UNITS, return_state=True, call=on_states),
    of("LSTM", "dropout", SEQUENCE, units=UNITS, dropout=0.3, recurrent_dropout=0.2, seed=4, train=False),
    of("LSTM", "one-step", (1, 4), units=UNITS, return_sequences=True),
    of("LSTM", "zero-for-mask", SEQUENCE, units=UNITS, return_sequences=True, zero_output_for_mask=True),
    masked("last", "LSTM", units=UNITS),
    masked("mostly", "LSTM", blank=0.8, units=UNITS, return_sequences=True, return_state=True),
    masked("sequences", "LSTM", units=UNITS, return_sequences=True, declared=DYNAMIC),
    masked("zeros", "LSTM", units=UNITS, return_sequences=True, zero_output_for_mask=True),
    masked("zeros-last", "LSTM", units=UNITS, zero_output_for_mask=True, go_backwards=True),
    masked("backwards", "LSTM", units=UNITS, return_sequences=True, return_state=True, go_backwards=True),
    masked("loop", "LSTM", units=UNITS, return_sequences=True, return_state=True, activation="gelu"),
    masked("loop-zeros", "LSTM", units=UNITS, return_sequences=True, activation="gelu", zero_output_for_mask=True),
    with_mask("late", "LSTM", late, units=UNITS, return_sequences=True),
    with_mask("states", "LSTM", from_first, STATE, STATE, units=UNITS, return_sequences=True, return_state=True),
    embedded("padded", "LSTM", (0, 4), units=UNITS),
    embedded("all-masked", "LSTM", (0, 1), units=UNITS, return_sequences=True),
    fn("LSTM/encoder-decoder", encoder_decoder, SEQUENCE),
)

_CELLS = (
    of("SimpleRNNCell", "plain", VECTOR, STATE, units=UNITS, call=cell_step),
    of("SimpleRNNCell", "relu", VECTOR, STATE, units=UNITS, activation="relu", call=cell_step),
    of("SimpleRNNCell", "no-bias", VECTOR, STATE, units=UNITS, use_bias=False, call=cell_step),
    of("SimpleRNNCell", "dropout", VECTOR, STATE, units=UNITS, dropout=0.3, seed=1, call=cell_step, train=False),
    of("SimpleRNNCell", "weights", VECTOR, STATE, units=UNITS, call=cell_step, **ANY_WEIGHTS),
    of("SimpleRNNCell", "trainable", VECTOR, STATE, units=UNITS, trainable=False, call=cell_step),
    of("GRUCell", "plain", VECTOR, STATE, units=UNITS, call=cell_step),
    of("GRUCell", "reset-before", VECTOR, STATE, units=UNITS, reset_after=False, call=cell_step),
    of("GRUCell", "no-bias", VECTOR, STATE, units=UNITS, use_bias=False, call=cell_step),
    of("GRUCell", "activations", VECTOR, STATE, units=UNITS, activation="gelu", recurrent_activation="tanh", call=cell_step),
    of("GRUCell", "dropout", VECTOR, STATE, units=UNITS, recurrent_dropout=0.3, call=cell_step, train=False),
    of("GRUCell", "weights", VECTOR, STATE, units=UNITS, call=cell_step, **ANY_WEIGHTS),
    of("LSTMCell", "plain", VECTOR, STATE, STATE, units=UNITS, call=cell_step),
    of("LSTMCell", "forget", VECTOR, STATE, STATE, units=UNITS, unit_forget_bias=False, call=cell_step),
    of("LSTMCell", "no-bias", VECTOR, STATE, STATE, units=UNITS, use_bias=False, call=cell_step),
    of("LSTMCell", "activations", VECTOR, STATE, STATE, units=UNITS, activation="relu", call=cell_step),
    of("LSTMCell", "dropout", VECTOR, STATE, STATE, units=UNITS, dropout=0.3, call=cell_step, train=False),
    of("LSTMCell", "weights", VECTOR, STATE, STATE, units=UNITS, call=cell_step, **ANY_WEIGHTS),
    of("StackedRNNCells", "gru", VECTOR, STATE, STATE, (2,), cells=[cell("LSTMCell"), cell("GRUCell", 2)], call=stacked_step),
    of("StackedRNNCells", "simple", VECTOR, STATE, STATE, (5,), cells=[cell("LSTMCell"), cell("SimpleRNNCell", 5)],
       call=stacked_step),
    of("StackedRNNCells", "no-bias", VECTOR, STATE, STATE, (2,), call=stacked_step,
       cells=[cell("LSTMCell", use_bias=False), cell("GRUCell", 2, reset_after=False)]),
    of("StackedRNNCells", "frozen", VECTOR, STATE, STATE, (2,), trainable=False, call=stacked_step,
       cells=[cell("LSTMCell", activation="relu"), cell("GRUCell", 2, activation="selu")]),
)  # fmt: skip

_RNN = (
    of("RNN", "lstm-cell", SEQUENCE, cell=cell("LSTMCell"), return_sequences=True, return_state=True),
    of("RNN", "gru-cell", SEQUENCE, declared=DYNAMIC, cell=cell("GRUCell"), go_backwards=True, return_sequences=True),
    of("RNN", "simple-cell", SEQUENCE, cell=cell("SimpleRNNCell", activation="selu"), return_state=True),
    of("RNN", "stacked", SEQUENCE, cell=stack(cell("LSTMCell"), cell("GRUCell", 2)), return_sequences=True),
    of("RNN", "stacked-backwards", SEQUENCE, cell=stack(cell("LSTMCell"), cell("LSTMCell", 2), cell("SimpleRNNCell", 4)),
       go_backwards=True, return_sequences=True, return_state=True),
    of("RNN", "stacked-loop", SEQUENCE, cell=stack(cell("LSTMCell", activation="gelu"), cell("GRUCell", 2)), declared=DYNAMIC),
    of("RNN", "zero-for-mask", SEQUENCE, cell=cell("GRUCell"), zero_output_for_mask=True, activity_regularizer=L2),
    of("RNN", "initial-state", SEQUENCE, STATE, STATE, cell=cell("LSTMCell", activation="gelu"), call=on_states),
    fn("RNN/masked-stack", stack_of("LSTMCell", "GRUCell"), SEQUENCE, blank=0.4, probe=False),
    fn("RNN/masked-stack-of-three", stack_of("GRUCell", "LSTMCell", "LSTMCell"), SEQUENCE, blank=0.4, probe=False),
)  # fmt: skip

_STEPS = (4, 5, 2)
_FRAMES = (4, 5, 6, 2)
_VOLUMES = (3, 4, 3, 4, 2)
_SMALL: dict[str, Any] = {"filters": 3, "kernel_size": 2}


def _states_of(shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return shape, shape


_CONV = (
    of("ConvLSTM1D", "plain", _STEPS, **_SMALL),
    of("ConvLSTM1D", "same", _STEPS, **_SMALL, padding="same", return_sequences=True),
    of("ConvLSTM1D", "strides", _STEPS, filters=2, kernel_size=3, strides=2, return_state=True),
    of("ConvLSTM1D", "dilated", _STEPS, **_SMALL, dilation_rate=2, padding="same", go_backwards=True, return_sequences=True),
    of("ConvLSTM1D", "first", (4, 2, 5), **_SMALL, data_format="channels_first", use_bias=False),
    of("ConvLSTM1D", "states", _STEPS, *_states_of((4, 3)), **_SMALL, return_state=True, call=on_states),
    of("ConvLSTM2D", "plain", _FRAMES, **_SMALL),
    of("ConvLSTM2D", "same", _FRAMES, declared=((None, 5, 6, 2),), filters=2, kernel_size=(3, 2), padding="same",
       return_sequences=True, return_state=True),
    of("ConvLSTM2D", "strides", _FRAMES, filters=2, kernel_size=3, strides=(2, 1), padding="same", go_backwards=True),
    of("ConvLSTM2D", "first", (3, 2, 5, 6), **_SMALL, data_format="channels_first", return_sequences=True),
    of("ConvLSTM2D", "activations", _FRAMES, **_SMALL, activation="relu", recurrent_activation="hard_sigmoid",
       unit_forget_bias=False, return_sequences=True, go_backwards=True),
    of("ConvLSTM2D", "weights", _FRAMES, **_SMALL, activity_regularizer=L2, **ANY_WEIGHTS),
    of("ConvLSTM2D", "dropout", _FRAMES, **_SMALL, dropout=0.2, recurrent_dropout=0.2, seed=3, train=False),
    of("ConvLSTM3D", "plain", _VOLUMES, **_SMALL),
    of("ConvLSTM3D", "same", _VOLUMES, filters=2, kernel_size=(2, 1, 2), padding="same", return_sequences=True),
    of("ConvLSTM3D", "strides", _VOLUMES, filters=2, kernel_size=2, strides=(1, 2, 1), return_state=True),
    of("ConvLSTM3D", "first", (3, 2, 4, 3, 4), **_SMALL, data_format="channels_first"),
    of("ConvLSTM3D", "dilated", _VOLUMES, **_SMALL, dilation_rate=2, padding="same", use_bias=False, return_sequences=True),
    of("ConvLSTM3D", "backwards", _VOLUMES, **_SMALL, go_backwards=True, return_sequences=True, recurrent_activation="tanh"),
)  # fmt: skip

CASES: tuple[Case, ...] = (*_SIMPLE, *_GRU, *_LSTM, *_CELLS, *_RNN, *_CONV)
