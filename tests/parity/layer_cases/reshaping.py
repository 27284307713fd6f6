"""Parity cases of layers that move elements."""

from __future__ import annotations

from parity.spec import IMAGE, IMAGE_FIRST, SEQUENCE, VECTOR

from .case import of

CASES = (
    of("Flatten", "image", IMAGE),
    of("Flatten", "sequence", SEQUENCE),
    of("Flatten", "vector", VECTOR),
    of("Flatten", "channels-first", IMAGE_FIRST, data_format="channels_first"),
    of("Flatten", "integers", SEQUENCE, dtype="int32"),
    of("Flatten", "scalar", (), train=False),
    of("Reshape", "matrix", IMAGE, target_shape=(9, 28)),
    of("Reshape", "inferred-first", IMAGE, target_shape=(-1, 4)),
    of("Reshape", "inferred-last", IMAGE, target_shape=(7, -1)),
    of("Reshape", "vector", SEQUENCE, target_shape=(-1,)),
    of("Reshape", "deeper", SEQUENCE, target_shape=(2, 3, 1, 4)),
    of("Reshape", "dynamic", SEQUENCE, declared=((None, 4),), target_shape=(-1, 2)),
    of("Reshape", "integers", SEQUENCE, dtype="int32", target_shape=(3, 8)),
    of("Permute", "matrix", SEQUENCE, dims=(2, 1)),
    of("Permute", "image", IMAGE, dims=(3, 1, 2)),
    of("Permute", "image-back", IMAGE, dims=(2, 3, 1)),
    of("Permute", "identity", IMAGE, dims=(1, 2, 3)),
)
