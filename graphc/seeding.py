"""The program's one source of randomness: initial weights, shuffling and dropout all start here."""

from __future__ import annotations

import random
import threading
from typing import Any

import numpy as np

from graphc.errors import ArgumentError

_lock = threading.Lock()
_generator = np.random.default_rng()


def set_random_seed(seed: int) -> None:
    """Make everything random that follows repeatable bit for bit: weights, shuffling, dropout; also `random` and NumPy.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        ArgumentError: another value.
    """
    global _generator  # noqa: PLW0603 - the one place that owns it
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 2**32:
        raise ArgumentError(f"`seed` must be an integer from 0 to 2**32 - 1; got {seed!r}.")
    random.seed(int(seed))
    np.random.seed(int(seed))
    with _lock:
        _generator = np.random.default_rng(int(seed))


def next_seed() -> int:
    """A new seed, from 0 to 2**32 - 1, drawn from the program's generator."""
    with _lock:
        return int(_generator.integers(2**32))


def generator(seed: Any = None) -> np.random.Generator:
    """A generator for one use: of the given seed, or of the next seed of the program's."""
    return np.random.default_rng(next_seed() if seed is None else seed)
