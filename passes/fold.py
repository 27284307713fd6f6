"""``fold``: compute at once what depends on constants only.

::

    %a: float32[2] = Constant() {value = [1.0, 2.0]}
    %b: float32[] = Constant() {value = 3.0}          %c: float32[2] = Constant() {value = [3.0, 6.0]}
    %c: float32[2] = Mul(%a, %b)                 ->   %y: float32[2] = Add(%x, %c)
    %y: float32[2] = Add(%x, %c)

The evaluator is handed in (`Options.evaluate`) and is the one that would have computed the node later, so the result is
exact. A node is left alone

* when it is random, or something about it is known only when data comes: an input, a state, a named dim;
* when its result is larger than what it is made from and than ``Options.fold_budget``;
* when runtimes differ in its result: a float cast to an integer dtype that does not hold it, an integer divided by 0;
* when it only repeats elements, and the result is larger than a small constant: a view costs nothing, an array does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import GraphcError, GraphError
from graphc.ir import dtypes
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph, Node
from graphc.ops.opdef import Trait
from graphc.passes.base import Options, PassResult
from graphc.passes.rewrite import remove_dead

MOVEMENT_BUDGET = 1024
"""Bytes that the result of an op without arithmetic may have where it is larger than its operands."""

_Array = np.ndarray[Any, Any]


def fold(graph: Graph, options: Options) -> PassResult:
    """Replace nodes whose operands are constants by constants."""
    if options.evaluate is None:
        return PassResult(False, ("nothing is folded: no evaluator was given",))
    builder = Builder(graph, options.rules)
    folded: list[str] = []
    refused: list[str] = []
    for node in graph.nodes():
        arrays = _operands(node)
        if arrays is None or not _is_foldable(node, options):
            continue
        reason = _budget_problem(node, arrays, options) or _undefined(node, arrays)
        if not reason:
            try:
                results = options.evaluate(node.op, arrays, node.attributes)
            except (GraphcError, ArithmeticError, ValueError, IndexError) as error:
                reason = f"computing it fails, as it will at run time: {error}"
        if reason:
            refused.append(f"left %{node.name} ({node.op}) as it is: {reason}")
            continue
        folded.append(f"folded %{node.name} ({node.op})")
        _replace(graph, builder, node, results)
    return PassResult(bool(folded), (*folded, *refused))


# -- match -------------------------------------------------------------------------------------------------------------


def _operands(node: Node) -> list[_Array | None] | None:
    """The arrays of a node's operands, when all of them are constants."""
    if any(v is not None and v.producer.op != "Constant" for v in node.inputs):
        return None
    return [None if v is None else v.producer.attributes["value"] for v in node.inputs]


def _is_foldable(node: Node, options: Options) -> bool:
    traits = options.rules[node.op].traits
    if Trait.SOURCE in traits or Trait.RANDOM in traits:
        return False
    return all(v.type.is_static for v in node.outputs) and not any(map(_holds_dim, node.attributes.values()))


def _holds_dim(attribute: Any) -> bool:
    """True for a dim, and for the body of a loop, in which there may be dims and random numbers."""
    return isinstance(attribute, Dim | Graph) or (
        isinstance(attribute, tuple) and any(isinstance(a, Dim) for a in attribute)
    )


# -- check -------------------------------------------------------------------------------------------------------------


def _budget_problem(node: Node, arrays: Sequence[_Array | None], options: Options) -> str:
    size = sum(int(v.type.size) * dtypes.item_size(v.type.dtype) for v in node.outputs)
    budget = options.fold_budget
    if Trait.MOVEMENT in options.rules[node.op].traits:
        budget = min(budget, MOVEMENT_BUDGET)
    allowed = max(budget, sum(a.nbytes for a in arrays if a is not None))
    return f"its result would take {size} bytes; at most {allowed} are allowed" if size > allowed else ""


def _undefined(node: Node, arrays: Sequence[_Array | None]) -> str:
    """Why the result of a node is not the same everywhere, or ""."""
    check = _UNDEFINED.get(node.op)
    return check([a for a in arrays if a is not None], node.attributes) if check else ""


def _cast(arrays: Sequence[_Array], attributes: Mapping[str, Any]) -> str:
    (x,), to = arrays, attributes["to"]
    if x.dtype.kind != "f" or not dtypes.is_int(to):
        return ""
    info = np.iinfo(to)
    whole = np.trunc(x.astype(np.float64))
    # float(info.max) rounds up for 64 bits; numbers below it fit, and so does it itself where it is exact.
    fits = (whole >= info.min) & ((whole < float(info.max)) | (whole == info.max) & (float(info.max) == info.max))
    return "" if fits.all() else f"an element has no value in {to}"


def _division(arrays: Sequence[_Array], _attributes: Mapping[str, Any]) -> str:
    x, y = arrays
    if y.dtype.kind not in "iu":
        return ""
    if (y == 0).any():
        return "an integer is divided by zero"
    overflows = y.dtype.kind == "i" and ((x == np.iinfo(x.dtype).min) & (y == -1)).any()
    return "the least integer is divided by -1" if overflows else ""


def _shift(arrays: Sequence[_Array], _attributes: Mapping[str, Any]) -> str:
    x, y = arrays
    return "an integer is shifted by its number of bits or more" if (y >= x.itemsize * 8).any() else ""


_UNDEFINED: dict[str, Callable[[Sequence[_Array], Mapping[str, Any]], str]] = {
    "Cast": _cast,
    "Div": _division,
    "Mod": _division,
    "BitShift": _shift,
}
"""Ops whose result, for some operands, is left to the processor."""


# -- rewrite -----------------------------------------------------------------------------------------------------------


def _replace(graph: Graph, builder: Builder, node: Node, results: Sequence[_Array]) -> None:
    """Put constants in the place of a node; the first one gets its name."""
    new = []
    with builder.origin(node.origin):
        for value, result in reversed(list(zip(node.outputs, results, strict=True))):
            name = f"{node.name}_{value.index}" if value.index else node.name
            constant = builder.own_constant(np.ascontiguousarray(result).reshape(result.shape), name)
            if constant.type != value.type:
                raise GraphError(f"Evaluating %{node.name} gave {constant.type}; its type is {value.type}.")
            graph.replace_uses(value, constant)
            graph.place(constant.producer, node)
            new.append(constant.producer)
    graph.succeed(new[-1], node)
    remove_dead(graph, [*(v.producer for v in node.inputs if v is not None), *new])
