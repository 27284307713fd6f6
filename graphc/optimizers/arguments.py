"""Checks of optimizers' arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.errors import ArgumentError


def is_number(value: Any) -> bool:
    """True for Python's and NumPy's own numbers; booleans are none."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def fraction(name: str, value: Any) -> float:
    """A number between 0 and 1.

    Raises:
        ArgumentError: it is not.
    """
    if not is_number(value) or not 0 <= value <= 1:
        raise ArgumentError(f"`{name}` must be a float between [0, 1]. Received: {name}={value!r}")
    return float(value)


def optional_number(name: str, value: Any, zero: bool = False) -> float | None:
    """A positive finite number (or 0, if ``zero``), or None.

    Raises:
        ArgumentError: it is something else.
    """
    if value is None:
        return None
    if not is_number(value) or not 0 <= value < math.inf or (value == 0 and not zero):
        wanted = "a number of at least 0" if zero else "a positive number"
        raise ArgumentError(f"`{name}` must be {wanted} or None. Received: {name}={value!r}")
    return float(value)


def optional_count(name: str, value: Any, minimum: int) -> int | None:
    """An integer of at least ``minimum``, or None.

    Raises:
        ArgumentError: it is something else.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ArgumentError(f"`{name}` must be an integer >= {minimum} or None. Received: {name}={value!r}")
    return value
