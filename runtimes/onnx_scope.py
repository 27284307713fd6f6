"""Where ONNX nodes are written: the model's own graph, or the body of a loop inside it.

ONNX has one namespace for a graph and the bodies inside it, so all scopes of a model share their names. They also share
the weights, which stand in the model's graph: a body reads tensors from around it.

A node is called what its IR node is called (``layer/op``), and so is the tensor that it makes, unless that tensor is an
output of the graph; further nodes of a row are called ``layer/op/Operator``, and what is in a loop's body
``layer/Scan/...``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto

from graphc.errors import ExportError
from graphc.ir import dtypes
from graphc.ir.dims import DimLike
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.types import TensorType
from graphc.runtimes.kernel import Array
from graphc.runtimes.onnx_dims import Dims
from graphc.runtimes.onnx_lowering import Rows
from graphc.runtimes.onnx_proto import make_node, make_value_info
from graphc.runtimes.onnx_weights import Weights

SOURCES = frozenset({"Input", "State", "Constant"})
"""Ops that become inputs and initializers, not nodes."""


@dataclass(slots=True)
class Shared:
    """What all scopes of one model have in common.

    Attributes:
        opset: the opset that is written.
        rows: how each op is written.
        weights: the arrays of the model.
        node_names: names that some node has, or will have.
        tensor_names: names that some tensor has, or will have.
        made: tensors that a node makes, or that come from outside.
        read: tensors that a node reads.
    """

    opset: int
    rows: Rows
    weights: Weights = field(default_factory=Weights)
    node_names: set[str] = field(default_factory=set)
    tensor_names: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=dict)

    def fresh(self, wanted: str, taken: set[str]) -> str:
        """``wanted``, or with a number behind it; taken from now on."""
        name = wanted
        while name in taken:
            self._counts[wanted] = self._counts.get(wanted, 0) + 1
            name = f"{wanted}_{self._counts[wanted]}"
        taken.add(name)
        return name


class Scope:
    """One graph on its way to ONNX.

    Attributes:
        graph: the IR.
        shared: names and weights of the whole model.
        dims: the lengths of named dims. Set by who makes the scope.
        nodes: what has been written.
        tensor: value to the name of its tensor.
        node_name: IR node to the name of the ONNX node that makes its result.
    """

    dims: Dims

    def __init__(self, graph: Graph, shared: Shared, prefix: str = "") -> None:
        self.graph = graph
        self.shared = shared
        self.nodes: list[NodeProto] = []
        self.tensor: dict[Value, str] = {}
        self.node_name = {node: shared.fresh(prefix + node.name, shared.node_names) for node in graph.nodes()}

    def fresh_tensor(self, wanted: str) -> str:
        """A name that no other tensor has."""
        return self.shared.fresh(wanted, self.shared.tensor_names)

    def constant(self, array: Array, wanted: str) -> str:
        """The initializer that holds this content, made under the wanted name if there is none yet."""
        name = self.shared.weights.find(array)
        if name is None:
            name = self.fresh_tensor(wanted)
            self.shared.weights.share(name, array)
        return name

    def lower_nodes(self) -> None:
        """Write every node by its op's row."""
        for node in self.graph.nodes():
            if node.op not in SOURCES:
                self._lower(node)

    def _lower(self, node: Node) -> None:
        where = f" (node {node.name!r}, {node.origin})" if str(node.origin) else f" (node {node.name!r})"
        row = self.shared.rows.get(node.op)
        if row is None:
            raise ExportError(f"The op {node.op!r} has no ONNX form{where}.")
        lowering = NodeLowering(self, node)
        try:
            row(lowering)
            made = self.shared.made
            if missing := [
                self.tensor[v] for v in node.outputs if self.tensor[v] not in made and self.graph.is_used(v)
            ]:
                raise ExportError(f"The row of {node.op!r} does not make {missing}")
        except ExportError as error:
            raise ExportError(f"{str(error).removesuffix('.')}{where}.") from error

    def add_node(
        self,
        op: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        wanted: str,
        attributes: Mapping[str, Any],
        *,
        is_reserved: bool = False,
    ) -> None:
        """Append a node under a name that no other has; ``wanted`` itself when it was reserved for this node."""
        shared = self.shared
        for name in filter(None, outputs):
            if name in shared.made or name in shared.weights.arrays:
                raise ExportError(f"The tensor {name!r} is made twice")
            shared.made.add(name)
        shared.read.update(inputs)
        name = wanted if is_reserved else shared.fresh(wanted, shared.node_names)
        self.nodes.append(make_node(op, inputs, outputs, name, attributes, shared.opset))


class BodyScope(Scope):
    """The body of a loop.

    Args:
        body: the IR of the body.
        around: the scope that the loop stands in.
        prefix: what names inside start with.
        captured: inputs of the body that are tensors of the scope around it.
    """

    def __init__(self, body: Graph, around: Scope, prefix: str, captured: Mapping[Value, str]) -> None:
        super().__init__(body, around.shared, prefix)
        self.dims = around.dims  # lengths are computed outside, once for all steps
        self._prefix = prefix
        self.tensor.update(captured)
        for node in body.nodes():
            for value in node.outputs:
                if node.op == "Constant":
                    self.tensor[value] = self.constant(node.attributes["value"], prefix + value.name)
                elif value not in captured:
                    self.tensor[value] = self.fresh_tensor(prefix + value.name)

    def write(self, inputs: Sequence[Value], outputs: Sequence[Value]) -> GraphProto:
        """The body as ONNX has it: outputs are made by nodes of the body, each by its own."""
        self.shared.made.update(self.tensor[value] for value in inputs)
        self.lower_nodes()
        names: list[str] = []
        for value in outputs:
            name = self.tensor[value]
            if value.producer.op in SOURCES or name in names:
                wanted = f"{name}/Identity"
                name = self.fresh_tensor(wanted)
                self.add_node("Identity", [self.tensor[value]], [name], wanted, {})
            names.append(name)
        graph = GraphProto(name=self._prefix + self.graph.name, node=self.nodes)
        graph.input.extend(make_value_info(self.tensor[value], value.type) for value in inputs)
        graph.output.extend(make_value_info(name, v.type) for name, v in zip(names, outputs, strict=True))
        return graph


class InlineScope(Scope):
    """A graph whose nodes are written among those of the scope around it, in the place of one node.

    Args:
        graph: the IR.
        around: the scope that it is written into.
        prefix: what names inside start with.
        inputs: the tensor that each of its inputs stands for.
        outputs: the tensor that each of its outputs is.
    """

    def __init__(self, graph: Graph, around: Scope, prefix: str, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        super().__init__(graph, around.shared, prefix)
        self.dims = around.dims
        self.nodes = around.nodes
        self.tensor.update(zip(graph.inputs, inputs, strict=True))
        self.tensor.update(zip(graph.outputs.values(), outputs, strict=True))
        for node in graph.nodes():
            for value in node.outputs:
                if node.op == "Constant":
                    self.tensor[value] = self.constant(node.attributes["value"], prefix + value.name)
                elif value not in self.tensor:
                    self.tensor[value] = self.fresh_tensor(prefix + value.name)


class NodeLowering:
    """The `Lowering` of one node."""

    def __init__(self, scope: Scope, node: Node) -> None:
        self.node = node
        self.opset = scope.shared.opset
        self.inputs: Sequence[str] = trimmed(["" if v is None else scope.tensor[v] for v in node.inputs])
        self.outputs: Sequence[str] = [scope.tensor[v] for v in node.outputs]
        self._scope = scope
        self._is_named = False

    def type(self, index: int) -> TensorType:
        value = self.node.inputs[index] if index < len(self.node.inputs) else None
        if value is None:
            raise ExportError(f"The row of {self.node.op!r} asks for the type of operand {index}, which is absent")
        return value.type

    def is_used(self, index: int) -> bool:
        return self._scope.graph.is_used(self.node.outputs[index])

    def emit(
        self,
        op: str,
        inputs: Sequence[str],
        outputs: Sequence[str | None] | None = None,
        *,
        count: int = 1,
        **attributes: Any,
    ) -> list[str]:
        wanted = f"{self._name}/{op}"
        is_result = False
        if outputs is None:
            outputs = made = [self._scope.fresh_tensor(wanted) for _ in range(count)]
            wanted = made[0]
        elif not self._is_named and any(name in self.outputs for name in outputs):
            # The node that makes the result has the IR node's own name, which was kept for it.
            self._is_named = is_result = True
            wanted = self._name
        names = [self._scope.fresh_tensor(f"{self._name}/{op}") if name is None else name for name in outputs]
        self._scope.add_node(op, trimmed(inputs), trimmed(names), wanted, attributes, is_reserved=is_result)
        return names

    @property
    def _name(self) -> str:
        return self._scope.node_name[self.node]

    def constant(self, array: Array, hint: str = "") -> str:
        return self._scope.constant(array, f"{self._name}/{hint or 'constant'}")

    def ints(self, values: Sequence[int]) -> str:
        return self._scope.constant(np.array(list(values), dtype=np.int64), f"{self._name}/ints")

    def scalar(self, value: float, dtype: str) -> str:
        return self._scope.constant(np.array(value, dtype=dtypes.numpy_dtype(dtype)), f"{self._name}/scalar")

    def dims(self, dims: Sequence[DimLike]) -> str:
        return self._scope.dims.vector(dims)

    def body(
        self, body: Graph, inputs: Sequence[Value], captured: Mapping[Value, str], outputs: Sequence[Value]
    ) -> GraphProto:
        return BodyScope(body, self._scope, f"{self._name}/", captured).write(inputs, outputs)

    def inline(self, graph: Graph, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        InlineScope(graph, self._scope, f"{self._name}/", inputs, outputs).lower_nodes()


def trimmed(names: Sequence[str]) -> list[str]:
    """Tensor names without the blanks at the end, which stand for absent operands."""
    kept = list(names)
    while kept and not kept[-1]:
        kept.pop()
    return kept
