"""Choosing between values, limiting them, and changing their dtype."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import DTypeError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dtypes import DTYPES, NUMERIC_DTYPES, is_float
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, broadcast_shapes
from graphc.ops.elementwise import scalar, unary, zero_gradient
from graphc.ops.opdef import (
    Attribute,
    Attributes,
    Domain,
    OpDef,
    Trait,
    Types,
    elementwise_cost,
    need_dtype,
    need_rank,
    operand,
    optional,
    present,
    same_dtype,
)

# -- Where ------------------------------------------------------------------------------------------------------------


def _where_type(types: Types, _attributes: Attributes) -> tuple[TensorType]:
    condition, x, y = (operand(types, i) for i in range(3))
    need_dtype("Where", condition, ("bool",), "condition")
    dtype = same_dtype("Where", (x, y))
    try:
        shape = broadcast_shapes(condition.shape, x.shape, y.shape)
    except ShapeError as error:
        raise ShapeError(f"Where: {error}") from None
    return (TensorType(dtype, shape),)


def _where_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    condition, (g,) = node.inputs[0], grads
    assert g is not None
    zero = scalar(b, 0.0, g)
    return None, b.emit("Where", condition, g, zero), b.emit("Where", condition, zero, g)


WHERE = OpDef(
    name="Where",
    inputs=("condition", "x", "y"),
    infer=_where_type,
    vjp=_where_vjp,
    doc="x where the condition holds, else y; all three broadcast.",
    traits=frozenset({Trait.ELEMENTWISE, Trait.LINEAR}),
    cost=elementwise_cost(),
)

# -- Clip -------------------------------------------------------------------------------------------------------------


def _clip_type(types: Types, _attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    need_dtype("Clip", x, NUMERIC_DTYPES)
    for index, name in ((1, "min"), (2, "max")):
        limit = optional(types, index)
        if limit is not None:
            need_rank("Clip", limit, 0, name)
    if len({t.dtype for t in present(types)}) > 1:
        raise DTypeError(f"Clip: x, min and max must have one dtype; got {', '.join(str(t) for t in present(types))}.")
    return (x,)


def _clip_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    # The result is min(max(x, low), high): the gradient goes to the one of the three that it equals. At a limit it is
    # x's, as in PyTorch.
    x, low, high = (*node.inputs, None, None)[:3]
    (g,) = grads
    assert x is not None
    assert g is not None
    zero = scalar(b, 0.0, g)
    below = None if low is None else b.emit("Less", x, low)
    raised = x if low is None else b.emit("Max", x, low)
    above = None if high is None else b.emit("Greater", raised, high)
    by_high = None if above is None else b.emit("Where", above, g, zero)
    rest = g if above is None else b.emit("Where", above, zero, g)
    by_low = None if below is None else b.emit("Where", below, rest, zero)
    by_x = rest if below is None else b.emit("Where", below, zero, rest)
    return (by_x, by_low, by_high)[: len(node.inputs)]


CLIP = OpDef(
    name="Clip",
    inputs=("x", "min?", "max?"),
    infer=_clip_type,
    vjp=_clip_vjp,
    doc="x cut to the scalars min and max; max where min > max.",
    traits=frozenset({Trait.ELEMENTWISE, Trait.IDEMPOTENT, Trait.NON_SMOOTH}),
    cost=elementwise_cost(2),
)

# -- Cast -------------------------------------------------------------------------------------------------------------


def _cast_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    return (operand(types, 0).with_dtype(attributes["to"]),)


def _cast_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x,), (g,) = node.inputs, grads
    assert x is not None
    assert g is not None
    if not is_float(x.type.dtype) or not is_float(node.output.type.dtype):
        return (None,)
    return (b.emit("Cast", g, to=x.type.dtype),)


CAST = OpDef(
    name="Cast",
    inputs=("x",),
    infer=_cast_type,
    vjp=_cast_vjp,
    doc="x in another dtype: floats lose their fraction as integers, and anything but zero is True.",
    attributes={"to": Attribute("dtype", doc="The new dtype.")},
    traits=frozenset({Trait.ELEMENTWISE, Trait.LINEAR}),
    cost=elementwise_cost(),
)

# -- Identity and StopGradient ----------------------------------------------------------------------------------------

IDENTITY = unary("Identity", lambda _b, _x, _out, g: g, "x itself.", allowed=DTYPES, cost=0,
                 traits=(Trait.IDEMPOTENT, Trait.LINEAR, Trait.MOVEMENT))  # fmt: skip

STOP_GRADIENT = OpDef(
    name="StopGradient",
    inputs=("x",),
    infer=lambda types, _attributes: (operand(types, 0),),
    vjp=zero_gradient,
    doc="x itself, taken as a constant by gradients.",
    traits=frozenset({Trait.ELEMENTWISE, Trait.IDEMPOTENT, Trait.MOVEMENT}),
    domain=Domain.GRAPHC,
)

OPS = (WHERE, CLIP, CAST, IDENTITY, STOP_GRADIENT)
