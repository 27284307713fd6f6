"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.callbacks.callback import HOOKS, Callback
from graphc.errors import ArgumentError, did_you_mean

Hook = Callable[..., Any] | None


class LambdaCallback(Callback):
    """Calls the given functions: ``on_epoch_*(epoch, logs)``, ``on_*_batch_*(batch, logs)``, ``on_*_begin/end(logs)``.

    Args:
        kwargs: functions for the other hooks, by their names.

    Raises:
        ArgumentError: there is no hook of that name, or something that cannot be called was given.
    """

    def __init__(
        self,
        on_epoch_begin: Hook = None,
        on_epoch_end: Hook = None,
        on_train_begin: Hook = None,
        on_train_end: Hook = None,
        on_train_batch_begin: Hook = None,
        on_train_batch_end: Hook = None,
        **kwargs: Hook,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if name not in HOOKS:
                raise ArgumentError(f"LambdaCallback: there is no hook {name!r}.{did_you_mean(name, HOOKS)}")
            if function is None:
                continue
            if not callable(function):
                raise ArgumentError(f"LambdaCallback: {name} must be a function; got {function!r}.")
            setattr(self, name, function)
