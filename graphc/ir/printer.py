"""The text form of a graph: one readable, deterministic form, which `graphc.ir.parser` reads back exactly.

::

    graph mnist_mlp {
      %x: float32[batch, 784] = Input()
      %dense/kernel: float32[784, 64] = State() {state = "dense/kernel"}
      %half: float32[] = Constant() {value = 0.5}
      %dense/MatMul: float32[batch, 64] = MatMul(%x, %dense/kernel)
      %split: (float32[batch, 2], float32[batch, 62]) = Split(%dense/MatMul) {axis = 1, sizes = (2, 62)}
      %y: float32[batch, 2] = Clip(%split, _, %half)
      output logits = %y
      update dense/kernel = %new
    }

* ``%name`` is a node's first output, ``%name:1`` its second; ``_`` is an optional operand that is absent.
* Inputs come first, in the order of the call; other nodes in topological order, then outputs, then updates.
* A name of other characters than letters, digits and ``_ . -``, with single slashes inside, stands in double quotes.
* Attributes: integers, floats with a point or an exponent, ``inf``, ``nan``, ``true``, ``false``, ``none``, strings in
  double quotes, tuples, dims as they print (``(height - 2) // 2``). An attribute that has its default is left out; so
  are the dtype and shape of ``Input`` and ``State``, which the type says.
* A tensor is a number, nested lists, or from 33 elements on ``base64"..."`` of its raw little-endian bytes. The type of
  the ``Constant`` gives its dtype and shape; in an attribute of another op they stand before it, as in
  ``float32[2] [1.0, 2.0]``.
* The body of a loop is a graph in the attribute's place: ``body = graph body { ... }``, indented.
* ``//`` starts a comment, except inside the brackets of a type or an attribute's value, where it divides dims.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import GraphError
from graphc.ir.builder import OpRules
from graphc.ir.compare import same_attribute
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.tensor_text import format_tensor
from graphc.ir.text_reader import BARE_NAME
from graphc.ir.types import TensorType

TYPED_BY_RESULT = frozenset({"Input", "State"})
"""Ops whose attributes ``dtype`` and ``shape`` are what the type of their result says."""

RESERVED_VALUES = frozenset({"true", "false", "none", "inf", "nan"})
"""Words that are no dims where they stand alone as an attribute's value; a dim of such a name is put in parentheses."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def print_graph(graph: Graph, rules: OpRules | None = None, *, origins: bool = False) -> str:
    """The text of a graph.

    Args:
        graph: any graph, also one that `graphc.ir.verify` refuses.
        rules: leaves out attributes that have their default. Without rules all of them are written; the text is valid
            and means the same.
        origins: adds to each node a comment that names its layer and the line that made the layer.

    Raises:
        GraphError: an attribute is of a kind that the text form does not have.
    """
    return "\n".join([*_graph_lines(graph, _Style(_Defaults(rules), origins)), ""])


def _graph_lines(graph: Graph, style: _Style) -> list[str]:
    lines = [f"graph {format_name(graph.name)} {{"]
    inputs = dict.fromkeys(value.producer for value in graph.inputs)
    for node in (*inputs, *(node for node in graph.nodes() if node not in inputs)):
        comment = f"  // {node.origin}" if style.origins and str(node.origin) else ""
        lines.append(f"  {_format_node(node, style)}{_one_line(comment)}")
    lines += [f"  output {format_name(name)} = {format_value(value)}" for name, value in graph.outputs.items()]
    lines += [f"  update {format_name(name)} = {format_value(value)}" for name, value in graph.updates.items()]
    return [*lines, "}"]


class _Defaults:
    """The attributes that each op has when none are given."""

    def __init__(self, rules: OpRules | None) -> None:
        self._rules = rules
        self._of: dict[str, Any] = {}

    def has(self, op: str, name: str, value: Any) -> bool:
        """True when ``value`` is the attribute's default."""
        if self._rules is None:
            return False
        if op not in self._of:
            self._of[op] = self._rules.defaults(op)
        return name in self._of[op] and same_attribute(self._of[op][name], value)


@dataclass(frozen=True, slots=True)
class _Style:
    """How nodes are written: which attributes are left out, and whether their origins stand behind them."""

    defaults: _Defaults
    origins: bool


def format_name(name: str) -> str:
    """A name, in quotes where it needs them."""
    return name if BARE_NAME.fullmatch(name) else format_string(name)


def format_string(text: str) -> str:
    """A string in double quotes, with everything escaped that would not print."""
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in text) + '"'


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _one_line(comment: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in comment)


def format_value(value: Value | None) -> str:
    """``%name``, ``%name:1``, or ``_`` for an absent operand."""
    if value is None:
        return "_"
    return f"%{format_name(value.producer.name)}" + (f":{value.index}" if value.index else "")


def _format_node(node: Node, style: _Style) -> str:
    types = [str(v.type) for v in node.outputs]
    result = types[0] if len(types) == 1 else f"({', '.join(types)})"
    operands = ", ".join(map(format_value, node.inputs))
    attributes = ", ".join(_format_attributes(node, style))
    braces = f" {{{attributes}}}" if attributes else ""
    return f"%{format_name(node.name)}: {result} = {node.op}({operands}){braces}"


def _format_attributes(node: Node, style: _Style) -> Iterator[str]:
    for name, value in node.attributes.items():
        if node.op in TYPED_BY_RESULT and name in ("dtype", "shape"):
            continue
        if isinstance(value, Graph):
            yield f"{name} = {_nested(value, style)}"
        elif not style.defaults.has(node.op, name, value):
            typed = not (node.op == "Constant" and name == "value")
            yield f"{name} = {_format_attribute(node, name, value, typed)}"


def _nested(body: Graph, style: _Style) -> str:
    """A graph inside an attribute. No line of it is within a string, so every one of them may be indented."""
    return "\n  ".join(_graph_lines(body, style))


def _format_attribute(node: Node, name: str, value: Any, typed: bool) -> str:
    if isinstance(value, np.ndarray):
        return f"{TensorType.of(value.dtype, value.shape)} {format_tensor(value)}" if typed else format_tensor(value)
    if isinstance(value, tuple):
        elements = [_format_scalar(node, name, v) for v in value]
        return f"({', '.join(elements)}{',' * (len(elements) == 1)})"
    return _format_scalar(node, name, value)


def _format_scalar(node: Node, name: str, value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case Dim():
            return f"({value})" if value in RESERVED_VALUES else str(value)
        case str():
            return format_string(value)
    raise GraphError(
        f"Attribute {name!r} of node {node.name!r} ({node.op}) is a {type(value).__name__}, which the text form does "
        "not have; it has integers, floats, booleans, strings, dims, tensors and tuples of them."
    )
