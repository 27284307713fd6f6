"""Symbolic tensors: what the user composes, and the record of the calls that made them.

History lives on the tensor (`SymbolicTensor.call` and its index in that call); there is no global graph. A layer keeps the
list of its own calls, so that ``get_output_at(i)`` can answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError
from graphc.ir.dims import Dim
from graphc.ir.types import TensorType
from graphc.naming import auto_name
from graphc.ops.functional.operators import TensorOperators
from graphc.structure import flatten

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphc.layers.layer import Layer


@dataclass(eq=False)
class LayerCall:
    """One call of a layer on symbolic tensors: a node of the layer graph.

    Attributes:
        layer: what was called.
        args: positional arguments as given, with symbolic tensors in them.
        kwargs: keyword arguments, likewise.
        outputs: the nested structure of tensors that came out.
        index: which call of the layer this is.
    """

    layer: Layer
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: Any = None
    index: int = 0
    _inputs: list[SymbolicTensor] | None = field(default=None, repr=False)

    @property
    def input_tensors(self) -> list[SymbolicTensor]:
        """The symbolic tensors among the arguments, in order."""
        if self._inputs is None:
            leaves = flatten((self.args, dict(self.kwargs)))
            self._inputs = [x for x in leaves if isinstance(x, SymbolicTensor)]
        return self._inputs

    @property
    def output_tensors(self) -> list[SymbolicTensor]:
        """The tensors that came out, in order."""
        return flatten(self.outputs)

    @property
    def inputs(self) -> Any:
        """The first argument as given: what ``layer.input`` shows."""
        if self.args:
            return self.args[0]
        tensors = self.input_tensors
        return tensors[0] if len(tensors) == 1 else tensors


class SymbolicTensor(TensorOperators):
    """A value of a model that is being composed: shape, dtype, name and history, no numbers.

    Attributes:
        call: the layer call that made it.
        index: its place among the outputs of that call.
    """

    is_symbolic = True

    def __init__(self, type_: TensorType, name: str | None = None) -> None:
        self.type = type_
        self.name = name or auto_name("keras_tensor")
        self.call: LayerCall | None = None
        self.index = 0
        self.keras_mask: SymbolicTensor | None = None

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape as Keras shows it: None where the length is known only when data comes."""
        return public_shape(self.type)

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self.type.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions, the batch's included."""
        return self.type.rank

    def record(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Record the call of a function of `graphc.ops` in the layer graph."""
        from graphc.layers.operation import Operation

        return Operation(function)(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise ArgumentError(
            f"Tensor {self.name!r} is symbolic: a placeholder for a shape and a dtype, without numbers. To compute on it "
            "use layers or functions of graphc.ops; to get numbers, build a Model and call it on arrays."
        )

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


def public_shape(type_: TensorType) -> tuple[int | None, ...]:
    """A type's shape with None for every named dim."""
    return tuple(None if isinstance(d, Dim) else d for d in type_.shape)
