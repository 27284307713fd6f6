"""``hoist``: compute before a loop what is the same in all of its steps.

::

    %s: (f[2, 4], f[n, 2, 4], f[n, 2, 4]) = Scan(%h, %x, %w) {body = graph body {
      %h: f[2, 4] = Input()
      %x: f[2, 3] = Input()
      %w: f[4, 3] = Input()
      %t: f[3, 4] = Transpose(%w) {perm = (1, 0)}
      %p: f[2, 4] = MatMul(%x, %t)
      ...

becomes

::

    %t: f[3, 4] = Transpose(%w) {perm = (1, 0)}
    %s: (f[2, 4], f[n, 2, 4], f[n, 2, 4]) = Scan(%h, %x, %t) {body = graph body {
      %h: f[2, 4] = Input()
      %x: f[2, 3] = Input()
      %t: f[3, 4] = Input()
      %p: f[2, 4] = MatMul(%x, %t)
      ...

A node moves when its operands are invariants, constants and what has moved before it, and its result is not larger than
they are together: a loop is also a way to save memory. What depends on constants alone is left to ``fold``. Exact.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.builder import Builder
from graphc.ir.dims import product
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.traversal import ancestors
from graphc.ops.scan import Loop
from graphc.passes.base import Options, PassResult


def hoist(graph: Graph, options: Options) -> PassResult:
    """Move nodes that depend on invariants alone out of the bodies of loops."""
    build = Builder(graph, options.rules)
    notes = []
    for node in graph.nodes_of("Scan"):
        loop = Loop.of(node.attributes)
        moved = _movable(loop)
        if moved:
            _move(graph, build, node, moved)
            notes += [f"moved %{inner.name} ({inner.op}) out of %{node.name}" for inner in moved]
    return PassResult(bool(notes), tuple(notes))


# -- match -------------------------------------------------------------------------------------------------------------


def _movable(loop: Loop) -> list[Node]:
    """The nodes that can move, in topological order."""
    invariant = set(loop.body.inputs[loop.end :])
    fixed = {node.output for node in loop.body.nodes_of("Constant")} | invariant
    found = []
    for node in loop.body.nodes():
        operands = [v for v in node.inputs if v is not None]
        if any(v in invariant for v in operands) and fixed.issuperset(operands) and not _grows(node, operands):
            found.append(node)
            fixed.update(node.outputs)
            invariant.update(node.outputs)
    return found


def _grows(node: Node, operands: Sequence[Value]) -> bool:
    """True unless the results are known to have at most as many elements as the operands together."""
    made = sum(product(v.type.shape) for v in node.outputs)
    sizes = [product(v.type.shape) for v in operands]
    given = sum(sizes)
    if isinstance(made, int):
        return made > sum(size for size in sizes if isinstance(size, int))
    return made != given and made not in sizes


# -- rewrite -----------------------------------------------------------------------------------------------------------


def _move(graph: Graph, build: Builder, node: Node, moved: Sequence[Node]) -> None:
    """Copy the nodes before the loop, and give the loop what its body reads of them."""
    loop = Loop.of(node.attributes)
    outside = dict(zip(loop.body.inputs, [v for v in node.inputs if v is not None], strict=True))
    for inner in moved:
        operands = [None if v is None else _outside(graph, build, node, outside, v) for v in inner.inputs]
        types = [v.type for v in inner.outputs]
        copy = graph.add_node(inner.op, operands, inner.attributes, types, name=inner.name, origin=inner.origin)
        graph.place(copy, node)
        outside.update(zip(inner.outputs, copy.outputs, strict=True))
    body, inputs = _without(loop, moved)
    numbers = {"num_states": loop.states, "num_scanned": loop.scanned, "reverse": node.attributes["reverse"]}
    with build.origin(node.origin):
        new = build.emit_node("Scan", [outside[value] for value in inputs], body=body, **numbers)
    for old, value in zip(node.outputs, new.outputs, strict=True):
        graph.replace_uses(old, value)
    graph.succeed(new, node)


def _outside(graph: Graph, build: Builder, node: Node, outside: dict[Value, Value], value: Value) -> Value:
    """The value before the loop that a value of the body is; a constant is copied once."""
    if value not in outside:
        constant = build.own_constant(value.producer.attributes["value"], value.name)
        graph.place(constant.producer, node)
        outside[value] = constant
    return outside[value]


def _without(loop: Loop, moved: Sequence[Node]) -> tuple[Graph, list[Value]]:
    """A copy of the body with inputs for what has moved, and the values of the old body that its inputs stand for."""
    body, twin = loop.body.clone()
    stands_for = dict(zip(body.inputs, loop.body.inputs, strict=True))
    for value in (v for inner in moved for v in inner.outputs):
        if _is_read(loop.body, value, set(moved)):
            attributes = {"dtype": value.type.dtype, "shape": value.type.shape}
            new = body.add_node("Input", (), attributes, (value.type,), name=_plain(value)).output
            body.replace_uses(twin[value], new)
            body.place(new.producer, twin[value].producer)
            body.inputs.append(new)
            stands_for[new] = value
    needed = ancestors(body.outputs.values()) | {value.producer for value in body.inputs[: loop.end]}
    body.remove_nodes([inner for inner in body.nodes() if inner not in needed])
    for new in body.inputs[loop.end :]:
        if _plain(stands_for[new]) not in body:  # what had this name is gone
            body.rename(new.producer, _plain(stands_for[new]))
    return body, [stands_for[value] for value in body.inputs]


def _plain(value: Value) -> str:
    """The name of a value as that of a node."""
    return value.name.replace(":", "_")


def _is_read(body: Graph, value: Value, moved: set[Node]) -> bool:
    """True when something that stays in the body needs a value."""
    return body.is_result(value) or any(use.node not in moved for use in body.uses(value))
