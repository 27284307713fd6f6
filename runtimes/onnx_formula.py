"""Formulas: how an op is written in ONNX where it has no operator of its own, or ONNX Runtime no kernel for its dtype.

A formula is a function of :class:`Expr` operands that uses Python's operators and `apply`. It says what is computed;
the row made of it emits the nodes, a shared part once, and the last one with the name of the IR node's own output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from graphc.runtimes.onnx_lowering import Lowering, Row, Same

WIDER: Mapping[str, str] = MappingProxyType({"float16": "float32"})
"""float16 formulas are computed in float32, as the kernels of single operators are."""

SMALL_INTEGERS: Mapping[str, str] = MappingProxyType({"int16": "int32", "uint16": "int32"})
"""Integers that ONNX Runtime's CPU provider often has no kernel for; they are computed in a dtype that holds them."""

_NONE: Mapping[str, Any] = MappingProxyType({})


class Expr:
    """An ONNX node that is not emitted yet, or (without inputs) a tensor that exists."""

    __slots__ = ("attributes", "inputs", "op")

    def __init__(
        self, op: str, inputs: Sequence[Expr | float] = (), attributes: Mapping[str, Any] | None = None
    ) -> None:
        self.op = op
        self.inputs = tuple(inputs)
        self.attributes = attributes or {}

    def __add__(self, other: Expr | float) -> Expr:
        return Expr("Add", (self, other))

    def __radd__(self, other: float) -> Expr:
        return Expr("Add", (other, self))

    def __sub__(self, other: Expr | float) -> Expr:
        return Expr("Sub", (self, other))

    def __rsub__(self, other: float) -> Expr:
        return Expr("Sub", (other, self))

    def __mul__(self, other: Expr | float) -> Expr:
        return Expr("Mul", (self, other))

    def __rmul__(self, other: float) -> Expr:
        return Expr("Mul", (other, self))

    def __truediv__(self, other: Expr | float) -> Expr:
        return Expr("Div", (self, other))

    def __rtruediv__(self, other: float) -> Expr:
        return Expr("Div", (other, self))

    def __neg__(self) -> Expr:
        return Expr("Neg", (self,))

    def __xor__(self, other: Expr | int) -> Expr:
        return Expr("BitwiseXor", (self, other))

    def __rshift__(self, other: int) -> Expr:
        return Expr("BitShift", (self, other), {"direction": "RIGHT"})

    def __lt__(self, other: Expr | float) -> Expr:
        return Expr("Less", (self, other))

    def __gt__(self, other: Expr | float) -> Expr:
        return Expr("Greater", (self, other))


def apply(op: str, *operands: Expr | float, **attributes: Any) -> Expr:
    """An ONNX operator of expressions and numbers."""
    return Expr(op, operands, attributes)


def tensor(name: str) -> Expr:
    """A tensor that exists, by name."""
    return Expr(name)


def where(condition: Expr, x: Expr | float, y: Expr | float) -> Expr:
    """``x`` where the condition holds, else ``y``."""
    return Expr("Where", (condition, x, y))


def cast(x: Expr, dtype: str) -> Expr:
    """``x`` in another dtype."""
    return Expr("Cast", (x,), {"to": dtype})


def emit_formula(lowering: Lowering, result: Expr, dtype: str) -> None:
    """Emit the nodes of ``result`` as the node's only output. Numbers become scalars of ``dtype``."""
    names: dict[int, str] = {}

    def name(operand: Expr | float) -> str:
        if not isinstance(operand, Expr):
            return lowering.scalar(operand, dtype)
        if not operand.inputs:
            return operand.op
        if id(operand) not in names:
            inputs = [name(x) for x in operand.inputs]
            (names[id(operand)],) = lowering.emit(operand.op, inputs, **operand.attributes)
        return names[id(operand)]

    lowering.emit(result.op, [name(x) for x in result.inputs], lowering.outputs, **result.attributes)


def formula(function: Callable[..., Expr], wider: Mapping[str, str] = WIDER, like: int = 0) -> Row:
    """The row of an op that is a formula.

    Args:
        function: called with the node's attributes and its operands; gives the result, which is more than an operand.
        wider: dtypes that are computed in another one: operands of that dtype are cast, and the result is cast back.
        like: the operand whose dtype counts.
    """

    def row(lowering: Lowering) -> None:
        dtype = lowering.type(like).dtype
        work = wider.get(dtype, dtype)
        operands = [tensor(name) for name in lowering.inputs]
        if work != dtype:
            operands = [cast(x, work) if _has_dtype(lowering, i, dtype) else x for i, x in enumerate(operands)]
        result = function(lowering.node.attributes, *operands)
        if work != dtype and lowering.node.output.type.dtype == dtype:
            result = cast(result, dtype)
        emit_formula(lowering, result, work)

    return row


def _has_dtype(lowering: Lowering, index: int, dtype: str) -> bool:
    return bool(lowering.inputs[index]) and lowering.type(index).dtype == dtype


def native(dtypes: Sequence[str], otherwise: Row, *, since: int = 0, attributes: tuple[str, ...] = ()) -> Row:
    """The row of an op that is one operator in these dtypes and from this opset on, and something else otherwise."""
    same = Same(attributes=attributes)

    def row(lowering: Lowering) -> None:
        use = same if lowering.type(0).dtype in dtypes and lowering.opset >= since else otherwise
        use(lowering)

    return row


# -- functions that several families need -----------------------------------------------------------------------------


def expm1(x: Expr) -> Expr:
    """``e**x - 1`` without cancellation: ``tanh(x / 2) * (e**x + 1)``."""
    return apply("Tanh", x * 0.5) * (apply("Exp", x) + 1.0)


def log1p(x: Expr) -> Expr:
    """``log(1 + x)`` with the rounding of ``1 + x`` undone where it matters (Kahan; see Goldberg 1991, theorem 4)."""
    one_plus = x + 1.0
    rounded = one_plus - 1.0
    log = apply("Log", one_plus)
    near_zero = where(apply("Equal", rounded, 0.0), x, log * (x / rounded))
    return where(x < 1.0, near_zero, log)


def softplus(x: Expr) -> Expr:
    """``log(1 + e**x)`` without overflow."""
    return apply("Max", x, 0.0) + log1p(apply("Exp", -apply("Abs", x)))
