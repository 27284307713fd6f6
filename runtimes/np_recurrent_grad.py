"""What the kernels of recurrent gradients share: gradients that come in at each step, flow back in time, and are gathered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphc.runtimes.kernel import Array, Call
from graphc.runtimes.np_recurrent_time import Lengths


class Incoming:
    """The gradient of a result ``[T, B, ...]`` at each step; nothing where it is absent.

    What lies behind a sample's end is a constant 0, so its gradient is not heard.
    """

    def __init__(self, call: Call, given: Array | None, lengths: Lengths) -> None:
        self._given = given
        self._lengths = lengths
        self._steps = given
        if given is not None and lengths.varied:
            self._steps = call.scratch(given.shape, given.dtype)

    def load(self) -> None:
        """Make a copy without what lies behind the ends, where there are lengths."""
        if self._given is not None and self._steps is not None and self._lengths.varied:
            np.copyto(self._steps, self._given)
            self._lengths.clear_behind(self._steps)

    def add(self, step: int, total: Array) -> None:
        """Add the gradient that comes in at a step."""
        if self._steps is not None:
            np.add(total, self._steps[step], total)


@dataclass(slots=True)
class Flow:
    """The gradient by one state ``[B, H]`` on its way from each sample's last step to its initial state.

    A sample's gradient starts as that of its final state, and is 0 before it starts and after it has left.

    Attributes:
        lengths: when samples end.
        backwards: the forward pass ran from the end, so that gradients run from the start.
        by_state: the gradient by the state, which the loop carries.
        by_final: the gradient of the final state, if any.
        by_initial: receives the gradient by the initial state.
    """

    lengths: Lengths
    backwards: bool
    by_state: Array
    by_final: Array | None
    by_initial: Array

    def start(self) -> None:
        """Before the first step."""
        if self.backwards and self.by_final is not None:
            np.copyto(self.by_state, self.by_final)
        else:
            self.by_state.fill(0.0)
        if self.backwards:
            self.leave(-1)

    def enter(self, step: int) -> None:
        """Before a step: samples that ended with it start."""
        if not self.backwards and self.by_final is not None and (rows := self.lengths.ends.get(step)) is not None:
            self.by_state[rows] += self.by_final[rows]

    def leave(self, step: int) -> None:
        """After a step: samples whose first step it was are done."""
        if self.backwards and (rows := self.lengths.ends.get(step)) is not None:
            self.by_initial[rows] = self.by_state[rows]
            self.by_state[rows] = 0.0

    def finish(self) -> None:
        """After the last step."""
        if not self.backwards:
            self.enter(-1)
            np.copyto(self.by_initial, self.by_state)


@dataclass(slots=True)
class Gathered:
    """Gradients of recurrent weights and bias: one product over all steps.

    Attributes:
        by_sums: gradient of the sums that the recurrent product enters, ``[T, B, G]``, contiguous.
        states: what the recurrent weights were multiplied with, ``[T, B, H]``, contiguous.
    """

    by_sums: Array
    states: Array

    def weights(self, out: Array) -> None:
        """The gradient of ``R [G, H]``."""
        flat = self.by_sums.reshape(-1, self.by_sums.shape[2])
        np.dot(flat.T, self.states.reshape(-1, self.states.shape[2]), out)

    def bias(self, *outs: Array) -> None:
        """The gradient of each bias ``[G]`` that was added to the sums."""
        first, *others = outs
        np.add.reduce(self.by_sums.reshape(-1, self.by_sums.shape[2]), axis=0, out=first)
        for out in others:
            np.copyto(out, first)
