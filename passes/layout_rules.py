"""What each op does with operands that are stored in another arrangement: the one table of the `layout` pass.

A rule turns a node into a `Plan`: the op and attributes that compute, from operands stored in some arrangement, a
result stored in some arrangement. ``forward`` starts from how the operands are stored, ``backward`` from how the result
is wanted. An op without a rule takes and gives values as they are meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from graphc.ir.dims import Dim
from graphc.ir.graph import Node, Value
from graphc.ir.types import normalize_axes, normalize_axis
from graphc.ops.movement import permutation
from graphc.ops.slicing import slice_spans
from graphc.ops.windows import CHANNELS_FIRST, CHANNELS_LAST
from graphc.passes.arrangement import (
    Arrangement,
    Order,
    Shuffle,
    channels_first,
    filters_first,
    open_shape,
    order,
    reshaped,
)

Given = Sequence[Arrangement | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a node is computed.

    Attributes:
        op: the op; "" stands for the first operand itself.
        attributes: the op's attributes.
        operands: how each operand is taken.
        results: how each result is stored.
    """

    op: str
    attributes: Mapping[str, Any]
    operands: tuple[Arrangement | None, ...]
    results: tuple[Arrangement | None, ...]


@dataclass(frozen=True, slots=True)
class LayoutRule:
    """Gives plans for the nodes of an op, or None where there is none.

    Attributes:
        forward: from a node and how its operands are stored, of which at least one is not as meant.
        backward: from a node, how its operands are stored, and how its first result is wanted.
    """

    forward: Callable[[Node, Given], Plan | None]
    backward: Callable[[Node, Given, Arrangement], Plan | None] | None = None


def _data(node: Node) -> Value:
    """The first operand of an op that has one."""
    value = node.inputs[0]
    assert value is not None
    return value


def _changed(node: Node, **changes: Any) -> Mapping[str, Any]:
    return {**node.attributes, **changes}


# -- ops that have a layout -------------------------------------------------------------------------------------------


DATA, KERNEL, PLAIN = "data", "kernel", "plain"
WINDOW_ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Conv": ((DATA, KERNEL, PLAIN), (DATA,)),
    "ConvTranspose": ((DATA, KERNEL, PLAIN), (DATA,)),
    "ConvGradInput": ((DATA, KERNEL), (DATA,)),
    "ConvGradWeight": ((DATA, DATA), (KERNEL,)),
    "MaxPool": ((DATA,), (DATA,)),
    "MaxPoolGrad": ((DATA, DATA, DATA), (DATA,)),
    "MaxPoolSelect": ((DATA, DATA, DATA), (DATA,)),
    "AveragePool": ((DATA,), (DATA,)),
    "AveragePoolGrad": ((DATA,), (DATA,)),
}
"""What the operands and results are of each op with a ``layout``."""


def window_plan(node: Node) -> Plan | None:
    """The plan of an op whose layout is channels last, in the other one; None for every other op."""
    if node.attributes.get("layout") != CHANNELS_LAST or node.op not in WINDOW_ROLES:
        return None
    operands, results = WINDOW_ROLES[node.op]
    return Plan(
        node.op,
        _changed(node, layout=CHANNELS_FIRST),
        tuple(None if v is None else _of_role(role, v) for role, v in zip(operands, node.inputs, strict=False)),
        tuple(_of_role(role, v) for role, v in zip(results, node.outputs, strict=True)),
    )


def _of_role(role: str, value: Value) -> Arrangement | None:
    if role == PLAIN:
        return None
    return channels_first(value.type.rank) if role == DATA else filters_first(value.type.rank)


# -- ops whose operands and result are stored alike -------------------------------------------------------------------


def _uniform(plan: Callable[[Node, Arrangement], Plan | None]) -> LayoutRule:
    """The rule of an op that gives what it takes."""

    def forward(node: Node, given: Given) -> Plan | None:
        # An operand of full rank decides; the others follow it.
        rank = node.outputs[0].type.rank
        decisive = (a for v, a in zip(node.inputs, given, strict=True) if a and v and v.type.rank == rank)
        arrangement = next(decisive, None)
        return None if arrangement is None else plan(node, arrangement)

    def backward(node: Node, _given: Given, wanted: Arrangement) -> Plan | None:
        return plan(node, wanted)

    return LayoutRule(forward, backward)


def _alike(node: Node, arrangement: Arrangement, **changes: Any) -> Plan:
    """The plan of an op that takes all operands, and gives all results, in one arrangement."""
    return Plan(
        node.op, _changed(node, **changes), (arrangement,) * len(node.inputs), (arrangement,) * len(node.outputs)
    )


def _elementwise(node: Node, arrangement: Arrangement) -> Plan | None:
    rank = node.outputs[0].type.rank

    def of(value: Value | None) -> Arrangement | None:
        if value is None or all(dim == 1 for dim in value.type.shape):
            return None
        if isinstance(arrangement, Order):
            return arrangement
        axis = arrangement.axis - (rank - value.type.rank)  # aligned at the end, as broadcasting does
        return None if axis < 0 or value.type.shape[axis] == 1 else arrangement.moved(axis)

    results = (arrangement,) * len(node.outputs)
    return Plan(node.op, node.attributes, tuple(of(v) for v in node.inputs), results)


def _along_axis(node: Node, arrangement: Arrangement) -> Plan | None:
    """Softmax, CumSum, Split: the axis is remapped."""
    if not isinstance(arrangement, Order):
        return None
    axis = normalize_axis(node.attributes["axis"], len(arrangement.axes))
    return _alike(node, arrangement, axis=arrangement.position(axis))


def _channelwise(node: Node, arrangement: Arrangement) -> Plan | None:
    """Batch normalization: the data in one arrangement, and one number for each channel."""
    rank = node.outputs[0].type.rank
    axis = normalize_axis(node.attributes["axis"], rank)
    if isinstance(arrangement, Order):
        vectors, attributes = None, _changed(node, axis=arrangement.position(axis))
    else:
        if len(node.outputs) > 1:  # statistics that are results would be shuffled, too
            return None
        vectors, attributes = (arrangement.moved(0) if arrangement.axis == axis else None), node.attributes

    def of(value: Value | None) -> Arrangement | None:
        return arrangement if value is not None and value.type.rank == rank else vectors

    return Plan(node.op, attributes, tuple(map(of, node.inputs)), tuple(map(of, node.outputs)))


def _pad(node: Node, arrangement: Arrangement) -> Plan | None:
    if not isinstance(arrangement, Order):
        return None
    pads, rank = node.attributes["pads"], len(arrangement.axes)
    moved = tuple(pads[side + axis] for side in (0, rank) for axis in arrangement.axes)
    return _alike(node, arrangement, pads=moved)


def _slice(node: Node, arrangement: Arrangement) -> Plan | None:
    if not isinstance(arrangement, Order):
        return None
    cut = slice_spans(_data(node).type, node.attributes)  # in the order of the attributes
    return _alike(node, arrangement, axes=arrangement.positions(cut))


def _tile(node: Node, arrangement: Arrangement) -> Plan | None:
    if not isinstance(arrangement, Order):
        return None
    return _alike(node, arrangement, repeats=tuple(node.attributes["repeats"][axis] for axis in arrangement.axes))


def _expand(node: Node, arrangement: Arrangement) -> Plan | None:
    if not isinstance(arrangement, Order):
        return None
    return _alike(node, arrangement, shape=arrangement.shape(node.attributes["shape"]))


# -- ops that remove axes or give them another order ------------------------------------------------------------------


def _reduce(node: Node, given: Given) -> Plan | None:
    (arrangement,) = given
    if not isinstance(arrangement, Order):
        return None
    rank = len(arrangement.axes)
    one = "axis" in node.attributes  # ArgMax has one axis, ReduceSum several
    listed = (node.attributes["axis"],) if one else node.attributes["axes"]
    axes = tuple(range(rank)) if listed is None else normalize_axes(listed, rank)
    moved = tuple(sorted(arrangement.positions(axes)))
    attributes = _changed(node, axis=moved[0]) if one else _changed(node, axes=None if listed is None else moved)
    if node.attributes["keepdims"]:
        return Plan(node.op, attributes, (arrangement,), (arrangement,))
    left = [axis for axis in range(rank) if axis not in axes]
    kept = order(left.index(axis) for axis in arrangement.axes if axis not in axes)
    return Plan(node.op, attributes, (arrangement,), (kept,))


def _reduce_backward(node: Node, _given: Given, wanted: Arrangement) -> Plan | None:
    return _reduce(node, (wanted,)) if node.attributes["keepdims"] else None


def _transpose(node: Node, given: Given) -> Plan | None:
    """A Transpose gives axes other names; what is stored stays where it is."""
    (arrangement,) = given
    if not isinstance(arrangement, Order):
        return None
    perm = permutation(len(arrangement.axes), node.attributes["perm"])
    return Plan("", {}, (arrangement,), (order(perm.index(axis) for axis in arrangement.axes),))


def _transpose_backward(node: Node, _given: Given, wanted: Arrangement) -> Plan | None:
    if not isinstance(wanted, Order):
        return None
    perm = permutation(len(wanted.axes), node.attributes["perm"])
    return Plan("", {}, (order(perm[axis] for axis in wanted.axes),), (wanted,))


def _reshape(node: Node, given: Given) -> Plan | None:
    (arrangement,) = given
    if not isinstance(arrangement, Order):
        return None
    x, y = _data(node).type.shape, node.outputs[0].type.shape
    fits, result = reshaped(x, y, arrangement, node)
    return _reshape_plan(node, arrangement, result) if fits else None


def _reshape_backward(node: Node, _given: Given, wanted: Arrangement) -> Plan | None:
    if not isinstance(wanted, Order):
        return None
    x, y = _data(node).type.shape, node.outputs[0].type.shape
    fits, operand = reshaped(y, x, wanted, node)
    return _reshape_plan(node, operand, wanted) if fits else None


def _reshape_plan(node: Node, operand: Arrangement | None, result: Arrangement | None) -> Plan:
    shape = node.outputs[0].type.shape
    stored = result.shape(shape) if isinstance(result, Order) else shape
    return Plan("Reshape", {"shape": open_shape(stored)}, (operand,), (result,))


# -- ops that can take or give shuffled features ----------------------------------------------------------------------


def _concat(node: Node, given: Given) -> Plan | None:
    rank = node.outputs[0].type.rank
    axis = normalize_axis(node.attributes["axis"], rank)
    arrangement = next((a for a in given if a is not None), None)
    if isinstance(arrangement, Order):
        return _alike(node, arrangement, axis=arrangement.position(axis))
    shuffles = [a for a in given if isinstance(a, Shuffle)]
    if len(shuffles) < sum(a is not None for a in given) or any(s.axis != axis for s in shuffles):
        return None
    lengths = [v.type.shape[axis] for v in node.inputs if v is not None]
    if any(isinstance(length, Dim) for length in lengths):
        return None
    starts = accumulate((int(length) for length in lengths[:-1]), initial=0)
    index: list[int] = []
    for start, length, shuffle in zip(starts, lengths, given, strict=True):
        own = shuffle.indices[0][1] if isinstance(shuffle, Shuffle) else range(int(length))
        index += (start + k for k in own)
    sources = frozenset().union(*(s.sources for s in shuffles))
    return Plan(node.op, node.attributes, tuple(given), (Shuffle(((axis, tuple(index)),), sources),))


def _concat_backward(node: Node, _given: Given, wanted: Arrangement) -> Plan | None:
    return _concat(node, (wanted,) * len(node.inputs)) if isinstance(wanted, Order) else None


def _product(node: Node, given: Given, wanted: Arrangement | None = None) -> Plan | None:
    """A matrix product with a constant: shuffled features permute its rows, a wanted shuffle permutes its columns."""
    x, w = node.inputs[0], node.inputs[1]
    assert x is not None
    assert w is not None
    shuffled = given[0]
    if w.producer.op != "Constant" or w.type.rank != 2 or x.type.rank < 2 or node.attributes.get("trans_a"):
        return None
    if any(a is not None for a in given[1:]):
        return None
    rows, columns = (1, 0) if node.attributes.get("trans_b") else (0, 1)
    parts: list[Shuffle] = []
    for arrangement, axis in ((shuffled, rows), (wanted, columns)):
        if arrangement is not None:
            if not isinstance(arrangement, Shuffle) or arrangement.axis != x.type.rank - 1:
                return None
            parts.append(arrangement.moved(axis))
    weights = parts[0] if len(parts) == 1 else parts[0].and_also(parts[1])
    bias = tuple(_bias(v, wanted) for v in node.inputs[2:])
    return Plan(node.op, node.attributes, (shuffled, weights, *bias), (wanted,))


def _bias(value: Value | None, wanted: Arrangement | None) -> Arrangement | None:
    if value is None or not isinstance(wanted, Shuffle) or value.type.rank == 0 or value.type.shape[-1] == 1:
        return None
    return wanted.moved(value.type.rank - 1)


def _product_backward(node: Node, given: Given, wanted: Arrangement) -> Plan | None:
    return _product(node, (given[0], *(None for _ in given[1:])), wanted)


def _resize(node: Node, arrangement: Arrangement) -> Plan | None:
    if not isinstance(arrangement, Order):
        return None
    axes = normalize_axes(node.attributes["axes"], len(arrangement.axes))
    return _alike(node, arrangement, axes=arrangement.positions(axes))


# -- the table --------------------------------------------------------------------------------------------------------

ELEMENTWISE = _uniform(_elementwise)
"""The rule of every op with the trait."""

_REDUCTION = LayoutRule(_reduce, _reduce_backward)
_RESHAPE = LayoutRule(_reshape, _reshape_backward)
_PRODUCT = LayoutRule(_product, _product_backward)

RULES: dict[str, LayoutRule] = {
    "Identity": ELEMENTWISE,
    "Softmax": _uniform(_along_axis),
    "LogSoftmax": _uniform(_along_axis),
    "SoftmaxGrad": _uniform(_along_axis),
    "LogSoftmaxGrad": _uniform(_along_axis),
    "CumSum": _uniform(_along_axis),
    "Split": _uniform(_along_axis),
    "BatchNormalization": _uniform(_channelwise),
    "BatchNormTraining": _uniform(_channelwise),
    "BatchNormTrainingGrad": _uniform(_channelwise),
    "Pad": _uniform(_pad),
    "Slice": _uniform(_slice),
    "Resize": _uniform(_resize),
    "ResizeGrad": _uniform(_resize),
    "Tile": _uniform(_tile),
    "Expand": _uniform(_expand),
    "Concat": LayoutRule(_concat, _concat_backward),
    "Transpose": LayoutRule(_transpose, _transpose_backward),
    "Reshape": _RESHAPE,
    "Squeeze": _RESHAPE,
    "Unsqueeze": _RESHAPE,
    "MatMul": _PRODUCT,
    "Gemm": _PRODUCT,
    **dict.fromkeys(
        ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL2",
         "ReduceLogSumExp", "ArgMax", "ArgMin"),
        _REDUCTION,
    ),
}  # fmt: skip
"""The rules of ops without the trait of element-wise ones."""
