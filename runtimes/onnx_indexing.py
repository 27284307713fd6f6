"""ONNX rows of `graphc.ops.indexing`.

Sums over repeated indices are written as ScatterElements: ONNX Runtime runs it in one thread, while its ScatterND adds
from several threads without a lock and loses additions (seen in onnxruntime 1.31 with 8 threads).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.ir.dims import DimLike, product
from graphc.ir.types import normalize_axis
from graphc.runtimes.onnx_lowering import Lowering, Row, Same


def counting(lowering: Lowering, length: DimLike, axis: int, rank: int) -> str:
    """The int64 numbers 0, 1, 2 ... along one axis of a tensor of a rank, whose other axes have length 1."""
    if isinstance(length, int):
        return lowering.constant(np.arange(length).reshape([-1 if i == axis else 1 for i in range(rank)]), "counting")
    numbers = _range(lowering, length)
    others = [i for i in range(rank) if i != axis]
    return lowering.emit("Unsqueeze", [numbers, lowering.ints(others)])[0] if others else numbers


def _range(lowering: Lowering, length: DimLike, outputs: Sequence[str] | None = None) -> str:
    """The int64 numbers 0, 1, 2 ... below a length."""
    limit = lowering.emit("Squeeze", [lowering.dims([length]), lowering.ints([0])])
    return lowering.emit("Range", [lowering.scalar(0, "int64"), *limit, lowering.scalar(1, "int64")], outputs)[0]


def int64_operand(lowering: Lowering, index: int) -> str:
    """An integer operand in int64."""
    name = lowering.inputs[index]
    return name if lowering.type(index).dtype == "int64" else lowering.emit("Cast", [name], to="int64")[0]


# -- GatherGrad, ScatterElementsAdd -----------------------------------------------------------------------------------


def _gather_grad(lowering: Lowering) -> None:
    """One index for each element of g, then as ScatterElementsAdd."""
    indices_type, g_type, out = lowering.type(0), lowering.type(1), lowering.node.output.type
    axis = normalize_axis(lowering.node.attributes["axis"], out.rank)
    merged = (*out.shape[:axis], product(indices_type.shape), *out.shape[axis + 1 :])
    g = lowering.inputs[1]
    if indices_type.rank != 1:
        g = lowering.emit("Reshape", [g, lowering.dims(merged)])[0]
    column = (merged[axis], *(1 for _ in out.shape[axis + 1 :]))
    indices = lowering.inputs[0]
    if column != indices_type.shape:
        indices = lowering.emit("Reshape", [indices, lowering.dims(column)])[0]
    if out.rank > 1:
        indices = lowering.emit("Expand", [indices, lowering.dims(merged)])[0]
    _scatter_add(lowering, indices, g, axis, g_type.dtype)


def _scatter_elements_add(lowering: Lowering) -> None:
    axis = normalize_axis(lowering.node.attributes["axis"], lowering.node.output.type.rank)
    _scatter_add(lowering, lowering.inputs[0], lowering.inputs[1], axis, lowering.type(1).dtype)


def _scatter_add(lowering: Lowering, indices: str, g: str, axis: int, dtype: str) -> None:
    """Make the result: an array of zeros with the elements of ``g`` added at ``indices`` along an axis."""
    work = "float32" if dtype == "float16" else dtype  # ONNX Runtime adds no float16 here
    if work != dtype:
        g = lowering.emit("Cast", [g], to=work)[0]
    zeros = lowering.emit("Expand", [lowering.scalar(0, work), lowering.dims(lowering.node.output.type.shape)])
    last = lowering.outputs if work == dtype else None
    total = lowering.emit("ScatterElements", [*zeros, indices, g], last, axis=axis, reduction="add")
    if work != dtype:
        lowering.emit("Cast", total, lowering.outputs, to=dtype)


# -- OneHot, Iota -----------------------------------------------------------------------------------------------------


def one_hot(lowering: Lowering, index: int, depth: DimLike, axis: int) -> list[str]:
    """An integer operand compared with each class along a new axis; indices outside the classes equal none."""
    rank = lowering.type(index).rank + 1
    column = lowering.emit("Unsqueeze", [int64_operand(lowering, index), lowering.ints([axis])])
    return lowering.emit("Equal", [*column, counting(lowering, depth, axis, rank)])


def _one_hot(lowering: Lowering) -> None:
    attributes = lowering.node.attributes
    axis = normalize_axis(attributes["axis"], lowering.node.output.type.rank)
    hit = one_hot(lowering, 0, attributes["depth"], axis)
    lowering.emit("Cast", hit, lowering.outputs, to=attributes["dtype"])


def _iota(lowering: Lowering) -> None:
    attributes = lowering.node.attributes
    if attributes["dtype"] == "int64":
        _range(lowering, attributes["dim"], lowering.outputs)
        return
    numbers = counting(lowering, attributes["dim"], 0, 1)
    lowering.emit("Cast", [numbers], lowering.outputs, to=attributes["dtype"])


ROWS: dict[str, Row] = {
    "Gather": Same(attributes=("axis",)),
    "GatherGrad": _gather_grad,
    "GatherElements": Same(attributes=("axis",)),
    "ScatterElementsAdd": _scatter_elements_add,
    "OneHot": _one_hot,
    "Iota": _iota,
}
