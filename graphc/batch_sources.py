"""Where the batches of an epoch come from: arrays in memory, iterators, objects that give batches by number."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.data import ArrayData, batches, unpack_x_y_sample_weight
from graphc.errors import DataError
from graphc.seeding import next_seed

if TYPE_CHECKING:
    from graphc.train_step import Step
    from graphc.training import Filler, Trainer


class ArraySource:
    """Batches of samples in memory."""

    def __init__(self, trainer: Trainer, data: ArrayData, batch_size: int, steps: int | None) -> None:
        self.trainer, self.data, self.batch_size = trainer, data, batch_size
        self._limit = steps
        self._rest: Iterator[tuple[Step, dict[str, Filler]]] | None = None

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        count = math.ceil(self.data.size / self.batch_size)
        return count if self._limit is None else self._limit

    def check(self) -> None:
        """Look at batch sizes and targets before anything is updated."""
        fixed = self.trainer.fixed_batch()
        if fixed is not None and (self.batch_size != fixed or self.data.size % fixed):
            raise DataError(
                f"The model was built for batches of {fixed} samples: pass batch_size={fixed} and a number of samples that "
                f"it divides; got batch_size={self.batch_size} and {self.data.size} samples."
            )
        self.trainer.check_targets(self.data)

    def batches(self, shuffle: bool, training: bool) -> Iterator[tuple[Step, dict[str, Filler]]]:
        """Each batch's step and what fills its inputs."""
        if self._limit is None:
            yield from self._pass(shuffle, training)
            return
        for _ in range(self._limit):  # an epoch of a given length goes on where the last one stopped
            batch = next(self._rest, None) if self._rest is not None else None
            if batch is None:
                self._rest = self._pass(shuffle, training)
                batch = next(self._rest)
            yield batch

    def _pass(self, shuffle: bool, training: bool) -> Iterator[tuple[Step, dict[str, Filler]]]:
        """All samples once."""
        step = self.trainer.step_for(self.data.arrays, training)
        used = {name: self.data.arrays[name] for name in step.inputs}
        order = self.data.order(shuffle)
        for start, stop in batches(self.data.size, self.batch_size):
            yield step, {name: (a, start, stop, order) for name, a in used.items()}


class GeneratorSource:
    """Batches that Python code makes, one at a time.

    An iterator is used as it is: it may go on for ever, and an epoch takes ``steps`` of its batches. An object with a length
    (`PyDataset`) gives each batch once in an epoch, in another order each time when shuffled, and is told where epochs
    begin and end.
    """

    def __init__(self, trainer: Trainer, generator: Any, steps: int | None, class_weight: Any) -> None:
        self.trainer, self.generator, self.class_weight = trainer, generator, class_weight
        self._is_iterator = hasattr(generator, "__next__")
        self._seen = False
        self.steps = steps if steps is not None else (len(generator) if hasattr(generator, "__len__") else None)

    def check(self) -> None:
        """Batches are checked as they come."""

    def batches(self, shuffle: bool, training: bool) -> Iterator[tuple[Step, dict[str, Filler]]]:
        """Each batch's step and what fills its inputs.

        Raises:
            DataError: there is no batch at all, or one cannot be used.
        """
        self._tell("on_epoch_begin")
        number = 0
        for batch in self.stream(shuffle):
            x, y, weight = unpack_x_y_sample_weight(batch)
            data = self.trainer.prepare_data(x, y, weight, self.class_weight)
            self.trainer.check_targets(data)
            step = self.trainer.step_for(data.arrays, training)
            yield step, {name: (data.arrays[name], 0, data.size, None) for name in step.inputs}
            number += 1
            if number == self.steps:
                break
        self._tell("on_epoch_end")
        if number == 0 and not self._seen:
            raise DataError("The generator gave no batches: the dataset is empty.")
        self._seen = True
        if number == 0 or (self.steps is not None and number < self.steps):
            self.trainer.stop_training = self.trainer.stop_training or training
            warnings.warn(
                f"The generator ran out of data after {number} batches of this epoch. Training stops here: pass an endless "
                "generator and `steps_per_epoch`, or an object with a length.",
                stacklevel=2,
            )

    def stream(self, shuffle: bool = False) -> Iterator[Any]:
        """The batches of one epoch, or of all of them where an iterator gives them."""
        # A generator around an iterator would close it behind the last step of an epoch.
        stream: Iterator[Any] = self.generator if self._is_iterator else self._items(shuffle)
        return stream

    def _items(self, shuffle: bool) -> Iterator[Any]:
        length = len(self.generator)
        order = np.random.default_rng(next_seed()).permutation(length) if shuffle else range(length)
        return (self.generator[int(i)] for i in order)

    def _tell(self, event: str) -> None:
        if not self._is_iterator and hasattr(self.generator, event):
            getattr(self.generator, event)()
