"""Parity cases of convolutions."""

from __future__ import annotations

from parity.spec import IMAGE, IMAGE_EVEN, IMAGE_FIRST

from .case import L1L2, of

CASES = (
    of("Conv2D", "valid", IMAGE, filters=5, kernel_size=3),
    of("Conv2D", "same", IMAGE, filters=5, kernel_size=3, padding="same", activation="relu"),
    of("Conv2D", "same-even-kernel", IMAGE, filters=5, kernel_size=(2, 4), padding="same"),
    of("Conv2D", "stride2-valid", IMAGE, filters=5, kernel_size=3, strides=2),
    of("Conv2D", "stride2-same-odd", IMAGE, filters=5, kernel_size=3, strides=2, padding="same"),
    of("Conv2D", "stride2-same-even", IMAGE_EVEN, filters=5, kernel_size=3, strides=2, padding="same"),
    of("Conv2D", "stride-2-3-same", IMAGE_EVEN, filters=5, kernel_size=(3, 2), strides=(2, 3), padding="same"),
    of("Conv2D", "stride-beyond-kernel", IMAGE, filters=5, kernel_size=1, strides=(3, 2), padding="same"),
    of("Conv2D", "kernel-beyond-image", (3, 4, 2), filters=5, kernel_size=5, padding="same"),
    of("Conv2D", "pointwise-no-bias", IMAGE, filters=6, kernel_size=1, use_bias=False, activation="tanh"),
    of("Conv2D", "dilated", IMAGE, filters=5, kernel_size=3, dilation_rate=2),
    of("Conv2D", "dilated-same", IMAGE, filters=5, kernel_size=(3, 2), dilation_rate=(1, 3), padding="same"),
    of("Conv2D", "groups", IMAGE, filters=6, kernel_size=3, groups=2),
    of("Conv2D", "groups-depthwise", IMAGE, filters=8, kernel_size=(3, 2), groups=4, strides=2, padding="same"),
    of("Conv2D", "channels-first", IMAGE_FIRST, filters=5, kernel_size=3, data_format="channels_first"),
    of(
        "Conv2D",
        "channels-first-groups",
        IMAGE_FIRST,
        filters=6,
        kernel_size=(3, 2),
        strides=2,
        padding="same",
        groups=2,
        data_format="channels_first",
        activation="relu",
    ),
    of("Conv2D", "dynamic", IMAGE, declared=((None, None, 4),), filters=5, kernel_size=3),
    of(
        "Conv2D",
        "dynamic-same-stride",
        IMAGE,
        declared=((None, None, 4),),
        filters=5,
        kernel_size=3,
        strides=2,
        padding="same",
    ),
    of(
        "Conv2D",
        "regularised",
        IMAGE,
        filters=3,
        kernel_size=2,
        kernel_regularizer=L1L2,
        kernel_initializer="he_uniform",
    ),
)
