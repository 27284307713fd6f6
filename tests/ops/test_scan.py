"""What the table of cases cannot say of `Scan`: named dims, gradients of some operands, bodies as values, refusals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from op_cases.case import Array
from op_cases.onnx_runtime import run_onnx
from op_cases.scan import NESTED, RNN, SWAP, rnn

from graphc.autodiff import gradient
from graphc.errors import ArgumentError, GraphcError, GraphError, ParseError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.compare import attribute_key, graph_difference
from graphc.ir.graph import Graph, Value
from graphc.ir.inline import inline
from graphc.ir.parser import parse_graph
from graphc.ir.printer import print_graph
from graphc.ir.traversal import MAX_BODY_DEPTH, body_depth
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare

RANDOM = np.random.default_rng(7)


def numbers(*shape: int) -> Array:
    return np.asarray(RANDOM.uniform(-1.0, 1.0, shape))


def body_of(text: str, **replaced: str) -> Graph:
    """A body from its text, with some words replaced."""
    for old, new in replaced.items():
        text = re.sub(rf"\b{old}\b", new, text)
    return parse_graph(text, OPS)


def loop(types: Sequence[TensorType], body: Graph, states: int, scanned: int, **attributes: Any) -> tuple[Builder, Any]:
    """A graph of one Scan of inputs ``x0``, ``x1`` ..."""
    builder = Builder(Graph("g"), OPS)
    values = [builder.input(f"x{i}", type_) for i, type_ in enumerate(types)]
    node = builder.emit_node("Scan", values, body=body, num_states=states, num_scanned=scanned, **attributes)
    builder.graph.outputs = {f"y{i}": v for i, v in enumerate(node.outputs)}
    return builder, node


# -- named dims -------------------------------------------------------------------------------------------------------


def named(text: str) -> str:
    """A body whose every length but 1 has the name ``n`` and the number."""
    return re.sub(r"(?<=[\[ ])([2-9])(?=[,\]])", r"n\1", text)


def with_gradients(text: str, shapes: Sequence[tuple[Any, ...]], states: int, scanned: int, reverse: bool) -> Graph:
    """The loop, its gradients by every operand, and the gradients of those."""
    builder, node = loop(
        [TensorType.of("float64", s) for s in shapes], parse_graph(text, OPS), states, scanned, reverse=reverse
    )
    graph, wrt, results = builder.graph, list(builder.graph.inputs), list(node.outputs)
    for order in (1, 2):
        seeds = [builder.input(f"seed{order}_{i}", v.type) for i, v in enumerate(results)]
        found = [g for g in gradient(builder, results, wrt, seeds) if g is not None]
        graph.outputs.update((f"g{order}_{i}", g) for i, g in enumerate(found))
        results, wrt = found, [*wrt, *seeds]
    verify(graph, OPS)
    return graph


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize(
    ("text", "shapes", "states"),
    [
        pytest.param(RNN, [(2, 4), (5, 2, 3), (3, 4), (4, 4)], 1, id="rnn"),
        pytest.param(NESTED, [(2,), (5, 3, 2), (2,)], 1, id="nested"),
    ],
)
def test_named_lengths_change_nothing(text: str, shapes: list[tuple[int, ...]], states: int, reverse: bool) -> None:
    static = with_gradients(text, shapes, states, 1, reverse)
    feeds = {v.name: numbers(*map(int, v.type.shape)) for v in static.inputs}
    wanted = prepare(static).run(feeds)
    names = [tuple(f"n{n}" for n in shape) for shape in shapes]
    graph = with_gradients(named(text), names, states, 1, reverse)
    found = prepare(graph).run(feeds)
    assert len(wanted) > 10
    assert list(found) == list(wanted)
    for key, array in wanted.items():
        np.testing.assert_allclose(found[key], array, rtol=1e-12, atol=1e-12, err_msg=key)
    for key, other in zip(graph.outputs, run_onnx(graph, feeds), strict=True):
        np.testing.assert_allclose(np.asarray(other), wanted[key], rtol=1e-10, atol=1e-10, err_msg=key)


@pytest.mark.parametrize(("time", "batch"), [(1, 2), (4, 3)])
def test_float32_at_several_lengths(time: int, batch: int) -> None:
    body = body_of(RNN.replace("[2, ", "[batch, "), float64="float32")
    types = [TensorType.of("float32", s) for s in (("batch", 4), ("time", "batch", 3), (3, 4), (4, 4))]
    builder, _ = loop(types, body, 1, 1)
    shapes = (batch, 4), (time, batch, 3), (3, 4), (4, 4)
    feeds = {f"x{i}": numbers(*s).astype(np.float32) for i, s in enumerate(shapes)}
    h, x, w, u = feeds.values()
    steps = []
    for t in range(time):
        (h,), _ = rnn(h, x[t], w, u)
        steps.append(h)
    for found in (list(prepare(builder.graph).run(feeds).values()), run_onnx(builder.graph, feeds)):
        np.testing.assert_allclose(np.asarray(found[0]), h, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.asarray(found[1]), np.stack(steps), rtol=1e-5, atol=1e-6)


def test_two_named_lengths_must_agree_when_data_come() -> None:
    text = """graph sum {
      %x: float64[] = Input()
      %y: float64[] = Input()
      %s: float64[] = Add(%x, %y)
      output sum = %s
    }"""
    builder, node = loop([TensorType.of("float64", (n,)) for n in ("m", "n")], parse_graph(text, OPS), 0, 2)
    assert node.outputs[0].type == TensorType.of("float64", ("m",))
    executable = prepare(builder.graph)
    assert executable.run({"x0": np.ones(3), "x1": np.ones(3)})["y0"].tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(ShapeError, match=r"one length along their first axis; got 3, 4"):
        executable.run({"x0": np.ones(3), "x1": np.ones(4)})


# -- gradients --------------------------------------------------------------------------------------------------------


def test_only_wanted_gradients_are_carried() -> None:
    types = [TensorType.of("float64", s) for s in ((2, 4), (5, 2, 3), (3, 4), (4, 4))]
    builder, node = loop(types, parse_graph(RNN, OPS), 1, 1)
    _, x, _, u = builder.graph.inputs
    assert gradient(builder, node.outputs[1], [u])[0] is not None
    (back,) = [n for n in builder.graph.nodes_of("Scan") if n is not node]
    assert back.attributes["num_states"] == 2, "the gradient of the state and the sum for u"
    assert len(back.attributes["body"].outputs) == 2
    products = [n.op for n in back.attributes["body"].nodes() if n.op in ("MatMul", "Gemm")]
    assert len(products) == 4, "two of the step, one for the state and one for u; none for x and w"
    gradient(builder, node.outputs[1], [x])
    by_x = builder.graph.nodes_of("Scan")[-1]
    assert by_x.attributes["num_states"] == 1
    assert by_x.outputs[1].type == x.type


def test_an_operand_may_be_several_operands() -> None:
    text = """graph products {
      %h: float64[3] = Input()
      %a: float64[3] = Input()
      %b: float64[3] = Input()
      %c: float64[3] = Input()
      %ab: float64[3] = Mul(%a, %b)
      %abc: float64[3] = Mul(%ab, %c)
      %new: float64[3] = Add(%h, %abc)
      output state = %new
    }"""
    builder = Builder(Graph("g"), OPS)
    x, c = builder.input("x", TensorType.of("float64", (4, 3))), builder.input("c", TensorType.of("float64", (3,)))
    node = builder.emit_node("Scan", [c, x, x, c], body=parse_graph(text, OPS), num_states=1, num_scanned=2)
    by_x, by_c = gradient(builder, node.outputs[0], [x, c])
    assert by_x is not None
    assert by_c is not None
    builder.graph.outputs = {"x": by_x, "c": by_c}
    feeds = {"x": numbers(4, 3), "c": numbers(3)}
    found = prepare(builder.graph).run(feeds)
    np.testing.assert_allclose(found["x"], 2 * feeds["x"] * feeds["c"], rtol=1e-12)
    np.testing.assert_allclose(found["c"], 1 + (feeds["x"] ** 2).sum(0), rtol=1e-12)


def test_what_is_not_wanted_need_not_be_differentiable() -> None:
    text = """graph bits {
      %h: float64[2] = Input()
      %x: float64[2] = Input()
      %key: uint32[2] = Input()
      %u: float64[2] = RandomUniform(%key) {shape = (2,), index = 0, dtype = float64}
      %hx: float64[2] = Mul(%h, %x)
      %new: float64[2] = Add(%hx, %u)
      output state = %new
    }""".replace("dtype = float64", 'dtype = "float64"')
    types = [TensorType.of("float64", (2,)), TensorType.of("float64", (3, 2)), TensorType.of("uint32", (2,))]
    builder, node = loop(types, parse_graph(text, OPS), 1, 1)
    by_h, by_x = gradient(builder, node.outputs[0], builder.graph.inputs[:2])
    assert by_h is not None
    assert by_x is not None


def test_integers_and_untouched_operands_have_no_gradient() -> None:
    builder, node = loop(
        [TensorType.of("float64", s) for s in ((3,), (3,))]
        + [TensorType.of("int32", ())]
        + [TensorType.of("float64", s) for s in ((4, 3), (4,), (3,), (2,))],
        parse_graph(SWAP, OPS),
        3,
        2,
    )
    unused = builder.graph.inputs[-1]
    assert gradient(builder, node.outputs[0], [unused]) == [None]


# -- bodies are values ------------------------------------------------------------------------------------------------


def test_bodies_are_equal_by_structure() -> None:
    renamed = body_of(RNN, h="state", x="slice", new="result", xw="product")
    assert attribute_key(parse_graph(RNN, OPS)) == attribute_key(renamed)
    assert attribute_key(parse_graph(RNN, OPS)) != attribute_key(body_of(RNN, Tanh="Sin"))
    swapped = parse_graph(RNN.replace("Add(%xw, %hu)", "Add(%hu, %xw)"), OPS)
    assert attribute_key(parse_graph(RNN, OPS)) != attribute_key(swapped)


def test_a_difference_inside_a_body_is_found() -> None:
    types = [TensorType.of("float64", s) for s in ((2, 4), (5, 2, 3), (3, 4), (4, 4))]
    first, _ = loop(types, parse_graph(RNN, OPS), 1, 1)
    second, _ = loop(types, body_of(RNN, Tanh="Sin"), 1, 1)
    assert graph_difference(first.graph, second.graph) == "node 'Scan': attribute 'body': node 'new': op Tanh and Sin"


def test_verify_looks_into_bodies() -> None:
    types = [TensorType.of("float64", s) for s in ((2, 4), (5, 2, 3), (3, 4), (4, 4))]
    builder, _ = loop(types, parse_graph(RNN, OPS), 1, 1)
    body = builder.graph.nodes_of("Scan")[0].attributes["body"]
    body.node("xw").outputs[0].type = TensorType.of("float32", (2, 4))
    with pytest.raises(
        GraphError, match=r"node 'Scan' .*attribute 'body': Graph 'rnn', node 'xw'.*the type rule gives"
    ):
        verify(builder.graph, OPS)


def test_a_clone_shares_bodies_and_an_edited_copy_leaves_them() -> None:
    types = [TensorType.of("float64", s) for s in ((2, 4), (5, 2, 3), (3, 4), (4, 4))]
    builder, node = loop(types, parse_graph(RNN, OPS), 1, 1)
    text = print_graph(builder.graph, OPS)
    copy, _ = builder.graph.clone()
    gradient(Builder(copy, OPS), list(copy.outputs.values()), copy.inputs)
    assert copy.node("Scan").attributes["body"] is node.attributes["body"]
    assert print_graph(builder.graph, OPS) == text


def test_inline_checks_what_it_is_given() -> None:
    body, builder = parse_graph(RNN, OPS), Builder(Graph("g"), OPS)
    shapes = ((2, 4), (2, 3), (3, 4), (4, 5))
    values = [builder.input(f"x{i}", TensorType.of("float64", s)) for i, s in enumerate(shapes)]
    with pytest.raises(GraphError, match="4 inputs; got 3"):
        inline(builder.graph, body, values[:3])
    with pytest.raises(GraphError, match=r"Input %u of graph 'rnn' is float64\[4, 4\]; got %x3: float64\[4, 5\]"):
        inline(builder.graph, body, values)
    with_state = parse_graph('graph s {\n %w: float64[2] = State() {state = "w"}\n output w = %w\n}', OPS)
    with pytest.raises(GraphError, match="has the state 'w'"):
        inline(builder.graph, with_state, [])


# -- text -------------------------------------------------------------------------------------------------------------


def nested_text(depth: int) -> str:
    """A graph with loops inside each other."""
    if not depth:
        return "graph b {\n%x: float64[] = Input()\noutput y = %x\n}"
    rank = ", ".join(["2"] * depth)
    body = nested_text(depth - 1)
    return (
        f"graph b {{\n%x: float64[{rank}] = Input()\n%s: float64[{rank}] = Scan(%x) {{body = {body}, num_states = 0, "
        "num_scanned = 1}\noutput y = %s\n}"
    )


def test_bodies_may_be_nested_to_a_limit() -> None:
    graph = parse_graph(nested_text(MAX_BODY_DEPTH), OPS)
    assert body_depth(graph) == MAX_BODY_DEPTH
    verify(graph, OPS)
    assert graph_difference(graph, parse_graph(print_graph(graph), OPS)) is None
    with pytest.raises(ParseError, match=f"more than {MAX_BODY_DEPTH} deep"):
        parse_graph(nested_text(MAX_BODY_DEPTH + 1), OPS)
    builder = Builder(Graph("g"), OPS)
    x = builder.input("x", TensorType.of("float64", (2,) * (MAX_BODY_DEPTH + 1)))
    with pytest.raises(ArgumentError, match="deep"):
        builder.emit("Scan", x, body=graph, num_states=0, num_scanned=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("graph a {\n%y: float64[2] = Scan() {body = " * 5000, "deep"),
        ("graph a {\n%y: float64[2] = Scan() {body = graph b {", "expected a node"),
        ("graph a {\n%y: float64[2] = Scan() {body = graph b {}, num_states = 0, num_scanned = 0}\n}", "takes 1 to"),
        ("graph a {\n%y: float64[2] = Scan() {body = 3, num_states = 0, num_scanned = 0}\n}", "kind graph"),
        ("graph a {\n%y: float64[2] = Scan() {body = graph, num_states = 0, num_scanned = 0}\n}", "kind graph"),
        ("graph a {\n%y: float64[2] = Scan() {body = graph b {}, body = graph b {}}\n}", "given twice"),
        (
            "graph a {\n%x: float64[2] = Input()\n%y: float64[2] = Scan(%x) {num_states = -1, num_scanned = 1, "
            "body = graph b {}}\n}",
            "too few",
        ),
        (
            "graph a {\n%x: float64[3] = Input()\n%y: float64[3] = Scan(%x) {body = graph b {\n%x: float64[] = Input()\n"
            '%w: float64[] = State() {state = "w"}\noutput y = %w\n}, num_states = 0, num_scanned = 1}\n}',
            "states of its own",
        ),
        (
            "graph a {\n%x: float64[3] = Input()\n%y: float64[3] = Scan(%x) {body = graph b {\n%x: float64[] = Input()\n"
            "%z: float64[3] = Neg(%y)\noutput y = %z\n}, num_states = 0, num_scanned = 1}\n}",
            "no value %y above",
        ),
    ],
)
def test_hostile_text_is_refused(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        parse_graph(text, OPS)


def test_a_dim_may_be_called_graph() -> None:
    text = (
        "graph graph {\n  %x: float32[graph, 2] = Input()\n  %n: int64[] = DimSize() {dim = graph - 2}\n"
        "  %m: int64[] = DimSize() {dim = graph}\n  output n = %n\n  output m = %m\n}\n"
    )
    assert print_graph(parse_graph(text, OPS), OPS) == text


# -- refusals ---------------------------------------------------------------------------------------------------------

F64 = "float64"
REFUSALS: list[tuple[list[tuple[str, tuple[Any, ...]]], dict[str, Any], type[GraphcError], str]] = [
    ([(F64, (2, 4)), (F64, (5, 2, 3)), (F64, (3, 4))], {}, ArgumentError, "4 inputs; got 3 operands"),
    (
        [(F64, (2, 4)), (F64, (5, 2, 3)), (F64, (3, 4)), (F64, (4, 4))],
        {"num_states": 3, "num_scanned": 1},
        ArgumentError,
        "too few",
    ),
    (
        [(F64, (2, 4)), (F64, (5, 2, 3)), (F64, (3, 4)), (F64, (4, 4))],
        {"num_states": 1, "num_scanned": 0},
        ArgumentError,
        "a tensor to scan over",
    ),
    ([(F64, (2, 4)), (F64, ()), (F64, (3, 4)), (F64, (4, 4))], {}, ShapeError, "got the scalar"),
    (
        [(F64, (2, 4)), (F64, (5, 2, 7)), (F64, (3, 4)), (F64, (4, 4))],
        {},
        ShapeError,
        r"input %x of the body is float64\[2, 3\]; its operand is float64\[5, 2, 7\], a step of which is float64\[2, 7\]",
    ),
    (
        [(F64, (2, 4)), (F64, (5, 2, 3)), ("float32", (3, 4)), (F64, (4, 4))],
        {},
        ShapeError,
        r"input %w .* its operand is float32\[3, 4\]",
    ),
]


@pytest.mark.parametrize(("types", "attributes", "error", "words"), REFUSALS)
def test_wrong_operands_are_refused(
    types: list[tuple[str, tuple[Any, ...]]], attributes: dict[str, Any], error: type[GraphcError], words: str
) -> None:
    builder = Builder(Graph("g"), OPS)
    values: list[Value] = [builder.input(f"x{i}", TensorType.of(*t)) for i, t in enumerate(types)]
    given = {"num_states": 1, "num_scanned": 1, **attributes}
    with pytest.raises(error, match=words):
        builder.emit_node("Scan", values, body=parse_graph(RNN, OPS), **given)


def test_a_state_keeps_its_type() -> None:
    text = RNN.replace("output state = %new", "output state = %x").replace("output result = %new\n", "")
    types = [TensorType.of(F64, s) for s in ((2, 4), (5, 2, 3), (3, 4), (4, 4))]
    with pytest.raises(ShapeError, match=r"a state of type float64\[2, 4\] becomes %x of type float64\[2, 3\]"):
        loop(types, parse_graph(text, OPS), 1, 1)


def test_lengths_that_differ_are_refused() -> None:
    text = "graph b {\n%x: float64[] = Input()\n%y: float64[] = Input()\noutput s = %x\n}"
    with pytest.raises(ShapeError, match=r"one length; got .* with the first axes 3, 4"):
        loop([TensorType.of(F64, (3,)), TensorType.of(F64, (4,))], parse_graph(text, OPS), 0, 2)


def test_a_body_is_a_graph() -> None:
    with pytest.raises(ArgumentError, match="'body' must be of kind graph"):
        OPS.attributes("Scan", {"body": "graph", "num_states": 0, "num_scanned": 1})
