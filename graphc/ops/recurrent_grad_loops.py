"""The gradients of LSTM, GRU and RNN as loops of ordinary ops; see `graphc.ops.recurrent_loops`.

They have derivatives of their own, which the gradient ops take from here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphc.ir.builder import Builder
from graphc.ir.dims import product
from graphc.ir.graph import Value
from graphc.ops.elementwise import scalar
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
    slope,
    states_before,
    there,
    total,
    transposed,
    valid_steps,
)
from graphc.ops.recurrent_types import Activation, Recurrence, grad_operand_axes, runs_backwards


@dataclass(frozen=True, slots=True)
class _Direction:
    """One direction's operands.

    Attributes:
        loop: whose body is being made.
        r: recurrent weights ``[G, H]``.
        y: outputs ``[T, B, H]``.
        before: the states before each step, ``[T, B, H]`` each.
        kept: what the forward op kept, ``[D, T, B, ...]`` without the first axis.
        by_y: gradient of the outputs.
        by_final: gradients of the final states.
        by_kept: gradients of what was kept.
        activations: of this direction.
        attributes: of the op.
    """

    loop: StepLoop
    r: Value
    y: Value
    before: Sequence[Value]
    kept: Sequence[Value]
    by_y: Maybe
    by_final: Sequence[Value]
    by_kept: Sequence[Maybe]
    activations: Sequence[Activation]
    attributes: Attributes


Step = Callable[[_Direction], tuple[list[Value], list[Value]]]
"""Fills the loop's body; gives the new gradients by the states, and the results: ``by_z``, and what reaches R if other."""


def gradient_loop(b: Builder, recurrence: Recurrence, given: Sequence[Maybe], attributes: Attributes) -> list[Value]:
    """The outputs of the gradient op.

    Args:
        b: where to emit.
        recurrence: the op whose gradient it is.
        given: the gradient op's operands.
        attributes: its attributes.
    """
    states, count_kept = recurrence.states, len(recurrence.kept)
    r, lengths, *rest = settled(b, recurrence, grad_operand_axes(recurrence), given, attributes)
    initial, y, rest = rest[:states], there(rest[states]), rest[states + 1 :]
    kept, by_y, rest = rest[:count_kept], rest[count_kept], rest[count_kept + 1 :]
    by_final, by_kept = rest[:states], rest[states:]
    time, _, batch, hidden = y.type.shape
    state_type, valid = y.type.with_shape((batch, hidden)), valid_steps(b, lengths, y)
    directions = []
    for d, activations in enumerate(recurrence.activations_of(attributes)):
        backwards = runs_backwards(attributes, d)
        sequences = [there(part(b, y, 1, d)), *(there(part(b, one, 0, d)) for one in kept)]
        firsts = [or_zeros(b, part(b, one, 0, d), state_type) for one in initial]
        # The states are the outputs, and in LSTM the cells, which come last of what is kept.
        befores = [
            states_before(b, of, first, lengths, backwards)
            for of, first in zip((sequences[0], sequences[-1]), firsts, strict=False)
        ]
        finals = [or_zeros(b, part(b, one, 0, d), state_type) for one in by_final]
        loop = StepLoop(b, valid)
        one = _Direction(
            loop,
            there(part(b, r, 0, d)),
            sequences[0],
            befores,
            sequences[1:],
            part(b, by_y, 1, d),
            finals,
            [part(b, of, 0, d) for of in by_kept],
            activations,
            attributes,
        )
        new, results = _STEPS[recurrence.op](one)
        found = loop.emit(new, results, not backwards)
        by_z, reaching = found[states], found[-1]
        rows = product((time, batch))
        if recurrence.op == "GRU" and not attributes["linear_before_reset"]:
            by_r = _product_of_two(b, by_z, befores[0], sequences[-1], rows)
        else:
            by_r = _product(b, reaching, befores[0], rows)
        by_b = [b.emit("ReduceSum", of, axes=(0, 1), keepdims=False) for of in (by_z, reaching)]
        directions.append([by_z, by_r, b.emit("Concat", *by_b, axis=0), *found[:states]])
    return [join(b, parts, 0) for parts in zip(*directions, strict=True)]


def _flat(b: Builder, x: Value, rows: object) -> Value:
    return b.emit("Reshape", x, shape=(rows, x.type.shape[-1]))


def _product(b: Builder, sums: Value, states: Value, rows: object) -> Value:
    return b.emit("MatMul", transposed(b, _flat(b, sums, rows)), _flat(b, states, rows))


def _product_of_two(b: Builder, by_z: Value, states: Value, inner: Value, rows: object) -> Value:
    """Where the reset gate scales the state, R_h was multiplied with the scaled state."""
    hidden = inner.type.shape[-1]
    sizes = (2 * hidden, hidden)
    by_zr, by_n = b.emit_node("Split", [by_z], axis=2, sizes=sizes).outputs
    return b.emit("Concat", _product(b, by_zr, states, rows), _product(b, by_n, inner, rows), axis=0)


# -- steps ------------------------------------------------------------------------------------------------------------


def _lstm_step(one: _Direction) -> tuple[list[Value], list[Value]]:
    loop, (f, g, squash) = one.loop, one.activations
    b = loop.b
    gates, c = loop.slice(one.kept[0], "gates"), loop.slice(one.kept[1], "cell")
    c_before = loop.slice(one.before[1], "cell_before")
    by_h, by_c = loop.state(one.by_final[0], "by_h"), loop.state(one.by_final[1], "by_c")
    by_y, by_gates = loop.optional_slice(one.by_y, "by_y"), loop.optional_slice(one.by_kept[0], "by_gates")
    by_cell = loop.optional_slice(one.by_kept[1], "by_cell")
    r = loop.invariant(one.r, "weights")
    gate_i, gate_o, gate_f, candidate = blocks(b, gates, 4)
    by_h = total(b, by_h, by_y)
    squashed = activate(b, c, squash)
    through = b.emit("Mul", b.emit("Mul", by_h, gate_o), slope(b, squashed, squash))
    by_c = total(b, by_c, through, by_cell)
    parts = [
        b.emit("Mul", by_c, candidate),
        b.emit("Mul", by_h, squashed),
        b.emit("Mul", by_c, c_before),
        b.emit("Mul", by_c, gate_i),
    ]
    change = total(b, b.emit("Concat", *parts, axis=1), by_gates)
    slopes = [*(slope(b, y, f) for y in (gate_i, gate_o, gate_f)), slope(b, candidate, g)]
    by_z = b.emit("Mul", change, b.emit("Concat", *slopes, axis=1))
    return [b.emit("MatMul", by_z, r), b.emit("Mul", by_c, gate_f)], [by_z]


def _gru_step(one: _Direction) -> tuple[list[Value], list[Value]]:
    loop, (f, g) = one.loop, one.activations
    b = loop.b
    gates, inner = loop.slice(one.kept[0], "gates"), loop.slice(one.kept[1], "inner")
    h_before, by_h = loop.slice(one.before[0], "before"), loop.state(one.by_final[0], "by_h")
    by_y, by_gates = loop.optional_slice(one.by_y, "by_y"), loop.optional_slice(one.by_kept[0], "by_gates")
    by_inner = loop.optional_slice(one.by_kept[1], "by_inner")
    r = loop.invariant(one.r, "weights")
    update, reset, candidate = blocks(b, gates, 3)
    more: Sequence[Maybe] = (None,) * 3 if by_gates is None else blocks(b, by_gates, 3)
    by_h = total(b, by_h, by_y)
    by_update = total(b, b.emit("Mul", by_h, b.emit("Sub", h_before, candidate)), more[0])
    kept = b.emit("Sub", scalar(b, 1.0, update), update)
    by_n = b.emit("Mul", total(b, b.emit("Mul", by_h, kept), more[2]), slope(b, candidate, g))
    by_update = b.emit("Mul", by_update, slope(b, update, f))
    direct = b.emit("Mul", by_h, update)
    if one.attributes["linear_before_reset"]:
        by_reset = b.emit("Mul", total(b, b.emit("Mul", by_n, inner), more[1]), slope(b, reset, f))
        by_operand = total(b, b.emit("Mul", by_n, reset), by_inner)
        reaching = b.emit("Concat", by_update, by_reset, by_operand, axis=1)
        new = total(b, direct, b.emit("MatMul", reaching, r))
        return [new], [b.emit("Concat", by_update, by_reset, by_n, axis=1), reaching]
    hidden = one.attributes["hidden_size"]
    r_zr, r_n = b.emit_node("Split", [r], axis=0, sizes=(2 * hidden, hidden)).outputs
    by_operand = total(b, b.emit("MatMul", by_n, r_n), by_inner)
    by_reset = b.emit("Mul", total(b, b.emit("Mul", by_operand, h_before), more[1]), slope(b, reset, f))
    by_zr = b.emit("Concat", by_update, by_reset, axis=1)
    new = total(b, direct, b.emit("Mul", by_operand, reset), b.emit("MatMul", by_zr, r_zr))
    return [new], [b.emit("Concat", by_zr, by_n, axis=1)]


def _rnn_step(one: _Direction) -> tuple[list[Value], list[Value]]:
    loop, (f,) = one.loop, one.activations
    b = loop.b
    y, by_h = loop.slice(one.y, "y"), loop.state(one.by_final[0], "by_h")
    by_y, r = loop.optional_slice(one.by_y, "by_y"), loop.invariant(one.r, "weights")
    by_z = b.emit("Mul", total(b, by_h, by_y), slope(b, y, f))
    return [b.emit("MatMul", by_z, r)], [by_z]


_STEPS: dict[str, Step] = {"LSTM": _lstm_step, "GRU": _gru_step, "RNN": _rnn_step}
