"""Losses as metrics: their means, without reduction to batches first."""

from __future__ import annotations

from typing import Any

from graphc.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from graphc.losses.crossentropy import sparse_values_and_mask
from graphc.losses.loss import masked_weights
from graphc.losses.regression import as_pair, cosine
from graphc.metrics.reduction import Mean, NamedMean
from graphc.ops import functional as ops


class _MeanLoss(NamedMean):
    _direction = "down"


class MeanSquaredError(_MeanLoss):
    """The mean of squared errors."""

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of squared errors."""

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Collect a batch."""
        y_true, y_pred = as_pair(y_true, y_pred)
        super().update_state(ops.square(ops.subtract(y_pred, y_true)), sample_weight)

    def result(self) -> Any:
        """The root of the mean."""
        return ops.sqrt(super().result())


class MeanAbsoluteError(_MeanLoss):
    """The mean of absolute errors."""

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(_MeanLoss):
    """The mean of errors relative to the targets, in percent."""

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(_MeanLoss):
    """The mean of squared differences of logarithms."""

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(_MeanLoss):
    """The mean of the logarithm of the errors' hyperbolic cosine."""

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, name, dtype)


class CosineSimilarity(NamedMean):
    """The mean cosine of the angle between targets and predictions: 1 where they agree, unlike the loss."""

    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine, name, dtype, axis=axis)


class Hinge(_MeanLoss):
    """The mean of the margin that predictions miss."""

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name, dtype)


class SquaredHinge(_MeanLoss):
    """The mean square of the margin that predictions miss."""

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(_MeanLoss):
    """The mean margin that the right class misses over the best wrong one."""

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, name, dtype)


class KLDivergence(_MeanLoss):
    """The mean Kullback-Leibler divergence of predicted from true distributions."""

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, name, dtype)


class Poisson(_MeanLoss):
    """The mean of minus the log-likelihood of counts under predicted rates, but for a constant."""

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, name, dtype)


class BinaryCrossentropy(_MeanLoss):
    """The mean cross-entropy of two classes."""

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        arguments = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(binary_crossentropy, name, dtype, **arguments)


class CategoricalCrossentropy(_MeanLoss):
    """The mean cross-entropy of several classes, for one-hot targets."""

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        arguments = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, name, dtype, **arguments)


class SparseCategoricalCrossentropy(_MeanLoss):
    """The mean cross-entropy of several classes, for labels.

    Samples with the label ``ignore_class`` count as 0, and when weights are given not at all (as in Keras).
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        arguments = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, name, dtype, **arguments)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Collect a batch."""
        if sample_weight is not None and self.arguments["ignore_class"] is not None:
            _, mask = sparse_values_and_mask(y_true, y_pred, **self.arguments)
            sample_weight = masked_weights(ops.convert_to_tensor(sample_weight, self.dtype), mask, "sum", self.dtype)
        super().update_state(y_true, y_pred, sample_weight)
