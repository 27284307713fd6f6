"""What callbacks share that watch one value and ask whether it got better."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphc.callbacks.callback import Callback
from graphc.errors import ArgumentError

_MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Compares a value of the logs with the best one so far.

    Args:
        monitor: the value's name in the logs.
        mode: whether it should fall ("min") or rise ("max"); "auto" asks the model's metric of that name.
        baseline: what the first value must beat.
        min_delta: by how much a value must be better to count.

    Attributes:
        best: the best value so far; None before the first.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0.0
    ) -> None:
        super().__init__()
        if mode not in _MODES:
            raise ArgumentError(f"{type(self).__name__}: `mode` must be 'auto', 'min' or 'max'; got {mode!r}.")
        self.monitor, self.mode = monitor, mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self._rises: bool | None = None

    def improves(self, value: float, reference: float | None) -> bool:
        """True when ``value`` beats ``reference`` by more than ``min_delta``. Anything beats None, NaN nothing else.

        Raises:
            ArgumentError: in mode "auto" it is not known whether the value should fall or rise.
        """
        if self._rises is None:
            self._rises = self._should_rise()
        if reference is None:
            return True
        if self._rises:
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def monitored(self, logs: Mapping[str, Any]) -> float | None:
        """The watched value; None, after a warning, when the logs do not hold it."""
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} watches `{self.monitor}`, which is not available. "
                f"Available: {', '.join(logs) or 'nothing'}.",
                stacklevel=2,
            )
            return None
        return float(value)

    def _should_rise(self) -> bool:
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return False
        for metric in _flat_metrics(getattr(self.model, "metrics", None) or ()):
            # The metrics of a model with several outputs appear in the logs behind the output's name.
            direction = getattr(metric, "_direction", None)
            if direction is not None and (metric.name == name or name.endswith(f"_{metric.name}")):
                return bool(direction == "up")
        raise ArgumentError(
            f"{type(self).__name__} watches {self.monitor!r}, and whether that should rise or fall is not known. "
            "Pass mode='max' or mode='min'."
        )


def _flat_metrics(metrics: Iterable[Any]) -> Iterator[Any]:
    for metric in metrics:
        yield metric
        yield from _flat_metrics(getattr(metric, "metrics", None) or ())
