"""From names in files to classes: the closed tables, and what the running program handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.custom_objects import get_registered_object
from graphc.errors import ModelFileError, did_you_mean
from graphc.layers import LAYERS, Layer
from graphc.layers.operation import operation_class_name

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


def find_layer_class(name: str, registered_name: Any, custom_objects: Mapping[str, Any] | None) -> type[Layer]:
    """The class of a layer.

    Raises:
        ModelFileError: it is neither built in nor handed in; suggests near names.
    """
    for candidate in (registered_name, name):
        if isinstance(candidate, str):
            found = get_registered_object(candidate, custom_objects)
            if isinstance(found, type) and issubclass(found, Layer):
                return found
    if name in LAYERS:
        return LAYERS[name]
    raise ModelFileError(
        f"Unknown layer class {name!r}.{did_you_mean(name, LAYERS)} "
        "A class of your own must be handed in: custom_objects={'" + name + "': " + name + "}, or registered with "
        "graphc.saving.register_keras_serializable."
    )


def operation_function(class_name: str, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """The function of `graphc.ops` that Keras's operation class of that name stands for.

    Raises:
        ModelFileError: there is none.
    """
    by_class = {operation_class_name(f): f for f in functions.values()}
    if class_name not in by_class:
        raise ModelFileError(f"Unknown operation {class_name!r}.{did_you_mean(class_name, by_class)}")
    return by_class[class_name]
