"""Losses: numbers against plain NumPy, weights and masks, the graph that they emit, and what they say of bad targets."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphc import compiler, losses
from graphc.autodiff import gradient
from graphc.custom_objects import custom_object_scope
from graphc.errors import ArgumentError, DataError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim
from graphc.ir.types import TensorType
from graphc.losses.loss import LossFunctionWrapper, NamedLoss
from graphc.ops import functional as ops
from graphc.ops.registry import OPS

Array = np.ndarray[Any, Any]
SAMPLES, CLASSES = 6, 4
EPSILON = 1e-7

random = np.random.RandomState(3)
REAL = random.uniform(-3, 3, (SAMPLES, CLASSES)).astype(np.float32)
OTHER = random.uniform(-3, 3, (SAMPLES, CLASSES)).astype(np.float32)
UNIT = random.uniform(0.05, 0.95, (SAMPLES, CLASSES)).astype(np.float32)
BINARY = (random.random_sample((SAMPLES, CLASSES)) < 0.5).astype(np.float32)
LABELS = random.randint(0, CLASSES, SAMPLES)
ONE_HOT = np.eye(CLASSES, dtype=np.float32)[LABELS]
WEIGHTS = random.uniform(0.2, 2.0, SAMPLES).astype(np.float32)


def softmax(x: Array) -> Array:
    shifted = np.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


PROBABILITIES = softmax(REAL).astype(np.float32)


def clipped(p: Array) -> Array:
    return np.clip(p, EPSILON, 1 - EPSILON)


def cross_entropy(y: Array, p: Array) -> Array:
    return -(y * np.log(clipped(p / p.sum(-1, keepdims=True)))).sum(-1)


def binary_cross_entropy(y: Array, p: Array) -> Array:
    return -(y * np.log(clipped(p)) + (1 - y) * np.log(1 - clipped(p))).mean(-1)


def huber(y: Array, p: Array, delta: float) -> Array:
    error = np.abs(p - y)
    return np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)).mean(-1)


def cosine(y: Array, p: Array) -> Array:
    return (y * p).sum(-1) / np.sqrt((y**2).sum(-1) * (p**2).sum(-1))


def focal(y: Array, p: Array, gamma: float, alpha: float) -> Array:
    of_truth = y * p + (1 - y) * (1 - p)
    weight = y * alpha + (1 - y) * (1 - alpha)
    entropy = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return (weight * (1 - of_truth) ** gamma * entropy).mean(-1)


def dice(y: Array, p: Array) -> Array:
    return 1 - 2 * (y * p).sum(-1) / (y.sum(-1) + p.sum(-1) + EPSILON)


def tversky(y: Array, p: Array, alpha: float, beta: float) -> Array:
    common = (y * p).sum(-1)
    return 1 - common / (common + alpha * (y * (1 - p)).sum(-1) + beta * (p * (1 - y)).sum(-1) + EPSILON)


def smoothed(y: Array, amount: float) -> Array:
    return y * (1 - amount) + amount / y.shape[-1]


# Loss, targets, predictions, and the value of each sample in float64.
CASES: dict[str, tuple[losses.Loss, Array, Array, Callable[[Array, Array], Array]]] = {
    "mse": (losses.MeanSquaredError(), REAL, OTHER, lambda y, p: ((y - p) ** 2).mean(-1)),
    "mae": (losses.MeanAbsoluteError(), REAL, OTHER, lambda y, p: np.abs(y - p).mean(-1)),
    "mape": (
        losses.MeanAbsolutePercentageError(),
        REAL,
        OTHER,
        lambda y, p: 100 * np.abs((y - p) / np.maximum(np.abs(y), EPSILON)).mean(-1),
    ),
    "msle": (
        losses.MeanSquaredLogarithmicError(),
        np.abs(REAL),
        OTHER,
        lambda y, p: ((np.log1p(np.maximum(y, EPSILON)) - np.log1p(np.maximum(p, EPSILON))) ** 2).mean(-1),
    ),
    "huber": (losses.Huber(0.7), REAL, OTHER, lambda y, p: huber(y, p, 0.7)),
    "log-cosh": (losses.LogCosh(), REAL, OTHER, lambda y, p: np.log(np.cosh(p - y)).mean(-1)),
    "cosine": (losses.CosineSimilarity(), REAL, OTHER, lambda y, p: -cosine(y, p)),
    "poisson": (losses.Poisson(), np.abs(REAL), UNIT, lambda y, p: (p - y * np.log(p + EPSILON)).mean(-1)),
    "kl": (losses.KLDivergence(), softmax(OTHER), PROBABILITIES, lambda y, p: (y * np.log(y / p)).sum(-1)),
    "hinge": (losses.Hinge(), BINARY, REAL, lambda y, p: np.maximum(1 - (2 * y - 1) * p, 0).mean(-1)),
    "hinge-signs": (losses.Hinge(), 2 * BINARY - 1, REAL, lambda y, p: np.maximum(1 - y * p, 0).mean(-1)),
    "squared-hinge": (
        losses.SquaredHinge(),
        BINARY,
        REAL,
        lambda y, p: (np.maximum(1 - (2 * y - 1) * p, 0) ** 2).mean(-1),
    ),
    "categorical-hinge": (
        losses.CategoricalHinge(),
        ONE_HOT,
        REAL,
        lambda y, p: np.maximum(((1 - y) * p).max(-1) - (y * p).sum(-1) + 1, 0),
    ),
    "binary": (losses.BinaryCrossentropy(), BINARY, UNIT, binary_cross_entropy),
    "binary-logits": (
        losses.BinaryCrossentropy(from_logits=True),
        BINARY,
        REAL,
        lambda y, p: (np.logaddexp(p, 0) - y * p).mean(-1),
    ),
    "binary-smoothed": (
        losses.BinaryCrossentropy(label_smoothing=0.2),
        BINARY,
        UNIT,
        lambda y, p: binary_cross_entropy(0.8 * y + 0.1, p),
    ),
    "binary-focal": (
        losses.BinaryFocalCrossentropy(True, alpha=0.3, gamma=1.5),
        BINARY,
        UNIT,
        lambda y, p: focal(y, p, 1.5, 0.3),
    ),
    "categorical": (losses.CategoricalCrossentropy(), ONE_HOT, UNIT, cross_entropy),
    "categorical-logits": (
        losses.CategoricalCrossentropy(from_logits=True),
        softmax(OTHER),
        REAL,
        lambda y, p: cross_entropy(y, softmax(p)),
    ),
    "categorical-smoothed": (
        losses.CategoricalCrossentropy(label_smoothing=0.2),
        ONE_HOT,
        PROBABILITIES,
        lambda y, p: cross_entropy(smoothed(y, 0.2), p),
    ),
    "categorical-focal": (
        losses.CategoricalFocalCrossentropy(alpha=0.5, gamma=3.0),
        ONE_HOT,
        PROBABILITIES,
        lambda y, p: (0.5 * (1 - p) ** 3 * -y * np.log(p)).sum(-1),
    ),
    "sparse": (
        losses.SparseCategoricalCrossentropy(),
        LABELS,
        UNIT,
        lambda y, p: cross_entropy(np.eye(CLASSES)[y], p),
    ),
    "sparse-logits": (
        losses.SparseCategoricalCrossentropy(from_logits=True),
        LABELS,
        REAL,
        lambda y, p: cross_entropy(np.eye(CLASSES)[y], softmax(p)),
    ),
    "generalized": (
        losses.CategoricalGeneralizedCrossEntropy(0.3),
        LABELS,
        PROBABILITIES,
        lambda y, p: (1 - p[np.arange(SAMPLES), y] ** 0.3) / 0.3,
    ),
    "dice": (losses.Dice(axis=-1), BINARY, UNIT, dice),
    "tversky": (losses.Tversky(0.3, 0.8, axis=-1), BINARY, UNIT, lambda y, p: tversky(y, p, 0.3, 0.8)),
}


def with_reduction(loss: losses.Loss, reduction: str | None) -> losses.Loss:
    return type(loss).from_config({**loss.get_config(), "reduction": reduction})


def per_sample(name: str) -> Array:
    _, y, p, formula = CASES[name]
    return formula(y if y.dtype.kind == "i" else y.astype(np.float64), p.astype(np.float64))


@pytest.mark.parametrize("name", CASES)
def test_values(name: str) -> None:
    loss, y, p, _ = CASES[name]
    values = np.asarray(with_reduction(loss, "none")(y, p))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, per_sample(name), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_reductions(name: str) -> None:
    loss, y, p, _ = CASES[name]
    values = per_sample(name)
    weighted = values * WEIGHTS
    for reduction, plain, with_weights in (
        ("sum_over_batch_size", values.mean(), weighted.mean()),
        ("mean", values.mean(), weighted.mean()),
        ("sum", values.sum(), weighted.sum()),
        ("mean_with_sample_weight", values.mean(), weighted.sum() / WEIGHTS.sum()),
        (None, values, weighted),
    ):
        reduced = with_reduction(loss, reduction)
        np.testing.assert_allclose(np.asarray(reduced(y, p)), plain, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(np.asarray(reduced(y, p, WEIGHTS)), with_weights, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_function_gives_the_values_of_the_class(name: str) -> None:
    loss, y, p, _ = CASES[name]
    assert isinstance(loss, NamedLoss)
    function = getattr(losses, loss.fn.__name__)
    np.testing.assert_allclose(np.asarray(function(y, p, **loss.arguments)), per_sample(name), rtol=2e-5, atol=1e-6)


# -- traced -----------------------------------------------------------------------------------------------------------


def trace(loss: losses.Loss, y: TensorType, p: TensorType, weight: TensorType | None = None) -> compiler.Lowered:
    types = {"y": y, "p": p} if weight is None else {"y": y, "p": p, "w": weight}
    return compiler.lower(lambda xs: loss(*xs), types, [None] * len(types))


def type_of(x: Array) -> TensorType:
    return TensorType(str(x.dtype), (Dim("batch"), *x.shape[1:]))


@pytest.mark.parametrize("name", CASES)
def test_traced_loss_equals_eager_loss(name: str) -> None:
    loss, y, p, _ = CASES[name]
    y = y.astype(np.float32) if y.dtype == np.float64 else y
    lowered = trace(loss, type_of(y), type_of(p), type_of(WEIGHTS))
    result = compiler.executable(lowered).run({"y": y, "p": p, "w": WEIGHTS})["output"]
    np.testing.assert_allclose(result, np.asarray(loss(y, p, WEIGHTS)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_the_slope(name: str) -> None:
    loss, y, p, _ = CASES[name]
    y = y.astype(np.float32) if y.dtype == np.float64 else y
    wide = type(loss).from_config({**loss.get_config()})
    wide._dtype = "float64"
    kind = "int64" if y.dtype.kind == "i" else "float64"
    lowered = trace(wide, TensorType(kind, y.shape), TensorType("float64", p.shape))
    graph = lowered.graph
    inputs = {v.producer.name: v for v in graph.inputs}
    (slope,) = gradient(Builder(graph, OPS), graph.outputs["output"], [inputs["p"]])
    assert slope is not None
    graph.outputs["slope"] = slope
    executable = compiler.executable(lowered)
    direction = np.random.RandomState(5).standard_normal(p.shape)
    step = 1e-6

    def at(offset: float) -> dict[str, Array]:
        return executable.run({"y": y.astype(kind), "p": p.astype(np.float64) + offset * direction})

    measured = (at(step)["output"] - at(-step)["output"]) / (2 * step)
    np.testing.assert_allclose((at(0)["slope"] * direction).sum(), measured, rtol=1e-5, atol=1e-8)


def emitted(loss: losses.Loss, y: TensorType, p: TensorType, weight: TensorType | None = None) -> list[str]:
    return [n.op for n in trace(loss, y, p, weight).graph.nodes() if n.inputs]


BATCH = Dim("batch")
LOGITS = TensorType("float32", (BATCH, 10))


def test_emitted_graphs_are_natural() -> None:
    labels = TensorType("int64", (BATCH,))
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert emitted(sparse, labels, LOGITS) == ["SparseSoftmaxCrossEntropy", "ReduceMean"]
    weights = TensorType("float32", (BATCH,))
    assert emitted(sparse, labels, LOGITS, weights) == ["SparseSoftmaxCrossEntropy", "Mul", "ReduceMean"]
    column = TensorType("int64", (BATCH, 1))
    assert emitted(sparse, column, LOGITS) == ["Squeeze", "SparseSoftmaxCrossEntropy", "ReduceMean"]
    assert emitted(losses.MeanSquaredError(), LOGITS, LOGITS) == ["Sub", "Mul", "ReduceMean", "ReduceMean"]
    assert emitted(losses.CategoricalCrossentropy(from_logits=True), LOGITS, LOGITS) == [
        *("LogSoftmax", "Mul", "ReduceSum", "Neg", "ReduceMean"),
    ]


# -- ranks, weights, masks --------------------------------------------------------------------------------------------


def test_a_last_axis_of_length_one_is_added_or_dropped() -> None:
    flat, column = REAL[:, 0], REAL[:, :1]
    loss = losses.MeanSquaredError(reduction="none")
    for y, p in ((flat, column), (column, flat), (column, column)):
        np.testing.assert_allclose(np.asarray(loss(y, p + 1)), np.ones(SAMPLES), rtol=1e-5)
    deep = losses.MeanSquaredError(reduction="none")(np.zeros((2, 3, 1)), np.ones((2, 3)))
    np.testing.assert_allclose(np.asarray(deep), [1, 1])


def test_lists_are_data() -> None:
    assert float(np.asarray(losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))) == 0.5
    assert float(np.asarray(losses.mean_absolute_error([1, 2], [2, 4]))) == 1.5


def test_weights_of_sequences() -> None:
    y, p = np.zeros((2, 3, 4), np.float32), np.ones((2, 3, 4), np.float32)
    loss = losses.MeanSquaredError(reduction="none")
    np.testing.assert_allclose(np.asarray(loss(y, p, np.array([[1.0], [2.0]]))), [[1, 1, 1], [2, 2, 2]])
    np.testing.assert_allclose(np.asarray(loss(y, p, np.arange(6.0).reshape(2, 3))), [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_allclose(np.asarray(loss(y, p, 0.5)), np.full((2, 3), 0.5))
    with pytest.raises(ShapeError, match=r"sample_weight.*\(2, 1\)"):
        loss(y, p, np.array([1.0, 2.0]))
    square = np.zeros((3, 3, 4), np.float32)
    with pytest.raises(ShapeError, match="sample_weight"):  # would be taken for the weights of the steps
        loss(square, square, np.ones(3))


@pytest.mark.parametrize("from_logits", [True, False])
def test_ignored_labels_do_not_count(from_logits: bool) -> None:
    y = np.array([[0, 1, 2], [2, 2, 3]])
    p = np.random.RandomState(7).uniform(0.1, 0.9, (2, 3, CLASSES)).astype(np.float32)
    values = cross_entropy(np.eye(CLASSES)[y], softmax(p.astype(np.float64)) if from_logits else p.astype(np.float64))
    weights = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
    valid = y != 2

    def loss(reduction: str, w: Array | None = None) -> Array:
        made = losses.SparseCategoricalCrossentropy(from_logits, ignore_class=2, reduction=reduction)
        return np.asarray(made(y, p, w))

    np.testing.assert_allclose(loss("none"), values * valid, rtol=1e-5)
    np.testing.assert_allclose(loss("sum"), (values * valid).sum(), rtol=1e-5)
    np.testing.assert_allclose(loss("mean"), (values * valid).sum() / valid.sum(), rtol=1e-5)
    np.testing.assert_allclose(loss("mean", weights), (values * weights * valid).sum() / valid.sum(), rtol=1e-5)
    np.testing.assert_allclose(
        loss("mean_with_sample_weight", weights), (values * weights * valid).sum() / (weights * valid).sum(), rtol=1e-5
    )


def test_nothing_that_counts_gives_zero() -> None:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    assert float(np.asarray(loss(np.array([1, 1]), REAL[:2]))) == 0.0
    weighted = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert float(np.asarray(weighted(REAL, OTHER, np.zeros(SAMPLES)))) == 0.0
    assert float(np.asarray(losses.MeanSquaredError()(REAL[:0], OTHER[:0]))) == 0.0


def test_float_and_small_integer_labels() -> None:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = np.asarray(loss(LABELS, REAL))
    for dtype in ("float32", "int32", "uint8", "int8"):
        np.testing.assert_array_equal(np.asarray(loss(LABELS.astype(dtype), REAL)), expected)


# -- targets ----------------------------------------------------------------------------------------------------------

OUTPUT = TensorType("float32", (BATCH, CLASSES))
STEPS = TensorType("float32", (BATCH, 3, CLASSES))


def test_good_targets_pass() -> None:
    sparse = losses.SparseCategoricalCrossentropy()
    sparse.check_targets(LABELS, OUTPUT)
    sparse.check_targets(LABELS[:, None], OUTPUT)
    sparse.check_targets(LABELS.astype(np.float32), OUTPUT)
    with pytest.raises(DataError, match="index 1 is nan"):
        sparse.check_targets(np.array([0.0, np.nan]), OUTPUT)
    sparse.check_targets(np.zeros((5, 3), np.int8), STEPS)
    losses.SparseCategoricalCrossentropy(ignore_class=-1).check_targets(np.array([-1, 3]), OUTPUT)
    losses.SparseCategoricalCrossentropy(ignore_class=255).check_targets(np.array([255, 3], np.uint8), OUTPUT)
    losses.SparseCategoricalCrossentropy(axis=1).check_targets(np.full((5, CLASSES), 2), STEPS)
    losses.CategoricalCrossentropy().check_targets(ONE_HOT, OUTPUT)
    losses.BinaryCrossentropy().check_targets(BINARY[:, 0], TensorType("float32", (BATCH, 1)))
    losses.MeanSquaredError().check_targets(REAL[:, :1], OUTPUT)  # broadcasts, as in Keras
    losses.resolve(lambda y, p: ops.mean(y - p)).check_targets(REAL, STEPS)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("loss", "y", "output", "message"),
    [
        (losses.SparseCategoricalCrossentropy(), np.array([0, 3, 4]), OUTPUT, r"label 4 at index 2.*0 to 3.*4 classes"),
        (losses.SparseCategoricalCrossentropy(), np.array([0, -1]), OUTPUT, r"label -1 at index 1.*ignore_class"),
        (losses.SparseCategoricalCrossentropy(), np.array([[0, 1, 9]]), STEPS, r"label 9 at index \(0, 2\)"),
        (losses.SparseCategoricalCrossentropy(), np.array([1, 2, 3, 4]), OUTPUT, r"use y - 1"),
        (losses.SparseCategoricalCrossentropy(), np.array([0.0, 1.5]), OUTPUT, r"index 1 is 1\.5"),
        (losses.SparseCategoricalCrossentropy(), np.array([0.0, np.inf]), OUTPUT, r"index 1 is inf"),
        (losses.SparseCategoricalCrossentropy(), ONE_HOT, OUTPUT, r"One-hot targets need CategoricalCrossentropy"),
        (losses.SparseCategoricalCrossentropy(), LABELS, STEPS, r"shape \(None, 3\)"),
        (losses.SparseCategoricalCrossentropy(ignore_class=0), np.array([0, 7]), OUTPUT, r"label 7 at index 1"),
        (losses.CategoricalCrossentropy(), LABELS, OUTPUT, r"need SparseCategoricalCrossentropy"),
        (losses.CategoricalCrossentropy(), ONE_HOT[:, :3], OUTPUT, r"\(6, 3\) do not fit .* \(None, 4\)"),
        (losses.BinaryCrossentropy(), BINARY, TensorType("float32", (BATCH, 1)), r"do not fit"),
        (losses.MeanSquaredError(), REAL[:, :3], OUTPUT, r"\(6, 3\) do not fit the output of shape \(None, 4\)"),
        (losses.MeanSquaredError(), REAL[:, 0], OUTPUT, r"do not fit"),
        (losses.CategoricalGeneralizedCrossEntropy(), np.array([5]), OUTPUT, r"label 5"),
        (losses.resolve("ce"), np.array([5]), OUTPUT, r"label 5"),
        (losses.resolve("sparse_categorical_crossentropy"), np.array([5]), OUTPUT, r"label 5"),
    ],
)
def test_bad_targets_are_named(loss: Any, y: Array, output: TensorType, message: str) -> None:
    with pytest.raises(DataError, match=message):
        loss.check_targets(y, output)


# -- names and configurations -----------------------------------------------------------------------------------------

ALIASES = {
    "mse": "MeanSquaredError",
    "MSE": "MeanSquaredError",
    "mean_squared_error": "MeanSquaredError",
    "MeanSquaredError": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "kld": "KLDivergence",
    "logcosh": "LogCosh",
    "huber": "Huber",
    "hinge": "Hinge",
    "poisson": "Poisson",
    "cosine_similarity": "CosineSimilarity",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "SparseCategoricalCrossentropy": "SparseCategoricalCrossentropy",
}


@pytest.mark.parametrize("name", ALIASES)
def test_names(name: str) -> None:
    found = losses.resolve(name)
    assert type(found).__name__ == ALIASES[name]
    is_class_name = name == ALIASES[name]
    assert is_class_name or (found is not None and found.name == name)
    given = losses.get(name)
    assert isinstance(given, losses.Loss) == is_class_name, "names of functions give functions, as in Keras"


def test_unknown_names() -> None:
    with pytest.raises(ArgumentError, match=r"Could not interpret loss identifier: 'msee'\. Did you mean \"mse\""):
        losses.get("msee")
    with pytest.raises(ArgumentError, match="Could not interpret loss identifier"):
        losses.get(3)


def test_objects_classes_functions_and_none() -> None:
    loss = losses.Huber()
    assert losses.get(loss) is losses.resolve(loss) is loss
    assert losses.get(None) is losses.resolve(None) is None
    assert isinstance(losses.resolve(losses.Huber), losses.Huber)

    def absolute(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.absolute(y_true - y_pred), axis=-1)

    wrapped = losses.resolve(absolute)
    assert isinstance(wrapped, LossFunctionWrapper)
    assert wrapped.name == "absolute"
    np.testing.assert_allclose(np.asarray(wrapped(REAL, OTHER)), np.abs(REAL - OTHER).mean(), rtol=1e-6)
    lowered = trace(wrapped, type_of(REAL), type_of(OTHER))
    np.testing.assert_allclose(
        compiler.executable(lowered).run({"y": REAL, "p": OTHER})["output"], np.abs(REAL - OTHER).mean(), rtol=1e-6
    )
    with custom_object_scope({"absolute": absolute}):
        again = losses.deserialize(losses.serialize(wrapped))
    assert again.fn is absolute


def test_a_loss_of_ones_own() -> None:
    class Quartic(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.mean(ops.power(y_true - y_pred, 4), axis=-1)

    np.testing.assert_allclose(np.asarray(Quartic()(REAL, OTHER)), ((REAL - OTHER) ** 4).mean(), rtol=1e-5)
    assert Quartic().name.startswith("quartic")

    class Nothing(losses.Loss):
        pass

    with pytest.raises(ArgumentError, match="must define `call"):
        Nothing()(REAL, OTHER)


@pytest.mark.parametrize(
    ("y", "p", "kind"),
    [
        (BINARY[:, :1], UNIT[:, :1], "binary"),
        (BINARY[:, 0], UNIT[:, :1], "binary"),
        (LABELS, PROBABILITIES, "sparse_categorical"),
        (LABELS[:, None], PROBABILITIES, "sparse_categorical"),
        (ONE_HOT, PROBABILITIES, "categorical"),
    ],
)
def test_crossentropy_goes_by_the_shapes(y: Array, p: Array, kind: str) -> None:
    expected = losses.resolve(f"{kind}_crossentropy")
    found = losses.resolve("crossentropy")
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(np.asarray(found(y, p)), np.asarray(expected(y, p)), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name: str) -> None:
    loss, y, p, _ = CASES[name]
    config = losses.serialize(with_reduction(loss, "sum"))
    assert config["module"] == "keras.losses"
    again = losses.deserialize(config)
    assert type(again) is type(loss)
    assert losses.serialize(again) == config
    np.testing.assert_array_equal(np.asarray(again(y, p)), np.asarray(with_reduction(loss, "sum")(y, p)))


def test_configs_hold_what_keras_files_hold() -> None:
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True).get_config()
    assert sparse == {
        "name": "sparse_categorical_crossentropy",
        "reduction": "sum_over_batch_size",
        "from_logits": True,
        "ignore_class": None,
    }
    assert losses.SparseCategoricalCrossentropy(axis=1).get_config()["axis"] == 1
    assert set(losses.BinaryCrossentropy().get_config()) - set(losses.MeanSquaredError().get_config()) == {
        *("from_logits", "label_smoothing", "axis"),
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.MeanSquaredError(reduction="average"), "Invalid value for argument `reduction`"),
        (lambda: losses.Huber(-1.0), "`delta` must be positive"),
        (lambda: losses.Huber(math.nan), "`delta` must be positive"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=1.5), "`label_smoothing` must be between 0 and 1"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(1.5), "`q` must be between"),
        (lambda: losses.categorical_crossentropy(ONE_HOT, UNIT, axis=True), "`axis` must be an integer"),
        (lambda: LossFunctionWrapper(3), "must be a function"),  # type: ignore[arg-type]
    ],
)
def test_senseless_arguments_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()


def test_one_class_is_suspicious() -> None:
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="same shape"):
        losses.CategoricalCrossentropy()(ONE_HOT[:, :3], UNIT)


# -- against a live Keras ---------------------------------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none", "mean_with_sample_weight"])
def test_equals_keras(name: str, reduction: str) -> None:
    keras = pytest.importorskip("keras")
    loss, y, p, _ = CASES[name]
    ours = with_reduction(loss, reduction)
    theirs = getattr(keras.losses, type(loss).__name__)(**{**loss_arguments(ours), "reduction": reduction})
    for weights in (None, WEIGHTS):
        reference = keras.ops.convert_to_numpy(theirs(y, p, sample_weight=weights))
        np.testing.assert_allclose(np.asarray(ours(y, p, weights)), reference, rtol=2e-5, atol=1e-6)
    assert getattr(keras.losses, type(loss).__name__)().name == type(loss)().name


def loss_arguments(loss: losses.Loss) -> dict[str, Any]:
    assert isinstance(loss, NamedLoss)
    return dict(loss.arguments)
