"""Parity cases of objects that are called by hand: metrics, schedules, regularisers and constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .loss_cases import LOGITS
from .spec import SEQUENCE, Shape


@dataclass(frozen=True)
class MetricCase:
    """A metric fed two batches, the second with sample weights, then reset.

    Attributes:
        metric: class name in ``k.metrics``.
        y_true: as in ``LossCase``; "" for a metric of values alone.
        y_pred: as in ``LossCase``.
        shape: of the predictions, without the batch axis.
        config: the metric's arguments.
        weights: shape of the sample weights, without the batch axis.
    """

    name: str
    metric: str
    y_true: str
    y_pred: str
    shape: Shape
    config: Mapping[str, Any] = field(default_factory=dict)
    weights: Shape = ()
    classes_axis: int = -1
    y_shape: Shape | None = None


def _metric(metric: str, label: str, y_true: str, y_pred: str, shape: Shape = (4,), **rest: Any) -> MetricCase:
    return MetricCase(f"{metric}/{label}", metric, y_true, y_pred, shape, **rest)


SPARSE_TOP = "SparseTopKCategoricalAccuracy"
CONFUSION = ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")

METRIC_OBJECTS: tuple[MetricCase, ...] = (
    _metric("Mean", "plain", "", "real", ()),
    _metric("Mean", "rank3", "", "real", SEQUENCE),
    _metric("Sum", "plain", "", "real", ()),
    _metric("Sum", "rank3", "", "real", SEQUENCE),
    _metric("Accuracy", "plain", "binary", "binary"),
    _metric("BinaryAccuracy", "plain", "binary", "raw"),
    _metric("BinaryAccuracy", "threshold", "binary", "raw", (1,), config={"threshold": 0.7}),
    _metric("CategoricalAccuracy", "plain", "one-hot", "raw"),
    _metric("CategoricalAccuracy", "rank3", "one-hot", "logits", SEQUENCE, weights=(6,)),
    _metric("SparseCategoricalAccuracy", "plain", "labels", "raw"),
    _metric("SparseCategoricalAccuracy", "column", "labels-column", "logits"),
    _metric("SparseCategoricalAccuracy", "rank3", "labels", "logits", SEQUENCE, weights=(6,)),
    _metric("TopKCategoricalAccuracy", "plain", "one-hot", "raw", (7,)),
    _metric("TopKCategoricalAccuracy", "two", "one-hot", "logits", (7,), config={"k": 2}),
    _metric(SPARSE_TOP, "plain", "labels", "raw", (7,)),
    _metric(SPARSE_TOP, "two", "labels", "logits", (7,), config={"k": 2}),
    _metric("MeanSquaredError", "plain", "real", "real"),
    _metric("MeanSquaredError", "rank3", "real", "real", SEQUENCE, weights=(6,)),
    _metric("RootMeanSquaredError", "plain", "real", "real"),
    _metric("MeanAbsoluteError", "plain", "real", "real"),
    _metric("MeanAbsolutePercentageError", "plain", "real", "real"),
    _metric("MeanSquaredLogarithmicError", "plain", "positive", "positive"),
    _metric("CosineSimilarity", "plain", "real", "real"),
    _metric("CosineSimilarity", "axis1", "real", "real", SEQUENCE, config={"axis": 1}),
    _metric("LogCoshError", "plain", "real", "real"),
    _metric("Hinge", "plain", "binary", "real"),
    _metric("SquaredHinge", "plain", "sign", "real"),
    _metric("CategoricalHinge", "plain", "one-hot", "real"),
    _metric("KLDivergence", "plain", "soft", "probabilities"),
    _metric("Poisson", "plain", "positive", "positive"),
    _metric("BinaryCrossentropy", "plain", "binary", "raw"),
    _metric("BinaryCrossentropy", "logits", "binary", "logits", config={**LOGITS, "label_smoothing": 0.1}),
    _metric("CategoricalCrossentropy", "plain", "one-hot", "probabilities"),
    _metric("CategoricalCrossentropy", "logits", "one-hot", "logits", config={**LOGITS, "label_smoothing": 0.1}),
    _metric("SparseCategoricalCrossentropy", "plain", "labels", "probabilities"),
    _metric("SparseCategoricalCrossentropy", "logits", "labels", "logits", config=LOGITS),
    *(_metric(name, "plain", "binary", "raw") for name in CONFUSION),
    *(_metric(name, "thresholds", "binary", "raw", config={"thresholds": [0.3, 0.6]}) for name in CONFUSION),
    _metric("Precision", "plain", "binary", "raw"),
    _metric("Precision", "thresholds", "binary", "raw", config={"thresholds": [0.3, 0.6]}),
    _metric("Precision", "class", "one-hot", "raw", config={"class_id": 2}),
    _metric("Recall", "plain", "binary", "raw"),
    _metric("Recall", "thresholds", "binary", "raw", config={"thresholds": [0.3, 0.6]}),
    _metric("Recall", "class", "one-hot", "raw", config={"class_id": 2}),
)


@dataclass(frozen=True)
class ScheduleCase:
    """A learning-rate schedule at steps 0, 1, 2, ..."""

    name: str
    schedule: str
    config: Mapping[str, Any] = field(default_factory=dict)


def _schedule(schedule: str, label: str, **config: Any) -> ScheduleCase:
    return ScheduleCase(f"{schedule}/{label}", schedule, config)


START = {"initial_learning_rate": 0.1}

SCHEDULES: tuple[ScheduleCase, ...] = (
    _schedule("ExponentialDecay", "plain", **START, decay_steps=4, decay_rate=0.6),
    _schedule("ExponentialDecay", "staircase", **START, decay_steps=4, decay_rate=0.6, staircase=True),
    _schedule("InverseTimeDecay", "plain", **START, decay_steps=3, decay_rate=0.5),
    _schedule("InverseTimeDecay", "staircase", **START, decay_steps=3, decay_rate=0.5, staircase=True),
    _schedule("PiecewiseConstantDecay", "plain", boundaries=[3, 7], values=[0.5, 0.2, 0.1]),
    _schedule("PolynomialDecay", "plain", **START, decay_steps=8, end_learning_rate=0.01, power=2.0),
    _schedule("PolynomialDecay", "cycle", **START, decay_steps=4, end_learning_rate=0.02, power=0.5, cycle=True),
    _schedule("CosineDecay", "plain", **START, decay_steps=9, alpha=0.1),
    _schedule("CosineDecay", "warmup", **START, decay_steps=6, warmup_target=0.4, warmup_steps=3),
    _schedule("CosineDecayRestarts", "plain", **START, first_decay_steps=3),
    # No restart at a whole step: there the backends' logarithms decide by a rounding which period the step belongs to.
    _schedule("CosineDecayRestarts", "growing", **START, first_decay_steps=2.5, t_mul=1.5, m_mul=0.8, alpha=0.05),
)


@dataclass(frozen=True)
class WeightCase:
    """A regulariser's penalty of a weight, or a constraint's projection of it."""

    name: str
    module: str
    rule: str
    shape: Shape = (5, 4)
    config: Mapping[str, Any] = field(default_factory=dict)


def _rule(module: str, rule: str, label: str, shape: Shape = (5, 4), **config: Any) -> WeightCase:
    return WeightCase(f"{rule}/{label}", module, rule, shape, config)


WEIGHT_RULES: tuple[WeightCase, ...] = (
    _rule("regularizers", "L1", "plain"),
    _rule("regularizers", "L1", "factor", (3, 2, 4), l1=0.3),
    _rule("regularizers", "L2", "plain"),
    _rule("regularizers", "L2", "factor", (3, 2, 4), l2=0.3),
    _rule("regularizers", "L1L2", "plain"),
    _rule("regularizers", "L1L2", "both", l1=0.2, l2=0.4),
    _rule("regularizers", "OrthogonalRegularizer", "rows", factor=0.5),
    _rule("regularizers", "OrthogonalRegularizer", "columns", factor=0.5, mode="columns"),
    _rule("constraints", "NonNeg", "plain"),
    _rule("constraints", "MaxNorm", "plain", max_value=1.0),
    _rule("constraints", "MaxNorm", "axes", (3, 2, 4, 5), max_value=1.5, axis=[0, 1, 2]),
    _rule("constraints", "UnitNorm", "plain"),
    _rule("constraints", "UnitNorm", "axis1", axis=1),
    _rule("constraints", "MinMaxNorm", "plain"),
    _rule("constraints", "MinMaxNorm", "rate", min_value=1.2, max_value=1.6, rate=0.4, axis=1),
)
