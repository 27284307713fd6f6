"""Losses of counts and distributions."""

from __future__ import annotations

from typing import Any

from graphc.losses.loss import NamedLoss
from graphc.losses.regression import EPSILON, as_pair
from graphc.ops import functional as ops

_MEAN = "sum_over_batch_size"


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """``sum(y_true * log(y_true / y_pred))`` over the last axis, with probabilities held between 1e-7 and 1."""
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true, y_pred = ops.clip(y_true, EPSILON, 1.0), ops.clip(y_pred, EPSILON, 1.0)
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """``mean(y_pred - y_true * log(y_pred + 1e-7))`` over the last axis: counts against predicted rates."""
    y_true, y_pred = as_pair(y_true, y_pred)
    logs = ops.log(ops.add(y_pred, EPSILON))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, logs)), axis=-1)


class KLDivergence(NamedLoss):
    """The Kullback-Leibler divergence of predicted from true distributions."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(NamedLoss):
    """Minus the log-likelihood of counts under predicted rates, but for a constant."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, reduction, name, dtype)
