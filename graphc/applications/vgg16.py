"""VGG16: 16 layers with weights, trained on ImageNet; see `graphc.applications.vgg`."""

from __future__ import annotations

from typing import Any

from graphc.applications import imagenet_utils
from graphc.applications.imagenet_utils import decode_predictions
from graphc.applications.pretrained import Published
from graphc.applications.vgg import build_vgg
from graphc.functional import Functional

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

_PUBLISHED = (
    Published("vgg16", "vgg16_weights_tf_dim_ordering_tf_kernels.h5", "64373286793e3c8b2b4e3219cbf3544b"),
    Published("vgg16", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc"),
)


def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Functional:
    """The VGG16 model. Its inputs are made by `preprocess_input`.

    Args:
        include_top: whether it has its three dense layers, the classifier.
        weights: ``"imagenet"`` (downloaded at the first call, 553 MB), the path of a file of weights, or None for random
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
    return build_vgg(
        (2, 2, 3, 3, 3),
        _PUBLISHED,
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Pixels from 0 to 255 as this model takes them: BGR minus ImageNet's mean; see `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format=data_format, mode="caffe")
