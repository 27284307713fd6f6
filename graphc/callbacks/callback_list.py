"""The list that calls the callbacks of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from graphc.callbacks.callback import HOOKS, Callback, LogSource
from graphc.callbacks.history import History
from graphc.callbacks.progress import ProgbarLogger
from graphc.errors import ArgumentError
from graphc.ops.functional.dispatch import leaves

_BATCH_HOOKS = tuple(name for name in HOOKS if "batch" in name)

# The hooks of a training batch call these when they are not overridden themselves.
_OLD_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class CallbackList:
    """Calls the same hook of several callbacks, in their order.

    Logs reach the callbacks sorted by name and as Python floats. The hooks of batches take, instead of logs, also a
    function that computes them: it is called at most once a batch, and only if a callback is going to look. What a
    callback raises goes on unchanged, with a note that names the callback.

    Args:
        callbacks: a callback, or nested lists of them.
        add_history: add a `History` unless there is one.
        add_progbar: add a `ProgbarLogger` unless there is one.
        model: the model that is trained.
        params: what the callbacks see as ``params``: ``verbose``, ``epochs``, ``steps``.

    Raises:
        ArgumentError: something else than a callback was given.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Any] = [] if callbacks is None else [_checked(c) for c in leaves(callbacks)]
        self.history = next((c for c in self.callbacks if isinstance(c, History)), None)
        if self.history is None and add_history:
            self.history = History()
            self.callbacks.append(self.history)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        self.model: Any = None
        self.params: dict[str, Any] = {}
        self._watching: dict[str, list[Any]] = {}
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)
        self._find_watchers()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    @property
    def watches_batches(self) -> bool:
        """Whether any callback does something at a batch; a loop may skip the hooks of batches otherwise."""
        return any(self._watching.values())

    def append(self, callback: Any) -> None:
        """Add a callback behind the others."""
        self.callbacks.append(_checked(callback))
        self._find_watchers()

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand the parameters of the run to all callbacks."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hand the model to all callbacks."""
        self.model = model
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    # -- hooks of batches: in the hot loop, so only callbacks that override them are called ----------------------------

    def on_train_batch_begin(self, batch: int, logs: LogSource = None) -> None:
        """Before a training batch."""
        self._call_watchers("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: LogSource = None) -> None:
        """After a training batch."""
        self._call_watchers("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: LogSource = None) -> None:
        """Before a batch of an evaluation."""
        self._call_watchers("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: LogSource = None) -> None:
        """After a batch of an evaluation."""
        self._call_watchers("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: LogSource = None) -> None:
        """Before a batch of a prediction."""
        self._call_watchers("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: LogSource = None) -> None:
        """After a batch of a prediction."""
        self._call_watchers("on_predict_batch_end", batch, logs)

    on_batch_begin = on_train_batch_begin
    on_batch_end = on_train_batch_end

    # -- the other hooks -----------------------------------------------------------------------------------------------

    def on_epoch_begin(self, epoch: int, logs: LogSource = None) -> None:
        """Before an epoch."""
        self._find_watchers()
        self._call_all("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch: int, logs: LogSource = None) -> None:
        """After an epoch."""
        self._call_all("on_epoch_end", logs, epoch)

    def on_train_begin(self, logs: LogSource = None) -> None:
        """Before training."""
        self._find_watchers()
        self._call_all("on_train_begin", logs)

    def on_train_end(self, logs: LogSource = None) -> None:
        """After training."""
        self._call_all("on_train_end", logs)

    def on_test_begin(self, logs: LogSource = None) -> None:
        """Before an evaluation."""
        self._find_watchers()
        self._call_all("on_test_begin", logs)

    def on_test_end(self, logs: LogSource = None) -> None:
        """After an evaluation."""
        self._call_all("on_test_end", logs)

    def on_predict_begin(self, logs: LogSource = None) -> None:
        """Before a prediction."""
        self._find_watchers()
        self._call_all("on_predict_begin", logs)

    def on_predict_end(self, logs: LogSource = None) -> None:
        """After a prediction."""
        self._call_all("on_predict_end", logs)

    # -- how -----------------------------------------------------------------------------------------------------------

    def _find_watchers(self) -> None:
        self._watching = {hook: [c for c in self.callbacks if _overrides(c, hook)] for hook in _BATCH_HOOKS}

    def _call_all(self, hook: str, logs: LogSource, *place: int) -> None:
        seen = plain_logs(logs() if callable(logs) else logs)
        for callback in self.callbacks:
            _call(callback, hook, *place, seen)

    def _call_watchers(self, hook: str, batch: int, logs: LogSource) -> None:
        watching = self._watching[hook]
        if not watching:
            return
        computed: list[dict[str, Any]] = []

        def look() -> dict[str, Any]:
            if not computed:
                computed.append(plain_logs(logs() if callable(logs) else logs))
            return computed[0]

        for callback in watching:
            _call(callback, hook, batch, look if getattr(callback, "takes_log_source", False) else look())


def _checked(callback: Any) -> Any:
    """A callback: an object with `Callback`'s methods, be it a subclass or not."""
    if isinstance(callback, type):
        name = callback.__name__
        raise ArgumentError(f"`callbacks` must hold callback objects; got the class {name}. Make one: {name}(...).")
    if not hasattr(callback, "set_model") or not hasattr(callback, "set_params"):
        raise ArgumentError(
            f"`callbacks` must hold graphc.callbacks.Callback objects; got {callback!r:.80}. "
            "A plain function becomes one with LambdaCallback(on_epoch_end=function)."
        )
    return callback


def _overrides(callback: Any, hook: str) -> bool:
    """True when a call of the hook would do something."""
    found = getattr(callback, hook, None)
    if found is None:
        return False
    if getattr(found, "__func__", found) is not getattr(Callback, hook):
        return True
    return hook in _OLD_NAMES and _overrides(callback, _OLD_NAMES[hook])


def _call(callback: Any, hook: str, *arguments: Any) -> None:
    function = getattr(callback, hook, None)
    if function is None:
        return
    try:
        function(*arguments)
    except Exception as error:
        error.add_note(f"Raised in {hook} of the callback {type(callback).__name__}.")
        raise


def plain_logs(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Logs sorted by name, with Python floats for everything that is one number."""
    return {name: _as_float(value) for name, value in sorted((logs or {}).items())}


def _as_float(value: Any) -> Any:
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return float(value)
    return float(value) if isinstance(value, np.ndarray) and value.ndim == 0 else value
