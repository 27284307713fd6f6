"""Penalties on weights and activities, added to the loss."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.object_table import ObjectTable
from graphc.ops import functional as ops


class Regularizer:
    """Called with a tensor, gives a scalar penalty."""

    def __call__(self, x: Any) -> Any:
        """The penalty of ``x``."""
        raise ArgumentError(f"{type(self).__name__} must define `__call__(self, x)`.")

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """A regularizer from what `get_config` gave."""
        return cls(**config)


class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x ** 2)``."""

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor("l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        """The penalty of ``x``."""
        terms = []
        if self.l1:
            terms.append(ops.multiply(self.l1, ops.sum(ops.absolute(x))))
        if self.l2:
            terms.append(ops.multiply(self.l2, ops.sum(ops.square(x))))
        return reduce(ops.add, terms) if terms else np.zeros((), x.dtype)

    def get_config(self) -> dict[str, Any]:
        """Both factors."""
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """``l1 * sum(|x|)``."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        """The penalty of ``x``."""
        return ops.multiply(self.l1, ops.sum(ops.absolute(x)))

    def get_config(self) -> dict[str, Any]:
        """The factor, which Keras keeps in float32 here."""
        return {"l1": float(np.float32(self.l1))}


class L2(Regularizer):
    """``l2 * sum(x ** 2)``, without a half."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        """The penalty of ``x``."""
        return ops.multiply(self.l2, ops.sum(ops.square(x)))

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Pushes the rows or columns of a matrix towards being orthogonal to each other.

    Args:
        factor: of the penalty.
        mode: ``rows`` or ``columns``.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ArgumentError(f"`mode` must be 'rows' or 'columns'; got {mode!r}.")
        self.factor, self.mode = _factor("factor", factor), mode

    def __call__(self, x: Any) -> Any:
        """The mean size of the cosines between different rows (columns), times the factor."""
        if len(x.shape) != 2:
            raise ArgumentError(f"OrthogonalRegularizer takes matrices; got a tensor of shape {x.shape}.")
        axis = 1 if self.mode == "rows" else 0
        unit = ops.normalize(x, axis=axis)
        products = ops.matmul(unit, ops.transpose(unit)) if axis == 1 else ops.matmul(ops.transpose(unit), unit)
        size = x.shape[1 - axis]
        off_diagonal = ops.multiply(products, ops.subtract(1.0, ops.eye(size, dtype=x.dtype)))
        pairs = size * (size - 1.0) / 2.0
        return ops.multiply(self.factor * 0.5 / pairs, ops.sum(ops.absolute(off_diagonal)))

    def get_config(self) -> dict[str, Any]:
        """Factor, which Keras keeps in float32 here too, and mode."""
        return {"factor": float(np.float32(self.factor)), "mode": self.mode}


def _factor(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value < float("inf"):
        raise ArgumentError(
            f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value!r}"
        )
    return float(value)


_TABLE = ObjectTable(
    "regularizer",
    "keras.regularizers",
    classes=(L1L2, L1, L2, OrthogonalRegularizer),
    aliases={"l1_l2": L1L2},
)


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """A regularizer from an object, name or configuration; None stays None.

    Raises:
        ArgumentError: it is unknown.
    """
    found: Callable[[Any], Any] | None = _TABLE.get(identifier)
    return found


serialize = _TABLE.serialize
deserialize = _TABLE.deserialize
l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
