from __future__ import annotations

import numpy as np
import pytest

from graphc.ir.dtypes import DTYPES
from graphc.passes.base import run_passes
from graphc.passes.simplify import NEUTRAL, holds, simplify

from .harness import OPTIONS, check, graph_of, text_of


@pytest.mark.parametrize(
    "line",
    [
        "%y: float32[n, 1, 6] = Identity(%x)",
        "%y: float32[n, 1, 6] = Reshape(%x) {shape = (-1, 1, 6)}",
        "%y: float32[n, 1, 6] = Reshape(%x) {shape = (n, 1, 6)}",
        "%y: float32[n, 1, 6] = Squeeze(%x) {axes = ()}",
        "%y: float32[n, 1, 6] = Unsqueeze(%x) {axes = ()}",
        "%y: float32[n, 1, 6] = Expand(%x) {shape = (1, 6)}",
        "%y: float32[n, 1, 6] = ExpandLike(%x, %x)",
        '%y: float32[n, 1, 6] = Cast(%x) {to = "float32"}',
        "%y: float32[n, 1, 6] = Transpose(%x) {perm = (0, 1, 2)}",
        "%y: float32[n, 1, 6] = Transpose(%x) {perm = (0, -2, -1)}",
        "%y: float32[n, 1, 6] = Slice(%x) {starts = (0, -9), ends = (9223372036854775807, 7), axes = (0, 2)}",
        "%y: float32[n, 1, 6] = Slice(%x) {starts = (), ends = ()}",
        "%y: float32[n, 1, 6] = Pad(%x) {pads = (0, 0, 0, 0, 0, 0)}",
        "%y: float32[n, 1, 6] = Tile(%x) {repeats = (1, 1, 1)}",
        "%y: float32[n, 1, 6] = Concat(%x) {axis = 1}",
        "%y: float32[n, 1, 6] = Split(%x) {sizes = (6,), axis = 2}",
        "%y: float32[n, 1, 6] = StopGradient(%x)",
        "%y: float32[n, 1, 6] = Sub(%x, %zero)",
        "%y: float32[n, 1, 6] = Add(%x, %minus_zero)",
        "%y: float32[n, 1, 6] = Add(%minus_zero, %x)",
        "%y: float32[n, 1, 6] = Mul(%x, %one)",
        "%y: float32[n, 1, 6] = Mul(%ones, %x)",
        "%y: float32[n, 1, 6] = Div(%x, %one)",
        "%y: float32[n, 1, 6] = Pow(%x, %one)",
        "%w: float32[n, 1, 6] = Expand(%one) {shape = (n, 1, 6)} %y: float32[n, 1, 6] = Mul(%w, %x)",
        "%t: float32[6, n, 1] = Transpose(%x) {perm = (2, 0, 1)} %y: float32[n, 1, 6] = Transpose(%t) {perm = (1, 2, 0)}",
        "%t: float32[n, 6] = Squeeze(%x) {axes = (1,)} %y: float32[n, 1, 6] = Unsqueeze(%t) {axes = (1,)}",
        "%t: float32[n, 2, 3] = Reshape(%x) {shape = (-1, 2, 3)} %y: float32[n, 1, 6] = Reshape(%t) {shape = (-1, 1, 6)}",
        '%t: float64[n, 1, 6] = Cast(%x) {to = "float64"} %y: float32[n, 1, 6] = Cast(%t) {to = "float32"}',
        "%t: float32[n, 1, 6] = Neg(%x) %y: float32[n, 1, 6] = Neg(%t)",
    ],
)
def test_what_does_nothing_goes(line: str) -> None:
    check(
        simplify,
        f"""
        %x: float32[n, 1, 6] = Input()
        %zero: float32[] = Constant() {{value = 0.0}}
        %minus_zero: float32[6] = Constant() {{value = [-0.0, -0.0, -0.0, -0.0, -0.0, -0.0]}}
        %one: float32[] = Constant() {{value = 1.0}}
        %ones: float32[1, 6] = Constant() {{value = [[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]}}
        {line}
        output y = %y
        output constants = %zero
        output constants_1 = %minus_zero
        output constants_2 = %one
        output constants_3 = %ones
        """,
        """
        %x: float32[n, 1, 6] = Input()
        %zero: float32[] = Constant() {value = 0.0}
        %minus_zero: float32[6] = Constant() {value = [-0.0, -0.0, -0.0, -0.0, -0.0, -0.0]}
        %one: float32[] = Constant() {value = 1.0}
        %ones: float32[1, 6] = Constant() {value = [[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]}
        output y = %x
        output constants = %zero
        output constants_1 = %minus_zero
        output constants_2 = %one
        output constants_3 = %ones
        """,
        special=True,
    )


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("%y: float32[n, 2] = Add(%x, %zero)", "neutral: left %y as it is: x + 0.0 turns an x of -0.0 into 0.0"),
        ("%y: float32[n, 2] = Sub(%x, %minus)", "neutral: left %y as it is: x - -0.0 turns an x of -0.0 into 0.0"),
        ("%y: float32[n, 2] = Add(%x, %mixed)", ""),
        ("%y: float32[n, 2] = Mul(%x, %zero)", ""),
        ("%y: float32[n, 2] = Sub(%zero, %x)", ""),
        ("%y: float32[n, 2] = Div(%one, %x)", ""),
        ("%y: float32[n, 2] = Pow(%one, %x)", ""),
        ("%y: float32[n, 2] = Div(%x, %x)", ""),
        ("%y: float32[4, n, 2] = Mul(%x, %wide)", ""),
        ("%y: float32[n, 2] = Mul(%x, %nan)", ""),
        ("%y: float32[2, n] = Transpose(%x)", ""),
        ("%y: float32[n, 2] = Slice(%x) {starts = (-1,), ends = (-9,), axes = (1,), steps = (-1,)}", ""),
        ("%y: float32[n, 2] = Pad(%x) {pads = (0, 1, 0, -1)}", ""),
        ("%y: float32[n, 2] = CumSum(%x) {axis = 0}", ""),
        ("%y: float32[n, 4] = Concat(%x, %x) {axis = 1}", ""),
        ("%e: float32[n, 2] = Exp(%x) %y: float32[n, 2] = Exp(%e)", ""),
        ("%a: float32[n, 2] = LeakyRelu(%x) %y: float32[n, 2] = LeakyRelu(%a)", ""),
        ("%a: float32[n, 2] = Clip(%x, %zero) %y: float32[n, 2] = Clip(%a, %one)", ""),
        ("%a: float32[n, 2] = Neg(%x) %b: float32[n, 2] = Abs(%a) %y: float32[n, 2] = Neg(%b)", ""),
        ("%a: float32[n, 1, 2] = Unsqueeze(%x) {axes = (1,)} %y: float32[1, n, 1, 2] = Unsqueeze(%a) {axes = (0,)}", ""),
        ('%a: float16[n, 2] = Cast(%x) {to = "float16"} %y: float32[n, 2] = Cast(%a) {to = "float32"}',
         "casts: left %y as it is: float16 does not hold every float32"),
    ],
)  # fmt: skip
def test_what_does_something_stays(lines: str, reason: str) -> None:
    notes = check(
        simplify,
        f"""
        %x: float32[n, 2] = Input()
        %zero: float32[] = Constant() {{value = 0.0}}
        %minus: float32[] = Constant() {{value = -0.0}}
        %mixed: float32[2] = Constant() {{value = [-0.0, 0.0]}}
        %one: float32[] = Constant() {{value = 1.0}}
        %nan: float32[] = Constant() {{value = nan}}
        %wide: float32[4, 1, 1] = Constant() {{value = [[[1.0]], [[1.0]], [[1.0]], [[1.0]]]}}
        {lines}
        output y = %y
        """,
        None,
        special=True,
    )
    assert notes == ((reason,) if reason else ())


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
@pytest.mark.parametrize("op", NEUTRAL)
def test_neutral_numbers_of_integers_and_booleans(op: str, dtype: str) -> None:
    from graphc.errors import GraphcError

    slots, number = NEUTRAL[op]
    literal = ("true" if number else "false") if dtype == "bool" else str(int(number))
    attributes = ' {direction = "LEFT"}' if op == "BitShift" else ""
    for slot in slots:
        operands = ("%c, %x", "%x, %c")[slot]
        try:
            graph = graph_of(
                f"""
                %x: {dtype}[3] = Input()
                %c: {dtype}[] = Constant() {{value = {literal}}}
                %y: {dtype}[3] = {op}({operands}){attributes}
                output y = %y
                """
            )
        except GraphcError:
            continue  # the op has no such dtype
        result, (report,) = run_passes(graph, [simplify], OPTIONS)
        assert report.changed
        assert text_of(result) == text_of(graph_of(f"%x: {dtype}[3] = Input()\noutput y = %x"))


def test_an_op_that_still_takes_stop_gradients_when_training() -> None:
    text = "%x: float32[2] = Input() %y: float32[2] = StopGradient(%x) output y = %y"
    check(simplify, text, None, training=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "%a: float32[6, 1, n] = Transpose(%x) %y: float32[1, 6, n] = Transpose(%a) {perm = (1, 0, 2)}",
            "%y: float32[1, 6, n] = Transpose(%x) {perm = (1, 2, 0)}",
        ),
        (
            "%a: float32[n, 6] = Squeeze(%x) {axes = (1,)} %y: float32[n, 2, 3] = Reshape(%a) {shape = (n, 2, 3)}",
            "%y: float32[n, 2, 3] = Reshape(%x) {shape = (n, 2, 3)}",
        ),
        (
            "%a: float32[n, 2, 3] = Reshape(%x) {shape = (-1, 2, 3)} "
            "%b: float32[n, 6] = Reshape(%a) {shape = (-1, 6)} "
            "%y: float32[n, 1, 6] = Unsqueeze(%b) {axes = (1,)} %z: float32[n, 1, 6] = Neg(%y)",
            "%z: float32[n, 1, 6] = Neg(%x)",
        ),
        (
            "%a: float32[6*n] = Reshape(%x) {shape = (-1,)} %y: float32[1, 6*n] = Unsqueeze(%a) {axes = (0,)}",
            "%Reshape: float32[1, 6*n] = Reshape(%x) {shape = (1, -1)}",
        ),
        (
            '%a: float64[n, 1, 6] = Cast(%x) {to = "float64"} %y: int32[n, 1, 6] = Cast(%a) {to = "int32"}',
            None,
        ),
        (
            '%a: float64[n, 1, 6] = Cast(%x) {to = "float64"} %y: bool[n, 1, 6] = Cast(%a) {to = "bool"}',
            '%y: bool[n, 1, 6] = Cast(%x) {to = "bool"}',
        ),
        (
            "%a: float32[n, 4, 6] = Expand(%x) {shape = (4, 1)} %y: float32[5, n, 4, 6] = Expand(%a) {shape = (5, 1, 4, 6)}",
            "%y: float32[5, n, 4, 6] = Expand(%x) {shape = (5, n, 4, 6)}",
        ),
        (
            "%a: float32[n, 1, 4] = Slice(%x) {starts = (1,), ends = (5,), axes = (2,)} "
            "%y: float32[n, 1, 2] = Slice(%a) {starts = (-1,), ends = (-5,), axes = (-1,), steps = (-2,)}",
            "%y: float32[n, 1, 2] = Slice(%x) {starts = (4,), ends = (1,), axes = (2,), steps = (-2,)}",
        ),
        (
            "%a: float32[n, 1, 6] = Slice(%x) {starts = (9,), ends = (-9,), axes = (2,), steps = (-1,)} "
            "%y: float32[n, 1, 5] = Slice(%a) {starts = (1,), ends = (9,), axes = (2,)}",
            "%y: float32[n, 1, 5] = Slice(%x) "
            "{starts = (4,), ends = (-9223372036854775808,), axes = (2,), steps = (-1,)}",
        ),
        (
            "%a: float32[n, 1, 3] = Slice(%x) {starts = (0,), ends = (3,), axes = (2,)} "
            "%y: float32[min(2, n) - 1, 1, 3] = Slice(%a) {starts = (1,), ends = (2,), axes = (0,)}",
            "%y: float32[min(2, n) - 1, 1, 3] = Slice(%x) {starts = (1, 0), ends = (2, 3), axes = (0, 2), steps = (1, 1)}",
        ),
        (
            "%a: float32[n - 1, 1, 6] = Slice(%x) {starts = (1,), ends = (9223372036854775807,)} "
            "%y: float32[n - 2, 1, 6] = Slice(%a) {starts = (0,), ends = (-1,)}",
            "%y: float32[n - 2, 1, 6] = Slice(%x) {starts = (1,), ends = (-1,), axes = (0,), steps = (1,)}",
        ),
        (
            "%a: float32[n - 1, 1, 6] = Slice(%x) {starts = (0,), ends = (-1,)} "
            "%y: float32[n - 2, 1, 6] = Slice(%a) {starts = (0,), ends = (-1,)}",
            None,
        ),
        (
            "%a: float32[n, 1, 3] = Slice(%x) {starts = (0,), ends = (3,), axes = (2,)} "
            "%y: float32[n, 1, 0] = Slice(%a) {starts = (1,), ends = (1,), axes = (2,)}",
            None,
        ),
        ("%a: float32[n, 1, 6] = Relu(%x) %y: float32[n, 1, 6] = Relu(%a)", "%a: float32[n, 1, 6] = Relu(%x)"),
        (
            "%c: float32[] = Constant() {value = 1.0} %a: float32[n, 1, 6] = Clip(%x, %c) %y: float32[n, 1, 6] = Clip(%a, %c)",
            "%c: float32[] = Constant() {value = 1.0} %a: float32[n, 1, 6] = Clip(%x, %c)",
        ),
    ],
)
def test_two_in_a_row(before: str, after: str | None) -> None:
    def whole(lines: str) -> str:
        graph = graph_of(f"%x: float32[n, 1, 6] = Input() {lines}")
        last = graph.nodes()[-1].name
        return f"%x: float32[n, 1, 6] = Input() {lines} output y = %{last}"

    check(simplify, whole(before), None if after is None else whole(after))


def test_a_node_with_other_users_stays_beside_the_shorter_way() -> None:
    check(
        simplify,
        """
        %x: float32[2, 3] = Input()
        %a: float32[3, 2] = Transpose(%x)
        %b: float32[2, 3] = Transpose(%a)
        %y: float32[2, 3] = Neg(%b)
        output a = %a
        output y = %y
        """,
        """
        %x: float32[2, 3] = Input()
        %a: float32[3, 2] = Transpose(%x)
        %y: float32[2, 3] = Neg(%x)
        output a = %a
        output y = %y
        """,
    )


def test_outputs_keep_their_names_and_updates_their_states() -> None:
    check(
        simplify,
        """
        %x: float32[2] = Input()
        %w: float32[2] = State() {state = "w"}
        %one: float32[] = Constant() {value = 1.0}
        %same: float32[2] = Mul(%w, %one)
        %y: float32[2] = Identity(%x)
        output y = %y
        output again = %y
        update w = %same
        """,
        """
        %x: float32[2] = Input()
        %w: float32[2] = State() {state = "w"}
        output y = %x
        output again = %x
        update w = %w
        """,
    )


def test_origins_stay() -> None:
    from graphc.ir.builder import Builder
    from graphc.ir.graph import Graph, Origin
    from graphc.ir.types import TensorType
    from graphc.ops.registry import OPS

    graph = Graph("g")
    build = Builder(graph, OPS)
    x = build.input("x", TensorType.of("float32", (2, 3, 4)))
    with build.origin(Origin("first")):
        a = build.emit("Transpose", x)
    with build.origin(Origin("second", "model.py", 7)):
        graph.outputs["y"] = build.emit("Transpose", a, perm=(0, 2, 1))
    result, _ = run_passes(graph, [simplify], OPTIONS)
    (node,) = result.nodes_of("Transpose")
    assert node.name == "second/Transpose"
    assert node.origin == Origin("second", "model.py", 7)


@pytest.mark.parametrize("wide", DTYPES)
@pytest.mark.parametrize("narrow", DTYPES)
def test_holds_means_that_a_cast_and_back_is_exact(wide: str, narrow: str) -> None:
    kind = np.dtype(narrow)
    if kind.kind == "b":
        values = np.array([False, True])
    elif kind.kind == "f":
        info = np.finfo(kind)
        values = np.array([info.max, info.min, info.tiny, info.smallest_subnormal, 1 + info.eps, -0.0, np.inf], kind)
    else:
        bounds = np.iinfo(kind)
        values = np.array([bounds.min, bounds.max, bounds.max - 1, 0, 1], kind)
    with np.errstate(all="ignore"):
        converted = values.astype(wide)
        back = converted.astype(narrow)
    # A float beyond an integer's range becomes anything; the numbers themselves must be equal, too.
    exact = all(_number(a) == _number(b) for a, b in zip(values, converted, strict=True)) and (
        back.tobytes() == values.tobytes()
    )
    assert holds(wide, narrow) == exact


def _number(x: np.generic) -> object:
    value = x.item()
    return (
        value
        if isinstance(value, float) and np.isinf(value)
        else float(value)
        if isinstance(value, float)
        else int(value)
    )
