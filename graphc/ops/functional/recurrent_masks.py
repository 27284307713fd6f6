"""Masks of recurrent ops without a loop: valid steps move to the front, and outputs are gathered back to their places.

A masked step only carries the state, so a recurrence over a sequence with gaps is the recurrence over its valid steps. They
are moved to the front of each sample, in order; ``sequence_lens`` says how many there are; and the output at each step is
that of the last valid step so far, found by the running count of valid steps. Running backwards, it is the output of the
next valid step from here on. This is exact in both directions, for gaps anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphc.errors import ShapeError
from graphc.ops.functional.arguments import Tensor, scalar
from graphc.ops.functional.creation import arange
from graphc.ops.functional.dispatch import apply, cast_to, dtype_of, shape_of
from graphc.ops.shape_checks import agree_shapes

_INDEX = "int64"


@dataclass(frozen=True, slots=True)
class Packing:
    """Where the steps of a batch go, and how their outputs come back.

    Attributes:
        mask: ``(batch, time)``, True for valid steps.
        lengths: ``(batch,)`` int32: how many there are.
        source: ``(batch, time)``: the step that comes to each place; behind the valid ones it does not matter.
        count: ``(batch, time)``: valid steps up to and including each one.
        total: ``(batch, 1)``: the number of valid steps.
        place: ``(batch, time)``: where the last valid step so far has gone; 0 where there is none.
    """

    mask: Tensor
    lengths: Tensor
    source: Tensor
    count: Tensor
    total: Tensor
    place: Tensor

    @staticmethod
    def of(mask: Tensor, x: Tensor) -> Packing:
        """The packing of sequences ``x (batch, time, features)``.

        Raises:
            ShapeError: the mask is not ``(batch, time)``.
        """
        if agree_shapes(tuple(shape_of(mask)), tuple(shape_of(x)[:2])) is None:
            raise ShapeError(
                f"The mask of a recurrent layer must have shape (batch, time), here {tuple(shape_of(x)[:2])}; "
                f"got {tuple(shape_of(mask))}."
            )
        mask = mask if dtype_of(mask) == "bool" else cast_to(mask, "bool")
        batch, time = shape_of(mask)
        valid = cast_to(mask, _INDEX)
        count = apply("CumSum", valid, axis=1)
        total = apply("ReduceSum", valid, axes=(1,), keepdims=True)
        place = apply("Max", apply("Sub", count, scalar(1, count)), scalar(0, count))
        # Only valid steps bring their number; what masked ones add to the place that they share is 0.
        numbers = apply("Mul", valid, arange(time, dtype=_INDEX))
        source = apply("ScatterElementsAdd", place, numbers, axis=1, shape=(batch, time))
        lengths = cast_to(apply("Squeeze", total, axes=(1,)), "int32")
        return Packing(mask, lengths, source, count, total, place)

    def pack(self, x: Tensor) -> Tensor:
        """Sequences ``(batch, time, features)`` as ``(time, batch, features)``, valid steps first."""
        batch, time, features = shape_of(x)
        flat = apply("Reshape", x, shape=(batch * time, features))
        first = apply("Mul", arange(batch, dtype=_INDEX), cast_to(time, _INDEX))
        index = apply("Add", apply("Transpose", self.source, perm=(1, 0)), first)
        return apply("Gather", flat, index, axis=0)

    def unpack(self, y: Tensor, direction: int, backwards: bool, zero_masked: bool) -> Tensor:
        """The outputs of one direction, each at its own step.

        Args:
            y: the op's outputs ``(time, directions, batch, units)`` for packed sequences.
            direction: which one.
            backwards: this direction runs backwards.
            zero_masked: masked steps give zeros; else they repeat the output before them (behind them, if backwards), or
                zeros where there is none.

        Returns:
            ``(batch, time, units)``, in the order of time.
        """
        time, directions, batch, units = shape_of(y)
        if backwards:
            place = apply("Sub", self.count, cast_to(self.mask, _INDEX))
            has_output = apply("Less", place, self.total)
            place = apply("Min", place, cast_to(time - 1, _INDEX))
        else:
            has_output = apply("Greater", self.count, scalar(0, self.count))
            place = self.place
        first = apply("Unsqueeze", arange(batch, dtype=_INDEX), axes=(1,))
        if direction:
            first = apply("Add", first, cast_to(direction * batch, _INDEX))
        index = apply("Add", apply("Mul", place, cast_to(directions * batch, _INDEX)), first)
        rows = apply("Reshape", y, shape=(time * directions * batch, units))
        found = apply("Gather", rows, index, axis=0)
        shown = apply("Unsqueeze", self.mask if zero_masked else has_output, axes=(2,))
        return apply("Where", shown, found, scalar(0, found))

    def last_output(self, state: Tensor, backwards: bool, zero_masked: bool, zero_initial: bool) -> Tensor:
        """The output at the step that comes last in the order of processing, ``(batch, units)``.

        Args:
            state: the state after the last valid step.
            backwards: this direction runs backwards.
            zero_masked: a masked step gives zeros.
            zero_initial: the initial state is zero, and so is ``state`` where no step is valid.
        """
        if zero_masked:
            time = shape_of(self.mask)[1]
            at = 0 if backwards else time - 1
            last = apply("Gather", self.mask, cast_to(at, _INDEX), axis=1)
            return apply("Where", apply("Unsqueeze", last, axes=(1,)), state, scalar(0, state))
        if zero_initial:
            return state
        return apply("Where", apply("Greater", self.total, scalar(0, self.total)), state, scalar(0, state))
