"""Where a functional model starts: `Input` and the layer behind it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import Dim
from graphc.ir.dtypes import standardize_dtype
from graphc.ir.types import TensorType
from graphc.layers.layer import Layer
from graphc.layers.symbolic import LayerCall, SymbolicTensor

# What the axes of one sample are called, by the sample's rank; unnamed axes are numbered.
_AXIS_NAMES: dict[int, tuple[str, ...]] = {
    1: ("time",),
    2: ("time", "features"),
    3: ("height", "width", "channels"),
    4: ("depth", "height", "width", "channels"),
}


class InputLayer(Layer):
    """The layer behind `Input`.

    Args:
        shape: the shape of one sample, None where a length is not fixed.
        batch_size: a fixed batch size, if any.
        dtype: of the data; float32 by default.
        batch_shape: the whole shape, instead of ``shape`` and ``batch_size``.
        name: the input's name, which exported models keep.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
    ) -> None:
        if sparse or ragged:
            raise ArgumentError("Sparse and ragged inputs are not supported: NumPy arrays are dense.")
        if input_tensor is not None:
            raise ArgumentError("`input_tensor` is not supported: pass the tensor to Model(inputs=...) itself.")
        if isinstance(name, str) and set(name) & set(':"'):
            raise ArgumentError(
                f"An input's name may not hold ':' or '\"', which graphs and files use; got name={name!r}."
            )
        super().__init__(name=name)
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ArgumentError("Pass either `batch_shape` or `shape` (with `batch_size`), not both.")
            full = _checked_shape(batch_shape)
        elif shape is not None:
            full = (_checked_length(batch_size), *_checked_shape(shape))
        else:
            raise ArgumentError("You must pass a `shape` argument: the shape of one sample, such as (28, 28, 1).")
        self.batch_shape = full
        self.optional = optional
        self._dtype = standardize_dtype(dtype or "float32")
        self.built = True
        tensor = SymbolicTensor(TensorType(self._dtype, self._dims(full)), name=name)
        call = LayerCall(self, (), {}, outputs=tensor)
        tensor.call = call
        self._calls.append(call)

    def _dims(self, shape: tuple[int | None, ...]) -> tuple[int | Dim, ...]:
        """Named dims for lengths that are not fixed: ``batch``, ``title_time`` ..."""
        stem = re.sub(r"\W", "_", self.name)
        if not stem.isidentifier() or keyword.iskeyword(stem):
            stem = f"input_{stem}"
        names = _AXIS_NAMES.get(len(shape) - 1, ())
        dims: list[int | Dim] = []
        for i, length in enumerate(shape):
            if length is not None:
                dims.append(length)
            elif i == 0:
                dims.append(Dim("batch"))
            else:
                dims.append(Dim(f"{stem}_{names[i - 1] if i <= len(names) else f'dim{i}'}"))
        return tuple(dims)

    def call(self) -> Any:
        """An input is fed, never computed."""
        raise ArgumentError(f"Input layer {self.name!r} cannot be called.")

    def get_config(self) -> dict[str, Any]:
        """Keras's configuration of an input layer, which has its own form."""
        return {
            "batch_shape": list(self.batch_shape),
            "dtype": self._dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An input layer from its configuration; Keras 2's ``batch_input_shape`` is understood."""
        known = {"batch_shape", "shape", "batch_size", "dtype", "sparse", "ragged", "name", "optional"}
        given = {k: v for k, v in config.items() if k in known}
        if "batch_input_shape" in config:
            given["batch_shape"] = config["batch_input_shape"]
        if isinstance(given.get("dtype"), Mapping):
            given["dtype"] = given["dtype"].get("config", {}).get("name")
        return cls(**given)


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> SymbolicTensor:
    """A symbolic tensor to start a functional model from.

    Args:
        shape: the shape of one sample, without the batch; None where a length is not fixed.
        batch_size: a fixed batch size, if any; a batch is never fixed otherwise.
        dtype: of the data; float32 by default.
        batch_shape: the whole shape, instead of ``shape`` and ``batch_size``.
        name: the input's name, which exported models keep.

    Raises:
        ArgumentError: no shape was given, or it is not a tuple of integers and None.
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    output: SymbolicTensor = layer.output
    return output


def _checked_length(length: Any) -> int | None:
    if length is None:
        return None
    if isinstance(length, bool) or not hasattr(length, "__index__") or int(length) < 0:
        raise ShapeError(f"A length in an input's shape must be a non-negative integer or None; got {length!r}.")
    return int(length)


def _checked_shape(shape: Any) -> tuple[int | None, ...]:
    if isinstance(shape, int):
        raise ArgumentError(f"`shape` must be a tuple such as ({shape},); got the integer {shape}.")
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise ArgumentError(f"`shape` must be a tuple of integers and None; got {shape!r}.")
    return tuple(_checked_length(d) for d in shape)
