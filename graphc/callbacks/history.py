"""The record of a training run that ``fit`` returns."""

from __future__ import annotations

from typing import Any

from graphc.callbacks.callback import Callback, Logs


class History(Callback):
    """Keeps the logs of every epoch; ``fit`` adds one and returns it.

    Attributes:
        history: name to the list of its values, one for each epoch.
        epoch: the numbers of the epochs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forget the epochs' numbers; the values go on when one object serves several calls of ``fit``, as in Keras."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
