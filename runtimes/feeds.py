"""Checking what is fed to a graph, before a runtime sees it: names, dtypes, shapes, and dims that must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError, DTypeError, ShapeError, did_you_mean
from graphc.ir.dims import Dim, substitute
from graphc.ir.types import TensorType, format_shape
from graphc.runtimes.kernel import Array


@dataclass(frozen=True, slots=True)
class FeedType:
    """What an input takes.

    Attributes:
        dtype: the dtype's name; "" where any will do.
        shape: lengths, names (equal names mean equal lengths) and None for a free axis; None where any rank will do.
        required: False for an input that has a default.
    """

    dtype: str
    shape: Sequence[int | str | None] | None
    required: bool = True

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.dtype or 'any dtype'} of any rank"
        return self.dtype + format_shape(["?" if d is None else d for d in self.shape])


def check_feeds(types: Mapping[str, FeedType], feeds: Mapping[str, Any]) -> dict[str, Array]:
    """The feeds as arrays in the machine's byte order, not copied where they already are.

    Raises:
        ArgumentError: a name is missing or unknown.
        DataError: a feed cannot be made an array.
        DTypeError: a feed has another dtype than its input.
        ShapeError: a shape does not fit, or two inputs disagree about a named dim.
    """
    if not isinstance(feeds, Mapping):
        raise ArgumentError(f"feeds must map input names to arrays; got {type(feeds).__name__}.")
    for name in feeds:
        if name not in types:
            raise ArgumentError(f"There is no input {name!r}.{did_you_mean(name, types)}")
    if missing := [f"{name!r} ({t})" for name, t in types.items() if t.required and name not in feeds]:
        raise ArgumentError(f"No value was given for input{'s' * (len(missing) > 1)} {', '.join(missing)}.")
    arrays = {name: _array(name, types[name], value) for name, value in feeds.items()}
    bind_dims(types, {name: array.shape for name, array in arrays.items()})
    return arrays


def _array(name: str, expected: FeedType, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"The value of input {name!r} cannot be made an array: {str(error).rstrip('.')}.") from None
    if expected.dtype and array.dtype.newbyteorder("=") != np.dtype(expected.dtype):
        is_number = array.dtype.kind in "biufc"
        cure = f"; convert it with .astype({expected.dtype!r})" if is_number else ""
        raise DTypeError(f"Input {name!r} must be {expected}; got {_described(array)}{cure}.")
    if expected.shape is not None:
        if array.ndim != len(expected.shape):
            raise ShapeError(
                f"Input {name!r} must be {expected}, of rank {len(expected.shape)}; "
                f"got {_described(array)}, of rank {array.ndim}."
            )
        for axis, (dim, length) in enumerate(zip(expected.shape, array.shape, strict=True)):
            if isinstance(dim, int) and dim != length:
                wrong = f"axis {axis} must be {dim}, not {length}"
                raise ShapeError(f"Input {name!r} must be {expected}; got {_described(array)}: {wrong}.")
    return native(array)


def fits(array: Array, type_: TensorType) -> bool:
    """True when an array is of a type's dtype and rank and has the lengths that the type gives as integers."""
    return (
        array.dtype == np.dtype(type_.dtype)
        and array.ndim == type_.rank
        and all(isinstance(dim, str) or dim == length for dim, length in zip(type_.shape, array.shape, strict=True))
    )


def native(array: Array) -> Array:
    """The array in the machine's byte order; not copied where it already is."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _described(array: Array) -> str:
    return f"{array.dtype}{format_shape(array.shape)}"


def bind_dims(types: Mapping[str, FeedType], shapes: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """The length of each named dim, from shapes of the right ranks.

    Raises:
        ShapeError: two inputs disagree about a dim, or a computed dim is not what its expression gives.
    """
    seen: dict[str, tuple[int, str]] = {}
    for name, shape in shapes.items():
        for axis, (dim, length) in enumerate(zip(types[name].shape or (), shape, strict=False)):
            if not isinstance(dim, str):
                continue
            place = f"axis {axis} of input {name!r}"
            first, where = seen.setdefault(dim, (length, place))
            if first != length:
                raise ShapeError(f"Dim '{dim}' is {first} at {where} and {length} at {place}; they must be equal.")
    sizes = {dim: length for dim, (length, _) in seen.items() if dim.isidentifier()}
    for dim, (length, place) in seen.items():
        expected = dim if dim.isidentifier() else _evaluate(dim, sizes)
        if isinstance(expected, int) and expected != length:
            raise ShapeError(f"Dim '{dim}' must be {expected} at {place}; got {length}.")
    return sizes


def _evaluate(dim: str, sizes: Mapping[str, int]) -> int | str:
    """A dim's expression for these sizes, or the dim where it is not one: other programs name dims as they like."""
    try:
        return substitute(Dim(dim), sizes)
    except ShapeError:
        return dim
