"""Fashion-MNIST: pictures of clothes, 28 by 28, in 10 classes (Zalando SE; MIT licence)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from graphc.datasets.idx import read_idx
from graphc.datasets.sources import FASHION_MNIST
from graphc.errors import DataError

Array = np.ndarray[Any, Any]

CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
"""What the labels 0 to 9 stand for."""


def load_data(*, path: Any = None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Loads the pictures as ``(x_train, y_train), (x_test, y_test)``; downloaded at the first call, 30 MB.

    Args:
        path: a folder with copies of the four published files, if you have them. (Keras has no such argument.)

    Returns:
        Images ``(60000, 28, 28)`` and ``(10000, 28, 28)`` of values 0 to 255, and the classes ``(60000,)`` and
        ``(10000,)``, see `CLASSES`, all uint8.

    Raises:
        DownloadError: a file is not there and cannot be downloaded.
        DataError: a file is damaged or another one.
    """
    files = {}
    for key, source in FASHION_MNIST.items():
        files[key] = source.fetch() if path is None else Path(path) / source.name
        if not files[key].is_file():
            raise DataError(f"There is no file {str(files[key])!r}; it is published at {source.url}.")
    found = {key: read_idx(file, 3 if key.endswith("images") else 1) for key, file in files.items()}
    for part in ("train", "test"):
        images, labels = found[f"{part}_images"], found[f"{part}_labels"]
        if len(images) != len(labels):
            raise DataError(f"{files[f'{part}_labels']} has {len(labels)} labels for {len(images)} images.")
    return (found["train_images"], found["train_labels"]), (found["test_images"], found["test_labels"])
