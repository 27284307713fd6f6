"""Comparisons and logic: element-wise ops whose result is boolean. Operands broadcast as in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.dtypes import DTYPES, FLOAT_DTYPES, NUMERIC_DTYPES
from graphc.ir.types import TensorType
from graphc.ops.elementwise import binary, unary
from graphc.ops.opdef import (
    Attribute,
    Attributes,
    NotDifferentiable,
    OpDef,
    Trait,
    Types,
    elementwise_cost,
    need_dtype,
    operand,
)

_BOOLEAN = NotDifferentiable("its result is boolean")


def _compare(name: str, doc: str, allowed: Sequence[str] = NUMERIC_DTYPES, traits: Sequence[Trait] = ()) -> OpDef:
    return binary(name, _BOOLEAN, doc, allowed=allowed, result_dtype="bool", traits=traits)


def _test(name: str, doc: str, attributes: dict[str, Attribute] | None = None) -> OpDef:
    def infer(types: Types, _attributes: Attributes) -> tuple[TensorType]:
        x = operand(types, 0)
        need_dtype(name, x, FLOAT_DTYPES)
        return (x.with_dtype("bool"),)

    return OpDef(
        name=name,
        inputs=("x",),
        infer=infer,
        vjp=_BOOLEAN,
        doc=doc,
        attributes=attributes or {},
        traits=frozenset({Trait.ELEMENTWISE}),
        cost=elementwise_cost(),
    )


_SIGNS = {
    "detect_negative": Attribute("int", 1, "0: minus infinity does not count."),
    "detect_positive": Attribute("int", 1, "0: plus infinity does not count."),
}

OPS = (
    _compare("Equal", "x == y; NaN equals nothing.", DTYPES, (Trait.COMMUTATIVE,)),
    _compare("Greater", "x > y; False where either is NaN."),
    _compare("GreaterOrEqual", "x >= y; False where either is NaN."),
    _compare("Less", "x < y; False where either is NaN."),
    _compare("LessOrEqual", "x <= y; False where either is NaN."),
    _compare("And", "x and y.", ("bool",), (Trait.COMMUTATIVE,)),
    _compare("Or", "x or y.", ("bool",), (Trait.COMMUTATIVE,)),
    _compare("Xor", "x or y, and not both.", ("bool",), (Trait.COMMUTATIVE,)),
    unary("Not", _BOOLEAN, "not x.", allowed=("bool",), traits=(Trait.INVOLUTION,)),
    _test("IsNaN", "True where x is not a number."),
    _test("IsInf", "True where x is infinite.", _SIGNS),
)
