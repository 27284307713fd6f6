"""Where a learning rate comes from: a number that can be set, a schedule, or a function that is asked at every step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.ops.functional.tracing import untraced
from graphc.ops.functional.variable import Variable
from graphc.optimizers import schedules
from graphc.optimizers.arguments import is_number
from graphc.optimizers.schedules import LearningRateSchedule


class CalledRate:
    """A learning rate that a function gives, and the variable through which compiled steps see it.

    Args:
        function: takes nothing, gives a number.
        path: of the variable.
    """

    def __init__(self, function: Callable[[], Any], path: str) -> None:
        self.function = function
        self.variable = Variable(np.float32(0), name="learning_rate", trainable=False)
        self.variable.path = path

    def refresh(self) -> None:
        """Ask the function.

        Raises:
            ArgumentError: it gave no learning rate.
        """
        with untraced():  # the number is needed now, whatever is being traced
            self.variable.assign(np.float32(check_learning_rate(self.function())))


def is_rate_function(learning_rate: Any) -> bool:
    """True for a function that is neither a schedule nor a number."""
    return callable(learning_rate) and not isinstance(learning_rate, LearningRateSchedule | Variable)


def check_learning_rate(value: Any) -> float:
    """A learning rate as a float.

    Raises:
        ArgumentError: it is no finite number of at least 0.
    """
    if not is_number(value) and not (isinstance(value, np.ndarray | Variable) and value.ndim == 0):
        raise ArgumentError(
            "Argument `learning_rate` should be a float, a LearningRateSchedule, or a function without arguments that "
            f"gives a float; got {value!r:.80}."
        )
    rate = float(np.asarray(value))
    if not 0 <= rate < math.inf:
        raise ArgumentError(f"`learning_rate` must be a finite number of at least 0; got {rate}.")
    return rate


def rate_config(source: Variable | LearningRateSchedule | CalledRate) -> Any:
    """What a file holds of a learning rate: the float32 that it is now, or the configuration of its schedule.

    Raises:
        ArgumentError: it is a lambda, which no file can refer to.
    """
    if isinstance(source, Variable):
        return float(source.array)
    if isinstance(source, LearningRateSchedule):
        return schedules.serialize(source)
    name = getattr(source.function, "__name__", "")
    if not name.isidentifier():
        raise ArgumentError("A learning rate that is a lambda cannot be saved: define the function with `def`.")
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
