"""NumPy kernels of `graphc.ops.activation`.

``x.clip(0, inf, out)`` stands for ``maximum(x, 0)``: it carries NaN through as well, and takes a third of the time.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from graphc.ops.activation import GELU_TANH_CUBIC, GELU_TANH_SCALE
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_blocks import Body, passes
from graphc.runtimes.np_erf import ERF_SCRATCH, erf
from graphc.runtimes.np_half import in_float32
from graphc.runtimes.np_select import as_bits, keep_where

_ROOT_HALF = math.sqrt(0.5)


def _relu(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    if out.dtype == np.float16:
        return partial(np.maximum, x, 0.0, out=out)
    zero, infinity = np.array(0.0, out.dtype), np.array(np.inf, out.dtype)
    return partial(x.clip, zero, infinity, out)


def _relu_grad(call: Call) -> Step:
    (g, y), (out,) = call.inputs, call.outputs
    mask = call.scratch(out.shape, bool)
    g_bits, out_bits = as_bits(g), as_bits(out)

    def relu_grad() -> None:
        np.greater(y, 0.0, mask)
        keep_where(mask, g_bits, out_bits)

    return relu_grad


def _thresholded_relu(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    alpha = call.attributes["alpha"]
    mask = call.scratch(out.shape, bool)
    x_bits, out_bits = as_bits(x), as_bits(out)

    def thresholded_relu() -> None:
        np.greater(x, alpha, mask)
        keep_where(mask, x_bits, out_bits)

    return thresholded_relu


def _prelu(call: Call) -> Step:
    (x, slope), (out,) = call.inputs, call.outputs
    negative = call.scratch(out.shape, out.dtype)

    def prelu() -> None:
        x.clip(-np.inf, 0.0, negative)
        np.multiply(negative, slope, negative)
        x.clip(0.0, np.inf, out)
        np.add(out, negative, out)

    return prelu


def _leaky_relu(alpha: float) -> Body:
    def leaky_relu(x: Array, out: Array, negative: Array) -> None:
        x.clip(-np.inf, 0.0, negative)
        np.multiply(negative, alpha, negative)
        x.clip(0.0, np.inf, out)
        np.add(out, negative, out)

    return leaky_relu


def _exponential(alpha: float, gamma: float = 1.0, scale: float = 1.0) -> Body:
    """``gamma * (x if x > 0 else alpha * (e**(x / scale) - 1))``."""

    def exponential(x: Array, out: Array, negative: Array) -> None:
        x.clip(-np.inf, 0.0, negative)
        if scale != 1.0:
            np.divide(negative, scale, negative)
        np.expm1(negative, negative)
        if alpha != 1.0:
            np.multiply(negative, alpha, negative)
        x.clip(0.0, np.inf, out)
        np.add(out, negative, out)
        if gamma != 1.0:
            np.multiply(out, gamma, out)

    return exponential


def _sigmoid(x: Array, out: Array) -> None:
    # Where e**-x overflows, 1 / inf is the right 0.
    np.negative(x, out)
    np.exp(out, out)
    np.add(out, 1.0, out)
    np.divide(1.0, out, out)


def _hard_sigmoid(alpha: float, beta: float) -> Body:
    def hard_sigmoid(x: Array, out: Array) -> None:
        np.multiply(x, alpha, out)
        np.add(out, beta, out)
        out.clip(0.0, 1.0, out)

    return hard_sigmoid


def _hard_swish(x: Array, out: Array, gate: Array) -> None:
    np.multiply(x, 1.0 / 6.0, gate)
    np.add(gate, 0.5, gate)
    gate.clip(0.0, 1.0, gate)
    np.multiply(x, gate, out)


def _softplus(x: Array, out: Array, tail: Array) -> None:
    # max(x, 0) + log(1 + e**-|x|): nothing overflows, and small results keep their relative precision.
    np.absolute(x, tail)
    np.negative(tail, tail)
    np.exp(tail, tail)
    np.log1p(tail, tail)
    x.clip(0.0, np.inf, out)
    np.add(out, tail, out)


def _softsign(x: Array, out: Array, size: Array) -> None:
    np.absolute(x, size)
    np.add(size, 1.0, size)
    np.divide(x, size, out)


def _gelu_erf(x: Array, out: Array, gate: Array, *scratch: Array) -> None:
    np.multiply(x, _ROOT_HALF, gate)
    erf(gate, gate, *scratch)
    np.add(gate, 1.0, gate)
    np.multiply(gate, x, gate)
    np.multiply(gate, 0.5, out)


def _gelu_tanh(x: Array, out: Array, gate: Array, *_scratch: Array) -> None:
    np.multiply(x, x, gate)
    np.multiply(gate, GELU_TANH_SCALE * GELU_TANH_CUBIC, gate)
    np.add(gate, GELU_TANH_SCALE, gate)
    np.multiply(gate, x, gate)
    np.tanh(gate, gate)
    np.add(gate, 1.0, gate)
    np.multiply(gate, x, gate)
    np.multiply(gate, 0.5, out)


def _mish(x: Array, out: Array, top: Array, bottom: Array) -> None:
    # tanh(log(1 + e)) is n / (n + 2) with n = e * (e + 2), which is 1 in float64 long before e = e**20 overflows.
    x.clip(-np.inf, 20.0, top)
    np.exp(top, top)
    np.add(top, 2.0, bottom)
    np.multiply(top, bottom, top)
    np.add(top, 2.0, bottom)
    np.divide(top, bottom, top)
    np.multiply(x, top, out)


KERNELS: dict[str, Kernel] = {
    "Relu": Kernel(_relu, in_place=True),
    "ReluGrad": Kernel(_relu_grad, in_place=True),
    "LeakyRelu": passes(lambda a: _leaky_relu(a["alpha"]), scratch=1),
    "Elu": passes(lambda a: _exponential(a["alpha"]), scratch=1),
    "Selu": passes(lambda a: _exponential(a["alpha"], a["gamma"]), scratch=1),
    "Celu": passes(lambda a: _exponential(a["alpha"], scale=a["alpha"]), scratch=1),
    "Sigmoid": passes(lambda _: _sigmoid),
    "HardSigmoid": passes(lambda a: _hard_sigmoid(a["alpha"], a["beta"])),
    "HardSwish": passes(lambda _: _hard_swish, scratch=1),
    "Softplus": passes(lambda _: _softplus, scratch=1),
    "Softsign": passes(lambda _: _softsign, scratch=1),
    "Gelu": passes(lambda a: _gelu_erf if a["approximate"] == "none" else _gelu_tanh, scratch=1 + ERF_SCRATCH),
    "Mish": passes(lambda _: _mish, scratch=2),
    "ThresholdedRelu": Kernel(_thresholded_relu, in_place=True),
    "PRelu": Kernel(in_float32(_prelu), in_place=True),
}
