"""Keras's `config`: what graphc computes with.

Keras lets a program change these; graphc has one of each, so that a model means the same wherever it is read. Setting the
value that it has does nothing; another one is refused with the way to say it for a layer.
"""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError

__all__ = [
    "backend",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_backend",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]

_FLOATX, _EPSILON, _DATA_FORMAT, _BACKEND = "float32", 1e-7, "channels_last", "numpy"


def backend() -> str:
    """What computes: ``"numpy"``."""
    return _BACKEND


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite: 1e-7."""
    return _EPSILON


def floatx() -> str:
    """The dtype of layers that are given none: ``"float32"``."""
    return _FLOATX


def image_data_format() -> str:
    """Where images have their channels, for layers that are not told: ``"channels_last"``."""
    return _DATA_FORMAT


def set_backend(backend: str) -> None:
    """Accept ``"numpy"``.

    Raises:
        ArgumentError: another backend.
    """
    _refuse_other("backend", backend, _BACKEND, "graphc computes with NumPy")


def set_epsilon(value: float) -> None:
    """Accept 1e-7.

    Raises:
        ArgumentError: another number.
    """
    _refuse_other("epsilon", value, _EPSILON, "pass `epsilon=` to the layers that take it")


def set_floatx(value: str) -> None:
    """Accept ``"float32"``.

    Raises:
        ArgumentError: another dtype.
    """
    _refuse_other("floatx", value, _FLOATX, "pass `dtype=` to the layers")


def set_image_data_format(data_format: str) -> None:
    """Accept ``"channels_last"``.

    Raises:
        ArgumentError: another format.
    """
    _refuse_other("image_data_format", data_format, _DATA_FORMAT, "pass `data_format=` to the layers")


def _refuse_other(name: str, value: Any, only: Any, advice: str) -> None:
    if value != only:
        raise ArgumentError(f"The setting `{name}` is {only!r} and cannot become {value!r}: {advice}.")
