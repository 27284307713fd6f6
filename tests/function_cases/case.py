"""What one row of the table of function cases holds, and the arrays that rows are made of."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BATCH, TIME = 5, 7
"""Lengths that stand for named dims: an axis of this length is given a name in the symbolic tests."""


@dataclass(frozen=True)
class FunctionCase:
    """A call of a function of `graphc.ops`, and an independent way to know the answer.

    Attributes:
        name: the function.
        args: positional arguments. Arrays among them, also in lists, become inputs of the traced graph.
        kwargs: keyword arguments.
        oracle: called with the same arguments, float32 arrays as float64. NumPy's function of the same name by default.
        dtype: the dtype of the result, or of each.
        symbolic: "" when the function also works with named dims, else the reason why not.
        traced: "" when the function works while a model is traced, else the reason why not.
        keras: "" when Keras gives the same numbers and dtypes, else the reason why not.
        rtol: relative tolerance.
        atol: absolute tolerance.
        id: what makes this case special.
    """

    name: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    oracle: Callable[..., Any] | None = None
    dtype: str = "float32"
    symbolic: str = ""
    traced: str = ""
    keras: str = ""
    rtol: float = 2e-6
    atol: float = 2e-6
    id: str = ""

    def answer(self) -> Any:
        """What the oracle says."""
        oracle = self.oracle or getattr(np, self.name)
        wide = map_arrays(lambda a: a.astype(np.float64) if a.dtype == np.float32 else a, self.args)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's about lines of NaN
            return oracle(*wide, **self.kwargs)


def map_arrays(function: Callable[[Array], Any], structure: Any) -> Any:
    """A structure of lists and tuples with each array replaced."""
    if isinstance(structure, np.ndarray):
        return function(structure)
    if isinstance(structure, list | tuple):
        return type(structure)(map_arrays(function, item) for item in structure)
    return structure


def arrays_in(structure: Any) -> list[Array]:
    """The arrays in a structure of lists and tuples, in order."""
    found: list[Array] = []
    map_arrays(found.append, structure)
    return found


_serial = iter(range(10**6))


def numbers(*shape: int, low: float = -2.0, high: float = 2.0) -> Array:
    """float32 numbers, the same in every run."""
    return np.random.default_rng(next(_serial)).uniform(low, high, shape).astype(np.float32)


def integers(*shape: int, low: int = -9, high: int = 10, dtype: str = "int32") -> Array:
    """Integers from ``low`` to below ``high``, the same in every run."""
    return np.random.default_rng(next(_serial)).integers(low, high, shape).astype(dtype)


def booleans(*shape: int) -> Array:
    """True and False, the same in every run."""
    return np.random.default_rng(next(_serial)).random(shape) < 0.5


def special() -> Array:
    """The float32 numbers that functions get wrong."""
    return np.array([-np.inf, -1.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, np.inf, np.nan], np.float32)
