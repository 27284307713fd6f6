"""Saving the model, or its weights, while it is trained."""

from __future__ import annotations

import os
import warnings
from typing import Any

from graphc.callbacks.callback import Logs
from graphc.callbacks.monitor import MonitorCallback
from graphc.callbacks.progress import print_message
from graphc.errors import ArgumentError, CheckpointError


class ModelCheckpoint(MonitorCallback):
    """Saves the model after epochs, or after a number of batches.

    Args:
        filepath: where to; may hold ``{epoch}`` (from 1), ``{batch}`` and names of the logs, with formats:
            ``"model.{epoch:02d}-{val_loss:.2f}.weights.h5"``.
        monitor: the value that decides which model is the best.
        verbose: 1 to say what is saved.
        save_best_only: save only when the value has improved.
        save_weights_only: save the weights alone; the path must end in ``.weights.h5``, else in ``.keras``.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or after how many batches.
        initial_value_threshold: what the first value must beat.

    Raises:
        ArgumentError: the path has another ending, or ``save_freq`` makes no sense.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = str(os.fspath(filepath))
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.save_freq = save_freq
        self._epoch = 0
        self._batches = 0
        by_batch = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (by_batch and save_freq > 0):
            raise ArgumentError(
                f"Unrecognized save_freq: {save_freq!r}. Expected 'epoch' or a positive number of batches."
            )
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ArgumentError(
                f"ModelCheckpoint with save_weights_only={save_weights_only}: the path must end in "
                f"{' or '.join(endings)}; got {self.filepath!r}."
            )

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find out before the first epoch whether saving is going to work.

        Raises:
            ArgumentError: the model cannot be saved in this form.
            CheckpointError: the folder cannot be written.
        """
        method = "save_weights" if self.save_weights_only else "save"
        if not hasattr(self.model, method):
            raise ArgumentError(
                f"ModelCheckpoint: this model has no method {method!r}. "
                "Use save_weights_only=True and a path that ends in .weights.h5."
            )
        folder = os.path.dirname(self.filepath)
        if "{" not in folder:
            _make_folder(folder)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Remember the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save after every ``save_freq`` batches."""
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, batch, dict(logs or {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save after the epoch."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        if not self._is_wanted(epoch, logs, path):
            return
        _make_folder(os.path.dirname(path))
        if os.path.isdir(path):
            raise CheckpointError(f"ModelCheckpoint cannot write {path!r}: it is a directory. Give the path of a file.")
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _is_wanted(self, epoch: int, logs: dict[str, Any], path: str) -> bool:
        text = f"\nEpoch {epoch + 1}: saving model to {path}"
        wanted = True
        if self.save_best_only:
            current = logs.get(self.monitor)
            if current is None:
                warnings.warn(
                    f"ModelCheckpoint can save the best model only with {self.monitor!r} available; saving this one.",
                    stacklevel=2,
                )
                return True
            before = "None" if self.best is None else f"{self.best:.5f}"
            wanted = self.improves(current, self.best)
            if wanted:
                self.best = current
                change = f"{self.monitor} improved from {before} to {current:.5f}"
                text = f"\nEpoch {epoch + 1}: {change}, saving model to {path}"
            else:
                text = f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {before}"
        if self.verbose > 0:
            print_message(text)
        return wanted

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        values = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**values)
        except (KeyError, IndexError, ValueError) as error:
            raise ArgumentError(
                f"ModelCheckpoint cannot fill in the path {self.filepath!r}: {error}. "
                f"Available: {', '.join(sorted(values))}."
            ) from None


def _make_folder(folder: str) -> None:
    folder = folder or "."
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"ModelCheckpoint cannot make the folder {folder!r}: {error.strerror or error}."
        ) from error
    if not os.access(folder, os.W_OK):
        raise CheckpointError(f"ModelCheckpoint cannot write into the folder {folder!r}: permission denied.")
