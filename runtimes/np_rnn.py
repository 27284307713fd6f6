"""NumPy kernels of RNN, ``H' = f(X W + H R + b)``, and its gradient: one product before the loop and one after it."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ops.recurrent_types import RNN, count_directions, grad_operand_axes, operand_axes, runs_backwards
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


def rnn(call: Call) -> Step:
    """Bind RNN."""
    given = checked_operands(call, RNN, operand_axes(RNN))
    x, lens = given[0], given[4]
    lengths = Lengths(call, lens, len(x), x.shape[1])
    rows, load = flat_rows(call, x)
    directions = range(count_directions(call.attributes))
    return in_sequence([lengths.load, *load, *(_direction(call, given, d, rows, lengths) for d in directions)])


def _direction(call: Call, given: list[Any], d: int, rows: Array, lengths: Lengths) -> Step:
    x, w, r, bias, _, h0 = given
    y, y_h = call.outputs
    _, batch, h = y_h.shape
    backwards = runs_backwards(call.attributes, d)
    sums = call.scratch((len(x), batch, h), y.dtype)
    sum_inputs = input_sums(rows, w[d], [] if bias is None else [bias[d, :h], bias[d, h:]], sums)
    first, load = initial_state(call, h0, d, batch, h)
    transposed_r = r[d].T
    product = call.scratch((batch, h), y.dtype)
    (f,) = map(apply_in_place, RNN.activations_of(call.attributes)[d])
    views = list(zip(sums, y[:, d], strict=True))

    def run() -> None:
        load()
        sum_inputs()
        before = first
        for t in lengths.order(backwards):
            if backwards and before is not first and (starting := lengths.ends.get(t)) is not None:
                before[starting] = first[starting]
            z, out = views[t]
            np.dot(before, transposed_r, product)
            np.add(z, product, out)
            f(out, product)
            before = out
        lengths.clear_behind(y[:, d])
        lengths.final_state(y[:, d], first, y_h[d], backwards)

    return run


def rnn_grad(call: Call) -> Step:
    """Bind RNNGrad."""
    given = checked_operands(call, RNN, grad_operand_axes(RNN))
    y = given[3]
    lengths = Lengths(call, given[1], len(y), y.shape[2])
    directions = range(count_directions(call.attributes))
    return in_sequence([lengths.load, *(_direction_grad(call, given, d, lengths) for d in directions)])


def _direction_grad(call: Call, given: list[Any], d: int, lengths: Lengths) -> Step:
    r, _, h0, y, by_outputs, by_y_h = given
    by_z, by_r, by_b, by_h0 = call.outputs
    _, _, batch, h = y.shape
    backwards = runs_backwards(call.attributes, d)
    weights = r[d]
    first, load = initial_state(call, h0, d, batch, h)
    before, fill = previous_states(call, y[:, d], first, lengths, backwards)
    by_y = Incoming(call, None if by_outputs is None else by_outputs[:, d], lengths)
    (slope,) = map(slope_from_value, RNN.activations_of(call.attributes)[d])
    by_h = call.scratch((batch, h), y.dtype)
    flow = Flow(lengths, backwards, by_h, None if by_y_h is None else by_y_h[d], by_h0[d])
    gathered = Gathered(by_z[d], before)
    values, slopes = y[:, d], by_z[d]
    views = list(by_z[d])

    def run() -> None:
        load()
        fill()
        by_y.load()
        # The memory of the gradient holds the slopes until the loop multiplies them.
        slope(values, slopes)
        slopes[lengths.count :] = 0.0
        flow.start()
        for t in lengths.order(not backwards):
            flow.enter(t)
            z = views[t]
            by_y.add(t, by_h)
            np.multiply(z, by_h, z)
            np.dot(z, weights, by_h)
            flow.leave(t)
        flow.finish()
        gathered.weights(by_r[d])
        gathered.bias(by_b[d, :h], by_b[d, h:])

    return run
