"""Projections applied to weights after each update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ArgumentError
from graphc.object_table import ObjectTable
from graphc.ops import functional as ops

_EPSILON = 1e-7


class Constraint:
    """Called with a weight, gives the nearest allowed one."""

    def __call__(self, w: Any) -> Any:
        """The projected weight."""
        raise ArgumentError(f"{type(self).__name__} must define `__call__(self, w)`.")

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """A constraint from what `get_config` gave."""
        return cls(**config)


def _norm(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Scales vectors along ``axis`` down to a norm of at most ``max_value``."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        """The projected weight."""
        norms = _norm(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (_EPSILON + norms))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative elements to zero."""

    def __call__(self, w: Any) -> Any:
        """The projected weight."""
        return ops.maximum(w, 0.0)


class UnitNorm(Constraint):
    """Scales vectors along ``axis`` to norm 1."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The projected weight."""
        return w / (_EPSILON + _norm(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        """The axis."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Moves the norm of vectors along ``axis`` towards the range ``min_value .. max_value``; fully at ``rate`` 1."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        """The projected weight."""
        norms = _norm(w, self.axis)
        wanted = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (_EPSILON + norms))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


_TABLE = ObjectTable("constraint", "keras.constraints", classes=(MaxNorm, NonNeg, UnitNorm, MinMaxNorm))


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """A constraint from an object, name or configuration; None stays None.

    Raises:
        ArgumentError: it is unknown.
    """
    found: Callable[[Any], Any] | None = _TABLE.get(identifier)
    return found


serialize = _TABLE.serialize
deserialize = _TABLE.deserialize
max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
