"""The reverse sweep: gradients as ordinary IR, emitted into the graph that they are gradients of.

Each op's VJP rule (``graphc/ops``) says how the gradient of its results becomes the gradient of its operands. The sweep
visits nodes from results to operands once, sums the gradients of a value that is used several times, and sums over axes
that were broadcast. What it emits is graph: passes optimise it, and it can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphc.errors import GraphError, NotDifferentiableError
from graphc.ir import dtypes
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph, Node, Origin, Value
from graphc.ops.opdef import BodyVJP, NotDifferentiable, OpTable


def gradient(
    builder: Builder, of: Value | Sequence[Value], wrt: Sequence[Value], seeds: Sequence[Value] | None = None
) -> list[Value | None]:
    """The gradient of ``of`` with respect to each value of ``wrt``.

    Args:
        builder: emits into the graph that holds ``of`` and ``wrt``; its rules must be an `OpTable`.
        of: a value, or several whose gradients are added up (weighted by ``seeds``).
        wrt: the values to differentiate by: any values of the graph, not only inputs.
        seeds: the cotangent of each ``of``, of its type; ones by default.

    Returns:
        One value for each of ``wrt``, of its type; None where ``of`` does not depend on it, or only through operations
        whose gradient is zero everywhere.

    Raises:
        NotDifferentiableError: the way leads through an op without a gradient.
        GraphError: a value is not of a float dtype, or a seed has another type than its value.
    """
    results = [of] if isinstance(of, Value) else list(of)
    for value in (*results, *wrt):
        if not dtypes.is_float(value.type.dtype):
            raise GraphError(f"Only float values have gradients; %{value.name} is {value.type}.")
    cotangents = list(seeds) if seeds is not None else [_ones(builder, value) for value in results]
    for value, seed in zip(results, cotangents, strict=True):
        if seed.type != value.type:
            raise GraphError(f"The seed of %{value.name} must be of type {value.type}; got {seed.type}.")

    path = _path(builder.graph, results, wrt)
    pending: dict[Value, list[Value]] = {}
    for value, seed in zip(results, cotangents, strict=True):
        pending.setdefault(value, []).append(seed)
    wanted = set(wrt)
    found: dict[Value, Value] = {}
    for node in reversed(path.nodes):
        origin = Origin(f"gradient/{node.origin.layer}".rstrip("/"), node.origin.file, node.origin.line)
        with builder.origin(origin):
            grads = [_accumulate(builder, pending.pop(v, [])) for v in node.outputs]
            found.update((v, g) for v, g in zip(node.outputs, grads, strict=True) if v in wanted and g is not None)
            if all(g is None for g in grads) or not path.enters(node):
                continue
            for operand, grad in zip(node.inputs, _apply_rule(builder, node, grads, path), strict=True):
                if operand is not None and grad is not None and operand in path.values:
                    pending.setdefault(operand, []).append(unbroadcast(builder, grad, operand))
    return [found.get(value) for value in wrt]


class _Path:
    """The nodes between ``wrt`` and ``of``, in topological order, and the values on them."""

    def __init__(self, nodes: list[Node], values: set[Value]) -> None:
        self.nodes = nodes
        self.values = values

    def enters(self, node: Node) -> bool:
        """True when a gradient has somewhere to go behind this node."""
        return any(v in self.values for v in node.inputs if v is not None)


def _path(graph: Graph, results: Iterable[Value], wrt: Iterable[Value]) -> _Path:
    ancestors: set[str] = set()
    todo = [value.producer for value in results]
    while todo:
        node = todo.pop()
        if node.name not in ancestors:
            ancestors.add(node.name)
            todo += [v.producer for v in node.inputs if v is not None]
    values = set(wrt)
    nodes = []
    for node in graph.nodes():
        if node.name not in ancestors:
            continue
        if any(v in values for v in node.inputs if v is not None):
            # Integer and boolean results carry no gradient, so nothing beyond them is on the path.
            values.update(v for v in node.outputs if dtypes.is_float(v.type.dtype))
        if any(v in values for v in node.outputs):
            nodes.append(node)
    return _Path(nodes, values)


def _apply_rule(builder: Builder, node: Node, grads: Sequence[Value | None], path: _Path) -> Sequence[Value | None]:
    assert isinstance(builder.rules, OpTable)
    rule = builder.rules[node.op].vjp
    if isinstance(rule, NotDifferentiable):
        where = f" ({node.origin})" if str(node.origin) else ""
        raise NotDifferentiableError(f"{node.op} in node {node.name!r}{where} has no gradient: {rule.reason}.")
    if isinstance(rule, BodyVJP):
        return rule.rule(builder, node, grads, [v in path.values for v in node.inputs], gradient)
    return rule(builder, node, grads)


def _accumulate(builder: Builder, grads: Sequence[Value]) -> Value | None:
    if not grads:
        return None
    total = grads[0]
    for grad in grads[1:]:
        total = builder.emit("Add", total, grad)
    return total


def _ones(builder: Builder, value: Value) -> Value:
    one = builder.constant(1.0, dtype=value.type.dtype)
    return one if value.type.rank == 0 else builder.emit("Expand", one, shape=value.type.shape)


def unbroadcast(builder: Builder, grad: Value, like: Value) -> Value:
    """``grad`` with the shape of ``like``: summed over the axes along which ``like`` was repeated.

    Where only the data can tell whether an axis was repeated (two different named dims met), the op ``SumToShape`` decides
    at run time.
    """
    have, want = grad.type.shape, like.type.shape
    if have == want:
        return grad
    if len(have) < len(want) or any(h == 1 and w != 1 for h, w in zip(have[-len(want) :], want, strict=False) if want):
        grad = builder.emit("Expand", grad, shape=want)  # a rule may return one number for a whole array
        have = grad.type.shape
        if have == want:
            return grad
    lead = len(have) - len(want)
    pairs = list(zip(have[lead:], want, strict=True))
    if any(h != w and isinstance(w, Dim) for h, w in pairs):
        return builder.emit("SumToShape", grad, like)
    axes = tuple(range(lead)) + tuple(lead + i for i, (h, w) in enumerate(pairs) if h != w)
    summed = builder.emit("ReduceSum", grad, axes=axes, keepdims=False)
    return summed if summed.type.shape == want else builder.emit("Reshape", summed, shape=want)
