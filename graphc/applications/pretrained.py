"""Puts weights into an image model: those that Keras publishes, or a file of the user's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from graphc.download import fetch
from graphc.model import Model
from graphc.saving.legacy_h5_weights import load_legacy_weights

FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/"


@dataclass(frozen=True)
class Published:
    """A file of weights that Keras publishes.

    Attributes:
        folder: of the model, below `FOLDER`.
        name: of the file.
        hash: its MD5; None where Keras publishes none.
    """

    folder: str
    name: str
    hash: str | None


def load_weights(model: Model, weights: Any, published: Published) -> None:
    """Set a model's weights.

    Args:
        model: a new model.
        weights: None, ``"imagenet"`` or a file, as `check_weights` left it.
        published: the file for ``"imagenet"``.

    Raises:
        DownloadError: the published file is not in the cache and cannot be downloaded.
        ModelFileError: the file is damaged or does not fit the model.
    """
    if weights is None:
        return
    path = weights
    if weights == "imagenet":
        path = fetch(
            f"{FOLDER}{published.folder}/{published.name}", published.name, folder="models", known_hash=published.hash
        )
    name = os.fspath(path)
    if name.endswith((".h5", ".hdf5")) and not name.endswith(".weights.h5"):
        load_legacy_weights(model, path)
    else:
        model.load_weights(path)
