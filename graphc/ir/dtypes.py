"""Dtypes are strings ("float32"), as in Keras; this file is the table of those the IR knows and how they promote.

The promotion lattice is JAX's, which Keras uses (`keras.backend.result_type`): Python scalars are weak, so
``float32 + 1`` stays ``float32``; an integer array with a float array gives the float's dtype.
"""

from __future__ import annotations

from functools import cache, reduce
from typing import Any

import numpy as np

from graphc.errors import DTypeError, did_you_mean

_KINDS: dict[str, str] = {
    "bool": "bool",
    "uint8": "uint",
    "uint16": "uint",
    "uint32": "uint",
    "uint64": "uint",
    "int8": "int",
    "int16": "int",
    "int32": "int",
    "int64": "int",
    "float16": "float",
    "float32": "float",
    "float64": "float",
}
DTYPES: tuple[str, ...] = tuple(_KINDS)
FLOAT_DTYPES: tuple[str, ...] = ("float16", "float32", "float64")
INT_DTYPES: tuple[str, ...] = tuple(d for d, kind in _KINDS.items() if kind in ("int", "uint"))
NUMERIC_DTYPES: tuple[str, ...] = INT_DTYPES + FLOAT_DTYPES

_NUMPY: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in DTYPES}
_ALIASES: dict[str, str] = {"bool_": "bool", "half": "float16", "single": "float32", "float": "float32",
                            "double": "float64", "int": "int32"}  # fmt: skip

# Each dtype's direct successors in the lattice. "weak int" and "weak float" are Python's own numbers.
_PROMOTES_TO: dict[str, tuple[str, ...]] = {
    "bool": ("weak int",),
    "weak int": ("uint8", "int8"),
    "uint8": ("uint16", "int16"),
    "uint16": ("uint32", "int32"),
    "uint32": ("uint64", "int64"),
    "uint64": ("weak float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("weak float",),
    "weak float": ("float16",),
    "float16": ("float32",),
    "float32": ("float64",),
    "float64": (),
}


@cache
def standardize_dtype(dtype: Any) -> str:
    """The canonical name of a dtype given as a string, NumPy dtype, NumPy scalar type or Python type.

    Raises:
        DTypeError: the dtype is unknown to graphc.
    """
    if isinstance(dtype, str) and dtype in _KINDS:
        return dtype
    if dtype is bool:
        return "bool"
    if dtype is int:
        return "int32"
    if dtype is float:
        return "float32"
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
    name = _ALIASES.get(name, name) if isinstance(name, str) else None
    if name not in _KINDS:
        raise DTypeError(f"Unknown dtype {dtype!r}.{did_you_mean(dtype, DTYPES)}")
    return name


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """The NumPy dtype of a canonical name."""
    return _NUMPY[dtype]


def is_float(dtype: str) -> bool:
    """True for float16, float32 and float64."""
    return _KINDS[dtype] == "float"


def is_int(dtype: str) -> bool:
    """True for signed and unsigned integers; False for bool."""
    return _KINDS[dtype] in ("int", "uint")


def is_unsigned(dtype: str) -> bool:
    """True for unsigned integers."""
    return _KINDS[dtype] == "uint"


def item_size(dtype: str) -> int:
    """Bytes per element."""
    return _NUMPY[dtype].itemsize


@cache
def _successors(dtype: str) -> frozenset[str]:
    found, todo = {dtype}, [dtype]
    while todo:
        for after in _PROMOTES_TO[todo.pop()]:
            if after not in found:
                found.add(after)
                todo.append(after)
    return frozenset(found)


@cache
def _join(a: str, b: str) -> str:
    common = _successors(a) & _successors(b)
    # The join is the common successor from which every other common successor can be reached.
    return next(c for c in common if common == _successors(c))


def result_dtype(*dtypes: str, default_float: str = "float32") -> str:
    """The dtype that operands of these dtypes promote to. "weak int" and "weak float" stand for Python numbers.

    >>> result_dtype("int64", "float32"), result_dtype("float16", "weak float"), result_dtype("int8", "uint8")
    ('float32', 'float16', 'int16')
    """
    joined = reduce(_join, dtypes)
    if joined == "weak int":
        return "int32"
    return default_float if joined == "weak float" else joined
