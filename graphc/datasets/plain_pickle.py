"""Reads the data out of a pickle without running it.

A pickle is a program: its instructions import functions by name and call them. Three old data sets are published as pickles
all the same (IMDB and Reuters as object arrays, CIFAR as dictionaries). Python's own unpickler, with its imports cut down
to NumPy's, would still hand made-up shapes and states to NumPy's constructors, and reserve as much memory as a number in
the file says. So the instructions are read here, and only those that describe data: numbers, strings, lists, tuples,
dictionaries, and the few names with which arrays and bytes are written, which are recognised and never called. Anything
else is refused. The arrays are then made from their dtype, shape and contents, when these agree.

The format is that of Python's ``pickletools``; protocols 2 to 4, of which NumPy has always used one for object arrays.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import numpy as np

from graphc.errors import DataError

LARGEST = 2**28
"""Bytes; CIFAR-100's training images, the largest pickle of the built-in data sets, have 154 million."""

MOST_VALUES = 2**20
"""Lists, tuples, strings and other values except small integers; IMDB, the one with most, has some 50,000 in a file."""

MOST_INTEGERS = 2**24
"""IMDB has some six million in a file."""

_CODES = {"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "b1"}


class _Name(Enum):
    """What a pickle may name."""

    ARRAY = auto()
    DTYPE = auto()
    RECONSTRUCT = auto()
    ENCODE = auto()
    BYTES = auto()


_NAMES = {
    ("numpy", "ndarray"): _Name.ARRAY,
    ("numpy", "dtype"): _Name.DTYPE,
    ("numpy.core.multiarray", "_reconstruct"): _Name.RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _Name.RECONSTRUCT,
    ("_codecs", "encode"): _Name.ENCODE,  # these two are how Python 3 writes bytes in protocol 2
    ("__builtin__", "bytes"): _Name.BYTES,
}


class _Refused(Exception):
    """The pickle has something that is not data."""


class _Mark:
    """The start of the items of a list, tuple or dictionary."""


class _Dtype:
    """A dtype that is being described: a code such as ``u1``, ``O8``."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "<"


class _Array:
    """An array that is announced; its state follows."""

    def __init__(self) -> None:
        self.places: list[int] = []


def read_pickle(data: bytes, what: str) -> Any:
    """The value that a pickle describes; arrays of objects come as NumPy arrays of lists, as they were written.

    Args:
        data: the whole pickle. Strings of Python 2 come as bytes.
        what: the file, for messages.

    Raises:
        DataError: it is damaged, too large, or holds anything other than data.
    """
    if len(data) > LARGEST:
        raise DataError(f"{what} has {len(data)} bytes, and at most {LARGEST} are read.")
    try:
        return _Reader(data).read()
    except _Refused as error:
        raise DataError(f"{what} is not data that can be read: {error}. Nothing in it was run.") from None
    except (IndexError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(f"{what} is a damaged pickle ({type(error).__name__}: {error}).") from None


class _Reader:
    """One pass over the instructions, with the stack and the memo that they speak of."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.values = 0
        self.integers = 0
        self.array_bytes = 0

    def read(self) -> Any:
        data, stack, actions = self.data, self.stack, _ACTIONS
        if data[:1] != b"\x80":
            raise _Refused("it does not start as a pickle of protocol 2 or later")
        while True:
            code = data[self.at]
            if code in _SMALL:
                self.run_of_integers()
                continue
            self.at += 1
            if code == _STOP:
                if len(stack) != 1 or isinstance(stack[0], _Mark | _Array | _Dtype | _Name):
                    raise _Refused("it ends before its value is complete")
                return stack[0]
            action = actions.get(code)
            if action is None:
                raise _Refused(f"instruction {bytes([code])!r} at byte {self.at - 1} is none that describes data")
            action(self)

    def run_of_integers(self) -> None:
        """A run of small integers: nearly all that the text data sets hold, so the one loop that has to be short."""
        data, at, append, before = self.data, self.at, self.stack.append, len(self.stack)
        end = len(data) - 5
        while at < end:
            code = data[at]
            if code == _BYTE:
                append(data[at + 1])
                at += 2
            elif code == _SHORT:
                append(data[at + 1] | data[at + 2] << 8)
                at += 3
            elif code == _INT:
                append(int.from_bytes(data[at + 1 : at + 5], "little", signed=True))
                at += 5
            else:
                break
        else:  # the last few bytes, one at a time, with a look at the end of the data
            code = data[at]
            if code in _SMALL:
                size = _SMALL[code]
                self.at = at + 1
                append(int.from_bytes(self.take(size), "little", signed=size == 4))
                at = self.at
        self.at = at
        self.integers += len(self.stack) - before
        if self.integers > MOST_INTEGERS:
            raise _Refused(f"it has more than {MOST_INTEGERS} integers")

    # -- pieces of the data -------------------------------------------------------------------------------------------

    def take(self, size: int) -> bytes:
        """The next bytes."""
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise _Refused("it is cut short")
        self.at += size
        return piece

    def number(self, size: int) -> int:
        """The next bytes as an unsigned number."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> str:
        """The text up to the next line break."""
        end = self.data.index(b"\n", self.at, self.at + 256)
        text = self.data[self.at : end].decode("ascii")
        self.at = end + 1
        return text

    def push(self, value: Any) -> None:
        """Put a value on the stack, and count it: one byte of a pickle can stand for a list of its own."""
        self.values += 1
        if self.values > MOST_VALUES:
            raise _Refused(f"it has more than {MOST_VALUES} lists, tuples and strings")
        self.stack.append(value)

    def items(self) -> list[Any]:
        """What was pushed since the last mark, which goes away with it."""
        stack = self.stack
        for start in range(len(stack) - 1, -1, -1):
            if type(stack[start]) is _Mark:
                found = stack[start + 1 :]
                del stack[start:]
                return found
        raise _Refused("a list ends that was never begun")

    # -- instructions -------------------------------------------------------------------------------------------------

    def protocol(self) -> None:
        version = self.number(1)
        if not 2 <= version <= 4:
            raise _Refused(f"protocol {version} is not one from 2 to 4")

    def long(self) -> None:
        self.push(int.from_bytes(self.take(self.number(1)), "little", signed=True))

    def append(self) -> None:
        value = self.stack.pop()
        self.target(list).append(value)

    def appends(self) -> None:
        values = self.items()
        self.target(list).extend(values)

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.target(dict)[_plain_key(key)] = value

    def set_items(self) -> None:
        values = self.items()
        for key, value in zip(values[::2], values[1::2], strict=True):
            self.target(dict)[_plain_key(key)] = value

    def target(self, kind: type) -> Any:
        """The list or dictionary on top of the stack."""
        if type(self.stack[-1]) is not kind:
            raise _Refused(f"items are added to something that is no {kind.__name__}")
        return self.stack[-1]

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise _Refused("a tuple has fewer items than it says")
        values = self.stack[-count:]
        del self.stack[-count:]
        self.push(tuple(values))

    def put(self, place: int) -> None:
        value = self.stack[-1]
        if isinstance(value, _Array):
            value.places.append(place)
        if len(self.memo) > MOST_VALUES:
            raise _Refused(f"it keeps more than {MOST_VALUES} values")
        self.memo[place] = value

    def global_name(self) -> None:
        self.name(self.line(), self.line())

    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.name(module, name)

    def name(self, module: Any, name: Any) -> None:
        found = _NAMES.get((module, name))
        if found is None:
            raise _Refused(f"it asks for {module}.{name}")
        self.stack.append(found)

    def reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if function is _Name.RECONSTRUCT and arguments[0] is _Name.ARRAY:
            self.push(_Array())
        elif function is _Name.DTYPE and isinstance(arguments[0], str | bytes):
            code = arguments[0]
            self.push(_Dtype(code.decode("ascii") if isinstance(code, bytes) else code))
        elif function is _Name.ENCODE and isinstance(arguments[0], str) and arguments[1] in ("latin1", b"latin1"):
            self.count_bytes(len(arguments[0]))
            self.push(arguments[0].encode("latin1"))
        elif function is _Name.BYTES and arguments == ():
            self.push(b"")
        else:
            raise _Refused("it calls something")

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, _Dtype):
            version, order, subtype, names, fields = state[:5]
            order = order.decode("ascii") if isinstance(order, bytes) else order
            if version != 3 or order not in ("<", ">", "|", "=") or (subtype, names, fields) != (None, None, None):
                raise _Refused("it has an array with a dtype that is not simple")
            target.order = "<" if order == "|" else order
            return
        if not isinstance(target, _Array):
            raise _Refused("it sets the state of something")
        self.count_bytes(len(state[-1]) * (8 if type(state[-1]) is list else 1))
        array = _array(*state[1:])
        self.stack[-1] = array
        for place in target.places:
            self.memo[place] = array

    def count_bytes(self, size: int) -> None:
        """Note that so many bytes are about to be copied: a pickle can name the same string any number of times."""
        self.array_bytes += size
        if self.array_bytes > 2 * LARGEST:
            raise _Refused("its arrays are larger than the file")


def _plain_key(key: Any) -> str | bytes | int:
    if not isinstance(key, str | bytes | int):
        raise _Refused("a dictionary has a key that is no string or number")
    return key


def _array(shape: Any, dtype: Any, fortran: Any, contents: Any) -> np.ndarray[Any, Any]:
    """An array of what a pickle says about it, if the parts agree."""
    if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple) or len(shape) > 32:
        raise _Refused("it has an array without shape and dtype")
    if not all(type(d) is int and d >= 0 for d in shape):
        raise _Refused(f"it has an array of shape {shape}")
    size = math.prod(shape)
    order: Any = "F" if fortran else "C"
    if dtype.code in ("O", "O8", "O4"):
        if type(contents) is not list or len(contents) != size:
            raise _Refused(f"it has an array of shape {shape} with another number of elements")
        objects = np.empty(size, dtype=object)
        for i, item in enumerate(contents):  # an assignment of the whole list would look into its items
            objects[i] = item
        return objects.reshape(shape, order=order)
    if dtype.code not in _CODES or not isinstance(contents, bytes):
        raise _Refused(f"it has an array of dtype {dtype.code!r}")
    kind = np.dtype(dtype.order + dtype.code)
    if len(contents) != size * kind.itemsize:
        raise _Refused(f"it has an array of shape {shape} and dtype {dtype.code} with {len(contents)} bytes")
    array = np.frombuffer(contents, kind).reshape(shape, order=order)
    return array.astype(kind.newbyteorder("="))  # a copy of its own, in the machine's byte order


_STOP = ord(".")
_BYTE, _SHORT, _INT = ord("K"), ord("M"), ord("J")
_SMALL = {_BYTE: 1, _SHORT: 2, _INT: 4}

_ACTIONS: dict[int, Callable[[_Reader], None]] = {
    ord(code): action
    for code, action in {
        "\x80": _Reader.protocol,
        "\x95": lambda r: r.take(8) and None,  # the length of a frame
        "N": lambda r: r.push(None),
        "\x88": lambda r: r.push(True),
        "\x89": lambda r: r.push(False),
        "\x8a": _Reader.long,
        "G": lambda r: r.push(struct.unpack(">d", r.take(8))[0]),
        # strings: of Python 2 (bytes), bytes, text
        "U": lambda r: r.push(r.take(r.number(1))),
        "T": lambda r: r.push(r.take(r.number(4))),
        "C": lambda r: r.push(r.take(r.number(1))),
        "B": lambda r: r.push(r.take(r.number(4))),
        "\x8e": lambda r: r.push(r.take(r.number(8))),
        "\x8c": lambda r: r.push(r.take(r.number(1)).decode("utf-8")),
        "X": lambda r: r.push(r.take(r.number(4)).decode("utf-8")),
        "\x8d": lambda r: r.push(r.take(r.number(8)).decode("utf-8")),
        # containers
        "(": lambda r: r.push(_Mark()),
        "]": lambda r: r.push([]),
        "}": lambda r: r.push({}),
        ")": lambda r: r.push(()),
        "a": _Reader.append,
        "e": _Reader.appends,
        "s": _Reader.set_item,
        "u": _Reader.set_items,
        "l": lambda r: r.push(r.items()),
        "t": lambda r: r.push(tuple(r.items())),
        "\x85": lambda r: r.tuple_of(1),
        "\x86": lambda r: r.tuple_of(2),
        "\x87": lambda r: r.tuple_of(3),
        # the memo: values that are used again
        "q": lambda r: r.put(r.number(1)),
        "r": lambda r: r.put(r.number(4)),
        "\x94": lambda r: r.put(len(r.memo)),
        "h": lambda r: r.push(r.memo[r.number(1)]),
        "j": lambda r: r.push(r.memo[r.number(4)]),
        # names, which stand for an array or a dtype and for nothing else
        "c": _Reader.global_name,
        "\x93": _Reader.stack_global,
        "R": _Reader.reduce,
        "b": _Reader.build,
    }.items()
}
"""The instructions that describe data; every other one is refused."""
