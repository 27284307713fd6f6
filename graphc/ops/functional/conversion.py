"""Into tensors and out of them: conversion, dtypes, and what stops a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir import dtypes
from graphc.ops.functional.arguments import Tensor, concrete_dtype, scalar
from graphc.ops.functional.dispatch import apply, as_array, cast_to, function, is_variable
from graphc.ops.functional.tracing import TracedTensor, current_tracer

__all__ = [
    "array",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "copy",
    "dtype",
    "is_tensor",
    "saturate_cast",
    "stop_gradient",
]


@function
def convert_to_tensor(
    x: Tensor, dtype: str | None = None, sparse: bool | None = None, ragged: bool | None = None
) -> Tensor:
    """An array, number, list or variable as a tensor; without ``dtype`` Python numbers become float32 or int32.

    Raises:
        ArgumentError: a sparse or ragged tensor is asked for; graphc has none.
    """
    if sparse or ragged:
        raise ArgumentError(
            "convert_to_tensor: graphc has no sparse and no ragged tensors; leave `sparse` and `ragged` out."
        )
    if is_variable(x):
        # A copy: the variable's own memory changes when it is trained.
        x = x.value if current_tracer() is not None else x.numpy()
    elif not isinstance(x, TracedTensor):
        x = as_array(x)
    return x if dtype is None else cast_to(x, dtypes.standardize_dtype(dtype))


@function
def array(x: Tensor, dtype: str | None = None) -> Tensor:
    """`convert_to_tensor` under NumPy's name."""
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x: Tensor) -> np.ndarray[Any, Any]:
    """A tensor or variable as a NumPy array.

    Raises:
        ArgumentError: ``x`` is traced or symbolic and has no numbers yet.
    """
    return np.array(x)


def is_tensor(x: Any) -> bool:
    """True for what functions of `graphc.ops` return: NumPy arrays, and traced tensors inside a model."""
    return isinstance(x, np.ndarray | np.generic | TracedTensor)


def dtype(x: Tensor) -> str:
    """The name of a tensor's dtype."""
    return concrete_dtype(x)


@function
def cast(x: Tensor, dtype: str) -> Tensor:
    """``x`` in another dtype: floats lose their fraction as integers, and anything but zero is True."""
    return cast_to(x, dtypes.standardize_dtype(dtype))


@function
def saturate_cast(x: Tensor, dtype: str) -> Tensor:
    """``x`` in another dtype, held within its range first: 300 as int8 is 127."""
    target, source = dtypes.standardize_dtype(dtype), concrete_dtype(x)
    if "bool" in (target, source):
        return cast_to(x, target)
    low, high = _range(target)
    low_here, high_here = _range(source)
    bounds = (
        scalar(_representable(low, source), x) if low > low_here else None,
        scalar(_representable(high, source), x) if high < high_here else None,
    )
    return cast_to(x if bounds == (None, None) else apply("Clip", x, *bounds), target)


def _range(name: str) -> tuple[float, float]:
    kind = dtypes.numpy_dtype(name)
    limits: Any = np.finfo(kind) if dtypes.is_float(name) else np.iinfo(kind)
    return (float(limits.min), float(limits.max)) if dtypes.is_float(name) else (int(limits.min), int(limits.max))


def _representable(bound: float, dtype: str) -> float:
    """The number nearest to a bound that a dtype holds, towards zero: 2**31 - 1 is 2147483520 in float32."""
    if not dtypes.is_float(dtype):
        return bound
    kind = dtypes.numpy_dtype(dtype).type
    near = kind(bound)
    return float(near if abs(float(near)) <= abs(bound) else np.nextafter(near, kind(0)))


@function
def copy(x: Tensor) -> Tensor:
    """A copy of ``x``."""
    return apply("Identity", x)


@function
def stop_gradient(variable: Tensor) -> Tensor:
    """``variable`` as a constant for gradients."""
    return apply("StopGradient", variable)
