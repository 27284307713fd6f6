"""Class weights as sample weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError

Array = np.ndarray[Any, Any]


def class_weights_of(
    class_weight: Mapping[int, float], ys: Sequence[Array | None], ws: Sequence[Array | None], names: Sequence[str]
) -> list[Array | None]:
    """Sample weights that give each sample the weight of its class; classes that are not named weigh 1.

    Raises:
        ArgumentError: several outputs, or sample weights given as well (Keras's rule).
    """
    if not isinstance(class_weight, Mapping):
        raise ArgumentError(f"`class_weight` must be a dict from class numbers to weights; got {class_weight!r:.60}.")
    if len(names) != 1:
        raise ArgumentError(f"`class_weight` works for models with one output; this one has {list(names)}.")
    (y,), (w,) = ys, ws
    if w is not None:
        raise ArgumentError("You cannot pass `class_weight` and `sample_weight` at the same time.")
    if y is None:
        raise ArgumentError("`class_weight` needs targets `y`.")
    if y.ndim > 2:
        raise ArgumentError(
            f"`class_weight` takes one label for each sample; the targets have shape {y.shape}. Pass `sample_weight`."
        )
    labels = np.argmax(y, axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y), -1)[:, 0]
    weights = np.ones(len(y), np.float32)
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return [weights]
