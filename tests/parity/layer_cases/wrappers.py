"""Parity cases of layers around layers: TimeDistributed and Bidirectional."""

from __future__ import annotations

from typing import Any

from parity.spec import SEQUENCE, Obj

from .case import L2, Case, fn, of

CLIPS = (4, 6, 5, 2)
NESTED = (3, 4, 5)
DYNAMIC = ((None, 4),)
UNITS = 3


def layer(name: str, **config: Any) -> Obj:
    """A layer by its class name. It has a name of its own: automatic ones depend on what was made before."""
    return Obj("layers", name, {"name": f"a_{name.lower()}", **config})


def on_states(bidirectional: Any, x: Any, *states: Any) -> Any:
    """A layer with its states given by keyword."""
    return bidirectional(x, initial_state=list(states))


def of_model(k: Any, x: Any) -> Any:
    """A model with a convolution for each frame, and a layer over the frames."""
    image = k.Input((6, 5, 2))
    y = k.layers.Conv2D(3, 2, activation="relu")(image)
    encoder = k.Model(image, k.layers.Flatten()(y))
    return k.layers.LSTM(UNITS)(k.layers.TimeDistributed(encoder)(x))


def of_sequential(k: Any, x: Any) -> Any:
    """A Sequential model for each step."""
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(5, activation="tanh"), k.layers.Dense(2)])
    return k.layers.TimeDistributed(inner)(x)


def of_model_with_operations(k: Any, x: Any) -> Any:
    """A model that mixes the samples of a step, which only a loop over steps gets right."""
    step = k.Input((4,))
    centred = step - k.ops.mean(step, axis=0, keepdims=True)
    return k.layers.TimeDistributed(k.Model(step, centred * 2.0))(x)


def of_wrapped_time(k: Any, x: Any) -> Any:
    """Masks of steps within steps go to the recurrent layer inside."""
    return k.layers.TimeDistributed(k.layers.LSTM(UNITS))(k.layers.Masking()(x))


def masked(name: str, wrapped: Any, *, blank: float = 0.4, **config: Any) -> Case:
    """Bidirectional behind `Masking`."""

    def build(k: Any, x: Any) -> Any:
        return k.layers.Bidirectional(wrapped(k), **config)(k.layers.Masking()(x))

    return fn(f"Bidirectional/masked-{name}", build, SEQUENCE, blank=blank, probe=False)


def masked_time(k: Any, x: Any) -> Any:
    """The mask passes through TimeDistributed to the layer behind it."""
    x = k.layers.TimeDistributed(k.layers.Dense(5))(k.layers.Masking()(x))
    return k.layers.GRU(UNITS, return_sequences=True)(x)


def masked_normalised(k: Any, x: Any) -> Any:
    """BatchNormalization gets the mask of its step."""
    return k.layers.TimeDistributed(k.layers.BatchNormalization())(k.layers.Masking()(x))


def embedded(k: Any, ids: Any) -> Any:
    """A masked text classifier."""
    x = k.layers.Embedding(7, 4, mask_zero=True)(ids)
    x = k.layers.Bidirectional(k.layers.GRU(UNITS, return_sequences=True))(x)
    return k.layers.Bidirectional(k.layers.LSTM(2))(x)


_TIME_DISTRIBUTED = (
    of("TimeDistributed", "dense", SEQUENCE, layer=layer("Dense", units=5, activation="relu")),
    of("TimeDistributed", "dynamic", SEQUENCE, declared=DYNAMIC, layer=layer("Dense", units=5)),
    of("TimeDistributed", "conv", CLIPS, layer=layer("Conv2D", filters=3, kernel_size=2)),
    of("TimeDistributed", "dynamic-conv", CLIPS, declared=((None, 6, 5, 2),),
       layer=layer("Conv2D", filters=3, kernel_size=(2, 3), padding="same")),
    of("TimeDistributed", "twice", NESTED, layer=layer("TimeDistributed", layer=layer("Dense", units=2))),
    of("TimeDistributed", "lstm", NESTED, declared=((None, None, 5),), layer=layer("LSTM", units=2, return_sequences=True)),
    of("TimeDistributed", "flatten", CLIPS, layer=layer("Flatten")),
    of("TimeDistributed", "pooling", CLIPS, layer=layer("MaxPooling2D", pool_size=2)),
    of("TimeDistributed", "normalised", SEQUENCE, layer=layer("BatchNormalization")),
    of("TimeDistributed", "normalised-frames", CLIPS, training=True,
       layer=layer("BatchNormalization", momentum=0.7, epsilon=0.01)),
    of("TimeDistributed", "regularised", SEQUENCE, activity_regularizer=L2,
       layer=layer("Dense", units=5, activity_regularizer=L2, kernel_regularizer=L2)),
    of("TimeDistributed", "frozen", SEQUENCE, trainable=False, layer=layer("Dense", units=5)),
    fn("TimeDistributed/model", of_model, CLIPS),
    fn("TimeDistributed/model-dynamic", of_model, CLIPS, declared=((None, 6, 5, 2),)),
    fn("TimeDistributed/sequential", of_sequential, SEQUENCE),
    fn("TimeDistributed/mixing-model", of_model_with_operations, SEQUENCE),
    fn("TimeDistributed/masked-steps", of_wrapped_time, NESTED, blank=0.3, train=False),
    fn("TimeDistributed/masked-time", masked_time, SEQUENCE, blank=0.3, probe=False),
    fn("TimeDistributed/masked-normalised", masked_normalised, SEQUENCE, blank=0.3, probe=False),
)  # fmt: skip

_BIDIRECTIONAL = (
    of("Bidirectional", "lstm", SEQUENCE, layer=layer("LSTM", units=UNITS)),
    of("Bidirectional", "lstm-sequences", SEQUENCE, declared=DYNAMIC, layer=layer("LSTM", units=UNITS, return_sequences=True)),
    of("Bidirectional", "gru", SEQUENCE, layer=layer("GRU", units=UNITS, return_sequences=True), merge_mode="sum"),
    of("Bidirectional", "gru-before", SEQUENCE, layer=layer("GRU", units=UNITS, reset_after=False), merge_mode="ave"),
    of("Bidirectional", "simple", SEQUENCE, layer=layer("SimpleRNN", units=UNITS, return_sequences=True), merge_mode="mul"),
    of("Bidirectional", "apart", SEQUENCE, layer=layer("LSTM", units=UNITS, return_sequences=True), merge_mode=None),
    of("Bidirectional", "states", SEQUENCE, declared=DYNAMIC,
       layer=layer("LSTM", units=UNITS, return_sequences=True, return_state=True)),
    of("Bidirectional", "states-apart", SEQUENCE, layer=layer("GRU", units=UNITS, return_state=True), merge_mode=None),
    of("Bidirectional", "initial-states", SEQUENCE, *[(UNITS,)] * 4, layer=layer("LSTM", units=UNITS), call=on_states),
    of("Bidirectional", "initial-state-gru", SEQUENCE, *[(UNITS,)] * 2, call=on_states,
       layer=layer("GRU", units=UNITS, return_sequences=True)),
    of("Bidirectional", "unequal", SEQUENCE, layer=layer("LSTM", units=UNITS, return_sequences=True),
       backward_layer=layer("LSTM", units=5, activation="relu", return_sequences=True, go_backwards=True)),
    of("Bidirectional", "mixed", SEQUENCE, layer=layer("LSTM", units=UNITS, return_sequences=True), merge_mode="sum",
       backward_layer=layer("GRU", units=UNITS, return_sequences=True, go_backwards=True)),
    of("Bidirectional", "no-bias", SEQUENCE, layer=layer("LSTM", units=UNITS, use_bias=False, return_sequences=True)),
    of("Bidirectional", "loop", SEQUENCE, layer=layer("GRU", units=UNITS, activation="gelu", return_sequences=True)),
    of("Bidirectional", "cells", SEQUENCE,
       layer=layer("RNN", return_sequences=True,
             cell=layer("StackedRNNCells", cells=[layer("LSTMCell", units=UNITS), layer("GRUCell", units=2)]))),
    of("Bidirectional", "backwards-first", SEQUENCE, layer=layer("GRU", units=UNITS, go_backwards=True, return_sequences=True),
       backward_layer=layer("GRU", units=UNITS, return_sequences=True)),
    of("Bidirectional", "activity", SEQUENCE, layer=layer("LSTM", units=UNITS, activity_regularizer=L2),
       activity_regularizer=L2),
    of("Bidirectional", "dropout", SEQUENCE, layer=layer("LSTM", units=UNITS, dropout=0.3), train=False),
    of("Bidirectional", "conv", (3, 4, 5, 2), layer=layer("ConvLSTM2D", filters=2, kernel_size=2, return_sequences=True)),
    of("Bidirectional", "frozen", SEQUENCE, layer=layer("SimpleRNN", units=UNITS), trainable=False),
    masked("lstm", lambda k: k.layers.LSTM(UNITS)),
    masked("sequences", lambda k: k.layers.LSTM(UNITS, return_sequences=True)),
    masked("mostly", lambda k: k.layers.GRU(UNITS, return_sequences=True, return_state=True), blank=0.8),
    masked("apart", lambda k: k.layers.SimpleRNN(UNITS, return_sequences=True), merge_mode=None),
    masked("loop", lambda k: k.layers.LSTM(UNITS, return_sequences=True, activation="gelu"), merge_mode="ave"),
    fn("Bidirectional/embedded", embedded, (6,), dtype="int32", integers=(0, 4), probe=False),
)  # fmt: skip

CASES: tuple[Case, ...] = (*_TIME_DISTRIBUTED, *_BIDIRECTIONAL)
