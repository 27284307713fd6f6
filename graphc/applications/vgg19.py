"""VGG19: 19 layers with weights, trained on ImageNet; see `graphc.applications.vgg`."""

from __future__ import annotations

from typing import Any

from graphc.applications import imagenet_utils
from graphc.applications.imagenet_utils import decode_predictions
from graphc.applications.pretrained import Published
from graphc.applications.vgg import build_vgg
from graphc.functional import Functional

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

_PUBLISHED = (
    Published("vgg19", "vgg19_weights_tf_dim_ordering_tf_kernels.h5", "cbe5617147190e668d6c5d5026f83318"),
    Published("vgg19", "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "253f8cb515780f3b799900260a226db6"),
)


def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Functional:
    """The VGG19 model. Its inputs are made by `preprocess_input`.

    Args:
        include_top: whether it has its three dense layers, the classifier.
        weights: ``"imagenet"`` (downloaded at the first call, 575 MB), the path of a file of weights, or None for random
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
        (2, 2, 4, 4, 4),
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
