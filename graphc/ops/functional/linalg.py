"""Products of vectors and matrices, norms and distances. Contraction of any axes is in `contraction`."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir import dtypes
from graphc.ir.dims import product
from graphc.ops.functional.arguments import (
    Axis,
    Tensor,
    concrete_dtype,
    floating,
    one_axis,
    rank_of,
    scalar,
    several_axes,
)
from graphc.ops.functional.dispatch import apply, cast_to, dtype_of, function, promote, shape_of
from graphc.ops.functional.movement import ravel, reshape

__all__ = ["cdist", "cross", "kron", "matmul", "norm", "outer", "vdot"]

_PRODUCT_INTS = ("int32", "int64", "uint32", "uint64")


def matrix_product(x1: Tensor, x2: Tensor) -> Tensor:
    """``x1 @ x2`` of promoted operands, in the dtype that Keras gives: small integers are multiplied as int32."""
    x1, x2 = promote(x1, x2)
    found = dtype_of(x1)
    if dtypes.is_float(found) or found in _PRODUCT_INTS:
        return apply("MatMul", x1, x2)
    wide = apply("MatMul", cast_to(x1, "int32"), cast_to(x2, "int32"))
    return wide if found == "int8" else cast_to(wide, found)


@function
def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    """The matrix product: stacks of matrices broadcast, a vector is a row on the left and a column on the right.

    Raises:
        ShapeError: an operand is a number, or the inner lengths differ.
    """
    return matrix_product(x1, x2)


@function
def outer(x1: Tensor, x2: Tensor) -> Tensor:
    """All products of an element of ``x1`` and one of ``x2``, both flattened: a matrix."""
    x1, x2 = promote(ravel(x1), ravel(x2))
    return apply("Mul", apply("Unsqueeze", x1, axes=(1,)), x2)


@function
def vdot(x1: Tensor, x2: Tensor) -> Tensor:
    """The sum of the products of the elements of two tensors, both flattened."""
    return matrix_product(ravel(x1), ravel(x2))


@function
def kron(x1: Tensor, x2: Tensor) -> Tensor:
    """The Kronecker product: each element of ``x1`` times all of ``x2``."""
    x1, x2 = promote(x1, x2)
    rank = max(rank_of(x1), rank_of(x2))
    a, b = ((1,) * (rank - rank_of(x)) + shape_of(x) for x in (x1, x2))
    left = reshape(x1, tuple(n for length in a for n in (length, 1)))
    right = reshape(x2, tuple(n for length in b for n in (1, length)))
    return reshape(apply("Mul", left, right), tuple(product(pair) for pair in zip(a, b, strict=True)))


@function
def cross(x1: Tensor, x2: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The cross product of vectors of length 3, or of length 2 with a third component of zero.

    Args:
        x1: the first vectors.
        x2: the second vectors; the other axes broadcast.
        axisa: the axis of ``x1`` that holds a vector.
        axisb: the axis of ``x2``.
        axisc: the axis of the result; there is none where both vectors have length 2: only the third component is left.
        axis: all three at once.

    Raises:
        ShapeError: a vector has another length.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = promote(x1, x2)
    a, b = _components(x1, axisa), _components(x2, axisb)
    if len(a) == 2 and len(b) == 2:
        return _minor(a, b, 0, 1)
    result = [_minor(a, b, 1, 2), _minor(a, b, 2, 0), _minor(a, b, 0, 1)]
    place = one_axis(axisc, max(rank_of(x1), rank_of(x2)), "cross")
    return apply("Concat", *(apply("Unsqueeze", part, axes=(place,)) for part in result), axis=place)


def _components(x: Tensor, axis: int) -> list[Tensor]:
    along = one_axis(axis, rank_of(x), "cross")
    length = shape_of(x)[along]
    if length not in (2, 3):
        raise ShapeError(f"cross: the vectors must have length 2 or 3; axis {axis} of {shape_of(x)} has {length}.")
    parts = [apply("Slice", x, starts=(i,), ends=(i + 1,), axes=(along,)) for i in range(int(length))]
    return [apply("Squeeze", part, axes=(along,)) for part in parts]


def _minor(a: list[Tensor], b: list[Tensor], i: int, j: int) -> Tensor:
    """``a[i] b[j] - a[j] b[i]``, where a third component that is not there is zero."""

    def term(u: list[Tensor], p: int, v: list[Tensor], q: int) -> Tensor:
        return apply("Mul", u[p], v[q]) if p < len(u) and q < len(v) else None

    left, right = term(a, i, b, j), term(a, j, b, i)
    if left is None:
        return apply("Neg", right)
    return left if right is None else apply("Sub", left, right)


@function
def cdist(x: Tensor, y: Tensor) -> Tensor:
    """The Euclidean distances of all pairs of rows.

    Args:
        x: ``(..., n, k)``.
        y: ``(..., m, k)``.

    Returns:
        ``(..., n, m)``.
    """
    if rank_of(x) < 2 or rank_of(y) < 2 or shape_of(x)[-1] != shape_of(y)[-1]:
        raise ShapeError(f"cdist: expected shapes (..., n, k) and (..., m, k); got {shape_of(x)} and {shape_of(y)}.")
    x, y = promote(x, y, to_float=True)
    difference = apply("Sub", apply("Unsqueeze", x, axes=(-2,)), apply("Unsqueeze", y, axes=(-3,)))
    return apply("ReduceL2", difference, axes=(-1,), keepdims=False)


# -- norms ------------------------------------------------------------------------------------------------------------


@function
def norm(x: Tensor, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors or matrices.

    Args:
        x: any shape; integers are taken as float32.
        ord: None for the Euclidean (Frobenius) norm. For vectors a number, ``inf`` or ``-inf``; for matrices "fro", 1,
            -1, ``inf`` or ``-inf``.
        axis: the axis of the vectors, or two axes of the matrices. None: all elements as one vector when ``ord`` is
            None or ``x`` has one axis, else ``x`` as a matrix.
        keepdims: keep the reduced axes with length 1.

    Raises:
        ArgumentError: the order is unknown, or needs singular values (2, -2 and "nuc" of matrices).
        ShapeError: ``axis`` is None and ``x`` is neither a vector nor a matrix.
    """
    x = floating(x)
    axes = several_axes(axis, rank_of(x), "norm")
    if ord is None:
        return apply("ReduceL2", x, axes=axes, keepdims=bool(keepdims))
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, bool(keepdims))
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, bool(keepdims))
    raise ShapeError(f"norm: with ord={ord!r}, axis must name one axis or two; got {axis!r} for shape {shape_of(x)}.")


def _vector_norm(x: Tensor, order: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if isinstance(order, bool) or not isinstance(order, int | float):
        raise ArgumentError(f"norm: for vectors ord must be None or a number; got {order!r}.")
    if order == 2:
        return apply("ReduceL2", x, axes=axes, keepdims=keepdims)
    size = apply("Abs", x)
    if order in (np.inf, -np.inf):
        return apply("ReduceMax" if order > 0 else "ReduceMin", size, axes=axes, keepdims=keepdims)
    if order == 0:
        some = apply("Not", apply("Equal", x, scalar(0, x)))
        return apply("ReduceSum", cast_to(some, concrete_dtype(x)), axes=axes, keepdims=keepdims)
    if order == 1:
        return apply("ReduceSum", size, axes=axes, keepdims=keepdims)
    total = apply("ReduceSum", apply("Pow", size, scalar(order, x)), axes=axes, keepdims=keepdims)
    return apply("Pow", total, scalar(1 / order, x))


def _matrix_norm(x: Tensor, order: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if order == "fro":
        return apply("ReduceL2", x, axes=axes, keepdims=keepdims)
    if order in (2, -2, "nuc"):
        raise ArgumentError(f"norm: ord={order!r} of matrices needs singular values, which graphc does not compute.")
    if order not in (1, -1, np.inf, -np.inf):
        raise ArgumentError(f'norm: for matrices ord must be None, "fro", 1, -1, inf or -inf; got {order!r}.')
    summed, chosen = axes if abs(order) == 1 else axes[::-1]
    sums = apply("ReduceSum", apply("Abs", x), axes=(summed,), keepdims=True)
    result = apply("ReduceMax" if order > 0 else "ReduceMin", sums, axes=(chosen,), keepdims=True)
    return result if keepdims else apply("Squeeze", result, axes=axes)
