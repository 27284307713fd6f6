"""The contract between the ONNX exporter and its rows: how one IR node becomes ONNX nodes.

A row is a function of a :class:`Lowering`. It emits nodes whose last outputs are ``lowering.outputs``. Rows never
import ``onnx``: they name operators and attributes, and the exporter builds the protobuf.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from graphc.ir.dims import DimLike
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.types import TensorType


class Lowering(Protocol):
    """What a row may ask for and do."""

    node: Node
    inputs: Sequence[str]
    """Tensor names of the operands; "" for an absent one, trailing absent ones dropped."""
    outputs: Sequence[str]
    """Tensor names that the row must define, one for each output of the node."""
    opset: int

    def type(self, index: int) -> TensorType:
        """The IR type of an operand."""

    def is_used(self, index: int) -> bool:
        """True when an output is an operand or a result of the graph; a row need not make the others."""

    def emit(
        self,
        op: str,
        inputs: Sequence[str],
        outputs: Sequence[str | None] | None = None,
        *,
        count: int = 1,
        **attributes: Any,
    ) -> list[str]:
        """Add an ONNX node; without ``outputs`` it gets ``count`` fresh names.

        Among ``outputs``, None stands for a fresh name, and "" for an output that nobody reads.

        Attributes that are None are left out. A dtype's name given for an integer attribute (``to`` of Cast) is written
        as ONNX's number of that dtype. The node that makes ``outputs`` gets the IR node's name.
        """

    def constant(self, array: np.ndarray[Any, Any], hint: str = "") -> str:
        """An initializer; equal arrays share one."""

    def ints(self, values: Sequence[int]) -> str:
        """A 1-D int64 initializer."""

    def scalar(self, value: float, dtype: str) -> str:
        """A rank-0 initializer of a dtype."""

    def dims(self, dims: Sequence[DimLike]) -> str:
        """A 1-D int64 tensor of lengths.

        An initializer where all are integers, else computed from the shapes of the graph's inputs. Negative integers
        stay as they are (-1 in a Reshape).
        """

    def body(
        self, body: Graph, inputs: Sequence[Value], captured: Mapping[Value, str], outputs: Sequence[Value]
    ) -> Any:
        """The body of a loop, for an attribute of kind graph.

        Args:
            body: the IR.
            inputs: its inputs that ONNX's body has, in order.
            captured: its other inputs, with the tensors around the loop that they stand for.
            outputs: values of the body to give, in order.
        """

    def inline(self, graph: Graph, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Write another graph's nodes here, each by its own row: for an op that is written as other ops.

        Args:
            graph: the IR, without states.
            inputs: the tensor that each of its inputs stands for.
            outputs: the tensor that each of its outputs is; no two of them are one value, and none is an input.
        """


Row = Callable[[Lowering], None]
Rows = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Same:
    """The row of an op whose ONNX form is itself.

    Attributes:
        op: ONNX's name; the IR's own when empty.
        attributes: IR attribute names to write, under the same names.
    """

    op: str = ""
    attributes: tuple[str, ...] = ()

    def __call__(self, lowering: Lowering) -> None:
        """Emit the one node."""
        written = {name: lowering.node.attributes[name] for name in self.attributes}
        lowering.emit(self.op or lowering.node.op, lowering.inputs, lowering.outputs, **written)
