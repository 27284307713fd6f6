"""VGG16 and VGG19: blocks of 3x3 convolutions, each followed by a pooling that halves the image.

Very Deep Convolutional Networks for Large-Scale Image Recognition, K. Simonyan and A. Zisserman, 2014
(https://arxiv.org/abs/1409.1556). Layers, names and order are Keras's, so that its weight files fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.applications.arguments import check_weights, checked_input_shape, image_input, pooled
from graphc.applications.pretrained import Published, load_weights
from graphc.functional import Functional
from graphc.layers import Conv2D, Dense, Flatten, MaxPooling2D

_FILTERS = (64, 128, 256, 512, 512)


def build_vgg(
    convolutions: Sequence[int],
    published: tuple[Published, Published],
    include_top: bool,
    weights: Any,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    name: str,
) -> Functional:
    """A VGG network.

    Args:
        convolutions: the number of convolutions in each of the five blocks.
        published: Keras's files of weights, with and without the classifier.
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name: as of `VGG16`.
    """
    check_weights(weights, include_top, classes, classifier_activation)
    shape = checked_input_shape(input_shape, default_size=224, include_top=include_top, weights=weights, stacklevel=4)
    x, inputs = image_input(input_tensor, shape)
    for block, (filters, count) in enumerate(zip(_FILTERS, convolutions, strict=True), 1):
        for i in range(1, count + 1):
            x = Conv2D(filters, (3, 3), activation="relu", padding="same", name=f"block{block}_conv{i}")(x)
        x = MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    if include_top:
        x = Flatten(name="flatten")(x)
        x = Dense(4096, activation="relu", name="fc1")(x)
        x = Dense(4096, activation="relu", name="fc2")(x)
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    model = Functional(inputs, x, name=name)
    load_weights(model, weights, published[0] if include_top else published[1])
    return model
