"""The explicit table of how each ONNX operator is read as IR ops, for opsets 18 to 26.

Attributes keep ONNX's meaning; what ONNX passes as a tensor and the IR as an attribute must be known at import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ModelFileError
from graphc.ir.dims import DimLike, ceil_div, product
from graphc.ir.dtypes import is_float, is_int, is_unsigned
from graphc.ir.graph import Value
from graphc.ir.types import normalize_axis
from graphc.ops.activation import SELU_ALPHA, SELU_GAMMA
from graphc.runtimes import onnx_import_recurrent, onnx_import_resize, onnx_import_scan, onnx_import_windows
from graphc.runtimes.onnx_import_node import ImportRow, OnnxNode

_MAX_RANGE = 1 << 20  # numbers of a Range of floats, which becomes a constant


def _same(**attributes: Any) -> ImportRow:
    """An operator that is the IR op of its name; attributes with ONNX's defaults."""

    def row(node: OnnxNode) -> Value:
        given = {name: node.attribute(name, default) for name, default in attributes.items()}
        return node.emit(node.op, *node.operands, **given)

    return row


# -- arithmetic -------------------------------------------------------------------------------------------------------


def _folded(op: str) -> ImportRow:
    """A variadic operator as a chain of the binary one."""

    def row(node: OnnxNode) -> Value:
        total = node.value(0)
        for i in range(1, len(node.operands)):
            total = node.emit(op, total, node.value(i))
        return total if len(node.operands) > 1 else node.emit("Identity", total)

    return row


def _mean(node: OnnxNode) -> Value:
    total = _folded("Add")(node)
    assert isinstance(total, Value)
    return node.emit("Div", total, node.constant(len(node.operands), total.type.dtype))


def _pow(node: OnnxNode) -> Value:
    """The exponent may have a dtype of its own; the result has the base's."""
    x, y = node.value(0), node.value(1)
    dtype = x.type.dtype
    if y.type.dtype == dtype:
        return node.emit("Pow", x, y)
    if is_float(dtype) or is_int(y.type.dtype):
        return node.emit("Pow", x, node.emit("Cast", y, to=dtype))
    wide = [node.emit("Cast", v, to="float64") for v in (x, y)]
    return node.emit("Cast", node.emit("Pow", *wide), to=dtype)


def _gemm(node: OnnxNode) -> Value:
    return node.emit(
        "Gemm",
        *node.operands,
        alpha=node.attribute("alpha", 1.0),
        beta=node.attribute("beta", 1.0),
        trans_a=int(bool(node.attribute("transA", 0))),
        trans_b=int(bool(node.attribute("transB", 0))),
    )


def _swish(node: OnnxNode) -> Value:
    x = node.value(0)
    scaled = node.emit("Mul", x, node.constant(node.attribute("alpha", 1.0), x.type.dtype))
    return node.emit("Mul", x, node.emit("Sigmoid", scaled))


def _cast(node: OnnxNode) -> Value:
    return node.emit("Cast", node.value(0), to=node.attribute("to"))


def _cast_like(node: OnnxNode) -> Value:
    return node.emit("Cast", node.value(0), to=node.value(1).type.dtype)


def _dropout(node: OnnxNode) -> Sequence[Value]:
    x = node.value(0)
    if node.optional(2) is not None and bool(node.array(2, "training_mode").any()):
        raise ModelFileError("training_mode is set, and graphc runs files for inference only")
    out = node.emit("Identity", x)
    if not node.has_result(1):
        return [out]
    return [out, node.emit("Expand", node.constant(np.array(True)), shape=x.type.shape)]


# -- reductions -------------------------------------------------------------------------------------------------------


def _reduction(op: str, before: str = "", after: str = "") -> ImportRow:
    """A reduction, with an element-wise op before or after it."""
    plain = op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd") and not before and not after

    def row(node: OnnxNode) -> Value:
        x = node.value(0)
        axes: tuple[int, ...] | None = node.ints(1, "axes") if node.optional(1) is not None else None
        if not axes:
            axes = () if node.attribute("noop_with_empty_axes", 0) else None
        if axes == () and not plain:
            raise ModelFileError("no axes together with noop_with_empty_axes=1 is read in two ways by runtimes")
        x = node.emit(before, x) if before else x
        out = node.emit(op, x, axes=axes, keepdims=bool(node.attribute("keepdims", 1)))
        return node.emit(after, out) if after else out

    return row


def _index_of(node: OnnxNode) -> Value:
    return node.emit(
        node.op,
        node.value(0),
        axis=node.attribute("axis", 0),
        keepdims=bool(node.attribute("keepdims", 1)),
        select_last_index=bool(node.attribute("select_last_index", 0)),
    )


def _cumsum(node: OnnxNode) -> Value:
    return node.emit(
        "CumSum",
        node.value(0),
        axis=node.integer(1, "axis"),
        exclusive=bool(node.attribute("exclusive", 0)),
        reverse=bool(node.attribute("reverse", 0)),
    )


# -- normalization ----------------------------------------------------------------------------------------------------


def _batch_normalization(node: OnnxNode) -> Value:
    if node.attribute("training_mode", 0):
        raise ModelFileError("training_mode is set, and graphc runs files for inference only")
    return node.emit("BatchNormalization", *node.operands, epsilon=node.attribute("epsilon", 1e-5), axis=1)


def _layer_normalization(node: OnnxNode) -> Value:
    if node.has_result(1) or node.has_result(2):
        raise ModelFileError("the results 'Mean' and 'InvStdDev' have no form in graphc's IR")
    x = node.value(0)
    axis = normalize_axis(node.attribute("axis", -1), x.type.rank)
    shape = x.type.shape[axis:]
    vectors = [
        v if v is None or v.type.shape == shape else node.emit("Expand", v, shape=shape) for v in node.operands[1:]
    ]
    return node.emit("LayerNormalization", x, *vectors, axis=axis, epsilon=node.attribute("epsilon", 1e-5))


# -- shapes -----------------------------------------------------------------------------------------------------------


def _shape(node: OnnxNode) -> Value:
    shape = node.value(0).type.shape
    return node.numbers(shape[node.attribute("start", 0) : node.attribute("end", len(shape))])


def _size(node: OnnxNode) -> Value:
    return node.number(node.value(0).type.size)


def _reshape(node: OnnxNode) -> Value:
    x, shape = node.value(0), node.lengths(1, "shape")
    if not node.attribute("allowzero", 0):
        rank = x.type.rank
        if any(dim == 0 for dim in shape[rank:]):
            raise ModelFileError(f"0 in shape {list(shape)} keeps an axis that {x.type} does not have")
        shape = tuple(x.type.shape[i] if dim == 0 else dim for i, dim in enumerate(shape))
    return node.emit("Reshape", x, shape=shape)


def _flatten(node: OnnxNode) -> Value:
    x = node.value(0)
    rank, axis = x.type.rank, node.attribute("axis", 1)
    if not -rank <= axis <= rank:
        raise ModelFileError(f"axis {axis} is out of range for {x.type}")
    axis = axis + rank if axis < 0 else axis
    return node.emit("Reshape", x, shape=(product(x.type.shape[:axis]), product(x.type.shape[axis:])))


def _squeeze(node: OnnxNode) -> Value:
    x = node.value(0)
    if node.optional(1) is not None:
        return node.emit("Squeeze", x, axes=node.ints(1, "axes"))
    if not x.type.is_static:
        raise ModelFileError(f"without axes, {x.type} has named dims of which only data say whether they are 1")
    return node.emit("Squeeze", x, axes=[i for i, dim in enumerate(x.type.shape) if dim == 1])


def _unsqueeze(node: OnnxNode) -> Value:
    return node.emit("Unsqueeze", node.value(0), axes=node.ints(1, "axes"))


def _transpose(node: OnnxNode) -> Value:
    return node.emit("Transpose", node.value(0), perm=node.attribute("perm"))


def _expand(node: OnnxNode) -> Value:
    return node.emit("Expand", node.value(0), shape=node.lengths(1, "shape"))


def _tile(node: OnnxNode) -> Value:
    return node.emit("Tile", node.value(0), repeats=node.lengths(1, "repeats"))


def _concat(node: OnnxNode) -> Value:
    return node.emit("Concat", *node.operands, axis=node.attribute("axis"))


def _split(node: OnnxNode) -> Sequence[Value]:
    x = node.value(0)
    axis = normalize_axis(node.attribute("axis", 0), x.type.rank)
    if node.optional(1) is not None:
        sizes = node.lengths(1, "split")
    else:
        count = len(node.results)
        part = ceil_div(x.type.shape[axis], count)
        sizes = (*[part] * (count - 1), x.type.shape[axis] - part * (count - 1))
    return node.emit_all("Split", x, sizes=sizes, axis=axis)


def _slice(node: OnnxNode) -> Value:
    starts, ends = node.lengths(1, "starts"), node.lengths(2, "ends")
    axes = node.ints(3, "axes") if node.optional(3) is not None else None
    steps = node.ints(4, "steps") if node.optional(4) is not None else None
    return node.emit("Slice", node.value(0), starts=starts, ends=ends, axes=axes, steps=steps)


def _pad(node: OnnxNode) -> Value:
    x, pads = node.value(0), node.lengths(1, "pads")
    rank = x.type.rank
    if node.optional(3) is not None:
        axes = [normalize_axis(a, rank) for a in node.ints(3, "axes")]
        if len(pads) != 2 * len(axes):
            raise ModelFileError(f"pads must hold {2 * len(axes)} integers for axes {axes}; got {list(pads)}")
        sides: list[DimLike] = [0] * (2 * rank)
        for i, axis in enumerate(axes):
            sides[axis], sides[rank + axis] = pads[i], pads[len(axes) + i]
        pads = tuple(sides)
    return node.emit("Pad", x, pads=pads, mode=node.attribute("mode", "constant"), value=_pad_value(node))


def _pad_value(node: OnnxNode) -> float:
    if node.optional(2) is None:
        return 0.0
    array = node.array(2, "constant_value")
    if array.size != 1:
        raise ModelFileError(f"constant_value must be a scalar; it has shape {list(array.shape)}")
    value = float(array.reshape(-1)[0])
    if math.isfinite(value) and array.dtype.kind in "iu" and int(value) != int(array.reshape(-1)[0]):
        raise ModelFileError(f"constant_value {array.reshape(-1)[0]} is not a float64")
    return value


def _trilu(node: OnnxNode) -> Value:
    k = node.integer(1, "k") if node.optional(1) is not None else 0
    return node.emit("Trilu", node.value(0), k=k, upper=bool(node.attribute("upper", 1)))


# -- indices and made tensors -----------------------------------------------------------------------------------------


def _scatter_elements(node: OnnxNode) -> Value:
    data, indices, updates = (node.value(i) for i in range(3))
    reduction = node.attribute("reduction", "none")
    if reduction != "add":
        raise ModelFileError(f"reduction {reduction!r} has no form in graphc's IR, which scatters by adding only")
    sums = node.emit("ScatterElementsAdd", indices, updates, axis=node.attribute("axis", 0), shape=data.type.shape)
    return node.emit("Add", data, sums)


def _one_hot(node: OnnxNode) -> Value:
    indices, depth, values = node.value(0), node.array(1, "depth"), node.value(2)
    if depth.size != 1 or values.type.shape != (2,):
        raise ModelFileError(f"depth must hold one number and values two; they have {depth.size} and {values.type}")
    count = int(depth.reshape(-1)[0])
    if not is_int(indices.type.dtype):
        indices = node.emit("Cast", indices, to="int64")
    if not is_unsigned(indices.type.dtype):  # ONNX counts negative indices from the end
        zero, more = (node.constant(n, indices.type.dtype) for n in (0, count))
        moved = node.emit("Add", indices, more)
        indices = node.emit("Where", node.emit("Less", indices, zero), moved, indices)
    hit = node.emit("OneHot", indices, depth=count, axis=node.attribute("axis", -1), dtype="bool")
    off, on = (node.emit("Gather", values, node.constant(np.array(i, np.int64)), axis=0) for i in range(2))
    return node.emit("Where", hit, on, off)


def _constant(node: OnnxNode) -> Value:
    for name, dtype in (("value_float", "float32"), ("value_floats", "float32"), ("value_int", "int64"),
                        ("value_ints", "int64")):  # fmt: skip
        if name in node.attributes:
            return node.constant(np.array(node.attributes[name], dtype))
    if "value" not in node.attributes:
        raise ModelFileError(f"a constant of the kind {list(node.attributes)} has no form in graphc's IR")
    return node.constant(node.attributes["value"])


def _constant_of_shape(node: OnnxNode) -> Value:
    value = node.attribute("value", np.zeros(1, np.float32))
    if value.size != 1:
        raise ModelFileError(f"value must hold one element; it has {value.size}")
    return node.emit("Expand", node.constant(value.reshape(())), shape=node.lengths(0, "input"))


def _range(node: OnnxNode) -> Value:
    dtype = node.value(0).type.dtype
    if is_float(dtype):
        start, limit, delta = (float(node.array(i, what).reshape(-1)[0]) for i, what in enumerate(_RANGE))
        count = max(math.ceil((limit - start) / delta), 0) if delta and math.isfinite(limit - start) else -1
        if not 0 <= count <= _MAX_RANGE:
            raise ModelFileError(f"a range from {start} to {limit} by {delta} has no or too many elements")
        return node.constant((start + np.arange(count) * delta).astype(dtype))
    first, last, step = (_one(node.lengths(i, what), what) for i, what in enumerate(_RANGE))
    if not isinstance(step, int) or step == 0:
        raise ModelFileError(f"delta must be an integer that is not 0; got {step}")
    length = ceil_div(last - first, step) if step > 0 else ceil_div(first - last, -step)
    numbers = node.emit("Iota", dim=max(length, 0) if isinstance(length, int) else length, dtype="int64")
    if step != 1:
        numbers = node.emit("Mul", numbers, node.constant(step, "int64"))
    if first != 0:
        numbers = node.emit("Add", numbers, node.number(first))
    return numbers if dtype == "int64" else node.emit("Cast", numbers, to=dtype)


_RANGE = ("start", "limit", "delta")


def _one(lengths: Sequence[DimLike], what: str) -> DimLike:
    if len(lengths) != 1:
        raise ModelFileError(f"{what} must be a scalar; it holds {len(lengths)} numbers")
    return lengths[0]


_PLAIN = (
    "Neg Abs Sign Floor Ceil Round Sqrt Reciprocal Exp Log Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh "
    "Erf Add Sub Mul Div Relu Sigmoid HardSwish Softplus Softsign Mish PRelu Equal Greater GreaterOrEqual Less "
    "LessOrEqual And Or Xor Not IsNaN BitwiseAnd BitwiseOr BitwiseXor BitwiseNot Where Clip Identity MatMul"
).split()

IMPORT_ROWS: dict[str, ImportRow] = {
    **dict.fromkeys(_PLAIN, _same()),
    "LeakyRelu": _same(alpha=0.01),
    "Elu": _same(alpha=1.0),
    "Selu": _same(alpha=SELU_ALPHA, gamma=SELU_GAMMA),
    "Celu": _same(alpha=1.0),
    "HardSigmoid": _same(alpha=0.2, beta=0.5),
    "ThresholdedRelu": _same(alpha=1.0),
    "Gelu": _same(approximate="none"),
    "Swish": _swish,
    "IsInf": _same(detect_negative=1, detect_positive=1),
    "BitShift": _same(direction="LEFT"),
    "Mod": _same(fmod=0),
    "Pow": _pow,
    "Max": _folded("Max"),
    "Min": _folded("Min"),
    "Sum": _folded("Add"),
    "Mean": _mean,
    "Gemm": _gemm,
    "Cast": _cast,
    "CastLike": _cast_like,
    "Dropout": _dropout,
    "Softmax": _same(axis=-1),
    "LogSoftmax": _same(axis=-1),
    "ReduceSum": _reduction("ReduceSum"),
    "ReduceMean": _reduction("ReduceMean"),
    "ReduceMax": _reduction("ReduceMax"),
    "ReduceMin": _reduction("ReduceMin"),
    "ReduceProd": _reduction("ReduceProd"),
    "ReduceSumSquare": _reduction("ReduceSumSquare"),
    "ReduceL1": _reduction("ReduceSum", before="Abs"),
    "ReduceL2": _reduction("ReduceL2"),
    "ReduceLogSum": _reduction("ReduceSum", after="Log"),
    "ReduceLogSumExp": _reduction("ReduceLogSumExp"),
    "ArgMax": _index_of,
    "ArgMin": _index_of,
    "CumSum": _cumsum,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "Shape": _shape,
    "Size": _size,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Expand": _expand,
    "Tile": _tile,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Pad": _pad,
    "Trilu": _trilu,
    "Gather": _same(axis=0),
    "GatherElements": _same(axis=0),
    "ScatterElements": _scatter_elements,
    "OneHot": _one_hot,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    **onnx_import_recurrent.IMPORT_ROWS,
    **onnx_import_resize.IMPORT_ROWS,
    **onnx_import_scan.IMPORT_ROWS,
    **onnx_import_windows.IMPORT_ROWS,
}
