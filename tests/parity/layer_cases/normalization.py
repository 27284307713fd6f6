"""Parity cases of normalisation layers."""

from __future__ import annotations

from typing import Any

from parity.spec import IMAGE, IMAGE_FIRST, SEQUENCE, VECTOR, WIDE, Obj

from .case import L2, of


def with_mask(layer: Any, x: Any, mask: Any) -> Any:
    """A layer called with a mask as its second input."""
    return layer(x, mask=mask)


MASKED = {"call": with_mask, "dtype": ("float32", "bool"), "integers": (0, 2)}
CLIPPING = {"rmax": 1.1, "rmin": 0.9, "dmax": 0.4}

NORM_ATOL = 4e-6
CASES = (
    of("BatchNormalization", "vector", WIDE, atol=NORM_ATOL),
    of("BatchNormalization", "sequence", SEQUENCE, atol=NORM_ATOL),
    of("BatchNormalization", "image", IMAGE, atol=NORM_ATOL),
    of("BatchNormalization", "image-axis1", IMAGE_FIRST, axis=1, atol=NORM_ATOL),
    of("BatchNormalization", "no-center", IMAGE, center=False, atol=NORM_ATOL),
    of("BatchNormalization", "no-scale", IMAGE, scale=False, atol=NORM_ATOL),
    of("BatchNormalization", "bare", VECTOR, center=False, scale=False, epsilon=0.1, atol=NORM_ATOL),
    of("BatchNormalization", "training-vector", WIDE, training=True, atol=NORM_ATOL),
    of("BatchNormalization", "training-image", IMAGE, training=True, momentum=0.7, atol=NORM_ATOL),
    of("BatchNormalization", "training-axis1", IMAGE_FIRST, training=True, axis=1, momentum=0.8, atol=NORM_ATOL),
    of("BatchNormalization", "training-sequence", SEQUENCE, training=True, momentum=0.5, epsilon=0.01, atol=NORM_ATOL),
    of(
        "BatchNormalization",
        "training-bare",
        IMAGE,
        training=True,
        center=False,
        scale=False,
        momentum=0.9,
        atol=NORM_ATOL,
    ),
    of("BatchNormalization", "training-frozen", IMAGE, training=True, trainable=False, atol=NORM_ATOL),
    of("BatchNormalization", "training-masked", SEQUENCE, (6,), **MASKED, training=True, momentum=0.7, atol=NORM_ATOL),
    of(
        "BatchNormalization",
        "training-masked-image",
        IMAGE,
        (7, 9),
        **MASKED,
        training=True,
        momentum=0.8,
        scale=False,
        atol=NORM_ATOL,
    ),
    of("BatchNormalization", "inference-masked", SEQUENCE, (6,), **MASKED, train=False, atol=NORM_ATOL),
    # The seeded averages are so small that the correction is a factor of thirty: too much noise for a step.
    of("BatchNormalization", "renorm", SEQUENCE, renorm=True, training=True, train=False, atol=4e-5),
    of("BatchNormalization", "renorm-inference", WIDE, renorm=True, train=False, atol=NORM_ATOL),
    of(
        "BatchNormalization",
        "renorm-clipped",
        IMAGE,
        renorm=True,
        renorm_clipping=CLIPPING,
        renorm_momentum=0.6,
        momentum=0.8,
        training=True,
        atol=NORM_ATOL,
    ),
    of(
        "BatchNormalization",
        "renorm-bare",
        WIDE,
        renorm=True,
        center=False,
        scale=False,
        renorm_clipping={"rmax": 1.5, "dmax": 0},
        training=True,
        atol=NORM_ATOL,
    ),
    of("LayerNormalization", "vector", WIDE, atol=NORM_ATOL),
    of("LayerNormalization", "steps", SEQUENCE, atol=NORM_ATOL),
    of("LayerNormalization", "axis1", SEQUENCE, axis=1, atol=NORM_ATOL),
    of("LayerNormalization", "trailing-axes", IMAGE, axis=(-2, -1), epsilon=1e-2, atol=NORM_ATOL),
    of("LayerNormalization", "leading-axes", IMAGE, axis=[1, 2], atol=NORM_ATOL),
    of("LayerNormalization", "axes-apart", IMAGE, axis=[3, 1], atol=NORM_ATOL),
    of("LayerNormalization", "no-center", SEQUENCE, center=False, atol=NORM_ATOL),
    of("LayerNormalization", "no-scale", SEQUENCE, scale=False, beta_initializer="ones", atol=NORM_ATOL),
    of("LayerNormalization", "bare", SEQUENCE, center=False, scale=False, atol=NORM_ATOL),
    of("LayerNormalization", "dynamic", SEQUENCE, declared=((None, 4),), gamma_regularizer=L2, atol=NORM_ATOL),
    of("LayerNormalization", "by-deviation", SEQUENCE, rms_scaling=True, atol=NORM_ATOL),
    of("GroupNormalization", "image", IMAGE, groups=2, atol=NORM_ATOL),
    of("GroupNormalization", "channels-first", IMAGE_FIRST, groups=2, axis=1, atol=NORM_ATOL),
    of("GroupNormalization", "counted-from-the-end", IMAGE_FIRST, groups=2, axis=-3, center=False, atol=NORM_ATOL),
    of("GroupNormalization", "instance", IMAGE, groups=-1, scale=False, atol=NORM_ATOL),
    of("GroupNormalization", "one-group", SEQUENCE, groups=1, epsilon=1e-2, atol=NORM_ATOL),
    of(
        "GroupNormalization",
        "dynamic",
        IMAGE,
        declared=((None, None, 4),),
        groups=2,
        beta_constraint="non_neg",
        atol=NORM_ATOL,
    ),
    of("RMSNormalization", "vector", WIDE, atol=NORM_ATOL),
    of("RMSNormalization", "steps", SEQUENCE, epsilon=1e-2, atol=NORM_ATOL),
    of("RMSNormalization", "trailing-axes", IMAGE, axis=(2, 3), atol=NORM_ATOL),
    of("RMSNormalization", "dynamic", SEQUENCE, declared=((None, 4),), trainable=False, atol=NORM_ATOL),
    of("UnitNormalization", "vector", WIDE),
    of("UnitNormalization", "axis1", SEQUENCE, axis=1),
    of("UnitNormalization", "axes", IMAGE, axis=[1, 2]),
    of("UnitNormalization", "dynamic", SEQUENCE, declared=((None, 4),), axis=-1),
    # Keras's backends disagree about the training step; tests/models/test_spectral_normalization.py has its own.
    of(
        "SpectralNormalization",
        "dense",
        VECTOR,
        layer=Obj("layers", "Dense", {"units": 5, "name": "inner"}),
        training=True,
        train=False,
        atol=NORM_ATOL,
    ),
    of(
        "SpectralNormalization",
        "convolution",
        IMAGE,
        layer=Obj("layers", "Conv2D", {"filters": 3, "kernel_size": 2, "name": "inner"}),
        power_iterations=3,
        training=True,
        train=False,
        atol=NORM_ATOL,
    ),
    of(
        "SpectralNormalization",
        "inference",
        SEQUENCE,
        layer=Obj("layers", "Dense", {"units": 3, "activation": "tanh", "name": "inner"}),
        power_iterations=2,
        train=False,
    ),
    of(
        "SpectralNormalization",
        "einsum",
        SEQUENCE,
        declared=((None, 4),),
        layer=Obj("layers", "EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 3], "name": "inner"}),
        training=True,
        train=False,
        atol=NORM_ATOL,
    ),
)
