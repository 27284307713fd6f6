"""What the two data sets of house prices share: rows of features and a price each, shuffled and split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from graphc.datasets.npz import read_npz
from graphc.errors import ArgumentError, DataError

Array = np.ndarray[Any, Any]
Split = tuple[tuple[Array, Array], tuple[Array, Array]]


def check_test_split(test_split: Any) -> None:
    """Refuse a fraction of test data that makes no sense.

    Raises:
        ArgumentError: it is not from 0 up to, but not including, 1.
    """
    if isinstance(test_split, bool) or not isinstance(test_split, int | float) or not 0 <= test_split < 1:
        raise ArgumentError(f"`test_split` must be a number from 0 to 1, 1 itself excluded; got {test_split!r}.")


def read_houses(path: Path, rows: int | None = None) -> tuple[Array, Array]:
    """Features and prices of the first ``rows`` houses, or of all.

    Raises:
        DataError: the file is damaged or another one.
    """
    x, y = read_npz(path, ("x", "y"))
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise DataError(f"{path}: features of shape {x.shape} do not go with prices of shape {y.shape}.")
    return x[:rows], y[:rows]


def shuffle_and_split(x: Array, y: Array, test_split: float, seed: Any) -> Split:
    """``(x_train, y_train), (x_test, y_test)``: Keras's shuffle for a seed, then the test part from the end."""
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    end = int(len(x) * (1 - test_split))
    train, test = order[:end], order[end:]
    return (x[train], y[train]), (x[test], y[test])
