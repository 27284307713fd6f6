"""ONNX rows of `graphc.ops.reduction`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.ir.types import normalize_axes
from graphc.runtimes.onnx_lowering import Lowering, Row

# ONNX Runtime's CPU provider reduces these dtypes only after a cast. Sums and products are computed in int64 and cast
# back, which wraps around as NumPy does, where ONNX Runtime's own sums saturate.
_SUM_IN = dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"), "int64")
_EXTREME_IN = {"int16": "int32", "uint16": "int32", "uint32": "int64", "bool": "int32"}
_RUNNING_SUM_IN = {**_SUM_IN, "float16": "float32"}


def _widened(lowering: Lowering, wider: Mapping[str, str]) -> tuple[str, str | None]:
    """The operand in a dtype that runs, and the dtype to cast the result back to, if it was cast."""
    dtype = lowering.type(0).dtype
    if dtype not in wider:
        return lowering.inputs[0], None
    return lowering.emit("Cast", [lowering.inputs[0]], to=wider[dtype])[0], dtype


def _emit_result(lowering: Lowering, op: str, inputs: list[str], back_to: str | None, **attributes: Any) -> None:
    """Emit the node that makes the result, or it and the cast behind it."""
    if back_to is None:
        lowering.emit(op, inputs, lowering.outputs, **attributes)
    else:
        lowering.emit("Cast", lowering.emit(op, inputs, **attributes), lowering.outputs, to=back_to)


def reduction(wider: Mapping[str, str]) -> Row:
    """The row of a reduction that computes these dtypes in others; axes become an operand."""

    def row(lowering: Lowering) -> None:
        axes, keepdims = (lowering.node.attributes[name] for name in ("axes", "keepdims"))
        rank = lowering.type(0).rank
        x, back_to = _widened(lowering, wider)
        axes = tuple(range(rank)) if axes is None else normalize_axes(axes, rank)
        if not axes:
            # ONNX reads "no axes" as "all axes": an added axis of length 1 is what is reduced instead.
            x = lowering.emit("Unsqueeze", [x, lowering.ints([0])])[0]
            axes, keepdims = (0,), False
        _emit_result(lowering, lowering.node.op, [x, lowering.ints(axes)], back_to, keepdims=int(keepdims))

    return row


def _index_of(lowering: Lowering) -> None:
    attributes = lowering.node.attributes
    x, _ = _widened(lowering, _EXTREME_IN)
    lowering.emit(
        lowering.node.op,
        [x],
        lowering.outputs,
        axis=attributes["axis"],
        keepdims=int(attributes["keepdims"]),
        select_last_index=int(attributes["select_last_index"]) or None,
    )


def _cumsum(lowering: Lowering) -> None:
    attributes = lowering.node.attributes
    x, back_to = _widened(lowering, _RUNNING_SUM_IN)
    axis = lowering.scalar(attributes["axis"], "int64")
    exclusive, reverse = int(attributes["exclusive"]) or None, int(attributes["reverse"]) or None
    _emit_result(lowering, "CumSum", [x, axis], back_to, exclusive=exclusive, reverse=reverse)


def _sum_to_shape(lowering: Lowering) -> None:
    """Sum over the axes that ``like`` lacks, and those where it has length 1: known now, or read off its shape."""
    x_type, like_type = lowering.type(0), lowering.type(1)
    x, back_to = _widened(lowering, _SUM_IN)
    lead = x_type.rank - like_type.rank
    aligned = x_type.shape[lead:]
    if lead:
        x = lowering.emit("ReduceSum", [x, lowering.ints(range(lead))], keepdims=0)[0]
    if any(w not in (1, h) for h, w in zip(aligned, like_type.shape, strict=True)):
        shape = lowering.emit("Shape", [lowering.inputs[1]])
        is_one = lowering.emit("Equal", [*shape, lowering.ints([1])])
        axes = lowering.emit("Squeeze", [*lowering.emit("NonZero", is_one), lowering.ints([0])])[0]
    else:
        axes = lowering.ints([i for i, w in enumerate(like_type.shape) if w == 1])
    _emit_result(lowering, "ReduceSum", [x, axes], back_to, keepdims=1, noop_with_empty_axes=1)


ROWS: dict[str, Row] = {
    **dict.fromkeys(("ReduceSum", "ReduceProd", "ReduceSumSquare"), reduction(_SUM_IN)),
    **dict.fromkeys(("ReduceMax", "ReduceMin"), reduction(_EXTREME_IN)),
    **dict.fromkeys(("ReduceMean", "ReduceL2", "ReduceLogSumExp"), reduction({})),
    "ArgMax": _index_of,
    "ArgMin": _index_of,
    "CumSum": _cumsum,
    "SumToShape": _sum_to_shape,
}
