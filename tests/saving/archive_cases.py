"""Models that real Keras saved as ``.keras`` files, and graphc must load with Keras's numbers, and the other way round.

``build(k)`` gets the package: ``keras`` in ``tools/make_keras_archives.py``, ``graphc`` in the tests. Classes of the user's own
are made from ``k`` too, and handed in as ``custom_objects``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

BATCH = 3


@dataclass(frozen=True)
class ArchiveCase:
    """A model that is saved whole.

    Attributes:
        build: the package and its custom classes to a model.
        shapes: of one sample of each input.
        custom: the package to the classes and functions that the file refers to.
        compile: the package to the arguments of ``compile``; the model is trained for two steps before it is saved.
        integers: inputs are integers below this number.
    """

    name: str
    build: Callable[[Any, Mapping[str, Any]], Any]
    shapes: Sequence[tuple[int, ...]]
    custom: Callable[[Any], dict[str, Any]] = lambda k: {}
    compile: Callable[[Any], dict[str, Any]] | None = None
    integers: int = 0

    def inputs(self) -> list[Any]:
        """Seeded inputs; a stream that NumPy promises never to change."""
        random = np.random.RandomState(len(self.name))
        if self.integers:
            return [np.floor(random.random_sample((BATCH, *s)) * self.integers).astype("int32") for s in self.shapes]
        return [(random.random_sample((BATCH, *s)) * 2 - 1).astype("float32") for s in self.shapes]


def seed_weights(model: Any) -> None:
    """Weights that do not depend on a package's random numbers; variances stay positive."""
    random = np.random.RandomState(7)
    model.set_weights([(0.2 + 0.6 * random.random_sample(w.shape)).astype(w.dtype) for w in model.get_weights()])


def outputs(model: Any, case: ArchiveCase) -> list[Any]:
    """The outputs in inference, flat."""
    given = case.inputs()
    result = model.predict(given[0] if len(given) == 1 else given, verbose=0)
    return _flat(result)


def train(model: Any, case: ArchiveCase, steps: int) -> None:
    """A few steps on one batch, without anything random."""
    given = case.inputs()
    x = given[0] if len(given) == 1 else given
    y = [np.full(o.shape, 0.5, "float32") for o in outputs(model, case)]
    if isinstance(model.predict(x, verbose=0), dict):
        y = dict(zip(sorted(model.predict(x, verbose=0)), y, strict=True))  # type: ignore[assignment]
    for _ in range(steps):
        model.train_on_batch(x, y[0] if isinstance(y, list) and len(y) == 1 else y)


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [np.asarray(value[k]) for k in sorted(value)]
    return [np.asarray(v) for v in value] if isinstance(value, list | tuple) else [np.asarray(value)]


# -- the models -------------------------------------------------------------------------------------------------------


def _shared(k: Any, own: Mapping[str, Any]) -> Any:
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    start = k.initializers.RandomUniform(-0.5, 0.5, seed=3)
    encoder = k.layers.Dense(3, activation="tanh", kernel_initializer=start, name="encoder")
    joined = k.layers.concatenate([encoder(a), encoder(b), encoder(a) * 2.0])
    return k.Model([a, b], k.layers.Dense(2, kernel_initializer=start, name="head")(joined), name="shared")


def _sequential(k: Any, own: Mapping[str, Any]) -> Any:
    stack = [k.Input((6, 5, 2)), k.layers.Conv2D(3, (3, 2), activation="relu"), k.layers.BatchNormalization()]
    return k.Sequential([*stack, k.layers.Flatten(), k.layers.Dropout(0.0), k.layers.Dense(2)], name="stack")


def _nested(k: Any, own: Mapping[str, Any]) -> Any:
    z = k.Input((4,), name="z")
    stem = k.Sequential([k.Input((4,)), k.layers.Dense(4, activation="relu"), k.layers.Dense(4)], name="stem")
    inner = k.Model(z, k.layers.BatchNormalization(name="inner_norm")(stem(z)), name="inner")
    x = k.Input((4,), name="x")
    return k.Model(x, {"twice": inner(inner(x)), "once": k.layers.Dense(2, name="once")(inner(x))}, name="outer")


def _operations(k: Any, own: Mapping[str, Any]) -> Any:
    x = k.Input((6, 4), name="x")
    y = k.ops.concatenate([x + 1, 2.0 * x], axis=-1)
    first, last = y[:, 0], k.ops.mean(y, axis=1)
    z = k.ops.relu(first - last) / (k.ops.sum(first * first, axis=-1, keepdims=True) + 1.0)
    return k.Model(x, k.layers.Dense(3, name="out")(z), name="operations")


def _own_classes(k: Any) -> dict[str, Any]:
    class Scale(k.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape: Any) -> None:
            self.offset = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="offset")

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor + self.offset

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    class Branches(k.layers.Layer):  # type: ignore[misc, name-defined]
        """Layers in attributes, a list, a list within it and a dict."""

        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.first = k.layers.Dense(units, name="b_first")
            self.several = [k.layers.Dense(units), [k.layers.Dense(units), k.layers.Dense(units)]]
            self.named = {"z": k.layers.Dense(units), "a": Scale(0.5)}
            self._hidden = k.layers.Dense(units)

        def call(self, inputs: Any) -> Any:
            x = self.first(inputs) + self.several[0](inputs) * self.several[1][0](inputs)
            x = x - self.several[1][1](inputs) + self.named["a"](self.named["z"](inputs))
            return x + self._hidden(inputs)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    class Regressor(k.Model):  # type: ignore[misc, name-defined]
        def __init__(self, units: int = 4, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.tail = k.Sequential([k.layers.Dense(2)], name="tail")
            self.blocks = [k.layers.Dense(units, activation="tanh"), k.layers.Dense(units)]

        def call(self, inputs: Any, training: Any = None) -> Any:
            x = inputs
            for block in self.blocks:
                x = block(x)
            return self.tail(x)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    def double(x: Any) -> Any:
        return x * 2.0

    return {"Scale": Scale, "Branches": Branches, "Regressor": Regressor, "double": double}


def _custom(k: Any, own: Mapping[str, Any]) -> Any:
    x = k.Input((4,), name="x")
    y = own["Scale"](0.5, name="scale")(k.layers.Dense(4, activation=own["double"], name="dense")(x))
    return k.Model(x, k.layers.Dense(2, name="out")(own["Branches"](3, name="branches")(y)), name="custom")


def _subclassed(k: Any, own: Mapping[str, Any]) -> Any:
    model = own["Regressor"](3, name="regressor")
    model(np.zeros((BATCH, 5), "float32"))
    return model


def _tied(k: Any, own: Mapping[str, Any]) -> Any:
    layer = k.layers.Dense(4, name="tied")
    z = k.Input((4,), name="z")
    inner = k.Model(z, k.layers.Dense(4, name="other")(layer(z)), name="inner")
    x = k.Input((4,), name="x")
    return k.Model(x, inner(layer(x)), name="tied_model")


def _masked(k: Any, own: Mapping[str, Any]) -> Any:
    words = k.Input((5,), dtype="int32", name="words")
    x = k.layers.Embedding(7, 4, mask_zero=True, name="words_embedding")(words)
    x = k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True), name="both")(x)
    x = k.layers.TimeDistributed(k.layers.Dense(2), name="each")(x)
    return k.Model(words, k.layers.GRU(3, name="last")(x), name="masked")


def _attention(k: Any, own: Mapping[str, Any]) -> Any:
    x = k.Input((5, 4), name="x")
    y = k.layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    y = k.layers.LayerNormalization(name="norm")(y + x)
    cells = [k.layers.LSTMCell(2), k.layers.GRUCell(3)]
    return k.Model(x, k.layers.RNN(cells, name="cells")(y), name="attending")


def _with_adam(k: Any) -> dict[str, Any]:
    return {"optimizer": k.optimizers.Adam(0.01), "loss": "mse", "metrics": ["mae"]}


def _with_names(k: Any) -> dict[str, Any]:
    return {"optimizer": "sgd", "loss": "mae", "weighted_metrics": ["mse"]}


def _with_schedule(k: Any) -> dict[str, Any]:
    rate = k.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    return {"optimizer": k.optimizers.SGD(rate, momentum=0.9), "loss": k.losses.LogCosh(reduction="sum")}


def _by_name(k: Any) -> dict[str, Any]:
    return {
        "optimizer": k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        "loss": {"twice": "mse", "once": k.losses.MeanAbsoluteError()},
        "loss_weights": {"twice": 0.5, "once": 2.0},
        "metrics": {"once": [k.metrics.MeanSquaredError(name="squares")]},
    }


ARCHIVE_CASES: tuple[ArchiveCase, ...] = (
    ArchiveCase("shared", _shared, ((4,), (4,)), compile=_with_adam),
    ArchiveCase("sequential", _sequential, ((6, 5, 2),), compile=_with_schedule),
    ArchiveCase("nested", _nested, ((4,),), compile=_by_name),
    ArchiveCase("operations", _operations, ((6, 4),)),
    ArchiveCase("custom", _custom, ((4,),), custom=_own_classes, compile=_with_names),
    ArchiveCase("subclassed", _subclassed, ((5,),), custom=_own_classes, compile=_with_adam),
    ArchiveCase("tied", _tied, ((4,),)),
    ArchiveCase("masked", _masked, ((5,),), integers=7, compile=_with_adam),
    ArchiveCase("attention", _attention, ((5, 4),)),
)
