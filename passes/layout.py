"""``layout``: convolutions and pools from channels last to channels first, which is what ONNX has.

::

    %x: float32[n, 9, 9, 2] = Input()
    %k: float32[3, 3, 2, 4] = Constant() ...
    %c: float32[n, 7, 7, 4] = Conv(%x, %k) {layout = "NHWC"}
    %r: float32[n, 7, 7, 4] = Relu(%c)
    %p: float32[n, 3, 3, 4] = MaxPool(%r) {kernel_shape = (2, 2), strides = (2, 2), layout = "NHWC"}
    %f: float32[n, 36] = Reshape(%p) {shape = (-1, 36)}
    %y: float32[n, 5] = MatMul(%f, %w)

becomes

::

    %x: float32[n, 9, 9, 2] = Input()
    %x/Transpose: float32[n, 2, 9, 9] = Transpose(%x) {perm = (0, 3, 1, 2)}
    %k: float32[4, 2, 3, 3] = Constant() ...                                     its axes in another order
    %c: float32[n, 4, 7, 7] = Conv(%x/Transpose, %k) {layout = "NCHW"}
    %r: float32[n, 4, 7, 7] = Relu(%c)
    %p: float32[n, 4, 3, 3] = MaxPool(%r) {kernel_shape = (2, 2), strides = (2, 2), layout = "NCHW"}
    %f: float32[n, 36] = Reshape(%p) {shape = (-1, 36)}
    %y: float32[n, 5] = MatMul(%f, %w)                                           the rows of w in another order

One arrangement is chosen for each value of the whole graph, in two walks. Forward, what a window op gives is stored
channels first, and so is what other ops make of it as long as they can (`graphc.passes.layout_rules`). Backward, an op
whose results are all wanted in one arrangement gives them so, as far as possible up to the graph's inputs. Where a
value is stored in one arrangement and wanted in another, it is converted: a constant at once, another value by a
Transpose, or by a Reshape where only axes of length 1 move. Flattened images are matrices whose columns are in another
order; where every user can take them so (a product with a constant permutes its rows), no Transpose is needed, else the
Reshape gets its image as it is meant.

What is left are conversions of the graph's own inputs and outputs. A Transpose that has to stay inside is noted.

Not exact: a convolution sums in another order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from graphc.errors import GraphError
from graphc.ir.builder import Builder
from graphc.ir.dims import Shape
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.types import TensorType
from graphc.ops.opdef import Trait
from graphc.passes.arrangement import Arrangement, Order, Shuffle, arranged, only_units_move, open_shape
from graphc.passes.base import Options, PassResult
from graphc.passes.layout_rules import ELEMENTWISE, RULES, WINDOW_ROLES, LayoutRule, Plan, window_plan
from graphc.passes.rewrite import remove_dead


def layout(graph: Graph, options: Options) -> PassResult:
    """Store the values of a graph so that every window op has its channels first."""
    unknown = [n for n in graph.nodes() if "layout" in n.attributes and n.op not in WINDOW_ROLES]
    refused = tuple(f"left %{n.name} as it is: the pass does not know the op {n.op}" for n in unknown)
    if not any(window_plan(node) for node in graph.nodes()):
        return PassResult(False, refused)
    if options.exact_only:
        return PassResult(
            False, (*refused, "nothing is moved: a convolution sums in another order, which is not exact")
        )
    choice = _Choice(graph, options)
    notes = _Rewriting(graph, options, choice).run()
    return PassResult(True, (*refused, *choice.notes, *notes))


# -- choosing ---------------------------------------------------------------------------------------------------------


class _Choice:
    """How each value is stored.

    Attributes:
        plans: the nodes that are computed in another way than the graph says.
        stored: the values that are stored in another way than they are meant.
        notes: what could not be had.
    """

    def __init__(self, graph: Graph, options: Options) -> None:
        self.graph = graph
        self.rules = options.rules
        self.refused: set[Node] = set()
        self.notes: list[str] = []
        while True:
            self.plans: dict[Node, Plan] = {}
            self.stored: dict[Value, Arrangement] = {}
            self.forward()
            self.backward()
            impossible = self.impossible()
            if not impossible:
                break
            self.refused |= impossible

    def rule(self, node: Node) -> LayoutRule | None:
        """The rule of a node's op."""
        if Trait.ELEMENTWISE in self.rules[node.op].traits:
            return ELEMENTWISE
        return RULES.get(node.op)

    def accept(self, node: Node, plan: Plan | None) -> None:
        """Take a plan, unless somebody could not take the shuffle that the node starts."""
        if plan is None:
            return
        shuffles = (a for a in (*plan.operands, *plan.results) if isinstance(a, Shuffle))
        if node in self.refused and any(node in shuffle.sources for shuffle in shuffles):
            return
        self.plans[node] = plan
        for value, arrangement in zip(node.outputs, plan.results, strict=True):
            if arrangement is not None:
                self.stored[value] = arrangement

    def forward(self) -> None:
        """Window ops, and from them on what can follow."""
        for node in self.graph.nodes():
            plan = window_plan(node)
            given = [None if v is None else self.stored.get(v) for v in node.inputs]
            rule = self.rule(node)
            if plan is None and rule is not None and any(a is not None for a in given):
                plan = rule.forward(node, given)
            self.accept(node, plan)

    def backward(self) -> None:
        """What is wanted from each node, where all want the same."""
        for node in reversed(self.graph.nodes()):
            rule = self.rule(node)
            if rule is None or rule.backward is None or any(v in self.stored for v in node.outputs):
                continue
            wanted = [self.wanted(value) for value in node.outputs]
            if wanted[0] is None or any(a != wanted[0] for a in wanted):
                continue
            before = self.plans.get(node)
            given = before.operands if before is not None else (None,) * len(node.inputs)
            self.accept(node, rule.backward(node, given, wanted[0]))

    def wanted(self, value: Value) -> Arrangement | None:
        """How every user of a value wants it stored; None where they differ or take it as it is meant."""
        if self.graph.is_result(value):
            return None
        demands = [self.demand(use.node, use.slot) for use in self.graph.uses(value)]
        if not demands or any(d != demands[0] for d in demands):
            return None
        # An operand that is broadcast from a lower rank can be stored only at that rank.
        lifted = isinstance(demands[0], Order) and len(demands[0].axes) != value.type.rank
        return None if lifted else demands[0]

    def demand(self, node: Node, slot: int) -> Arrangement | None:
        plan = self.plans.get(node)
        return plan.operands[slot] if plan is not None else None

    def impossible(self) -> set[Node]:
        """The nodes that started a shuffle which would have to be undone: only a constant can be shuffled."""
        found: dict[Node, str] = {}
        for node in self.graph.nodes():
            for slot, value in enumerate(node.inputs):
                if value is None or (value.producer.op == "Constant" and value not in self.stored):
                    continue
                have, want = self.stored.get(value), self.demand(node, slot)
                if have != want:
                    self.blame((have, want), f"%{node.name} ({node.op}) has no constant to permute", found)
        for name, value in (*self.graph.outputs.items(), *self.graph.updates.items()):
            self.blame((self.stored.get(value),), f"{name!r} is a result of the graph", found)
        self.notes += [f"%{n.name} ({n.op}) has its image stored as it is meant: {why}" for n, why in found.items()]
        return set(found)

    @staticmethod
    def blame(arrangements: Iterable[Arrangement | None], why: str, found: dict[Node, str]) -> None:
        """Note the sources of shuffles, each with the first reason."""
        for arrangement in arrangements:
            if isinstance(arrangement, Shuffle):
                for node in arrangement.sources:
                    found.setdefault(node, why)


# -- rewriting --------------------------------------------------------------------------------------------------------


class _Rewriting:
    """Computes every planned node anew, and converts values between arrangements where they meet."""

    def __init__(self, graph: Graph, options: Options, choice: _Choice) -> None:
        self.graph = graph
        self.build = Builder(graph, options.rules)
        self.plans = choice.plans
        self.forms: dict[Value, dict[Arrangement | None, Value]] = {}
        self.successors: dict[Node, Node] = {}
        self.constants: list[tuple[Node, Node]] = []
        self.transposes: list[tuple[Node, Value]] = []

    def run(self) -> list[str]:
        planned = [node for node in self.graph.nodes() if node in self.plans]
        for node in planned:
            self.compute(node, self.plans[node])
        for node in planned:
            for value in node.outputs:
                if self.is_taken_as_meant(value):
                    self.graph.replace_uses(value, self.form(value, None))
        for node in reversed(planned):
            if node in self.successors:
                self.graph.succeed(self.successors[node], node)
            else:
                self.graph.remove_node(node)
        remove_dead(self.graph, [v.producer for node in planned for v in node.inputs if v is not None])
        for new, old in self.constants:
            if old.name not in self.graph:
                self.graph.rename(new, old.name)
        return [f"stored %{node.name} channels first" for node in planned if window_plan(node)] + self.remaining()

    def compute(self, node: Node, plan: Plan) -> None:
        """Emit what takes the place of a node."""
        pairs = zip(node.inputs, plan.operands, strict=True)
        operands = [None if value is None else self.form(value, wanted) for value, wanted in pairs]
        if not plan.op:
            assert operands[0] is not None
            self.forms[node.output] = {plan.results[0]: operands[0]}
            return
        with self.build.origin(node.origin):
            new = self.build.emit_node(plan.op, operands, name=node.name, **plan.attributes)
        self.successors[node] = new
        for value, result, arrangement in zip(node.outputs, new.outputs, plan.results, strict=True):
            expected = _stored_type(value.type, arrangement)
            if result.type != expected:
                raise GraphError(f"%{node.name} ({node.op}) would be stored as {result.type}; expected {expected}.")
            self.forms[value] = {arrangement: result}

    def is_taken_as_meant(self, value: Value) -> bool:
        """True when a node that is not planned, or the graph's caller, takes a value."""
        return self.graph.is_result(value) or any(use.node not in self.plans for use in self.graph.uses(value))

    def form(self, value: Value, wanted: Arrangement | None) -> Value:
        """A value in an arrangement; converted once for all who want it."""
        forms = self.forms.setdefault(value, {None: value})
        if wanted not in forms:
            array = value.producer.attributes["value"] if value.producer.op == "Constant" else None
            forms[wanted] = self.convert(value, wanted) if array is None else self.constant(value, array, wanted)
        return forms[wanted]

    def constant(self, value: Value, array: np.ndarray[Any, Any], wanted: Arrangement | None) -> Value:
        old = value.producer
        assert wanted is not None
        with self.build.origin(old.origin):
            new = self.build.own_constant(arranged(array, wanted), old.name)
        self.graph.place(new.producer, old)
        self.constants.append((new.producer, old))
        return new

    def convert(self, value: Value, wanted: Arrangement | None) -> Value:
        """Emit a Transpose, or a Reshape where only axes of length 1 move."""
        have, source = next(iter(self.forms[value].items()))
        assert not isinstance(have, Shuffle)
        assert not isinstance(wanted, Shuffle)
        rank = len(wanted.axes) if wanted is not None else value.type.rank
        if rank > value.type.rank:  # broadcast from a lower rank: the axes that it lacks are in front
            source, have = self.form(value, None), None
            lifted = (1,) * (rank - value.type.rank) + value.type.shape
        else:
            lifted = source.type.shape
        before = have.axes if have is not None else tuple(range(rank))
        behind = wanted.axes if wanted is not None else tuple(range(rank))
        perm = tuple(before.index(axis) for axis in behind)
        target = tuple(lifted[axis] for axis in perm)
        name = value.producer.name
        with self.build.origin(value.producer.origin), self.graph.recording() as emitted:
            if only_units_move(lifted, perm):
                result = self.reshape(source, target, f"{name}/Reshape")
            else:
                lifted_source = self.reshape(source, lifted, f"{name}/Reshape")
                result = self.build.emit("Transpose", lifted_source, name=f"{name}/Transpose", perm=perm)
                self.transposes.append((result.producer, value))
        for node in emitted:
            self.graph.place(node, value.producer)
        return result

    def reshape(self, value: Value, shape: Shape, name: str) -> Value:
        if value.type.shape == shape:
            return value
        return self.build.emit("Reshape", value, name=name, shape=open_shape(shape))

    def remaining(self) -> list[str]:
        """A note for each Transpose that is neither of an input nor of an output."""
        notes = []
        for node, value in self.transposes:
            users = [use.node for use in self.graph.uses(node.output)]
            if value.producer.op == "Input" or not users:
                notes.append(f"%{node.name} converts the graph's own {'output' if not users else 'input'}")
            else:
                taken = ", ".join(f"%{user.name} ({user.op})" for user in users[:3])
                notes.append(f"%{node.name} stays inside the graph, for {taken}")
        return notes


def _stored_type(meant: TensorType, arrangement: Arrangement | None) -> TensorType:
    return meant.with_shape(arrangement.shape(meant.shape)) if isinstance(arrangement, Order) else meant
