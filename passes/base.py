"""What a pass is, what it may ask for, and how passes are run one after another.

A pass is a function ``(graph, options) -> PassResult`` that edits the graph in place and leaves it valid. It keeps the
graph's inputs, outputs, states and updates, their names and types, and what it computes: bit for bit where the pass is
exact. It says honestly whether it changed anything, and why it left alone what it might have changed. It need not know of
loops: the runner runs it on their bodies, too, each of which is a graph like any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, GraphcError, PassError, did_you_mean
from graphc.ir.graph import Graph
from graphc.ir.printer import print_graph
from graphc.ir.traversal import bodies
from graphc.ir.verify import verify
from graphc.ops.opdef import OpTable
from graphc.ops.registry import OPS

Evaluator = Callable[
    [str, Sequence["np.ndarray[Any, Any] | None"], Mapping[str, Any]], Sequence["np.ndarray[Any, Any]"]
]
"""``evaluate(op, inputs, attributes)`` gives the results of one op on arrays; a runtime's function, handed in."""


@dataclass(frozen=True, slots=True)
class Options:
    """What passes are told.

    Attributes:
        rules: the ops, with their type rules and traits.
        evaluate: computes one op; without it nothing is folded.
        exact_only: leave out rewrites that may change the last bits of a floating point number.
        training: the graph is a train step: its states change, and its runtime wants the layout that it has.
        fold_budget: bytes that the result of a folded node may have where it is larger than what it is made from.
        verify_each: verify the graph before the first pass and after each one.
        dump_after: names of passes after which ``dump`` gets the text of the graph.
        dump: called with a pass's name and the text.
    """

    rules: OpTable = OPS
    evaluate: Evaluator | None = None
    exact_only: bool = False
    training: bool = False
    fold_budget: int = 1 << 20
    verify_each: bool = False
    dump_after: frozenset[str] = frozenset()
    dump: Callable[[str, str], None] | None = None


@dataclass(frozen=True, slots=True)
class PassResult:
    """What a pass did.

    Attributes:
        changed: True when the graph is not what it was.
        notes: what was done, and what was refused and why; one line each.
    """

    changed: bool
    notes: tuple[str, ...] = ()


Pass = Callable[[Graph, Options], PassResult]
"""A function named like its file."""


@dataclass(frozen=True, slots=True)
class PassReport:
    """What one pass did in a run, how long it took, and how many nodes there were before and after."""

    name: str
    changed: bool
    notes: tuple[str, ...]
    seconds: float
    nodes_before: int
    nodes_after: int


def run_passes(graph: Graph, passes: Sequence[Pass], options: Options) -> tuple[Graph, list[PassReport]]:
    """Run passes in order on a copy of a graph; the graph itself stays as it is.

    Args:
        graph: a valid graph.
        passes: functions of the passes, as `graphc.passes.pipelines` lists them.
        options: for all of them.

    Returns:
        The new graph and a report for each pass.

    Raises:
        PassError: a pass failed, or with ``verify_each`` left an invalid graph; the message names it and those before.
        ArgumentError: ``dump_after`` names a pass that does not run.
    """
    names = [name_of(one) for one in passes]
    for wanted in sorted(options.dump_after):
        if wanted not in names:
            raise ArgumentError(
                f"No pass {wanted!r} runs here, so no IR can be dumped after it.{did_you_mean(wanted, names)}"
            )
    if options.verify_each:
        _verified(graph, options, "The graph was invalid before the first pass")
    result, _ = graph.clone()
    reports: list[PassReport] = []
    for one, name in zip(passes, names, strict=True):
        before = f" after {', '.join(r.name for r in reports)}" if reports else " as the first pass"
        size, start = len(result), time.perf_counter()
        try:
            outcome = run_pass(one, result, options)
        except GraphcError as error:
            raise PassError(f"Pass {name!r} failed{before}: {error}") from error
        except Exception as error:
            # A pass that breaks is graphc's fault; the pass's name is what its mender needs first.
            raise PassError(f"Pass {name!r} broke{before}: {type(error).__name__}: {error}") from error
        seconds = time.perf_counter() - start
        reports.append(PassReport(name, outcome.changed, outcome.notes, seconds, size, len(result)))
        if options.verify_each:
            _verified(result, options, f"Pass {name!r}{before} left an invalid graph")
        if options.dump is not None and name in options.dump_after:
            options.dump(name, print_graph(result, options.rules))
    return result, reports


def run_pass(one: Pass, graph: Graph, options: Options) -> PassResult:
    """Run one pass on a graph, in place, and on copies of the bodies in it, which take their places.

    What changes in a body may let the pass do more around it, and the other way round, so this goes on until nothing does.
    """
    changed, notes = False, []
    while True:
        outcome = one(graph, options)
        refused: list[str] = []
        again = False
        for node in graph.nodes():
            for name, body in bodies(node).items():
                copy, _ = body.clone()
                inside = run_pass(one, copy, options)
                found = [f"in the body of %{node.name}: {note}" for note in inside.notes]
                if inside.changed:
                    graph.set_attributes(node, {**node.attributes, name: copy})
                    notes += found
                    again = True
                else:
                    refused += found
        changed = changed or outcome.changed or again
        if not again:
            return PassResult(changed, (*notes, *outcome.notes, *refused))
        notes += outcome.notes


def name_of(one: Pass) -> str:
    """The name of a pass: that of its function."""
    return getattr(one, "__name__", type(one).__name__)


def _verified(graph: Graph, options: Options, what: str) -> None:
    try:
        verify(graph, options.rules)
    except GraphcError as error:
        raise PassError(f"{what}: {error}") from error
