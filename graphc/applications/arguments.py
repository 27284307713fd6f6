"""The arguments that all image models take, checked in one place."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from graphc import activations
from graphc.errors import ArgumentError
from graphc.layers import GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from graphc.layers.symbolic import SymbolicTensor
from graphc.utils.tensors import get_source_inputs

Shape = tuple[int | None, ...]

SMALLEST = 32
"""Pixels of height and width: the models halve them five times."""


def check_weights(weights: Any, include_top: bool, classes: int, classifier_activation: Any) -> None:
    """Refuse weights that cannot be, and a top that does not go with them.

    Raises:
        ArgumentError: ``weights`` is neither None, ``"imagenet"`` nor an existing file, or they need another number of
            classes or another activation.
    """
    is_path = isinstance(weights, str | os.PathLike) and Path(weights).is_file()
    if weights is not None and weights != "imagenet" and not is_path:
        raise ArgumentError(
            "`weights` must be None (random), 'imagenet' (downloaded), or the path of a file of weights; there is no file "
            f"{weights!r}."
        )
    if not include_top:
        return
    if weights == "imagenet" and classes != 1000:
        raise ArgumentError(
            f"The weights 'imagenet' are for 1000 classes; got classes={classes}. Pass include_top=False for a top of your "
            "own, or weights=None."
        )
    if weights is not None and activations.get(classifier_activation) not in (activations.softmax, activations.linear):
        raise ArgumentError(
            "With pretrained weights, `classifier_activation` must be 'softmax' or None; got "
            f"{classifier_activation!r}."
        )


def checked_input_shape(
    input_shape: Any, *, default_size: int, include_top: bool, weights: Any, stacklevel: int = 3
) -> Shape:
    """The shape of one image.

    Args:
        input_shape: what the user gave: ``(height, width, channels)``, or None.
        default_size: the height and width that the model was made for.
        include_top: whether the model has its classifier, which needs a fixed size.
        weights: as checked by `check_weights`.
        stacklevel: of a warning; 3 for the caller of the function that calls this one.

    Raises:
        ArgumentError: it is no such shape, is too small, is not fixed where it must be, or the weights need another.
    """
    shape = None if input_shape is None else tuple(input_shape)
    if shape is not None and len(shape) != 3:
        raise ArgumentError(f"`input_shape` must be (height, width, channels); got input_shape={input_shape!r}.")
    if weights == "imagenet":
        default: Shape = (default_size, default_size, 3)
        if include_top and shape not in (None, default):
            raise ArgumentError(
                f"With the weights 'imagenet' and include_top=True, `input_shape` must be {default}; got {shape}. Pass "
                "include_top=False for images of other sizes."
            )
        if shape is not None and shape[-1] != 3:
            raise ArgumentError(f"The weights 'imagenet' are for images with 3 channels; got input_shape={shape}.")
    if shape is None:
        return (default_size, default_size, 3) if include_top else (None, None, 3)
    if shape[-1] not in (1, 3):
        warnings.warn(
            f"This model usually takes images with 1 or 3 channels; got input_shape={shape}, with {shape[-1]}.",
            stacklevel=stacklevel,
        )
    if any(length is not None and length < SMALLEST for length in shape[:2]):
        raise ArgumentError(f"Images must be at least {SMALLEST}x{SMALLEST}; got input_shape={shape}.")
    if include_top and None in shape:
        raise ArgumentError(f"With include_top=True, `input_shape` must be fixed; got input_shape={shape}.")
    return shape


def image_input(input_tensor: Any, shape: Shape) -> tuple[SymbolicTensor, Any]:
    """The tensor with the images, and the inputs of the model: a new input, or what ``input_tensor`` comes from.

    Raises:
        ArgumentError: ``input_tensor`` is no symbolic tensor.
    """
    if input_tensor is None:
        images = Input(shape=shape)
        return images, images
    if not isinstance(input_tensor, SymbolicTensor):
        raise ArgumentError(
            f"`input_tensor` must be a symbolic tensor, such as Input gives; got {type(input_tensor).__name__}."
        )
    return input_tensor, get_source_inputs(input_tensor)


def pooled(x: SymbolicTensor, pooling: str | None, **names: str) -> SymbolicTensor:
    """The features of a model without its classifier, as ``pooling`` wants them.

    Args:
        x: ``(batch, height, width, channels)``.
        pooling: None for ``x`` itself, ``"avg"`` or ``"max"`` for ``(batch, channels)``.
        names: the pooling layer's name for ``avg`` and for ``max``; automatic by default.

    Raises:
        ArgumentError: another ``pooling``.
    """
    if pooling is None:
        return x
    layers = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}
    if pooling not in layers:
        raise ArgumentError(f"`pooling` must be None, 'avg' or 'max'; got pooling={pooling!r}.")
    result: SymbolicTensor = layers[pooling](name=names.get(pooling))(x)
    return result
