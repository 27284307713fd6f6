"""CIFAR-10: colour photographs, 32 by 32, in 10 classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from graphc.datasets.cifar import read_batches
from graphc.datasets.sources import CIFAR10

Array = np.ndarray[Any, Any]

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""What the labels 0 to 9 stand for."""

_FOLDER = "cifar-10-batches-py"


def load_data(*, path: Any = None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Loads the photographs as ``(x_train, y_train), (x_test, y_test)``; downloaded at the first call, 170 MB.

    Args:
        path: a copy of ``cifar-10-python.tar.gz``, or the folder unpacked from it, if you have one. (Keras has no such
            argument.)

    Returns:
        Images ``(50000, 32, 32, 3)`` and ``(10000, 32, 32, 3)`` of values 0 to 255, and the classes ``(50000, 1)`` and
        ``(10000, 1)``, see `CLASSES`, all uint8.

    Raises:
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one.
    """
    file = CIFAR10.fetch() if path is None else Path(path)
    train = [f"data_batch_{i}" for i in range(1, 6)]
    parts = read_batches(file, _FOLDER, {"train": train, "test": ["test_batch"]}, "labels")
    return parts["train"], parts["test"]
