"""Ops without operands: what comes from outside, state, constants, and a dim as a number."""

from __future__ import annotations

from graphc.ir import dtypes
from graphc.ir.types import TensorType
from graphc.ops.opdef import Attribute, Attributes, Domain, NotDifferentiable, OpDef, Trait, Types

_LEAF = NotDifferentiable("it is a leaf: the sweep stops here")


def _declared(_types: Types, attributes: Attributes) -> tuple[TensorType, ...]:
    return (TensorType.of(attributes["dtype"], attributes["shape"]),)


def _constant(_types: Types, attributes: Attributes) -> tuple[TensorType, ...]:
    value = attributes["value"]
    return (TensorType(dtypes.standardize_dtype(value.dtype), value.shape),)


def _scalar(_types: Types, attributes: Attributes) -> tuple[TensorType, ...]:
    return (TensorType(attributes["dtype"], ()),)


INPUT = OpDef(
    name="Input",
    inputs=(),
    infer=_declared,
    vjp=_LEAF,
    doc="A value fed from outside; its node's name is the name of the feed.",
    attributes={"dtype": Attribute("dtype"), "shape": Attribute("dims")},
    traits=frozenset({Trait.SOURCE}),
    domain=Domain.GRAPHC,
)

STATE = OpDef(
    name="State",
    inputs=(),
    infer=_declared,
    vjp=_LEAF,
    doc="The value of a named state (parameter, optimizer slot, counter) when the graph starts.",
    attributes={"state": Attribute("str"), "dtype": Attribute("dtype"), "shape": Attribute("dims")},
    traits=frozenset({Trait.SOURCE}),
    domain=Domain.GRAPHC,
)

CONSTANT = OpDef(
    name="Constant",
    inputs=(),
    infer=_constant,
    vjp=_LEAF,
    doc="A read-only array.",
    attributes={"value": Attribute("tensor")},
    traits=frozenset({Trait.SOURCE}),
)

DIM_SIZE = OpDef(
    name="DimSize",
    inputs=(),
    infer=_scalar,
    vjp=NotDifferentiable("a length is not a number that data changes"),
    doc="The length that a named dim, or an expression of them, has for the data at hand, as a scalar.",
    attributes={"dim": Attribute("dim"), "dtype": Attribute("dtype", "int64")},
    domain=Domain.GRAPHC,
)

OPS = (INPUT, STATE, CONSTANT, DIM_SIZE)
