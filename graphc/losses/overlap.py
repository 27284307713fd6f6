"""Losses of overlap, for segmentation: one minus a share of common area."""

from __future__ import annotations

from typing import Any

from graphc.losses.loss import NamedLoss
from graphc.losses.regression import EPSILON, as_pair
from graphc.ops import functional as ops

_MEAN = "sum_over_batch_size"
_Axis = int | tuple[int, ...] | list[int] | None


def dice(y_true: Any, y_pred: Any, axis: _Axis = None) -> Any:
    """``1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))``, over all axes or some (Dice 1945)."""
    y_true, y_pred = as_pair(y_true, y_pred)
    common = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    total = ops.add(ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis)), EPSILON)
    return ops.subtract(1.0, ops.divide(ops.multiply(2.0, common), total))


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: _Axis = None) -> Any:
    """`dice` with separate weights for what is missed and what is too much (Salehi et al. 2017).

    Args:
        y_true: 0 or 1.
        y_pred: probabilities, the shape of ``y_true``.
        alpha: the weight of true area that is not predicted (as Keras applies it).
        beta: the weight of predicted area that is not true.
        axis: what is summed over; all axes by default.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    common = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    missed = ops.sum(ops.multiply(ops.subtract(1.0, y_pred), y_true), axis=axis)
    too_much = ops.sum(ops.multiply(y_pred, ops.subtract(1.0, y_true)), axis=axis)
    total = ops.add(ops.add(common, ops.multiply(missed, alpha)), ops.multiply(too_much, beta))
    return ops.subtract(1.0, ops.divide(common, ops.add(total, EPSILON)))


class Dice(NamedLoss):
    """One minus the Dice coefficient of targets and predictions."""

    def __init__(
        self, reduction: str | None = _MEAN, name: str = "dice", axis: _Axis = None, dtype: Any = None
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(NamedLoss):
    """One minus the Tversky index of targets and predictions."""

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = _MEAN,
        name: str = "tversky",
        axis: _Axis = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
