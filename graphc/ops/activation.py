"""Activation functions: element-wise functions of one operand that networks put between layers.

Names, attributes and defaults are ONNX's. ``ReluGrad`` is ours: the gradient of the commonest activation takes one node
and no buffer for a mask. The other gradients are written with the ordinary element-wise ops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dtypes import FLOAT_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType
from graphc.ops.elementwise import broadcast_type, scalar, unary
from graphc.ops.opdef import Attribute, Attributes, Domain, OpDef, Trait, Types, elementwise_cost, operand

# ONNX's defaults: the float32 values nearest to those of "Self-Normalizing Neural Networks" (Klambauer et al. 2017).
SELU_ALPHA = 1.67326319217681884765625
SELU_GAMMA = 1.05070102214813232421875

# x / 2 * (1 + tanh(scale * (x + cubic * x**3))), from "Gaussian Error Linear Units" (Hendrycks and Gimpel 2016).
GELU_TANH_SCALE = math.sqrt(2.0 / math.pi)
GELU_TANH_CUBIC = 0.044715


def _attribute(out: Value, name: str) -> Any:
    """An attribute of the node that made a result."""
    return out.producer.attributes[name]


# -- gradients --------------------------------------------------------------------------------------------------------


def _relu(b: Builder, _x: Value, out: Value, g: Value) -> Value:
    return b.emit("ReluGrad", g, out)


def _where_positive(b: Builder, x: Value, g: Value, otherwise: Value) -> Value:
    return b.emit("Where", b.emit("Greater", x, scalar(b, 0.0, x)), g, otherwise)


def _leaky_relu(b: Builder, x: Value, out: Value, g: Value) -> Value:
    return _where_positive(b, x, g, b.emit("Mul", g, scalar(b, _attribute(out, "alpha"), g)))


def _elu(b: Builder, x: Value, out: Value, g: Value) -> Value:
    # alpha * e**x is out + alpha where x <= 0.
    slope = b.emit("Add", out, scalar(b, _attribute(out, "alpha"), out))
    return _where_positive(b, x, g, b.emit("Mul", g, slope))


def _selu(b: Builder, x: Value, out: Value, g: Value) -> Value:
    alpha, gamma = _attribute(out, "alpha"), _attribute(out, "gamma")
    slope = b.emit("Add", out, scalar(b, alpha * gamma, out))
    return b.emit("Mul", g, _where_positive(b, x, scalar(b, gamma, x), slope))


def _celu(b: Builder, x: Value, out: Value, g: Value) -> Value:
    # e**(x / alpha) is out / alpha + 1 where x <= 0.
    slope = b.emit("Add", b.emit("Div", out, scalar(b, _attribute(out, "alpha"), out)), scalar(b, 1.0, out))
    return _where_positive(b, x, g, b.emit("Mul", g, slope))


def _sigmoid(b: Builder, _x: Value, out: Value, g: Value) -> Value:
    return b.emit("Mul", g, b.emit("Mul", out, b.emit("Sub", scalar(b, 1.0, out), out)))


def _hard_sigmoid(b: Builder, _x: Value, out: Value, g: Value) -> Value:
    above = b.emit("Greater", out, scalar(b, 0.0, out))
    below = b.emit("Less", out, scalar(b, 1.0, out))
    sloped = b.emit("Mul", g, scalar(b, _attribute(out, "alpha"), g))
    return b.emit("Where", b.emit("And", above, below), sloped, scalar(b, 0.0, g))


def _hard_swish(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    # 0 below -3, 1 above 3, x / 3 + 1/2 between.
    middle = b.emit("Add", b.emit("Mul", x, scalar(b, 1.0 / 3.0, x)), scalar(b, 0.5, x))
    low = b.emit("Where", b.emit("Greater", x, scalar(b, -3.0, x)), middle, scalar(b, 0.0, x))
    slope = b.emit("Where", b.emit("Less", x, scalar(b, 3.0, x)), low, scalar(b, 1.0, x))
    return b.emit("Mul", g, slope)


def _softplus(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    return b.emit("Mul", g, b.emit("Sigmoid", x))


def _softsign(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    one_plus_abs = b.emit("Add", b.emit("Abs", x), scalar(b, 1.0, x))
    return b.emit("Div", g, b.emit("Mul", one_plus_abs, one_plus_abs))


def _gelu(b: Builder, x: Value, out: Value, g: Value) -> Value:
    half, one = scalar(b, 0.5, x), scalar(b, 1.0, x)
    square = b.emit("Mul", x, x)
    if _attribute(out, "approximate") == "none":
        # Phi(x) + x * phi(x), the normal distribution and its density.
        phi = b.emit("Exp", b.emit("Mul", square, scalar(b, -0.5, x)))
        erf = b.emit("Erf", b.emit("Mul", x, scalar(b, math.sqrt(0.5), x)))
        distribution = b.emit("Mul", half, b.emit("Add", one, erf))
        density = b.emit("Mul", phi, scalar(b, 1.0 / math.sqrt(2.0 * math.pi), x))
        return b.emit("Mul", g, b.emit("Add", distribution, b.emit("Mul", x, density)))
    # With u = a * (x + c * x**3): (1 + tanh u) / 2 + x / 2 * (1 - tanh(u)**2) * a * (1 + 3 * c * x**2).
    a, c = GELU_TANH_SCALE, GELU_TANH_CUBIC
    inner = b.emit("Add", b.emit("Mul", square, scalar(b, a * c, x)), scalar(b, a, x))
    tanh = b.emit("Tanh", b.emit("Mul", x, inner))
    slope = b.emit("Add", b.emit("Mul", square, scalar(b, 3.0 * a * c, x)), scalar(b, a, x))
    sech2 = b.emit("Sub", one, b.emit("Mul", tanh, tanh))
    tail = b.emit("Mul", b.emit("Mul", x, sech2), slope)
    return b.emit("Mul", g, b.emit("Mul", half, b.emit("Add", b.emit("Add", one, tanh), tail)))


def _mish(b: Builder, x: Value, _out: Value, g: Value) -> Value:
    tanh = b.emit("Tanh", b.emit("Softplus", x))
    sech2 = b.emit("Sub", scalar(b, 1.0, x), b.emit("Mul", tanh, tanh))
    tail = b.emit("Mul", b.emit("Mul", x, b.emit("Sigmoid", x)), sech2)
    return b.emit("Mul", g, b.emit("Add", tanh, tail))


def _thresholded_relu(b: Builder, x: Value, out: Value, g: Value) -> Value:
    return b.emit("Where", b.emit("Greater", x, scalar(b, _attribute(out, "alpha"), x)), g, scalar(b, 0.0, g))


# -- ops of two operands ----------------------------------------------------------------------------------------------


def _prelu_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    (result,) = broadcast_type("PRelu", FLOAT_DTYPES)(types, attributes)
    x, slope = operand(types, 0), operand(types, 1)
    if result.shape != x.shape:
        raise ShapeError(f"PRelu: the slope must broadcast to x; got x {x} and slope {slope}.")
    return (result,)


def _prelu_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x, slope), (g,) = node.inputs, grads
    assert x is not None
    assert slope is not None
    assert g is not None
    negative = b.emit("Less", x, scalar(b, 0.0, x))
    by_x = b.emit("Where", negative, b.emit("Mul", g, slope), g)
    by_slope = b.emit("Where", negative, b.emit("Mul", g, x), scalar(b, 0.0, x))
    return by_x, by_slope


def _relu_grad_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    g, y = operand(types, 0), operand(types, 1)
    if g.shape != y.shape:
        raise ShapeError(f"ReluGrad: the gradient and the result must have one shape; got {g} and {y}.")
    return broadcast_type("ReluGrad", FLOAT_DTYPES)(types, attributes)


def _relu_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (_, y), (g,) = node.inputs, grads
    assert y is not None
    assert g is not None
    return b.emit("ReluGrad", g, y), None


PRELU = OpDef(
    name="PRelu",
    inputs=("x", "slope"),
    infer=_prelu_type,
    vjp=_prelu_vjp,
    doc="x where x >= 0, else slope * x; the slope broadcasts to x.",
    traits=frozenset({Trait.ELEMENTWISE, Trait.NON_SMOOTH}),
    cost=elementwise_cost(),
)

RELU_GRAD = OpDef(
    name="ReluGrad",
    inputs=("g", "y"),
    infer=_relu_grad_type,
    vjp=_relu_grad_vjp,
    doc="The gradient of Relu: g where its result y is above zero, else 0.",
    traits=frozenset({Trait.ELEMENTWISE, Trait.NON_SMOOTH, Trait.LINEAR}),
    cost=elementwise_cost(),
    domain=Domain.GRAPHC,
)

_KINK = (Trait.NON_SMOOTH,)
_SIX = {"alpha": Attribute("float", 0.2, "The slope."), "beta": Attribute("float", 0.5, "The value at zero.")}

OPS = (
    unary("Relu", _relu, "max(x, 0).", traits=(Trait.IDEMPOTENT, Trait.NON_SMOOTH)),
    unary("LeakyRelu", _leaky_relu, "x where x >= 0, else alpha * x.", traits=_KINK,
          attributes={"alpha": Attribute("float", 0.01, "The slope below zero.")}),
    unary("Elu", _elu, "x where x > 0, else alpha * (e**x - 1).", traits=_KINK, cost=8,
          attributes={"alpha": Attribute("float", 1.0, "Minus the limit at -inf.")}),
    unary("Selu", _selu, "gamma * (x where x > 0, else alpha * (e**x - 1)).", traits=_KINK, cost=8,
          attributes={"alpha": Attribute("float", SELU_ALPHA), "gamma": Attribute("float", SELU_GAMMA)}),
    unary("Celu", _celu, "max(x, 0) + min(0, alpha * (e**(x / alpha) - 1)).", traits=_KINK, cost=8,
          attributes={"alpha": Attribute("float", 1.0, "Minus the limit at -inf.")}),
    unary("Sigmoid", _sigmoid, "1 / (1 + e**-x).", cost=8),
    unary("HardSigmoid", _hard_sigmoid, "alpha * x + beta, cut to 0 and 1.", traits=_KINK, attributes=_SIX),
    unary("HardSwish", _hard_swish, "x * HardSigmoid(x) with slope 1/6 and value 1/2 at zero.", traits=_KINK),
    unary("Softplus", _softplus, "log(1 + e**x).", cost=16),
    unary("Softsign", _softsign, "x / (1 + |x|)."),
    unary("Gelu", _gelu, "x times the normal distribution at x.", cost=16,
          attributes={"approximate": Attribute("str", "none", "Use the tanh formula.", ("none", "tanh"))}),
    unary("Mish", _mish, "x * tanh(softplus(x)).", cost=24),
    unary("ThresholdedRelu", _thresholded_relu, "x where x > alpha, else 0.", traits=_KINK,
          attributes={"alpha": Attribute("float", 1.0, "The threshold.")}),
    PRELU,
    RELU_GRAD,
)  # fmt: skip
