"""LSTM, GRU and RNN as loops of ordinary ops: one `Scan` for each direction.

This is what the ops mean, written out, for where an op of its own will not do: a runtime that lacks the op, its dtype or its
further outputs. `graphc.ops.recurrent_grad_loops` does the same for the gradients. Samples of different lengths are held at
their state by a mask: while no step of theirs runs, a state stays what it is and outputs are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.ir.builder import Builder
from graphc.ir.graph import Value
from graphc.ops.opdef import Attributes
from graphc.ops.recurrent_pieces import (
    Maybe,
    StepLoop,
    activate,
    blocks,
    join,
    or_zeros,
    part,
    settled,
    there,
    total,
    transposed,
    valid_steps,
)
from graphc.ops.recurrent_types import Activation, Recurrence, operand_axes, runs_backwards

Activations = tuple[Activation, ...]
Stepped = tuple[list[Value], list[Value]]
"""The new states, and what is kept for the gradient."""
Step = Callable[[Builder, Value, Sequence[Value], Value, Maybe, Activations, Attributes], Stepped]


def _lstm_step(
    b: Builder,
    sums: Value,
    states: Sequence[Value],
    weights: Value,
    _bias: Maybe,
    activations: Activations,
    _attributes: Attributes,
) -> Stepped:
    f, g, squash = activations
    h, c = states
    z_i, z_o, z_f, z_g = blocks(b, b.emit("Add", sums, b.emit("MatMul", h, weights)), 4)
    gate_i, gate_o, gate_f = (activate(b, z, f) for z in (z_i, z_o, z_f))
    candidate = activate(b, z_g, g)
    c = b.emit("Add", b.emit("Mul", gate_f, c), b.emit("Mul", gate_i, candidate))
    h = b.emit("Mul", gate_o, activate(b, c, squash))
    return [h, c], [b.emit("Concat", gate_i, gate_o, gate_f, candidate, axis=1), c]


def _gru_step(
    b: Builder,
    sums: Value,
    states: Sequence[Value],
    weights: Value,
    bias: Maybe,
    activations: Activations,
    attributes: Attributes,
) -> Stepped:
    f, g = activations
    (h,) = states
    hidden = attributes["hidden_size"]
    sums_zr, sums_n = b.emit_node("Split", [sums], axis=1, sizes=(2 * hidden, hidden)).outputs
    if attributes["linear_before_reset"]:
        product_all = total(b, b.emit("MatMul", h, weights), bias)
        product_zr, inner = b.emit_node("Split", [product_all], axis=1, sizes=(2 * hidden, hidden)).outputs
        update, reset = blocks(b, activate(b, b.emit("Add", sums_zr, product_zr), f), 2)
        candidate = activate(b, b.emit("Add", sums_n, b.emit("Mul", reset, inner)), g)
    else:
        weights_zr, weights_n = b.emit_node("Split", [weights], axis=1, sizes=(2 * hidden, hidden)).outputs
        update, reset = blocks(b, activate(b, b.emit("Add", sums_zr, b.emit("MatMul", h, weights_zr)), f), 2)
        inner = b.emit("Mul", reset, h)
        candidate = activate(b, b.emit("Add", sums_n, b.emit("MatMul", inner, weights_n)), g)
    new = b.emit("Add", candidate, b.emit("Mul", update, b.emit("Sub", h, candidate)))
    return [new], [b.emit("Concat", update, reset, candidate, axis=1), inner]


def _rnn_step(
    b: Builder,
    sums: Value,
    states: Sequence[Value],
    weights: Value,
    _bias: Maybe,
    activations: Activations,
    _attributes: Attributes,
) -> Stepped:
    return [activate(b, b.emit("Add", sums, b.emit("MatMul", states[0], weights)), activations[0])], []


_STEPS: dict[str, Step] = {"LSTM": _lstm_step, "GRU": _gru_step, "RNN": _rnn_step}


def forward_loop(b: Builder, recurrence: Recurrence, given: Sequence[Maybe], attributes: Attributes) -> list[Value]:
    """The op's outputs.

    Args:
        b: where to emit.
        recurrence: which op.
        given: its operands.
        attributes: its attributes.
    """
    x_or_none, w, r, bias, lengths, *initial = settled(b, recurrence, operand_axes(recurrence), given, attributes)
    x, hidden = there(x_or_none), attributes["hidden_size"]
    valid = valid_steps(b, lengths, x)
    state_type = x.type.with_shape((x.type.shape[1], hidden))
    directions = []
    for d, activations in enumerate(recurrence.activations_of(attributes)):
        sums = b.emit("MatMul", x, transposed(b, there(part(b, w, 0, d))))
        size = recurrence.gates * hidden
        biases = part(b, bias, 0, d)
        inner_bias = None
        if biases is not None:
            both = b.emit_node("Split", [biases], axis=0, sizes=(size, size)).outputs
            sums = b.emit("Add", sums, both[0])
            if attributes.get("linear_before_reset"):
                inner_bias = both[1]
            else:
                sums = b.emit("Add", sums, both[1])
        loop = StepLoop(b, valid)
        step_sums = loop.slice(sums, "sums")
        states = [loop.state(or_zeros(b, part(b, s, 0, d), state_type), f"state{i}") for i, s in enumerate(initial)]
        weights = loop.invariant(transposed(b, there(part(b, r, 0, d))), "weights")
        step = _STEPS[recurrence.op]
        inner = None if inner_bias is None else loop.invariant(inner_bias, "bias")
        new, kept = step(loop.b, step_sums, states, weights, inner, activations, attributes)
        directions.append(loop.emit(new, [new[0], *kept], runs_backwards(attributes, d)))
    by_output = list(zip(*directions, strict=True))
    finals, (y, *kept_all) = by_output[: recurrence.states], by_output[recurrence.states :]
    return [join(b, y, 1), *(join(b, parts, 0) for parts in (*finals, *kept_all))]
