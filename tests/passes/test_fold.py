from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from graphc.errors import PassError
from graphc.passes.base import Options, run_passes
from graphc.passes.fold import fold

from .harness import check, graph_of


def test_chains_of_constants_become_one() -> None:
    notes = check(
        fold,
        """
        %x: float32[n, 2] = Input()
        %a: float32[2] = Constant() {value = [1.0, 2.0]}
        %b: float32[] = Constant() {value = 3.0}
        %c: float32[2] = Mul(%a, %b)
        %d: float32[2] = Neg(%c)
        %y: float32[n, 2] = Add(%x, %d)
        output y = %y
        """,
        """
        %x: float32[n, 2] = Input()
        %d: float32[2] = Constant() {value = [-3.0, -6.0]}
        %y: float32[n, 2] = Add(%x, %d)
        output y = %y
        """,
    )
    assert notes == ("folded %c (Mul)", "folded %d (Neg)")


def test_constants_with_other_users_stay() -> None:
    check(
        fold,
        """
        %x: float32[2] = Input()
        %a: float32[] = Constant() {value = 4.0}
        %root: float32[] = Sqrt(%a)
        %y: float32[2] = Mul(%x, %a)
        output y = %y
        output root = %root
        """,
        """
        %x: float32[2] = Input()
        %a: float32[] = Constant() {value = 4.0}
        %root: float32[] = Constant() {value = 2.0}
        %y: float32[2] = Mul(%x, %a)
        output y = %y
        output root = %root
        """,
    )


def test_every_output_of_a_node() -> None:
    check(
        fold,
        """
        %a: int32[3] = Constant() {value = [1, 2, 3]}
        %parts: (int32[1], int32[2]) = Split(%a) {sizes = (1, 2)}
        output one = %parts
        output two = %parts:1
        """,
        """
        %parts: int32[1] = Constant() {value = [1]}
        %parts_1: int32[2] = Constant() {value = [2, 3]}
        output one = %parts
        output two = %parts_1
        """,
    )


def test_known_lengths_are_numbers() -> None:
    check(
        fold,
        """
        %x: float32[n] = Input()
        %known: float32[] = DimSize() {dim = 12, dtype = "float32"}
        %named: float32[] = DimSize() {dim = 2*n, dtype = "float32"}
        %count: int64[3] = Iota() {dim = 3}
        %both: float32[] = Add(%known, %named)
        output both = %both
        output count = %count
        """,
        """
        %x: float32[n] = Input()
        %known: float32[] = Constant() {value = 12.0}
        %named: float32[] = DimSize() {dim = 2*n, dtype = "float32"}
        %count: int64[3] = Constant() {value = [0, 1, 2]}
        %both: float32[] = Add(%known, %named)
        output both = %both
        output count = %count
        """,
    )


def test_what_depends_on_data_stays() -> None:
    check(
        fold,
        """
        %x: float32[n] = Input()
        %w: float32[2] = State() {state = "w"}
        %c: float32[1] = Constant() {value = [1.0]}
        %a: float32[2] = Mul(%w, %c)
        %wide: float32[n] = Expand(%c) {shape = (n,)}
        %y: float32[n] = Add(%x, %wide)
        output a = %a
        output y = %y
        """,
        None,
    )


def test_random_numbers_stay_random() -> None:
    check(
        fold,
        """
        %key: uint32[2] = Constant() {value = [1, 2]}
        %r: float32[4] = RandomUniform(%key) {shape = (4,), index = 0}
        output r = %r
        """,
        None,
    )


def test_the_budget_bounds_what_grows() -> None:
    text = """
        %a: float32[8, 1] = Constant() {value = [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]}
        %b: float32[1, 16] = Constant() {value = [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0,
                                                  13.0, 14.0, 15.0, 16.0]]}
        %y: float32[8, 16] = Mul(%a, %b)
        %s: float32[] = ReduceSum(%b) {keepdims = false}
        output y = %y
        output s = %s
        """
    notes = check(
        fold, text, text.replace("ReduceSum(%b) {keepdims = false}", "Constant() {value = 136.0}"), fold_budget=511
    )
    assert notes == (
        "folded %s (ReduceSum)",
        "left %y (Mul) as it is: its result would take 512 bytes; at most 511 are allowed",
    )
    graph = graph_of(text)
    _, (report,) = run_passes(graph, [fold], Options(evaluate=_evaluate, fold_budget=512))
    assert report.notes == ("folded %y (Mul)", "folded %s (ReduceSum)")


def test_repeating_elements_is_left_to_views() -> None:
    notes = check(
        fold,
        """
        %one: float32[] = Constant() {value = 1.0}
        %large: float32[300] = Expand(%one) {shape = (300,)}
        %small: float32[2] = Expand(%one) {shape = (2,)}
        output large = %large
        output small = %small
        """,
        """
        %one: float32[] = Constant() {value = 1.0}
        %large: float32[300] = Expand(%one) {shape = (300,)}
        %small: float32[2] = Constant() {value = [1.0, 1.0]}
        output large = %large
        output small = %small
        """,
    )
    assert notes[-1] == "left %large (Expand) as it is: its result would take 1200 bytes; at most 1024 are allowed"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('%y: int8[2] = Cast(%f) {to = "int8"}', "an element has no value in int8"),
        ('%y: uint64[2] = Cast(%f) {to = "uint64"}', "an element has no value in uint64"),
        ("%y: int32[2] = Div(%i, %zero)", "an integer is divided by zero"),
        ("%y: int32[2] = Mod(%i, %zero)", "an integer is divided by zero"),
        ("%y: int32[2] = Div(%i, %minus)", "the least integer is divided by -1"),
        ('%y: uint8[2] = BitShift(%u, %u) {direction = "LEFT"}', "an integer is shifted by its number of bits or more"),
    ],
)
def test_what_runtimes_differ_in_stays(line: str, reason: str) -> None:
    graph = graph_of(
        f"""
        %f: float32[2] = Constant() {{value = [nan, 300.0]}}
        %i: int32[2] = Constant() {{value = [-2147483648, 7]}}
        %zero: int32[2] = Constant() {{value = [1, 0]}}
        %minus: int32[] = Constant() {{value = -1}}
        %u: uint8[2] = Constant() {{value = [7, 8]}}
        {line}
        output y = %y
        """
    )
    _, (report,) = run_passes(graph, [fold], Options(evaluate=_evaluate))
    assert not report.changed
    assert report.notes == (f"left %y ({graph.node('y').op}) as it is: {reason}",)


def test_casts_that_fit_are_folded() -> None:
    check(
        fold,
        """
        %f: float32[4] = Constant() {value = [127.9, -128.9, 0.5, -0.0]}
        %big: float64[1] = Constant() {value = [9223372036854774784.0]}
        %wide: int32[1] = Constant() {value = [300]}
        %a: int8[4] = Cast(%f) {to = "int8"}
        %b: int64[1] = Cast(%big) {to = "int64"}
        %c: uint8[1] = Cast(%wide) {to = "uint8"}
        output a = %a
        output b = %b
        output c = %c
        """,
        """
        %a: int8[4] = Constant() {value = [127, -128, 0, 0]}
        %b: int64[1] = Constant() {value = [9223372036854774784]}
        %c: uint8[1] = Constant() {value = [44]}
        output a = %a
        output b = %b
        output c = %c
        """,
    )


@pytest.mark.parametrize(("number", "fits"), [(9223372036854774784.0, True), (9223372036854775808.0, False)])
def test_the_edge_of_int64(number: float, fits: bool) -> None:
    graph = graph_of(
        f"""
        %f: float64[1] = Constant() {{value = [{number}]}}
        %y: int64[1] = Cast(%f) {{to = "int64"}}
        output y = %y
        """
    )
    assert run_passes(graph, [fold], Options(evaluate=_evaluate))[1][0].changed == fits


def test_what_fails_is_left_to_fail_at_run_time() -> None:
    graph = graph_of(
        """
        %a: float32[2] = Constant() {value = [1.0, 2.0]}
        %i: int64[1] = Constant() {value = [5]}
        %y: float32[1] = Gather(%a, %i)
        output y = %y
        """
    )
    result, (report,) = run_passes(graph, [fold], Options(evaluate=_evaluate))
    assert not report.changed
    assert report.notes[0].startswith("left %y (Gather) as it is: computing it fails, as it will at run time: ")
    assert result.node("y").op == "Gather"


def test_without_an_evaluator_nothing_happens() -> None:
    graph = graph_of("%a: float32[] = Constant() {value = 4.0} %y: float32[] = Sqrt(%a) output y = %y")
    _, (report,) = run_passes(graph, [fold], Options())
    assert report.notes == ("nothing is folded: no evaluator was given",)


def test_an_evaluator_that_lies_is_found() -> None:
    def lie(_op: str, _inputs: Sequence[Any], _attributes: Mapping[str, Any]) -> tuple[np.ndarray[Any, Any]]:
        return (np.zeros(3),)

    graph = graph_of("%a: float32[] = Constant() {value = 4.0} %y: float32[] = Sqrt(%a) output y = %y")
    with pytest.raises(PassError, match=r"Evaluating %y gave float64\[3\]; its type is float32\[\]"):
        run_passes(graph, [fold], Options(evaluate=lie))


def _evaluate(op: str, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
    from graphc.runtimes.numpy_runtime import evaluate_op

    return evaluate_op(op, inputs, attributes)
