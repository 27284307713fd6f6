"""Keeping gradients small: by element, by the norm of each, by the norm of all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ops import functional as ops


def clip_by_value(gradients: Sequence[Any], limit: float) -> list[Any]:
    """Every element held between ``-limit`` and ``limit``."""
    return [ops.clip(g, -limit, limit) for g in gradients]


def clip_by_norm(gradients: Sequence[Any], limit: float) -> list[Any]:
    """Every gradient with a norm above ``limit`` scaled down to it."""
    return [ops.multiply(g, _factor(ops.sqrt(_squares(g)), limit)) for g in gradients]


def clip_by_global_norm(gradients: Sequence[Any], limit: float) -> list[Any]:
    """All gradients scaled down by one factor if their common norm is above ``limit``."""
    total = _squares(gradients[0])
    for gradient in gradients[1:]:
        total = ops.add(total, _squares(gradient))
    norm = ops.sqrt(total)
    # One infinite or NaN gradient makes all of them NaN, as in Keras: adding norm - norm changes nothing else.
    factor = ops.add(_factor(norm, limit), ops.subtract(norm, norm))
    return [ops.multiply(g, factor) for g in gradients]


def _squares(x: Any) -> Any:
    return ops.sum(ops.square(x))


def _factor(norm: Any, limit: float) -> Any:
    """What brings a norm down to its limit; 1 below it."""
    return ops.divide(limit, ops.maximum(norm, limit))
