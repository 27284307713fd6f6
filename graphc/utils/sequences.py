"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError

Array = np.ndarray[Any, Any]


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Array:
    """Sequences of different lengths as an array, filled up and cut off to one length.

    Args:
        sequences: a list of sequences; an element of a sequence is a number (or a string), or an array of one shape.
        maxlen: the length of a row; the longest sequence's by default.
        dtype: of the result; ``object`` for strings of any length.
        padding: fill up in front (``"pre"``) or behind (``"post"``).
        truncating: cut off at the front (``"pre"``) or at the end (``"post"``).
        value: what to fill up with.

    Returns:
        An array of shape ``(len(sequences), maxlen, *element_shape)``.

    Raises:
        ArgumentError: an argument has a value that it cannot have.
        DataError: ``sequences`` is no list of sequences, has nothing to take ``maxlen`` from, or its elements differ in
            shape.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ArgumentError(f"pad_sequences: `{name}` must be 'pre' or 'post'; got {name}={side!r}.")
    if not hasattr(sequences, "__len__"):
        raise DataError(f"`sequences` must be a list of sequences; got {type(sequences).__name__}.")
    lengths = _lengths(sequences)
    if maxlen is None:
        if not lengths:
            raise DataError("pad_sequences got no sequences, so there is no longest one: pass `maxlen`.")
        maxlen = max(lengths)
    elif isinstance(maxlen, bool) or not hasattr(maxlen, "__index__") or maxlen < 0:
        raise ArgumentError(f"pad_sequences: `maxlen` must be an integer of at least 0; got maxlen={maxlen!r}.")
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise ArgumentError(
            f"pad_sequences: `dtype` {dtype} cannot hold the padding value {value!r}; pass dtype=object for strings."
        )
    element_shape = next((np.shape(s)[1:] for s, n in zip(sequences, lengths, strict=True) if n), ())
    padded = np.full((len(lengths), maxlen, *element_shape), value, dtype=kind)
    for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        kept = min(length, maxlen)
        if kept == 0:
            continue
        start = length - kept if truncating == "pre" else 0
        elements = np.asarray(sequence[start : start + kept], dtype=kind)
        if elements.shape[1:] != element_shape:
            raise DataError(
                f"The elements of sequence {row} have shape {elements.shape[1:]}; those of the first one have "
                f"{element_shape}."
            )
        if padding == "pre":
            padded[row, maxlen - kept :] = elements
        else:
            padded[row, :kept] = elements
    return padded


def _lengths(sequences: Sequence[Any]) -> list[int]:
    for row, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise DataError(f"`sequences` must be a list of sequences; sequence {row} is {sequence!r:.60}.")
    return [len(sequence) for sequence in sequences]
