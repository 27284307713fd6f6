"""CIFAR-100: colour photographs, 32 by 32, in 100 classes, which form 20 groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from graphc.datasets.cifar import read_batches
from graphc.datasets.sources import CIFAR100
from graphc.errors import ArgumentError

Array = np.ndarray[Any, Any]

_FOLDER = "cifar-100-python"


def load_data(label_mode: str = "fine", *, path: Any = None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Loads the photographs as ``(x_train, y_train), (x_test, y_test)``; downloaded at the first call, 169 MB.

    Args:
        label_mode: ``"fine"`` for the 100 classes, ``"coarse"`` for the 20 groups.
        path: a copy of ``cifar-100-python.tar.gz``, or the folder unpacked from it, if you have one. (Keras has no such
            argument.)

    Returns:
        Images ``(50000, 32, 32, 3)`` and ``(10000, 32, 32, 3)`` of values 0 to 255, and the classes ``(50000, 1)`` and
        ``(10000, 1)``, all uint8.

    Raises:
        ArgumentError: another ``label_mode``.
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one.
    """
    if label_mode not in ("fine", "coarse"):
        raise ArgumentError(f"`label_mode` must be 'fine' or 'coarse'; got label_mode={label_mode!r}.")
    file = CIFAR100.fetch() if path is None else Path(path)
    parts = read_batches(file, _FOLDER, {"train": ["train"], "test": ["test"]}, f"{label_mode}_labels")
    return parts["train"], parts["test"]
