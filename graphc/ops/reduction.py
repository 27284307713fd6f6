"""Reductions along axes, running sums, and the sum that undoes broadcasting.

Reducing nothing gives what ONNX says: a sum of nothing is 0, a product 1, a maximum minus infinity (or the least
integer, or False), a minimum the opposite, a norm 0, a log-sum-exp minus infinity; a mean of nothing is NaN. The index
of the largest of no elements does not exist and is refused.

Integer sums and products wrap around on overflow, as in NumPy. The ONNX form computes integers of up to 32 bits in
int64 so that they wrap too; int64 sums beyond 2**53 round or saturate in ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from graphc.errors import ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, Shape, product
from graphc.ir.dtypes import FLOAT_DTYPES, NUMERIC_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, normalize_axes, normalize_axis
from graphc.ops.opdef import (
    VJP,
    Attribute,
    Attributes,
    Domain,
    NotDifferentiable,
    OpDef,
    Trait,
    TypeRule,
    Types,
    need_dtype,
    operand,
    reduction_cost,
)

ReductionRule = Callable[[Builder, Value, Value, Value, "Reduced"], Value]


class Reduced:
    """Which axes of a shape a reduction removes.

    Attributes:
        axes: counted from the front, in ascending order.
        count: how many elements make one.
    """

    def __init__(self, op: str, shape: Shape, axes: Iterable[int] | None) -> None:
        rank = len(shape)
        self.shape = shape
        self.axes = tuple(range(rank)) if axes is None else tuple(sorted(normalize_axes(axes, rank, f"{op}: axis")))
        self.count = product(shape[i] for i in self.axes)

    def result(self, keepdims: bool) -> Shape:
        """The shape of the result."""
        if keepdims:
            return tuple(1 if i in self.axes else dim for i, dim in enumerate(self.shape))
        return tuple(dim for i, dim in enumerate(self.shape) if i not in self.axes)


def _reduction_type(op: str, allowed: Sequence[str]) -> TypeRule:
    def infer(types: Types, attributes: Attributes) -> tuple[TensorType]:
        x = operand(types, 0)
        need_dtype(op, x, allowed)
        reduced = Reduced(op, x.shape, attributes["axes"])
        return (x.with_shape(reduced.result(attributes["keepdims"])),)

    return infer


def _reduction_vjp(rule: ReductionRule) -> VJP:
    """A VJP from a rule that sees the result and its gradient with the reduced axes still there, of length 1."""

    def vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
        (x,), (g,) = node.inputs, grads
        assert x is not None
        assert g is not None
        reduced = Reduced(node.op, x.type.shape, node.attributes["axes"])
        if reduced.axes and not node.attributes["keepdims"]:
            return (rule(b, x, b.emit("Unsqueeze", node.output, axes=reduced.axes),
                         b.emit("Unsqueeze", g, axes=reduced.axes), reduced),)  # fmt: skip
        return (rule(b, x, node.output, g, reduced),)

    return vjp


def _reduction(
    name: str,
    rule: ReductionRule,
    doc: str,
    *,
    allowed: Sequence[str] = NUMERIC_DTYPES,
    traits: Sequence[Trait] = (),
) -> OpDef:
    return OpDef(
        name=name,
        inputs=("x",),
        infer=_reduction_type(name, allowed),
        vjp=_reduction_vjp(rule),
        doc=doc,
        attributes={
            "axes": Attribute("ints", None, "The axes to reduce, from either end; None: all; (): none."),
            "keepdims": Attribute("bool", True, "Keep the reduced axes, with length 1."),
        },
        traits=frozenset({Trait.REDUCTION, *traits}),
        cost=reduction_cost,
    )


# -- gradients: x is the operand; out and g have the reduced axes with length 1 ---------------------------------------


def _expanded(b: Builder, g: Value, x: Value) -> Value:
    return g if g.type.shape == x.type.shape else b.emit("Expand", g, shape=x.type.shape)


def _sum(b: Builder, x: Value, _out: Value, g: Value, _reduced: Reduced) -> Value:
    return _expanded(b, g, x)


def _mean(b: Builder, x: Value, _out: Value, g: Value, reduced: Reduced) -> Value:
    return _expanded(b, b.emit("Div", g, _number(b, reduced.count, g)), x)


def _number(b: Builder, dim: DimLike, like: Value) -> Value:
    """A length as a scalar of another value's dtype."""
    if isinstance(dim, int):
        return b.constant(dim, dtype=like.type.dtype)
    return b.emit("DimSize", dim=dim, dtype=like.type.dtype)


def _extreme(b: Builder, x: Value, out: Value, g: Value, reduced: Reduced) -> Value:
    # All elements that equal the extreme one share its gradient equally, as in JAX.
    chosen = b.emit("Cast", b.emit("Equal", x, out), to=x.type.dtype)
    count = b.emit("ReduceSum", chosen, axes=reduced.axes)
    return b.emit("Mul", chosen, b.emit("Div", g, count))


def _sum_square(b: Builder, x: Value, _out: Value, g: Value, _reduced: Reduced) -> Value:
    return b.emit("Mul", x, b.emit("Mul", g, b.constant(2.0, dtype=g.type.dtype)))


def _l2(b: Builder, x: Value, out: Value, g: Value, _reduced: Reduced) -> Value:
    # At the origin the norm has no gradient: 0 / 0 is NaN here, as in JAX.
    return b.emit("Mul", x, b.emit("Div", g, out))


def _log_sum_exp(b: Builder, x: Value, out: Value, g: Value, _reduced: Reduced) -> Value:
    return b.emit("Mul", g, b.emit("Exp", b.emit("Sub", x, out)))


def _prod(b: Builder, x: Value, _out: Value, g: Value, reduced: Reduced) -> Value:
    """The gradient of a product by one factor is the product of the others; ``out / x`` would fail at zeros."""
    if not isinstance(reduced.count, int):
        return b.emit("Mul", g, _others_by_division(b, x, reduced))
    rank = x.type.rank
    kept = tuple(i for i in range(rank) if i not in reduced.axes)
    perm = (*kept, *reduced.axes)
    lines = b.emit("Transpose", x, perm=perm) if perm != tuple(range(rank)) else x
    moved = lines.type.shape
    lines = b.emit("Reshape", lines, shape=(*moved[: len(kept)], reduced.count))
    others = b.emit("Reshape", _others_of_lines(b, lines, reduced.count), shape=moved)
    if perm != tuple(range(rank)):
        others = b.emit("Transpose", others, perm=tuple(perm.index(i) for i in range(rank)))
    return b.emit("Mul", g, others)


def _others_of_lines(b: Builder, x: Value, count: int) -> Value:
    """The product of all other elements of the last axis: of those before times of those after, by products only.

    Products of all elements before one take log2(count) doublings of the reach (Hillis and Steele 1986). Without any
    division, derivatives of every order are right at zeros too.
    """

    def before(v: Value) -> Value:
        v = _shifted(b, v, 1, count)
        reach = 1
        while reach < count - 1:
            v = b.emit("Mul", v, _shifted(b, v, reach, count))
            reach *= 2
        return v

    return b.emit("Mul", before(x), _flipped(b, before(_flipped(b, x))))


def _shifted(b: Builder, x: Value, by: int, count: int) -> Value:
    """The last axis moved up by some places, with ones coming in."""
    by = min(by, count)
    kept = b.emit("Slice", x, starts=(0,), ends=(count - by,), axes=(-1,))
    pads = [0] * (2 * x.type.rank)
    pads[x.type.rank - 1] = by
    return b.emit("Pad", kept, pads=pads, value=1.0)


def _flipped(b: Builder, x: Value) -> Value:
    return b.emit("Slice", x, starts=(2**63 - 1,), ends=(-(2**63),), axes=(-1,), steps=(-1,))


def _others_by_division(b: Builder, x: Value, reduced: Reduced) -> Value:
    """The product of all other elements where their number is known only at run time.

    Zeros are counted and left out of the product; where another element is zero the answer is zero. This is right
    everywhere, but its own derivative is not where elements are zero.
    """
    zero, one = b.constant(0.0, dtype=x.type.dtype), b.constant(1.0, dtype=x.type.dtype)
    is_zero = b.emit("Equal", x, zero)
    nonzero = b.emit("Where", is_zero, one, x)
    quotient = b.emit("Div", b.emit("ReduceProd", nonzero, axes=reduced.axes), nonzero)
    zeros = b.emit("Cast", is_zero, to=x.type.dtype)
    other_zeros = b.emit("Sub", b.emit("ReduceSum", zeros, axes=reduced.axes), zeros)
    return b.emit("Where", b.emit("Equal", other_zeros, zero), quotient, zero)


# -- ArgMax, ArgMin ---------------------------------------------------------------------------------------------------


def _index_of(name: str, doc: str) -> OpDef:
    def infer(types: Types, attributes: Attributes) -> tuple[TensorType]:
        x = operand(types, 0)
        need_dtype(name, x, NUMERIC_DTYPES)
        if x.rank == 0:
            raise ShapeError(f"{name}: the operand must have at least one axis; got {x}.")
        axis = normalize_axis(attributes["axis"], x.rank, f"{name}: axis")
        if x.shape[axis] == 0:
            raise ShapeError(f"{name}: axis {axis} of {x} has no elements, so none has an index.")
        return (TensorType("int64", Reduced(name, x.shape, (axis,)).result(attributes["keepdims"])),)

    return OpDef(
        name=name,
        inputs=("x",),
        infer=infer,
        vjp=NotDifferentiable("its result is an index"),
        doc=doc,
        attributes={
            "axis": Attribute("int", 0, "The axis to search, from either end."),
            "keepdims": Attribute("bool", True, "Keep the axis, with length 1."),
            "select_last_index": Attribute("bool", False, "Among equals, the last one instead of the first."),
        },
        traits=frozenset({Trait.REDUCTION}),
        cost=reduction_cost,
    )


# -- CumSum -----------------------------------------------------------------------------------------------------------


def _cumsum_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    need_dtype("CumSum", x, NUMERIC_DTYPES)
    normalize_axis(attributes["axis"], x.rank, "CumSum: axis")
    return (x,)


def _cumsum_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (g,) = grads
    assert g is not None
    attributes = node.attributes
    return (
        b.emit(
            "CumSum", g, axis=attributes["axis"], exclusive=attributes["exclusive"], reverse=not attributes["reverse"]
        ),
    )


# -- SumToShape -------------------------------------------------------------------------------------------------------


def _sum_to_shape_type(types: Types, _attributes: Attributes) -> tuple[TensorType]:
    x, like = operand(types, 0), operand(types, 1)
    need_dtype("SumToShape", x, NUMERIC_DTYPES, "x")
    lead = x.rank - like.rank
    pairs = list(zip(x.shape[max(lead, 0) :], like.shape, strict=False))
    if lead < 0 or any(isinstance(w, int) and isinstance(h, int) and w not in (1, h) for h, w in pairs):
        raise ShapeError(
            f"SumToShape: the shape of like must broadcast to that of x; got x {x} and like {like}: "
            "each axis of like must have x's length or 1."
        )
    return (x.with_shape(like.shape),)


def _sum_to_shape_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    x, (g,) = node.inputs[0], grads
    assert x is not None
    assert g is not None
    return b.emit("ExpandLike", g, x), None


OPS = (
    _reduction("ReduceSum", _sum, "The sum.", traits=(Trait.LINEAR,)),
    _reduction("ReduceMean", _mean, "The mean.", allowed=FLOAT_DTYPES, traits=(Trait.LINEAR,)),
    _reduction("ReduceMax", _extreme, "The largest element, NaN if any is; equals share the gradient.",
               allowed=(*NUMERIC_DTYPES, "bool"), traits=(Trait.NON_SMOOTH,)),
    _reduction("ReduceMin", _extreme, "The smallest element, NaN if any is; equals share the gradient.",
               allowed=(*NUMERIC_DTYPES, "bool"), traits=(Trait.NON_SMOOTH,)),
    _reduction("ReduceProd", _prod, "The product."),
    _reduction("ReduceSumSquare", _sum_square, "The sum of squares."),
    _reduction("ReduceL2", _l2, "The Euclidean norm: the square root of the sum of squares.", allowed=FLOAT_DTYPES),
    _reduction("ReduceLogSumExp", _log_sum_exp, "log(sum(exp(x))), computed without overflow.", allowed=FLOAT_DTYPES),
    _index_of("ArgMax", "The index of the largest element along an axis; a NaN counts as the largest."),
    _index_of("ArgMin", "The index of the smallest element along an axis; a NaN counts as the smallest."),
    OpDef(
        name="CumSum",
        inputs=("x",),
        infer=_cumsum_type,
        vjp=_cumsum_vjp,
        doc="The running sum along an axis: of all elements up to this one.",
        attributes={
            "axis": Attribute("int", doc="The axis to run along, from either end."),
            "exclusive": Attribute("bool", False, "Leave this element out of its own sum."),
            "reverse": Attribute("bool", False, "Start from the end."),
        },
        traits=frozenset({Trait.LINEAR}),
        cost=reduction_cost,
    ),
    OpDef(
        name="SumToShape",
        inputs=("x", "like"),
        infer=_sum_to_shape_type,
        vjp=_sum_to_shape_vjp,
        doc="x summed over the axes along which like has length 1, or lacks: the shape of like, the dtype of x.",
        traits=frozenset({Trait.REDUCTION, Trait.LINEAR}),
        cost=reduction_cost,
        domain=Domain.GRAPHC,
    ),
)  # fmt: skip
