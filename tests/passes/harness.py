"""How a pass is tested: text before, text after, equal numbers, an honest ``changed``, and nothing left for a second run."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graphc.ir import dtypes
from graphc.ir.compare import graph_difference
from graphc.ir.graph import Graph
from graphc.ir.parser import parse_graph
from graphc.ir.printer import print_graph
from graphc.ops.registry import OPS
from graphc.passes.base import Options, Pass, PassReport, run_passes
from graphc.runtimes.numpy_runtime import evaluate_op, prepare

OPTIONS = Options(evaluate=evaluate_op, verify_each=True)
SIZES = {"n": 3, "m": 2}
SPECIAL = (0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 1e-40, 3.4e38, 0.1)


def graph_of(body: str) -> Graph:
    """A graph from its lines."""
    return parse_graph(f"graph g {{\n{textwrap.dedent(body)}\n}}\n", OPS)


def text_of(graph: Graph) -> str:
    return print_graph(graph, OPS)


def arrays_for(graph: Graph, seed: int = 0, special: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Feeds and states for a graph: seeded numbers, or numbers on which identities fail."""
    rng = np.random.default_rng(seed)

    def array(dtype: str, shape: Sequence[Any]) -> np.ndarray[Any, Any]:
        lengths = [SIZES[dim] if isinstance(dim, str) else dim for dim in shape]
        kind = dtypes.numpy_dtype(dtype)
        if dtypes.is_float(dtype):
            numbers = rng.choice(SPECIAL, lengths) if special else rng.standard_normal(lengths)
            with np.errstate(over="ignore"):
                return np.asarray(numbers).astype(kind)
        return np.asarray(rng.integers(0, 2 if dtype == "bool" else 9, lengths)).astype(kind)

    feeds = {v.name: array(v.type.dtype, v.type.shape) for v in graph.inputs}
    states = {name: array(v.type.dtype, v.type.shape) for name, v in graph.states().items()}
    return feeds, states


def run(graph: Graph, feeds: Mapping[str, Any], states: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The outputs, and the states after the run."""
    own = {name: array.copy() for name, array in states.items() if name in graph.states()}
    outputs = prepare(graph, own).run(feeds)
    return {**outputs, **{f"state {name}": own[name] for name in graph.updates}}


def assert_same_bits(a: Mapping[str, np.ndarray[Any, Any]], b: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Equal to the last bit, -0.0 and 0.0 told apart; a NaN is a NaN whatever its payload."""
    assert list(a) == list(b)
    for name, left in a.items():
        right = b[name]
        assert (left.dtype, left.shape) == (right.dtype, right.shape), name
        np.testing.assert_array_equal(left, right, name)
        if left.dtype.kind == "f":
            numbers = ~np.isnan(left)
            np.testing.assert_array_equal(np.signbit(left)[numbers], np.signbit(right)[numbers], f"sign of {name}")


def assert_close(a: Mapping[str, np.ndarray[Any, Any]], b: Mapping[str, np.ndarray[Any, Any]], rtol: float) -> None:
    assert list(a) == list(b)
    for name, left in a.items():
        assert (left.dtype, left.shape) == (b[name].dtype, b[name].shape), name
        np.testing.assert_allclose(left, b[name], rtol=rtol, atol=rtol * max(1.0, float(np.abs(left).max(initial=0))))


def check_numbers(before: Graph, after: Graph, rtol: float = 0.0, special: bool = False) -> None:
    """Both graphs give the same on several feeds; to the last bit where ``rtol`` is 0."""
    for seed in range(3):
        feeds, states = arrays_for(before, seed, special)
        old, new = run(before, feeds, states), run(after, feeds, states)
        if rtol:
            assert_close(old, new, rtol)
        else:
            assert_same_bits(old, new)


def rewrite(
    passes: Pass | Sequence[Pass], graph: Graph, *, rtol: float = 0.0, special: bool = False, **options: Any
) -> tuple[Graph, list[PassReport]]:
    """Run passes and check everything that holds of all of them."""
    listed = [passes] if callable(passes) else list(passes)
    given = replace(OPTIONS, **options)
    text = text_of(graph)
    result, reports = run_passes(graph, listed, given)
    assert text_of(graph) == text, f"the graph that came in was changed to\n{text_of(graph)}"
    if len(listed) == 1:
        assert reports[0].changed == (text_of(result) != text), f"changed is {reports[0].changed}"
    assert [v.name for v in result.inputs] == [v.name for v in graph.inputs]
    assert [v.type for v in result.inputs] == [v.type for v in graph.inputs]
    for table, other in ((graph.outputs, result.outputs), (graph.updates, result.updates)):
        assert [(name, v.type) for name, v in table.items()] == [(name, v.type) for name, v in other.items()]
    again, second = run_passes(result, listed, given)
    if len(listed) == 1:
        assert not second[0].changed, f"a second run found more: {second[0].notes}"
        assert graph_difference(result, again) is None
    check_numbers(graph, result, rtol, special)
    return result, reports


def check(passes: Pass, before: str, after: str | None, **options: Any) -> tuple[str, ...]:
    """A pass turns one text into another (None: it stays as it is); gives the notes."""
    graph = graph_of(before)
    result, (report,) = rewrite(passes, graph, **options)
    expected = text_of(graph if after is None else graph_of(after))
    assert text_of(result) == expected, f"got\n{text_of(result)}\nexpected\n{expected}"
    return report.notes
