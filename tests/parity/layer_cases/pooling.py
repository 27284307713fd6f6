"""Parity cases of pooling layers."""

from __future__ import annotations

from parity.spec import IMAGE, IMAGE_EVEN, IMAGE_FIRST, SEQUENCE, VOLUME, VOLUME_FIRST

from .case import fn, of

STEPS: tuple[int, int] = (8, 3)
STEPS_FIRST: tuple[int, int] = (3, 8)

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
    *(
        of(f"{kind}Pooling{rank}D", label, first if "first" in label else last, **config)
        for kind in ("Average", "Max")
        for rank, last, first in ((1, STEPS, STEPS_FIRST), (3, VOLUME, VOLUME_FIRST))
        for label, config in (
            ("plain", {"pool_size": 2}),
            ("overlapping", {"pool_size": 3, "strides": 2}),
            ("same", {"pool_size": 2, "strides": 1, "padding": "same"}),
            ("same-stride", {"pool_size": 3, "strides": 2, "padding": "same"}),
            ("stride-beyond-pool", {"pool_size": 2, "strides": 3}),
            ("channels-first", {"pool_size": 2, "padding": "same", "data_format": "channels_first"}),
            ("dynamic", {"pool_size": 2, "strides": 1, "declared": ((*(None,) * rank, last[-1]),)}),
            (
                "dynamic-same",
                {"pool_size": 3, "strides": 2, "padding": "same", "declared": ((*(None,) * rank, last[-1]),)},
            ),
        )
    ),
    of("MaxPooling1D", "defaults", STEPS),
    of("MaxPooling3D", "defaults", (4, 2, 3, 2)),
    of("AveragePooling3D", "cuboid", VOLUME, pool_size=(2, 1, 3), strides=(1, 2, 2)),
    fn(
        "GlobalAveragePooling1D/masked",
        lambda k, x: k.layers.GlobalAveragePooling1D()(k.layers.Masking()(x)),
        SEQUENCE,
        blank=0.4,
        probe=False,
    ),
    fn(
        "GlobalAveragePooling1D/masked-keepdims",
        lambda k, x: k.layers.GlobalAveragePooling1D(keepdims=True)(k.layers.Masking()(x)),
        SEQUENCE,
        declared=((None, 4),),
        blank=0.4,
        probe=False,
    ),
    *(
        of(f"Adaptive{kind}Pooling{rank}D", label, first if "first" in label else last, **config)
        for kind in ("Average", "Max")
        for rank, last, first, sizes in (
            # No result of length 7: for inputs of length 7 and others, Keras on JAX rounds the places of windows wrongly.
            (1, STEPS, STEPS_FIRST, ((3,), (8,), (10,), (5,), (1,))),
            (2, (8, 9, 4), (4, 8, 9), ((3, 4), (8, 3), (10, 5), (2, 6), (1, 1))),
            (3, (4, 6, 5, 2), (2, 4, 6, 5), ((2, 4, 5), (4, 3, 2), (5, 9, 3), (3, 3, 3), (1, 1, 1))),
        )
        for label, config in (
            ("smaller", {"output_size": sizes[0]}),
            ("partly-kept", {"output_size": sizes[1]}),
            ("larger", {"output_size": sizes[2]}),
            ("channels-first", {"output_size": sizes[3], "data_format": "channels_first"}),
            ("whole", {"output_size": 1}),
            ("dynamic", {"output_size": sizes[0], "declared": ((*(None,) * rank, last[-1]),)}),
            ("dynamic-whole", {"output_size": sizes[4], "declared": ((*(None,) * rank, last[-1]),)}),
        )
    ),
    of("AdaptiveMaxPooling2D", "tiles", IMAGE_EVEN, output_size=(4, 3)),
    of("AdaptiveAveragePooling2D", "tiles", IMAGE_EVEN, output_size=(4, 3)),
    fn(
        "AdaptiveMaxPooling2D/ties-after-relu",
        lambda k, x: k.layers.AdaptiveMaxPooling2D((3, 2))(k.layers.ReLU(threshold=1.0)(x)),
        IMAGE_EVEN,
    ),
)
