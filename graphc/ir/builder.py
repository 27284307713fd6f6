"""Adding nodes with their types inferred and their origin recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from graphc.errors import GraphcError, GraphError
from graphc.ir import dtypes
from graphc.ir.graph import Graph, Node, Origin, Value, as_node_name
from graphc.ir.types import TensorType


class OpRules(Protocol):
    """What the IR needs to know of ops; `graphc.ops.OPS` is one."""

    def attributes(self, op: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """All attributes of a node, checked, with defaults filled in."""

    def defaults(self, op: str) -> Mapping[str, Any]:
        """The attributes that need not be given, with the values they then have."""

    def infer(
        self, op: str, inputs: Sequence[TensorType | None], attributes: Mapping[str, Any]
    ) -> Sequence[TensorType]:
        """The types of a node's outputs; raises `ShapeError`, `DTypeError` or `ArgumentError`."""


class Builder:
    """Emits nodes into a graph: runs the type rule, names the node ``layer/Op`` and records where it came from."""

    def __init__(self, graph: Graph, rules: OpRules) -> None:
        self.graph = graph
        self.rules = rules
        self._origin = Origin()

    @contextmanager
    def origin(self, origin: Origin) -> Iterator[None]:
        """Nodes emitted inside carry this origin; their names start with its layer path."""
        before, self._origin = self._origin, origin
        try:
            yield
        finally:
            self._origin = before

    def inherit_origin(self, other: Builder) -> None:
        """From now on nodes carry the origin that another builder's nodes carry at this moment."""
        self._origin = other._origin

    def _named(self, op: str) -> str:
        layer = self._origin.layer
        return f"{as_node_name(layer)}/{op}" if layer else op

    def emit_node(
        self, op: str, inputs: Iterable[Value | None] = (), *, name: str | None = None, **attributes: Any
    ) -> Node:
        """Add one node.

        Raises:
            GraphcError: from the type rule, with the layer's path in front.
        """
        operands = tuple(inputs)
        try:
            complete = self.rules.attributes(op, attributes)
            types = self.rules.infer(op, [None if v is None else v.type for v in operands], complete)
        except GraphcError as error:
            if self._origin.layer and not getattr(error, "located", False):
                located = type(error)(f"{error} (in {self._origin})")
                located.located = True  # type: ignore[attr-defined]
                raise located from None
            raise
        wanted = name or self._named(op)
        return self.graph.add_node(op, operands, complete, types, name=wanted, origin=self._origin)

    def emit(self, op: str, *inputs: Value | None, name: str | None = None, **attributes: Any) -> Value:
        """Add a node with one output and return that output."""
        return self.emit_node(op, inputs, name=name, **attributes).output

    def input(self, name: str, type_: TensorType) -> Value:
        """A value fed from outside."""
        if name in self.graph:
            raise GraphError(f"Graph {self.graph.name!r} already has a node named {name!r}.")
        value = self.graph.add_node(
            "Input", (), {"dtype": type_.dtype, "shape": type_.shape}, (type_,), name=name
        ).output
        self.graph.inputs.append(value)
        return value

    def state(self, name: str, type_: TensorType) -> Value:
        """The value that a state (a parameter, a moving statistic, a counter) has on entry."""
        attributes = {"state": name, "dtype": type_.dtype, "shape": type_.shape}
        return self.graph.add_node("State", (), attributes, (type_,), name=name, origin=self._origin).output

    def constant(self, array: Any, dtype: str | None = None, name: str | None = None) -> Value:
        """A constant; ``dtype`` defaults to the array's own, and float32 or int32 for Python numbers."""
        if dtype is None:
            found: Any = array.dtype if hasattr(array, "dtype") else np.result_type(array).type
            dtype = dtypes.standardize_dtype(found)
            if not hasattr(array, "dtype"):
                dtype = {"float64": "float32", "int64": "int32"}.get(dtype, dtype)
        # A private, read-only copy: later writes to the caller's array must not change the graph.
        data = np.array(array, dtype=dtypes.numpy_dtype(dtype), order="C")
        return self.own_constant(data, name)

    def own_constant(self, data: np.ndarray[Any, Any], name: str | None = None) -> Value:
        """A constant that takes over an array nobody else will write to, without copying it."""
        data = data.view()
        data.flags.writeable = False
        type_ = TensorType(dtypes.standardize_dtype(data.dtype), data.shape)
        wanted = name or self._named("Constant")
        return self.graph.add_node("Constant", (), {"value": data}, (type_,), name=wanted, origin=self._origin).output
