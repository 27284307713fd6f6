"""Losses of numbers: distances between targets and predictions, averaged over the last axis."""

from __future__ import annotations

import math
from typing import Any

from graphc.errors import ArgumentError
from graphc.losses.loss import NamedLoss, same_rank
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch

EPSILON = 1e-7

_MEAN = "sum_over_batch_size"


def as_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions in the predictions' dtype (float32 for integers) and with one rank."""
    (y_pred,) = dispatch.promote(ops.convert_to_tensor(y_pred), to_float=True)
    return same_rank(ops.convert_to_tensor(y_true, dtype=dispatch.dtype_of(y_pred)), y_pred)


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """``mean((y_true - y_pred)**2)`` over the last axis."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """``mean(|y_true - y_pred|)`` over the last axis."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.mean(ops.absolute(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """``100 * mean(|y_true - y_pred| / |y_true|)`` over the last axis; targets count as at least 1e-7."""
    y_true, y_pred = as_pair(y_true, y_pred)
    size = ops.maximum(ops.absolute(y_true), EPSILON)
    return ops.multiply(100.0, ops.mean(ops.absolute(ops.divide(ops.subtract(y_true, y_pred), size)), axis=-1))


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """``mean((log(1 + y_true) - log(1 + y_pred))**2)`` over the last axis; values count as at least 1e-7."""
    y_true, y_pred = as_pair(y_true, y_pred)
    true_log = ops.log(ops.add(ops.maximum(y_true, EPSILON), 1.0))
    predicted_log = ops.log(ops.add(ops.maximum(y_pred, EPSILON), 1.0))
    return ops.mean(ops.square(ops.subtract(predicted_log, true_log)), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the squared error up to ``delta``, and beyond it the tangent; the mean over the last axis (Huber 1964)."""
    y_true, y_pred = as_pair(y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    size = ops.absolute(error)
    near = ops.multiply(0.5, ops.square(error))
    far = ops.subtract(ops.multiply(delta, size), 0.5 * delta * delta)
    return ops.mean(ops.where(ops.less_equal(size, delta), near, far), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """``mean(log(cosh(y_pred - y_true)))`` over the last axis, without overflow."""
    y_true, y_pred = as_pair(y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    values = ops.subtract(ops.add(error, ops.softplus(ops.multiply(error, -2.0))), math.log(2.0))
    return ops.mean(values, axis=-1)


def cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between targets and predictions along an axis; 0 for a vector of zeros."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.sum(ops.multiply(ops.normalize(y_true, axis=axis), ops.normalize(y_pred, axis=axis)), axis=axis)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions along an axis: -1 where they agree."""
    return ops.negative(cosine(y_true, y_pred, axis))


class MeanSquaredError(NamedLoss):
    """The mean of squared errors."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(NamedLoss):
    """The mean of absolute errors."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(NamedLoss):
    """The mean of errors relative to the targets, in percent."""

    def __init__(
        self, reduction: str | None = _MEAN, name: str = "mean_absolute_percentage_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(NamedLoss):
    """The mean of squared differences of logarithms."""

    def __init__(
        self, reduction: str | None = _MEAN, name: str = "mean_squared_logarithmic_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(NamedLoss):
    """Squared for small errors, linear from ``delta`` on.

    Raises:
        ArgumentError: ``delta`` is not positive.
    """

    def __init__(
        self, delta: float = 1.0, reduction: str | None = _MEAN, name: str = "huber_loss", dtype: Any = None
    ) -> None:
        if not delta > 0:
            raise ArgumentError(f"Huber: `delta` must be positive; got {delta!r}.")
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(NamedLoss):
    """The logarithm of the errors' hyperbolic cosine: squared for small errors, linear for large ones."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "log_cosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(NamedLoss):
    """Minus the cosine of the angle between targets and predictions."""

    def __init__(
        self, axis: int = -1, reduction: str | None = _MEAN, name: str = "cosine_similarity", dtype: Any = None
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
