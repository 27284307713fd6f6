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
    recurrent,
    reduction,
    resize,
    source,
)
from graphc.ops.opdef import OpTable
from graphc.ops.scan import OPS as SCAN_OPS

# Keras has functions called `select` and `softmax`, so these names of `graphc.ops` are not the families' modules.
from graphc.ops.select import OPS as SELECT_OPS
from graphc.ops.softmax import OPS as SOFTMAX_OPS

OPS = OpTable(
    [
        *source.OPS,
        *elementwise.OPS,
        *activation.OPS,
        *comparison.OPS,
        *bitwise.OPS,
        *SELECT_OPS,
        *random.OPS,
        *linalg.OPS,
        *reduction.OPS,
        *recurrent.OPS,
        *movement.OPS,
        *SOFTMAX_OPS,
        *normalization.OPS,
        *convolution.OPS,
        *pooling.OPS,
        *resize.OPS,
        *SCAN_OPS,
    ]
)
