"""LSTM, GRU and RNN as one op each, with ONNX's semantics, and the gradients that run back through time.

Operands and attributes are ONNX's (version 14 of the operators, ``layout=0``): ``X [T, B, I]``, ``W [D, G, I]``,
``R [D, G, H]``, ``B [D, 2G]``, ``sequence_lens [B]`` and the initial states ``[D, B, H]``; ``graphc.ops.recurrent_types``
says what the letters mean. There are no peepholes and no ``clip``. As in ONNX Runtime, outputs behind a sample's length
are 0 and the backward direction starts at its last step; a sample of length 0 keeps its initial state.

Beside ONNX's outputs the ops give what their gradient needs, with time running the same way: LSTM the activated ``gates``
(i, o, f, c) and the ``cells``; GRU the ``gates`` (z, r, h) and ``inner``, the operand of the candidate that the reset gate
touches: ``H R_h + Rb_h`` with ``linear_before_reset``, else ``r * H``.

The gradient ops only do what depends on the order of steps. They give ``by_z``, the gradient of the sums that the gates'
activations are applied to, for all steps; the gradients of ``X`` and ``W`` are matrix products of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, product
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType
from graphc.ops.opdef import (
    VJP,
    Attribute,
    Attributes,
    BodyVJP,
    Cost,
    Domain,
    Gradient,
    OpDef,
    TypeRule,
    Types,
    operand,
)
from graphc.ops.recurrent_grad_loops import gradient_loop
from graphc.ops.recurrent_pieces import settled
from graphc.ops.recurrent_types import (
    ATTRIBUTES,
    GRU,
    LSTM,
    RNN,
    Axes,
    Checker,
    Recurrence,
    grad_operand_axes,
    grad_result_axes,
    operand_axes,
    result_axes,
)

# -- type rules -------------------------------------------------------------------------------------------------------


def _infer(recurrence: Recurrence, op: str, operands: Axes, results: Axes) -> TypeRule:
    def infer(types: Types, attributes: Attributes) -> tuple[TensorType, ...]:
        checker = Checker(recurrence, op, operands, types, attributes)
        dtype = operand(types, 0).dtype
        return tuple(TensorType(dtype, checker.shape(axes)) for axes in results.values())

    return infer


# -- gradients --------------------------------------------------------------------------------------------------------


def _vjp(recurrence: Recurrence) -> VJP:
    def rule(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
        axes = operand_axes(recurrence)
        x, w, r, bias, lengths, *initial = settled(b, recurrence, axes, node.inputs, node.attributes)
        assert x is not None
        assert w is not None
        y, kept = node.outputs[0], node.outputs[1 + recurrence.states :]
        operands: list[Value | None] = [r, lengths, *initial, y, *kept, *grads]
        while operands[-1] is None:
            operands.pop()
        by_z, by_r, by_b, *by_initial = b.emit_node(f"{recurrence.op}Grad", operands, **node.attributes).outputs
        by_x, by_w = _products(b, by_z, x, w)
        found = [by_x, by_w, by_r, by_b if bias is not None else None, None]
        found += [by if of is not None else None for by, of in zip(by_initial, initial, strict=True)]
        return found[: len(node.inputs)]

    return rule


def _grad_vjp(recurrence: Recurrence) -> BodyVJP:
    """The gradient of the gradient: that of the loop which the gradient op stands for."""

    def rule(
        b: Builder, node: Node, grads: Sequence[Value | None], wanted: Sequence[bool], gradient: Gradient
    ) -> Sequence[Value | None]:
        # Operands depend on each other (y on r); behind an Identity each is a variable of its own.
        operands = [None if v is None else b.emit("Identity", v) for v in node.inputs]
        results = gradient_loop(b, recurrence, operands, node.attributes)
        asked = [i for i, v in enumerate(operands) if v is not None and wanted[i]]
        pairs = [(of, grad) for of, grad in zip(results, grads, strict=True) if grad is not None]
        of, seeds = [of for of, _ in pairs], [grad for _, grad in pairs]
        found = gradient(b, of, [v for i in asked if (v := operands[i]) is not None], seeds)
        by_operand = dict(zip(asked, found, strict=True))
        return [by_operand.get(i) for i in range(len(operands))]

    return BodyVJP(rule)


def _products(b: Builder, by_z: Value, x: Value, w: Value) -> tuple[Value, Value]:
    """The gradients of ``X`` and ``W``: all steps in one product, for each direction."""
    directions, time, batch, gates = by_z.type.shape
    rows = product((time, batch))
    z = b.emit("Reshape", by_z, shape=(directions, rows, gates))
    by_x = b.emit("MatMul", z, w)
    if directions != 1:
        by_x = b.emit("ReduceSum", by_x, axes=(0,), keepdims=False)
    by_x = b.emit("Reshape", by_x, shape=(time, batch, w.type.shape[2]))
    flat_x = b.emit("Reshape", x, shape=(rows, x.type.shape[2]))
    return by_x, b.emit("MatMul", b.emit("Transpose", z, perm=(0, 2, 1)), flat_x)


# -- cost -------------------------------------------------------------------------------------------------------------


def _cost(recurrence: Recurrence) -> Cost:
    """Two operations for each weight at each step and sample; what is element-wise is small beside them."""

    def cost(inputs: Sequence[TensorType], outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
        time, directions, batch, hidden = outputs[0].shape
        per_gate = inputs[0].shape[2] + hidden
        return product((2 * recurrence.gates, time, directions, batch, hidden)) * per_gate

    return cost


def _grad_cost(_inputs: Sequence[TensorType], outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
    """A product with ``R`` at each step, and one over all steps for its gradient."""
    return product((4 * attributes["hidden_size"], *outputs[0].shape))


def _ops(recurrence: Recurrence, doc: str, **more: Attribute) -> tuple[OpDef, OpDef]:
    """An op and its gradient."""
    name, operands, results = recurrence.op, operand_axes(recurrence), result_axes(recurrence)
    grad, grad_operands, grad_results = f"{name}Grad", grad_operand_axes(recurrence), grad_result_axes(recurrence)
    attributes = {**ATTRIBUTES, **more}
    forward = OpDef(
        name=name,
        inputs=tuple(operands),
        infer=_infer(recurrence, name, operands, results),
        vjp=_vjp(recurrence),
        doc=doc,
        attributes=attributes,
        cost=_cost(recurrence),
        outputs=tuple(results),
    )
    backward = OpDef(
        name=grad,
        inputs=tuple(grad_operands),
        infer=_infer(recurrence, grad, grad_operands, grad_results),
        vjp=_grad_vjp(recurrence),
        doc=f"The gradient of {name}: by its gates' sums, its recurrent weights, bias and initial states.",
        attributes=attributes,
        cost=_grad_cost,
        domain=Domain.GRAPHC,
        outputs=tuple(grad_results),
    )
    return forward, backward


OPS = (
    *_ops(LSTM, "Long short-term memory over time-major sequences (Hochreiter and Schmidhuber, 1997)."),
    *_ops(
        GRU,
        "Gated recurrent units over time-major sequences (Cho et al., 2014).",
        linear_before_reset=Attribute("int", 0, "1: the reset gate scales the product with R_h, not its operand."),
    ),
    *_ops(RNN, "A plain recurrent layer over time-major sequences: H = f(X W + H R + b)."),
)
