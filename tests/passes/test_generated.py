"""Generated graphs through every pass alone, every pair of passes, and every pipeline."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from graphc.ir.compare import graph_difference
from graphc.ir.graph import Graph
from graphc.ir.parser import parse_graph
from graphc.ir.printer import print_graph
from graphc.ir.verify import verify
from graphc.ops.registry import OPS
from graphc.passes.base import run_passes
from graphc.passes.pipelines import PASSES, PIPELINES

from .graphs import exact_graphs, special_graphs
from .harness import OPTIONS, arrays_for, assert_same_bits, run

LARGEST = 2.0**50
"""Whole numbers are added and multiplied exactly in float64 below this."""


def whole_numbers(graph: Graph, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    feeds, states = arrays_for(graph, seed)
    return tuple({name: np.asarray(np.round(2 * a)) for name, a in arrays.items()} for arrays in (feeds, states))  # type: ignore[return-value]


@settings(max_examples=200)
@given(exact_graphs())
def test_whole_numbers_stay_the_same_to_the_last_bit(graph: Graph) -> None:
    feeds, states = whole_numbers(graph, 0)
    before = run(graph, feeds, states)
    assume(all(np.abs(a).max(initial=0) < LARGEST for a in before.values()))
    for passes in [*((info.run,) for info in PASSES.values()), *PIPELINES.values()]:
        result, _ = run_passes(graph, passes, OPTIONS)
        assert_same_bits(before, run(result, feeds, states))


@settings(max_examples=200)
@given(special_graphs())
def test_any_numbers_stay_the_same_to_the_last_bit(graph: Graph) -> None:
    feeds, states = arrays_for(graph, 0, special=True)
    before = run(graph, feeds, states)
    for passes in [*((info.run,) for info in PASSES.values()), *PIPELINES.values()]:
        result, _ = run_passes(graph, passes, OPTIONS)
        assert_same_bits(before, run(result, feeds, states))


@settings(max_examples=60)
@given(exact_graphs())
def test_every_pass_after_every_other(graph: Graph) -> None:
    feeds, states = whole_numbers(graph, 1)
    before = run(graph, feeds, states)
    assume(all(np.abs(a).max(initial=0) < LARGEST for a in before.values()))
    for one, other in product(PASSES.values(), repeat=2):
        result, _ = run_passes(graph, (one.run, other.run), OPTIONS)
        assert_same_bits(before, run(result, feeds, states))


@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=60)
@given(exact_graphs() | special_graphs())
def test_contract(name: str, graph: Graph) -> None:
    """An honest ``changed``, nothing left for a second run, no more nodes than before, the interface kept."""
    text = print_graph(graph, OPS)
    result, (report,) = run_passes(graph, [PASSES[name].run], OPTIONS)
    assert print_graph(graph, OPS) == text
    assert report.changed == (print_graph(result, OPS) != text)
    assert len(result) <= len(graph)
    assert [v.name for v in result.inputs] == [v.name for v in graph.inputs]
    assert list(result.outputs) == list(graph.outputs)
    assert list(result.updates) == list(graph.updates)
    again, (second,) = run_passes(result, [PASSES[name].run], OPTIONS)
    assert not second.changed
    assert graph_difference(result, again) is None


@given(exact_graphs() | special_graphs())
def test_text_round_trip(graph: Graph) -> None:
    text = print_graph(graph, OPS)
    again = parse_graph(text, OPS)
    verify(again, OPS)
    assert graph_difference(graph, again) is None
    assert print_graph(again, OPS) == text
