"""Keras's `utils`: what does not belong to one model."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from graphc.errors import DataError
from graphc.layers.symbolic import SymbolicTensor
from graphc.naming import clear_session
from graphc.seeding import set_random_seed

__all__ = [
    "CustomObjectScope",
    "clear_session",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_keras_tensor",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
]


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray[Any, Any]:
    """Class numbers as one-hot rows of float32.

    Args:
        x: integers from 0, of any shape; a last axis of length 1 is dropped.
        num_classes: the length of a row; the largest number plus one by default.

    Returns:
        An array of shape ``x.shape + (num_classes,)``.

    Raises:
        DataError: a number is negative or not below ``num_classes``.
    """
    labels = np.asarray(x)
    if labels.dtype.kind not in "biu" and not (labels.dtype.kind == "f" and np.all(labels == np.floor(labels))):
        raise DataError(f"to_categorical takes whole class numbers; got dtype {labels.dtype}.")
    labels = labels.astype(np.int64)
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    flat = labels.reshape(-1)
    count = num_classes or (int(flat.max()) + 1 if flat.size else 0)
    if flat.size and (flat.min() < 0 or flat.max() >= count):
        bad = int(flat.min()) if flat.min() < 0 else int(flat.max())
        raise DataError(f"Class {bad} is out of range: with {count} classes they run from 0 to {count - 1}.")
    rows = np.zeros((flat.size, count), np.float32)
    rows[np.arange(flat.size), flat] = 1.0
    return rows.reshape((*shape, count))


def is_keras_tensor(x: Any) -> bool:
    """True for what `Input` and layers called on it give."""
    return isinstance(x, SymbolicTensor)
