"""Arguments that layers of images share: where the channels are, numbers for each spatial axis, padding."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.ir.dims import Shape


def standard_data_format(data_format: Any) -> str:
    """The data format, with its default.

    Raises:
        ArgumentError: another value.
    """
    if data_format is None:
        return "channels_last"
    name = str(data_format).lower()
    if name not in ("channels_last", "channels_first"):
        raise ArgumentError(
            "The `data_format` argument must be one of 'channels_first', 'channels_last'. "
            f"Received: data_format={data_format!r}"
        )
    return name


def channels_first(data_format: str) -> bool:
    """True for ``channels_first``."""
    return data_format == "channels_first"


def layout(data_format: str) -> str:
    """The IR's word for it."""
    return "NCHW" if channels_first(data_format) else "NHWC"


def spatial_axes(rank: int, data_format: str) -> tuple[int, ...]:
    """The axes of ``rank`` spatial lengths behind the batch axis."""
    return tuple(range(2, rank + 2)) if channels_first(data_format) else tuple(range(1, rank + 1))


def public_lengths(shape: Shape) -> tuple[int | None, ...]:
    """A shape as messages show it: None where a length is known only when data comes."""
    return tuple(None if isinstance(d, str) else d for d in shape)


def standard_tuple(value: Any, rank: int, name: str, *, minimum: int = 1) -> tuple[int, ...]:
    """An integer, or one for each spatial axis, as a tuple.

    Raises:
        ArgumentError: it is neither, or a number is too small.
    """
    values = (value,) * rank if isinstance(value, int) and not isinstance(value, bool) else value
    try:
        numbers = tuple(values)
    except TypeError:
        numbers = ()
    message = f"The `{name}` argument must be a tuple of {rank} integers. Received {name}={value!r}"
    if len(numbers) != rank or any(isinstance(v, bool) or not hasattr(v, "__index__") for v in numbers):
        raise ArgumentError(message)
    if too_small := sorted({int(v) for v in numbers if v < minimum}):
        wanted = f"value >= {minimum}" if minimum == 0 else f"value > {minimum - 1}"
        raise ArgumentError(f"{message}, including values {too_small} that do not satisfy `{wanted}`")
    return tuple(int(v) for v in numbers)


def standard_pairs(value: Any, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """What to add or cut before and behind each spatial axis, as pairs.

    Args:
        value: one integer for everything; or for each axis an integer, or a pair (before, behind).
        rank: the number of spatial axes.
        name: of the argument, for messages.

    Raises:
        ArgumentError: it is something else, or a number is negative.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ArgumentError(f"`{name}` cannot be negative. Received: {name}={value}.")
        return ((value, value),) * rank
    if not hasattr(value, "__len__") or isinstance(value, str):
        raise ArgumentError(
            f"`{name}` should be either an int, a tuple of {rank} ints, one for each spatial axis, or a tuple of {rank} "
            f"tuples of 2 ints (before, behind). Received: {name}={value!r}."
        )
    if len(value) != rank:
        raise ArgumentError(f"`{name}` should have {rank} elements. Received: {name}={value}.")
    places = ("1st", "2nd", "3rd")
    entries = zip(value, places, strict=False)
    pairs = [standard_tuple(entry, 2, f"{place} entry of {name}", minimum=0) for entry, place in entries]
    return tuple((before, behind) for before, behind in pairs)


def standard_padding(padding: Any, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """The padding in lower case.

    Raises:
        ArgumentError: it is not one of ``allowed``.
    """
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in allowed:
        raise ArgumentError(f"The `padding` argument must be one of {', '.join(allowed)}. Received: {padding!r}")
    return str(name)
