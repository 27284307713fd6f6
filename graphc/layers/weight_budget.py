"""How much memory the weights of a model may take that a file describes: charged before a weight is made.

Without it, a few bytes of configuration (``"units": 1000000000000``) would make a reader ask for all memory there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from graphc.errors import ModelFileError
from graphc.ir.dtypes import numpy_dtype


@dataclass
class _Budget:
    limit: int
    spent: int = 0


_current: ContextVar[_Budget | None] = ContextVar("weight_budget", default=None)


@contextmanager
def weight_budget(limit: int) -> Iterator[None]:
    """Inside, all new weights together may take ``limit`` bytes; a budget within a budget does not widen it."""
    outer = _current.get()
    token = _current.set(_Budget(limit if outer is None else min(limit, outer.limit - outer.spent)))
    try:
        yield
    finally:
        _current.reset(token)


def charge(layer: str, shape: Sequence[int], dtype: str) -> None:
    """Spend what a weight takes.

    Raises:
        ModelFileError: it is more than is left; nothing is allocated.
    """
    budget = _current.get()
    if budget is None:
        return
    size = math.prod(shape) * numpy_dtype(dtype).itemsize
    budget.spent += size
    if budget.spent > budget.limit:
        raise ModelFileError(
            f"Layer {layer!r} asks for a weight of shape {tuple(shape)} ({size:,} bytes); the weights of this file may take "
            f"{budget.limit:,} bytes together."
        )
