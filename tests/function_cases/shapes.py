"""Cases of the functions in `graphc.ops.functional.movement`, `.indexing` and `.creation`."""

from __future__ import annotations

from typing import Any

import numpy as np
from function_cases.case import FunctionCase as Case
from function_cases.case import booleans, integers, numbers

MAKES = "it makes an array"
FROZEN = "the length is given as a number"
NEEDS_LENGTH = "the length must be known"


def keys() -> list[Case]:
    """Keys of every kind; the answer is NumPy's own."""
    rows, columns = integers(4, low=-4, high=4), integers(2, 1, low=-3, high=3)
    table: dict[str, tuple[Any, Any]] = {
        "integer": (numbers(5, 3), 2),
        "negative": (numbers(5, 3), (slice(None), -1)),
        "last": (numbers(5, 7, 3), (slice(None), -1, slice(None))),
        "slice": (numbers(5, 7, 3), (slice(None), slice(1, None))),
        "slice-both": (numbers(5, 7, 3), (slice(None), slice(1, -1), slice(0, 2))),
        "step": (numbers(5, 7, 3), (slice(None), slice(None, None, 2))),
        "reverse": (numbers(5, 7, 3), (slice(None), slice(None, None, -1))),
        "reverse-part": (numbers(6, 3), slice(4, 1, -2)),
        "reverse-to-start": (numbers(6, 3), slice(3, None, -1)),
        "out-of-range": (numbers(6, 3), slice(2, 99)),
        "empty": (numbers(6, 3), slice(4, 2)),
        "new-axis": (numbers(5, 3), (slice(None), None)),
        "new-axes": (numbers(5, 3), (None, Ellipsis, None)),
        "ellipsis": (numbers(5, 2, 3), (Ellipsis, 0)),
        "ellipsis-middle": (numbers(5, 2, 3), (slice(1, 3), Ellipsis, slice(1, 2))),
        "mixed": (numbers(5, 2, 3), (slice(None), None, 1, slice(None, 2))),
        "all-integers": (numbers(5, 3), (0, 2)),
        "nothing": (numbers(5, 3), ()),
        "all": (numbers(5, 3), slice(None)),
        "array": (numbers(5, 3), rows),
        "array-2d": (numbers(5, 3), integers(2, 4, low=-4, high=4)),
        "list": (numbers(5, 3), [0, -2, 3]),
        "array-second": (numbers(5, 3), (slice(None), [2, 0])),
        "array-and-slice": (numbers(6, 4), ([3, 0], slice(1, 3))),
        "array-and-integer": (numbers(5, 2, 3), (slice(None), 1, [2, 0])),
        "array-apart-from-integer": (numbers(6, 2, 3), (0, slice(None), [2, 0])),
        "array-and-new-axis": (numbers(5, 3), (slice(None), [2, 0], None)),
        "new-axis-and-array": (numbers(5, 3), (None, [2, 0])),
        "two-arrays": (numbers(5, 3), (np.int32([0, -1, 3]), np.int32([-1, 1, 0]))),
        "two-arrays-broadcast": (numbers(5, 3), (rows, columns)),
        "two-arrays-after": (numbers(4, 5, 3), (slice(None), [0, 3], [-1, 1])),
        "two-arrays-apart": (numbers(4, 2, 3), ([0, 3], slice(None), [-1, 1])),
        "two-arrays-and-new-axis": (numbers(4, 2, 3), ([0, 3], None, [-1, 1])),
        "three-arrays": (numbers(4, 2, 3), ([0, 3], [1, 0], [-1, 1])),
        "mask": (numbers(6, 3), np.array([True, False, True, True, False, True]).tolist()),
        "mask-2d": (numbers(2, 3, 4), [[True, False, True], [False, False, True]]),
    }
    return [
        Case("get_item", [x, key], oracle=lambda x, k: x[tuple(k) if isinstance(k, tuple) else k], id=name,
             keras="JAX takes no lists as indices" if holds_list(key) else "")
        for name, (x, key) in table.items()
    ]  # fmt: skip


def holds_list(key: Any) -> bool:
    return isinstance(key, list) or (isinstance(key, tuple) and any(isinstance(k, list) for k in key))


def moved(name: str, *rows: tuple[Any, ...], **more: Any) -> list[Case]:
    """A function of one float tensor, with the shapes and further arguments of each row."""
    return [Case(name, [numbers(*shape), *args], id=f"{shape}-{args}", **more) for shape, *args in rows]


def depth_to_space(x: Any, s: int, data_format: str = "channels_last") -> Any:
    if data_format == "channels_first":
        n, c, h, w = x.shape
        return x.reshape(n, c // s**2, s, s, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // s**2, h * s, w * s)
    n, h, w, c = x.shape
    return x.reshape(n, h, w, s, s, c // s**2).transpose(0, 1, 3, 2, 4, 5).reshape(n, h * s, w * s, c // s**2)


def block(x: Any, starts: Any, shape: Any) -> Any:
    return x[tuple(slice(s, s + n) for s, n in zip(np.asarray(starts).tolist(), shape, strict=True))]


def with_block(x: Any, starts: Any, updates: Any) -> Any:
    x = x.copy()
    x[tuple(slice(s, s + n) for s, n in zip(starts, updates.shape, strict=True))] = updates
    return x


def scattered(indices: Any, values: Any, shape: Any) -> Any:
    result = np.zeros(shape)
    np.add.at(result, tuple(indices.T), values)
    return result


def updated(x: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    x = x.astype(float)
    if reduction == "add":
        np.add.at(x, tuple(indices.T), updates)
    else:
        x[tuple(indices.T)] = updates
    return x


def summed_segments(data: Any, ids: Any, count: int) -> Any:
    result = np.zeros((count, *data.shape[1:]))
    np.add.at(result, ids, data)
    return result


def one_hot(x: Any, classes: int, axis: int = -1, dtype: Any = None) -> Any:
    return np.moveaxis((np.asarray(x, int)[..., None] == np.arange(classes)).astype(float), -1, axis)


def multi_hot(x: Any, classes: int, axis: int = -1, dtype: Any = None) -> Any:
    return one_hot(x, classes, axis).max(1 if x.ndim > 1 else 0)


def take_rows(x: Any, indices: Any, axis: Any) -> Any:
    return np.take_along_axis(x, indices, axis)


DUPLICATES = np.int32([[0, 1], [2, 2], [0, 1], [4, 0]])

CASES: list[Case] = [
    # regrouping and reordering
    *moved("reshape", ((5, 6), (-1, 2, 3)), ((5, 7, 3), (-1, 3)), ((5, 2, 3), (-1, 6)), ((2, 3), 6), ((2, 3), (3, -1))),
    *moved("reshape", ((5, 6), (5, 2, 3)), symbolic=FROZEN),
    *moved("ravel", ((5, 7, 3),), ((3,),), ((),)),
    *moved("transpose", ((5, 7, 3),), ((5, 7, 3), (0, 2, 1)), ((5, 7, 3), (-1, 0, 1)), ((3,),)),
    *moved("swapaxes", ((5, 7, 3), 0, 2), ((5, 7, 3), -1, 1), ((5, 3), 0, 0)),
    *moved("moveaxis", ((5, 7, 3, 2), 0, -1), ((5, 7, 3, 2), (0, 1), (2, 0)), ((5, 7, 3, 2), [-1, 0], [0, 1])),
    *moved("expand_dims", ((5, 3), 0), ((5, 3), -1), ((5, 3), (0, -1)), ((5, 3), (1, 2)), ((), 0)),
    *moved("squeeze", ((5, 1, 3, 1),), ((5, 1, 3, 1), 1), ((5, 1, 3, 1), (1, -1)), ((5, 3),)),
    *moved("broadcast_to", ((3,), (4, 3)), ((4, 1, 3), (4, 2, 3)), ((), (2, 3)), ((2, 3), (2, 3))),
    *(Case("rot90", [numbers(5, 3, 2), k, axes], id=f"{k}-{axes}") for k in (-1, 0, 1, 2, 3, 5) for axes in ((0, 1),
           (2, 1))),
    Case("depth_to_space", [numbers(5, 2, 3, 8), 2], oracle=depth_to_space),
    Case("depth_to_space", [numbers(5, 8, 2, 3), 2, "channels_first"], oracle=depth_to_space, id="channels-first"),
    Case("space_to_depth", [numbers(5, 4, 6, 3), 2],
         oracle=lambda x, s: x.reshape(len(x), 2, 2, 3, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(len(x), 2, 3, 12)),
    Case("space_to_depth", [numbers(5, 3, 4, 6), 2, "channels_first"], id="channels-first",
         oracle=lambda x, s, _: x.reshape(len(x), 3, 2, 2, 3, 2).transpose(0, 1, 3, 5, 2, 4).reshape(len(x), 12, 2, 3)),
    # joining and cutting
    Case("concatenate", [[numbers(5, 2), numbers(5, 3)], 1]),
    Case("concatenate", [[numbers(5, 2), numbers(2, 2)]], id="axis-0"),
    Case("concatenate", [[numbers(5, 2), integers(5, 3), numbers(5, 1)], -1], id="mixed"),
    Case("concatenate", [[numbers(5, 2)]], id="one"),
    Case("append", [numbers(5, 2), numbers(5, 3), 1]),
    Case("append", [numbers(5, 2), integers(3)], id="flattened"),
    *(Case("stack", [[numbers(5, 3), numbers(5, 3)], axis], id=f"axis-{axis}") for axis in (0, 1, -1)),
    Case("stack", [[numbers(5, 3), integers(5, 3)]], id="mixed"),
    Case("stack", [[1, 2.5]], traced=MAKES, id="numbers"),
    *(Case(name, [[numbers(*a), numbers(*b)]], id=f"{a}-{b}") for name, a, b in (
        ("hstack", (5,), (3,)), ("hstack", (5, 2), (5, 3)), ("vstack", (3,), (3,)), ("vstack", (5, 3), (2, 3)),
        ("dstack", (3,), (3,)), ("dstack", (5, 3), (5, 3)), ("dstack", (5, 3, 2), (5, 3, 1)))),
    *moved("split", ((6, 3), 3), ((5, 6), 2, 1), ((5, 6), [2, 5], -1), ((6,), 1)),
    *moved("split", ((5, 6), [1, -1], 1), ((6,), [4, 99]), keras="JAX splits at positions from 0 to the length only"),
    Case("split", [numbers(10, 3), 5], id="ten"),
    *moved("array_split", ((5, 6), 4, 1), ((8, 2), 3)),
    *moved("array_split", ((8, 2), [3]), keras="JAX takes a number of sections only"),
    *moved("hsplit", ((5, 6), 2), ((6,), 2)),
    *moved("vsplit", ((6, 2), 2)),
    *moved("dsplit", ((5, 2, 6), 3)),
    Case("unstack", [numbers(5, 3), None, 1], oracle=lambda x, _, axis: list(np.moveaxis(x, axis, 0))),
    Case("unstack", [numbers(4, 3), 4], oracle=lambda x, _: list(x), id="number"),
    # repeating, reversing, padding
    *moved("tile", ((5, 3), (1, 2)), ((5, 3), (2, 1, 2)), ((5, 2, 3), (2,)), ((3,), 2)),
    *moved("repeat", ((5, 3), 2, 1), ((5, 3), 2, 0), ((5, 3), 3), ((), 3)),
    Case("repeat", [numbers(6, 3), [1, 0, 2], 1], keras="JAX takes no list of repeats", id="list"),
    *moved("flip", ((5, 7, 3),), ((5, 7, 3), 1), ((5, 7, 3), (0, -1)), ((3,), 0)),
    *moved("fliplr", ((5, 7, 3),)),
    *moved("flipud", ((5, 3),)),
    *moved("roll", ((5, 3), 2, 0), ((5, 7), -9, (0, 1)), ((5, 3), 4), ((5, 4), 1, 1), ((5, 4), -1, 1), ((5, 4), 9, 1),
           ((6, 4), (1, 2), (0, 1)), ((6, 4), 3), ((6, 4), 2, (0, 1))),
    *moved("pad", ((5, 3), 1), ((5, 3), (1, 2)), ((5, 3), ((0, 0), (2, 1))), ((5, 3), ((1, 0), (0, 0))), ((5, 3), 0)),
    Case("pad", [numbers(5, 3), ((0, 0), (1, 2))], {"constant_values": 1.5}, id="value"),
    Case("pad", [integers(5, 3), ((0, 0), (1, 2))], {"constant_values": 7}, dtype="int32", id="integers"),
    Case("pad", [booleans(5, 3), ((0, 0), (1, 2))], dtype="bool", id="booleans"),
    *(Case("pad", [numbers(5, 4), ((0, 0), (2, 3))], {"mode": mode}, id=mode) for mode in ("reflect", "symmetric",
           "edge", "wrap")),
    *(Case("pad", [numbers(5, 3), ((0, 0), (5, 8))], {"mode": mode}, id=f"{mode}-far") for mode in ("reflect",
           "symmetric", "wrap")),
    # picking and placing
    *keys(),
    Case("slice", [numbers(6, 4), (1, 2), (3, 2)], oracle=block),
    Case("slice", [numbers(6, 4), (5, 3), (2, 3)], oracle=lambda x, *_: x[4:, 1:], id="held-back"),
    Case("slice", [numbers(6, 4), np.int32([2, 0]), (3, 4)], oracle=block, id="computed"),
    Case("slice_update", [numbers(6, 4), (1, 2), numbers(3, 2)], oracle=with_block),
    Case("slice_update", [numbers(6, 4, 3), (0, 1, 1), numbers(6, 2, 1)], oracle=with_block, id="rank-3"),
    Case("slice_update", [numbers(6, 4), (0, 0), numbers(6, 4)], oracle=with_block, id="all"),
    Case("slice_update", [numbers(5, 4), (0, 3), numbers(5, 1)], oracle=with_block, id="column"),
    Case("take", [numbers(5, 3), integers(2, 2, low=-3, high=3)], id="flattened"),
    Case("take", [numbers(5, 3), integers(2, 2, low=-3, high=3), 1], oracle=np.take),
    Case("take", [numbers(5, 3), integers(4, low=0, high=3, dtype="uint8"), -1], id="uint8"),
    Case("take", [numbers(5, 3), 2, 1], id="number"),
    Case("take_along_axis", [numbers(5, 4), integers(5, 2, low=-4, high=4), 1]),
    Case("take_along_axis", [numbers(5, 4), integers(1, 2, low=0, high=4), 1], oracle=take_rows, id="broadcast"),
    Case("take_along_axis", [numbers(1, 4), integers(3, 2, low=0, high=4), 1], oracle=take_rows, id="broadcast-x"),
    Case("take_along_axis", [numbers(3, 4), integers(6, low=0, high=12)], oracle=lambda x, i: x.ravel()[i],
         id="flattened"),
    Case("unravel_index", [integers(4, low=0, high=24), (2, 3, 4)], dtype="int32"),
    Case("segment_sum", [numbers(5, 3), np.int32([0, 2, 2, 1, 0]), 4], oracle=summed_segments),
    Case("scatter", [DUPLICATES, numbers(4), (5, 3)], oracle=scattered),
    Case("scatter", [DUPLICATES[:, :1], numbers(4, 3), (5, 3)], oracle=scattered, id="rows"),
    Case("scatter_update", [numbers(6, 3), DUPLICATES[1:], numbers(3)], oracle=updated),
    Case("scatter_update", [numbers(6, 3), DUPLICATES[1:, :1], numbers(3, 3)], oracle=updated, id="rows"),
    Case("scatter_update", [numbers(6, 3), DUPLICATES, numbers(4)], {"reduction": "add"}, oracle=updated, id="add"),
    *(Case(name, [numbers(5, 3, 4), k], id=f"{k}") for name in ("tril", "triu") for k in (-1, 0, 2)),
    Case("tril", [integers(3, 4)], dtype="int32", id="integers"),
    *moved("diag", ((3,),), ((3,), 1), ((3,), -2), ((3, 4),), ((3, 4), 1), ((3, 4), -1)),
    *moved("diagflat", ((2, 3),), ((2,), -1)),
    *moved("diagonal", ((3, 4),), ((5, 3, 4), 1, 1, 2), ((3, 5, 4), -1, 2, 0), ((3, 4), 9)),
    *moved("trace", ((3, 4),), ((3, 4, 5), 1), ((5, 3, 4), 0, -1, 1), rtol=1e-5),
    Case("trace", [integers(3, 4, dtype="int8")], dtype="int32", id="int8"),
    *(Case("one_hot", [integers(5, 2, low=-1, high=5), 4, axis], oracle=one_hot, id=f"axis-{axis}")
      for axis in (-1, 0, 1)),
    Case("one_hot", [integers(5, low=0, high=4), 4], {"dtype": "int8"}, oracle=one_hot, dtype="int8", id="dtype"),
    Case("one_hot", [numbers(5, low=0, high=4), 4], oracle=one_hot, keras="Keras on JAX gives zeros for fractions",
         id="floats"),
    Case("multi_hot", [integers(5, 3, low=0, high=6), 6], oracle=multi_hot),
    Case("multi_hot", [integers(3, low=0, high=6), 6], oracle=multi_hot, id="vector"),
    # new tensors
    *(Case(name, [(2, 3)], traced=MAKES) for name in ("zeros", "ones")),
    Case("zeros", [3], {"dtype": "int8"}, dtype="int8", traced=MAKES, id="dtype"),
    Case("empty", [(2, 3)], oracle=np.zeros, traced=MAKES),
    Case("full", [(2, 3), 1.5], traced=MAKES),
    Case("full", [(2, 3), 2], traced=MAKES, id="integer"),
    Case("full", [(2, 3), np.float32([1, 2, 3])], id="row"),
    *(Case(name, [numbers(5, 3)]) for name in ("zeros_like", "ones_like")),
    Case("empty_like", [numbers(5, 3)], oracle=np.zeros_like),
    Case("ones_like", [integers(5, 3)], dtype="int32", id="integers"),
    Case("zeros_like", [numbers(5, 3)], {"dtype": "bool"}, dtype="bool", id="dtype"),
    Case("full_like", [numbers(5, 3), 2.5]),
    Case("full_like", [integers(5, 3), 2.5], dtype="int32", id="integers"),
    *(Case("arange", args, dtype="int32", traced=MAKES, id=f"{args}") for args in ([5], [2, 9], [2, 9, 3], [9, 2, -3],
           [0])),
    Case("arange", [0, 1, 0.25], traced=MAKES, id="floats"),
    Case("arange", [4], {"dtype": "float32"}, traced=MAKES, id="dtype"),
    Case("linspace", [0, 5, 4], traced=MAKES),
    Case("linspace", [0, 10, 11], {"dtype": "int32"}, dtype="int32", traced=MAKES, id="integers"),
    Case("linspace", [0.5, 2, 5], {"endpoint": False}, traced=MAKES, id="open"),
    Case("linspace", [numbers(5, 3), numbers(5, 3), 4], id="tensors"),
    Case("linspace", [0.0, numbers(5, 3), 4], {"axis": -1}, id="number-and-tensor"),
    Case("linspace", [numbers(3), numbers(5, 3), 4], {"axis": 1, "endpoint": False}, id="broadcast"),
    Case("logspace", [0, 2, 5], traced=MAKES, rtol=1e-5),
    Case("logspace", [numbers(5), numbers(5), 3], {"base": 2}, rtol=1e-5, id="tensors"),
    Case("geomspace", [1, 256, 9], traced=MAKES, rtol=1e-5),
    Case("geomspace", [numbers(5, low=0.5), numbers(5, low=0.5), 3], rtol=1e-5, id="tensors"),
    *(Case(name, args, traced=MAKES, id=f"{args}")
      for name in ("eye", "tri") for args in ([3], [3, 4], [3, 4, 1], [3, None, -1])),
    Case("eye", [3], {"dtype": "int32"}, dtype="int32", traced=MAKES, id="dtype"),
    Case("identity", [3], traced=MAKES),
    Case("vander", [numbers(5), 3], rtol=1e-5),
    Case("vander", [integers(4, low=-3, high=4)], {"increasing": True}, dtype="int32", id="integers"),
    Case("meshgrid", [numbers(5), numbers(3)]),
    Case("meshgrid", [numbers(5), numbers(3), numbers(2)], {"indexing": "ij"}, id="ij"),
    Case("meshgrid", [numbers(5), numbers(3), numbers(2)], id="three"),
    *(Case(name, [n], traced=MAKES, id=f"{n}")
      for name in ("bartlett", "blackman", "hamming", "hanning") for n in (1, 6)),
    Case("kaiser", [6, 2.5], traced=MAKES),
]  # fmt: skip
