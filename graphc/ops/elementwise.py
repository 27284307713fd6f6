"""Element-wise arithmetic and mathematical functions of one operand, or of two that broadcast as in NumPy.

Gradient rules name the operands ``x`` (and ``y``), the result ``out`` and its gradient ``g``. They may return gradients
of the broadcast shape: the reverse sweep sums them back to the operand's shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from graphc.errors import DTypeError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dtypes import FLOAT_DTYPES, NUMERIC_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, broadcast_shapes
from graphc.ops.opdef import (
    VJP,
    Attribute,
    Attributes,
    Domain,
    NotDifferentiable,
    OpDef,
    Trait,
    Types,
    elementwise_cost,
    need_dtype,
    operand,
    present,
    same_dtype,
)

UnaryRule = Callable[[Builder, Value, Value, Value], Value]
BinaryRule = Callable[[Builder, Value, Value, Value, Value], tuple[Value | None, Value | None]]


def scalar(b: Builder, value: float, like: Value) -> Value:
    """A rank-0 constant of another value's dtype."""
    return b.constant(value, dtype=like.type.dtype)


def unary_type(op: str, allowed: Sequence[str]) -> Callable[[Types, Attributes], tuple[TensorType]]:
    """The type rule of an op whose result has its operand's type."""

    def infer(types: Types, _attributes: Attributes) -> tuple[TensorType]:
        x = operand(types, 0)
        need_dtype(op, x, allowed)
        return (x,)

    return infer


def broadcast_type(
    op: str, allowed: Sequence[str], result_dtype: str | None = None
) -> Callable[[Types, Attributes], tuple[TensorType]]:
    """The type rule of an op whose operands have one dtype and broadcast."""

    def infer(types: Types, _attributes: Attributes) -> tuple[TensorType]:
        dtype = same_dtype(op, types)
        if dtype not in allowed:
            raise DTypeError(f"{op}: operands must have one of the dtypes {', '.join(allowed)}; got {dtype}.")
        try:
            shape = broadcast_shapes(*(t.shape for t in present(types)))
        except ShapeError as error:
            raise ShapeError(f"{op}: {error}") from None
        return (TensorType(result_dtype or dtype, shape),)

    return infer


def unary(
    name: str,
    vjp: UnaryRule | NotDifferentiable | None,
    doc: str,
    *,
    allowed: Sequence[str] = FLOAT_DTYPES,
    traits: Sequence[Trait] = (),
    cost: int = 1,
    domain: Domain = Domain.ONNX,
    attributes: dict[str, Attribute] | None = None,
) -> OpDef:
    """Declare an op of one operand. ``vjp=None`` means that the gradient is zero wherever it exists."""
    rule: VJP | NotDifferentiable
    if isinstance(vjp, NotDifferentiable):
        rule = vjp
    elif vjp is None:
        rule = zero_gradient
    else:
        gradient = vjp

        def rule(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
            (x,), (g,) = node.inputs, grads
            assert x is not None
            assert g is not None
            return (gradient(b, x, node.output, g),)

    return OpDef(
        name=name,
        inputs=("x",),
        infer=unary_type(name, allowed),
        vjp=rule,
        doc=doc,
        attributes=attributes or {},
        traits=frozenset({Trait.ELEMENTWISE, *traits}),
        cost=elementwise_cost(cost),
        domain=domain,
    )


def binary(
    name: str,
    vjp: BinaryRule | NotDifferentiable | None,
    doc: str,
    *,
    allowed: Sequence[str] = NUMERIC_DTYPES,
    result_dtype: str | None = None,
    traits: Sequence[Trait] = (),
    domain: Domain = Domain.ONNX,
    attributes: dict[str, Attribute] | None = None,
) -> OpDef:
    """Declare an op of two operands that broadcast. ``vjp=None``: the gradient is zero wherever it exists."""
    rule: VJP | NotDifferentiable
    if isinstance(vjp, NotDifferentiable):
        rule = vjp
    elif vjp is None:
        rule = zero_gradient
    else:
        gradient = vjp

        def rule(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
            (x, y), (g,) = node.inputs, grads
            assert x is not None
            assert y is not None
            assert g is not None
            return gradient(b, x, y, node.output, g)

    return OpDef(
        name=name,
        inputs=("x", "y"),
        infer=broadcast_type(name, allowed, result_dtype),
        vjp=rule,
        doc=doc,
        attributes=attributes or {},
        traits=frozenset({Trait.ELEMENTWISE, *traits}),
        cost=elementwise_cost(),
        domain=domain,
    )


def zero_gradient(_b: Builder, node: Node, _grads: Sequence[Value | None]) -> Sequence[Value | None]:
    """The VJP of a piecewise constant op: zero wherever it exists."""
    return (None,) * len(node.inputs)


# -- gradients of one operand -----------------------------------------------------------------------------------------


def _abs(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    return b.emit("Mul", g, b.emit("Sign", x))


def _sqrt(b: Builder, _x: Value, out: Value, g: Value) -> Value:
    return b.emit("Div", b.emit("Mul", g, scalar(b, 0.5, g)), out)


def _reciprocal(b: Builder, _x: Value, out: Value, g: Value) -> Value:
    return b.emit("Neg", b.emit("Mul", g, b.emit("Mul", out, out)))


def _one_plus_square(b: Builder, x: Value, sign: float = 1.0) -> Value:
    """``1 + sign * x**2``."""
    square = b.emit("Mul", x, x)
    return b.emit("Add" if sign > 0 else "Sub", scalar(b, 1.0, x), square)


def _asin(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    return b.emit("Div", g, b.emit("Sqrt", _one_plus_square(b, x, -1.0)))


def _acosh(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    return b.emit("Div", g, b.emit("Sqrt", b.emit("Sub", b.emit("Mul", x, x), scalar(b, 1.0, x))))


def _asinh(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    return b.emit("Div", g, b.emit("Sqrt", _one_plus_square(b, x)))


def _tan(b: Builder, _x: Value, out: Value, g: Value) -> Value:
    return b.emit("Mul", g, _one_plus_square(b, out))


def _tanh(b: Builder, _x: Value, out: Value, g: Value) -> Value:
    return b.emit("Mul", g, _one_plus_square(b, out, -1.0))


def _erf(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    bell = b.emit("Exp", b.emit("Neg", b.emit("Mul", x, x)))
    return b.emit("Mul", g, b.emit("Mul", bell, scalar(b, 2.0 / math.sqrt(math.pi), x)))


# -- gradients of two operands ----------------------------------------------------------------------------------------


def _mul(b: Builder, x: Value, y: Value, _out: Value, g: Value) -> tuple[Value, Value]:
    return b.emit("Mul", g, y), b.emit("Mul", g, x)


def _div(b: Builder, _x: Value, y: Value, out: Value, g: Value) -> tuple[Value, Value]:
    by_x = b.emit("Div", g, y)
    return by_x, b.emit("Neg", b.emit("Mul", by_x, out))


def _pow(b: Builder, x: Value, y: Value, out: Value, g: Value) -> tuple[Value, Value]:
    one, zero = scalar(b, 1.0, y), scalar(b, 0.0, y)
    less_one = b.emit("Sub", y, one)
    if not _is_nonzero_constant(y):
        # x ** 0 is 1 even at x = 0, where x ** -1 is infinite and 0 * inf would be NaN.
        less_one = b.emit("Where", b.emit("Equal", y, zero), one, less_one)
    by_x = b.emit("Mul", g, b.emit("Mul", y, b.emit("Pow", x, less_one)))
    # log(x) is taken only where x > 0; elsewhere d(x**y)/dy is zero (x == 0) or not real, and JAX gives zero too.
    positive = b.emit("Greater", x, scalar(b, 0.0, x))
    log = b.emit("Log", b.emit("Where", positive, x, scalar(b, 1.0, x)))
    return by_x, b.emit("Mul", g, b.emit("Mul", out, log))


def _is_nonzero_constant(value: Value) -> bool:
    return value.producer.op == "Constant" and bool(value.producer.attributes["value"].all())


def _extreme(compare: str) -> BinaryRule:
    def gradient(b: Builder, x: Value, y: Value, _out: Value, g: Value) -> tuple[Value, Value]:
        # Ties share the gradient equally, as in JAX and PyTorch.
        half = b.emit("Mul", g, scalar(b, 0.5, g))
        zero = scalar(b, 0.0, g)
        tie = b.emit("Equal", x, y)
        by_x = b.emit("Where", tie, half, b.emit("Where", b.emit(compare, x, y), g, zero))
        by_y = b.emit("Where", tie, half, b.emit("Where", b.emit(compare, y, x), g, zero))
        return by_x, by_y

    return gradient


def _mod(b: Builder, x: Value, y: Value, out: Value, g: Value) -> tuple[Value, Value]:
    # out = x - y * quotient, and the quotient is piecewise constant: floor(x / y), or trunc(x / y) for fmod. Dividing
    # what is left after the remainder and rounding gives it even where x / y itself rounds up to a whole number.
    quotient = b.emit("Round", b.emit("Div", b.emit("Sub", x, out), y))
    return g, b.emit("Neg", b.emit("Mul", g, quotient))


OPS = (
    unary("Neg", lambda b, _x, _out, g: b.emit("Neg", g), "-x.", allowed=NUMERIC_DTYPES,
          traits=(Trait.INVOLUTION, Trait.LINEAR)),
    unary("Abs", _abs, "|x|.", allowed=NUMERIC_DTYPES, traits=(Trait.IDEMPOTENT, Trait.NON_SMOOTH)),
    unary("Sign", None, "-1, 0 or 1; the gradient is zero.", allowed=NUMERIC_DTYPES, traits=(Trait.IDEMPOTENT,)),
    unary("Floor", None, "The largest integer not above x.", traits=(Trait.IDEMPOTENT,)),
    unary("Ceil", None, "The smallest integer not below x.", traits=(Trait.IDEMPOTENT,)),
    unary("Round", None, "The nearest integer; halves go to the even one, as in NumPy.", traits=(Trait.IDEMPOTENT,)),
    unary("Sqrt", _sqrt, "The square root."),
    unary("Reciprocal", _reciprocal, "1 / x."),
    unary("Exp", lambda b, _x, out, g: b.emit("Mul", g, out), "e**x.", cost=8),
    unary("Log", lambda b, x, _out, g: b.emit("Div", g, x), "The natural logarithm.", cost=8),
    unary("Expm1", lambda b, _x, out, g: b.emit("Mul", g, b.emit("Add", out, scalar(b, 1.0, out))),
          "e**x - 1, exact near zero.", cost=8, domain=Domain.GRAPHC),
    unary("Log1p", lambda b, x, _out, g: b.emit("Div", g, b.emit("Add", x, scalar(b, 1.0, x))),
          "log(1 + x), exact near zero.", cost=8, domain=Domain.GRAPHC),
    unary("Sin", lambda b, x, _out, g: b.emit("Mul", g, b.emit("Cos", x)), "The sine of x in radians.", cost=8),
    unary("Cos", lambda b, x, _out, g: b.emit("Neg", b.emit("Mul", g, b.emit("Sin", x))),
          "The cosine of x in radians.", cost=8),
    unary("Tan", _tan, "The tangent of x in radians.", cost=8),
    unary("Asin", _asin, "The inverse sine, in radians.", cost=8),
    unary("Acos", lambda b, x, out, g: b.emit("Neg", _asin(b, x, out, g)), "The inverse cosine, in radians.", cost=8),
    unary("Atan", lambda b, x, _out, g: b.emit("Div", g, _one_plus_square(b, x)),
          "The inverse tangent, in radians.", cost=8),
    unary("Sinh", lambda b, x, _out, g: b.emit("Mul", g, b.emit("Cosh", x)), "The hyperbolic sine.", cost=8),
    unary("Cosh", lambda b, x, _out, g: b.emit("Mul", g, b.emit("Sinh", x)), "The hyperbolic cosine.", cost=8),
    unary("Tanh", _tanh, "The hyperbolic tangent.", cost=8),
    unary("Asinh", _asinh, "The inverse hyperbolic sine.", cost=8),
    unary("Acosh", _acosh, "The inverse hyperbolic cosine.", cost=8),
    unary("Atanh", lambda b, x, _out, g: b.emit("Div", g, _one_plus_square(b, x, -1.0)),
          "The inverse hyperbolic tangent.", cost=8),
    unary("Erf", _erf, "The error function.", cost=8),
    binary("Add", lambda _b, _x, _y, _out, g: (g, g), "x + y.", traits=(Trait.COMMUTATIVE, Trait.LINEAR)),
    binary("Sub", lambda b, _x, _y, _out, g: (g, b.emit("Neg", g)), "x - y.", traits=(Trait.LINEAR,)),
    binary("Mul", _mul, "x * y.", traits=(Trait.COMMUTATIVE,)),
    binary("Div", _div, "x / y; integers are truncated towards zero."),
    binary("Pow", _pow, "x ** y."),
    binary("Max", _extreme("Greater"), "The larger; NaN if either is.", traits=(Trait.NON_SMOOTH,)),
    binary("Min", _extreme("Less"), "The smaller; NaN if either is.", traits=(Trait.NON_SMOOTH,)),
    binary("Mod", _mod, "The remainder: with the divisor's sign (fmod=0), or the dividend's (fmod=1).",
           traits=(Trait.NON_SMOOTH,),
           attributes={"fmod": Attribute("int", 0, "Whose sign: 0 as Python's %, 1 as C's fmod.")}),
)  # fmt: skip
