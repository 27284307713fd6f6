"""New tensors: filled with a value, evenly spaced, diagonal, windows.

Shapes of integers give an array at once, also inside a model, where it is a constant. Shapes with named dims give a
tensor whose length comes with the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir import dtypes
from graphc.ir.dims import Dim, DimLike
from graphc.ops.functional.arguments import Tensor, concrete_dtype, dims, is_known, is_static, one_axis, rank_of, scalar
from graphc.ops.functional.dispatch import apply, as_array, cast_to, dtype_of, function, promote, shape_of
from graphc.ops.functional.tracing import TracedTensor

__all__ = [
    "arange",
    "bartlett",
    "blackman",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "hamming",
    "hanning",
    "identity",
    "kaiser",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "vander",
    "zeros",
    "zeros_like",
]


def _dtype(given: str | None, otherwise: str = "float32") -> str:
    return dtypes.standardize_dtype(given or otherwise)


# -- filled -----------------------------------------------------------------------------------------------------------


def _filled(shape: Any, value: Tensor, dtype: str, name: str) -> Tensor:
    lengths = dims(shape, name)
    if is_known(value) and is_static(lengths):
        return np.full(lengths, as_array(value), dtypes.numpy_dtype(dtype))
    return apply("Expand", cast_to(value, dtype), shape=lengths)


@function
def full(shape: Any, fill_value: Tensor, dtype: str | None = None) -> Tensor:
    """A tensor of one value, or of a value that broadcasts to the shape; float32 by default."""
    return _filled(shape, fill_value, _dtype(dtype), "full")


@function
def zeros(shape: Any, dtype: str | None = None) -> Tensor:
    """A tensor of zeros; float32 by default."""
    return _filled(shape, 0, _dtype(dtype), "zeros")


@function
def ones(shape: Any, dtype: str | None = None) -> Tensor:
    """A tensor of ones; float32 by default."""
    return _filled(shape, 1, _dtype(dtype), "ones")


@function
def empty(shape: Any, dtype: str | None = None) -> Tensor:
    """A tensor whose values do not matter: zeros, so that nothing depends on chance."""
    return _filled(shape, 0, _dtype(dtype), "empty")


@function
def full_like(x: Tensor, fill_value: Tensor, dtype: str | None = None) -> Tensor:
    """A tensor of one value in the shape of ``x``, and in its dtype unless given."""
    return _filled(shape_of(x), fill_value, _dtype(dtype, concrete_dtype(x)), "full_like")


@function
def zeros_like(x: Tensor, dtype: str | None = None) -> Tensor:
    """Zeros in the shape of ``x``, and in its dtype unless given."""
    return _filled(shape_of(x), 0, _dtype(dtype, concrete_dtype(x)), "zeros_like")


@function
def ones_like(x: Tensor, dtype: str | None = None) -> Tensor:
    """Ones in the shape of ``x``, and in its dtype unless given."""
    return _filled(shape_of(x), 1, _dtype(dtype, concrete_dtype(x)), "ones_like")


@function
def empty_like(x: Tensor, dtype: str | None = None) -> Tensor:
    """Zeros in the shape of ``x``, as `empty` gives them."""
    return _filled(shape_of(x), 0, _dtype(dtype, concrete_dtype(x)), "empty_like")


# -- evenly spaced ----------------------------------------------------------------------------------------------------


@function
def arange(start: Any, stop: Any = None, step: Any = None, dtype: str | None = None) -> Tensor:
    """``start, start + step, ...`` up to ``stop`` without it; with one argument from 0 up to it.

    Integers give int32, floats float32. ``stop`` may be a named dim, with ``start`` and ``step`` left out or integers.

    Raises:
        ArgumentError: an argument is a tensor: the length must be known when a model is built.
    """
    given = [v for v in (start, stop, step) if v is not None]
    if any(isinstance(v, TracedTensor) for v in given):
        raise ArgumentError(
            "arange: start, stop and step must be known when a model is built; use a length from graphc.ops.shape(x)."
        )
    wanted = _dtype(dtype, dtypes.result_dtype(*(dtype_of(v) for v in given)))
    low, high = (0, start) if stop is None else (start, stop)
    if not any(isinstance(v, Dim) for v in given):
        return np.arange(low, high, 1 if step is None else step).astype(dtypes.numpy_dtype(wanted))
    by = 1 if step is None else step
    if isinstance(by, Dim) or by < 1:
        raise ArgumentError(f"arange: with named dims the step must be a positive integer; got {step!r}.")
    count: DimLike = (high - low + (by - 1)) // by
    places = apply("Iota", dim=count, dtype=wanted)
    if by != 1:
        places = apply("Mul", places, cast_to(by, wanted))
    return places if isinstance(low, int) and low == 0 else apply("Add", places, cast_to(low, wanted))


def _spaced(start: Tensor, stop: Tensor, num: int, endpoint: bool, axis: int) -> Tensor:
    """``num`` floating values between two tensors along a new axis."""
    if isinstance(num, bool) or not hasattr(num, "__index__") or num < 0:
        raise ArgumentError(f"num must be an integer from 0 on; got {num!r}.")
    start, stop = promote(start, stop, to_float=True)
    dtype = dtypes.numpy_dtype(dtype_of(start))
    if is_known(start) and is_known(stop):
        return np.linspace(as_array(start), as_array(stop), num, endpoint, axis=axis).astype(dtype)
    rank = max(rank_of(start), rank_of(stop))
    place = one_axis(axis, rank + 1, "linspace")
    parts = np.linspace(0.0, 1.0, num, endpoint).reshape([num if i == place else 1 for i in range(rank + 1)])

    def spread(x: Tensor, weights: Any) -> Tensor:
        missing = tuple(range(rank - rank_of(x))) if rank_of(x) else ()
        if rank_of(x):
            x = apply("Unsqueeze", apply("Unsqueeze", x, axes=missing) if missing else x, axes=(place,))
        return apply("Mul", x, weights.astype(dtype))

    # Weighing both ends makes them exact.
    return apply("Add", spread(start, 1 - parts), spread(stop, parts))


def _step(start: Tensor, stop: Tensor, spaces: int) -> Tensor:
    start, stop = promote(start, stop, to_float=True)
    return apply("Div", apply("Sub", stop, start), scalar(spaces, start)) if spaces > 0 else scalar(np.nan, start)


@function
def linspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: str | None = None,
    axis: int = 0,
) -> Tensor:
    """``num`` evenly spaced values from ``start`` to ``stop``, along a new axis; float32 by default.

    Args:
        start: the first value, or a tensor of them.
        stop: the last value, or with ``endpoint=False`` the one after it.
        num: how many values.
        endpoint: whether ``stop`` is among the values.
        retstep: also return the distance of the values.
        dtype: the result's.
        axis: where the new axis is in the result.
    """
    values = _spaced(start, stop, num, endpoint, axis)
    values = values if dtype is None else cast_to(values, _dtype(dtype))
    return (values, _step(start, stop, num - 1 if endpoint else num)) if retstep else values


@function
def logspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: str | None = None,
    axis: int = 0,
) -> Tensor:
    """``base`` to the power of `linspace` values."""
    exponents = _spaced(start, stop, num, endpoint, axis)
    values = apply("Pow", scalar(base, exponents), exponents)
    return values if dtype is None else cast_to(values, _dtype(dtype))


@function
def geomspace(
    start: Tensor, stop: Tensor, num: int = 50, endpoint: bool = True, dtype: str | None = None, axis: int = 0
) -> Tensor:
    """``num`` values from ``start`` to ``stop``, both positive, each a constant factor above the one before."""
    low, high = promote(start, stop, to_float=True)
    exponents = _spaced(apply("Log", low), apply("Log", high), num, endpoint, axis)
    values = apply("Exp", exponents)
    return values if dtype is None else cast_to(values, _dtype(dtype))


# -- matrices ---------------------------------------------------------------------------------------------------------


def _compared(op: str, n: DimLike, m: DimLike | None, k: int, dtype: str | None) -> Tensor:
    """1 where ``column op row + k``, for lengths that may be named."""
    rows = apply("Iota", dim=n, dtype="int32")
    columns = rows if m is None else apply("Iota", dim=m, dtype="int32")
    rows = apply("Unsqueeze", rows, axes=(1,))
    return cast_to(apply(op, columns, apply("Add", rows, np.int32(k)) if k else rows), _dtype(dtype))


@function
def eye(N: DimLike, M: DimLike | None = None, k: int = 0, dtype: str | None = None) -> Tensor:
    """An ``(N, M)`` matrix with ones on diagonal ``k`` and zeros elsewhere; ``M`` is ``N`` by default."""
    if isinstance(N, Dim) or isinstance(M, Dim):
        return _compared("Equal", N, M, k, dtype)
    return np.eye(N, M, k, dtypes.numpy_dtype(_dtype(dtype)))


@function
def identity(n: DimLike, dtype: str | None = None) -> Tensor:
    """The ``(n, n)`` matrix with ones on its diagonal."""
    return eye(n, dtype=dtype)


@function
def tri(N: DimLike, M: DimLike | None = None, k: int = 0, dtype: str | None = None) -> Tensor:
    """An ``(N, M)`` matrix with ones on and below diagonal ``k``, zeros above; ``M`` is ``N`` by default."""
    if isinstance(N, Dim) or isinstance(M, Dim):
        return _compared("LessOrEqual", N, M, k, dtype)
    return np.tri(N, M, k, dtypes.numpy_dtype(_dtype(dtype)))


@function
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of a vector's elements as columns, falling from ``N - 1`` to 0, or rising.

    Raises:
        ArgumentError: ``x`` is not a vector, or its length is unknown and ``N`` is not given.
    """
    if rank_of(x) != 1:
        raise ArgumentError(f"vander: expected a vector; got shape {shape_of(x)}.")
    count = shape_of(x)[0] if N is None else N
    if not isinstance(count, int):
        raise ArgumentError("vander: the length of x comes with the data, so N must be given.")
    exponents = np.arange(count) if increasing else np.arange(count)[::-1]
    column, powers = promote(apply("Unsqueeze", x, axes=(1,)), exponents.astype(dtypes.numpy_dtype(concrete_dtype(x))))
    return apply("Pow", column, powers)


@function
def meshgrid(*x: Tensor, indexing: str = "xy") -> list[Tensor]:
    """Vectors repeated to the grid that they span: one tensor for each.

    Args:
        x: vectors.
        indexing: "xy", where the first two axes of the results are exchanged, or "ij".

    Raises:
        ArgumentError: the indexing is unknown.
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f'meshgrid: indexing must be "xy" or "ij"; got {indexing!r}.')
    order = list(range(len(x)))
    if indexing == "xy" and len(x) > 1:
        order[:2] = [1, 0]
    lengths: list[DimLike] = [shape_of(v)[0] if rank_of(v) else 1 for v in x]
    shape = tuple(lengths[order.index(axis)] for axis in range(len(x)))
    grids = []
    for vector, axis in zip(x, order, strict=True):
        line = apply("Reshape", vector, shape=tuple(-1 if i == axis else 1 for i in range(len(x))))
        grids.append(apply("Expand", line, shape=shape))
    return grids


# -- windows ----------------------------------------------------------------------------------------------------------


def _window(make: Callable[[int], Any], x: Any, name: str) -> Any:
    length = np.asarray(x) if not isinstance(x, TracedTensor) else None
    if length is None or length.ndim or length.dtype.kind not in "iu":
        raise ArgumentError(f"{name}: the length of a window must be an integer; got {x!r}.")
    return make(int(length)).astype(np.float32)


@function
def bartlett(x: int) -> Tensor:
    """The triangular window of ``x`` points, zero at its ends."""
    return _window(np.bartlett, x, "bartlett")


@function
def blackman(x: int) -> Tensor:
    """The Blackman window of ``x`` points."""
    return _window(np.blackman, x, "blackman")


@function
def hamming(x: int) -> Tensor:
    """The Hamming window of ``x`` points."""
    return _window(np.hamming, x, "hamming")


@function
def hanning(x: int) -> Tensor:
    """The Hann window of ``x`` points."""
    return _window(np.hanning, x, "hanning")


@function
def kaiser(x: int, beta: float) -> Tensor:
    """The Kaiser window of ``x`` points and shape ``beta``."""
    if not math.isfinite(beta):
        raise ArgumentError(f"kaiser: beta must be a finite number; got {beta!r}.")
    return _window(lambda n: np.kaiser(n, beta), x, "kaiser")
