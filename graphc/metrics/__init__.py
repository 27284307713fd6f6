"""Metrics: what is measured while a model trains and when it is tested. Names, arguments and numbers are Keras's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
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
from graphc.losses.crossentropy import kind_of_targets
from graphc.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from graphc.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from graphc.metrics.metric import Metric
from graphc.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from graphc.metrics.reduction import Mean, MeanMetricWrapper, Sum
from graphc.object_table import ObjectTable

_TABLE = ObjectTable(
    "metric",
    "keras.metrics",
    classes=(
        Mean, Sum, MeanMetricWrapper, Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
        TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy, MeanSquaredError, RootMeanSquaredError,
        MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, CosineSimilarity, LogCoshError,
        Hinge, SquaredHinge, CategoricalHinge, KLDivergence, Poisson, BinaryCrossentropy, CategoricalCrossentropy,
        SparseCategoricalCrossentropy, TruePositives, TrueNegatives, FalsePositives, FalseNegatives, Precision, Recall,
    ),
    # Only functions without a class of their own: where there are both, a name stands for the class, as in Keras.
    functions=(binary_focal_crossentropy, categorical_focal_crossentropy, huber),
    aliases={
        "bce": BinaryCrossentropy,
        "BCE": BinaryCrossentropy,
        "kld": KLDivergence,
        "KLD": KLDivergence,
        "log_cosh": LogCoshError,
        "logcosh": LogCoshError,
        "mae": MeanAbsoluteError,
        "MAE": MeanAbsoluteError,
        "mape": MeanAbsolutePercentageError,
        "MAPE": MeanAbsolutePercentageError,
        "mse": MeanSquaredError,
        "MSE": MeanSquaredError,
        "msle": MeanSquaredLogarithmicError,
        "MSLE": MeanSquaredLogarithmicError,
    },
)  # fmt: skip

# What the configuration of a `MeanMetricWrapper` may name.
_FUNCTIONS = ObjectTable(
    "metric function",
    "keras.metrics",
    functions=(
        binary_accuracy, binary_crossentropy, binary_focal_crossentropy, categorical_accuracy, categorical_crossentropy,
        categorical_focal_crossentropy, categorical_hinge, hinge, huber, kl_divergence, log_cosh, mean_absolute_error,
        mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error, poisson,
        sparse_categorical_accuracy, sparse_categorical_crossentropy, sparse_top_k_categorical_accuracy, squared_hinge,
        top_k_categorical_accuracy,
    ),
)  # fmt: skip

_ACCURACIES = {"binary": BinaryAccuracy, "sparse": SparseCategoricalAccuracy, "categorical": CategoricalAccuracy}
_CROSSENTROPIES = {
    "binary": BinaryCrossentropy,
    "sparse": SparseCategoricalCrossentropy,
    "categorical": CategoricalCrossentropy,
}
_BY_SHAPE: dict[str, dict[str, type[Any]]] = {
    "accuracy": _ACCURACIES,
    "acc": _ACCURACIES,
    "crossentropy": _CROSSENTROPIES,
    "ce": _CROSSENTROPIES,
}


def is_shape_dependent(identifier: Any) -> bool:
    """True for the names "accuracy", "acc", "crossentropy" and "ce", which mean one metric or another by the shapes."""
    return isinstance(identifier, str) and identifier.lower() in _BY_SHAPE


def resolve_accuracy(y_true_shape: tuple[Any, ...], y_pred_shape: tuple[Any, ...]) -> type[Any]:
    """The class that "accuracy" means for targets and predictions of these shapes (Keras's rule).

    Predictions of one number are binary; targets without the axis of the classes, or with length 1 there, are labels.
    """
    return _ACCURACIES[kind_of_targets(y_true_shape, y_pred_shape)]


def resolve(identifier: Any, y_true_shape: tuple[Any, ...], y_pred_shape: tuple[Any, ...]) -> tuple[Metric, str]:
    """A metric from whatever ``compile`` takes, and its name in logs: the string as typed, or the metric's own name.

    Raises:
        ArgumentError: it is unknown; the message suggests near names.
    """
    if is_shape_dependent(identifier):
        cls = _BY_SHAPE[identifier.lower()][kind_of_targets(y_true_shape, y_pred_shape)]
        return cls(name=identifier), identifier
    found = get(identifier)
    if not isinstance(found, Metric):
        found = MeanMetricWrapper(found)
    if isinstance(identifier, str):
        found.name = identifier
    return found, found.name


def get(identifier: Any) -> Any:
    """A metric from an object, class, name or configuration; functions stay functions, and None stays None.

    Raises:
        ArgumentError: it is unknown; the message suggests near names.
    """
    if isinstance(identifier, Metric):
        return identifier
    return deserialize(identifier) if isinstance(identifier, Mapping) else _TABLE.get(identifier)


serialize = _TABLE.serialize


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A metric, or a metric function, from what `serialize` gave.

    Raises:
        ArgumentError: it is malformed or unknown; functions of yours must be registered or given in ``custom_objects``.
    """
    inner = config.get("config") if isinstance(config, Mapping) else None
    if isinstance(inner, Mapping) and "fn" in inner:
        function = _FUNCTIONS.deserialize(inner["fn"], custom_objects)
        config = {**config, "config": {**inner, "fn": function}}
    return _TABLE.deserialize(config, custom_objects)


__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "is_shape_dependent",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "resolve",
    "resolve_accuracy",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
