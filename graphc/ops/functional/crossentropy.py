"""Cross-entropies and other measures of the distance between targets and predictions, element by element.

Probabilities are held between 1e-7 and 1 - 1e-7 before their logarithm is taken, as in Keras; those of several classes
are divided by their sum first. From logits everything is computed without overflow.
"""

from __future__ import annotations

import math

from graphc.errors import ShapeError
from graphc.ir import dtypes
from graphc.ir.dims import Shape
from graphc.ops.functional.arguments import Tensor, concrete_dtype, one_axis, rank_of, scalar
from graphc.ops.functional.dispatch import apply, cast_to, function, promote, shape_of
from graphc.ops.functional.indexing import index_tensor
from graphc.ops.functional.normalization import EPSILON

__all__ = ["binary_crossentropy", "categorical_crossentropy", "in_top_k", "psnr", "sparse_categorical_crossentropy"]


def _differ(first: Shape, second: Shape) -> bool:
    """True when two shapes cannot be one; named dims may turn out to be equal to anything."""
    return len(first) != len(second) or any(
        isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(first, second, strict=True)
    )


def _need_same_shape(target: Tensor, output: Tensor, name: str) -> None:
    if _differ(shape_of(target), shape_of(output)):
        raise ShapeError(
            f"{name}: target and output must have the same shape; "
            f"got target {shape_of(target)} and output {shape_of(output)}."
        )


def _clipped(probability: Tensor) -> Tensor:
    return apply("Clip", probability, scalar(EPSILON, probability), scalar(1 - EPSILON, probability))


@function
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """``-(target * log(output) + (1 - target) * log(1 - output))`` for each element.

    Args:
        target: 0 or 1, or a probability; the shape of ``output``.
        output: probabilities, or logits.
        from_logits: whether ``output`` are logits.

    Raises:
        ShapeError: the shapes differ.
    """
    _need_same_shape(target, output, "binary_crossentropy")
    target, output = promote(target, output, to_float=True)
    one = scalar(1, output)
    if from_logits:
        # -log(sigmoid(x)) is softplus(-x), and -log(1 - sigmoid(x)) is softplus(x).
        positive = apply("Mul", target, apply("Softplus", apply("Neg", output)))
        negative = apply("Mul", apply("Sub", one, target), apply("Softplus", output))
        return apply("Add", positive, negative)
    output = _clipped(output)
    positive = apply("Mul", target, apply("Log", output))
    negative = apply("Mul", apply("Sub", one, target), apply("Log", apply("Sub", one, output)))
    return apply("Neg", apply("Add", positive, negative))


@function
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """``-sum(target * log(output))`` along the axis of the classes.

    Args:
        target: probabilities of the classes (one-hot codes), in the shape of ``output``.
        output: probabilities, divided by their sum first, or logits.
        from_logits: whether ``output`` are logits.
        axis: the axis of the classes, which the result has no more.

    Raises:
        ShapeError: the shapes differ, or are empty.
    """
    name = "categorical_crossentropy"
    _need_same_shape(target, output, name)
    target, output = promote(target, output, to_float=True)
    along = one_axis(axis, rank_of(output), name)
    if from_logits:
        logs = apply("LogSoftmax", output, axis=along)
    else:
        logs = apply("Log", _clipped(apply("Div", output, apply("ReduceSum", output, axes=(along,), keepdims=True))))
    return apply("Neg", apply("ReduceSum", apply("Mul", target, logs), axes=(along,), keepdims=False))


@function
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """``-log(output)`` at the target's class.

    A label outside the classes is an error when the data comes (Keras gives 0 silently).

    Args:
        target: integer labels in the shape of ``output`` without the axis of the classes, or with length 1 there.
        output: probabilities, divided by their sum first, or logits.
        from_logits: whether ``output`` are logits.
        axis: the axis of the classes.

    Raises:
        ShapeError: the shapes do not fit.
    """
    name = "sparse_categorical_crossentropy"
    (output,) = promote(output, to_float=True)
    along = one_axis(axis, rank_of(output), name)
    have = shape_of(target)
    if len(have) == rank_of(output) and have[along] == 1:
        target = apply("Squeeze", target, axes=(along,))
    samples = tuple(length for i, length in enumerate(shape_of(output)) if i != along)
    if _differ(shape_of(target), samples):
        raise ShapeError(
            f"{name}: target must have the shape of output without axis {axis}, {samples}; "
            f"got target {have} and output {shape_of(output)}."
        )
    labels = index_tensor(target if dtypes.is_int(concrete_dtype(target)) else cast_to(target, "int32"), name)
    if from_logits:
        return apply("SparseSoftmaxCrossEntropy", output, labels, axis=along)
    chosen = apply("GatherElements", output, apply("Unsqueeze", labels, axes=(along,)), axis=along)
    total = apply("ReduceSum", output, axes=(along,), keepdims=True)
    probability = apply("Squeeze", apply("Div", chosen, total), axes=(along,))
    return apply("Neg", apply("Log", _clipped(probability)))


@function
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Tensor:
    """Where less than ``k`` classes are predicted above the target; NaN counts as the least.

    Args:
        targets: integer labels ``(...)``.
        predictions: ``(..., classes)``.
        k: how many classes may share the top.
    """
    labels = apply("Unsqueeze", index_tensor(targets, "in_top_k"), axes=(-1,))
    (predictions,) = promote(predictions, to_float=True)
    chosen = apply("GatherElements", predictions, labels, axis=-1)
    chosen = apply("Where", apply("IsNaN", chosen), scalar(-math.inf, chosen), chosen)
    above = cast_to(apply("Greater", predictions, chosen), "int32")
    count = apply("ReduceSum", above, axes=(-1,), keepdims=False)
    return apply("Less", count, scalar(k, count))


@function
def psnr(x1: Tensor, x2: Tensor, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio of two signals in decibels: ``20 log10(max_val) - 10 log10(mean((x1 - x2)**2))``.

    Raises:
        ShapeError: the shapes differ.
    """
    _need_same_shape(x1, x2, "psnr")
    x1, x2 = promote(x1, x2, to_float=True)
    difference = apply("Sub", x1, x2)
    axes = tuple(range(rank_of(difference)))
    error = apply("ReduceMean", apply("Mul", difference, difference), axes=axes, keepdims=False)
    decibels = apply("Mul", apply("Log", error), scalar(10 / math.log(10), error))
    return apply("Sub", scalar(20 * math.log10(max_val), error), decibels)
