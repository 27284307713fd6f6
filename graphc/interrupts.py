"""Ctrl-C during training: the step that is running is finished first, so that no weight is left half updated."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Remembers a Ctrl-C until `check` is called. A second one does not wait."""

    def __init__(self) -> None:
        self._seen = False

    def check(self) -> None:
        """Raise the ``KeyboardInterrupt`` that came since the guard began."""
        if self._seen:
            self._seen = False
            raise KeyboardInterrupt

    def _remember(self, _signal: int, _frame: FrameType | None) -> None:
        if self._seen:
            raise KeyboardInterrupt
        self._seen = True


@contextmanager
def interrupts_between_steps() -> Iterator[Interrupts]:
    """Inside, Ctrl-C takes effect at the next `Interrupts.check`.

    Handlers that the program installed itself are left alone, and so is every thread but the main one, since only that one
    receives signals.
    """
    interrupts = Interrupts()
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupts
        return
    signal.signal(signal.SIGINT, interrupts._remember)
    try:
        yield interrupts
        interrupts.check()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
