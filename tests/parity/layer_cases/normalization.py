"""Parity cases of normalisation layers."""

from __future__ import annotations

from parity.spec import IMAGE, IMAGE_FIRST, SEQUENCE, VECTOR, WIDE

from .case import of

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
)
