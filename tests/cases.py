"""The one table of ops and operands: it drives the tests of kernels, gradients, ONNX, text form and completeness."""

from __future__ import annotations

from op_cases import (
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
    scan,
    select,
    softmax,
    source,
)
from op_cases.case import Case

CASES: list[Case] = [
    *activation.CASES,
    *bitwise.CASES,
    *comparison.CASES,
    *convolution.CASES,
    *elementwise.CASES,
    *linalg.CASES,
    *movement.CASES,
    *normalization.CASES,
    *pooling.CASES,
    *random.CASES,
    *recurrent.CASES,
    *reduction.CASES,
    *resize.CASES,
    *scan.CASES,
    *select.CASES,
    *softmax.CASES,
    *source.CASES,
]
