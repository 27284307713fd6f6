"""Losses of margins: a prediction costs nothing once it is far enough on the right side."""

from __future__ import annotations

from typing import Any

from graphc.losses.loss import NamedLoss
from graphc.losses.regression import as_pair
from graphc.ops import functional as ops

_MEAN = "sum_over_batch_size"


def _as_signs(y_true: Any) -> Any:
    """Targets of 0 and 1 as -1 and 1; others as they are. The whole batch decides, as in Keras."""
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(binary, ops.subtract(ops.multiply(2.0, y_true), 1.0), y_true)


def _missing_margin(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.maximum(ops.subtract(1.0, ops.multiply(_as_signs(y_true), y_pred)), 0.0)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """``mean(max(1 - y_true * y_pred, 0))`` over the last axis, for targets of -1 and 1, or 0 and 1."""
    return ops.mean(_missing_margin(y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """``mean(max(1 - y_true * y_pred, 0)**2)`` over the last axis, for targets of -1 and 1, or 0 and 1."""
    return ops.mean(ops.square(_missing_margin(y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """``max(1 + the largest wrong score - the right score, 0)`` along the last axis, for one-hot targets."""
    y_true, y_pred = as_pair(y_true, y_pred)
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)


class Hinge(NamedLoss):
    """The margin that predictions miss."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(NamedLoss):
    """The square of the margin that predictions miss."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(NamedLoss):
    """The margin that the right class misses over the best wrong one."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
