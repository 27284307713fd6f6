"""ONNX rows of `graphc.ops.softmax`: ops of our own are written out in standard ones."""

from __future__ import annotations

from graphc.ir.types import normalize_axis
from graphc.runtimes.onnx_formula import Expr, apply, emit_formula, tensor
from graphc.runtimes.onnx_indexing import int64_operand, one_hot
from graphc.runtimes.onnx_lowering import Lowering, Row, Same


def _axis(lowering: Lowering) -> int:
    return normalize_axis(lowering.node.attributes["axis"], lowering.type(0).rank)


def _sum(lowering: Lowering, x: Expr) -> Expr:
    return apply("ReduceSum", x, tensor(lowering.ints([_axis(lowering)])), keepdims=1)


def _softmax_grad(lowering: Lowering) -> None:
    g, y = map(tensor, lowering.inputs)
    emit_formula(lowering, y * (g - _sum(lowering, g * y)), lowering.type(0).dtype)


def _log_softmax_grad(lowering: Lowering) -> None:
    g, y = map(tensor, lowering.inputs)
    emit_formula(lowering, g - apply("Exp", y) * _sum(lowering, g), lowering.type(0).dtype)


def _cross_entropy(lowering: Lowering) -> None:
    axis = _axis(lowering)
    axes = lowering.ints([axis])
    logarithms = lowering.emit("LogSoftmax", [lowering.inputs[0]], axis=axis)
    column = lowering.emit("Unsqueeze", [int64_operand(lowering, 1), axes])
    at_label = lowering.emit("GatherElements", [*logarithms, *column], axis=axis)
    lowering.emit("Neg", lowering.emit("Squeeze", [*at_label, axes]), lowering.outputs)


def _cross_entropy_grad(lowering: Lowering) -> None:
    axis, logits = _axis(lowering), lowering.type(0)
    hit = one_hot(lowering, 1, logits.shape[axis], axis)
    wanted = tensor(lowering.emit("Cast", hit, to=logits.dtype)[0])
    scale = apply("Unsqueeze", tensor(lowering.inputs[2]), tensor(lowering.ints([axis])))
    softmax = apply("Softmax", tensor(lowering.inputs[0]), axis=axis)
    emit_formula(lowering, (softmax - wanted) * scale, logits.dtype)


ROWS: dict[str, Row] = {
    "Softmax": Same(attributes=("axis",)),
    "LogSoftmax": Same(attributes=("axis",)),
    "SoftmaxGrad": _softmax_grad,
    "LogSoftmaxGrad": _log_softmax_grad,
    "SparseSoftmaxCrossEntropy": _cross_entropy,
    "SparseSoftmaxCrossEntropyGrad": _cross_entropy_grad,
}
