"""Stopping when a value no longer gets better."""

from __future__ import annotations

from typing import Any

from graphc.callbacks.callback import Logs
from graphc.callbacks.monitor import MonitorCallback
from graphc.callbacks.progress import print_message


class EarlyStopping(MonitorCallback):
    """Stops training when a value has not improved for ``patience`` epochs.

    Args:
        monitor: the value's name in the logs.
        min_delta: by how much it must be better to count.
        patience: epochs without improvement after which training stops.
        verbose: 1 to say what is done.
        mode: "min", "max" or "auto".
        baseline: the patience also runs while the value has not beaten this one.
        restore_best_weights: give the model the weights of the best epoch when training ends.
        start_from_epoch: epochs before this one are not watched.

    Attributes:
        stopped_epoch: the epoch that was the last one; 0 if training was not stopped.
        best_epoch: the epoch of the best value.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start anew, so that one object serves several calls of ``fit``."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare, and stop training when the patience is over."""
        current = self.monitored(logs or {})
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep_weights(epoch)  # the first epoch is the best so far, whatever its value
        self.wait += 1
        if self.improves(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self._keep_weights(epoch)
            if self.baseline is None or self.improves(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Restore the best weights."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                print_message(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _keep_weights(self, epoch: int) -> None:
        self.best_weights, self.best_epoch = self.model.get_weights(), epoch
