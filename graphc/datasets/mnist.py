"""MNIST: handwritten digits, 28 by 28 (Y. LeCun and C. Cortes; CC BY-SA 3.0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.datasets.npz import read_npz
from graphc.datasets.sources import MNIST

Array = np.ndarray[Any, Any]


def load_data(path: Any = MNIST.name) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Loads the digits as ``(x_train, y_train), (x_test, y_test)``; downloaded at the first call, 11 MB.

    Args:
        path: a copy of ``mnist.npz`` that you have; or a name for it in the cache.

    Returns:
        Images ``(60000, 28, 28)`` and ``(10000, 28, 28)`` of values 0 to 255, and the digits ``(60000,)`` and
        ``(10000,)``, all uint8.

    Raises:
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one.
    """
    x_train, y_train, x_test, y_test = read_npz(MNIST.fetch_or_take(path), ("x_train", "y_train", "x_test", "y_test"))
    return (x_train, y_train), (x_test, y_test)
