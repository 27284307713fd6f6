"""The verifier: each invariant of the IR, broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pytest

from graphc.errors import GraphError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Node, Origin, Value
from graphc.ir.parser import parse_graph
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops.registry import OPS

TEXT = """graph g {
  %x: float32[batch, 2] = Input()
  %w: float32[2] = State() {state = "w"}
  %c: float32[2] = Constant() {value = [1.0, 2.0]}
  %a: float32[batch, 2] = Add(%x, %w)
  %b: float32[2] = Mul(%w, %c)
  %parts: (float32[batch, 1], float32[batch, 1]) = Split(%a) {sizes = (1, 1), axis = 1}
  output y = %a
  output part = %parts:1
  update w = %b
}
"""
VECTOR = TensorType("float32", (2,))


def first(graph: Graph, name: str) -> Value:
    return graph.node(name).outputs[0]


def add(graph: Graph, op: str, name: str, **attributes: object) -> Node:
    return graph.add_node(op, (), attributes, (VECTOR,), name=name)


def wrong_type(graph: Graph) -> None:
    first(graph, "a").type = TensorType("float32", ("batch", 3))  # type: ignore[arg-type]


def wrong_operand_type(graph: Graph) -> None:
    first(graph, "w").type = TensorType("int32", (2,))


def missing_attribute(graph: Graph) -> None:
    graph.set_attributes(graph.node("parts"), {"sizes": (1, 1)})


def unordered_attributes(graph: Graph) -> None:
    graph.set_attributes(graph.node("parts"), {"axis": 1, "sizes": (1, 1)})


def unknown_attribute(graph: Graph) -> None:
    graph.set_attributes(graph.node("a"), {"axis": 1})


def attribute_of_another_kind(graph: Graph) -> None:
    graph.set_attributes(graph.node("parts"), {"sizes": [1, 1], "axis": 1})


def unknown_op(graph: Graph) -> None:
    graph.node("a").op = "Plus"


def writeable_constant(graph: Graph) -> None:
    graph.set_attributes(graph.node("c"), {"value": np.array([1, 2], np.float32)})


def operands_behind_the_graph(graph: Graph) -> None:
    graph.node("b").inputs = (first(graph, "w"), first(graph, "w"))


def missing_operand(graph: Graph) -> None:
    graph.node("b").inputs = (first(graph, "w"),)


def stranger_as_operand(graph: Graph) -> None:
    graph.node("b").inputs = (first(parse_graph(TEXT, OPS), "w"), first(graph, "c"))


def stranger_as_output(graph: Graph) -> None:
    graph.outputs["y"] = first(parse_graph(TEXT, OPS), "a")


def stranger_as_update(graph: Graph) -> None:
    graph.updates["w"] = first(parse_graph(TEXT, OPS), "b")


def name_behind_the_graph(graph: Graph) -> None:
    graph.node("parts").name = "pieces"


def outputs_of_another_node(graph: Graph) -> None:
    graph.node("parts").outputs[1].index = 0


def input_not_listed(graph: Graph) -> None:
    graph.inputs.clear()


def input_listed_twice(graph: Graph) -> None:
    graph.inputs.append(first(graph, "x"))


def state_listed_as_input(graph: Graph) -> None:
    graph.inputs.append(first(graph, "w"))


def state_with_two_nodes(graph: Graph) -> None:
    add(graph, "State", "again", state="w", dtype="float32", shape=(2,))


def update_of_no_state(graph: Graph) -> None:
    graph.updates["v"] = first(graph, "b")


def update_of_another_type(graph: Graph) -> None:
    graph.updates["w"] = first(graph, "a")


def cycle(graph: Graph) -> None:
    graph.set_inputs(graph.node("a"), [first(graph, "a"), first(graph, "w")])


def removed_producer(graph: Graph) -> None:
    graph.remove_nodes([graph.node("c")])


@pytest.mark.parametrize(
    ("sabotage", "message"),
    [
        (
            wrong_type,
            r"node 'a' \(Add\): its recorded type is float32\[batch, 3\]; the type rule gives float32\[batch, 2\]",
        ),
        (wrong_operand_type, r"node 'w' \(State\): its recorded type is int32\[2\]; the type rule gives float32\[2\]"),
        (missing_attribute, r"node 'parts' \(Split\): its attributes are \['sizes'\]; complete .* \['sizes', 'axis'\]"),
        (
            unordered_attributes,
            r"node 'parts' \(Split\): its attributes are \['axis', 'sizes'\]; complete and in order",
        ),
        (unknown_attribute, r"node 'a' \(Add\): its attributes or operands are refused: Add has no attribute 'axis'"),
        (
            attribute_of_another_kind,
            r"node 'parts' \(Split\): attribute 'sizes' is \[1, 1\]; its canonical form is \(1, 1\)",
        ),
        (unknown_op, r"node 'a' \(Plus\): its attributes or operands are refused: There is no op 'Plus'"),
        (writeable_constant, r"node 'c' \(Constant\): the tensor in attribute 'value' can be written to"),
        (operands_behind_the_graph, r"operand 1 of node 'b' is a value of 'w', and there is no such edge"),
        (missing_operand, r"node 'b' \(Mul\): its attributes or operands are refused: Mul takes 2 to 2 operands"),
        (stranger_as_operand, r"node 'b' \(Mul\): operand 0, %w, is no value of this graph"),
        (stranger_as_output, r"output 'y' is %a, which is no value of this graph"),
        (stranger_as_update, r"update 'w' is %b, which is no value of this graph"),
        (name_behind_the_graph, r"node 'pieces' \(Split\): the graph does not know it by this name"),
        (outputs_of_another_node, r"node 'parts' \(Split\): its outputs do not name it as their producer"),
        (input_not_listed, r"node 'x' \(Input\) is not among the graph's inputs"),
        (input_listed_twice, r"an input is listed twice in \['x', 'x'\]"),
        (state_listed_as_input, r"node 'w' \(State\) is among the graph's inputs"),
        (state_with_two_nodes, r"state 'w' has two nodes, 'w' and 'again'"),
        (update_of_no_state, r"update 'v' is of a state that has no node"),
        (update_of_another_type, r"state 'w' is float32\[2\]; its update %a is float32\[batch, 2\]"),
        (cycle, r"has a cycle through a"),
        (removed_producer, r"node 'b' \(Mul\): operand 1, %c, is no value of this graph"),
    ],
)
def test_each_invariant(sabotage: Callable[[Graph], None], message: str) -> None:
    graph = parse_graph(TEXT, OPS)
    verify(graph, OPS)
    sabotage(graph)
    with pytest.raises(GraphError, match=r"^Graph 'g'.* " + message):
        verify(graph, OPS)


def test_the_layer_is_named() -> None:
    graph = Graph("g")
    build = Builder(graph, OPS)
    with build.origin(Origin("block/dense", "model.py", 3)):
        value = build.emit("Neg", build.input("x", VECTOR))
    value.producer.attributes = MappingProxyType({"what": 1})
    with pytest.raises(GraphError, match=r"node 'block/dense/Neg' \(Neg, layer 'block/dense' at model.py:3\): "):
        verify(graph, OPS)
