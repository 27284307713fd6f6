"""Where the channels are: ``channels_last`` (the default) or ``channels_first``."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError


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
    if len(numbers) != rank or any(isinstance(v, bool) or not hasattr(v, "__index__") for v in numbers):
        raise ArgumentError(f"The `{name}` argument must be a tuple of {rank} integers. Received {name}={value!r}")
    if any(v < minimum for v in numbers):
        raise ArgumentError(
            f"The `{name}` argument must hold integers of at least {minimum}. Received {name}={value!r}"
        )
    return tuple(int(v) for v in numbers)


def standard_padding(padding: Any, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """The padding in lower case.

    Raises:
        ArgumentError: it is not one of ``allowed``.
    """
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in allowed:
        raise ArgumentError(f"The `padding` argument must be one of {set(allowed)}. Received: {padding}")
    return str(name)
