"""The base of all callbacks: one method for each point of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Logs = Mapping[str, Any] | None
LogSource = Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None
"""Logs, or a function that computes them: called only where a callback wants to see them."""


class Callback:
    """Watches training: override the hooks that matter.

    ``logs`` is a dict of names to floats. On batches it holds the running values of the epoch so far, at the end of an
    epoch also those of the validation data, under names that start with ``val_``. What a callback adds to an epoch's
    logs is seen by the callbacks behind it, `History` included.

    Attributes:
        model: the model that is trained; ``model.stop_training = True`` ends training after the current batch or epoch.
        params: ``verbose``, ``epochs`` and ``steps`` (batches per epoch; None if unknown).
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the parameters of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self._model = model

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a training batch; another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a training batch; another name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a training batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a training batch."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of ``evaluate`` or of the validation in ``fit``."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of ``evaluate`` or of the validation in ``fit``."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of ``predict``."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of ``predict``; ``logs`` holds its ``outputs``."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """After an epoch and its validation."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch of ``fit``."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch of ``fit``."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before ``evaluate``, and before the validation in ``fit``."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After ``evaluate``, and after the validation in ``fit``."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before ``predict``."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After ``predict``."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
"""The names of all hooks."""
