"""ONNX rows of `graphc.ops.movement`. Shapes that are attributes here are int64 operands there."""

from __future__ import annotations

from graphc.ops.movement import permutation
from graphc.runtimes import onnx_indexing, onnx_slicing
from graphc.runtimes.onnx_lowering import Lowering, Row, Same


def _reshape(lowering: Lowering) -> None:
    """A constant shape where ONNX's 0 (this axis as it is) and -1 (what is left) can say it, else computed lengths."""
    x, before, after = lowering.inputs[0], lowering.type(0).shape, lowering.node.output.type.shape
    kept = [i < len(before) and before[i] == dim for i, dim in enumerate(after)]
    signs = [dim if isinstance(dim, int) else 0 if same else -1 for dim, same in zip(after, kept, strict=True)]
    if 0 in after or signs.count(-1) > 1:
        lowering.emit("Reshape", [x, lowering.dims(after)], lowering.outputs, allowzero=1)  # 0 is a length here
    else:
        lowering.emit("Reshape", [x, lowering.ints(signs)], lowering.outputs)


def _transpose(lowering: Lowering) -> None:
    perm = permutation(lowering.type(0).rank, lowering.node.attributes["perm"])
    lowering.emit("Transpose", lowering.inputs, lowering.outputs, perm=perm)


def _with_axes(lowering: Lowering) -> None:
    operands = [lowering.inputs[0], lowering.ints(lowering.node.attributes["axes"])]
    lowering.emit(lowering.node.op, operands, lowering.outputs)


def _expand(lowering: Lowering) -> None:
    lowering.emit("Expand", [lowering.inputs[0], lowering.dims(lowering.node.attributes["shape"])], lowering.outputs)


def _expand_like(lowering: Lowering) -> None:
    like = lowering.type(1)
    shape = lowering.dims(like.shape) if like.is_static else lowering.emit("Shape", [lowering.inputs[1]])[0]
    lowering.emit("Expand", [lowering.inputs[0], shape], lowering.outputs)


def _tile(lowering: Lowering) -> None:
    lowering.emit("Tile", [lowering.inputs[0], lowering.dims(lowering.node.attributes["repeats"])], lowering.outputs)


def _split(lowering: Lowering) -> None:
    attributes = lowering.node.attributes
    operands = [lowering.inputs[0], lowering.dims(attributes["sizes"])]
    lowering.emit("Split", operands, lowering.outputs, axis=attributes["axis"])


ROWS: dict[str, Row] = {
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _with_axes,
    "Unsqueeze": _with_axes,
    "Expand": _expand,
    "ExpandLike": _expand_like,
    "Tile": _tile,
    "Concat": Same(attributes=("axis",)),
    "Split": _split,
    **onnx_slicing.ROWS,
    **onnx_indexing.ROWS,
}
