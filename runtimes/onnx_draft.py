"""Lowering a graph: which tensor each value is, which ONNX nodes there are, and the weights, not yet in the model.

Inputs, outputs and states keep the names that the graph gives them. A node is called what its IR node is called
(``layer/op``), and so is the tensor that it makes, unless that tensor is an output of the graph; further nodes of a row
are called ``layer/op/Operator``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, defs

from graphc.errors import ExportError
from graphc.ir import dtypes
from graphc.ir.dims import DimLike
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.types import TensorType
from graphc.runtimes.base import NEW_STATE
from graphc.runtimes.feeds import fits, native
from graphc.runtimes.kernel import Array
from graphc.runtimes.onnx_dims import Dims
from graphc.runtimes.onnx_lowering import Rows
from graphc.runtimes.onnx_opsets import Versions
from graphc.runtimes.onnx_proto import make_node, make_value_info
from graphc.runtimes.onnx_weights import Weights

_SOURCES = frozenset({"Input", "State", "Constant"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A model without initializers, and the arrays that they are to hold."""

    model: ModelProto
    weights: dict[str, Array]

    @property
    def weight_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.weights.values())


def make_draft(
    graph: Graph, state: Mapping[str, Array] | None, versions: Versions, rows: Rows, value_info: bool = False
) -> Draft:
    """Lower every node.

    Raises:
        ExportError: see `graphc.runtimes.onnx_export.to_onnx`.
    """
    if versions.opset > defs.onnx_opset_version():
        raise ExportError(
            f"Opset {versions.opset} is newer than the installed onnx {onnx.__version__}, which ends at opset "
            f"{defs.onnx_opset_version()}; choose a lower one or upgrade with: pip install -U onnx"
        )
    lowering = _GraphLowering(graph, state, versions.opset, rows)
    lowering.run()
    model = ModelProto(ir_version=versions.ir)
    model.opset_import.add(domain="", version=versions.opset)
    lowering.fill(model.graph, value_info)
    return Draft(model, lowering.used_weights())


class _GraphLowering:
    """One graph on its way to ONNX."""

    def __init__(self, graph: Graph, state: Mapping[str, Array] | None, opset: int, rows: Rows) -> None:
        self.graph = graph
        self.opset = opset
        self.rows = rows
        self.weights = Weights()
        self.nodes: list[NodeProto] = []
        self.tensor: dict[Value, str] = {}
        self.node_names = {node.name for node in graph.nodes()}
        self.tensor_names: set[str] = set()
        self.inputs: dict[str, TensorType] = {v.producer.name: v.type for v in graph.inputs}
        self.outputs: dict[str, Value] = dict(graph.outputs)
        self._made: set[str] = set()
        self._counts: dict[str, int] = {}
        states = graph.states()
        if graph.updates:
            self._join(self.inputs, {name: v.type for name, v in states.items()}, "state")
            self._join(self.outputs, {name + NEW_STATE: v for name, v in graph.updates.items()}, "new state")
        self._reserve_names()
        self._add_states(states, state)
        self._name_values()
        shapes = [*self.inputs.items(), *((self.tensor[v], v.type) for v in states.values())]
        self.dims = Dims(_dim_sources(shapes), self._emit_for_dims, self.constant)

    # -- names --------------------------------------------------------------------------------------------------------

    @staticmethod
    def _join(table: dict[str, Any], more: Mapping[str, Any], what: str) -> None:
        for name, entry in more.items():
            if name in table:
                raise ExportError(f"The {what} {name!r} has the name of another input or output; rename one of them.")
            table[name] = entry

    def _reserve_names(self) -> None:
        for name, value in self.outputs.items():
            if not isinstance(name, str) or not name or not name.isprintable():
                raise ExportError(f"Output name {name!r} must be a non-empty string of printable characters.")
            if name in self.inputs and self._input_name(value) != name:
                raise ExportError(
                    f"{name!r} names an input and an output that differ, and ONNX has one namespace for both; "
                    "rename one of them."
                )
        self.tensor_names |= self.inputs.keys() | self.outputs.keys()

    def _input_name(self, value: Value) -> str:
        """The name under which a value enters the model; "" when it does not."""
        node = value.producer
        if node.op == "Input":
            return node.name
        return str(node.attributes["state"]) if node.op == "State" and self.graph.updates else ""

    def fresh(self, wanted: str, taken: set[str]) -> str:
        """``wanted``, or with a number behind it; taken from now on."""
        name = wanted
        while name in taken:
            self._counts[wanted] = self._counts.get(wanted, 0) + 1
            name = f"{wanted}_{self._counts[wanted]}"
        taken.add(name)
        return name

    def _name_values(self) -> None:
        """Give every value its tensor: an output's name where it is one, else its own."""
        direct: dict[Value, str] = {}
        for name, value in self.outputs.items():
            if value.producer.op not in _SOURCES:
                direct.setdefault(value, name)
        for node in self.graph.nodes():
            for value in node.outputs:
                if node.op == "Constant":
                    self.tensor[value] = self.constant(node.attributes["value"], value.name)
                elif node.op == "Input":
                    self.tensor[value] = node.name
                elif node.op != "State":
                    self.tensor[value] = direct.get(value) or self.fresh(value.name, self.tensor_names)

    # -- states and constants -----------------------------------------------------------------------------------------

    def _add_states(self, states: Mapping[str, Value], given: Mapping[str, Array] | None) -> None:
        """Know the tensor of every State node; keep the states' values."""
        names = {name: name if self.graph.updates else self.fresh(name, self.tensor_names) for name in states}
        for node in self.graph.nodes_of("State"):
            self.tensor[node.output] = names[node.attributes["state"]]
        if self.graph.updates and given is None:
            return
        for name, value in states.items():
            if given is None or name not in given:
                raise ExportError(f"State {name!r} ({value.type}) has no value; pass it in `state`.")
            array = native(np.asarray(given[name]))
            if not fits(array, value.type):
                raise ExportError(f"State {name!r} must be {value.type}; got {array.dtype}{list(array.shape)}.")
            self.weights.add(names[name], array)

    def constant(self, array: Array, wanted: str) -> str:
        """The initializer that holds this content, made under the wanted name if there is none yet."""
        name = self.weights.find(array)
        if name is None:
            name = self.fresh(wanted, self.tensor_names)
            self.weights.share(name, array)
        return name

    # -- nodes --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Write every node by its op's row, then the outputs that are one tensor under a second name."""
        self._made |= self.inputs.keys()
        for node in self.graph.nodes():
            if node.op not in _SOURCES:
                self._lower(node)
        for name, value in self.outputs.items():
            if self.tensor[value] != name:
                self.add_node("Identity", [self.tensor[value]], [name], f"{name}/Identity", {})

    def _lower(self, node: Node) -> None:
        where = f" (node {node.name!r}, {node.origin})" if str(node.origin) else f" (node {node.name!r})"
        row = self.rows.get(node.op)
        if row is None:
            raise ExportError(f"The op {node.op!r} has no ONNX form{where}.")
        lowering = _NodeLowering(self, node)
        try:
            row(lowering)
            if missing := [name for name in lowering.outputs if name not in self._made]:
                raise ExportError(f"The row of {node.op!r} does not make {missing}")
        except ExportError as error:
            raise ExportError(f"{str(error).removesuffix('.')}{where}.") from error

    def add_node(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], wanted: str, attributes: Mapping[str, Any]
    ) -> None:
        """Append a node under a name that no other has."""
        for name in outputs:
            if name in self._made or name in self.weights.arrays:
                raise ExportError(f"The tensor {name!r} is made twice")
            self._made.add(name)
        self.nodes.append(make_node(op, inputs, outputs, self.fresh(wanted, self.node_names), attributes, self.opset))

    def _emit_for_dims(self, op: str, inputs: Sequence[str], wanted: str, **attributes: int) -> str:
        name = self.fresh(wanted, self.tensor_names)
        self.add_node(op, inputs, [name], name, attributes)
        return name

    # -- the result ---------------------------------------------------------------------------------------------------

    def used_weights(self) -> dict[str, Array]:
        """The arrays that a node reads or that are an input's default; rows may not need every constant."""
        used = {name for node in self.nodes for name in node.input} | self.inputs.keys() | self.outputs.keys()
        return {name: array for name, array in self.weights.arrays.items() if name in used}

    def fill(self, graph: GraphProto, value_info: bool) -> None:
        """Write nodes, inputs, outputs and, when asked, the types of the values between them."""
        graph.node.extend(self.nodes)
        graph.input.extend(make_value_info(name, type_) for name, type_ in self.inputs.items())
        graph.output.extend(make_value_info(name, value.type) for name, value in self.outputs.items())
        if value_info:
            inner = ((name, value.type) for value, name in self.tensor.items() if value.producer.op not in _SOURCES)
            graph.value_info.extend(make_value_info(name, type_) for name, type_ in inner if name not in self.outputs)


class _NodeLowering:
    """The `Lowering` of one node."""

    def __init__(self, graph: _GraphLowering, node: Node) -> None:
        self.node = node
        self.opset = graph.opset
        self.inputs: Sequence[str] = _trimmed(["" if v is None else graph.tensor[v] for v in node.inputs])
        self.outputs: Sequence[str] = [graph.tensor[v] for v in node.outputs]
        self._graph = graph
        self._is_named = False

    def type(self, index: int) -> TensorType:
        value = self.node.inputs[index] if index < len(self.node.inputs) else None
        if value is None:
            raise ExportError(f"The row of {self.node.op!r} asks for the type of operand {index}, which is absent")
        return value.type

    def emit(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str] | None = None, *, count: int = 1, **attributes: Any
    ) -> list[str]:
        wanted = f"{self.node.name}/{op}"
        if outputs is None:
            outputs = [self._graph.fresh(wanted, self._graph.tensor_names) for _ in range(count)]
            wanted = outputs[0]
        elif not self._is_named and any(name in self.outputs for name in outputs):
            # The node that makes the result has the IR node's own name, which was kept for it.
            self._is_named = True
            self._graph.node_names.discard(self.node.name)
            wanted = self.node.name
        self._graph.add_node(op, _trimmed(inputs), outputs, wanted, attributes)
        return list(outputs)

    def constant(self, array: Array, hint: str = "") -> str:
        return self._graph.constant(array, f"{self.node.name}/{hint or 'constant'}")

    def ints(self, values: Sequence[int]) -> str:
        return self._graph.constant(np.array(list(values), dtype=np.int64), f"{self.node.name}/ints")

    def scalar(self, value: float, dtype: str) -> str:
        return self._graph.constant(np.array(value, dtype=dtypes.numpy_dtype(dtype)), f"{self.node.name}/scalar")

    def dims(self, dims: Sequence[DimLike]) -> str:
        return self._graph.dims.vector(dims)


def _trimmed(names: Sequence[str]) -> list[str]:
    """Tensor names without the blanks at the end, which stand for absent operands."""
    kept = list(names)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _dim_sources(shapes: Sequence[tuple[str, TensorType]]) -> dict[str, tuple[str, int]]:
    """For each dim that some tensor has, the first tensor and axis that have it."""
    sources: dict[str, tuple[str, int]] = {}
    for name, type_ in shapes:
        for axis, dim in enumerate(type_.shape):
            if isinstance(dim, str):
                sources.setdefault(str(dim), (name, axis))
    return sources
