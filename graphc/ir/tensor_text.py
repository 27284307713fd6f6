"""Tensors in the text form: a number, nested lists, or the base64 of their raw bytes. The same bits come back."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from graphc.ir import dtypes
from graphc.ir.text_reader import FLOAT, INTEGER, MAX_EXPRESSION, Reader
from graphc.ir.types import TensorType

MAX_LISTED = 32
"""Elements of a tensor that are written as a list; a larger one is written as base64."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_TOKEN = re.compile(r"[ \t\r\n]*([\[\],]|[^\s\[\](){},\"]*)")
_Array = np.ndarray[Any, Any]


# -- writing -----------------------------------------------------------------------------------------------------------


def format_tensor(array: _Array) -> str:
    """The elements of a tensor, for a reader that knows its dtype and shape."""
    if array.size > MAX_LISTED or not _lists_exactly(array):
        raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        return f'base64"{base64.b64encode(raw).decode("ascii")}"'
    if array.size == 0:
        return "[]"
    # From the innermost axis outwards: each round puts brackets around one more axis.
    texts = [_format_element(x) for x in array.reshape(-1)]
    for length in reversed(array.shape):
        texts = [f"[{', '.join(group)}]" for group in _groups(texts, length)]
    return texts[0]


def _groups(texts: list[str], length: int) -> Iterable[list[str]]:
    return (texts[i : i + length] for i in range(0, len(texts), length))


def _lists_exactly(array: _Array) -> bool:
    """False when there is a NaN with other bits than the usual ones, which the word ``nan`` would lose."""
    if array.dtype.kind != "f":
        return True
    found = array[np.isnan(array)]
    return bool(found.tobytes() == np.full(found.shape, np.nan, found.dtype).tobytes())


def _format_element(x: Any) -> str:
    if isinstance(x, np.bool_):
        return "true" if x else "false"
    if not isinstance(x, np.floating):
        return str(int(x))
    shortest = str(x)  # such as 0.1 for a float32, whose exact value has many more digits
    exact = type(x)(float(shortest))
    return shortest if exact == x or np.isnan(x) else repr(float(x))


# -- reading -----------------------------------------------------------------------------------------------------------


def read_tensor(reader: Reader, type_: TensorType) -> _Array:
    """The read-only tensor of a type that stands next in the text.

    Raises:
        ParseError: the text has other elements, or more or fewer, than the type says. Memory is taken only afterwards.
    """
    if not type_.is_static:
        raise reader.error(f"the shape of a tensor must be integers; got {type_}.")
    array = _read_bytes(reader, type_) if reader.take('base64"') else _read_list(reader, type_)
    array.flags.writeable = False
    return array


def _read_bytes(reader: Reader, type_: TensorType) -> _Array:
    start = reader.position
    found = reader.match(_BASE64)
    text = found.group() if found else ""
    if not reader.text.startswith('"', reader.position):
        raise reader.expected("base64 characters and '\"'")
    reader.position += 1
    size = int(type_.size) * dtypes.item_size(type_.dtype)
    length = (size + 2) // 3 * 4
    if len(text) != length:
        raise reader.error(f"{type_} is {length} characters of base64; here are {len(text)}.", start)
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise reader.error(f"not valid base64: {error}.", start) from None
    if len(raw) != size:
        raise reader.error(f"{type_} takes {size} bytes; here are {len(raw)}.", start)
    if type_.dtype == "bool" and raw.translate(None, b"\0\1"):
        raise reader.error("the bytes of a bool tensor are 0 and 1.", start)
    dtype = dtypes.numpy_dtype(type_.dtype)
    return np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(type_.shape)


def _read_list(reader: Reader, type_: TensorType) -> _Array:
    """Nested lists, followed by counting the elements in each open bracket."""
    reader.skip()
    shape, rank = type_.shape, type_.rank
    elements: list[Any] = []
    counts: list[int] = []
    fresh = True  # an element may come here
    while True:
        found = _TOKEN.match(reader.text, reader.position)
        token = found.group(1) if found else ""
        reader.position = found.start(1) if found else reader.position
        if token == "[" and fresh and len(counts) < rank:
            counts.append(0)
        elif token == "]" and counts and (not fresh or counts[-1] == 0):
            length, axis = counts.pop(), len(counts)
            if length != shape[axis] and not (axis == length == type_.size == 0):
                raise reader.error(f"axis {axis} of {type_} has {shape[axis]} elements; here are {length}.")
            fresh = False
        elif token == "," and counts and not fresh:
            fresh = True
        elif token and token not in "[]," and fresh and len(counts) == rank:
            elements.append(_element(reader, token, type_.dtype))
            fresh = False
        else:
            raise reader.expected(f"elements of {type_}" + " in nested brackets" * bool(rank))
        reader.position += len(token)
        if not fresh and token != ",":  # an element is complete
            if not counts:
                break
            counts[-1] += 1
    return np.array(elements, dtypes.numpy_dtype(type_.dtype)).reshape(shape)


def _element(reader: Reader, raw: str, dtype: str) -> Any:
    number = dtypes.numpy_dtype(dtype).type
    if len(raw) > MAX_EXPRESSION:
        raise reader.error(f"a number has more than {MAX_EXPRESSION} characters.")
    if dtype == "bool" and raw in ("true", "false"):
        return raw == "true"
    if dtypes.is_int(dtype) and INTEGER.fullmatch(raw):
        info = np.iinfo(number)
        if not info.min <= int(raw) <= info.max:
            raise reader.error(f"{raw} does not fit {dtype}, which holds {info.min} to {info.max}.")
        return int(raw)
    if dtypes.is_float(dtype) and (FLOAT.fullmatch(raw) or INTEGER.fullmatch(raw)):
        with np.errstate(over="ignore"):
            element = number(float(raw))
        if np.isinf(element) and "inf" not in raw:
            raise reader.error(f"{raw} does not fit {dtype}.")
        return element
    raise reader.error(f"{raw!r} is not an element of a {dtype} tensor.")
