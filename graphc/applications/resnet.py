"""ResNet50: bottleneck blocks around shortcuts.

Deep Residual Learning for Image Recognition, K. He, X. Zhang, S. Ren and J. Sun, 2015 (https://arxiv.org/abs/1512.03385).
Layers, names and order are Keras's, so that its weight files fit.
"""

from __future__ import annotations

from typing import Any

from graphc.applications import imagenet_utils
from graphc.applications.arguments import check_weights, checked_input_shape, image_input, pooled
from graphc.applications.imagenet_utils import decode_predictions
from graphc.applications.pretrained import Published, load_weights
from graphc.functional import Functional
from graphc.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
)

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

_EPSILON = 1.001e-5  # of the batch normalisations, as trained

_STAGES = (("conv2", 64, 3, 1), ("conv3", 128, 4, 2), ("conv4", 256, 6, 2), ("conv5", 512, 3, 2))
"""Name, filters, blocks and stride of each stage."""

_PUBLISHED = (
    Published("resnet", "resnet50_weights_tf_dim_ordering_tf_kernels.h5", "2cb95161c43110f7111970584f804107"),
    Published("resnet", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "4d473c1dd8becc155b73f8504c6f6626"),
)


def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Functional:
    """The ResNet50 model. Its inputs are made by `preprocess_input`.

    Args:
        include_top: whether it has its classifier.
        weights: ``"imagenet"`` (downloaded at the first call, 103 MB), the path of a file of weights, or None for random
            ones.
        input_tensor: a symbolic tensor of images to start from, instead of a new input.
        input_shape: ``(height, width, channels)``, at least 32x32; ``(224, 224, 3)`` by default. Must be that with the
            classifier of ``"imagenet"``; may have None without a classifier.
        pooling: without the classifier, ``"avg"`` or ``"max"`` for one vector an image.
        classes: of the classifier.
        classifier_activation: of its last layer; None for logits.
        name: of the model.

    Raises:
        ArgumentError: an argument makes no sense, or they do not go together.
        DownloadError: the weights are not in the cache and cannot be downloaded.
        ModelFileError: the file of weights is damaged or does not fit.
    """
    check_weights(weights, include_top, classes, classifier_activation)
    shape = checked_input_shape(input_shape, default_size=224, include_top=include_top, weights=weights)
    x, inputs = image_input(input_tensor, shape)
    x = ZeroPadding2D(padding=((3, 3), (3, 3)), name="conv1_pad")(x)
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = _normalized(x, "conv1_bn")
    x = Activation("relu", name="conv1_relu")(x)
    x = ZeroPadding2D(padding=((1, 1), (1, 1)), name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, filters, blocks, stride in _STAGES:
        for i in range(1, blocks + 1):
            x = _block(x, filters, stride if i == 1 else 1, widen=i == 1, name=f"{stage}_block{i}")
    if include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling, avg="avg_pool", max="max_pool")
    model = Functional(inputs, x, name=name)
    load_weights(model, weights, _PUBLISHED[0] if include_top else _PUBLISHED[1])
    return model


def _block(x: Any, filters: int, stride: int, *, widen: bool, name: str) -> Any:
    """A bottleneck: 1x1, 3x3 and 1x1 convolutions; the shortcut has a convolution where the number of channels grows."""
    shortcut = x
    if widen:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
        shortcut = _normalized(shortcut, f"{name}_0_bn")
    x = Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = _normalized(x, f"{name}_1_bn")
    x = Activation("relu", name=f"{name}_1_relu")(x)
    x = Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = _normalized(x, f"{name}_2_bn")
    x = Activation("relu", name=f"{name}_2_relu")(x)
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = _normalized(x, f"{name}_3_bn")
    x = Add(name=f"{name}_add")([shortcut, x])
    return Activation("relu", name=f"{name}_out")(x)


def _normalized(x: Any, name: str) -> Any:
    return BatchNormalization(axis=3, epsilon=_EPSILON, name=name)(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels from 0 to 255 as this model takes them: BGR minus ImageNet's mean; see `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="caffe")
