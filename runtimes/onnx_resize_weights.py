"""The weights of `graphc.ops.resampling` as ONNX nodes, for lengths that are known only with the data.

The same formulas as there, in float32 or in float64 for float64 data; where positions must be exact, in int64.
"""

from __future__ import annotations

from math import pi
from typing import Any

from graphc.ir.dims import DimLike
from graphc.ops.resampling import CUBIC, CUBIC_A, LINEAR, MEAN, NEAREST
from graphc.runtimes.onnx_lowering import Lowering


class _Nodes:
    """Emits arithmetic in one dtype; operands are tensor names or numbers."""

    def __init__(self, lowering: Lowering, dtype: str) -> None:
        self.lowering = lowering
        self.dtype = dtype

    def __call__(self, op: str, *operands: str | float, **attributes: Any) -> str:
        names = [x if isinstance(x, str) else self.lowering.scalar(x, self.dtype) for x in operands]
        return self.lowering.emit(op, names, **attributes)[0]

    def length(self, dim: DimLike) -> str:
        """A length as a scalar."""
        whole = self.lowering.emit("Squeeze", [self.lowering.dims([dim])])[0]
        return whole if self.dtype == "int64" else self.lowering.emit("Cast", [whole], to=self.dtype)[0]

    def count(self, dim: DimLike) -> str:
        """0, 1, ... up to a length: counted in integers, which is exact for every length."""
        lowering = self.lowering
        (last,) = lowering.emit("Squeeze", [lowering.dims([dim])])
        bounds = [lowering.scalar(0, "int64"), last, lowering.scalar(1, "int64")]
        (numbers,) = lowering.emit("Range", bounds)
        return numbers if self.dtype == "int64" else lowering.emit("Cast", [numbers], to=self.dtype)[0]


def computed_nearest_indices(lowering: Lowering, length: DimLike, size: DimLike) -> str:
    """``floor((i + 0.5) * length / size)`` for each new element ``i``, in integers; both sides are positive."""
    n = _Nodes(lowering, "int64")
    odd = n("Add", n("Mul", n.count(size), 2), 1)
    return n("Div", n("Mul", odd, n.length(length)), n("Mul", n.length(size), 2))


def computed_weights(lowering: Lowering, mode: str, length: DimLike, size: DimLike, antialias: bool, dtype: str) -> str:
    """The matrix of weights, ``size`` rows and ``length`` columns, in ``dtype``."""
    work = "float64" if dtype == "float64" else "float32"
    if mode == NEAREST:
        weights = _nearest(lowering, length, size, work)
    elif mode == MEAN:
        weights = _mean(lowering, length, size, work)
    else:
        weights = _filtered(_Nodes(lowering, work), mode, length, size, antialias)
    return weights if dtype == work else lowering.emit("Cast", [weights], to=dtype)[0]


def _as_column(n: _Nodes, x: str) -> str:
    return n.lowering.emit("Unsqueeze", [x, n.lowering.ints([1])])[0]


def _nearest(lowering: Lowering, length: DimLike, size: DimLike, dtype: str) -> str:
    n = _Nodes(lowering, "int64")
    picked = n("Equal", _as_column(n, computed_nearest_indices(lowering, length, size)), n.count(length))
    return lowering.emit("Cast", [picked], to=dtype)[0]


def _mean(lowering: Lowering, length: DimLike, size: DimLike, dtype: str) -> str:
    n = _Nodes(lowering, "int64")
    old, total, count = n.count(length), n.length(length), n.length(size)
    i = n.count(size)
    begins = n("Div", n("Mul", i, total), count)
    next_ = n("Mul", n("Add", i, 1), total)
    ends = n("Div", n("Add", next_, n("Sub", count, 1)), count)
    from_begin = n("GreaterOrEqual", old, _as_column(n, begins))
    inside = n("And", from_begin, n("Less", old, _as_column(n, ends)))
    (counted,) = lowering.emit("Cast", [inside], to=dtype)
    (width,) = lowering.emit("Cast", [_as_column(n, n("Sub", ends, begins))], to=dtype)
    return lowering.emit("Div", [counted, width])[0]


def _filtered(n: _Nodes, mode: str, length: DimLike, size: DimLike, antialias: bool) -> str:
    step = n("Div", n.length(length), n.length(size))
    centres = n("Sub", n("Mul", n("Add", n.count(size), 0.5), step), 0.5)
    distance = n("Abs", n("Sub", _as_column(n, centres), n.count(length)))
    if antialias:
        distance = n("Div", distance, n("Max", step, 1.0))
    weights = _linear(n, distance) if mode == LINEAR else _cubic(n, distance) if mode == CUBIC else None
    if weights is None:
        weights = _lanczos(n, distance, int(mode.removeprefix("lanczos")))
    (sums,) = n.lowering.emit("ReduceSum", [weights, n.lowering.ints([1])], keepdims=1)
    return n("Div", weights, sums)


def _linear(n: _Nodes, x: str) -> str:
    return n("Max", n("Sub", 1.0, x), 0.0)


def _cubic(n: _Nodes, x: str) -> str:
    a, square = CUBIC_A, n("Mul", x, x)
    near = n("Add", n("Mul", n("Sub", n("Mul", x, a + 2), a + 3), square), 1.0)
    far = n("Mul", n("Sub", n("Mul", n("Add", n("Mul", n("Sub", x, 5.0), x), 8.0), x), 4.0), a)
    return n("Where", n("Less", x, 1.0), near, n("Where", n("Less", x, 2.0), far, 0.0))


def _lanczos(n: _Nodes, x: str, radius: int) -> str:
    def sinc(factor: float) -> str:
        angle = n("Mul", x, factor * pi)
        return n("Where", n("Less", angle, 1e-4), 1.0, n("Div", n("Sin", angle), n("Max", angle, 1e-4)))

    return n("Where", n("Less", x, float(radius)), n("Mul", sinc(1.0), sinc(1 / radius)), 0.0)
