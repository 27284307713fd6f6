"""``move_transposes``: take the Transposes at the borders of a loop's body out of the loop.

::

    %s: (f[n, 5, 6, 4], f[t, n, 5, 6, 4], ...) = Scan(%h, %x) {body = graph body {
      %h: f[n, 5, 6, 4] = Input()
      %x: f[n, 5, 6, 4] = Input()
      %th: f[n, 4, 5, 6] = Transpose(%h) {perm = (0, 3, 1, 2)}
      %tx: f[n, 4, 5, 6] = Transpose(%x) {perm = (0, 3, 1, 2)}
      %sum: f[n, 4, 5, 6] = Add(%th, %tx)
      %new: f[n, 5, 6, 4] = Transpose(%sum) {perm = (0, 2, 3, 1)}
      output state = %new
      output result = %new
    } ...

becomes

::

    %h/Transpose: f[n, 4, 5, 6] = Transpose(%h) {perm = (0, 3, 1, 2)}
    %x/Transpose: f[t, n, 4, 5, 6] = Transpose(%x) {perm = (0, 1, 4, 2, 3)}
    %s: (f[n, 4, 5, 6], f[t, n, 4, 5, 6], ...) = Scan(%h/Transpose, %x/Transpose) {body = graph body {
      %th: f[n, 4, 5, 6] = Input()
      %tx: f[n, 4, 5, 6] = Input()
      %sum: f[n, 4, 5, 6] = Add(%th, %tx)
      output state = %sum
      output result = %sum
    } ...
    %s/Transpose: f[n, 5, 6, 4] = Transpose(%s) {perm = (0, 2, 3, 1)}
    %s/Transpose_1: f[t, n, 5, 6, 4] = Transpose(%s:1) {perm = (0, 1, 3, 4, 2)}

A slice moves when all that reads it is one kind of Transpose; a result when a Transpose makes it; a state when both hold and
one undoes the other. ``layout`` leaves bodies so. Exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.traversal import ancestors
from graphc.ops.movement import permutation
from graphc.ops.scan import Loop
from graphc.passes.base import Options, PassResult

Perm = tuple[int, ...]


def move_transposes(graph: Graph, options: Options) -> PassResult:
    """Move Transposes of states, slices and results from the bodies of loops to the loops' operands and outputs."""
    notes = []
    for node in graph.nodes_of("Scan"):
        loop = Loop.of(node.attributes)
        moves = _match(loop)
        if moves.inputs or moves.outputs:
            _replace(graph, Builder(graph, options.rules), node, loop, moves)
            notes.append(f"moved {len(moves.inputs) + len(moves.outputs)} Transposes out of %{node.name}")
    return PassResult(bool(notes), tuple(notes))


# -- match -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Moves:
    """The permutations that the body applies first to some of its inputs, and last to some of its outputs, by index."""

    inputs: Mapping[int, Perm]
    outputs: Mapping[int, Perm]


def _match(loop: Loop) -> _Moves:
    body = loop.body
    inputs = {i: p for i, value in enumerate(body.inputs[: loop.end]) if (p := _taken_as(body, value)) is not None}
    outputs = {i: p for i, value in enumerate(body.outputs.values()) if (p := _made_by(value)) is not None}
    for i in range(loop.states):
        if i not in inputs or i not in outputs or outputs[i] != _inverse(inputs[i]):
            inputs.pop(i, None)
            outputs.pop(i, None)
    return _Moves(inputs, outputs)


def _taken_as(body: Graph, value: Value) -> Perm | None:
    """The permutation in which all readers take an input."""
    perms = [_made_by(use.node.outputs[0]) for use in body.uses(value)]
    return perms[0] if perms and not body.is_result(value) and all(p == perms[0] for p in perms) else None


def _made_by(value: Value) -> Perm | None:
    """The permutation of the Transpose that makes a value."""
    node = value.producer
    return permutation(value.type.rank, node.attributes["perm"]) if node.op == "Transpose" else None


def _inverse(perm: Perm) -> Perm:
    return tuple(perm.index(axis) for axis in range(len(perm)))


def _behind_time(perm: Perm) -> Perm:
    """The permutation of a stack of arrays that permutes each of them."""
    return (0, *(axis + 1 for axis in perm))


# -- rewrite -----------------------------------------------------------------------------------------------------------


def _replace(graph: Graph, build: Builder, node: Node, loop: Loop, moves: _Moves) -> None:
    operands = list(node.inputs)
    numbers = {"num_states": loop.states, "num_scanned": loop.scanned, "reverse": node.attributes["reverse"]}
    with build.origin(node.origin), graph.recording() as emitted:
        for i, perm in moves.inputs.items():
            value = operands[i]
            assert value is not None
            wanted = perm if i < loop.states else _behind_time(perm)
            operands[i] = build.emit("Transpose", value, name=f"{value.producer.name}/Transpose", perm=wanted)
        new = build.emit_node("Scan", operands, body=_turned(loop, moves), **numbers)
        turned = list(new.outputs)
        for i, perm in _permuted_outputs(loop, moves).items():
            if graph.is_used(node.outputs[i]):
                turned[i] = build.emit("Transpose", turned[i], name=f"{node.name}/Transpose", perm=perm)
    for old, value in zip(node.outputs, turned, strict=True):
        if old.type == value.type:
            graph.replace_uses(old, value)
    for other in emitted:
        graph.place(other, node)
    graph.succeed(new, node)


def _permuted_outputs(loop: Loop, moves: _Moves) -> dict[int, Perm]:
    """What must be done to outputs of the new loop, by index: states, stacked results, states on entry."""
    found = {i: perm if i < loop.states else _behind_time(perm) for i, perm in moves.outputs.items()}
    found.update((loop.first_entry + i, _behind_time(moves.outputs[i])) for i in moves.inputs if i < loop.states)
    return found


def _turned(loop: Loop, moves: _Moves) -> Graph:
    """A copy of the body whose inputs and outputs are permuted already."""
    body, twin = loop.body.clone()
    inputs: list[Value] = []
    for i, old in enumerate(loop.body.inputs):
        value = twin[old]
        if i in moves.inputs:
            readers: Sequence[Node] = [use.node for use in body.uses(value)]
            type_ = readers[0].output.type
            attributes = {"dtype": type_.dtype, "shape": type_.shape}
            new = body.add_node("Input", (), attributes, (type_,), name=value.producer.name).output
            body.place(new.producer, value.producer)
            for reader in readers:
                body.replace_uses(reader.output, new)
            value = new
        inputs.append(value)
    for i, (name, value) in enumerate(list(body.outputs.items())):
        if i in moves.outputs:
            (source,) = value.producer.inputs
            assert source is not None
            body.outputs[name] = source
    needed = ancestors(body.outputs.values()) | {value.producer for value in inputs}
    body.remove_nodes([node for node in body.nodes() if node not in needed])
    body.inputs = inputs
    for old, value in zip(loop.body.inputs, inputs, strict=True):
        if old.producer.name not in body:  # the input that had this name is gone
            body.rename(value.producer, old.producer.name)
    return body
