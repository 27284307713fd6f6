"""NumPy kernels of GRU and its gradient.

At each step, with gates z, r (activation f) and candidate n (activation g), ONNX's h::

    z, r = f(X W + H R + b)
    n = g(X W_h + Wb_h + r * inner)            inner = H R_h + Rb_h        with linear_before_reset
    n = g(X W_h + Wb_h + inner R_h + Rb_h)     inner = r * H               without
    H' = (1 - z) * n + z * H
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ops.recurrent_types import GRU, count_directions, grad_operand_axes, operand_axes, runs_backwards
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


def gru(call: Call) -> Step:
    """Bind GRU."""
    given = checked_operands(call, GRU, operand_axes(GRU))
    x, lens = given[0], given[4]
    lengths = Lengths(call, lens, len(x), x.shape[1])
    rows, load = flat_rows(call, x)
    directions = range(count_directions(call.attributes))
    return in_sequence([lengths.load, *load, *(_direction(call, given, d, rows, lengths) for d in directions)])


def _direction(call: Call, given: list[Any], d: int, rows: Array, lengths: Lengths) -> Step:
    _, w, r, bias, _, h0 = given
    y, y_h, gates, inner = call.outputs
    _, batch, h = y_h.shape
    backwards, reset_after = runs_backwards(call.attributes, d), call.attributes["linear_before_reset"] != 0
    first, load = initial_state(call, h0, d, batch, h)
    biases = [] if bias is None else [bias[d, : 3 * h]] if reset_after else [bias[d, : 3 * h], bias[d, 3 * h :]]
    sum_inputs = input_sums(rows, w[d], biases, gates[d])
    recurrent_bias = None if bias is None else bias[d, 3 * h :]
    transposed_r, transposed_zr, transposed_h = r[d].T, r[d, : 2 * h].T, r[d, 2 * h :].T
    wide = call.scratch((batch, 3 * h), y.dtype)
    double, single = call.scratch((batch, 2 * h), y.dtype), call.scratch((batch, h), y.dtype)
    wide_zr, wide_h = wide[:, : 2 * h], wide[:, 2 * h :]
    f, g = map(apply_in_place, GRU.activations_of(call.attributes)[d])
    views = [
        (sums[:, : 2 * h], *(sums[:, k * h : (k + 1) * h] for k in range(3)), touched, out)
        for sums, touched, out in zip(gates[d], inner[d], y[:, d], strict=True)
    ]

    def reset_products(before: Array, sums_zr: Array, reset: Array, candidate: Array, touched: Array) -> None:
        """The reset gate scales the product: one product with all weights."""
        np.dot(before, transposed_r, wide)
        if recurrent_bias is not None:
            np.add(wide, recurrent_bias, wide)
        np.add(sums_zr, wide_zr, sums_zr)
        f(sums_zr, double)
        np.copyto(touched, wide_h)
        np.multiply(reset, touched, single)
        np.add(candidate, single, candidate)

    def reset_state(before: Array, sums_zr: Array, reset: Array, candidate: Array, touched: Array) -> None:
        """The reset gate scales the state: the candidate's product comes after the gates."""
        np.dot(before, transposed_zr, double)
        np.add(sums_zr, double, sums_zr)
        f(sums_zr, double)
        np.multiply(reset, before, touched)
        np.dot(touched, transposed_h, single)
        np.add(candidate, single, candidate)

    advance = reset_products if reset_after else reset_state

    def run() -> None:
        load()
        sum_inputs()
        before = first
        for t in lengths.order(backwards):
            if backwards and before is not first and (starting := lengths.ends.get(t)) is not None:
                before[starting] = first[starting]
            sums_zr, update, reset, candidate, touched, out = views[t]
            advance(before, sums_zr, reset, candidate, touched)
            g(candidate, single)
            np.subtract(before, candidate, out)
            np.multiply(out, update, out)
            np.add(out, candidate, out)
            before = out
        lengths.clear_behind(y[:, d], gates[d], inner[d])
        lengths.final_state(y[:, d], first, y_h[d], backwards)

    return run


def gru_grad(call: Call) -> Step:
    """Bind GRUGrad."""
    given = checked_operands(call, GRU, grad_operand_axes(GRU))
    y = given[3]
    lengths = Lengths(call, given[1], len(y), y.shape[2])
    directions = range(count_directions(call.attributes))
    return in_sequence([lengths.load, *(_direction_grad(call, given, d, lengths) for d in directions)])


def _direction_grad(call: Call, given: list[Any], d: int, lengths: Lengths) -> Step:
    r, _, h0, y, gates, inner, *by = given
    by_z, by_r, by_b, by_h0 = call.outputs
    steps, _, batch, h = y.shape
    backwards, reset_after = runs_backwards(call.attributes, d), call.attributes["linear_before_reset"] != 0
    first, load = initial_state(call, h0, d, batch, h)
    before, fill = previous_states(call, y[:, d], first, lengths, backwards)
    by_y = Incoming(call, None if by[0] is None else by[0][:, d], lengths)
    by_gates_zr = Incoming(call, None if by[2] is None else by[2][d, :, :, : 2 * h], lengths)
    by_gates_n = Incoming(call, None if by[2] is None else by[2][d, :, :, 2 * h :], lengths)
    by_inner = Incoming(call, None if by[3] is None else by[3][d], lengths)
    slope_f, slope_g = map(slope_from_value, GRU.activations_of(call.attributes)[d])
    all_z, all_zr, all_n = by_z[d], by_z[d, :, :, : 2 * h], by_z[d, :, :, 2 * h :]
    # With linear_before_reset, r scales the candidate's product: what reaches R and its bias is not by_z.
    recurrent = call.scratch((steps, batch, 3 * h), y.dtype) if reset_after else all_z
    weights, weights_zr, weights_h = r[d], r[d, : 2 * h], r[d, 2 * h :]
    change_zr = call.scratch((batch, 2 * h), y.dtype)
    by_h, by_before, change_n, tail = (call.scratch((batch, h), y.dtype) for _ in range(4))
    change_z, change_r = change_zr[:, :h], change_zr[:, h:]
    flow = Flow(lengths, backwards, by_h, None if by[1] is None else by[1][d], by_h0[d])
    views = [
        (zr, n, back, *(gate[:, k * h : (k + 1) * h] for k in range(3)), state, touched)
        for zr, n, back, gate, state, touched in zip(all_zr, all_n, recurrent, gates[d], before, inner[d], strict=True)
    ]

    def through_products(t: int) -> None:
        """Back through ``r * (H R_h + Rb_h)``."""
        zr, n, back, _, reset, _, _, touched = views[t]
        np.multiply(n, touched, change_r)
        by_gates_zr.add(t, change_zr)
        np.multiply(zr, change_zr, zr)
        np.copyto(back[:, : 2 * h], zr)
        np.multiply(n, reset, back[:, 2 * h :])
        by_inner.add(t, back[:, 2 * h :])
        np.dot(back, weights, tail)

    def through_state(t: int) -> None:
        """Back through ``(r * H) R_h``."""
        zr, n, _, _, reset, _, state, _ = views[t]
        np.dot(n, weights_h, tail)
        by_inner.add(t, tail)
        np.multiply(tail, state, change_r)
        np.multiply(tail, reset, tail)
        np.add(by_before, tail, by_before)
        by_gates_zr.add(t, change_zr)
        np.multiply(zr, change_zr, zr)
        np.dot(zr, weights_zr, tail)

    retreat = through_products if reset_after else through_state

    def run() -> None:
        for step in (load, fill, by_y.load, by_gates_zr.load, by_gates_n.load, by_inner.load):
            step()
        # The memory of the gradient holds the slopes until the loop multiplies them.
        slope_f(gates[d, :, :, : 2 * h], all_zr)
        slope_g(gates[d, :, :, 2 * h :], all_n)
        all_z[lengths.count :] = 0.0
        recurrent[lengths.count :] = 0.0
        flow.start()
        for t in lengths.order(not backwards):
            flow.enter(t)
            _, n, _, update, _, candidate, state, _ = views[t]
            by_y.add(t, by_h)
            np.subtract(state, candidate, tail)
            np.multiply(by_h, tail, change_z)
            np.multiply(by_h, update, by_before)
            np.subtract(by_h, by_before, change_n)
            by_gates_n.add(t, change_n)
            np.multiply(n, change_n, n)
            retreat(t)
            np.add(by_before, tail, by_h)
            flow.leave(t)
        flow.finish()
        if reset_after:
            Gathered(recurrent, before).weights(by_r[d])
        else:
            Gathered(all_zr, before).weights(by_r[d, : 2 * h])
            Gathered(all_n, inner[d]).weights(by_r[d, 2 * h :])
        Gathered(all_z, before).bias(by_b[d, : 3 * h])
        Gathered(recurrent, before).bias(by_b[d, 3 * h :])

    return run
