"""ONNX rows of `graphc.ops.slicing`."""

from __future__ import annotations

import numpy as np

from graphc.ir.dtypes import numpy_dtype
from graphc.runtimes.onnx_formula import apply, emit_formula, tensor, where
from graphc.runtimes.onnx_indexing import counting
from graphc.runtimes.onnx_lowering import Lowering, Row

_TRILU_DTYPES = ("float16", "float32", "float64", "int32", "int64", "bool")


def _slice(lowering: Lowering) -> None:
    attributes = lowering.node.attributes
    starts, ends, axes, steps = (attributes[name] for name in ("starts", "ends", "axes", "steps"))
    operands = [
        lowering.inputs[0],
        lowering.dims(starts),
        lowering.dims(ends),
        lowering.ints(range(len(starts)) if axes is None else axes),
    ]
    if steps is not None and any(step != 1 for step in steps):
        operands.append(lowering.ints(steps))
    lowering.emit("Slice", operands, lowering.outputs)


def _pad(lowering: Lowering) -> None:
    attributes, dtype = lowering.node.attributes, lowering.type(0).dtype
    if lowering.type(0).rank == 0:  # nothing to pad, and ONNX Runtime refuses it
        lowering.emit("Identity", lowering.inputs, lowering.outputs)
        return
    # ONNX Runtime's CPU provider has no 16-bit integer Pad.
    wide = "int32" if dtype in ("int16", "uint16") else dtype
    x = lowering.inputs[0] if wide == dtype else lowering.emit("Cast", lowering.inputs, to=wide)[0]
    operands = [x, lowering.dims(attributes["pads"])]
    if attributes["mode"] == "constant" and attributes["value"] != 0:
        value = np.asarray(attributes["value"]).astype(numpy_dtype(dtype))
        operands.append(lowering.constant(value.astype(numpy_dtype(wide)), "value"))
    mode = attributes["mode"] if attributes["mode"] != "constant" else None
    if wide == dtype:
        lowering.emit("Pad", operands, lowering.outputs, mode=mode)
    else:
        lowering.emit("Cast", lowering.emit("Pad", operands, mode=mode), lowering.outputs, to=dtype)


def _trilu(lowering: Lowering) -> None:
    x, attributes = lowering.type(0), lowering.node.attributes
    k, upper = attributes["k"], attributes["upper"]
    if x.dtype in _TRILU_DTYPES:
        operands = [lowering.inputs[0], lowering.scalar(k, "int64")]
        lowering.emit("Trilu", operands, lowering.outputs, upper=None if upper else 0)
        return
    above = tensor(counting(lowering, x.shape[-1], 1, 2)) - tensor(counting(lowering, x.shape[-2], 0, 2))
    keep = above > tensor(lowering.scalar(k - 1, "int64")) if upper else above < tensor(lowering.scalar(k + 1, "int64"))
    operand = tensor(lowering.inputs[0])
    wide = {"int16": "int32", "uint16": "int32", "uint64": "int64"}.get(x.dtype, x.dtype)
    zero = tensor(lowering.scalar(0, wide))
    if wide == x.dtype:
        emit_formula(lowering, where(keep, operand, zero), x.dtype)
    else:
        chosen = where(keep, apply("Cast", operand, to=wide), zero)
        emit_formula(lowering, apply("Cast", chosen, to=x.dtype), x.dtype)


ROWS: dict[str, Row] = {"Slice": _slice, "Pad": _pad, "Trilu": _trilu}
