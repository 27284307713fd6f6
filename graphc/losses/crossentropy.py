"""Cross-entropies: minus the logarithm of the probability that a model gives to the truth."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.types import TensorType
from graphc.losses.loss import NamedLoss
from graphc.losses.regression import EPSILON
from graphc.losses.targets import check_labels, check_same_shape
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch

_MEAN = "sum_over_batch_size"
_LABELS_HINT = " Integer labels need SparseCategoricalCrossentropy, or one-hot encoding."

Array = np.ndarray[Any, Any]


def _as_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions in the predictions' dtype (float32 for integers)."""
    (y_pred,) = dispatch.promote(ops.convert_to_tensor(y_pred), to_float=True)
    return ops.convert_to_tensor(y_true, dtype=dispatch.dtype_of(y_pred)), y_pred


# -- two classes ------------------------------------------------------------------------------------------------------


def _smoothed_binary(y_true: Any, smoothing: float) -> Any:
    return ops.add(ops.multiply(y_true, 1.0 - smoothing), 0.5 * smoothing) if smoothing else y_true


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """``-(y_true * log(p) + (1 - y_true) * log(1 - p))``, averaged over an axis.

    Args:
        y_true: 0 or 1, or a probability; the shape of ``y_pred``.
        y_pred: probabilities, held between 1e-7 and 1 - 1e-7; or logits.
        from_logits: whether ``y_pred`` are logits.
        label_smoothing: how far targets move from 0 and 1 towards 1/2: 1 moves them all the way.
        axis: the axis that is averaged.
    """
    y_true, y_pred = _as_pair(y_true, y_pred)
    y_true = _smoothed_binary(y_true, label_smoothing)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross-entropy times ``(1 - p)**gamma``, which turns it to the hard samples (Lin et al. 2017).

    Args:
        y_true: 0 or 1; the shape of ``y_pred``.
        y_pred: probabilities or logits.
        apply_class_balancing: whether positive samples weigh ``alpha`` and negative ones ``1 - alpha``.
        alpha: the weight of the positive class.
        gamma: the focusing exponent.
        from_logits: whether ``y_pred`` are logits.
        label_smoothing: as in `binary_crossentropy`.
        axis: the axis that is averaged.
    """
    y_true, y_pred = _as_pair(y_true, y_pred)
    y_true = _smoothed_binary(y_true, label_smoothing)
    probability = ops.sigmoid(y_pred) if from_logits else y_pred
    others = ops.subtract(1.0, y_true)
    of_truth = ops.add(ops.multiply(y_true, probability), ops.multiply(others, ops.subtract(1.0, probability)))
    focus = ops.power(ops.subtract(1.0, of_truth), gamma)
    values = ops.multiply(focus, ops.binary_crossentropy(y_true, probability))
    if apply_class_balancing:
        values = ops.multiply(ops.add(ops.multiply(y_true, alpha), ops.multiply(others, 1.0 - alpha)), values)
    return ops.mean(values, axis=axis)


# -- several classes, one-hot targets ---------------------------------------------------------------------------------


def _smoothed(y_true: Any, smoothing: float, function: str) -> Any:
    if not smoothing:
        return y_true
    classes = dispatch.shape_of(y_true)[-1]
    if not isinstance(classes, int):
        raise ShapeError(
            f"{function}: label_smoothing needs a known number of classes; the last axis has length {classes}."
        )
    return ops.add(ops.multiply(y_true, 1.0 - smoothing), smoothing / classes)


def _check_classes(function: str, y_pred: Any, axis: Any) -> None:
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ArgumentError(f"{function}: `axis` must be an integer; got {axis!r}.")
    shape = tuple(y_pred.shape)
    if shape and shape[-1] == 1:
        warnings.warn(
            f"{function}: the predictions of shape {shape} have one class, so the loss is always 0. "
            "Use binary_crossentropy for two classes.",
            SyntaxWarning,
            stacklevel=3,
        )


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """``-sum(y_true * log(p))`` along the axis of the classes.

    Args:
        y_true: one-hot codes or probabilities of the classes; the shape of ``y_pred``.
        y_pred: probabilities, divided by their sum and held between 1e-7 and 1 - 1e-7; or logits.
        from_logits: whether ``y_pred`` are logits.
        label_smoothing: how far targets move towards equal probabilities: 1 moves them all the way.
        axis: the axis of the classes.
    """
    _check_classes("categorical_crossentropy", y_pred := ops.convert_to_tensor(y_pred), axis)
    y_true, y_pred = _as_pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, "categorical_crossentropy")
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Categorical cross-entropy with each term times ``alpha * (1 - p)**gamma`` (Lin et al. 2017).

    Args:
        y_true: one-hot codes; the shape of ``y_pred``.
        y_pred: probabilities or logits.
        alpha: the weight of all classes.
        gamma: the focusing exponent.
        from_logits: whether ``y_pred`` are logits.
        label_smoothing: as in `categorical_crossentropy`.
        axis: the axis of the classes.
    """
    _check_classes("categorical_focal_crossentropy", y_pred := ops.convert_to_tensor(y_pred), axis)
    y_true, y_pred = _as_pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, "categorical_focal_crossentropy")
    probability = ops.softmax(y_pred, axis=axis) if from_logits else y_pred
    probability = ops.divide(probability, ops.sum(probability, axis=axis, keepdims=True))
    probability = ops.clip(probability, EPSILON, 1.0 - EPSILON)
    weight = ops.multiply(ops.power(ops.subtract(1.0, probability), gamma), alpha)
    terms = ops.multiply(weight, ops.multiply(ops.negative(y_true), ops.log(probability)))
    return ops.sum(terms, axis=axis)


# -- several classes, labels ------------------------------------------------------------------------------------------


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """``-log(p)`` of the class that the label names.

    Args:
        y_true: labels, the shape of ``y_pred`` without the axis of the classes, or with length 1 there.
        y_pred: probabilities, divided by their sum and held between 1e-7 and 1 - 1e-7; or logits.
        from_logits: whether ``y_pred`` are logits.
        ignore_class: samples with this label have loss 0.
        axis: the axis of the classes.
    """
    return sparse_values_and_mask(y_true, y_pred, from_logits, ignore_class, axis)[0]


def sparse_values_and_mask(
    y_true: Any, y_pred: Any, from_logits: bool, ignore_class: int | None, axis: int
) -> tuple[Any, Any]:
    """The values, and which of them count; None where all do."""
    labels, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis), None
    if len(labels.shape) == len(y_pred.shape) and labels.shape[axis] == 1:
        labels = ops.squeeze(labels, axis=axis)
    valid = ops.not_equal(labels, ignore_class)
    values = ops.sparse_categorical_crossentropy(
        ops.where(valid, labels, 0), y_pred, from_logits=from_logits, axis=axis
    )
    return ops.where(valid, values, 0.0), valid


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """``(1 - p**q) / q`` for the probability of the label's class: bears wrong labels (Zhang and Sabuncu 2018).

    Args:
        y_true: labels, ``(batch,)``.
        y_pred: probabilities, ``(batch, classes)``.
        q: between 0, where it becomes the cross-entropy, and 1, where it becomes the absolute error.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    labels = ops.cast(ops.convert_to_tensor(y_true), "int32")
    chosen = ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(labels, -1), axis=-1), -1)
    return ops.divide(ops.subtract(1.0, ops.power(chosen, q)), q)


# -- classes ----------------------------------------------------------------------------------------------------------


class _SameShapeLoss(NamedLoss):
    """A loss whose targets must have the output's shape."""

    hint = ""
    """What to try when they do not."""

    def check_targets(self, y_true: Array, output_type: TensorType) -> None:
        """Targets must have the output's shape.

        Raises:
            DataError: they do not.
        """
        check_same_shape(self.name, y_true, output_type, self.hint)


class BinaryCrossentropy(_SameShapeLoss):
    """The cross-entropy of two classes, or of several independent yes-or-no questions. See `binary_crossentropy`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = _MEAN,
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        arguments = {"from_logits": from_logits, "label_smoothing": _fraction(label_smoothing), "axis": axis}
        super().__init__(binary_crossentropy, reduction, name, dtype, **arguments)


class BinaryFocalCrossentropy(_SameShapeLoss):
    """Binary cross-entropy that counts hard samples more. See `binary_focal_crossentropy`."""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = _MEAN,
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        arguments = {"from_logits": from_logits, "label_smoothing": _fraction(label_smoothing), "axis": axis}
        arguments |= {"apply_class_balancing": apply_class_balancing, "alpha": alpha, "gamma": gamma}
        super().__init__(binary_focal_crossentropy, reduction, name, dtype, **arguments)


class CategoricalCrossentropy(_SameShapeLoss):
    """The cross-entropy of several classes, for one-hot targets. See `categorical_crossentropy`."""

    hint = _LABELS_HINT

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = _MEAN,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        arguments = {"from_logits": from_logits, "label_smoothing": _fraction(label_smoothing), "axis": axis}
        super().__init__(categorical_crossentropy, reduction, name, dtype, **arguments)


class CategoricalFocalCrossentropy(_SameShapeLoss):
    """Categorical cross-entropy that counts hard samples more. See `categorical_focal_crossentropy`."""

    hint = _LABELS_HINT

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = _MEAN,
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        arguments = {"from_logits": from_logits, "label_smoothing": _fraction(label_smoothing), "axis": axis}
        arguments |= {"alpha": alpha, "gamma": gamma}
        super().__init__(categorical_focal_crossentropy, reduction, name, dtype, **arguments)


class _LabelLoss(NamedLoss):
    """A loss whose targets are class numbers: they stay integers."""

    def as_targets(self, y_true: Any) -> Any:
        """The labels in the dtype that they have."""
        return ops.convert_to_tensor(y_true)


class SparseCategoricalCrossentropy(_LabelLoss):
    """The cross-entropy of several classes, for labels. See `sparse_categorical_crossentropy`.

    Samples with the label ``ignore_class`` do not count, in means either.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = _MEAN,
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        arguments = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, **arguments)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample."""
        return self.values_and_mask(y_true, y_pred)[0]

    def values_and_mask(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """One value per sample, and which of them count."""
        return sparse_values_and_mask(y_true, y_pred, **self.arguments)

    def check_targets(self, y_true: Array, output_type: TensorType) -> None:
        """Targets must be class numbers in the output's shape without its class axis.

        Raises:
            DataError: they are not; with the place and value of the first that is none.
        """
        check_labels(self.name, y_true, output_type, self.arguments["axis"], self.arguments["ignore_class"])

    def get_config(self) -> dict[str, Any]:
        """All arguments; the axis only where it is not the last, for Keras's files do not hold it."""
        config = super().get_config()
        if config["axis"] == -1:
            del config["axis"]
        return config


class CategoricalGeneralizedCrossEntropy(_LabelLoss):
    """A cross-entropy that bears wrong labels. See `categorical_generalized_cross_entropy`.

    Raises:
        ArgumentError: ``q`` is not between 0 and 1.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = _MEAN,
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ArgumentError(f"CategoricalGeneralizedCrossEntropy: `q` must be between 0 and 1; got {q!r}.")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample."""
        if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
            y_true = ops.squeeze(y_true, -1)
        return self.fn(y_true, y_pred, **self.arguments)

    def check_targets(self, y_true: Array, output_type: TensorType) -> None:
        """Targets must be class numbers in the output's shape without its last axis.

        Raises:
            DataError: they are not; with the place and value of the first that is none.
        """
        check_labels(self.name, y_true, output_type)


class ShapeDependentCrossentropy(_LabelLoss):
    """What ``loss="crossentropy"`` stands for: the binary, sparse or categorical one, by the shapes (Keras's rule)."""

    def __init__(self, reduction: str | None = _MEAN, name: str = "crossentropy", dtype: Any = None) -> None:
        super().__init__(categorical_crossentropy, reduction, name, dtype)

    def chosen(self, y_shape: tuple[Any, ...], output_shape: tuple[Any, ...]) -> NamedLoss:
        """The loss for targets and predictions of these shapes."""
        cls = _BY_KIND[kind_of_targets(y_shape, output_shape)]
        loss: NamedLoss = cls(reduction=self.reduction, name=self.name, dtype=self.dtype)
        return loss

    def values_and_mask(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """One value per sample."""
        loss = self.chosen(tuple(y_true.shape), tuple(y_pred.shape))
        return loss.values_and_mask(loss.as_targets(y_true), y_pred)

    def check_targets(self, y_true: Array, output_type: TensorType) -> None:
        """What the loss for these shapes asks for.

        Raises:
            DataError: the targets do not fit it.
        """
        self.chosen(y_true.shape, output_type.shape).check_targets(y_true, output_type)


_BY_KIND: dict[str, type[Any]] = {
    "binary": BinaryCrossentropy,
    "sparse": SparseCategoricalCrossentropy,
    "categorical": CategoricalCrossentropy,
}


def kind_of_targets(y_shape: tuple[Any, ...], output_shape: tuple[Any, ...]) -> str:
    """ "binary", "sparse" or "categorical", from the shapes alone (Keras's rule for "accuracy" and "crossentropy")."""
    if output_shape and output_shape[-1] == 1:
        return "binary"
    if len(y_shape) < len(output_shape) or (y_shape and y_shape[-1] == 1):
        return "sparse"
    return "categorical"


def _fraction(label_smoothing: float) -> float:
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"`label_smoothing` must be between 0 and 1; got {label_smoothing!r}.")
    return label_smoothing
