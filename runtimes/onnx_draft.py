"""Lowering a graph: which tensor each value is, which ONNX nodes there are, and the weights, not yet in the model.

Inputs, outputs and states keep the names that the graph gives them; `graphc.runtimes.onnx_scope` says how nodes and the
tensors between them are called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, defs

from graphc.errors import ExportError
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.runtimes.base import NEW_STATE
from graphc.runtimes.feeds import fits, native
from graphc.runtimes.kernel import Array
from graphc.runtimes.onnx_dims import Dims
from graphc.runtimes.onnx_lowering import Rows
from graphc.runtimes.onnx_opsets import Versions
from graphc.runtimes.onnx_proto import make_value_info
from graphc.runtimes.onnx_scope import SOURCES, Scope, Shared


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
    lowering = _GraphLowering(graph, state, Shared(versions.opset, rows))
    lowering.run()
    model = ModelProto(ir_version=versions.ir)
    model.opset_import.add(domain="", version=versions.opset)
    lowering.fill(model.graph, value_info)
    return Draft(model, lowering.used_weights())


class _GraphLowering(Scope):
    """The model's own graph on its way to ONNX."""

    def __init__(self, graph: Graph, state: Mapping[str, Array] | None, shared: Shared) -> None:
        super().__init__(graph, shared)
        self.inputs: dict[str, TensorType] = {v.producer.name: v.type for v in graph.inputs}
        self.outputs: dict[str, Value] = dict(graph.outputs)
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
        self.shared.tensor_names |= self.inputs.keys() | self.outputs.keys()

    def _input_name(self, value: Value) -> str:
        """The name under which a value enters the model; "" when it does not."""
        node = value.producer
        if node.op == "Input":
            return node.name
        return str(node.attributes["state"]) if node.op == "State" and self.graph.updates else ""

    def _name_values(self) -> None:
        """Give every value its tensor: an output's name where it is one, else its own."""
        direct: dict[Value, str] = {}
        for name, value in self.outputs.items():
            if value.producer.op not in SOURCES:
                direct.setdefault(value, name)
        for node in self.graph.nodes():
            for value in node.outputs:
                if node.op == "Constant":
                    self.tensor[value] = self.constant(node.attributes["value"], value.name)
                elif node.op == "Input":
                    self.tensor[value] = node.name
                elif node.op != "State":
                    self.tensor[value] = direct.get(value) or self.fresh_tensor(value.name)

    # -- states and constants -----------------------------------------------------------------------------------------

    def _add_states(self, states: Mapping[str, Value], given: Mapping[str, Array] | None) -> None:
        """Know the tensor of every State node; keep the states' values."""
        names = {name: name if self.graph.updates else self.fresh_tensor(name) for name in states}
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
            self.shared.weights.add(names[name], array)

    # -- nodes --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Write every node by its op's row, then the outputs that are one tensor under a second name."""
        self.shared.made |= self.inputs.keys()
        self.lower_nodes()
        for name, value in self.outputs.items():
            if self.tensor[value] != name:
                self.add_node("Identity", [self.tensor[value]], [name], f"{name}/Identity", {})

    def _emit_for_dims(self, op: str, inputs: Sequence[str], wanted: str, **attributes: int) -> str:
        name = self.fresh_tensor(wanted)
        self.add_node(op, inputs, [name], name, attributes)
        return name

    # -- the result ---------------------------------------------------------------------------------------------------

    def used_weights(self) -> dict[str, Array]:
        """The arrays that a node reads or that are an input's default; rows may not need every constant."""
        used = self.shared.read | self.inputs.keys() | self.outputs.keys()
        return {name: array for name, array in self.shared.weights.arrays.items() if name in used}

    def fill(self, graph: GraphProto, value_info: bool) -> None:
        """Write nodes, inputs, outputs and, when asked, the types of the values between them."""
        graph.node.extend(self.nodes)
        graph.input.extend(make_value_info(name, type_) for name, type_ in self.inputs.items())
        graph.output.extend(make_value_info(name, value.type) for name, value in self.outputs.items())
        if value_info:
            inner = ((name, value.type) for value, name in self.tensor.items() if value.producer.op not in SOURCES)
            graph.value_info.extend(make_value_info(name, type_) for name, type_ in inner if name not in self.outputs)


def _dim_sources(shapes: Sequence[tuple[str, TensorType]]) -> dict[str, tuple[str, int]]:
    """For each dim that some tensor has, the first tensor and axis that have it."""
    sources: dict[str, tuple[str, int]] = {}
    for name, type_ in shapes:
        for axis, dim in enumerate(type_.shape):
            if isinstance(dim, str):
                sources.setdefault(str(dim), (name, axis))
    return sources
