"""The explicit table of all ops."""

from __future__ import annotations

from graphc.ops import (
    activation,
    bitwise,
    comparison,
    convolution,
    elementwise,
    linalg,
    movement,
    normalization,
    pooling,
    random,
    reduction,
    select,
    softmax,
    source,
)
from graphc.ops.opdef import OpTable

OPS = OpTable(
    [
        *source.OPS,
        *elementwise.OPS,
        *activation.OPS,
        *comparison.OPS,
        *bitwise.OPS,
        *select.OPS,
        *random.OPS,
        *linalg.OPS,
        *reduction.OPS,
        *movement.OPS,
        *softmax.OPS,
        *normalization.OPS,
        *convolution.OPS,
        *pooling.OPS,
    ]
)
