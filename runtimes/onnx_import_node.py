"""What a row of the importer's table sees of one ONNX node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ModelFileError
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim, DimLike
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.runtimes.kernel import Array
from graphc.runtimes.onnx_import_lengths import Known


@dataclass(frozen=True, slots=True)
class ImportedBody:
    """The body of a loop in the IR.

    Attributes:
        graph: its inputs are those of ONNX's body, and behind them one for each captured value.
        captured: the values of the graph around it that the body reads.
    """

    graph: Graph
    captured: Sequence[Value]


ImportBody = Callable[[Any, Sequence[TensorType]], ImportedBody]
"""``import_body(proto, types)``: the body as the IR has it, for inputs of these types."""


class OnnxNode:
    """One node, with its operands already in the IR.

    Attributes:
        op: the operator's name.
        attributes: those that the file gives, as Python numbers, strings, tuples and arrays.
        operands: one value for each input; None for one that is left out.
        results: how many results the file names; "" among the names is one that nobody needs.
    """

    def __init__(
        self,
        op: str,
        attributes: Mapping[str, Any],
        operands: Sequence[Value | None],
        results: Sequence[str],
        builder: Builder,
        known: Known,
        import_body: ImportBody,
    ) -> None:
        self.op = op
        self.attributes = attributes
        self.operands = operands
        self.results = results
        self._builder = builder
        self._known = known
        self._import_body = import_body

    # -- operands -----------------------------------------------------------------------------------------------------

    def value(self, index: int) -> Value:
        """An operand that must be there."""
        found = self.optional(index)
        if found is None:
            raise ModelFileError(f"input {index} is missing")
        return found

    def optional(self, index: int) -> Value | None:
        """An operand, or None where it is left out."""
        return self.operands[index] if index < len(self.operands) else None

    def has_result(self, index: int) -> bool:
        """True when the file uses a result."""
        return index < len(self.results) and bool(self.results[index])

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute of the file, or ONNX's default."""
        return self.attributes.get(name, default)

    def array(self, index: int, what: str) -> Array:
        """An operand that the IR wants to know before data come.

        Raises:
            ModelFileError: it depends on data or on named dims.
        """
        array = self._known(self.value(index))
        if array is None or array.dtype == object:
            raise self._not_known(index, what, "a constant" if array is None else "a constant, not a named dim")
        return array

    def ints(self, index: int, what: str) -> tuple[int, ...]:
        """A constant operand as integers."""
        array = self.array(index, what)
        if array.dtype.kind not in "iu":
            raise ModelFileError(f"input {index} ({what}) must hold integers; it is {array.dtype}")
        return tuple(int(i) for i in array.reshape(-1))

    def integer(self, index: int, what: str) -> int:
        """A constant operand as one integer."""
        found = self.ints(index, what)
        if len(found) != 1:
            raise ModelFileError(f"input {index} ({what}) must hold one integer; it holds {len(found)}")
        return found[0]

    def lengths(self, index: int, what: str) -> tuple[DimLike, ...]:
        """An operand that holds lengths: integers, and dims where it is computed from shapes.

        Raises:
            ModelFileError: it depends on data.
        """
        array = self._known(self.value(index))
        if array is None:
            raise self._not_known(index, what, "a constant, or computed from shapes alone")
        if array.dtype.kind not in "iuO":
            raise ModelFileError(f"input {index} ({what}) must hold integers; it is {array.dtype}")
        return tuple(d if isinstance(d, Dim) else int(d) for d in array.reshape(-1))

    def _not_known(self, index: int, what: str, wanted: str) -> ModelFileError:
        return ModelFileError(
            f"input {index} ({what}) must be {wanted}: graphc's shapes do not depend on data; simplify the model "
            "(fold its constants) or run it with --runtime ort"
        )

    # -- emitting -----------------------------------------------------------------------------------------------------

    def emit(self, op: str, *operands: Value | None, **attributes: Any) -> Value:
        """Add an IR node with one output."""
        return self._builder.emit(op, *operands, **attributes)

    def emit_all(self, op: str, *operands: Value | None, **attributes: Any) -> Sequence[Value]:
        """Add an IR node; gives all its outputs."""
        return self._builder.emit_node(op, operands, **attributes).outputs

    def body(self, name: str, types: Sequence[TensorType]) -> ImportedBody:
        """An attribute that holds a graph, in the IR.

        Args:
            name: the attribute's.
            types: of the body's inputs.
        """
        if name not in self.attributes:
            raise ModelFileError(f"attribute {name!r} is missing")
        return self._import_body(self.attributes[name], types)

    def constant(self, array: Any, dtype: str | None = None) -> Value:
        """A constant."""
        return self._builder.constant(array, dtype)

    def numbers(self, dims: Sequence[DimLike]) -> Value:
        """Lengths as an int64 vector."""
        return lengths_as_value(self._builder, dims)

    def number(self, dim: DimLike) -> Value:
        """A length as an int64 scalar."""
        return self.emit("DimSize", dim=dim) if isinstance(dim, str) else self.constant(np.array(dim, np.int64))


def lengths_as_value(builder: Builder, dims: Sequence[DimLike]) -> Value:
    """Lengths as an int64 vector."""
    if not any(isinstance(d, str) for d in dims):
        return builder.constant(np.array(dims, np.int64))
    parts = [
        builder.emit("Unsqueeze", builder.emit("DimSize", dim=d), axes=(0,))
        if isinstance(d, str)
        else builder.constant(np.array([d], np.int64))
        for d in dims
    ]
    return parts[0] if len(parts) == 1 else builder.emit("Concat", *parts, axis=0)


ImportRow = Callable[[OnnxNode], Value | Sequence[Value]]
