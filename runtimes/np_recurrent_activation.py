"""Activations of recurrent kernels: applied in place to a block of gates, and their slopes found from their values.

Only the value of an activation is kept for the gradient, so every slope here is a function of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphc.ops.recurrent_types import Activation
from graphc.runtimes.kernel import Array

Apply = Callable[[Array, Array], object]
"""``apply(x, tail)`` replaces ``x`` by its activation; ``tail`` is scratch of the same shape."""
Slope = Callable[[Array, Array], object]
"""``slope(y, out)`` writes the derivative where the activation's value is ``y``."""


def apply_in_place(activation: Activation) -> Apply:
    """The activation as a function of a block that it overwrites."""
    return _APPLY[activation.name](activation.alpha, activation.beta)


def slope_from_value(activation: Activation) -> Slope:
    """The activation's derivative as a function of its value."""
    return _SLOPE[activation.name](activation.alpha, activation.beta)


# -- values -----------------------------------------------------------------------------------------------------------


def _tanh(x: Array, _tail: Array) -> None:
    np.tanh(x, x)


def _sigmoid(x: Array, tail: Array) -> None:
    # Where e**-x overflows, 1 / inf is the right 0. In contiguous scratch the passes between take a third of the time
    # that they take in a block of gates, whose rows lie apart.
    np.negative(x, tail)
    np.exp(tail, tail)
    np.add(tail, 1.0, tail)
    np.divide(1.0, tail, x)


def _relu(x: Array, _tail: Array) -> None:
    np.maximum(x, 0.0, out=x)


def _softsign(x: Array, tail: Array) -> None:
    np.absolute(x, tail)
    np.add(tail, 1.0, tail)
    np.divide(x, tail, x)


def _softplus(x: Array, tail: Array) -> None:
    # max(x, 0) + log(1 + e**-|x|): nothing overflows.
    np.absolute(x, tail)
    np.negative(tail, tail)
    np.exp(tail, tail)
    np.log1p(tail, tail)
    np.maximum(x, 0.0, out=x)
    np.add(x, tail, x)


def _leaky_relu(alpha: float, _beta: float) -> Apply:
    def apply(x: Array, tail: Array) -> None:
        np.minimum(x, 0.0, out=tail)
        np.multiply(tail, alpha, tail)
        np.maximum(x, 0.0, out=x)
        np.add(x, tail, x)

    return apply


def _thresholded_relu(alpha: float, _beta: float) -> Apply:
    def apply(x: Array, tail: Array) -> None:
        np.greater(x, alpha, tail)
        np.multiply(x, tail, x)

    return apply


def _elu(alpha: float, _beta: float) -> Apply:
    def apply(x: Array, tail: Array) -> None:
        np.minimum(x, 0.0, out=tail)
        np.expm1(tail, tail)
        np.multiply(tail, alpha, tail)
        np.maximum(x, 0.0, out=x)
        np.add(x, tail, x)

    return apply


def _hard_sigmoid(alpha: float, beta: float) -> Apply:
    def apply(x: Array, _tail: Array) -> None:
        np.multiply(x, alpha, x)
        np.add(x, beta, x)
        x.clip(0.0, 1.0, x)

    return apply


def _scaled_tanh(alpha: float, beta: float) -> Apply:
    def apply(x: Array, _tail: Array) -> None:
        np.multiply(x, beta, x)
        np.tanh(x, x)
        np.multiply(x, alpha, x)

    return apply


def _affine(alpha: float, beta: float) -> Apply:
    def apply(x: Array, _tail: Array) -> None:
        if alpha != 1.0:
            np.multiply(x, alpha, x)
        if beta != 0.0:
            np.add(x, beta, x)

    return apply


_APPLY: dict[str, Callable[[float, float], Apply]] = {
    "Tanh": lambda alpha, beta: _tanh,
    "Sigmoid": lambda alpha, beta: _sigmoid,
    "Relu": lambda alpha, beta: _relu,
    "Softsign": lambda alpha, beta: _softsign,
    "Softplus": lambda alpha, beta: _softplus,
    "LeakyRelu": _leaky_relu,
    "ThresholdedRelu": _thresholded_relu,
    "Elu": _elu,
    "HardSigmoid": _hard_sigmoid,
    "ScaledTanh": _scaled_tanh,
    "Affine": _affine,
}


# -- slopes -----------------------------------------------------------------------------------------------------------


def _tanh_slope(y: Array, out: Array) -> None:
    np.multiply(y, y, out)
    np.subtract(1.0, out, out)


def _sigmoid_slope(y: Array, out: Array) -> None:
    np.subtract(1.0, y, out)
    np.multiply(out, y, out)


def _relu_slope(y: Array, out: Array) -> None:
    np.greater(y, 0.0, out)


def _softsign_slope(y: Array, out: Array) -> None:
    # y = x / (1 + |x|), so 1 - |y| is 1 / (1 + |x|), and the slope is its square.
    np.absolute(y, out)
    np.subtract(1.0, out, out)
    np.multiply(out, out, out)


def _softplus_slope(y: Array, out: Array) -> None:
    # y = log(1 + e**x), so the slope, the sigmoid of x, is 1 - e**-y.
    np.negative(y, out)
    np.expm1(out, out)
    np.negative(out, out)


def _leaky_relu_slope(alpha: float, _beta: float) -> Slope:
    def slope(y: Array, out: Array) -> None:
        np.greater(y, 0.0, out)
        np.multiply(out, 1.0 - alpha, out)
        np.add(out, alpha, out)

    return slope


def _elu_slope(alpha: float, _beta: float) -> Slope:
    def slope(y: Array, out: Array) -> None:
        np.add(y, alpha, out)
        np.copyto(out, 1.0, where=np.greater(y, 0.0))

    return slope


def _hard_sigmoid_slope(alpha: float, _beta: float) -> Slope:
    def slope(y: Array, out: Array) -> None:
        np.greater(y, 0.0, out)
        np.multiply(out, alpha, out)
        np.copyto(out, 0.0, where=np.greater_equal(y, 1.0))

    return slope


def _scaled_tanh_slope(alpha: float, beta: float) -> Slope:
    def slope(y: Array, out: Array) -> None:
        np.multiply(y, y, out)
        np.multiply(out, -beta / alpha, out)
        np.add(out, alpha * beta, out)

    return slope


def _thresholded_relu_slope(y: Array, out: Array) -> None:
    np.not_equal(y, 0.0, out)


_SLOPE: dict[str, Callable[[float, float], Slope]] = {
    "Tanh": lambda alpha, beta: _tanh_slope,
    "Sigmoid": lambda alpha, beta: _sigmoid_slope,
    "Relu": lambda alpha, beta: _relu_slope,
    "Softsign": lambda alpha, beta: _softsign_slope,
    "Softplus": lambda alpha, beta: _softplus_slope,
    "LeakyRelu": _leaky_relu_slope,
    "ThresholdedRelu": lambda alpha, beta: _thresholded_relu_slope,
    "Elu": _elu_slope,
    "HardSigmoid": _hard_sigmoid_slope,
    "ScaledTanh": _scaled_tanh_slope,
    "Affine": lambda alpha, beta: lambda y, out: out.fill(alpha),
}
