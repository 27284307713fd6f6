"""The classes that Keras's files name for calls of `graphc.ops` functions, and back: a closed table."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from graphc.errors import ModelFileError, did_you_mean
from graphc.layers.operation import operation_class_name
from graphc.ops.functional import FUNCTIONS

# The modules in which Keras defines its operation classes; those that are not here are in keras.src.ops.numpy.
_OPERATION_MODULES: dict[str, frozenset[str]] = {
    "nn": frozenset(
        """
        Relu Relu6 Sigmoid SparseSigmoid Softplus Softsign SoftShrink SparsePlus Silu Squareplus LogSigmoid LeakyRelu
        HardSigmoid HardSilu Elu Selu Gelu Celu Glu TanhShrink HardTanh HardShrink Threshold Softmax LogSoftmax Sparsemax
        MaxPool AveragePool Conv DepthwiseConv SeparableConv ConvTranspose OneHot BinaryCrossentropy
        CategoricalCrossentropy SparseCategoricalCrossentropy MultiHot Moments BatchNorm Normalize PSNR LayerNorm RMSNorm
        DotProductAttention DepthToSpace SpaceToDepth
        """.split()
    ),
    "math": frozenset("SegmentSum SegmentMax TopK InTopK Logsumexp Rsqrt Erf Erfc Erfinv Logdet".split()),
    "core": frozenset("Scan Scatter ScatterUpdate Slice SliceUpdate Switch StopGradient Unstack Cast".split()),
    "linalg": frozenset("Cholesky Det Inv Norm Solve".split()),
}


def keras_module(class_name: str) -> str:
    """The module that Keras's files name for an operation class."""
    for module, names in _OPERATION_MODULES.items():
        if class_name in names:
            return f"keras.src.ops.{module}"
    return "keras.src.ops.numpy"


@cache
def _functions_by_class() -> dict[str, Callable[..., Any]]:
    return {operation_class_name(function): function for function in FUNCTIONS.values()}


def operation_function(class_name: str) -> Callable[..., Any]:
    """The function of `graphc.ops` that Keras's operation class of that name stands for.

    Raises:
        ModelFileError: there is none.
    """
    by_class = _functions_by_class()
    if class_name not in by_class:
        raise ModelFileError(f"Unknown operation {class_name!r:.80}.{did_you_mean(class_name, by_class)}")
    return by_class[class_name]
