"""MobileNetV2: inverted residual blocks, narrow outside and wide inside, for small machines.

MobileNetV2: Inverted Residuals and Linear Bottlenecks, M. Sandler and others, 2018 (https://arxiv.org/abs/1801.04381).
Layers, names and order are Keras's, so that its weight files fit.
"""

from __future__ import annotations

import warnings
from typing import Any

from graphc.applications import imagenet_utils
from graphc.applications.arguments import check_weights, checked_input_shape, image_input, pooled
from graphc.applications.imagenet_utils import decode_predictions
from graphc.applications.pretrained import Published, load_weights
from graphc.errors import ArgumentError
from graphc.functional import Functional
from graphc.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    ReLU,
    ZeroPadding2D,
)
from graphc.layers.symbolic import SymbolicTensor

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

_SIZES = (96, 128, 160, 192, 224)
_ALPHAS = (0.35, 0.50, 0.75, 1.0, 1.3, 1.4)
"""The sizes of images, and the widths, for which there are weights."""

_BLOCKS = (
    *((16, 1, 1), (24, 2, 6), (24, 1, 6)),
    *((32, 2, 6), (32, 1, 6), (32, 1, 6)),
    *((64, 2, 6), (64, 1, 6), (64, 1, 6), (64, 1, 6)),
    *((96, 1, 6), (96, 1, 6), (96, 1, 6)),
    *((160, 2, 6), (160, 1, 6), (160, 1, 6), (320, 1, 6)),
)
"""Filters before ``alpha``, stride and expansion of each block."""


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Functional:
    """The MobileNetV2 model. Its inputs are made by `preprocess_input`.

    Args:
        input_shape: ``(height, width, channels)``, at least 32x32; ``(224, 224, 3)`` by default. With the classifier of
            ``"imagenet"``, height and width must be equal and one of 96, 128, 160, 192 and 224; may have None without a
            classifier.
        alpha: the width: how many times the published number of filters each layer has.
        include_top: whether it has its classifier.
        weights: ``"imagenet"`` (downloaded at the first call, 14 MB), the path of a file of weights, or None for random
            ones.
        input_tensor: a symbolic tensor of images to start from, instead of a new input.
        pooling: without the classifier, ``"avg"`` or ``"max"`` for one vector an image.
        classes: of the classifier.
        classifier_activation: of its last layer; None for logits.
        name: of the model; made from ``alpha`` and the height by default.

    Raises:
        ArgumentError: an argument makes no sense, or they do not go together.
        DownloadError: the weights are not in the cache and cannot be downloaded.
        ModelFileError: the file of weights is damaged or does not fit.
    """
    check_weights(weights, include_top, classes, classifier_activation)
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not alpha > 0:
        raise ArgumentError(f"`alpha` must be a positive number; got alpha={alpha!r}.")
    if weights == "imagenet" and alpha not in _ALPHAS:
        raise ArgumentError(f"There are weights 'imagenet' for alpha in {_ALPHAS}; got alpha={alpha}.")
    size = _default_size(input_shape, input_tensor)
    shape = checked_input_shape(input_shape, default_size=size, include_top=include_top, weights=weights)
    rows = shape[0]
    if weights == "imagenet" and (rows != shape[1] or rows not in _SIZES):
        rows = 224
        warnings.warn(
            f"There are weights for square images of sizes {_SIZES}; for {shape[:2]}, those of (224, 224) are loaded.",
            stacklevel=2,
        )
    x, inputs = image_input(input_tensor, shape)
    x = Conv2D(_divisible(32 * alpha), kernel_size=3, strides=(2, 2), padding="same", use_bias=False, name="Conv1")(x)
    x = _normalized(x, "bn_Conv1")
    x = ReLU(6.0, name="Conv1_relu")(x)
    for i, (filters, stride, expansion) in enumerate(_BLOCKS):
        x = _block(x, _divisible(int(filters * alpha)), stride, expansion, f"block_{i}_" if i else "expanded_conv_")
    # The last convolution has its published width, or more, but not less.
    last = _divisible(1280 * alpha) if alpha > 1.0 else 1280
    x = Conv2D(last, kernel_size=1, use_bias=False, name="Conv_1")(x)
    x = _normalized(x, "Conv_1_bn")
    x = ReLU(6.0, name="out_relu")(x)
    if include_top:
        x = GlobalAveragePooling2D()(x)
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    model = Functional(inputs, x, name=name or f"mobilenetv2_{alpha:0.2f}_{rows}")
    load_weights(model, weights, _published(alpha, rows, include_top))
    return model


def _default_size(input_shape: Any, input_tensor: Any) -> int:
    """The size of the images that were given, if there are weights for it.

    Raises:
        ArgumentError: shape and tensor were given and do not agree.
    """
    sides: tuple[int | None, ...] = ()
    if isinstance(input_tensor, SymbolicTensor):
        sides = input_tensor.shape[1:3]
        if input_shape is not None and input_tensor.shape[1:] != tuple(input_shape):
            raise ArgumentError(
                f"`input_shape` and `input_tensor` do not agree: {tuple(input_shape)} and {input_tensor.shape[1:]}."
            )
    elif input_shape is not None:
        sides = tuple(input_shape)[:2]
    return sides[0] if len(set(sides)) == 1 and sides[0] in _SIZES else 224


def _block(x: Any, filters: int, stride: int, expansion: int, prefix: str) -> Any:
    """Widen by 1x1, filter each channel by 3x3, narrow by 1x1 without an activation; a shortcut where shapes allow it."""
    inputs, channels = x, x.shape[-1]
    if expansion > 1:
        x = Conv2D(expansion * channels, kernel_size=1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = _normalized(x, f"{prefix}expand_BN")
        x = ReLU(6.0, name=f"{prefix}expand_relu")(x)
    if stride == 2:
        x = ZeroPadding2D(padding=_padding(x.shape[1:3]), name=f"{prefix}pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = DepthwiseConv2D(kernel_size=3, strides=stride, use_bias=False, padding=padding, name=f"{prefix}depthwise")(x)
    x = _normalized(x, f"{prefix}depthwise_BN")
    x = ReLU(6.0, name=f"{prefix}depthwise_relu")(x)
    x = Conv2D(filters, kernel_size=1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _normalized(x, f"{prefix}project_BN")
    return Add(name=f"{prefix}add")([inputs, x]) if channels == filters and stride == 1 else x


def _normalized(x: Any, name: str) -> Any:
    return BatchNormalization(axis=-1, epsilon=1e-3, momentum=0.999, name=name)(x)


def _padding(sides: tuple[int | None, ...]) -> tuple[tuple[int, int], ...]:
    """Zeros around images before a 3x3 convolution of stride 2: one on each side, but only behind where a side is even.

    As Keras has it, unknown heights and widths count as even.
    """
    if sides[0] is None:
        return (0, 1), (0, 1)
    return tuple((side % 2 if side is not None else 0, 1) for side in sides)


def _divisible(filters: float) -> int:
    """The nearest multiple of 8, at least 8 and not below nine tenths of the number."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest


def _published(alpha: float, rows: int | None, include_top: bool) -> Published:
    """Keras publishes no hashes of these files."""
    top = "" if include_top else "_no_top"
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}{top}.h5"
    return Published("mobilenet_v2", name, None)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels from 0 to 255 as this model takes them: from -1 to 1; see `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="tf")
