"""The mask of a tensor: which time steps (or places) of it hold data and which are padding.

A mask is a boolean tensor, True where there is data, that travels beside the tensor it belongs to: as an attribute of
symbolic and traced tensors, and in a table of weak references beside NumPy arrays, which take no attributes. Layers hand it
on as Keras 3's do (``supports_masking``, ``compute_mask``).
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

_of_arrays: dict[int, tuple[weakref.ref[Any], Any]] = {}


def get_mask(x: Any) -> Any:
    """The mask that belongs to ``x``; None where there is none."""
    if isinstance(x, np.ndarray):
        found = _of_arrays.get(id(x))
        return found[1] if found is not None and found[0]() is x else None
    return getattr(x, "keras_mask", None)


def set_mask(x: Any, mask: Any) -> None:
    """Say that ``mask`` belongs to ``x``; None takes away the one it had."""
    if not isinstance(x, np.ndarray):
        x.keras_mask = mask
        return
    key = id(x)
    if mask is None:
        _of_arrays.pop(key, None)
    else:
        # The array's end removes the entry, before another object can have its id.
        _of_arrays[key] = (weakref.ref(x, lambda _: _of_arrays.pop(key, None)), mask)


def with_mask(x: Any, mask: Any) -> Any:
    """Another handle on the same traced tensor or array, with this mask."""
    handle = x.view() if isinstance(x, np.ndarray) else x.tracer.wrap(x.value)
    set_mask(handle, mask)
    return handle
