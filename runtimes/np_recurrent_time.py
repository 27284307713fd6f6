"""How recurrent kernels walk through time: lengths of samples, initial and final states, the product with all inputs.

A direction that runs backwards starts at each sample's own last step. Its loop starts at the longest sample's; shorter
ones run along on numbers nobody reads, and are set to their initial state when their last step comes. The forward loop
runs shorter samples on beyond their end in the same way. What lies behind a sample's end is set to 0 afterwards. So the
loop has no mask, and is the same with and without lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import DataError
from graphc.ir.types import TensorType
from graphc.ops.recurrent_types import Axes, Checker, Recurrence
from graphc.runtimes.kernel import Array, Call, Step

Rows = Any
"""Rows of a batch: a slice for all of them, else their indices."""
_ALL = slice(None)


class Lengths:
    """The samples' lengths, read anew at each run.

    Attributes:
        count: steps until the longest sample ends.
        ends: step to the samples whose last step it is; -1 to those of length 0.
        varied: the op has an operand of lengths.
    """

    def __init__(self, call: Call, lengths: Array | None, steps: int, batch: int) -> None:
        self._op = call.op
        self._lengths = lengths
        self._steps = steps
        self.varied = lengths is not None
        self.count = steps
        self.ends: dict[int, Rows] = {steps - 1: _ALL}
        if lengths is not None:
            self._time = np.arange(steps, dtype=np.int32)[:, None]
            self._behind = call.scratch((steps, batch), np.bool_)

    def load(self) -> None:
        """Read the lengths.

        Raises:
            DataError: one is negative or longer than the sequences.
        """
        if self._lengths is None:
            return
        found = self._lengths.tolist()
        if found and not 0 <= min(found) <= max(found) <= self._steps:
            raise DataError(
                f"{self._op}: sequence_lens must be 0 to {self._steps}, the number of steps; "
                f"got {min(found)} to {max(found)}."
            )
        ends: dict[int, list[int]] = {}
        for row, length in enumerate(found):
            ends.setdefault(length - 1, []).append(row)
        self.ends = {step: np.array(rows) for step, rows in ends.items()}
        self.count = max(found, default=0)
        np.greater_equal(self._time, self._lengths, self._behind)

    def order(self, backwards: bool) -> range:
        """The steps in the order in which states flow."""
        return range(self.count - 1, -1, -1) if backwards else range(self.count)

    def clear_behind(self, *sequences: Array) -> None:
        """Set what lies behind the samples' ends to 0, in arrays ``[T, B, ...]``."""
        if self.varied:
            for sequence in sequences:
                np.copyto(sequence, 0.0, where=self._behind[:, :, None])

    def final_state(self, sequence: Array, initial: Array, out: Array, backwards: bool) -> None:
        """The states ``[B, H]`` after each sample's last step, from those of all steps ``[T, B, H]``."""
        for step, rows in self.ends.items():
            out[rows] = initial[rows] if step < 0 else sequence[0 if backwards else step][rows]


def checked_operands(call: Call, recurrence: Recurrence, axes: Axes) -> list[Any]:
    """The operands, None for each that is absent, once the lengths that had names are seen to agree.

    Raises:
        ShapeError: two lengths differ.
    """
    given = [*call.inputs, *[None] * (len(axes) - len(call.inputs))]
    types = [None if x is None else TensorType.of(x.dtype, x.shape) for x in given]
    Checker(recurrence, call.op, axes, types, call.attributes)
    return given


def initial_state(call: Call, given: Array | None, direction: int, batch: int, hidden: int) -> tuple[Array, Step]:
    """An initial state ``[B, H]`` in contiguous memory, and the step that fills it."""
    state = call.scratch((batch, hidden), call.outputs[0].dtype)
    if given is None:
        return state, lambda: state.fill(0.0)
    mine = given[direction]
    return state, lambda: np.copyto(state, mine)


def flat_rows(call: Call, x: Array) -> tuple[Array, list[Step]]:
    """``[T, B, I]`` as a matrix ``[T B, I]``: a view where the memory allows it, else a copy and what fills it."""
    rows = x.shape[0] * x.shape[1]
    if x.flags.c_contiguous:
        return x.reshape(rows, x.shape[2]), []
    copy = call.scratch(x.shape, x.dtype)
    return copy.reshape(rows, x.shape[2]), [lambda: np.copyto(copy, x)]


def input_sums(rows: Array, w: Array, bias: Sequence[Array], out: Array) -> Step:
    """A step that writes ``X W^T`` plus biases for all steps at once, into ``out [T, B, G]``."""
    flat_out = out.reshape(rows.shape[0], w.shape[0])
    transposed = w.T

    def run() -> None:
        np.dot(rows, transposed, flat_out)
        for vector in bias:
            np.add(flat_out, vector, flat_out)

    return run


def previous_states(
    call: Call, sequence: Array, initial: Array, lengths: Lengths, backwards: bool
) -> tuple[Array, Step]:
    """The state before each step ``[T, B, H]``, in contiguous memory, and the step that fills it."""
    states = call.scratch(sequence.shape, sequence.dtype)
    steps = len(sequence)

    def run() -> None:
        if not steps:
            return
        if not backwards:
            np.copyto(states[1:], sequence[:-1])
            np.copyto(states[0], initial)
            return
        np.copyto(states[:-1], sequence[1:])
        np.copyto(states[-1], initial)
        for step, rows in lengths.ends.items():
            if step >= 0:
                states[step][rows] = initial[rows]

    return states, run
