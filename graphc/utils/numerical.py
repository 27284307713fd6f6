"""Arrays of labels and vectors made ready for training."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError
from graphc.layers.symbolic import SymbolicTensor
from graphc.ops import functional
from graphc.ops.functional.tracing import TracedTensor

Array = np.ndarray[Any, Any]


def to_categorical(x: Any, num_classes: int | None = None) -> Array:
    """Class numbers as one-hot rows of float64, as in Keras.

    Args:
        x: integers from 0, of any shape; a last axis of length 1 is dropped.
        num_classes: the length of a row; the largest number plus one by default.

    Returns:
        An array of shape ``x.shape + (num_classes,)``.

    Raises:
        DataError: a number is negative or not below ``num_classes`` (Keras counts a negative one from the end), is no
            whole number (Keras cuts it off), or there is none to take ``num_classes`` from.
    """
    labels = np.asarray(x)
    if labels.dtype.kind not in "biu" and not (labels.dtype.kind == "f" and np.all(labels == np.floor(labels))):
        raise DataError(f"to_categorical takes whole class numbers; got dtype {labels.dtype}.")
    labels = labels.astype(np.int64)
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    flat = labels.reshape(-1)
    if not num_classes and not flat.size:
        raise DataError("to_categorical got no labels, so the number of classes is unknown: pass `num_classes`.")
    count = int(num_classes) if num_classes else int(flat.max()) + 1
    if flat.size and (flat.min() < 0 or flat.max() >= count):
        bad = int(flat.min()) if flat.min() < 0 else int(flat.max())
        raise DataError(f"Class {bad} is out of range: with {count} classes they run from 0 to {count - 1}.")
    rows = np.zeros((flat.size, count))
    rows[np.arange(flat.size), flat] = 1.0
    return rows.reshape((*shape, count))


def normalize(x: Any, axis: int = -1, order: Any = 2) -> Any:
    """``x`` divided by its norm along one axis; where the norm is 0, ``x`` stays.

    ``axis=0`` divides each column by its own norm. (Keras 3.15 divides by the norms of other columns there, or fails.)

    Args:
        x: an array, of which one of rank 1 comes back with shape ``(1, n)`` as in Keras; or a tensor inside a model, for
            which this is `graphc.ops.normalize`.
        axis: the axis along which the norm is taken.
        order: of the norm: 1, 2, ``np.inf`` or another that ``np.linalg.norm`` knows.

    Raises:
        ArgumentError: ``axis`` is no axis of ``x``, or ``x`` is a single number.
    """
    if isinstance(x, SymbolicTensor | TracedTensor):
        return functional.normalize(x, axis=axis, order=order)
    array = np.asarray(x)
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer) or not -array.ndim <= axis < array.ndim:
        raise ArgumentError(
            f"normalize: `axis` must be one of the axes of `x`, which has {array.ndim} of them; got axis={axis!r}."
        )
    norm = np.linalg.norm(array, order, axis, keepdims=True)
    norm[norm == 0] = 1
    scaled: Array = array / norm
    return scaled.reshape(1, -1) if array.ndim == 1 else scaled
