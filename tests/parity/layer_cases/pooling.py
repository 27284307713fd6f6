"""Parity cases of pooling layers."""

from __future__ import annotations

from parity.spec import IMAGE, IMAGE_EVEN, IMAGE_FIRST, SEQUENCE, VOLUME, VOLUME_FIRST

from .case import fn, of

CASES = (
    of("MaxPooling2D", "plain", IMAGE),
    of("MaxPooling2D", "overlapping", IMAGE, pool_size=3, strides=2),
    of("MaxPooling2D", "rectangle", IMAGE, pool_size=(2, 3)),
    of("MaxPooling2D", "same", IMAGE, pool_size=2, padding="same"),
    of("MaxPooling2D", "same-stride1", IMAGE, pool_size=(3, 2), strides=(1, 1), padding="same"),
    of("MaxPooling2D", "same-even", IMAGE_EVEN, pool_size=3, strides=(2, 3), padding="same"),
    of("MaxPooling2D", "channels-first", IMAGE_FIRST, pool_size=2, data_format="channels_first"),
    of(
        "MaxPooling2D",
        "channels-first-same",
        IMAGE_FIRST,
        pool_size=3,
        strides=2,
        padding="same",
        data_format="channels_first",
    ),
    of("MaxPooling2D", "dynamic", IMAGE, declared=((None, None, 4),), pool_size=(3, 2), strides=2),
    fn(
        "MaxPooling2D/ties-after-relu", lambda k, x: k.layers.MaxPooling2D(3, 2)(k.layers.ReLU(threshold=1.0)(x)), IMAGE
    ),
    of("AveragePooling2D", "plain", IMAGE, pool_size=2),
    of("AveragePooling2D", "overlapping", IMAGE, pool_size=3, strides=2),
    of("AveragePooling2D", "rectangle", IMAGE, pool_size=(3, 2), strides=(1, 2)),
    of("AveragePooling2D", "same", IMAGE, pool_size=2, padding="same"),
    of("AveragePooling2D", "same-stride1", IMAGE, pool_size=3, strides=1, padding="same"),
    # Keras's torch backend is off by 0.4 here (it pads stride 3 on the wrong side); jax, numpy and tensorflow agree.
    of("AveragePooling2D", "same-even", IMAGE_EVEN, pool_size=3, strides=(2, 3), padding="same"),
    of("AveragePooling2D", "channels-first", IMAGE_FIRST, pool_size=(2, 3), data_format="channels_first"),
    of(
        "AveragePooling2D",
        "channels-first-same",
        IMAGE_FIRST,
        pool_size=3,
        strides=2,
        padding="same",
        data_format="channels_first",
    ),
    of("AveragePooling2D", "dynamic", IMAGE, declared=((None, None, 4),), pool_size=2, padding="same"),
    *(
        of(f"Global{kind}Pooling{rank}D", label, first if "first" in label else last, **config)
        for kind in ("Average", "Max")
        for rank, last, first in ((1, SEQUENCE, (4, 6)), (2, IMAGE, IMAGE_FIRST), (3, VOLUME, VOLUME_FIRST))
        for label, config in (
            ("plain", {}),
            ("keepdims", {"keepdims": True}),
            ("channels-first", {"data_format": "channels_first"}),
            ("channels-first-keepdims", {"data_format": "channels_first", "keepdims": True}),
        )
    ),
    of("GlobalAveragePooling2D", "dynamic", IMAGE, declared=((None, None, 4),)),
    of("GlobalMaxPooling1D", "dynamic", SEQUENCE, declared=((None, 4),)),
)

# The terms of `x * inv + (beta - mean * inv)` may be added in another order, which costs a few roundings of |x * inv|.
