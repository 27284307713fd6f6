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
        y_true: "labels", "labels-column" (last axis 1), "one-hot", "soft" (a distribution), "binary" or "real".
        y_pred: "logits", "wide-logits" (to +-60), "probabilities" (they sum to 1 over the class axis), "raw" (in
            (0, 1), not summing to 1), "edges" (with exact zeros and ones) or "real".
        shape: of the predictions, without the batch axis; the class axis is ``classes_axis``.
        weights: shape of the sample weights, without the batch axis.
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
    weights: Shape = ()
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
)
