"""Cases of `graphc.ops.reduction`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, booleans, integers, name_of, numbers

Axes = tuple[int, ...] | None

REDUCED: tuple[tuple[Sequence[int], Axes, bool], ...] = (
    ((2, 3, 4), None, True),
    ((2, 3, 4), None, False),
    ((2, 3, 4), (1,), True),
    ((2, 3, 4), (-1,), False),
    ((2, 3, 4), (0, 2), True),
    ((5, 2, 3, 4), (0, 1), False),
    ((5, 2, 3, 4), (1, -2), False),
    ((2, 1, 4), (1,), False),
    ((3, 2, 5), (), True),
    ((), None, True),
    ((3, 0), (0,), True),
)
NOTHING: tuple[tuple[Sequence[int], Axes, bool], ...] = (((3, 0), (1,), False), ((0, 2), None, True))


def over(function: Callable[..., Any], **options: Any) -> Callable[..., Array]:
    """An oracle from a NumPy reduction. NumPy reads axes as the op does."""

    def oracle(x: Array, axes: Axes = None, keepdims: bool = True) -> Array:
        return np.asarray(function(x, axis=axes, keepdims=keepdims, **options))

    return oracle


def log_sum_exp(x: Array, axis: Axes, keepdims: bool) -> Array:
    """The definition; the operands of the cases do not overflow."""
    return np.asarray(np.log(np.exp(x).sum(axis=axis, keepdims=keepdims)))


def log_sum_exp_of_rows(x: Array, axis: Axes, keepdims: bool) -> Array:
    """For extreme numbers, pair by pair."""
    assert axis == (1,)
    return np.asarray(np.logaddexp.reduce(x, 1, keepdims=keepdims))


def mean(x: Array, axis: Axes, keepdims: bool) -> Array:
    """The definition; numpy.mean warns where there is nothing."""
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return np.asarray(total / np.sum(np.ones_like(x), axis=axis, keepdims=keepdims))


def sum_square(x: Array, axis: Axes, keepdims: bool) -> Array:
    """The definition."""
    return np.asarray((x * x).sum(axis=axis, keepdims=keepdims))


def norm(x: Array, axis: Axes, keepdims: bool) -> Array:
    """The definition."""
    return np.sqrt(sum_square(x, axis, keepdims))


def distinct(shape: Sequence[int]) -> Array:
    """Numbers that are far enough from each other for finite differences of a maximum."""
    size = int(np.prod(shape))
    return np.asarray(np.random.default_rng(size).permutation(size).reshape(shape) / 4.0 - 1.0)


def reduction(
    op: str,
    oracle: Callable[..., Array],
    make: Callable[[Sequence[int]], Array] = numbers,
    finite_on_nothing: bool = True,
    onnx_on_nothing: str = "",
) -> list[Case]:
    """All shapes, with and without elements to reduce; no gradient where a reduction of nothing is infinite or NaN."""
    cases = []
    for shapes, differentiate, onnx in (
        (REDUCED, None, ""),
        (NOTHING, None if finite_on_nothing else (), onnx_on_nothing),
    ):
        for shape, axes, keepdims in shapes:
            name = f"{name_of(shape)}-{'all' if axes is None else '_'.join(map(str, axes)) or 'none'}"
            dtypes = ALL_FLOATS if shape == (2, 3, 4) else ("float32", "float64")
            cases.append(
                Case(op, [make(shape)], oracle, {"axes": axes, "keepdims": keepdims}, dtypes=dtypes, onnx=onnx,
                     differentiate=differentiate, rtol=1e-5, atol=1e-5, id=name + ("" if keepdims else "-dropped"))
            )  # fmt: skip
    return cases


def of_integers(op: str, oracle: Callable[..., Array], low: int, high: int, *dtypes: str) -> list[Case]:
    """Integer dtypes, unsigned ones from 0 on."""
    return [
        Case(op, [integers((2, 5, 3), 0 if d[0] == "u" else low, high, d)], oracle, {"axes": (1,)}, id=d)
        for d in dtypes
    ]


def wrapping_sum(x: Array, axes: Axes = None, keepdims: bool = True) -> Array:
    """The sum in int32."""
    return np.asarray(x.sum(axis=axes, keepdims=keepdims, dtype=np.int32))


def index_of(function: Callable[..., Any], last: Callable[[Array], Array]) -> Callable[..., Array]:
    """An oracle for ArgMax and ArgMin: the index by NumPy; the last of equals by a loop over lines."""

    def oracle(x: Array, axis: int = 0, keepdims: bool = True, select_last_index: bool = False) -> Array:
        if not select_last_index:
            return np.asarray(function(x, axis=axis, keepdims=keepdims))
        found = np.apply_along_axis(lambda line: np.flatnonzero(line == last(line))[-1], axis, x)
        return np.expand_dims(found, axis) if keepdims else np.asarray(found)

    return oracle


KEEPS_LENGTH = "ONNX Runtime leaves the axis its length when there is no line to search"


def index_cases(op: str, oracle: Callable[..., Array]) -> list[Case]:
    """Floats, ties, NaN, and the integer dtypes."""
    ties = np.array([[1.0, 3.0, 3.0, 2.0, 1.0], [2.0, 0.0, 2.0, 0.0, 1.0]])
    return [
        Case(op, [numbers((3, 4))], oracle, dtypes=ALL_FLOATS, id="defaults"),
        Case(op, [numbers((2, 3, 4))], oracle, {"axis": -2, "keepdims": False}, id="middle"),
        Case(op, [numbers((2, 1, 4))], oracle, {"axis": 1}, id="one"),
        Case(op, [numbers((0, 4))], oracle, {"axis": -1}, onnx=KEEPS_LENGTH, id="no_lines"),
        Case(op, [ties], oracle, {"axis": 1}, id="first_of_ties"),
        Case(op, [ties], oracle, {"axis": 1, "select_last_index": True}, id="last_of_ties"),
        Case(op, [ties], oracle, {"axis": 0, "keepdims": False, "select_last_index": True}, id="last_of_ties_dropped"),
        Case(op, [np.array([1.0, np.inf, -np.inf, 2.0])], oracle, id="infinities"),
        Case(op, [np.array([1.0, np.nan, 3.0, np.nan])], oracle, id="nan"),
        *(
            Case(op, [integers((4, 5), 0 if d[0] == "u" else -7, 7, d)], oracle, {"axis": -1}, id=d)
            for d in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
        ),
        Case(op, [integers((4, 5), 0, 9, "uint64")], oracle, {"axis": -1}, onnx="ONNX Runtime has no uint64 kernel",
             id="uint64"),
    ]  # fmt: skip


def cumsum(x: Array, axis: int, exclusive: bool = False, reverse: bool = False) -> Array:
    """The sums written out."""
    lines = np.moveaxis(x, axis, -1)
    i, j = np.indices((lines.shape[-1],) * 2)
    counted = (j > i if exclusive else j >= i) if reverse else (j < i if exclusive else j <= i)
    return np.moveaxis(np.where(counted, lines[..., None, :], 0).sum(-1), -1, axis)


def sum_to_shape(x: Array, like: Array) -> Array:
    """Sum what broadcasting would repeat."""
    x = x.sum(axis=tuple(range(x.ndim - like.ndim)))
    return np.asarray(x.sum(axis=tuple(i for i, n in enumerate(like.shape) if n == 1 != x.shape[i]), keepdims=True))


def with_zeros(*flat: float) -> Array:
    """A matrix with zeros in some columns."""
    return np.array(flat).reshape(2, -1)


SUMMED = (
    ((3, 4), (3, 4)),
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (3, 1)),
    ((2, 3, 4), (2, 1, 4)),
    ((2, 3, 4), ()),
    ((2, 1, 4), (1, 1)),
    ((0, 3), (1, 3)),
)
NAN_IS_LOST = "ONNX Runtime's ReduceMax and ReduceMin lose NaN where NumPy, Keras and the ONNX standard keep it"
WRAPS = np.array([2**31 - 1, 5, -3, 2**31 - 1], np.int32)
INFINITE = np.array([[-np.inf, -np.inf], [np.inf, 1.0], [-np.inf, 1.0], [1000.0, 1000.0], [-1000.0, -1001.0]])

CASES = [
    *reduction("ReduceSum", over(np.sum)),
    *of_integers("ReduceSum", over(np.sum), -20, 20, "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    Case("ReduceSum", [WRAPS], wrapping_sum, id="int32_wraps"),
    Case("ReduceSum", [numbers((7, 5000))], over(np.sum), {"axes": (1,)}, rtol=1e-5, atol=2e-3, id="long_rows"),
    Case("ReduceSum", [numbers((5000, 7))], over(np.sum), {"axes": (0,)}, rtol=1e-5, atol=2e-3, id="long_columns"),
    Case("ReduceSum", [numbers((3, 20, 40, 8))], over(np.sum), {"axes": (1, 2)}, rtol=1e-5, atol=1e-3, id="images"),
    Case("ReduceSum", [np.array([[1.0, np.inf], [np.nan, 1.0]])], over(np.sum), {"axes": (1,)}, differentiate=(),
         id="special"),
    *reduction("ReduceMean", over(mean), finite_on_nothing=False,
               onnx_on_nothing="ONNX Runtime says 0 for a mean of nothing, NumPy and Keras say NaN"),
    Case("ReduceMean", [np.full((3, 40), 3000.0)], over(mean), dtypes=("float16",), differentiate=(),
         id="sum_beyond_float16"),
    *reduction("ReduceMax", over(np.max, initial=-np.inf), distinct, finite_on_nothing=False),
    Case("ReduceMax", [distinct((3, 20, 40, 8))], over(np.max), {"axes": (1, 2)}, rtol=0, atol=0, id="images"),
    Case("ReduceMax", [distinct((5, 27, 40))], over(np.max), {"axes": (1,)}, rtol=0, atol=0, id="odd_number"),
    *of_integers("ReduceMax", over(np.max), -9, 9, "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    Case("ReduceMax", [booleans((3, 4))], over(np.max), {"axes": (1,)}, id="bool"),
    Case("ReduceMax", [integers((3, 4), 0, 9, "uint64")], over(np.max), onnx="ONNX Runtime has no uint64 kernel",
         id="uint64"),
    Case("ReduceMax", [np.array([[1.0, np.nan, 3.0]])], over(np.max), {"axes": (1,)}, differentiate=(),
         onnx=NAN_IS_LOST, id="nan"),
    *reduction("ReduceMin", over(np.min, initial=np.inf), distinct, finite_on_nothing=False),
    Case("ReduceMin", [distinct((27, 200))], over(np.min), {"axes": (0,)}, rtol=0, atol=0, id="columns"),
    Case("ReduceMin", [distinct((3, 9, 2, 30))], over(np.min), {"axes": (0, 1, 3)}, rtol=0, atol=0, id="two_groups"),
    *of_integers("ReduceMin", over(np.min), -9, 9, "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    Case("ReduceMin", [booleans((3, 4))], over(np.min), {"axes": (1,)}, id="bool"),
    Case("ReduceMin", [np.array([[1.0, np.nan, 3.0]])], over(np.min), {"axes": (1,)}, differentiate=(),
         onnx=NAN_IS_LOST, id="nan"),
    *reduction("ReduceProd", over(np.prod)),
    *of_integers("ReduceProd", over(np.prod), -3, 3, "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    Case("ReduceProd", [with_zeros(0.0, 2.0, 3.0, 0.0, 5.0, 0.0)], over(np.prod), {"axes": (1,)}, id="zeros"),
    Case("ReduceProd", [with_zeros(0.0, 0.0, 3.0, 4.0, 5.0, 0.0, 7.0, 1.0)], over(np.prod), id="two_zeros"),
    *reduction("ReduceSumSquare", over(sum_square)),
    *of_integers("ReduceSumSquare", over(sum_square), -3, 3, "int8", "int32", "uint16"),
    *reduction("ReduceL2", over(norm), finite_on_nothing=False),
    *reduction("ReduceLogSumExp", over(log_sum_exp), finite_on_nothing=False),
    Case("ReduceLogSumExp", [INFINITE], over(log_sum_exp_of_rows), {"axes": (1,)}, differentiate=(),
         id="extremes"),
    *index_cases("ArgMax", index_of(np.argmax, np.max)),
    *index_cases("ArgMin", index_of(np.argmin, np.min)),
    Case("CumSum", [numbers((3, 4))], cumsum, {"axis": 0}, dtypes=ALL_FLOATS, rtol=1e-5, id="down"),
    Case("CumSum", [numbers((3, 4))], cumsum, {"axis": -1, "exclusive": True}, rtol=1e-5, id="exclusive"),
    Case("CumSum", [numbers((2, 3, 4))], cumsum, {"axis": 1, "reverse": True}, rtol=1e-5, id="reverse"),
    Case("CumSum", [numbers((2, 3, 4))], cumsum, {"axis": -2, "exclusive": True, "reverse": True}, rtol=1e-5,
         id="both"),
    Case("CumSum", [numbers((5, 1))], cumsum, {"axis": 1, "exclusive": True}, id="one"),
    Case("CumSum", [numbers((3, 0))], cumsum, {"axis": 1, "exclusive": True}, id="nothing"),
    *(
        Case("CumSum", [integers((2, 5), 0 if d[0] == "u" else -9, 9, d)], cumsum, {"axis": 1}, id=d)
        for d in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    ),
    *(
        Case("SumToShape", [numbers(x), numbers(like)], sum_to_shape, dtypes=ALL_FLOATS, differentiate=(0,), rtol=1e-5,
             atol=1e-5, id=name_of(x, like))
        for x, like in SUMMED
    ),
    Case("SumToShape", [integers((3, 4), -9, 9, "int32"), numbers((4,))], sum_to_shape, dtypes=("float32",),
         differentiate=(), id="int32"),
]  # fmt: skip
