"""``simplify``: rewrites that need no new number, so that every one of them is exact.

::

    no_op             Reshape, Expand, Cast, Slice, Squeeze, Pad, Tile, Concat of one ... that change nothing  ->  x
    neutral           x - 0, x * 1, x / 1, x ** 1, x + -0.0, integers x + 0, x & true, x | false               ->  x
    transposes        Transpose(Transpose(x, p), q)            ->  Transpose(x, p after q)
    reshapes          Reshape(Reshape(x)), Squeeze(Reshape(x)) ->  Reshape(x), or x where the shape is its own
    casts             Cast(Cast(x, a), b)                      ->  Cast(x, b), where a holds every x
    expands           Expand(Expand(x))                        ->  Expand(x)
    slices            Slice(Slice(x))                          ->  Slice(x)
    repeated          f(f(x)) of an idempotent f               ->  f(x)
    undone            f(f(x)) of an involution f               ->  x

``x + 0.0`` is not among them: it turns -0.0 into 0.0. Neither is ``x * 0``, which is NaN for an infinite ``x``.
`StopGradient` goes from graphs that are not trained: their gradients, if any, have been taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import GraphcError
from graphc.ir import dtypes
from graphc.ir.dims import Dim, DimLike, Shape
from graphc.ir.graph import Graph, Node, Value
from graphc.ops.movement import permutation
from graphc.ops.opdef import Trait
from graphc.ops.slicing import TO_START, Span, slice_spans
from graphc.passes.arrangement import open_shape
from graphc.passes.base import Options, PassResult
from graphc.passes.rewrite import Rewriter, Rule, always, apply_rules


def simplify(graph: Graph, options: Options) -> PassResult:
    """Apply the rules of this file until none applies."""
    return apply_rules(graph, RULES, options)


def _keep(_rewriter: Rewriter, match: Value) -> Value:
    """The rewrite of a rule whose match is the value that stays."""
    return match


def _same_type(node: Node) -> bool:
    return node.inputs[0] is not None and node.inputs[0].type == node.output.type


# -- no_op: the operand itself -----------------------------------------------------------------------------------------


def _always(_node: Node) -> bool:
    return True


def _in_order(node: Node) -> bool:
    rank = node.output.type.rank
    return permutation(rank, node.attributes["perm"]) == tuple(range(rank))


def _whole(node: Node) -> bool:
    (x,) = node.inputs
    return x is not None and all(s.first == 0 and s.step == 1 for s in slice_spans(x.type, node.attributes).values())


def _all(name: str, number: int) -> Callable[[Node], bool]:
    return lambda node: all(entry == number for entry in node.attributes[name])


def _alone(node: Node) -> bool:
    return len(node.inputs) == len(node.outputs) == 1


NO_OPS: dict[str, Callable[[Node], bool]] = {
    "Identity": _always,
    "Reshape": _always,
    "Squeeze": _always,
    "Unsqueeze": _always,
    "Expand": _always,
    "ExpandLike": _always,
    "Cast": _always,
    "Transpose": _in_order,
    "Slice": _whole,
    "Pad": _all("pads", 0),
    "Tile": _all("repeats", 1),
    "Concat": _alone,
    "Split": _alone,
}
"""When an op whose result has the type of its first operand does nothing."""


def _match_no_op(rewriter: Rewriter, node: Node) -> Value | None:
    if node.op == "StopGradient" and not rewriter.options.training:
        return node.inputs[0]
    does_nothing = NO_OPS.get(node.op)
    return node.inputs[0] if does_nothing is not None and _same_type(node) and does_nothing(node) else None


# -- neutral: a constant that changes nothing --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Neutral:
    """An operand that may stay, and the one number that the other operand is filled with."""

    node: Node
    kept: Value
    number: Any


_EITHER, _SECOND = (0, 1), (1,)
NEUTRAL: dict[str, tuple[tuple[int, ...], float]] = {
    "Add": (_EITHER, -0.0),  # in integers the same as 0; see `_check_neutral` for floats
    "Sub": (_SECOND, 0.0),
    "Mul": (_EITHER, 1.0),
    "Div": (_SECOND, 1.0),
    "Pow": (_SECOND, 1.0),
    "And": (_EITHER, True),
    "Or": (_EITHER, False),
    "Xor": (_EITHER, False),
    "BitwiseOr": (_EITHER, 0),
    "BitwiseXor": (_EITHER, 0),
    "BitShift": (_SECOND, 0),
}
"""The slots in which a number changes nothing, and that number."""

_RESHAPING = frozenset({"Reshape", "Squeeze", "Unsqueeze"})
SPREADING = frozenset({"Expand", "ExpandLike", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Tile", "Identity"})
"""Ops whose elements are all elements of their first operand."""
MAX_SPREADING = 8
"""How many of them in a row are looked through."""


def _filled_with(rewriter: Rewriter, value: Value, number: float) -> Any:
    """The one number that all elements of a value are, when it equals ``number``; -0.0 equals 0.0 here. Else None."""
    for _ in range(MAX_SPREADING):
        if value.producer.op in SPREADING and value.producer.inputs[0] is not None:
            value = value.producer.inputs[0]
    array = rewriter.constant(value)
    if array is None or array.size == 0:
        return None
    first = array.reshape(-1)[0]
    if first != number or (array != first).any():  # most constants differ at once
        return None
    return None if array.dtype.kind == "f" and (np.signbit(array) != np.signbit(first)).any() else first


def _match_neutral(rewriter: Rewriter, node: Node) -> _Neutral | None:
    slots, neutral = NEUTRAL.get(node.op, ((), 0))
    for slot in slots:
        kept, constant = node.inputs[1 - slot], node.inputs[slot]
        if kept is None or constant is None or kept.type != node.output.type:
            continue
        number = _filled_with(rewriter, constant, neutral)
        if number is not None:
            return _Neutral(node, kept, number)
    return None


def _check_neutral(_rewriter: Rewriter, match: _Neutral) -> str:
    if dtypes.is_float(match.kept.type.dtype):
        _, neutral = NEUTRAL[match.node.op]
        if np.signbit(match.number) != np.signbit(neutral):
            which = "x + 0.0" if match.node.op == "Add" else "x - -0.0"
            return f"{which} turns an x of -0.0 into 0.0"
    return ""


def _rewrite_neutral(_rewriter: Rewriter, match: _Neutral) -> Value:
    return match.kept


# -- transposes, reshapes, casts, expands, slices: two in a row --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two nodes in a row: ``outer`` takes the result of ``inner``, which takes ``x``."""

    outer: Node
    inner: Node
    x: Value


def _pair(outer_ops: frozenset[str], inner_ops: frozenset[str]) -> Callable[[Rewriter, Node], _Pair | None]:
    """The match of a node and the node before it, each of one of some ops."""

    def match(_rewriter: Rewriter, node: Node) -> _Pair | None:
        if node.op not in outer_ops or node.inputs[0] is None:
            return None
        inner = node.inputs[0].producer
        if inner.op not in inner_ops or inner.inputs[0] is None:
            return None
        return _Pair(node, inner, inner.inputs[0])

    return match


def _rewrite_transposes(rewriter: Rewriter, pair: _Pair) -> Value:
    rank = pair.x.type.rank
    first, second = (permutation(rank, node.attributes["perm"]) for node in (pair.inner, pair.outer))
    return rewriter.build.emit("Transpose", pair.x, perm=tuple(first[axis] for axis in second))


def _match_reshapes(rewriter: Rewriter, node: Node) -> _Pair | None:
    pair = _pair(_RESHAPING, _RESHAPING)(rewriter, node)
    if pair is None or "Reshape" in (pair.outer.op, pair.inner.op):
        return pair
    # Squeeze and Unsqueeze need no lengths at run time, so two of them stay unless they cancel.
    return pair if pair.x.type == node.output.type else None


def _rewrite_reshapes(rewriter: Rewriter, pair: _Pair) -> Value:
    wanted = pair.outer.output.type
    if pair.x.type == wanted:
        return pair.x
    for shape in (pair.outer.attributes.get("shape"), open_shape(wanted.shape)):
        if shape is not None and _reshaped(rewriter, pair.x, shape) == wanted.shape:
            return rewriter.build.emit("Reshape", pair.x, shape=shape)
    return rewriter.build.emit("Reshape", pair.x, shape=wanted.shape)


def _reshaped(rewriter: Rewriter, x: Value, shape: Shape) -> Shape | None:
    try:
        return rewriter.options.rules.infer("Reshape", [x.type], {"shape": shape})[0].shape
    except GraphcError:
        return None


_MANTISSA = {"float16": 11, "float32": 24, "float64": 53}


def _bits(dtype: str) -> int:
    return dtypes.item_size(dtype) * 8 if dtypes.is_unsigned(dtype) else dtypes.item_size(dtype) * 8 - 1


def holds(wide: str, narrow: str) -> bool:
    """True when each value of one dtype is a value of another: a cast to it and back changes nothing."""
    if narrow in (wide, "bool"):
        return True
    if wide == "bool":
        return False
    if dtypes.is_float(narrow):
        return dtypes.is_float(wide) and _MANTISSA[wide] >= _MANTISSA[narrow]
    if dtypes.is_float(wide):
        return _MANTISSA[wide] >= _bits(narrow)
    return _bits(wide) >= _bits(narrow) and (dtypes.is_unsigned(narrow) or not dtypes.is_unsigned(wide))


def _check_casts(_rewriter: Rewriter, pair: _Pair) -> str:
    start, between, end = pair.x.type.dtype, pair.inner.output.type.dtype, pair.outer.output.type.dtype
    if not holds(between, start):
        return f"{between} does not hold every {start}"
    if dtypes.is_float(between) and dtypes.is_int(end) and not holds(end, start):
        # Runtimes differ in what a float beyond the integers becomes, and an integer would wrap instead.
        return f"{end} does not hold every {start}"
    return ""


def _rewrite_casts(rewriter: Rewriter, pair: _Pair) -> Value:
    to = pair.outer.attributes["to"]
    return pair.x if pair.x.type.dtype == to else rewriter.build.emit("Cast", pair.x, to=to)


def _check_expands(rewriter: Rewriter, pair: _Pair) -> str:
    wanted = pair.outer.output.type
    (given,) = rewriter.options.rules.infer("Expand", [pair.x.type], {"shape": wanted.shape})
    return "" if given == wanted else f"at once it would give {given}, not {wanted}"


def _rewrite_expands(rewriter: Rewriter, pair: _Pair) -> Value:
    return rewriter.build.emit("Expand", pair.x, shape=pair.outer.output.type.shape)


def _slice_attributes(pair: _Pair) -> dict[str, Any]:
    """The attributes of the one slice that two slices are."""
    inner, outer = _cuts(pair.inner), _cuts(pair.outer)
    first = slice_spans(pair.x.type, pair.inner.attributes)
    second = slice_spans(pair.inner.output.type, pair.outer.attributes)
    cuts = {**inner, **outer}
    for axis in inner.keys() & outer.keys():
        span = _joined(first[axis], second[axis])
        end = span.first + (span.count - 1) * span.step + (1 if span.step > 0 else -1)
        if isinstance(end, Dim):  # where the inner slice is open, the outer one's own end may do: [1:][:-1] is [1:-1]
            end = outer[axis][1]
        elif end < 0:
            end = TO_START
        cuts[axis] = (span.first, end, span.step)
    starts, ends, steps = zip(*(cuts[axis] for axis in sorted(cuts)), strict=True)
    return {"starts": starts, "ends": ends, "axes": tuple(sorted(cuts)), "steps": steps}


def _cuts(node: Node) -> dict[int, tuple[DimLike, DimLike, int]]:
    """Start, end and step of each axis that a Slice cuts."""
    starts, ends, steps = (node.attributes[name] for name in ("starts", "ends", "steps"))
    axes = slice_spans(node.inputs[0].type, node.attributes)  # type: ignore[union-attr]
    return dict(zip(axes, zip(starts, ends, steps or (1,) * len(starts), strict=True), strict=True))


def _joined(inner: Span, outer: Span) -> Span:
    return Span(inner.first + outer.first * inner.step, outer.count, inner.step * outer.step)


def _check_slices(rewriter: Rewriter, pair: _Pair) -> str:
    first = slice_spans(pair.x.type, pair.inner.attributes)
    second = slice_spans(pair.inner.output.type, pair.outer.attributes)
    wanted = {**first, **second, **{axis: _joined(first[axis], second[axis]) for axis in first.keys() & second.keys()}}
    if any(span.count == 0 for span in wanted.values()):
        return "nothing is left"
    attributes = rewriter.options.rules.attributes("Slice", _slice_attributes(pair))
    if slice_spans(pair.x.type, attributes) != wanted:
        return "the bounds of one slice would depend on a named length"
    return ""


def _rewrite_slices(rewriter: Rewriter, pair: _Pair) -> Value:
    return rewriter.build.emit("Slice", pair.x, **_slice_attributes(pair))


# -- repeated, undone: the same op twice -------------------------------------------------------------------------------


def _match_twice(trait: Trait) -> Callable[[Rewriter, Node], Node | None]:
    """The match of an op with a trait that takes its own result, everything else being equal; gives the first one."""

    def match(rewriter: Rewriter, node: Node) -> Node | None:
        if not rewriter.has(node, trait):
            return None
        inner = rewriter.producer(node.inputs[0], node.op)
        if inner is None or inner.inputs[1:] != node.inputs[1:] or inner.attributes != node.attributes:
            return None
        return inner

    return match


def _rewrite_repeated(_rewriter: Rewriter, inner: Node) -> Value:
    return inner.output


def _rewrite_undone(_rewriter: Rewriter, inner: Node) -> Value:
    (x,) = inner.inputs
    assert x is not None
    return x


_ONLY = {op: frozenset({op}) for op in ("Transpose", "Cast", "Expand", "Slice")}

RULES = (
    Rule("no_op", _match_no_op, always, _keep),
    Rule("neutral", _match_neutral, _check_neutral, _rewrite_neutral),
    Rule("transposes", _pair(_ONLY["Transpose"], _ONLY["Transpose"]), always, _rewrite_transposes),
    Rule("reshapes", _match_reshapes, always, _rewrite_reshapes),
    Rule("casts", _pair(_ONLY["Cast"], _ONLY["Cast"]), _check_casts, _rewrite_casts),
    Rule("expands", _pair(_ONLY["Expand"], _ONLY["Expand"]), _check_expands, _rewrite_expands),
    Rule("slices", _pair(_ONLY["Slice"], _ONLY["Slice"]), _check_slices, _rewrite_slices),
    Rule("repeated", _match_twice(Trait.IDEMPOTENT), always, _rewrite_repeated),
    Rule("undone", _match_twice(Trait.INVOLUTION), always, _rewrite_undone),
)
