"""Keras's `backend`: the small functions that programs still take from it."""

from __future__ import annotations

from typing import Any

from graphc.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from graphc.errors import DTypeError
from graphc.ir import dtypes
from graphc.naming import auto_name, clear_session
from graphc.utils.tensors import is_keras_tensor

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given in any form; `floatx` for None.

    Raises:
        DTypeError: the dtype is unknown to graphc.
    """
    return floatx() if dtype is None else dtypes.standardize_dtype(dtype)


def get_uid(prefix: str = "") -> int:
    """1 for the first object of a name, 2 for the second and so on; automatic names count with it."""
    number = auto_name(prefix)[len(prefix) :]
    return int(number[1:]) + 1 if number else 1


def is_float_dtype(dtype: Any) -> bool:
    """True for the dtypes of floats; False for anything that is no dtype."""
    return _is(dtypes.is_float, dtype)


def is_int_dtype(dtype: Any) -> bool:
    """True for the dtypes of integers, of either sign; False for anything that is no dtype."""
    return _is(dtypes.is_int, dtype)


def result_type(*dtypes_: Any) -> str:
    """The dtype that an operation on these gives; Python's own types widen nothing, and without any it is `floatx`.

    Raises:
        DTypeError: a dtype is unknown to graphc.
    """
    weak = {int: "weak int", float: "weak float"}
    return dtypes.result_dtype(*(weak.get(d) or dtypes.standardize_dtype(d) for d in dtypes_)) if dtypes_ else floatx()


def _is(question: Any, dtype: Any) -> bool:
    try:
        return bool(question(dtypes.standardize_dtype(dtype)))
    except DTypeError:
        return False
