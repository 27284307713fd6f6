"""The progress line, in Keras 3's form: bar, time, time per step and the running values of loss and metrics."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from graphc.callbacks.callback import Callback, Logs
from graphc.errors import ArgumentError

_BOLD, _GREEN, _WHITE, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"
_CELL = "━"

Values = Iterable[tuple[str, Any]]


def print_message(text: str, end: str = "\n") -> None:
    """Write to standard output at once, with ``=`` for bar cells that its encoding does not have."""
    stream = sys.stdout
    try:
        _CELL.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = text.replace(_CELL, "=")
    stream.write(text + end)
    stream.flush()


def _redraws() -> bool:
    """True where a line can be drawn over itself: terminals, notebooks and PyCharm's console."""
    is_terminal = getattr(sys.stdout, "isatty", lambda: False)
    return bool(is_terminal()) or "ipykernel" in sys.modules or "PYCHARM_HOSTED" in os.environ


class Progbar:
    """A progress bar that is drawn over itself on a terminal; elsewhere only its last state is written, as plain text.

    Args:
        target: the number of steps; None if unknown.
        width: cells of the bar.
        verbose: 0 writes nothing, 1 a bar, 2 one line without a bar at the end.
        interval: seconds between two drawings, at least.
        stateful_metrics: names of values that are shown as they come; all others are averaged over the steps.
        stateless_metrics: instead, the names of those that are averaged; all others are shown as they come.
        unit_name: what is counted.

    Raises:
        ArgumentError: both kinds of names were given.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ArgumentError("Progbar: give either `stateful_metrics` or `stateless_metrics`, not both.")
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.unit_name = unit_name
        self._stateful = frozenset(stateful_metrics or ())
        self._stateless = None if stateless_metrics is None else frozenset(stateless_metrics)
        self._redraws = _redraws()
        self._values: dict[str, tuple[float, float]] = {}
        """Name to a weighted sum and its weight."""
        self._seen = 0
        self._start = time.monotonic()
        self._last_drawn = -float("inf")
        self._after_first_step: float | None = None
        self._drawn_width = 0

    def is_due(self) -> bool:
        """True when an update would be drawn now, though it is not the last one."""
        return self.verbose == 1 and self._redraws and time.monotonic() - self._last_drawn >= self.interval

    def update(self, current: int, values: Values | None = None, finalize: bool | None = None) -> None:
        """Note that ``current`` steps are done.

        Args:
            current: steps done so far.
            values: names and their values in the step.
            finalize: whether this is the last update; by default when ``target`` is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        self._note(current, values or (), finalize)
        self._seen = current
        now = time.monotonic()
        duration = self._step_duration(current, now)
        if self.verbose == 2 and finalize and self.target:
            head = f"{self._count(current)} - {now - self._start:.0f}s - {self._per_unit(duration)}"
            print_message(head + self._shown_values())
        elif self.verbose == 1 and (finalize or (self._redraws and now - self._last_drawn >= self.interval)):
            self._draw(current, now, duration, finalize)
            self._last_drawn = now

    def add(self, n: int, values: Values | None = None) -> None:
        """Note that ``n`` more steps are done."""
        self.update(self._seen + n, values)

    def _note(self, current: int, values: Values, finalize: bool) -> None:
        for name, value in values:
            averaged = name in self._stateless if self._stateless is not None else name not in self._stateful
            number = float(np.mean(value))
            if not averaged or finalize:
                self._values[name] = (number, 1.0)
                continue
            steps = max(current - self._seen, 1)
            total, count = self._values.get(name, (0.0, 0.0))
            self._values[name] = (total + number * steps, count + steps)

    def _draw(self, current: int, now: float, duration: float, finalize: bool) -> None:
        if self.target:
            done = int(self.width * current / self.target)
            cells = [(_BOLD, self._count(current)), ("", " ")]
            cells += [(_GREEN, _CELL * done)] if done else []
            cells.append((_WHITE, _CELL * (self.width - done)))
        else:
            cells = [("", f"{current:7d}/Unknown")]
        remaining = duration * (self.target - current) if self.target and not finalize else None
        clock = f"{now - self._start:.0f}s" if remaining is None else _remaining(remaining)
        cells += [("", " "), (_BOLD, clock), ("", f" {self._per_unit(duration)}{self._shown_values()}")]
        if not self._redraws:
            print_message("".join(text for _, text in cells))
            return
        width = sum(len(text) for _, text in cells)
        line = "".join(f"{colour}{text}{_PLAIN}" if colour else text for colour, text in cells)
        over = "\b" * self._drawn_width + "\r"
        print_message(over + line + " " * (self._drawn_width - width), end="\n" if finalize else "")
        self._drawn_width = width

    def _count(self, current: int) -> str:
        return f"{current:{len(str(self.target))}d}/{self.target}"

    def _per_unit(self, seconds: float) -> str:
        if seconds >= 1 or seconds == 0:
            return f"{seconds:.0f}s/{self.unit_name}"
        if seconds >= 1e-3:
            return f"{seconds * 1e3:.0f}ms/{self.unit_name}"
        return f"{seconds * 1e6:.0f}us/{self.unit_name}"

    def _shown_values(self) -> str:
        return "".join(f" - {name}: {_short(total / weight)}" for name, (total, weight) in self._values.items())

    def _step_duration(self, current: int, now: float) -> float:
        """Seconds per step, without the first one, which also prepares, as soon as there are more."""
        if not current:
            return 0.0
        if self._after_first_step is not None and current > 1:
            return (now - self._after_first_step) / (current - 1)
        if current == 1:
            self._after_first_step = now
        return (now - self._start) / current


def _short(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def _remaining(seconds: float) -> str:
    whole = int(seconds)
    if seconds > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    if seconds > 60:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole}s"


class ProgbarLogger(Callback):
    """Shows a `Progbar` for each epoch of ``fit``, for ``evaluate`` and for ``predict``; validation shows none."""

    takes_log_source = True

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self.progbar: Progbar | None = None
        self._in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive ``verbose`` ('auto' is 1), ``epochs`` and ``steps``."""
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs") or 1
        self.target = params.get("steps")

    def on_train_begin(self, logs: Logs = None) -> None:
        """Validation is silent from now on."""
        self._in_fit = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Evaluations show a bar again."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start a bar."""
        self._restart()
        if self.verbose and self.epochs > 1:
            print_message(f"Epoch {epoch + 1}/{self.epochs}")

    def on_test_begin(self, logs: Logs = None) -> None:
        """Start a bar."""
        if not self._in_fit:
            self._restart()

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Start a bar."""
        self._restart()

    def on_train_batch_end(self, batch: int, logs: Logs | Callable[[], Mapping[str, Any]] = None) -> None:
        """Move the bar."""
        self._update(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | Callable[[], Mapping[str, Any]] = None) -> None:
        """Move the bar."""
        if not self._in_fit:
            self._update(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | Callable[[], Mapping[str, Any]] = None) -> None:
        """Move the bar."""
        self._update(batch, None)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Finish the line."""
        self._finish(logs)

    def on_test_end(self, logs: Logs = None) -> None:
        """Finish the line."""
        if not self._in_fit:
            self._finish(logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        """Finish the line."""
        self._finish(None)

    def _restart(self) -> None:
        self.seen = 0
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _bar(self) -> Progbar:
        if self.progbar is None:
            self._restart()
        assert self.progbar is not None
        return self.progbar

    def _update(self, batch: int, logs: Logs | Callable[[], Mapping[str, Any]]) -> None:
        self.seen = batch + 1
        if self.verbose != 1:
            return
        bar = self._bar()
        # Values are computed only when they will be seen; steps are noted always, because the first is timed apart.
        shown = (logs() if callable(logs) else logs) if bar.is_due() else None
        bar.update(self.seen, (shown or {}).items(), finalize=False)

    def _finish(self, logs: Mapping[str, Any] | None) -> None:
        bar = self._bar()
        if self.target is None:  # the first epoch tells how many steps there are
            self.target = bar.target = self.seen
        bar.update(self.target, (logs or {}).items(), finalize=True)
