"""Losses: what training makes small. Each is a class and a function, with Keras's names, arguments and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.losses.crossentropy import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from graphc.losses.crossentropy import ShapeDependentCrossentropy as _ShapeDependentCrossentropy
from graphc.losses.loss import Loss
from graphc.losses.loss import LossFunctionWrapper as _LossFunctionWrapper
from graphc.losses.margin import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from graphc.losses.overlap import Dice, Tversky, dice, tversky
from graphc.losses.probabilistic import KLDivergence, Poisson, kl_divergence, poisson
from graphc.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from graphc.object_table import ObjectTable

# Every built-in function, and the class that holds it.
_CLASSES: dict[Any, type[Any]] = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    categorical_hinge: CategoricalHinge,
    cosine_similarity: CosineSimilarity,
    dice: Dice,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
    tversky: Tversky,
}

_TABLE = ObjectTable(
    "loss",
    "keras.losses",
    classes=(*_CLASSES.values(), _LossFunctionWrapper),
    functions=_CLASSES,
    aliases={
        "bce": binary_crossentropy,
        "BCE": binary_crossentropy,
        "ce": _ShapeDependentCrossentropy,
        "crossentropy": _ShapeDependentCrossentropy,
        "kld": kl_divergence,
        "KLD": kl_divergence,
        "logcosh": log_cosh,
        "mae": mean_absolute_error,
        "MAE": mean_absolute_error,
        "mape": mean_absolute_percentage_error,
        "MAPE": mean_absolute_percentage_error,
        "mse": mean_squared_error,
        "MSE": mean_squared_error,
        "msle": mean_squared_logarithmic_error,
        "MSLE": mean_squared_logarithmic_error,
    },
)


def get(identifier: Any) -> Any:
    """A loss from an object, name or configuration: a `Loss`, or the function of that name; None stays None.

    Raises:
        ArgumentError: it is unknown; the message suggests near names.
    """
    return deserialize(identifier) if isinstance(identifier, Mapping) else _TABLE.get(identifier)


def resolve(identifier: Any) -> Loss | None:
    """A `Loss` from whatever ``compile`` takes: functions are wrapped, names stay the loss's name; None stays None.

    Raises:
        ArgumentError: it is unknown; the message suggests near names.
    """
    found = get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    name = identifier if isinstance(identifier, str) else None
    cls = _CLASSES.get(found)
    if cls is None:
        return _LossFunctionWrapper(found, name=name)
    loss: Loss = cls(name=name or found.__name__)
    return loss


serialize = _TABLE.serialize


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A loss, or a loss function, from what `serialize` gave.

    Raises:
        ArgumentError: it is malformed or unknown; functions of yours must be registered or given in ``custom_objects``.
    """
    inner = config.get("config") if isinstance(config, Mapping) else None
    if isinstance(inner, Mapping) and "fn" in inner:
        function = _TABLE.deserialize(inner["fn"], custom_objects)
        config = {**config, "config": {**inner, "fn": function}}
    return _TABLE.deserialize(config, custom_objects)


__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "cosine_similarity",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
