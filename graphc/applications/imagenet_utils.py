"""What goes into the image models and what comes out: pixels as each was trained on them, and ImageNet's class names."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from graphc.download import fetch
from graphc.errors import ArgumentError, DataError
from graphc.ir.dtypes import is_float
from graphc.layers.data_format import channels_first, standard_data_format
from graphc.layers.symbolic import SymbolicTensor
from graphc.ops import functional as ops
from graphc.ops.functional.tracing import TracedTensor

Array = np.ndarray[Any, Any]

CLASS_INDEX_URL = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
CLASS_INDEX_HASH = "c2c37ea517e94d9795004a39431a14cb"

_LARGEST_CLASS_INDEX = 2**22  # bytes; it has 35 thousand

# Means and standard deviations of ImageNet's pixels, by colour, in the order in which the mode has the colours.
_CAFFE_MEAN = (103.939, 116.779, 123.68)
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_DEVIATION = (0.229, 0.224, 0.225)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Pixels of RGB images, 0 to 255, as a model was trained on them.

    Args:
        x: an image or a batch of images, as an array or as a symbolic tensor. It is left as it is. (Keras writes over an
            array of floats.)
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        mode: ``"caffe"``: BGR minus ImageNet's mean; ``"tf"``: from -1 to 1; ``"torch"``: from 0 to 1, then minus
            ImageNet's mean and divided by its standard deviation.

    Returns:
        An array or tensor of ``x``'s shape, of its dtype if that is a float's and of float32 otherwise.

    Raises:
        ArgumentError: another ``mode`` or ``data_format``, or ``x`` is neither an image nor a batch.
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ArgumentError(f"`mode` must be 'caffe', 'tf' or 'torch'; got mode={mode!r}.")
    is_first = channels_first(standard_data_format(data_format))
    if not isinstance(x, SymbolicTensor | TracedTensor):
        x = np.asarray(x)
    if x.ndim not in (3, 4):
        raise ArgumentError(f"preprocess_input takes an image or a batch of images, 3 or 4 axes; got shape {x.shape}.")
    if isinstance(x, np.ndarray):
        x = x if x.dtype.kind == "f" else x.astype(np.float32)
    elif not is_float(x.dtype):
        x = ops.cast(x, "float32")
    if mode == "tf":
        return x / 127.5 - 1.0
    axis = x.ndim - 3 if is_first else x.ndim - 1
    shape = tuple(3 if i == axis else 1 for i in range(x.ndim))
    if mode == "torch":
        return (x / 255.0 + _colours(x, shape, np.negative(_TORCH_MEAN))) / _colours(x, shape, _TORCH_DEVIATION)
    return _reversed(x, axis) + _colours(x, shape, np.negative(_CAFFE_MEAN))


def _colours(x: Any, shape: tuple[int, ...], values: Any) -> Any:
    """A number for each colour, in a shape that broadcasts with the images."""
    if isinstance(x, np.ndarray):
        return np.asarray(values, x.dtype).reshape(shape)
    return ops.convert_to_tensor(np.reshape(values, shape), dtype=x.dtype)


def _reversed(x: Any, axis: int) -> Any:
    if isinstance(x, np.ndarray):
        return np.flip(x, axis)
    before = (slice(None),) * axis
    return ops.stack([x[(*before, colour)] for colour in (2, 1, 0)], axis=axis)


def decode_predictions(preds: Any, top: int = 5, *, class_index: Any = None) -> list[list[tuple[str, str, Any]]]:
    """The likeliest classes of ImageNet for each prediction.

    Args:
        preds: probabilities, ``(batch, 1000)``.
        top: how many classes.
        class_index: a copy of ``imagenet_class_index.json`` that you have; by default it is downloaded at the first call.
            (Keras has no such argument.)

    Returns:
        For each sample a list of ``(number in WordNet, name, probability)``, the likeliest first.

    Raises:
        ArgumentError: another shape, or ``top`` is no positive integer.
        DownloadError: the names are not in the cache and cannot be downloaded.
        DataError: the file of names is missing, damaged or another one.
    """
    scores = np.asarray(preds)
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise ArgumentError(
            f"decode_predictions takes probabilities of ImageNet's classes, of shape (batch, 1000); got {scores.shape}."
        )
    if isinstance(top, bool) or not hasattr(top, "__index__") or top < 1:
        raise ArgumentError(f"`top` must be a positive integer; got top={top!r}.")
    if class_index is None:
        class_index = fetch(CLASS_INDEX_URL, "imagenet_class_index.json", folder="models", known_hash=CLASS_INDEX_HASH)
    classes = _read_class_index(Path(class_index))
    best = np.argsort(scores, axis=1, kind="stable")[:, ::-1][:, :top]
    return [[(*classes[i], row[i]) for i in order] for row, order in zip(scores, best, strict=True)]


@lru_cache(maxsize=4)
def _read_class_index(path: Path) -> tuple[tuple[str, str], ...]:
    """Number in WordNet and name of each class.

    Raises:
        DataError: the file is missing, damaged or another one.
    """
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}; it is published at {CLASS_INDEX_URL}.")
    if path.stat().st_size > _LARGEST_CLASS_INDEX:
        raise DataError(f"{path} is longer than {_LARGEST_CLASS_INDEX} bytes; it is no table of classes.")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        classes = tuple((number, name) for number, name in (table[str(i)] for i in range(1000)))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path} is no table of ImageNet's 1000 classes: {type(error).__name__}: {error}") from None
    if not all(isinstance(text, str) for entry in classes for text in entry):
        raise DataError(f"{path} is no table of ImageNet's 1000 classes: a name is no text.")
    return classes
