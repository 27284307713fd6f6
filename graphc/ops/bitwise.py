"""Operations on the bits of integers. Operands broadcast as in NumPy; arithmetic wraps around."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.dtypes import INT_DTYPES, is_unsigned
from graphc.ops.elementwise import binary, unary
from graphc.ops.opdef import Attribute, NotDifferentiable, OpDef, Trait

_INTEGER = NotDifferentiable("its operands are integers")
_UNSIGNED = tuple(d for d in INT_DTYPES if is_unsigned(d))


def _combine(name: str, doc: str, traits: Sequence[Trait] = (Trait.COMMUTATIVE,)) -> OpDef:
    return binary(name, _INTEGER, doc, allowed=INT_DTYPES, traits=traits)


OPS = (
    _combine("BitwiseAnd", "x & y."),
    _combine("BitwiseOr", "x | y."),
    _combine("BitwiseXor", "x ^ y."),
    unary("BitwiseNot", _INTEGER, "~x.", allowed=INT_DTYPES, traits=(Trait.INVOLUTION,)),
    binary("BitShift", _INTEGER, "x << y or x >> y, for unsigned x and y below the number of bits.", allowed=_UNSIGNED,
           attributes={"direction": Attribute("str", doc="Towards the high bits or the low ones.",
                                              choices=("LEFT", "RIGHT"))}),
)  # fmt: skip
