"""Softmax, its logarithm, and the cross-entropy of integer labels, each stable for large logits.

The gradients are ops of their own, since each is one pass over the data where a composition would take several.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike
from graphc.ir.dtypes import FLOAT_DTYPES, INT_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, normalize_axis
from graphc.ops.opdef import (
    VJP,
    Attribute,
    Attributes,
    Domain,
    OpDef,
    TypeRule,
    Types,
    elementwise_cost,
    need_dtype,
    operand,
    same_dtype,
)
from graphc.ops.shape_checks import agree_shapes

_AXIS = {"axis": Attribute("int", -1, "The axis of the classes, from either end.")}


def _axis(op: str, x: TensorType, attributes: Attributes) -> int:
    need_dtype(op, x, FLOAT_DTYPES)
    return normalize_axis(attributes["axis"], x.rank, f"{op}: axis")


# -- Softmax, LogSoftmax ----------------------------------------------------------------------------------------------


def _same_type(op: str) -> TypeRule:
    def infer(types: Types, attributes: Attributes) -> tuple[TensorType]:
        x = operand(types, 0)
        _axis(op, x, attributes)
        return (x,)

    return infer


def _through(gradient_op: str) -> VJP:
    """The VJP of an op whose gradient is one op of the result and its gradient."""

    def vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
        (g,) = grads
        assert g is not None
        return (b.emit(gradient_op, g, node.output, axis=node.attributes["axis"]),)

    return vjp


def _gradient_type(op: str) -> TypeRule:
    def infer(types: Types, attributes: Attributes) -> tuple[TensorType]:
        g, y = operand(types, 0), operand(types, 1)
        same_dtype(op, types)
        _axis(op, g, attributes)
        if agree_shapes(g.shape, y.shape) is None:
            raise ShapeError(f"{op}: the gradient and the result must have one shape; got {g} and {y}.")
        return (y,)

    return infer


def _sum(b: Builder, x: Value, node: Node) -> Value:
    return b.emit("ReduceSum", x, axes=(node.attributes["axis"],))


def _softmax_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    # out = y (g - sum(g y)), which is symmetric in g; by y it is h (g - sum(g y)) - g sum(h y).
    (g, y), (h,) = node.inputs, grads
    assert g is not None
    assert y is not None
    assert h is not None
    by_g = b.emit("SoftmaxGrad", h, y, axis=node.attributes["axis"])
    inner = b.emit("Sub", g, _sum(b, b.emit("Mul", g, y), node))
    by_y = b.emit("Sub", b.emit("Mul", h, inner), b.emit("Mul", g, _sum(b, b.emit("Mul", h, y), node)))
    return by_g, by_y


def _log_softmax_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    # out = g - exp(y) sum(g): by g it is h - sum(h exp(y)), by y it is -h exp(y) sum(g).
    (g, y), (h,) = node.inputs, grads
    assert g is not None
    assert y is not None
    assert h is not None
    weighted = b.emit("Mul", h, b.emit("Exp", y))
    by_g = b.emit("Sub", h, _sum(b, weighted, node))
    by_y = b.emit("Neg", b.emit("Mul", weighted, _sum(b, g, node)))
    return by_g, by_y


# -- SparseSoftmaxCrossEntropy ----------------------------------------------------------------------------------------


def _check_labels(op: str, logits: TensorType, labels: TensorType, attributes: Attributes) -> TensorType:
    """The type of one number for each sample."""
    axis = _axis(op, logits, attributes)
    need_dtype(op, labels, INT_DTYPES, "labels")
    samples = (*logits.shape[:axis], *logits.shape[axis + 1 :])
    shape = agree_shapes(samples, labels.shape)
    if shape is None:
        raise ShapeError(
            f"{op}: labels must have the shape of logits without axis {axis}, "
            f"{logits.with_shape(samples).with_dtype(labels.dtype)}; got logits {logits} and labels {labels}."
        )
    return logits.with_shape(shape)


def _cross_entropy_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    return (_check_labels("SparseSoftmaxCrossEntropy", operand(types, 0), operand(types, 1), attributes),)


def _cross_entropy_cost(
    inputs: Sequence[TensorType], _outputs: Sequence[TensorType], _attributes: Attributes
) -> DimLike:
    return inputs[0].size * 11


def _cross_entropy_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (logits, labels), (g,) = node.inputs, grads
    return b.emit("SparseSoftmaxCrossEntropyGrad", logits, labels, g, axis=node.attributes["axis"]), None


def _cross_entropy_grad_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    op = "SparseSoftmaxCrossEntropyGrad"
    logits, labels, g = (operand(types, i) for i in range(3))
    loss = _check_labels(op, logits, labels, attributes)
    same_dtype(op, [logits, g])
    if agree_shapes(loss.shape, g.shape) is None:
        raise ShapeError(f"{op}: the gradient must have the shape of the loss, {loss}; got {g}.")
    return (logits,)


def _cross_entropy_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    # out = (softmax(logits) - one_hot(labels)) g
    (logits, labels, g), (h,) = node.inputs, grads
    assert logits is not None
    assert g is not None
    assert h is not None
    axis = normalize_axis(node.attributes["axis"], logits.type.rank)
    by_softmax = b.emit("Mul", h, b.emit("Unsqueeze", g, axes=(axis,)))
    by_logits = b.emit("SoftmaxGrad", by_softmax, b.emit("Softmax", logits, axis=axis), axis=axis)
    ones = b.emit("Expand", b.constant(1.0, dtype=g.type.dtype), shape=g.type.shape)
    unscaled = b.emit("SparseSoftmaxCrossEntropyGrad", logits, labels, ones, axis=axis)
    by_g = b.emit("ReduceSum", b.emit("Mul", h, unscaled), axes=(axis,), keepdims=False)
    return by_logits, None, by_g


OPS = (
    OpDef(
        name="Softmax",
        inputs=("x",),
        infer=_same_type("Softmax"),
        vjp=_through("SoftmaxGrad"),
        doc="exp(x) / sum(exp(x)) along an axis.",
        attributes=_AXIS,
        cost=elementwise_cost(12),
    ),
    OpDef(
        name="LogSoftmax",
        inputs=("x",),
        infer=_same_type("LogSoftmax"),
        vjp=_through("LogSoftmaxGrad"),
        doc="x - log(sum(exp(x))) along an axis.",
        attributes=_AXIS,
        cost=elementwise_cost(12),
    ),
    OpDef(
        name="SoftmaxGrad",
        inputs=("g", "y"),
        infer=_gradient_type("SoftmaxGrad"),
        vjp=_softmax_grad_vjp,
        doc="The gradient of Softmax from its result y: y * (g - sum(g * y)).",
        attributes=_AXIS,
        cost=elementwise_cost(4),
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="LogSoftmaxGrad",
        inputs=("g", "y"),
        infer=_gradient_type("LogSoftmaxGrad"),
        vjp=_log_softmax_grad_vjp,
        doc="The gradient of LogSoftmax from its result y: g - exp(y) * sum(g).",
        attributes=_AXIS,
        cost=elementwise_cost(11),
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="SparseSoftmaxCrossEntropy",
        inputs=("logits", "labels"),
        infer=_cross_entropy_type,
        vjp=_cross_entropy_vjp,
        doc="-log_softmax(logits)[label] for each sample; a label outside 0 .. classes - 1 is an error.",
        attributes=_AXIS,
        cost=_cross_entropy_cost,
        domain=Domain.GRAPHC,
    ),
    OpDef(
        name="SparseSoftmaxCrossEntropyGrad",
        inputs=("logits", "labels", "g"),
        infer=_cross_entropy_grad_type,
        vjp=_cross_entropy_grad_vjp,
        doc="The gradient of SparseSoftmaxCrossEntropy by the logits: (softmax(logits) - one_hot(labels)) * g.",
        attributes=_AXIS,
        cost=elementwise_cost(13),
        domain=Domain.GRAPHC,
    ),
)
