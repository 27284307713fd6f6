"""NumPy kernels of LSTM and its gradient.

At each step, with gates i, o, f (activation f) and candidate g (activation g), as ONNX names them::

    i, o, f = f(X W + H R + b)        g = g(X W + H R + b)
    C' = f * C + i * g                H' = o * h(C')

The product with all inputs is one, before the loop; so are the gradient's derivatives of all activations, and its
products for the weights, after it. The loops only call functions that write into memory which was there before.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ops.recurrent_types import LSTM, count_directions, grad_operand_axes, operand_axes, runs_backwards
from graphc.runtimes.kernel import Array, Call, Step
from graphc.runtimes.np_recurrent_activation import apply_in_place, slope_from_value
from graphc.runtimes.np_recurrent_grad import Flow, Gathered, Incoming
from graphc.runtimes.np_recurrent_time import (
    Lengths,
    checked_operands,
    flat_rows,
    initial_state,
    input_sums,
    previous_states,
)
from graphc.runtimes.np_steps import in_sequence


def lstm(call: Call) -> Step:
    """Bind LSTM."""
    given = checked_operands(call, LSTM, operand_axes(LSTM))
    x, lens = given[0], given[4]
    lengths = Lengths(call, lens, len(x), x.shape[1])
    rows, load = flat_rows(call, x)
    directions = range(count_directions(call.attributes))
    return in_sequence([lengths.load, *load, *(_direction(call, given, d, rows, lengths) for d in directions)])


def _direction(call: Call, given: list[Any], d: int, rows: Array, lengths: Lengths) -> Step:
    _, w, r, bias, _, h0, c0 = given
    y, y_h, y_c, gates, cells = call.outputs
    _, batch, h = y_h.shape
    backwards = runs_backwards(call.attributes, d)
    biases = [] if bias is None else [bias[d, : 4 * h], bias[d, 4 * h :]]
    sum_inputs = input_sums(rows, w[d], biases, gates[d])
    first_h, load_h = initial_state(call, h0, d, batch, h)
    first_c, load_c = initial_state(call, c0, d, batch, h)
    transposed_r = r[d].T
    product = call.scratch((batch, 4 * h), y.dtype)
    tail = call.scratch((batch, 3 * h), y.dtype)
    tail_h, squashed = call.scratch((batch, h), y.dtype), call.scratch((batch, h), y.dtype)
    f, g, squash = map(apply_in_place, LSTM.activations_of(call.attributes)[d])
    views = [
        (z, z[:, : 3 * h], *(z[:, k * h : (k + 1) * h] for k in range(4)), c, out)
        for z, c, out in zip(gates[d], cells[d], y[:, d], strict=True)
    ]

    def run() -> None:
        load_h()
        load_c()
        sum_inputs()
        before_h, before_c = first_h, first_c
        for t in lengths.order(backwards):
            if backwards and before_h is not first_h and (starting := lengths.ends.get(t)) is not None:
                before_h[starting], before_c[starting] = first_h[starting], first_c[starting]
            z, gates_iof, gate_i, gate_o, gate_f, candidate, c, out = views[t]
            np.dot(before_h, transposed_r, product)
            np.add(z, product, z)
            f(gates_iof, tail)
            g(candidate, tail_h)
            np.multiply(gate_f, before_c, c)
            np.multiply(gate_i, candidate, tail_h)
            np.add(c, tail_h, c)
            np.copyto(squashed, c)
            squash(squashed, tail_h)
            np.multiply(gate_o, squashed, out)
            before_h, before_c = out, c
        lengths.clear_behind(y[:, d], gates[d], cells[d])
        lengths.final_state(y[:, d], first_h, y_h[d], backwards)
        lengths.final_state(cells[d], first_c, y_c[d], backwards)

    return run


def lstm_grad(call: Call) -> Step:
    """Bind LSTMGrad."""
    given = checked_operands(call, LSTM, grad_operand_axes(LSTM))
    y = given[4]
    lengths = Lengths(call, given[1], len(y), y.shape[2])
    directions = range(count_directions(call.attributes))
    return in_sequence([lengths.load, *(_direction_grad(call, given, d, lengths) for d in directions)])


def _direction_grad(call: Call, given: list[Any], d: int, lengths: Lengths) -> Step:
    r, _, h0, c0, y, gates, cells, *by = given
    by_z, by_r, by_b, by_h0, by_c0 = call.outputs
    steps, _, batch, h = y.shape
    dtype, backwards = y.dtype, runs_backwards(call.attributes, d)
    weights_h = r[d]
    first_h, load_h = initial_state(call, h0, d, batch, h)
    first_c, load_c = initial_state(call, c0, d, batch, h)
    before_h, fill_h = previous_states(call, y[:, d], first_h, lengths, backwards)
    before_c, fill_c = previous_states(call, cells[d], first_c, lengths, backwards)
    by_y = Incoming(call, None if by[0] is None else by[0][:, d], lengths)
    by_gates = Incoming(call, None if by[3] is None else by[3][d], lengths)
    by_cells = Incoming(call, None if by[4] is None else by[4][d], lengths)
    gathered = Gathered(by_z[d], before_h)
    f, g, squash = LSTM.activations_of(call.attributes)[d]
    apply_h, slope_h = apply_in_place(squash), slope_from_value(squash)
    slope_f, slope_g = slope_from_value(f), slope_from_value(g)
    squashed, slopes_h = call.scratch((steps, batch, h), dtype), call.scratch((steps, batch, h), dtype)
    change, tail = call.scratch((batch, 4 * h), dtype), call.scratch((batch, h), dtype)
    by_h, by_c = call.scratch((batch, h), dtype), call.scratch((batch, h), dtype)
    change_i, change_o, change_f, change_g = (change[:, k * h : (k + 1) * h] for k in range(4))
    views = [
        (z, *(gate[:, k * h : (k + 1) * h] for k in range(4)), *rest)
        for z, gate, *rest in zip(by_z[d], gates[d], before_c, squashed, slopes_h, strict=True)
    ]
    all_gates, all_slopes = gates[d], by_z[d]

    def before_loop() -> None:
        for load in (load_h, load_c, fill_h, fill_c, by_y.load, by_gates.load, by_cells.load):
            load()
        np.copyto(squashed, cells[d])
        apply_h(squashed, slopes_h)
        slope_h(squashed, slopes_h)
        # The memory of the gradient holds the slopes until the loop multiplies them.
        slope_f(all_gates[:, :, : 3 * h], all_slopes[:, :, : 3 * h])
        slope_g(all_gates[:, :, 3 * h :], all_slopes[:, :, 3 * h :])
        all_slopes[lengths.count :] = 0.0

    flow_h = Flow(lengths, backwards, by_h, None if by[1] is None else by[1][d], by_h0[d])
    flow_c = Flow(lengths, backwards, by_c, None if by[2] is None else by[2][d], by_c0[d])

    def run() -> None:
        before_loop()
        flow_h.start()
        flow_c.start()
        for t in lengths.order(not backwards):
            flow_h.enter(t)
            flow_c.enter(t)
            z, gate_i, gate_o, gate_f, candidate, c_before, squashed_c, slope_c = views[t]
            by_y.add(t, by_h)
            by_cells.add(t, by_c)
            np.multiply(by_h, squashed_c, change_o)
            np.multiply(by_h, gate_o, tail)
            np.multiply(tail, slope_c, tail)
            np.add(by_c, tail, by_c)
            np.multiply(by_c, candidate, change_i)
            np.multiply(by_c, c_before, change_f)
            np.multiply(by_c, gate_i, change_g)
            by_gates.add(t, change)
            np.multiply(z, change, z)
            np.multiply(by_c, gate_f, by_c)
            np.dot(z, weights_h, by_h)
            flow_h.leave(t)
            flow_c.leave(t)
        flow_h.finish()
        flow_c.finish()
        gathered.weights(by_r[d])
        gathered.bias(by_b[d, : 4 * h], by_b[d, 4 * h :])

    return run
