"""Text from anywhere: each fault is a `ParseError` that names its place, and none costs time or memory."""

from __future__ import annotations

import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.errors import ParseError
from graphc.ir.parser import parse_graph
from graphc.ir.printer import print_graph
from graphc.ops.registry import OPS

GOOD = """graph g {
  %x: float32[batch, 4] = Input()
  %w: float32[4] = State() {state = "w"}
  %c: float32[2, 2] = Constant() {value = [[1.0, 2.0], [3.0, 4.0]]}
  %b: uint8[40] = Constant() {value = base64"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJw=="}
  %y: float32[batch, 4] = Add(%x, %w)
  %z: float32[4, batch] = Transpose(%y) {perm = (1, 0)}
  output y = %y
  update w = %w
}
"""


def node(text: str) -> str:
    """A graph with one line."""
    return f"graph g {{\n{text}\n}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: expected 'graph' at the start; found the end of the text."),
        ("grape g {}", "line 1, column 1: expected 'graph' at the start; found 'grape g {}'."),
        ("graphs g {}", "line 1, column 1: expected 'graph'"),
        ("graph {}", "line 1, column 7: expected the graph's name; found '{}'."),
        ("graph g", "line 1, column 8: expected '{' after the graph's name; found the end of the text."),
        ("graph g {\n", "line 2, column 1: expected a node ('%name: ...'), 'output', 'update' or '}'; found the end"),
        ("graph g {}\nmore", "line 2, column 1: expected nothing more after the graph's '}'; found 'more'."),
        (node("hello"), "line 2, column 1: expected a node ('%name: ...'), 'output', 'update' or '}'; found 'hello'."),
        (node("outputs y = %x"), "line 2, column 1: expected a node"),
        (node("output y %x"), "line 2, column 10: expected '=' after the name of the output; found '%x'."),
        (node("output y = %x"), "line 2, column 12: there is no value %x above this line."),
        (node("%x float32[]"), "line 2, column 4: expected ':' and a type after %x; found 'float32[]'."),
        (node("%x: float31[]"), "line 2, column 5: there is no dtype 'float31'. Did you mean \"float32\"?"),
        (node("%x: float32"), "line 2, column 12: expected '[' and the shape after float32; found the end of the line."),
        (node("%x: float32[2"), "line 2, column 13: expected a value of at most 2000 characters and ',' or ']' behind"),
        (node("%x: float32[2,]"), "expected a value of at most 2000 characters and ',' or ']' behind it; found ']'."),
        (node("%x: float32[-2]"), "line 2, column 5: A dimension must not be negative; got -2."),
        (node("%x: float32[1.5]"), "line 2, column 13: '1.5' is not a dimension"),
        (node("%x: float32[__import__('os')]"), "is not a dimension"),
        (node("%x: float32[2, if]"), "line 2, column 16: 'if' is not a dimension"),
        (node("%x: float32[99999999999999999999]"), "line 2, column 13: an integer does not fit 64 bits."),
        (node("%x: float32[" + "1, " * 40 + "1]"), "line 2, column 5: A tensor has at most 32 dimensions; got 41."),
        (node("%x: float32[a" + " + a" * 600 + "]"), "expected a value of at most 2000 characters"),
        (node("%x: float32[" + "(" * 900 + "a" + ")" * 900 + "]"), "is not a dimension"),
        (node("%x: float32[] = "), "line 3, column 1: expected the name of an op; found '}'."),
        (node("%x: float32[] = Inputs()"), "line 2, column 17: node %x: There is no op 'Inputs'."),
        (node("%x: float32[] = Input("), "line 3, column 1: expected '%' and the name of a value; found '}'."),
        (node("%x: float32[] = Neg(%x)"), "line 2, column 21: there is no value %x above this line."),
        (node("%x: float32[] = Neg(_)"), "line 2, column 17: node %x: Neg needs its operand 'x'."),
        (node("%x: float32[] = Neg()"), "node %x: Neg takes 1 to 1 operands"),
        (node("%x: float32[] = Input() {shape = ()}"), "attribute 'shape' of Input is given twice, or said by the type"),
        (node('%x: float32[] = State() {state = "a", state = "b"}'), "column 39: attribute 'state' of State is given"),
        (node("%x: float32[] = State() {}"), "node %x: State needs attribute 'state'."),
        (node("%x: float32[] = State() {state = 3}"), "node %x: State: attribute 'state' must be of kind str; got 3."),
        (node("%x: float32[] = State() {state}"), "column 31: expected '=' and a value after attribute 'state'"),
        (node('%x: float32[] = State() {state = "a}'), "expected '\"' behind a string; found the end of the line."),
        (node('%x: float32[] = State() {state = "\\q"}'), 'expected one of \\" \\\\ \\n'),
        (node('%x: float32[] = State() {state = "\\Uffffffff"}'), "there is no character \\Uffffffff."),
        (node("%x: float32[] = Input() {what = 1}"), "node %x: Input has no attribute 'what'"),
        (node("%x: float32[] = Input()\n%x: float32[] = Input()"), "line 3, column 2: there are two nodes named 'x'."),
        (node('%"a:b": float32[] = Input()'), "line 2, column 2: 'a:b' cannot name a node"),
        (node('%"": float32[] = Input()'), "line 2, column 2: a node's name must not be empty."),
        (node("%" + "x" * 1001 + ": float32[] = Input()"), "column 2: a node's name has more than 1000 characters."),
        (node('%"' + "é" * 1001 + '": float32[] = Input()'), "a string or name has more than 1000 characters."),
        (node('%s: float32[] = State() {state = "a"} %t: float32[] = State() {state = "a"}'), "state 'a' has two nodes"),
        (GOOD.replace("update w", "update v"), "line 9, column 10: there is no state 'v' to update. Known: w."),
        (GOOD.replace("update w = %w", "update w = %x"), "state 'w' is float32[4]; it cannot become %x: float32[batch, 4]."),
        (GOOD.replace("update w", "output y"), "line 9, column 10: there are two outputs named 'y'."),
        (GOOD.replace("%y: float32[batch, 4]", "%y: float32[4]"),
         "line 6, column 7: node %y: the type rule of Add gives float32[batch, 4]; the text says float32[4]."),
        (GOOD.replace("perm = (1, 0)", "perm = (1, 0"), "expected a value of at most 2000 characters and ',' or ')'"),
        (GOOD.replace("perm = (1, 0)", "perm = (1, 1)"), "node %z: Transpose"),
        (GOOD.replace("perm = (1, 0)", 'perm = "10"'), "node %z: Transpose: attribute 'perm' must be of kind ints"),
        (GOOD.replace("perm = (1, 0)", "perm = (1"), "expected"),
        (GOOD.replace("perm = (1, 0)", "perm = [1, 0]"), "expected a value"),
        (GOOD.replace("perm = (1, 0)", "perm = "), "expected a value"),
        (GOOD.replace("Add(%x, %w)", "Add(%x:1, %w)"), "node %x has 1 outputs; there is no %x:1."),
        (GOOD.replace("Add(%x, %w)", "Add(%x %w)"), "expected ',' or ')'; found '%w)'."),
        (GOOD.replace("Add(%x, %w)", "Add(%x, %c)"), "line 6, column 27: node %y: Add: Shapes"),
        (GOOD.replace(", 4.0]]", "]]"), "axis 1 of float32[2, 2] has 2 elements; here are 1."),
        (GOOD.replace("[[1.0, 2.0], [3.0, 4.0]]", "[[1.0, 2.0]]"), "axis 0 of float32[2, 2] has 2 elements; here are 1."),
        (GOOD.replace("[[1.0, 2.0], [3.0, 4.0]]", "[1.0, 2.0]"), "expected elements of float32[2, 2] in nested brackets"),
        (GOOD.replace("[[1.0, 2.0], [3.0, 4.0]]", "[[[1.0"), "expected elements of float32[2, 2] in nested brackets"),
        (GOOD.replace("[[1.0, 2.0], [3.0, 4.0]]", "[[1.0, 2.0,], [3.0, 4.0]]"), "expected elements of"),
        (GOOD.replace("[[1.0, 2.0], [3.0, 4.0]]", "[]"), "axis 0 of float32[2, 2] has 2 elements; here are 0."),
        (GOOD.replace("[[1.0, 2.0]", "[[1e39, 2.0]"), "line 4, column 45: 1e39 does not fit float32."),
        (GOOD.replace("[[1.0, 2.0]", "[[true, 2.0]"), "'true' is not an element of a float32 tensor."),
        (GOOD.replace("[[1.0, 2.0]", "[[0x10, 2.0]"), "'0x10' is not an element of a float32 tensor."),
        (GOOD.replace("[[1.0, 2.0]", "[[1_0.0, 2.0]"), "'1_0.0' is not an element of a float32 tensor."),
        (GOOD.replace("[[1.0, 2.0]", "[[" + "1" * 3000 + ", 2.0]"), "a number has more than 2000 characters."),
        (GOOD.replace("JCUmJw==", ""), "uint8[40] is 56 characters of base64; here are"),
        (GOOD.replace("uint8[40]", "uint8[9999999999999]"), "uint8[9999999999999] is 13333333333332 characters of base64"),
        (GOOD.replace("uint8[40]", "uint8[n]"), "the shape of a tensor must be integers; got uint8[n]."),
        (GOOD.replace("uint8[40]", "uint8[41]"), "uint8[41] takes 41 bytes; here are 40."),
        (GOOD.replace("uint8[40]", "bool[40]"), "the bytes of a bool tensor are 0 and 1."),
        (GOOD.replace('AAECAwQF', 'AAECAw=='), "expected base64 characters"),
        (node("%c: uint8[] = Constant() {value = 256}"), "256 does not fit uint8, which holds 0 to 255."),
        (node("%c: int8[] = Constant() {value = 1.0}"), "'1.0' is not an element of a int8 tensor."),
        (node("%c: int8[] = Constant() {value = }"), "expected elements of int8[]"),
        (node("%c: (int8[], int8[]) = Constant() {value = 1}"), "a Constant has one result; the text says 2."),
        (node("%c: () = Constant() {value = 1}"), "a Constant has one result; the text says 0."),
        (node("%c: () = Input()"), "node %c: Input needs attribute 'dtype'."),
        (node("%c: int64[] = DimSize() {dim = (a - 1}"), "expected a value"),
        (node("%c: int64[] = DimSize() {dim = a // 0}"), "A dimension is divided by zero"),
        (node("%c: int64[] = DimSize() {dim = (a, b)}"), "DimSize: attribute 'dim' must be of kind dim; got"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_graph(text, OPS)
    assert re.match(r"line \d+, column \d+: ", str(caught.value))
    assert message in str(caught.value)


def test_the_good_text_is_good() -> None:
    assert print_graph(parse_graph(GOOD, OPS), OPS) == GOOD


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 12), st.text(max_size=6))
def test_mutations_never_break_the_parser(position: int, removed: int, inserted: str) -> None:
    text = GOOD[:position] + inserted + GOOD[position + removed :]
    try:
        graph = parse_graph(text, OPS)
    except ParseError:
        return
    assert print_graph(parse_graph(print_graph(graph, OPS), OPS), OPS) == print_graph(graph, OPS)


@given(st.text(st.sampled_from('graph{}%xy:=()[],_"\\/.0-1e \n'), max_size=80))
def test_soup_never_breaks_the_parser(soup: str) -> None:
    with pytest.raises(ParseError):
        parse_graph("graph g {" + soup + "!", OPS)


@pytest.mark.parametrize(
    "text",
    [
        node("%c: float32[2] = Constant() {value = " + "[" * 1_000_000),
        node("%c: float32[" + "[" * 1_000_000),
        node("%c: float32[" + "(" * 1_000_000),
        node("%c: float32[] = Op(" + "_, " * 300_000),
        node("%c: (" + "float32[], " * 100_000),
        node("%c: int64[] = DimSize() {dim = " + "-" * 1_900 + "a}"),
        node("%c: int64[] = DimSize() {dim = " + "*".join(f"(a{i} + b{i})" for i in range(120)) + "}"),
        node("%c: int64[] = DimSize() {dim = " + "max(" * 300 + "a" + ", b)" * 300 + "}"),
        node('%c: float32[] = State() {state = "' + "\\n" * 1_000_000),
        node('%c: uint8[9] = Constant() {value = base64"' + "A" * 1_000_000),
        node("%c: float32[100000, 100000] = Constant() {value = [[1.0, 2.0]]}"),
        " " * 2_000_000,
        "//" * 1_000_000,
    ],
    ids=range(13),
)
def test_nothing_costs_memory_or_hangs(text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ParseError):
            parse_graph(text, OPS)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
