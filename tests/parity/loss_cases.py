"""Parity cases of losses: one row is a loss with its options on seeded targets and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .spec import SEQUENCE, Shape


@dataclass(frozen=True)
class LossCase:
    """A loss on seeded predictions, in every reduction, without and with sample weights.

    Attributes:
        loss: class name in ``k.losses``.
        config: its arguments, without ``reduction``.
        y_true: "labels", "labels-column" (last axis 1), "one-hot", "soft" (a distribution), "binary", "sign" (-1 or 1),
            "positive" or "real".
        y_pred: "logits", "wide-logits" (to +-60), "probabilities" (they sum to 1 over the class axis), "raw" (in
            (0, 1), not summing to 1), "edges" (with exact zeros and ones), "positive" or "real".
        shape: of the predictions, without the batch axis; the class axis is ``classes_axis``.
        weights: shape of the sample weights, without the batch axis; None for a loss that is one number for the whole
            batch, which Keras spreads over the weights' shape and graphc refuses to weigh.
        y_shape: of the targets where it is neither ``shape`` nor follows from ``y_true``.
        step: also compare the loss and the weights of one SGD step through a Dense layer; for the losses whose
            predictions can come from one.
    """

    name: str
    loss: str
    y_true: str
    y_pred: str
    shape: Shape
    config: Mapping[str, Any] = field(default_factory=dict)
    classes_axis: int = -1
    weights: Shape | None = ()
    y_shape: Shape | None = None
    step: bool = False


REDUCTIONS = ("sum_over_batch_size", "sum", "none", "mean", "mean_with_sample_weight")


def _loss(loss: str, label: str, y_true: str, y_pred: str, shape: Shape, **rest: Any) -> LossCase:
    return LossCase(f"{loss}/{label}", loss, y_true, y_pred, shape, **rest)


def _sparse(label: str, y_pred: str, shape: Shape, y_true: str = "labels", **rest: Any) -> LossCase:
    return _loss("SparseCategoricalCrossentropy", label, y_true, y_pred, shape, **rest)


def _categorical(label: str, y_pred: str, shape: Shape, y_true: str = "one-hot", **rest: Any) -> LossCase:
    return _loss("CategoricalCrossentropy", label, y_true, y_pred, shape, **rest)


def _binary(label: str, y_pred: str, shape: Shape, y_true: str = "binary", **rest: Any) -> LossCase:
    return _loss("BinaryCrossentropy", label, y_true, y_pred, shape, **rest)


def _squared(label: str, shape: Shape, **rest: Any) -> LossCase:
    return _loss("MeanSquaredError", label, "real", "real", shape, **rest)


LOGITS = {"from_logits": True}

LOSS_CASES: tuple[LossCase, ...] = (
    _sparse("probabilities", "probabilities", (4,), step=True),
    _sparse("raw", "raw", (4,)),
    _sparse("edges", "edges", (4,)),
    _sparse("logits", "logits", (4,), config=LOGITS, step=True),
    _sparse("wide-logits", "wide-logits", (4,), config=LOGITS),
    _sparse("column", "logits", (4,), "labels-column", config=LOGITS, weights=(1,), step=True),
    _sparse("rank3", "logits", SEQUENCE, config=LOGITS, weights=(6,), step=True),
    _sparse("rank3-probabilities", "probabilities", SEQUENCE, weights=(6,)),
    _sparse("ignored", "logits", (4,), config={"from_logits": True, "ignore_class": 2}, step=True),
    _sparse("ignored-rank3", "probabilities", SEQUENCE, config={"ignore_class": 1}, weights=(6,), step=True),
    _categorical("probabilities", "probabilities", (4,), step=True),
    _categorical("raw", "raw", (4,)),
    _categorical("edges", "edges", (4,), "soft"),
    _categorical("soft-targets", "logits", (4,), "soft", config=LOGITS),
    _categorical("logits", "logits", (4,), config=LOGITS, step=True),
    _categorical("wide-logits", "wide-logits", (4,), config=LOGITS),
    _categorical("smoothed", "probabilities", (4,), config={"label_smoothing": 0.15}, step=True),
    _categorical("smoothed-logits", "logits", (4,), config={"from_logits": True, "label_smoothing": 0.2}, step=True),
    _categorical("rank3", "logits", SEQUENCE, config=LOGITS, weights=(6,)),
    # Smoothing divides by the size of the LAST axis, whatever `axis` is.
    _categorical(
        "axis1", "logits", (4, 6), config={**LOGITS, "axis": 1, "label_smoothing": 0.1}, classes_axis=1, weights=(6,)
    ),
    _categorical("axis1-probabilities", "probabilities", (4, 6), config={"axis": 1}, classes_axis=1, weights=(6,)),
    _binary("probabilities", "raw", (4,), step=True),
    _binary("one-output", "raw", (1,), step=True),
    _binary("edges", "edges", (4,)),
    _binary("logits", "logits", (4,), config=LOGITS, step=True),
    _binary("wide-logits", "wide-logits", (4,), config=LOGITS),
    _binary("smoothed", "raw", (4,), config={"label_smoothing": 0.25}, step=True),
    _binary("smoothed-logits", "logits", (4,), config={"from_logits": True, "label_smoothing": 0.1}, step=True),
    _binary("rank3", "logits", SEQUENCE, config=LOGITS, weights=(6,)),
    _binary("axis1", "raw", SEQUENCE, config={"axis": 1}, weights=(4,)),
    _binary("flat-targets", "raw", (1,), y_shape=(), weights=(1,)),
    _squared("plain", (4,), step=True),
    _squared("rank3", SEQUENCE, weights=(6,)),
    _squared("one-output", (1,), step=True),
    _squared("flat-targets", (1,), y_shape=()),
    _squared("column-weights", (4,), weights=(1,)),
    _loss("BinaryFocalCrossentropy", "raw", "binary", "raw", (4,), step=True),
    _loss("BinaryFocalCrossentropy", "logits", "binary", "logits", (4,), config={**LOGITS, "gamma": 1.5}, step=True),
    _loss(
        "BinaryFocalCrossentropy",
        "balanced",
        "binary",
        "raw",
        SEQUENCE,
        config={"apply_class_balancing": True, "alpha": 0.4, "label_smoothing": 0.1},
        weights=(6,),
    ),
    _loss("CategoricalFocalCrossentropy", "probabilities", "one-hot", "probabilities", (4,), step=True),
    _loss("CategoricalFocalCrossentropy", "raw", "one-hot", "raw", (4,)),
    _loss(
        "CategoricalFocalCrossentropy",
        "logits",
        "one-hot",
        "logits",
        (4,),
        config={**LOGITS, "alpha": 0.6, "gamma": 1.5, "label_smoothing": 0.1},
        step=True,
    ),
    _loss("CategoricalGeneralizedCrossEntropy", "plain", "labels", "probabilities", (4,), step=True),
    _loss("CategoricalGeneralizedCrossEntropy", "q", "labels", "probabilities", (4,), config={"q": 0.8}),
    _loss("CategoricalHinge", "plain", "one-hot", "real", (4,), step=True),
    _loss("CategoricalHinge", "rank3", "one-hot", "real", SEQUENCE, weights=(6,)),
    _loss("CosineSimilarity", "plain", "real", "real", (4,), step=True),
    _loss("CosineSimilarity", "axis1", "real", "real", SEQUENCE, config={"axis": 1}, weights=(4,)),
    _loss("Dice", "plain", "binary", "raw", (4,), weights=None, step=True),
    _loss("Dice", "axes", "binary", "raw", SEQUENCE, config={"axis": (1, 2)}),
    _loss("Tversky", "plain", "binary", "raw", (4,), weights=None, step=True),
    _loss("Tversky", "weighted", "binary", "raw", SEQUENCE, config={"alpha": 0.3, "beta": 0.9, "axis": (1, 2)}),
    _loss("Hinge", "binary", "binary", "real", (4,), step=True),
    _loss("Hinge", "signs", "sign", "real", (4,)),
    _loss("SquaredHinge", "binary", "binary", "real", (4,), step=True),
    _loss("SquaredHinge", "signs", "sign", "real", SEQUENCE, weights=(6,)),
    _loss("Huber", "plain", "real", "real", (4,), step=True),
    _loss("Huber", "delta", "real", "real", SEQUENCE, config={"delta": 0.4}, weights=(6,)),
    _loss("KLDivergence", "plain", "soft", "probabilities", (4,), step=True),
    _loss("KLDivergence", "edges", "one-hot", "edges", (4,)),
    _loss("LogCosh", "plain", "real", "real", (4,), step=True),
    _loss("LogCosh", "wide", "real", "wide-logits", (4,)),
    _loss("MeanAbsoluteError", "plain", "real", "real", (4,), step=True),
    _loss("MeanAbsoluteError", "rank3", "real", "real", SEQUENCE, weights=(6,)),
    _loss("MeanAbsolutePercentageError", "plain", "real", "real", (4,), step=True),
    _loss("MeanAbsolutePercentageError", "zero-targets", "binary", "real", (4,)),
    _loss("MeanSquaredLogarithmicError", "positive", "positive", "positive", (4,), step=True),
    _loss("MeanSquaredLogarithmicError", "real", "real", "real", (4,)),
    _loss("Poisson", "positive", "positive", "positive", (4,), step=True),
    _loss("Poisson", "rank3", "positive", "positive", SEQUENCE, weights=(6,)),
)


@dataclass(frozen=True)
class LossFunction:
    """A public loss function on the data of the loss case ``data``; it gives one value per sample."""

    name: str
    function: str
    data: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LossString:
    """A string that ``compile`` takes for a loss (``name``), on the data of the loss case ``data``."""

    name: str
    data: str


LOSS_FUNCTIONS: tuple[LossFunction, ...] = (
    LossFunction("sparse/logits", "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy/logits", LOGITS),
    LossFunction("sparse/raw", "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy/raw"),
    LossFunction(
        "categorical/smoothed",
        "categorical_crossentropy",
        "CategoricalCrossentropy/smoothed-logits",
        {**LOGITS, "label_smoothing": 0.2},
    ),
    LossFunction("categorical/raw", "categorical_crossentropy", "CategoricalCrossentropy/raw"),
    LossFunction("binary/logits", "binary_crossentropy", "BinaryCrossentropy/logits", LOGITS),
    LossFunction("binary/smoothed", "binary_crossentropy", "BinaryCrossentropy/smoothed", {"label_smoothing": 0.25}),
    LossFunction("squared/rank3", "mean_squared_error", "MeanSquaredError/rank3"),
    LossFunction("focal/binary", "binary_focal_crossentropy", "BinaryFocalCrossentropy/raw"),
    LossFunction("focal/categorical", "categorical_focal_crossentropy", "CategoricalFocalCrossentropy/raw"),
    LossFunction(
        "generalized", "categorical_generalized_cross_entropy", "CategoricalGeneralizedCrossEntropy/q", {"q": 0.8}
    ),
    LossFunction("hinge/plain", "hinge", "Hinge/signs"),
    LossFunction("hinge/squared", "squared_hinge", "SquaredHinge/signs"),
    LossFunction("hinge/categorical", "categorical_hinge", "CategoricalHinge/rank3"),
    LossFunction("cosine", "cosine_similarity", "CosineSimilarity/axis1", {"axis": 1}),
    LossFunction("overlap/dice", "dice", "Dice/plain"),
    LossFunction("overlap/tversky", "tversky", "Tversky/plain"),
    LossFunction("huber", "huber", "Huber/delta", {"delta": 0.4}),
    LossFunction("log_cosh", "log_cosh", "LogCosh/wide"),
    LossFunction("kl_divergence", "kl_divergence", "KLDivergence/edges"),
    LossFunction("poisson", "poisson", "Poisson/rank3"),
    LossFunction("error/absolute", "mean_absolute_error", "MeanAbsoluteError/rank3"),
    LossFunction("error/percentage", "mean_absolute_percentage_error", "MeanAbsolutePercentageError/plain"),
    LossFunction("error/logarithmic", "mean_squared_logarithmic_error", "MeanSquaredLogarithmicError/positive"),
)

LOSS_STRINGS: tuple[LossString, ...] = (
    LossString("mse", "MeanSquaredError/plain"),
    LossString("MSE", "MeanSquaredError/plain"),
    LossString("mean_squared_error", "MeanSquaredError/plain"),
    LossString("MeanSquaredError", "MeanSquaredError/plain"),
    LossString("bce", "BinaryCrossentropy/probabilities"),
    LossString("BCE", "BinaryCrossentropy/probabilities"),
    LossString("binary_crossentropy", "BinaryCrossentropy/probabilities"),
    LossString("BinaryCrossentropy", "BinaryCrossentropy/probabilities"),
    LossString("categorical_crossentropy", "CategoricalCrossentropy/probabilities"),
    LossString("CategoricalCrossentropy", "CategoricalCrossentropy/probabilities"),
    LossString("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy/probabilities"),
    LossString("SparseCategoricalCrossentropy", "SparseCategoricalCrossentropy/probabilities"),
    LossString("mae", "MeanAbsoluteError/plain"),
    LossString("mape", "MeanAbsolutePercentageError/plain"),
    LossString("msle", "MeanSquaredLogarithmicError/positive"),
    LossString("kld", "KLDivergence/plain"),
    LossString("poisson", "Poisson/positive"),
    LossString("huber", "Huber/plain"),
    LossString("log_cosh", "LogCosh/plain"),
    LossString("hinge", "Hinge/binary"),
    LossString("cosine_similarity", "CosineSimilarity/plain"),
)
