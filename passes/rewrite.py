"""Local rewrites: rules in three named steps, and the sweep that applies them.

A rule looks at one node at a time:

* **match** finds the pattern that ends in the node, or nothing;
* **check** says why the pattern must be left alone after all, or nothing;
* **rewrite** emits what takes the node's place and returns the value that its users get.

A sweep goes through the graph in topological order, so that a node is met after its operands have been rewritten. What
a rewrite emits is looked at again, and nodes that became dead go at once. Sweeps are repeated until one finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import PassError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Node, Value
from graphc.ops.opdef import Trait
from graphc.passes.base import Options, PassResult

INTERFACE_OPS = frozenset({"Input", "State"})
"""Ops that belong to a graph's interface: only `prune` decides about them."""


class Rewriter:
    """What the steps of a rule may ask for.

    Attributes:
        graph: the graph that is rewritten.
        options: of the pass.
        build: emits nodes; they get the origin of the node that is replaced.
    """

    def __init__(self, graph: Graph, options: Options) -> None:
        self.graph = graph
        self.options = options
        self.build = Builder(graph, options.rules)

    def has(self, node: Node, trait: Trait) -> bool:
        """True when the node's op has a trait."""
        return trait in self.options.rules[node.op].traits

    def constant(self, value: Value | None) -> np.ndarray[Any, Any] | None:
        """The array behind a constant."""
        return value.producer.attributes["value"] if value is not None and value.producer.op == "Constant" else None

    def producer(self, value: Value | None, op: str) -> Node | None:
        """The node that a value is the first output of, when it is of this op."""
        if value is None or value.index or value.producer.op != op:
            return None
        return value.producer


@dataclass(frozen=True, slots=True)
class Rule:
    """A rewrite of one node with one output.

    Attributes:
        name: shown in notes.
        match: given a rewriter and a node, what the other steps need to know, or None.
        check: given a rewriter and a match, the reason to refuse, or "".
        rewrite: given a rewriter and a match, the value that replaces the node's output, of the same type.
        exact: False when the last bits of a floating point number may change.
    """

    name: str
    match: Callable[[Rewriter, Node], Any]
    check: Callable[[Rewriter, Any], str]
    rewrite: Callable[[Rewriter, Any], Value]
    exact: bool = True


def always(_rewriter: Rewriter, _match: Any) -> str:
    """The check of a rule whose match says everything."""
    return ""


def apply_rules(graph: Graph, rules: Sequence[Rule], options: Options) -> PassResult:
    """Apply rules until none applies; earlier rules come first where several do."""
    sweep = _Sweep(Rewriter(graph, options), rules)
    while sweep.run():
        pass
    notes = (*sweep.done, *sweep.refused)
    return PassResult(bool(sweep.done), notes)


class _Sweep:
    def __init__(self, rewriter: Rewriter, rules: Sequence[Rule]) -> None:
        self.rewriter = rewriter
        self.rules = rules
        self.done: list[str] = []
        self.refused: dict[str, None] = {}
        self.limit = 20 * len(rewriter.graph) + 100

    def run(self) -> bool:
        """One sweep; True when it changed the graph."""
        graph = self.rewriter.graph
        before = len(self.done)
        self.refused.clear()
        for first in graph.nodes():
            todo = [first]
            while todo:
                node = todo.pop()
                if _is_in(graph, node) and len(node.outputs) == 1:
                    todo += reversed(self.visit(node))
        return len(self.done) > before

    def visit(self, node: Node) -> list[Node]:
        """Apply the first rule that fits; the nodes it emitted."""
        for rule in self.rules:
            match = rule.match(self.rewriter, node)
            if match is None:
                continue
            reason = rule.check(self.rewriter, match)
            if not reason and not rule.exact and self.rewriter.options.exact_only:
                reason = "the result may differ in its last bits, and only exact rewrites are wanted"
            if reason:
                self.refused[f"{rule.name}: left %{node.name} as it is: {reason}"] = None
                continue
            self.done.append(f"{rule.name}: rewrote %{node.name}")
            if len(self.done) > self.limit:
                raise PassError(f"The rewrites do not come to an end; the last one was {self.done[-1]!r}.")
            return self.replace(node, rule, match)
        return []

    def replace(self, node: Node, rule: Rule, match: Any) -> list[Node]:
        """Put the rewrite's value in the place of a node."""
        graph, build = self.rewriter.graph, self.rewriter.build
        with build.origin(node.origin), graph.recording() as emitted:
            value = rule.rewrite(self.rewriter, match)
        replace_node(graph, node, value, emitted)
        return [new for new in emitted if _is_in(graph, new)]


def replace_node(graph: Graph, node: Node, value: Value, emitted: Sequence[Node]) -> None:
    """Give all uses of a node's only output to ``value``, and remove the node and what became dead with it.

    Args:
        graph: changed in place.
        node: the node to replace.
        value: a value of the same type.
        emitted: the nodes that were added for it; they take the node's place in the order. The one that produces
            ``value`` takes its name, too, where the op is the same.
    """
    operands = node.inputs
    graph.replace_uses(node.output, value)
    new = list(emitted)
    if value.producer in new:
        new.remove(value.producer)
        graph.succeed(value.producer, node, rename=value.producer.op == node.op)
    else:
        graph.remove_node(node)
    for other in new:
        graph.place(other, node)
    remove_dead(graph, [*(v.producer for v in operands if v is not None), *new])
    for other in emitted:
        # Emitted beside a node of its op that is gone now, it was `layer/Gemm_1`.
        name = f"{node.origin.layer}/{other.op}" if node.origin.layer else other.op
        if other.name.startswith(f"{name}_") and name not in graph and _is_in(graph, other):
            graph.rename(other, name)


def _is_in(graph: Graph, node: Node) -> bool:
    return node.name in graph and graph.node(node.name) is node


def remove_dead(graph: Graph, candidates: Iterable[Node]) -> None:
    """Remove those of some nodes that nothing uses, and what becomes dead with them; inputs and states stay."""
    todo = list(candidates)
    while todo:
        node = todo.pop()
        if not _is_in(graph, node) or node.op in INTERFACE_OPS:
            continue
        if any(map(graph.is_used, node.outputs)):
            continue
        graph.remove_node(node)
        todo += [v.producer for v in node.inputs if v is not None]
