"""Any cell along the time axis, as one loop whose step is the cell: what `RNN` does where no single op fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.loops import scan_steps
from graphc.structure import flatten, pack_like

Step = Callable[[Any, Any], tuple[Any, Any]]
"""``step(inputs, states) -> (output, new_states)`` for the slice of one time step."""


def run_cell(
    step: Step,
    sequences: Any,
    states: Any,
    mask: Any = None,
    *,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    return_sequences: bool = True,
) -> tuple[Any, Any, Any]:
    """Run a step from state to state along the time axis.

    A masked step leaves the states as they were, and its output is that of the step before, which before the first step
    that counts is zeros (as in Keras on TensorFlow and PyTorch; on JAX it is the initial state); with
    ``zero_output_for_mask`` it is always zeros.

    Args:
        step: one step, on inputs ``(batch, ...)``.
        sequences: ``(batch, time, ...)``.
        states: any nesting of tensors ``(batch, ...)``.
        mask: ``(batch, time)``, boolean; True where a step counts.
        go_backwards: from the last time step to the first; outputs come in this order.
        zero_output_for_mask: whether masked steps give zeros.
        return_sequences: whether the outputs of all steps are wanted.

    Returns:
        ``(last_output, outputs, last_states)``; ``outputs``, ``(batch, time, ...)``, is None unless wanted.
    """
    loop = _Loop(step, states, return_sequences)
    x = time_major(sequences)
    if mask is None:
        outputs, ends = scan_steps(loop.plain, flatten(states), [x], reverse=go_backwards)
        last = ends[loop.output_at] if loop.output_at is not None else outputs[0][0 if go_backwards else -1]
    else:
        before = ops.zeros_like(loop.call(_empty_step(sequences), flatten(states))[0])
        run = loop.masked_with_zeros if zero_output_for_mask else loop.masked
        outputs, ends = scan_steps(run, [*flatten(states), before], [x, time_major(mask)], reverse=go_backwards)
        last = ends.pop()
    ends = pack_like(states, ends)
    if not return_sequences:
        return last, None, ends
    ordered = ops.flip(outputs[0], 0) if go_backwards else outputs[0]
    return last, time_major(ordered), ends


class _Loop:
    """The steps that `run_cell` scans with: slices and flat states to outputs and flat new states."""

    def __init__(self, step: Step, states: Any, wanted: bool) -> None:
        self.step, self.states, self.wanted = step, states, wanted
        self.output_at: int | None = None
        """Which of the new states is the output, as in most cells; then the last output needs no others."""

    def call(self, x: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """The cell's step."""
        output, new = self.step(x, pack_like(self.states, states))
        flat = flatten(new)
        if len(flat) != len(states):
            raise ArgumentError(f"A cell must give as many new states as it gets: {len(states)}; it gave {len(flat)}.")
        self.output_at = next((i for i, state in enumerate(flat) if state is output), None)
        return output, flat

    def plain(self, slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
        """A step without a mask."""
        output, new = self.call(slices[0], states)
        return [output] if self.wanted or self.output_at is None else [], new

    def masked(self, slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
        """A step with a mask; the last of its states is the output before."""
        return self._masked(slices, states, states[-1])

    def masked_with_zeros(self, slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
        """A step with a mask whose output is zeros where it does not count."""
        return self._masked(slices, states, ops.zeros_like(states[-1]))

    def _masked(self, slices: list[Any], states: list[Any], otherwise: Any) -> tuple[list[Any], list[Any]]:
        x, counts = slices
        output, new = self.call(x, states[:-1])
        shown = select(counts, output, otherwise)
        kept = [select(counts, a, b) for a, b in zip(new, states[:-1], strict=True)]
        return [shown] if self.wanted else [], [*kept, shown]


def _empty_step(sequences: Any) -> Any:
    """Something with the type of one time step: only the type of what the cell makes of it is used."""
    batch, _, *rest = ops.shape(sequences)
    return ops.zeros((batch, *rest), dtype=dispatch.dtype_of(sequences))


def time_major(x: Any) -> Any:
    """``(batch, time, ...)`` as ``(time, batch, ...)``, and back."""
    return ops.swapaxes(x, 0, 1)


def select(counts: Any, x: Any, otherwise: Any) -> Any:
    """``x`` for the samples that ``counts`` says, ``(batch,)``, else ``otherwise``; both ``(batch, ...)``."""
    rank = len(dispatch.shape_of(x))
    for _ in range(rank - 1):
        counts = ops.expand_dims(counts, -1)
    return ops.where(counts, x, otherwise)
