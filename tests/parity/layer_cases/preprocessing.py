"""Parity cases of the numeric preprocessing layers."""

from __future__ import annotations

from parity.spec import IMAGE, IMAGE_EVEN, IMAGE_FIRST, SEQUENCE, VECTOR

from .case import fn, of

LABELS: tuple[int] = (5,)
FREE = ((None, None, 4),)
ROUNDED = 4e-6  # Keras computes the filters' weights in float32, which leaves a few roundings of the largest pixel

PLAIN = (
    of("Rescaling", "scale", IMAGE, scale=0.25),
    of("Rescaling", "offset", VECTOR, scale=2, offset=-1.5),
    of("Rescaling", "by-channel", IMAGE, scale=[0.5, 2.0, -1.0, 3.0], offset=[0.0, 1.0, 2.0, -3.0]),
    of("Rescaling", "pixels", IMAGE, dtype="uint8", integers=(0, 256), scale=1 / 127.5, offset=-1.0),
    of("Rescaling", "dynamic", IMAGE, declared=FREE, scale=0.5, offset=0.25),
    of("Normalization", "features", VECTOR, mean=[0.5, -1.0, 2.0, 0.0], variance=[0.25, 4.0, 2.0, 1.0]),
    of("Normalization", "one-for-all", SEQUENCE, axis=None, mean=0.5, variance=2.25),
    of("Normalization", "one-number", SEQUENCE, mean=0.5, variance=2.25),
    of("Normalization", "axis", SEQUENCE, axis=1, mean=[0.5, -1.0, 2.0, 0.0, 1.0, 3.0], variance=[1, 2, 3, 4, 5, 6]),
    of("Normalization", "two-axes", (2, 3), axis=(1, 2), mean=[[1, 2, 3], [4, 5, 6]], variance=[[1, 4, 9], [2, 3, 5]]),
    of("Normalization", "last-of-two", (2, 3), axis=(1, -1), mean=[1, 2, 3], variance=[1, 4, 9]),
    of("Normalization", "inverted", VECTOR, mean=[0.5, -1.0, 2.0, 0.0], variance=[0.25, 4.0, 2.0, 0.0], invert=True),
    of("Normalization", "constant-feature", (2,), mean=[0.5, 0.0], variance=[0.0, 1.0], train=False),
    of("Normalization", "integers", VECTOR, dtype="int32", mean=0.5, variance=2.25),
    of("Normalization", "dynamic", SEQUENCE, declared=((None, 4),), mean=[0.5, -1.0, 2.0, 0.0], variance=[1, 2, 3, 4]),
)

IMAGES = (
    *(
        of("Resizing", f"{interpolation}{label}", shape, interpolation=interpolation, atol=ROUNDED, **config)
        for interpolation in ("bilinear", "bicubic", "lanczos3", "lanczos5")
        for label, shape, config in (
            ("-larger", IMAGE, {"height": 11, "width": 12}),
            ("-smaller", IMAGE, {"height": 3, "width": 5}),
            ("-antialiased", IMAGE, {"height": 3, "width": 10, "antialias": True}),
            ("-first", IMAGE_FIRST, {"height": 10, "width": 4, "data_format": "channels_first"}),
            ("-dynamic", IMAGE, {"height": 5, "width": 12, "declared": FREE}),
        )
    ),
    of("Resizing", "nearest-larger", IMAGE, height=11, width=12, interpolation="nearest"),
    of("Resizing", "nearest-smaller", IMAGE_EVEN, height=3, width=4, interpolation="nearest"),
    of("Resizing", "nearest-first", IMAGE_FIRST, height=10, width=4, interpolation="nearest", data_format="channels_first"),
    of("Resizing", "nearest-dynamic", IMAGE_EVEN, declared=FREE, height=5, width=4, interpolation="nearest"),
    of("Resizing", "as-it-is", IMAGE, height=7, width=9),
    of("Resizing", "cropped-width", IMAGE, height=6, width=4, crop_to_aspect_ratio=True, atol=ROUNDED),
    of("Resizing", "cropped-height", IMAGE, height=3, width=8, crop_to_aspect_ratio=True, atol=ROUNDED),
    of("Resizing", "cropped-dynamic", IMAGE, declared=FREE, height=3, width=8, crop_to_aspect_ratio=True, atol=ROUNDED),
    of("Resizing", "padded-height", IMAGE, height=6, width=5, pad_to_aspect_ratio=True, fill_value=0.5, atol=ROUNDED),
    of("Resizing", "padded-width", IMAGE, height=3, width=8, pad_to_aspect_ratio=True, atol=ROUNDED),
    of("Resizing", "padded-dynamic", IMAGE, declared=FREE, height=3, width=8, pad_to_aspect_ratio=True, fill_value=-1.0,
       atol=ROUNDED),
    of("Resizing", "padded-first", IMAGE_FIRST, height=6, width=5, pad_to_aspect_ratio=True, data_format="channels_first",
       atol=ROUNDED),
    of("Resizing", "pixels", IMAGE, dtype="uint8", integers=(0, 256), height=3, width=13, interpolation="bicubic"),
    of("Resizing", "pixels-nearest", IMAGE, dtype="uint8", integers=(0, 256), height=3, width=13, interpolation="nearest"),
    of("Resizing", "pixels-padded", IMAGE, dtype="uint8", integers=(0, 256), height=3, width=13,
       pad_to_aspect_ratio=True, fill_value=7),
    of("CenterCrop", "even", IMAGE, height=3, width=5),
    of("CenterCrop", "odd", IMAGE, height=4, width=4),
    of("CenterCrop", "as-it-is", IMAGE, height=7, width=9),
    of("CenterCrop", "too-small", IMAGE, height=10, width=12, atol=ROUNDED),
    of("CenterCrop", "too-narrow", IMAGE, height=3, width=10, atol=ROUNDED),
    of("CenterCrop", "too-low", IMAGE, height=9, width=2, atol=ROUNDED),
    of("CenterCrop", "first", IMAGE_FIRST, height=4, width=5, data_format="channels_first"),
    of("CenterCrop", "first-too-small", IMAGE_FIRST, height=8, width=5, data_format="channels_first", atol=ROUNDED),
    of("CenterCrop", "pixels", IMAGE, dtype="uint8", integers=(0, 256), height=4, width=5),
    of("CenterCrop", "dynamic", IMAGE, declared=FREE, height=4, width=5),
    of("CenterCrop", "dynamic-too-small", IMAGE, declared=FREE, height=8, width=5, atol=ROUNDED),
)  # fmt: skip

CATEGORIES = (
    of("CategoryEncoding", "multi-hot", LABELS, dtype="int32", integers=(0, 7), num_tokens=7),
    of("CategoryEncoding", "multi-hot-deeper", (5, 2), dtype="int32", integers=(0, 7), num_tokens=7),
    of("CategoryEncoding", "one-hot", LABELS, dtype="int32", integers=(0, 7), num_tokens=7, output_mode="one_hot"),
    of("CategoryEncoding", "one-hot-single", (1,), dtype="int32", integers=(0, 7), num_tokens=7, output_mode="one_hot"),
    of("CategoryEncoding", "count", LABELS, dtype="int32", integers=(0, 4), num_tokens=4, output_mode="count"),
    of("CategoryEncoding", "out-of-range", LABELS, dtype="int32", integers=(-2, 7), num_tokens=4, output_mode="count"),
    of("CategoryEncoding", "dynamic", LABELS, dtype="int32", declared=((None,),), integers=(0, 7), num_tokens=7),
    fn(
        "CategoryEncoding/weighted",
        lambda k, x, w: k.layers.CategoryEncoding(4, output_mode="count")(x, count_weights=w),
        LABELS,
        LABELS,
        dtype=("int32", "float32"),
        integers=(0, 4),
    ),
    of("Discretization", "int", IMAGE, bin_boundaries=[-1.0, 0.0, 0.5, 1.25], train=False),
    of("Discretization", "falling", VECTOR, bin_boundaries=[1.25, 0.5, 0.0, -1.0], train=False),
    of("Discretization", "on-boundaries", LABELS, dtype="int32", integers=(-3, 4), bin_boundaries=[-1.0, 0.0, 2.0]),
    of("Discretization", "one-hot", SEQUENCE, bin_boundaries=[-1.0, 0.0, 0.5], output_mode="one_hot", train=False),
    of("Discretization", "one-hot-single", (1,), bin_boundaries=[-1.0, 0.0, 0.5], output_mode="one_hot", train=False),
    of("Discretization", "multi-hot", SEQUENCE, bin_boundaries=[-1.0, 0.0, 0.5], output_mode="multi_hot", train=False),
    of("Discretization", "count", VECTOR, bin_boundaries=[-1.0, 0.0, 0.5], output_mode="count", train=False),
    of("Discretization", "dynamic", SEQUENCE, declared=((None, 4),), bin_boundaries=[-1.0, 0.5], train=False),
)

CASES = (*PLAIN, *IMAGES, *CATEGORIES)
