"""ONNX rows of `graphc.ops.resize`.

ONNX's Resize where it says exactly the same and ONNX Runtime has it: whole-number enlargement by repetition, ``linear``,
and ``cubic`` channels first. Other filters are products with the matrix of weights: an initializer where the lengths are
numbers, else computed from them by nodes. Picking by rational positions is a Gather, since a position that falls on an
edge must not depend on how a runtime rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.ir.dims import DimLike
from graphc.ir.dtypes import numpy_dtype
from graphc.ops.resampling import CUBIC, CUBIC_A, LINEAR, MEAN, NEAREST, nearest_indices, weight_matrix
from graphc.ops.resize import resize_axes
from graphc.runtimes.onnx_lowering import Lowering, Row
from graphc.runtimes.onnx_resize_weights import computed_nearest_indices, computed_weights
from graphc.runtimes.onnx_shapes import reshaped

_RESIZED_BY_RUNTIME = frozenset({"float32", "int32", "int8", "uint8"})
"""Dtypes for which ONNX Runtime's CPU provider has a Resize."""


def _factor(length: DimLike, size: DimLike) -> int | None:
    """The whole number that ``length`` is enlarged by, if there is one."""
    if isinstance(length, int) and isinstance(size, int):
        return size // length if size % length == 0 else None
    quotient = size // length if isinstance(size, str) else None
    return quotient if isinstance(quotient, int) and length * quotient == size else None


def _resize(lowering: Lowering) -> None:
    type_, mode = lowering.type(0), lowering.node.attributes["mode"]
    axes = resize_axes(type_, lowering.node.attributes)
    sizes = lowering.node.attributes["sizes"]
    factors = [_factor(type_.shape[axis], size) for axis, size in zip(axes, sizes, strict=True)]
    if mode == NEAREST:
        if None not in factors and type_.dtype in _RESIZED_BY_RUNTIME:
            _emit_resize(lowering, axes, factors, mode="nearest", coordinate="asymmetric", nearest_mode="floor")
        else:
            _gather(lowering, axes, sizes)
    elif mode == MEAN and all(size == 1 for size in sizes):
        lowering.emit("ReduceMean", [lowering.inputs[0], lowering.ints(axes)], lowering.outputs, keepdims=1)
    elif mode == MEAN and (windows := _equal_windows(lowering, axes)) is not None:
        lowering.emit("AveragePool", lowering.inputs, lowering.outputs, kernel_shape=windows, strides=windows)
    elif mode == LINEAR and _is_plain_image(lowering, axes, last=True):
        _emit_resize(lowering, axes, factors, mode="linear", coordinate="half_pixel")
    elif mode == CUBIC and _is_plain_image(lowering, axes, last=False):
        _emit_resize(
            lowering, axes, factors, mode="cubic", coordinate="half_pixel", cubic_coeff_a=CUBIC_A, exclude_outside=1
        )
    else:
        _weigh(lowering, axes, sizes, transposed=False)


def _is_plain_image(lowering: Lowering, axes: Sequence[int], *, last: bool) -> bool:
    """Float32 images whose height and width change without antialiasing, channels first or, where allowed, last."""
    type_ = lowering.type(0)
    plain = not lowering.node.attributes["antialias"] and type_.dtype == "float32"
    placed = {2, 3}.issuperset(axes) or (last and {1, 2}.issuperset(axes))
    return plain and type_.rank == 4 and placed


def _equal_windows(lowering: Lowering, axes: Sequence[int]) -> list[int] | None:
    """The windows of `mean` where they tile images that are stored channels first."""
    type_, sizes = lowering.type(0), lowering.node.attributes["sizes"]
    lengths = [type_.shape[axis] for axis in axes]
    if type_.dtype != "float32" or type_.rank > 5 or tuple(axes) != tuple(range(2, type_.rank)):
        return None
    if any(isinstance(n, str) or isinstance(s, str) or n % s for n, s in zip(lengths, sizes, strict=True)):
        return None
    return [int(n) // int(s) for n, s in zip(lengths, sizes, strict=True)]


def _emit_resize(
    lowering: Lowering,
    axes: Sequence[int],
    factors: Sequence[int | None],
    *,
    mode: str,
    coordinate: str,
    **attributes: Any,
) -> None:
    """ONNX's Resize: by scales where they are whole numbers, else to sizes."""
    x, rank = lowering.inputs[0], lowering.type(0).rank
    if None in factors:
        inputs = [x, "", "", lowering.dims(lowering.node.output.type.shape)]
    else:
        scales = np.ones(rank, np.float32)
        scales[list(axes)] = factors
        inputs = [x, "", lowering.constant(scales, "scales")]
    lowering.emit(
        "Resize", inputs, lowering.outputs, mode=mode, coordinate_transformation_mode=coordinate, **attributes
    )


def _gather(lowering: Lowering, axes: Sequence[int], sizes: Sequence[DimLike]) -> None:
    x, shape = lowering.inputs[0], lowering.type(0).shape
    for position, (axis, size) in enumerate(zip(axes, sizes, strict=True)):
        length = shape[axis]
        if isinstance(length, int) and isinstance(size, int):
            index = lowering.constant(nearest_indices(length, size), "indices")
        else:
            index = computed_nearest_indices(lowering, length, size)
        outputs = lowering.outputs if position == len(axes) - 1 else None
        (x,) = lowering.emit("Gather", [x, index], outputs, axis=axis)


def _resize_grad(lowering: Lowering) -> None:
    axes = resize_axes(lowering.type(0), lowering.node.attributes)
    _weigh(lowering, axes, lowering.node.attributes["dims"], transposed=True)


def _weigh(lowering: Lowering, axes: Sequence[int], sizes: Sequence[DimLike], *, transposed: bool) -> None:
    """Products with the weights along one axis after another; ``transposed`` for the gradient."""
    mode, antialias = lowering.node.attributes["mode"], lowering.node.attributes["antialias"]
    x, shape, dtype = lowering.inputs[0], list(lowering.type(0).shape), lowering.type(0).dtype
    for position, (axis, size) in enumerate(zip(axes, sizes, strict=True)):
        length = shape[axis]
        before, after = (size, length) if transposed else (length, size)
        on_right = axis == len(shape) - 1
        flipped = transposed != on_right  # of the (new, old) matrix of weights
        if isinstance(before, int) and isinstance(after, int):
            weights = weight_matrix(mode, before, after, antialias)
            matrix = lowering.constant((weights.T if flipped else weights).astype(numpy_dtype(dtype)), "weights")
        else:
            matrix = computed_weights(lowering, mode, before, after, antialias, dtype)
            if flipped:
                (matrix,) = lowering.emit("Transpose", [matrix], perm=(1, 0))
        outputs = lowering.outputs if position == len(axes) - 1 else None
        x = _multiplied(lowering, x, matrix, shape, axis, size, outputs)
        shape[axis] = size


def _multiplied(
    lowering: Lowering,
    x: str,
    matrix: str,
    shape: Sequence[DimLike],
    axis: int,
    size: DimLike,
    outputs: Sequence[str] | None,
) -> str:
    """``x`` of ``shape`` times a matrix along an axis: from the right along the last, else from the left."""
    if axis == len(shape) - 1:
        return lowering.emit("MatMul", [x, matrix], outputs)[0]
    if axis == len(shape) - 2:
        return lowering.emit("MatMul", [matrix, x], outputs)[0]
    rest: DimLike = 1
    for dim in shape[axis + 1 :]:
        rest = rest * dim
    flat = reshaped(lowering, x, (*shape[: axis + 1], rest))
    (found,) = lowering.emit("MatMul", [matrix, flat])
    return reshaped(lowering, found, (*shape[:axis], size, *shape[axis + 1 :]), outputs)


ROWS: dict[str, Row] = {"Resize": _resize, "ResizeGrad": _resize_grad}
