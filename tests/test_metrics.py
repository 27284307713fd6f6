"""Metrics: numbers against plain NumPy over several batches, the graph that they emit, names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from graphc import compiler, losses, metrics
from graphc.custom_objects import custom_object_scope
from graphc.errors import ArgumentError, GraphcError
from graphc.ir.dims import Dim
from graphc.ir.types import TensorType
from graphc.ops import functional as ops

Array = np.ndarray[Any, Any]
SAMPLES, CLASSES = 10, 4
BATCHES = (slice(0, 4), slice(4, 8), slice(8, 10))  # the last one is short

random = np.random.RandomState(4)
REAL = random.uniform(-3, 3, (SAMPLES, CLASSES)).astype(np.float32)
OTHER = random.uniform(-3, 3, (SAMPLES, CLASSES)).astype(np.float32)
UNIT = random.uniform(0.05, 0.95, (SAMPLES, CLASSES)).astype(np.float32)
BINARY = (random.random_sample((SAMPLES, CLASSES)) < 0.5).astype(np.float32)
LABELS = random.randint(0, CLASSES, SAMPLES)
ONE_HOT = np.eye(CLASSES, dtype=np.float32)[LABELS]
WEIGHTS = random.uniform(0.2, 2.0, SAMPLES).astype(np.float32)
STEPS = random.uniform(-3, 3, (SAMPLES, 3, CLASSES)).astype(np.float32)
STEP_LABELS = random.randint(0, CLASSES, (SAMPLES, 3))
STEP_WEIGHTS = random.uniform(0.2, 2.0, (SAMPLES, 3)).astype(np.float32)

Case = tuple[Callable[[], metrics.Metric], Array, Array, Callable[[Array, Array], Array]]

# Metric, targets, predictions, and the value of each sample.
MEANS: dict[str, Case] = {
    "mse": (metrics.MeanSquaredError, REAL, OTHER, lambda y, p: ((y - p) ** 2).mean(-1)),
    "mae": (metrics.MeanAbsoluteError, REAL, OTHER, lambda y, p: np.abs(y - p).mean(-1)),
    "mape": (metrics.MeanAbsolutePercentageError, REAL, OTHER, lambda y, p: 100 * np.abs((y - p) / y).mean(-1)),
    "msle": (
        metrics.MeanSquaredLogarithmicError,
        np.abs(REAL),
        np.abs(OTHER),
        lambda y, p: ((np.log1p(y) - np.log1p(p)) ** 2).mean(-1),
    ),
    "logcosh": (metrics.LogCoshError, REAL, OTHER, lambda y, p: np.log(np.cosh(y - p)).mean(-1)),
    "cosine": (
        metrics.CosineSimilarity,
        REAL,
        OTHER,
        lambda y, p: (y * p).sum(-1) / np.sqrt((y**2).sum(-1) * (p**2).sum(-1)),
    ),
    "hinge": (metrics.Hinge, 2 * BINARY - 1, REAL, lambda y, p: np.maximum(1 - y * p, 0).mean(-1)),
    "squared-hinge": (
        metrics.SquaredHinge,
        2 * BINARY - 1,
        REAL,
        lambda y, p: (np.maximum(1 - y * p, 0) ** 2).mean(-1),
    ),
    "categorical-hinge": (
        metrics.CategoricalHinge,
        ONE_HOT,
        REAL,
        lambda y, p: np.maximum(((1 - y) * p).max(-1) - (y * p).sum(-1) + 1, 0),
    ),
    "kl": (metrics.KLDivergence, UNIT, UNIT[::-1].copy(), lambda y, p: (y * np.log(y / p)).sum(-1)),
    "poisson": (metrics.Poisson, np.abs(REAL), UNIT, lambda y, p: (p - y * np.log(p + 1e-7)).mean(-1)),
    "binary-crossentropy": (
        lambda: metrics.BinaryCrossentropy(from_logits=True),
        BINARY,
        REAL,
        lambda y, p: (np.logaddexp(p, 0) - y * p).mean(-1),
    ),
    "categorical-crossentropy": (
        metrics.CategoricalCrossentropy,
        ONE_HOT,
        UNIT,
        lambda y, p: -(y * np.log(p / p.sum(-1, keepdims=True))).sum(-1),
    ),
    "sparse-crossentropy": (
        metrics.SparseCategoricalCrossentropy,
        LABELS,
        UNIT,
        lambda y, p: -np.log(p / p.sum(-1, keepdims=True))[np.arange(len(y)), y],
    ),
    "accuracy": (metrics.Accuracy, LABELS, LABELS[::-1].copy(), lambda y, p: 1.0 * (y == p)),
    "binary-accuracy": (
        lambda: metrics.BinaryAccuracy(threshold=0.4),
        BINARY,
        UNIT,
        lambda y, p: 1.0 * (y == (p > 0.4)).mean(-1),
    ),
    "binary-accuracy-flat": (
        metrics.BinaryAccuracy,
        BINARY[:, 0],
        UNIT[:, :1],
        lambda y, p: 1.0 * (y == (p[:, 0] > 0.5)),
    ),
    "categorical-accuracy": (
        metrics.CategoricalAccuracy,
        ONE_HOT,
        REAL,
        lambda y, p: 1.0 * (y.argmax(-1) == p.argmax(-1)),
    ),
    "sparse-accuracy": (metrics.SparseCategoricalAccuracy, LABELS, REAL, lambda y, p: 1.0 * (y == p.argmax(-1))),
    "sparse-accuracy-column": (
        metrics.SparseCategoricalAccuracy,
        LABELS[:, None],
        REAL,
        lambda y, p: 1.0 * (y[:, 0] == p.argmax(-1)),
    ),
    "sparse-accuracy-float": (
        metrics.SparseCategoricalAccuracy,
        LABELS.astype(np.float32),
        REAL,
        lambda y, p: 1.0 * (y == p.argmax(-1)),
    ),
    "sparse-accuracy-steps": (
        metrics.SparseCategoricalAccuracy,
        STEP_LABELS,
        STEPS,
        lambda y, p: 1.0 * (y == p.argmax(-1)),
    ),
    "top-2": (
        lambda: metrics.TopKCategoricalAccuracy(k=2),
        ONE_HOT,
        REAL,
        lambda y, p: np.array([yy.argmax() in pp.argsort()[-2:] for yy, pp in zip(y, p, strict=True)], float),
    ),
    "sparse-top-3": (
        lambda: metrics.SparseTopKCategoricalAccuracy(k=3),
        LABELS,
        REAL,
        lambda y, p: np.array([yy in pp.argsort()[-3:] for yy, pp in zip(y, p, strict=True)], float),
    ),
}


def weights_of(name: str) -> Array:
    return STEP_WEIGHTS if name == "sparse-accuracy-steps" else WEIGHTS


def collect(metric: metrics.Metric, y: Array, p: Array, weights: Array | None = None) -> float:
    for rows in BATCHES:
        metric.update_state(y[rows], p[rows], sample_weight=None if weights is None else weights[rows])
    return float(np.asarray(metric.result()))


def wide(x: Array) -> Array:
    return x.astype(np.float64) if x.dtype.kind == "f" else x


@pytest.mark.parametrize("name", MEANS)
def test_mean_over_batches(name: str) -> None:
    make, y, p, formula = MEANS[name]
    values = formula(wide(y), wide(p))
    metric = make()
    assert float(np.asarray(metric.result())) == 0.0
    assert collect(metric, y, p) == pytest.approx(values.mean(), rel=2e-5)
    metric.reset_state()
    assert [v.array.any() for v in metric.variables] == [False, False]
    weights = weights_of(name)
    if values.ndim > 1:  # one value per step: the steps of a sample are averaged first, the weights too (Keras's rule)
        expected = (values * weights).mean(-1).sum() / weights.mean(-1).sum()
    else:
        expected = (values * weights).sum() / weights.sum()
    assert collect(metric, y, p, weights) == pytest.approx(expected, rel=2e-5)


def type_of(x: Array) -> TensorType:
    return TensorType(str(x.dtype), (Dim("batch"), *x.shape[1:]))


def trace_update(metric: metrics.Metric, y: Array, p: Array, weights: Array | None) -> compiler.Lowered:
    given = {"y": y, "p": p} | ({} if weights is None else {"w": weights})

    def update(xs: Sequence[Any]) -> Any:
        metric.update_state(xs[0], xs[1], sample_weight=xs[2] if len(xs) > 2 else None)
        return []

    return compiler.lower(update, {k: type_of(x) for k, x in given.items()}, [None] * len(given))


EXTRA: dict[str, tuple[Callable[[], metrics.Metric], Array, Array]] = {
    "root": (metrics.RootMeanSquaredError, REAL, OTHER),
    "true-positives": (metrics.TruePositives, BINARY, UNIT),
    "precision": (lambda: metrics.Precision(class_id=1), BINARY, UNIT),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [*MEANS, *EXTRA])
def test_traced_updates_equal_eager_updates(name: str, weighted: bool) -> None:
    make, y, p = (MEANS[name][:3]) if name in MEANS else EXTRA[name]
    y = y.astype(np.float32) if y.dtype == np.float64 else y
    weights = weights_of(name) if weighted else None
    eager, traced = make(), make()
    expected = collect(eager, y, p, weights)
    executable = compiler.executable(trace_update(traced, y, p, weights))
    for rows in BATCHES:
        feeds = {"y": y[rows], "p": p[rows]} | ({} if weights is None else {"w": weights[rows]})
        executable.run(feeds)
    assert float(np.asarray(traced.result())) == pytest.approx(expected, rel=1e-5)


def test_emitted_graph_is_natural() -> None:
    lowered = trace_update(metrics.SparseCategoricalAccuracy(), LABELS, REAL, None)
    emitted = [n.op for n in lowered.graph.nodes() if n.inputs]
    assert sorted(emitted) == sorted(["ArgMax", "Equal", "Cast", "ReduceSum", "Add", "Add"]), emitted
    assert set(lowered.variables) == {
        "sparse_categorical_accuracy/total",
        "sparse_categorical_accuracy/count",
    }


# -- means and sums ---------------------------------------------------------------------------------------------------


def test_mean_and_sum_of_values() -> None:
    mean = metrics.Mean()
    mean.update_state([1, 3, 5, 7])
    mean.update_state(2.5, sample_weight=4.0)
    assert float(np.asarray(mean.result())) == pytest.approx((16 + 10) / 8)
    mean.reset_state()
    mean.update_state(np.array([[1.0, 3.0], [5.0, 7.0]]), sample_weight=np.array([1.0, 3.0]))
    assert float(np.asarray(mean.result())) == pytest.approx((2 + 3 * 6) / 4)
    total = metrics.Sum()
    total.update_state(np.array([[1.0, 2.0], [3.0, 4.0]]), sample_weight=np.array([1.0, 10.0]))
    assert float(np.asarray(total(np.array([0.5])))) == pytest.approx(73.5)


def test_weight_that_broadcasts() -> None:
    mean = metrics.Mean()
    mean.update_state(np.array([[1.0, 3.0], [5.0, 7.0]]), sample_weight=np.array([[1.0], [3.0]]))
    assert float(np.asarray(mean.result())) == pytest.approx((2 + 3 * 6) / 4)


def test_root_mean_squared_error() -> None:
    metric = metrics.RootMeanSquaredError()
    squares = (REAL.astype(np.float64) - OTHER) ** 2
    assert collect(metric, REAL, OTHER) == pytest.approx(np.sqrt(squares.mean()), rel=1e-5)
    metric.reset_state()
    expected = np.sqrt((squares.mean(-1) * WEIGHTS).sum() / WEIGHTS.sum())
    assert collect(metric, REAL, OTHER, WEIGHTS) == pytest.approx(expected, rel=1e-5)


def test_sorted_ids() -> None:
    ids = np.array([[3, 1, 2], [0, 2, 1]])
    metric = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    assert float(np.asarray(metric(np.array([1, 1]), ids))) == 0.5


def test_ties_are_in_the_top() -> None:
    scores = np.array([[0.5, 0.5, 0.1, 0.0]], np.float32)
    hit = metrics.sparse_top_k_categorical_accuracy(np.array([1]), scores, k=1)
    np.testing.assert_array_equal(np.asarray(hit), [1.0])


def test_ignored_class_counts_not_at_all_with_weights() -> None:
    values = -np.log(UNIT.astype(np.float64) / UNIT.sum(-1, keepdims=True))[np.arange(SAMPLES), LABELS]
    valid = LABELS != 1
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=1)
    assert collect(metric, LABELS, UNIT) == pytest.approx((values * valid).mean(), rel=1e-5)
    metric.reset_state()
    expected = (values * valid * WEIGHTS).sum() / (valid * WEIGHTS).sum()
    assert collect(metric, LABELS, UNIT, WEIGHTS) == pytest.approx(expected, rel=1e-5)


# -- decisions --------------------------------------------------------------------------------------------------------


def counts(threshold: float, weights: Array) -> dict[str, float]:
    yes, true = threshold < UNIT, BINARY == 1
    spread = np.broadcast_to(weights[:, None], UNIT.shape)
    return {
        "tp": (spread * (yes & true)).sum(),
        "fp": (spread * (yes & ~true)).sum(),
        "tn": (spread * (~yes & ~true)).sum(),
        "fn": (spread * (~yes & true)).sum(),
    }


@pytest.mark.parametrize("weighted", [False, True])
def test_counts_and_ratios(weighted: bool) -> None:
    weights = WEIGHTS if weighted else np.ones(SAMPLES, np.float32)
    given = WEIGHTS if weighted else None
    thresholds = [0.2, 0.5, 0.8]
    by_threshold = [counts(t, weights) for t in thresholds]
    for make, wanted in (
        (metrics.TruePositives, "tp"),
        (metrics.FalsePositives, "fp"),
        (metrics.TrueNegatives, "tn"),
        (metrics.FalseNegatives, "fn"),
    ):
        assert collect(make(), BINARY, UNIT, given) == pytest.approx(by_threshold[1][wanted], rel=1e-5)
        several = make(thresholds=thresholds)
        several.update_state(BINARY, UNIT, sample_weight=given)
        np.testing.assert_allclose(np.asarray(several.result()), [c[wanted] for c in by_threshold], rtol=1e-5)
    precision, recall = metrics.Precision(thresholds=thresholds), metrics.Recall(thresholds=thresholds)
    for ratio, other in ((precision, "fp"), (recall, "fn")):
        ratio.update_state(BINARY, UNIT, sample_weight=given)
        expected = [c["tp"] / (c["tp"] + c[other]) for c in by_threshold]
        np.testing.assert_allclose(np.asarray(ratio.result()), expected, rtol=1e-5)


def test_ratios_of_one_class() -> None:
    yes, true = UNIT[:, 2] > 0.5, BINARY[:, 2] == 1
    precision = metrics.Precision(class_id=2)
    assert float(np.asarray(precision.result())) == 0.0
    assert collect(precision, BINARY, UNIT) == pytest.approx((yes & true).sum() / yes.sum())
    last = metrics.Recall(class_id=-1)
    yes, true = UNIT[:, -1] > 0.5, BINARY[:, -1] == 1
    assert collect(last, BINARY, UNIT) == pytest.approx((yes & true).sum() / true.sum())
    with pytest.raises(ArgumentError, match=r"\(batch, classes\)"):
        precision.update_state(BINARY[:, 0], UNIT[:, 0])


def test_senseless_arguments_are_refused() -> None:
    for make in (
        lambda: metrics.BinaryAccuracy(threshold=1.5),
        lambda: metrics.Precision(thresholds=[0.2, 1.5]),
        lambda: metrics.Recall(top_k=3),
        lambda: metrics.MeanMetricWrapper(3),  # type: ignore[arg-type]
    ):
        with pytest.raises(ArgumentError):
            make()


# -- metrics of one's own ---------------------------------------------------------------------------------------------


class Largest(metrics.Metric):
    """The largest error so far."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.largest = self.add_weight(name="largest")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        self.largest.assign(ops.maximum(self.largest, ops.max(ops.absolute(y_true - y_pred))))

    def result(self) -> Any:
        return self.largest.value


def test_a_metric_of_ones_own() -> None:
    metric, expected = Largest(), np.abs(REAL - OTHER).max()
    assert metric.name.startswith("largest")
    assert collect(metric, REAL, OTHER) == pytest.approx(expected)
    metric.reset_state()
    executable = compiler.executable(trace_update(metric, REAL, OTHER, None))
    for rows in BATCHES:
        executable.run({"y": REAL[rows], "p": OTHER[rows]})
    assert float(np.asarray(metric.result())) == pytest.approx(expected)


def test_inner_metrics_are_part() -> None:
    class Pair(metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="pair")
            self.parts = [metrics.MeanSquaredError(), metrics.MeanAbsoluteError()]

    pair = Pair()
    assert [v.path for v in pair.variables] == [
        *("mean_squared_error/total", "mean_squared_error/count"),
        *("mean_absolute_error/total", "mean_absolute_error/count"),
    ]
    with pytest.raises(ArgumentError, match="must define `update_state"):
        pair.update_state(REAL, OTHER)
    with pytest.raises(ArgumentError, match="must define `result"):
        pair.result()


def test_a_forgotten_constructor_is_named() -> None:
    class Forgetful(metrics.Metric):
        def __init__(self) -> None:
            self.add_weight(name="total")

    with pytest.raises(GraphcError, match=r"super\(\).__init__"):
        Forgetful()


# -- names and configurations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y_shape", "p_shape", "cls"),
    [
        ((Dim("batch"), 1), (Dim("batch"), 1), metrics.BinaryAccuracy),
        ((Dim("batch"),), (Dim("batch"), 1), metrics.BinaryAccuracy),
        ((Dim("batch"),), (Dim("batch"), 3), metrics.SparseCategoricalAccuracy),
        ((Dim("batch"), 1), (Dim("batch"), 3), metrics.SparseCategoricalAccuracy),
        ((Dim("batch"), 5), (Dim("batch"), 5, 3), metrics.SparseCategoricalAccuracy),
        ((Dim("batch"), 3), (Dim("batch"), 3), metrics.CategoricalAccuracy),
    ],
)
def test_accuracy_goes_by_the_shapes(y_shape: Any, p_shape: Any, cls: type) -> None:
    assert metrics.resolve_accuracy(y_shape, p_shape) is cls
    for name in ("accuracy", "acc", "Accuracy"):
        metric, key = metrics.resolve(name, y_shape, p_shape)
        assert (type(metric), metric.name, key) == (cls, name, name)
    crossentropy, _ = metrics.resolve("ce", y_shape, p_shape)
    assert type(crossentropy).__name__ == cls.__name__.replace("Accuracy", "Crossentropy")


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ("mse", "MeanSquaredError", "mse"),
        ("MSE", "MeanSquaredError", "MSE"),
        ("MeanSquaredError", "MeanSquaredError", "MeanSquaredError"),
        ("mean_squared_error", "MeanSquaredError", "mean_squared_error"),
        ("mae", "MeanAbsoluteError", "mae"),
        ("root_mean_squared_error", "RootMeanSquaredError", "root_mean_squared_error"),
        ("binary_accuracy", "BinaryAccuracy", "binary_accuracy"),
        ("nonsense", None, None),
        ("precision", "Precision", "precision"),
        ("huber", "MeanMetricWrapper", "huber"),
        (metrics.MeanAbsoluteError(name="off"), "MeanAbsoluteError", "off"),
        (metrics.MeanAbsoluteError, "MeanAbsoluteError", "mean_absolute_error"),
        (losses.mean_absolute_error, "MeanMetricWrapper", "mean_absolute_error"),
    ],
)
def test_resolve(given: Any, kind: str | None, name: str | None) -> None:
    shape = (Dim("batch"), 3)
    if kind is None:
        with pytest.raises(ArgumentError, match=f"Could not interpret metric identifier: '{given}'"):
            metrics.resolve(given, shape, shape)
        return
    metric, key = metrics.resolve(given, shape, shape)
    assert (type(metric).__name__, metric.name, key) == (kind, name, name)


def test_unknown_names() -> None:
    assert metrics.is_shape_dependent("Acc")
    assert not metrics.is_shape_dependent("mse")
    with pytest.raises(ArgumentError, match=r"Could not interpret metric identifier: 'accurcy'\."):
        metrics.get("accurcy")
    with pytest.raises(ArgumentError, match=r"Did you mean \"binary_accuracy\""):
        metrics.get("binary_acuracy")
    assert metrics.get(None) is None


@pytest.mark.parametrize("name", [*MEANS, *EXTRA])
def test_config_round_trip(name: str) -> None:
    make, y, p = (MEANS[name][:3]) if name in MEANS else EXTRA[name]
    metric = make()
    config = metrics.serialize(metric)
    assert config["module"] == "keras.metrics"
    again = metrics.deserialize(config)
    assert type(again) is type(metric)
    assert metrics.serialize(again) == config
    assert collect(again, y, p) == collect(metric, y, p)


def test_wrapped_functions_round_trip() -> None:
    def largest(y_true: Any, y_pred: Any) -> Any:
        return ops.max(ops.absolute(y_true - y_pred), axis=-1)

    metric, name = metrics.resolve(largest, (Dim("batch"), 3), (Dim("batch"), 3))
    assert name == "largest"
    assert collect(metric, REAL, OTHER) == pytest.approx(np.abs(REAL - OTHER).max(-1).mean(), rel=1e-5)
    with custom_object_scope({"largest": largest}):
        again = metrics.deserialize(metrics.serialize(metric))
    assert again.fn is largest
    wrapped = metrics.MeanMetricWrapper(metrics.mean_squared_error, name="mine")
    again = metrics.deserialize(metrics.serialize(wrapped))
    assert (again.fn, again.name) == (metrics.mean_squared_error, "mine")


# -- against a live Keras ---------------------------------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [*MEANS, *EXTRA])
def test_equals_keras(name: str, weighted: bool) -> None:
    keras = pytest.importorskip("keras")
    make, y, p = (MEANS[name][:3]) if name in MEANS else EXTRA[name]
    ours = make()
    config = ours.get_config()
    for extra in ("axis",) if name == "cosine" else ():
        config.pop(extra)
    theirs = getattr(keras.metrics, type(ours).__name__).from_config(config)
    weights = weights_of(name) if weighted else None
    for rows in BATCHES:
        theirs.update_state(y[rows], p[rows], sample_weight=None if weights is None else weights[rows])
    assert collect(ours, y, p, weights) == pytest.approx(float(theirs.result()), rel=2e-5)
