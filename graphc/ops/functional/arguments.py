"""What the functions of `graphc.ops` share: reading their arguments, and the dtypes that they compute in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir import dtypes
from graphc.ir.dims import Dim, DimLike, Shape
from graphc.ir.types import normalize_axes, normalize_axis
from graphc.ops.functional.dispatch import apply, cast_to, dtype_of, is_variable, promote, shape_of
from graphc.ops.functional.tracing import TracedTensor

Tensor: TypeAlias = Any
"""An array, a number, a variable, a traced tensor or a symbolic tensor."""

Axis: TypeAlias = int | Sequence[int] | None


def rank_of(x: Tensor) -> int:
    """The number of dimensions of an argument."""
    return len(shape_of(x))


def floating(x: Tensor) -> Tensor:
    """``x``, with integers and booleans as float32."""
    return promote(x, to_float=True)[0]


def float_unary(op: str, x: Tensor, **attributes: Any) -> Tensor:
    """An op of one floating operand."""
    return apply(op, floating(x), **attributes)


def bool_as_int(x: Tensor) -> Tensor:
    """``x``, with booleans as int32: what Keras computes arithmetic on them in."""
    return cast_to(x, "int32") if dtype_of(x) == "bool" else x


def scalar(value: float, like: Tensor) -> Any:
    """A rank-0 array of another operand's dtype."""
    return np.asarray(value, dtype=dtypes.numpy_dtype(concrete_dtype(like)))


def concrete_dtype(x: Tensor) -> str:
    """The dtype that an argument has as a tensor: float32 and int32 for Python's own numbers."""
    return dtypes.result_dtype(dtype_of(x))


def is_float(x: Tensor) -> bool:
    """True when the argument has a floating dtype."""
    return dtypes.is_float(concrete_dtype(x))


def is_known(x: Tensor) -> bool:
    """True for arrays, numbers and lists: their values are there now, and the same on every run of a model."""
    return not isinstance(x, TracedTensor | Dim) and not is_variable(x)


def is_static(shape: Iterable[object]) -> bool:
    """True when every dim is an integer."""
    return not any(isinstance(d, str) for d in shape)


def compute_dtype(x: Tensor) -> str:
    """The dtype in which means and variances are computed: float32 for float16, which would overflow, as in Keras."""
    return dtypes.result_dtype(dtype_of(x), "float32")


def one_axis(axis: Any, rank: int, function: str) -> int:
    """One axis counted from the front.

    Raises:
        ArgumentError: it is not an integer.
        ShapeError: it is out of range.
    """
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise ArgumentError(f"{function}: axis must be an integer; got {axis!r}.")
    return normalize_axis(int(axis), rank, f"{function}: axis")


def several_axes(axis: Any, rank: int, function: str) -> tuple[int, ...]:
    """The axes that ``axis`` names, counted from the front; all of them for None.

    Raises:
        ArgumentError: it is neither None, an integer nor a sequence of integers.
        ShapeError: one is out of range or named twice.
    """
    if axis is None:
        return tuple(range(rank))
    given = tuple(axis) if isinstance(axis, list | tuple | range) else (axis,)
    if any(isinstance(a, bool) or not hasattr(a, "__index__") for a in given):
        raise ArgumentError(f"{function}: axis must be None, an integer or a tuple of integers; got {axis!r}.")
    return normalize_axes((int(a) for a in given), rank, f"{function}: axis")


def dims(shape: Any, function: str) -> Shape:
    """A shape given by the user: an integer, a dim, or a sequence of them; -1 is kept.

    Raises:
        ShapeError: an entry is neither an integer nor a dim. None is explained: it is what ``x.shape`` shows for a dim
            whose length comes with the data.
    """
    if isinstance(shape, np.ndarray):
        shape = shape.tolist()
    given = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
    if any(d is None for d in given):
        raise ShapeError(
            f"{function}: the shape {given} holds None. Take lengths that are not known yet from graphc.ops.shape(x), "
            "which names them, or give -1 where the function allows it."
        )
    for d in given:
        if isinstance(d, bool) or not (isinstance(d, Dim) or hasattr(d, "__index__")):
            raise ShapeError(f"{function}: a shape holds integers and dims; got {d!r} in {shape!r}.")
    return tuple(d if isinstance(d, Dim) else int(d) for d in given)


def spatial(value: Any, count: int, what: str) -> tuple[int, ...]:
    """An integer or a tuple for each of ``count`` spatial axes, all positive.

    Raises:
        ArgumentError: the length differs or a value is not a positive integer.
    """
    given = tuple(value) if isinstance(value, list | tuple) else (value,) * count
    if len(given) != count or any(isinstance(v, bool) or not hasattr(v, "__index__") or v < 1 for v in given):
        raise ArgumentError(f"{what} must be a positive integer or a tuple of {count} of them; got {value!r}.")
    return tuple(int(v) for v in given)


def channels_last(data_format: str | None, function: str) -> bool:
    """True for "channels_last", which is also the default, False for "channels_first".

    Raises:
        ArgumentError: it is something else.
    """
    if data_format not in (None, "channels_last", "channels_first"):
        raise ArgumentError(
            f'{function}: data_format must be "channels_last" or "channels_first"; got {data_format!r}.'
        )
    return data_format != "channels_first"


def known_length(dim: DimLike, what: str) -> int:
    """A dim that must be an integer here.

    Raises:
        ShapeError: it is a name: its length is known only when data comes.
    """
    if isinstance(dim, str):
        raise ShapeError(f"{what} must have a length known when the model is built; it is {str(dim)!r}.")
    return dim
