"""How often predictions are right."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.losses.loss import same_rank
from graphc.metrics.reduction import NamedMean
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


def _as_tensors(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)


def _argmax(x: Any) -> Any:
    # Not ops.argmax, which makes int32 of the op's int64: labels are int64 too, as a rule.
    if dispatch.dtype_of(x) == "bool":  # one-hot rows of truth values
        x = ops.cast(x, "uint8")
    return dispatch.apply("ArgMax", x, axis=-1, keepdims=False)


def _matches(x1: Any, x2: Any) -> Any:
    return ops.cast(ops.equal(x1, x2), "float32")


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where a prediction equals its target."""
    return _matches(*same_rank(*_as_tensors(y_true, y_pred)))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where a prediction is on the same side of the threshold as its target of 0 or 1; at it counts as below."""
    y_true, y_pred = same_rank(*_as_tensors(y_true, y_pred))
    return _matches(y_true, ops.cast(ops.greater(y_pred, threshold), dispatch.dtype_of(y_true)))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is that of the target's class, for one-hot targets."""
    y_true, y_pred = _as_tensors(y_true, y_pred)
    return _matches(_argmax(y_true), _argmax(y_pred))


def _labels(y_true: Any, y_pred: Any) -> Any:
    """Labels without a last axis of length 1, where the predictions have the axis of the classes."""
    return ops.squeeze(y_true, -1) if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1 else y_true


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is that of the label."""
    y_true, y_pred = _as_tensors(y_true, y_pred)
    matches = _matches(_labels(y_true, y_pred), _argmax(y_pred))
    return ops.squeeze(matches, -1) if len(matches.shape) > 1 and matches.shape[-1] == 1 else matches


def _in_top_k(labels: Any, y_pred: Any, k: int) -> Any:
    """1 where fewer than ``k`` predictions are above that of the label: ties count as right."""
    place = ops.expand_dims(ops.cast(labels, "int64"), -1)
    score = dispatch.apply("GatherElements", y_pred, place, axis=-1)
    above = ops.sum(ops.cast(ops.greater(y_pred, score), "float32"), axis=-1)
    return ops.cast(ops.less(above, float(k)), "float32")


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the target's class is among the ``k`` largest predictions, for one-hot targets."""
    y_true, y_pred = _as_tensors(y_true, y_pred)
    return _in_top_k(_argmax(y_true), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the label is among the ``k`` largest predictions.

    Args:
        y_true: labels, ``(batch,)`` or ``(batch, 1)``.
        y_pred: scores of the classes, ``(batch, classes)``.
        k: how many predictions count.
        from_sorted_ids: whether ``y_pred`` are classes instead, the best first.
    """
    y_true, y_pred = _as_tensors(y_true, y_pred)
    labels = _labels(y_true, y_pred)
    if not from_sorted_ids:
        return _in_top_k(labels, y_pred, k)
    best = ops.equal(ops.expand_dims(labels, -1), y_pred[..., :k])
    return ops.cast(ops.any(best, axis=-1), "float32")


class _Accuracy(NamedMean):
    _direction = "up"


class Accuracy(_Accuracy):
    """How often predictions equal their targets."""

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(_Accuracy):
    """How often predictions are on the right side of a threshold.

    Raises:
        ArgumentError: ``threshold`` is not between 0 and 1.
    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        if threshold is not None and not 0 <= threshold <= 1:
            raise ArgumentError(f"BinaryAccuracy: `threshold` must be between 0 and 1; got {threshold!r}.")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(_Accuracy):
    """How often the largest prediction is that of the target's class, for one-hot targets."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(_Accuracy):
    """How often the largest prediction is that of the label."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(_Accuracy):
    """How often the target's class is among the ``k`` largest predictions, for one-hot targets."""

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(_Accuracy):
    """How often the label is among the ``k`` largest predictions."""

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
