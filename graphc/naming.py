"""Automatic names: ``Conv2D`` becomes ``conv2d``, the second one ``conv2d_1``, as in Keras."""

from __future__ import annotations

import re
import threading
from collections import Counter

_counts: Counter[str] = Counter()
_lock = threading.Lock()


def snake_case(class_name: str) -> str:
    """``MaxPooling2D`` to ``max_pooling2d``, ``ReLU`` to ``re_lu`` (Keras's rule)."""
    text = re.sub(r"\W+", "", class_name)
    text = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", text)
    return re.sub("([a-z])([A-Z])", r"\1_\2", text).lower()


def auto_name(prefix: str) -> str:
    """The next free automatic name with this prefix: ``dense``, ``dense_1`` ..."""
    with _lock:
        count = _counts[prefix]
        _counts[prefix] += 1
    return prefix if count == 0 else f"{prefix}_{count}"


def clear_session() -> None:
    """Start automatic names from the beginning again."""
    with _lock:
        _counts.clear()
