"""Reading the text form that `graphc.ir.printer` writes and describes.

The text may come from anywhere: lengths are capped before anything is converted, a tensor's size is compared with its
text before memory is taken, nothing is evaluated, and nothing recurses over what is nested but the bodies of loops, of
which at most `graphc.ir.traversal.MAX_BODY_DEPTH` may stand inside each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from graphc.errors import GraphcError, did_you_mean
from graphc.ir import dtypes
from graphc.ir.builder import OpRules
from graphc.ir.dims import Dim, DimLike, as_dim
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.printer import TYPED_BY_RESULT
from graphc.ir.tensor_text import read_tensor
from graphc.ir.text_reader import BARE_NAME, FLOAT, INTEGER, Reader
from graphc.ir.traversal import MAX_BODY_DEPTH
from graphc.ir.types import TensorType

MAX_INTEGER = 2**64
"""Integers must be smaller than this, without their sign."""

_INDEX = re.compile(r":([0-9]{1,6})")
_TYPED_TENSOR = re.compile(rf"(?:{'|'.join(dtypes.DTYPES)})\[")
_GRAPH = re.compile(rf'graph[ \t\r\n]+(?:"|{BARE_NAME.pattern}[ \t\r\n]*\{{)')
"""The start of a graph as an attribute. A dim called ``graph`` has no brace and no quote behind it."""
_WORDS = {"true": True, "false": False, "none": None}

_T = TypeVar("_T")


def parse_graph(text: str, rules: OpRules) -> Graph:
    """The graph that a text describes; `print_graph` of it is the text in its usual form.

    Args:
        text: one graph in the text form.
        rules: complete the attributes and say what each node's types are; those in the text must agree.

    Raises:
        ParseError: the text is not a valid graph; the message gives line, column and what was expected.
    """
    reader = Reader(text)
    graph = _Parser(reader, rules).parse()
    reader.skip()
    if reader.position < len(text):
        raise reader.expected("nothing more after the graph's '}'")
    return graph


class _Parser:
    """Reads one graph; ``depth`` graphs are around it."""

    def __init__(self, reader: Reader, rules: OpRules, depth: int = 0) -> None:
        self.reader = reader
        self.rules = rules
        self.depth = depth
        self.graph = Graph()
        self.states: dict[str, Value] = {}

    def parse(self) -> Graph:
        reader = self.reader
        reader.keyword(("graph",), "'graph' at the start")
        self.graph.name = reader.name("the graph's name")
        reader.need("{", "after the graph's name")
        while not reader.take("}"):
            if reader.take("%"):
                self.node()
            else:
                self.result()
        return self.graph

    # -- statements ----------------------------------------------------------------------------------------------------

    def result(self) -> None:
        """``output name = %value`` or ``update state = %value``."""
        reader = self.reader
        keyword = reader.keyword(("output", "update"), "a node ('%name: ...'), 'output', 'update' or '}'")
        reader.skip()
        start = reader.position
        name = reader.name(f"the name of the {keyword}")
        reader.need("=", f"after the name of the {keyword}")
        value = self.value()
        table = self.graph.outputs if keyword == "output" else self.graph.updates
        if name in table:
            raise reader.error(f"there are two {keyword}s named {name!r}.", start)
        if keyword == "update":
            state = self.states.get(name)
            if state is None:
                raise reader.error(f"there is no state {name!r} to update.{did_you_mean(name, self.states)}", start)
            if state.type != value.type:
                raise reader.error(f"state {name!r} is {state.type}; it cannot become {value!r}.", start)
        table[name] = value

    def node(self) -> None:
        """``name: type = Op(operands) {attributes}``; the ``%`` has been read."""
        reader = self.reader
        start = reader.position
        name = reader.name("a node's name")
        if not name:
            raise reader.error("a node's name must not be empty.", start)
        if name in self.graph:
            raise reader.error(f"there are two nodes named {name!r}.", start)
        reader.need(":", f"and a type after %{name}")
        reader.skip()
        type_start = reader.position
        types = self.types()
        reader.need("=", "and an op after the type")
        reader.skip()
        op_start = reader.position
        op = reader.word("the name of an op")
        reader.need("(", f"and the operands of {op}")
        operands = self.sequence(")", self.operand)
        given: dict[str, Any] = {}
        if op in TYPED_BY_RESULT and types:
            given = {"dtype": types[0].dtype, "shape": types[0].shape}
        if reader.take("{"):
            self.sequence("}", lambda: self.attribute(op, types, given))
        try:
            complete = self.rules.attributes(op, given)
            inferred = self.rules.infer(op, [None if v is None else v.type for v in operands], complete)
        except GraphcError as error:
            raise reader.error(f"node %{name}: {error}", op_start) from None
        if list(inferred) != types:
            gives, says = (", ".join(map(str, t)) or "nothing" for t in (inferred, types))
            raise reader.error(f"node %{name}: the type rule of {op} gives {gives}; the text says {says}.", type_start)
        try:
            node = self.graph.add_node(op, operands, complete, inferred, name=name)
        except GraphcError as error:
            raise reader.error(str(error), start) from None
        self.declare(node, start)

    def declare(self, node: Node, start: int) -> None:
        """Note an input or a state."""
        if node.op == "Input":
            self.graph.inputs.append(node.output)
        elif node.op == "State":
            state = node.attributes["state"]
            if state in self.states:
                raise self.reader.error(f"state {state!r} has two nodes; it may have one.", start)
            self.states[state] = node.output

    # -- parts of a statement ------------------------------------------------------------------------------------------

    def sequence(self, end: str, element: Callable[[], _T]) -> list[_T]:
        """Elements with commas between them, up to ``end``."""
        found: list[_T] = []
        if self.reader.take(end):
            return found
        while True:
            found.append(element())
            if self.reader.take(end):
                return found
            if not self.reader.take(","):
                raise self.reader.expected(f"',' or {end!r}")

    def operand(self) -> Value | None:
        return None if self.reader.take("_") else self.value()

    def value(self) -> Value:
        reader = self.reader
        reader.skip()
        start = reader.position
        reader.need("%", "and the name of a value")
        name = reader.name("the name of a value")
        numbered = reader.match(_INDEX)
        index = int(numbered.group(1)) if numbered else 0
        if name not in self.graph:
            raise reader.error(f"there is no value %{name} above this line.", start)
        outputs = self.graph.node(name).outputs
        if index >= len(outputs):
            raise reader.error(f"node %{name} has {len(outputs)} outputs; there is no %{name}:{index}.", start)
        return outputs[index]

    def types(self) -> list[TensorType]:
        """One type, or several in parentheses."""
        return self.sequence(")", self.type) if self.reader.take("(") else [self.type()]

    def type(self) -> TensorType:
        reader = self.reader
        reader.skip()
        start = reader.position
        dtype = reader.word("a type such as float32[batch, 784]")
        if dtype not in dtypes.DTYPES:
            raise reader.error(f"there is no dtype {dtype!r}.{did_you_mean(dtype, dtypes.DTYPES)}", start)
        if not reader.text.startswith("[", reader.position):
            raise reader.expected(f"'[' and the shape after {dtype}")
        reader.position += 1
        dims: list[DimLike] = []
        reader.skip_blank()
        if not reader.text.startswith("]", reader.position):
            dims = self.raw_sequence("]", lambda: self.dim(*reader.raw("]")))
        reader.position += 1
        try:
            return TensorType.of(dtype, dims)
        except GraphcError as error:
            raise reader.error(str(error), start) from None

    def raw_sequence(self, end: str, element: Callable[[], _T]) -> list[_T]:
        """One or more elements, read with `Reader.raw`, which stops at a comma or at ``end``."""
        found = [element()]
        while self.reader.text.startswith(",", self.reader.position):
            self.reader.position += 1
            found.append(element())
        if not self.reader.text.startswith(end, self.reader.position):
            raise self.reader.expected(f"',' or {end!r}")
        return found

    def dim(self, raw: str, start: int) -> DimLike:
        if INTEGER.fullmatch(raw):
            if len(raw) > 32 or abs(int(raw)) >= MAX_INTEGER:
                raise self.reader.error("an integer does not fit 64 bits.", start)
            return int(raw)
        try:
            return Dim(raw) if raw.isidentifier() else as_dim(raw)
        except GraphcError as error:
            raise self.reader.error(str(error), start) from None

    # -- attributes ----------------------------------------------------------------------------------------------------

    def attribute(self, op: str, types: Sequence[TensorType], given: dict[str, Any]) -> None:
        """``name = value``."""
        reader = self.reader
        reader.skip()
        start = reader.position
        name = reader.word("the name of an attribute")
        if name in given:
            raise reader.error(f"attribute {name!r} of {op} is given twice, or said by the type.", start)
        reader.need("=", f"and a value after attribute {name!r}")
        if op == "Constant" and name == "value":
            if len(types) != 1:
                raise reader.error(f"a Constant has one result; the text says {len(types)}.", start)
            given[name] = read_tensor(reader, types[0])
        else:
            given[name] = self.attribute_value()

    def attribute_value(self) -> Any:
        reader = self.reader
        if reader.take("("):
            start = reader.position - 1
            if reader.take(")"):
                return ()
            elements = self.tuple_elements()
            if elements is not None:
                return tuple(elements)
            reader.position = start  # parentheses without a comma belong to a dim's expression
        elif _TYPED_TENSOR.match(reader.text, reader.position):
            return read_tensor(reader, self.type())
        elif _GRAPH.match(reader.text, reader.position):
            if self.depth >= MAX_BODY_DEPTH:
                raise reader.error(f"graphs stand inside each other more than {MAX_BODY_DEPTH} deep.")
            return _Parser(reader, self.rules, self.depth + 1).parse()
        return self.scalar("}")

    def tuple_elements(self) -> list[Any] | None:
        """The elements of a tuple behind its ``(``; None where there is one without a comma, which is no tuple."""
        reader = self.reader
        elements = [self.scalar(")")]
        if reader.take(")"):
            return None
        while True:
            reader.need(",", "or ')' in a tuple")
            if reader.take(")"):
                return elements
            elements.append(self.scalar(")"))
            if reader.take(")"):
                return elements

    def scalar(self, closing: str) -> Any:
        reader = self.reader
        reader.skip_blank()
        if reader.text.startswith('"', reader.position):
            return reader.string()
        raw, start = reader.raw(closing)
        if raw in _WORDS:
            return _WORDS[raw]
        return float(raw) if FLOAT.fullmatch(raw) else self.dim(raw, start)
