"""The logs of every epoch as a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import IO, Any

from graphc.callbacks.callback import Callback, Logs
from graphc.errors import CheckpointError


class CSVLogger(Callback):
    """Writes one row per epoch: ``epoch``, then the logs sorted by name; "NA" for what is missing.

    Args:
        filename: the file.
        separator: between the columns.
        append: whether rows are added to an existing file, without a second header.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator, self.append = separator, append
        self._file: IO[str] | None = None
        self._columns: list[str] | None = None
        self._header = True

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the file.

        Raises:
            CheckpointError: it cannot be written.
        """
        self._close()
        self._columns = None
        try:
            self._header = not (self.append and os.path.exists(self.filename) and os.path.getsize(self.filename))
            # The csv module writes the ends of lines itself.
            self._file = open(self.filename, "a" if self.append else "w", encoding="utf-8", newline="")  # noqa: SIM115
        except OSError as error:
            raise CheckpointError(f"CSVLogger cannot write {self.filename!r}: {error.strerror or error}.") from error

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a row."""
        logs = logs or {}
        if self._file is None:
            self.on_train_begin()
        assert self._file is not None
        writer = csv.writer(self._file, delimiter=self.separator)
        if self._columns is None:
            self._columns = _columns(logs)
            if self._header:
                writer.writerow(["epoch", *self._columns])
        writer.writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self._columns)])
        self._file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the file."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _columns(logs: dict[str, Any]) -> list[str]:
    """The names in order, with those of validation even if the first epoch has none: they may come later."""
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return [*names, *(f"val_{name}" for name in names)]


def _cell(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f'"[{", ".join(map(str, value))}]"'
    return value
