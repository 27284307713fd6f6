"""What a batch is made of."""

from __future__ import annotations

from typing import Any

from graphc.data import unpack_x_y_sample_weight

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """``x``, ``(x, y)`` or ``(x, y, sample_weight)``: the inverse of `unpack_x_y_sample_weight`.

    As in Keras, ``x`` alone stays as it is unless it is a tuple or list, which is put into a tuple of its own; and a
    ``sample_weight`` without ``y`` is left out.
    """
    if y is None:
        return (x,) if isinstance(x, tuple | list) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
