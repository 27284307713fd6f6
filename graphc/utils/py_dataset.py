"""`PyDataset`: batches that Python code makes, by number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from graphc.errors import ArgumentError, GraphcError


class PyDataset:
    """The base of data sets that make their batches in Python: ``fit``, ``evaluate`` and ``predict`` take one as ``x``.

    A subclass has ``__len__``, the number of batches in an epoch, and ``__getitem__``, which gives batch ``index`` as ``x``,
    ``(x, y)`` or ``(x, y, sample_weight)``. It may have ``on_epoch_end``, for instance to shuffle its samples.

    Args:
        workers: accepted as in Keras. Batches are made one after the other, in the thread that trains.
        use_multiprocessing: accepted as in Keras.
        max_queue_size: accepted as in Keras.

    Raises:
        ArgumentError: an argument is not of these kinds.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        for name, value, least in (("workers", workers, 0), ("max_queue_size", max_queue_size, 0)):
            if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
                raise ArgumentError(f"`{name}` must be an integer of at least {least}; got {name}={value!r}.")
        self.workers = workers
        self.use_multiprocessing = bool(use_multiprocessing)
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Batch number ``index``; to be written by subclasses."""
        raise GraphcError(f"{type(self).__name__} does not define `__getitem__(self, index)`, which makes a batch.")

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch, in order."""
        length = self.num_batches
        return (self[i] for i in (count() if length is None else range(length)))

    @property
    def num_batches(self) -> int | None:
        """The number of batches in an epoch; None for an endless data set."""
        if not hasattr(self, "__len__"):
            raise GraphcError(f"{type(self).__name__} does not define `__len__(self)`, the number of batches.")
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


Sequence = PyDataset
