"""Changing the learning rate between epochs: by a function of the epoch, or when a value no longer gets better."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.callbacks.callback import Callback, Logs
from graphc.callbacks.monitor import MonitorCallback
from graphc.callbacks.progress import print_message
from graphc.errors import ArgumentError


def _current_rate(model: Any) -> float:
    return float(np.asarray(model.optimizer.learning_rate))


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: ``schedule(epoch, learning_rate)``, or ``schedule(epoch)``, gives the rate of the epoch.
        verbose: 1 to print it.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise ArgumentError(
                f"LearningRateScheduler: `schedule` must be a function of epoch and learning rate; got {schedule!r}."
            )
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set the rate.

        Raises:
            ArgumentError: the function gave something that is not a learning rate.
        """
        arguments = (epoch, _current_rate(self.model)) if self._takes_rate() else (epoch,)
        rate = self.schedule(*arguments)
        if isinstance(rate, bool) or not isinstance(rate, int | float | np.number):
            raise ArgumentError(
                f"The output of the `schedule` function should be a float; got {rate!r} at epoch {epoch}."
            )
        self.model.optimizer.learning_rate = rate
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put the rate into the logs."""
        if logs is not None:
            logs["learning_rate"] = _current_rate(self.model)

    def _takes_rate(self) -> bool:
        try:
            parameters = inspect.signature(self.schedule).parameters.values()
        except ValueError:  # a built-in without a signature
            return True
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        return len(positional) > 1 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by ``factor`` when a value has not improved for ``patience`` epochs.

    Args:
        monitor: the value's name in the logs.
        factor: below 1.
        patience: epochs without improvement after which the rate falls.
        verbose: 1 to print the new rate.
        mode: "min", "max" or "auto".
        min_delta: by how much the value must be better to count.
        cooldown: epochs after a fall in which nothing is counted.
        min_lr: the rate never falls below this.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if not 0 <= factor < 1 or math.isnan(factor):
            raise ArgumentError(f"ReduceLROnPlateau: `factor` must be at least 0 and below 1; got {factor}.")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start anew, so that one object serves several calls of ``fit``."""
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare, and lower the rate when the patience is over; the rate of the epoch goes into the logs."""
        logs = {} if logs is None else logs
        rate = _current_rate(self.model)
        logs["learning_rate"] = rate
        current = self.monitored(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and rate > np.float32(self.min_lr):
                self._lower(rate, epoch)

    def in_cooldown(self) -> bool:
        """True while epochs after a fall are not counted."""
        return self.cooldown_counter > 0

    def _lower(self, rate: float, epoch: int) -> None:
        lower = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = lower
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {lower}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
