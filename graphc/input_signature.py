"""What a model with a ``call`` of its own was last fed: names, types and nesting of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.dims import Dim
from graphc.ir.dtypes import standardize_dtype
from graphc.ir.types import TensorType
from graphc.layers.symbolic import SymbolicTensor
from graphc.structure import flatten, map_structure, pack_like


@dataclass(frozen=True)
class InputSignature:
    """The inputs of a model. The first axis is the batch, whose length is open; all other lengths are part of it.

    Attributes:
        names: one for each input: dict keys, else ``input``, ``input_1`` ...
        types: one for each input.
        structure: the nesting, with None for each input.
    """

    names: tuple[str, ...]
    types: tuple[TensorType, ...]
    structure: Any

    @classmethod
    def of_arrays(cls, inputs: Any) -> InputSignature:
        """The signature of data; float64 counts as float32, as everywhere."""
        types = []
        for x in flatten(inputs):
            array = np.asarray(x)
            dtype = standardize_dtype(array.dtype)
            shape = (Dim("batch"), *array.shape[1:]) if array.ndim else ()
            types.append(TensorType("float32" if dtype == "float64" else dtype, shape))
        return cls._of(inputs, types)

    @classmethod
    def of_shapes(cls, shapes: Any, dtype: str) -> InputSignature:
        """The signature of inputs of these shapes: a tuple of integers and None, or a list or dict of such tuples.

        Raises:
            ShapeError: it is something else.
        """
        structure = _without_lengths(shapes)
        types = []
        for i, shape in enumerate(_leaf_shapes(shapes)):
            dims = [
                Dim(f"input_{i}_dim{axis}" if i else f"dim{axis}") if d is None else d for axis, d in enumerate(shape)
            ]
            types.append(TensorType.of(dtype, [Dim("batch"), *dims[1:]] if dims else []))
        return cls._of(structure, types)

    @classmethod
    def _of(cls, inputs: Any, types: list[TensorType]) -> InputSignature:
        names = [str(k) for k in sorted(inputs)] if isinstance(inputs, Mapping) else []
        if len(names) != len(types):
            names = [f"input_{i}" if i else "input" for i in range(len(types))]
        return cls(tuple(names), tuple(types), map_structure(lambda _: None, inputs))

    @property
    def key(self) -> Any:
        """Equal for signatures that one traced graph serves."""
        return self.names, self.types, repr(self.structure)

    def symbolic(self) -> Any:
        """Symbolic tensors of these types, in the nesting."""
        return pack_like(self.structure, [SymbolicTensor(t) for t in self.types])


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        d is None or (isinstance(d, int | np.integer) and not isinstance(d, bool)) for d in value
    )


def _without_lengths(shapes: Any) -> Any:
    if _is_shape(shapes):
        return None
    if isinstance(shapes, Mapping):
        return {k: _without_lengths(v) for k, v in shapes.items()}
    if isinstance(shapes, list | tuple):
        return [_without_lengths(v) for v in shapes]
    raise ShapeError(
        f"An input shape must be a tuple of integers and None such as (None, 28, 28), or a list or dict of such tuples; got "
        f"{shapes!r:.80}."
    )


def _leaf_shapes(shapes: Any) -> list[Any]:
    if _is_shape(shapes):
        return [shapes]
    children = [shapes[k] for k in sorted(shapes)] if isinstance(shapes, Mapping) else list(shapes)
    return [leaf for child in children for leaf in _leaf_shapes(child)]
