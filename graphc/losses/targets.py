"""What a whole array of targets is checked for before training, with messages that say how to mend it."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import DataError
from graphc.ir.types import TensorType, normalize_axis

Array = np.ndarray[Any, Any]
Lengths = tuple[int | None, ...]


def check_broadcast(loss: str, y_true: Array, output_type: TensorType) -> None:
    """Raise unless targets have the rank of the output and, axis by axis, its length or 1.

    Raises:
        DataError: they do not.
    """
    target, output = _same_rank(_lengths(y_true.shape), _lengths(output_type.shape))
    if len(target) != len(output) or not all(_equal(a, b) or 1 in (a, b) for a, b in zip(target, output, strict=True)):
        raise _mismatch(loss, y_true, output_type)


def check_same_shape(loss: str, y_true: Array, output_type: TensorType, hint: str = "") -> None:
    """Raise unless targets have the shape of the output, but for a last axis of length 1.

    Raises:
        DataError: they do not.
    """
    target, output = _same_rank(_lengths(y_true.shape), _lengths(output_type.shape))
    if len(target) != len(output) or not all(map(_equal, target, output)):
        raise _mismatch(loss, y_true, output_type, hint)


def check_labels(
    loss: str, y_true: Array, output_type: TensorType, axis: int = -1, ignore_class: int | None = None
) -> None:
    """Raise unless targets are class numbers in the shape of the output without its class axis.

    Raises:
        DataError: the shape differs, or a label is no whole number or not one of the classes; with its place and value.
    """
    output = _lengths(output_type.shape)
    along = normalize_axis(axis, len(output), f"{loss}: axis")
    target = _lengths(y_true.shape)
    samples = output[:along] + output[along + 1 :]
    if len(target) == len(output) and target[along] == 1:
        target = target[:along] + target[along + 1 :]
    if len(target) != len(samples) or not all(map(_equal, target, samples)):
        hint = ""
        if len(target) == len(output) and all(map(_equal, target, output)):
            hint = " One-hot targets need CategoricalCrossentropy."
        shown = f"{samples} (class numbers, without the axis of the classes)"
        raise DataError(f"Loss {loss}: targets must have shape {shown}; got {y_true.shape} for output {output}.{hint}")
    if y_true.dtype.kind == "f":
        _check_whole(loss, y_true)
    _check_range(loss, y_true, output[along], ignore_class)


def _check_whole(loss: str, labels: Array) -> None:
    broken = ~np.isfinite(labels) | (labels != np.floor(labels))
    if broken.any():
        place = _first(broken)
        raise DataError(
            f"Loss {loss}: labels must be whole numbers, the numbers of the classes; the one at index {_shown(place)} "
            f"is {labels[place]}. Numbers that are measured, not classes, need a loss such as MeanSquaredError."
        )


def _check_range(loss: str, labels: Array, classes: int | None, ignore_class: int | None) -> None:
    if labels.size == 0 or labels.dtype.kind == "b":
        return
    outside = labels < 0
    if classes is not None:
        outside |= labels >= classes
    if ignore_class is not None:
        outside &= labels != ignore_class
    if not outside.any():
        return
    place = _first(outside)
    allowed = "from 0 up" if classes is None else f"0 to {classes - 1}"
    hint = ""
    if classes is not None and labels.min() == 1 and labels.max() == classes:
        hint = " Labels that start at 1 must be shifted: use y - 1."
    elif ignore_class is None and labels[place] < 0:
        hint = " Labels that mark missing targets are named by ignore_class."
    of = "" if classes is None else f"; the output has {classes} classes"
    raise DataError(
        f"Loss {loss}: the label {labels[place]} at index {_shown(place)} is out of range: "
        f"labels must be {allowed}{of}.{hint}"
    )


def _mismatch(loss: str, y_true: Array, output_type: TensorType, hint: str = "") -> DataError:
    output = _lengths(output_type.shape)
    return DataError(f"Loss {loss}: targets of shape {y_true.shape} do not fit the output of shape {output}.{hint}")


def _lengths(shape: tuple[Any, ...]) -> Lengths:
    """A shape with None for the batch and for what comes with the data."""
    return tuple(d if i and isinstance(d, int) else None for i, d in enumerate(shape))


def _equal(a: int | None, b: int | None) -> bool:
    return a is None or b is None or a == b


def _same_rank(target: Lengths, output: Lengths) -> tuple[Lengths, Lengths]:
    """What `graphc.losses.loss.same_rank` makes of the shapes."""
    if len(target) == len(output) + 1 and target[-1] == 1:
        return (target, (*output, 1)) if len(output) == 1 else (target[:-1], output)
    if len(output) == len(target) + 1 and output[-1] == 1:
        return ((*target, 1), output) if len(target) == 1 else (target, output[:-1])
    return target, output


def _first(where: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(where)), where.shape))


def _shown(place: tuple[int, ...]) -> int | tuple[int, ...]:
    return place[0] if len(place) == 1 else place
