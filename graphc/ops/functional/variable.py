"""Variables: named arrays that layers, optimizers and metrics own, and that training updates in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir import dtypes
from graphc.ir.types import TensorType
from graphc.ops.functional.operators import TensorOperators
from graphc.ops.functional.tracing import TracedTensor, current_tracer


class Variable(TensorOperators):
    """A named array with a fixed shape and dtype.

    The array's memory never moves: executables are bound to it, so ``variable.numpy()`` is always current and
    ``assign`` is seen by the next step.

    Args:
        value: the initial array; copied.
        dtype: its dtype; the array's own by default.
        name: the last part of the path.
        trainable: whether training updates it by gradient.
        regularizer: a callable that gives a scalar penalty, added to the loss.
        constraint: a callable applied to the value after each update.
    """

    def __init__(
        self,
        value: Any,
        dtype: str | None = None,
        name: str = "variable",
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> None:
        if not isinstance(name, str) or not name or "/" in name:
            raise ArgumentError(f"A variable's name must be a non-empty string without '/'; got {name!r}.")
        if dtype is None:
            found = np.asarray(value).dtype
            dtype = dtypes.standardize_dtype(found) if isinstance(value, np.ndarray | np.generic) else None
            dtype = dtype or {"float64": "float32", "int64": "int32"}.get(found.name, found.name)
        self._array = np.array(value, dtype=dtypes.numpy_dtype(dtypes.standardize_dtype(dtype)), order="C")
        self.name = name
        self.path = name
        self.trainable = trainable
        self.born_trainable = trainable
        """What `trainable` returns to when its layer is thawed."""
        self.regularizer = regularizer
        self.constraint = constraint

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The array itself, not a copy."""
        return self._array

    @property
    def value(self) -> Any:
        """The array, or while a function is traced its value at this point of the graph."""
        tracer = current_tracer()
        return tracer.read(self) if tracer is not None else self._array

    @property
    def shape(self) -> tuple[int, ...]:
        """The fixed shape."""
        return self._array.shape

    @property
    def dtype(self) -> str:
        """The fixed dtype's name."""
        return str(self._array.dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def type(self) -> TensorType:
        """Dtype and shape."""
        return TensorType(self.dtype, self.shape)

    def numpy(self) -> np.ndarray[Any, Any]:
        """A copy of the current value."""
        return self._array.copy()

    def assign(self, value: Any) -> Any:
        """Set the value.

        Raises:
            ShapeError: ``value`` has another shape.
        """
        tracer = current_tracer()
        if tracer is not None or isinstance(value, TracedTensor):
            if tracer is None:
                raise ArgumentError(f"{value!r} was made while tracing and cannot be assigned outside of it.")
            return tracer.assign(self, value)
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ShapeError(
                f"Variable {self.path!r} has shape {self.shape}; a value of shape {array.shape} was assigned."
            )
        np.copyto(self._array, array, casting="unsafe" if array.dtype.kind in "biuf" else "same_kind")
        return self

    def assign_add(self, value: Any) -> Any:
        """Add to the value."""
        return self.assign(self.value + value)

    def assign_sub(self, value: Any) -> Any:
        """Subtract from the value."""
        return self.assign(self.value - value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self._array, dtype=dtype, copy=True if copy is None else copy)

    def __float__(self) -> float:
        return float(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"
