"""The runner: copies, reports, errors with names, dumps, verification."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graphc.errors import ArgumentError, GraphError, PassError
from graphc.ir.graph import Graph
from graphc.passes.base import Options, PassResult, run_passes
from graphc.passes.cse import cse
from graphc.passes.prune import prune

from .harness import OPTIONS, graph_of, text_of

TEXT = """
    %x: float32[2] = Input()
    %a: float32[2] = Neg(%x)
    %b: float32[2] = Neg(%x)
    %dead: float32[2] = Exp(%a)
    %y: float32[2] = Mul(%a, %b)
    output y = %y
"""


def refuse(_graph: Graph, _options: Options) -> PassResult:
    raise GraphError("it cannot be done.")


def crash(_graph: Graph, _options: Options) -> PassResult:
    raise ZeroDivisionError("oh no")


def spoil(graph: Graph, _options: Options) -> PassResult:
    graph.node("a").op = "Exponential"
    return PassResult(True)


def test_reports() -> None:
    graph = graph_of(TEXT)
    result, reports = run_passes(graph, [prune, cse, prune], OPTIONS)
    assert [(r.name, r.changed, r.nodes_before, r.nodes_after) for r in reports] == [
        ("prune", True, 5, 4),
        ("cse", True, 4, 3),
        ("prune", False, 3, 3),
    ]
    assert reports[0].notes == ("removed %dead (Exp)",)
    assert all(r.seconds >= 0 for r in reports)
    assert len(graph) == 5, "the graph itself stays"
    assert result is not graph


def test_no_passes_give_a_copy() -> None:
    graph = graph_of(TEXT)
    result, reports = run_passes(graph, [], Options())
    assert reports == []
    assert result is not graph
    assert text_of(result) == text_of(graph)


def test_errors_name_the_pass_and_those_before_it() -> None:
    graph = graph_of(TEXT)
    with pytest.raises(PassError, match=r"Pass 'refuse' failed after prune, cse: it cannot be done\."):
        run_passes(graph, [prune, cse, refuse], OPTIONS)
    with pytest.raises(PassError, match=r"Pass 'crash' broke as the first pass: ZeroDivisionError: oh no"):
        run_passes(graph, [crash], OPTIONS)
    assert len(graph) == 5


def test_verification_after_each() -> None:
    graph = graph_of(TEXT)
    with pytest.raises(PassError, match=r"Pass 'spoil' after prune left an invalid graph: .*node 'a' \(Exponential\)"):
        run_passes(graph, [prune, spoil, cse], OPTIONS)
    result, _ = run_passes(graph, [spoil], replace(OPTIONS, verify_each=False))
    assert result.node("a").op == "Exponential"
    with pytest.raises(PassError, match="The graph was invalid before the first pass: "):
        run_passes(result, [prune], OPTIONS)


def test_dumps() -> None:
    dumped: list[tuple[str, str]] = []
    options = replace(OPTIONS, dump_after=frozenset({"cse"}), dump=lambda name, text: dumped.append((name, text)))
    result, _ = run_passes(graph_of(TEXT), [prune, cse], options)
    assert dumped == [("cse", text_of(result))]
    run_passes(graph_of(TEXT), [cse, prune, cse], options)
    assert len(dumped) == 3, "after each time that it runs"


def test_a_dump_after_a_pass_that_does_not_run_is_refused() -> None:
    options = replace(OPTIONS, dump_after=frozenset({"prunes"}), dump=print)
    with pytest.raises(ArgumentError, match=r"No pass 'prunes' runs here.* Did you mean \"prune\"\?"):
        run_passes(graph_of(TEXT), [prune], options)
