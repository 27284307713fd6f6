"""``Scan``: a loop over the first axis of some tensors, as one op with the step as a graph.

::

    %Scan: (float32[n, 4], float32[time, n, 4], float32[time, n, 4]) = Scan(%h, %x, %w) {body = graph body {
      %h: float32[n, 4] = Input()
      %x: float32[n, 3] = Input()
      %w: float32[3, 4] = Input()
      %MatMul: float32[n, 4] = MatMul(%x, %w)
      %Add: float32[n, 4] = Add(%h, %MatMul)
      output state = %Add
      output result = %Add
    }, num_states = 1, num_scanned = 1}

Operands are N states, M scanned tensors ``(time, ...)`` and invariants, which every step sees; the body has an input for
each: a state, a slice without the first axis, an invariant. The body's outputs are the N new states and any number of
results. The op's outputs are the states behind the last step, each result stacked to ``(time, ...)``, and each state as it
was on entry of every step, ``(time, ...)``, which the gradient reads. With ``reverse`` time runs backwards; stacked outputs
keep their slice's place.

A body is closed: it has no states and no updates of its own, and its inputs are all that it sees. It is a value, never
changed in place; who wants another one makes a copy. Named dims mean what they mean around the loop.

ONNX's operator of this name differs in that its body reads invariants from the graph around it, and that it does not give
the states on entry.

The gradient is a loop in the other direction. Its body computes the step again from the state on entry and holds the
reverse sweep of the step; cotangents of states and the sums of the invariants' cotangents are its states, cotangents of the
slices its results. It is a Scan like any other and has a gradient itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.errors import ArgumentError, ShapeError
from graphc.ir import dtypes
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.inline import inline
from graphc.ir.traversal import MAX_BODY_DEPTH, ancestors, body_depth, descendants
from graphc.ir.types import TensorType
from graphc.ops.opdef import Attribute, Attributes, BodyVJP, Domain, Gradient, OpDef, Types, operand

# -- types ------------------------------------------------------------------------------------------------------------


def scan_length(scanned: Sequence[TensorType]) -> DimLike:
    """The number of steps: the length of the scanned tensors' first axis, the integer where one is known.

    Whether two named lengths agree is checked when data comes.

    Raises:
        ArgumentError: there is no tensor to scan.
        ShapeError: one is a scalar, or lengths differ.
    """
    if not scanned:
        raise ArgumentError("Scan: there must be a tensor to scan over; without one the number of steps is not known.")
    for type_ in scanned:
        if not type_.rank:
            raise ShapeError(f"Scan: a scanned tensor needs a first axis to scan along; got the scalar {type_}.")
    lengths = list(dict.fromkeys(type_.shape[0] for type_ in scanned))
    known = [length for length in lengths if not isinstance(length, str)]
    if len(known) > 1:
        raise ShapeError(
            f"Scan: the tensors to scan over must have one length; got {', '.join(map(str, scanned))} with the first axes "
            f"{', '.join(map(str, known))}."
        )
    return (known or lengths)[0]


@dataclass(frozen=True, slots=True)
class Loop:
    """The parts of a Scan node's operands, outputs and body, by their roles.

    Attributes:
        states: how many states there are.
        scanned: how many scanned operands.
        invariants: how many invariants.
        results: how many per-step results.
        body: the step.
    """

    states: int
    scanned: int
    invariants: int
    results: int
    body: Graph

    @staticmethod
    def of(attributes: Attributes) -> Loop:
        """The roles, from a node's attributes."""
        body, states, scanned = attributes["body"], attributes["num_states"], attributes["num_scanned"]
        return Loop(states, scanned, len(body.inputs) - states - scanned, len(body.outputs) - states, body)

    @property
    def end(self) -> int:
        """Where among operands and body inputs the scanned ones end and the invariants start."""
        return self.states + self.scanned

    @property
    def first_entry(self) -> int:
        """Where among the outputs the states on entry start."""
        return self.states + self.results


def _infer(types: Types, attributes: Attributes) -> list[TensorType]:
    loop = Loop.of(attributes)
    if loop.states < 0 or loop.scanned < 0 or loop.invariants < 0 or loop.results < 0:
        raise ArgumentError(
            f"Scan: the body has {len(loop.body.inputs)} inputs and {len(loop.body.outputs)} outputs, too few for "
            f"{loop.states} states and {loop.scanned} slices."
        )
    if len(types) != len(loop.body.inputs):
        raise ArgumentError(f"Scan: the body has {len(loop.body.inputs)} inputs; got {len(types)} operands.")
    given = [operand(types, i) for i in range(len(types))]
    length = scan_length(given[loop.states : loop.end])
    _check_body(loop, given)
    results = [value.type for value in loop.body.outputs.values()]
    stacked = [t.with_shape((length, *t.shape)) for t in (*results[loop.states :], *given[: loop.states])]
    return [*given[: loop.states], *stacked]


def _check_body(loop: Loop, given: Sequence[TensorType]) -> None:
    body = loop.body
    if body.updates or body.nodes_of("State"):
        raise ArgumentError(
            "Scan: the body has states of its own; what changes from step to step must be a state of the loop, and what "
            "stays an invariant."
        )
    if body_depth(body) >= MAX_BODY_DEPTH:
        raise ArgumentError(f"Scan: loops stand inside each other more than {MAX_BODY_DEPTH} deep.")
    for i, (value, type_) in enumerate(zip(body.inputs, given, strict=True)):
        is_slice = loop.states <= i < loop.end
        expected = type_.with_shape(type_.shape[1:]) if is_slice else type_
        if value.type != expected:
            what = f"{type_}, a step of which is {expected}" if is_slice else str(type_)
            raise ShapeError(f"Scan: input %{value.name} of the body is {value.type}; its operand is {what}.")
    for value, type_ in zip(list(body.outputs.values())[: loop.states], given[: loop.states], strict=True):
        if value.type != type_:
            raise ShapeError(
                f"Scan: a state of type {type_} becomes %{value.name} of type {value.type} in the body; a state keeps its "
                "type from step to step."
            )


# -- gradient ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Carried:
    """A state of the loop of a gradient: where it starts, its input of the body and what it becomes there."""

    start: Value
    input: Value
    new: Value


class _Backward:
    """The loop of a gradient while it is made: its body, and the operands that the body's inputs stand for."""

    def __init__(self, builder: Builder) -> None:
        self.outer = builder
        self.graph = Graph("gradient")
        self.build = Builder(self.graph, builder.rules)
        self.build.inherit_origin(builder)
        self.scanned: list[tuple[Value, Value]] = []
        self.invariants: list[tuple[Value, Value]] = []

    def input(self, name: str, type_: TensorType) -> Value:
        """An input of the body."""
        return self.build.input(self.graph.unique_name(name), type_)

    def slice(self, operand_: Value, name: str) -> Value:
        """The body's input for a step's slice of an operand."""
        value = self.input(name, operand_.type.with_shape(operand_.type.shape[1:]))
        self.scanned.append((operand_, value))
        return value

    def invariant(self, operand_: Value, name: str) -> Value:
        """The body's input for an operand that every step sees."""
        value = self.input(name, operand_.type)
        self.invariants.append((operand_, value))
        return value

    def emit(self, states: Sequence[_Carried], results: Sequence[Value], reverse: bool) -> Node:
        """The loop itself, without what its outputs do not need."""
        graph = self.graph
        graph.outputs = {f"state_{i}": state.new for i, state in enumerate(states)}
        graph.outputs.update((f"result_{i}", value) for i, value in enumerate(results))
        live = ancestors(graph.outputs.values())
        scanned = [pair for pair in self.scanned if pair[1].producer in live]
        scanned = scanned or self.scanned[:1]  # without a slice the number of steps would not be known
        invariants = [pair for pair in self.invariants if pair[1].producer in live]
        graph.inputs = [*(state.input for state in states), *(v for _, v in scanned), *(v for _, v in invariants)]
        kept = live | {value.producer for value in graph.inputs}
        graph.remove_nodes([node for node in graph.nodes() if node not in kept])
        operands = [*(state.start for state in states), *(v for v, _ in scanned), *(v for v, _ in invariants)]
        return self.outer.emit_node(
            "Scan", operands, body=graph, num_states=len(states), num_scanned=len(scanned), reverse=reverse
        )


def _vjp(
    builder: Builder, node: Node, grads: Sequence[Value | None], wanted: Sequence[bool], gradient: Gradient
) -> list[Value | None]:
    loop, back = Loop.of(node.attributes), _Backward(builder)
    given = [v for v in node.inputs if v is not None]
    names = [v.name for v in loop.body.inputs]
    carried = _active_states(loop, wanted)
    scanned = [i for i in range(loop.states, loop.end) if wanted[i]]
    summed = [i for i in range(loop.end, len(given)) if wanted[i]]

    # The step once more, from what it saw.
    entries, stacked = node.outputs[loop.first_entry :], given[loop.states : loop.end]
    seen = [back.slice(v, name) for v, name in zip((*entries, *stacked), names, strict=False)]
    seen += [back.invariant(v, name) for v, name in zip(given[loop.end :], names[loop.end :], strict=True)]
    outputs = inline(back.graph, loop.body, seen)

    # Its reverse sweep.
    cotangents = {i: back.input(f"grad_{names[i]}", given[i].type) for i in carried}
    of, seeds = [outputs[i] for i in carried], list(cotangents.values())
    for value, grad in zip(outputs[loop.states :], grads[loop.states : loop.first_entry], strict=True):
        if grad is not None:
            of.append(value)
            seeds.append(back.slice(grad, "grad_result"))
    wrt = (*carried, *scanned, *summed)
    found = dict(zip(wrt, gradient(back.build, of, [seen[i] for i in wrt], seeds), strict=True))

    # The loop around it.
    states = []
    for i in carried:
        start, new, at_entry = grads[i], found[i], grads[loop.first_entry + i]
        if at_entry is not None:
            more = back.slice(at_entry, f"grad_entry_{names[i]}")
            new = more if new is None else back.build.emit("Add", new, more)
        start = _zeros(builder, given[i].type) if start is None else start
        states.append(_Carried(start, cotangents[i], _zeros(back.build, given[i].type) if new is None else new))
    for i in summed:
        if (part := found[i]) is not None:
            total = back.input(f"sum_{names[i]}", given[i].type)
            new = back.build.emit("Add", total, part)
            states.append(_Carried(_zeros(builder, given[i].type), total, new))
    results = [grad for i in scanned if (grad := found[i]) is not None]
    if not states and not results:
        return [None] * len(given)
    made = iter(back.emit(states, results, not node.attributes["reverse"]).outputs)
    gradients: list[Value | None] = [None] * len(given)
    for i in (*carried, *(i for i in (*summed, *scanned) if found[i] is not None)):
        gradients[i] = next(made)
    return gradients


def _active_states(loop: Loop, wanted: Sequence[bool]) -> list[int]:
    """The float states through which a gradient reaches a wanted operand: those that depend on one."""
    outputs = list(loop.body.outputs.values())[: loop.states]
    sources = {v for v, is_wanted in zip(loop.body.inputs, wanted, strict=True) if is_wanted}
    while True:
        reached = descendants(loop.body, sources)
        more = {
            state
            for state, new in zip(loop.body.inputs, outputs, strict=False)
            if (new in sources or new.producer in reached) and dtypes.is_float(state.type.dtype)
        }
        if more <= sources:
            return [i for i in range(loop.states) if loop.body.inputs[i] in sources]
        sources |= more


def _zeros(builder: Builder, type_: TensorType) -> Value:
    zero = builder.constant(0.0, dtype=type_.dtype)
    return zero if type_.rank == 0 else builder.emit("Expand", zero, shape=type_.shape)


SCAN = OpDef(
    name="Scan",
    inputs=("operands*",),
    infer=_infer,
    vjp=BodyVJP(_vjp),
    doc="A loop along the first axis: a graph as its step, states carried, results stacked.",
    attributes={
        "body": Attribute("graph", doc="The step: from states, slices and invariants to new states and results."),
        "num_states": Attribute("int", doc="How many operands, the first ones, are states."),
        "num_scanned": Attribute(
            "int", doc="How many operands, behind the states, are scanned along their first axis."
        ),
        "reverse": Attribute("bool", False, "Whether time runs from the last slice to the first."),
    },
    domain=Domain.GRAPHC,
    outputs=("states", "results", "entries"),
)

OPS = (SCAN,)
