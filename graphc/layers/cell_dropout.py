"""Dropout inside recurrent cells: masks that are drawn once for a sequence and used at each of its steps.

Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks" (2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import random


@dataclass(frozen=True)
class Masks:
    """Factors for the inputs and for the previous state: none, one, or one for each gate."""

    inputs: tuple[Any, ...] = ()
    state: tuple[Any, ...] = ()


NO_MASKS = Masks()


class DropoutCell(Layer):
    """A cell with dropout.

    Args:
        dropout: share of the inputs that training drops; brought into [0, 1].
        recurrent_dropout: share of the previous state that training drops; brought into [0, 1].
        seed: for masks that do not depend on the program's seed.
        masks_per_gate: whether each gate has masks of its own, as Keras's ``implementation=1`` has them, which
            ``recurrent_dropout`` also asks for.
    """

    gates: int

    def __init__(
        self,
        *,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        masks_per_gate: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.masks_per_gate = masks_per_gate or self.recurrent_dropout != 0.0
        self._drawn: Masks | None = None

    def dropout_shapes(self, batch: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The shapes of the inputs and of the state of one step; to be written by subclasses."""
        raise NotImplementedError

    def masks(self, batch: Any, training: bool | None) -> Masks:
        """The masks of this step: those of the running sequence, or new ones for a step on its own."""
        if not training:
            return NO_MASKS
        return self.draw(batch) if self._drawn is None else self._drawn

    def draw(self, batch: Any) -> Masks:
        """New masks for ``batch`` samples."""
        count = self.gates if self.masks_per_gate else 1
        inputs, state = self.dropout_shapes(batch)
        return Masks(
            self._factors(count, inputs, self.dropout, self.seed),
            # Another stream than the inputs', also where both are fixed by one seed.
            self._factors(count, state, self.recurrent_dropout, None if self.seed is None else self.seed + 1),
        )

    def _factors(self, count: int, shape: tuple[Any, ...], rate: float, seed: int | None) -> tuple[Any, ...]:
        if not 0.0 < rate < 1.0:  # as in Keras, where a rate of 1 drops nothing
            return ()
        drawn = random.uniform((count, *shape), dtype="float32", seed=seed)
        kept = ops.cast(ops.greater_equal(drawn, rate), self.compute_dtype)
        factors = ops.multiply(kept, 1.0 / (1.0 - rate))
        return tuple(ops.squeeze(block, 0) for block in ops.split(factors, count, axis=0))


@contextmanager
def sequence_masks(cells: list[Any], batch: Any, training: bool | None) -> Iterator[None]:
    """Inside, each step of these cells uses the same masks, which are drawn now; cells without dropout are left alone."""
    dropping = [cell for cell in cells if isinstance(cell, DropoutCell) and training]
    for cell in dropping:
        cell._drawn = cell.draw(batch)
    try:
        yield
    finally:
        for cell in dropping:
            cell._drawn = None
