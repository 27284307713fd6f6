"""Cases of `graphc.ops.activation`."""

from __future__ import annotations

import numpy as np
from op_cases.case import Array, Case
from op_cases.elementwise import erf, unary
from op_cases.values import ALL_FLOATS, SPECIAL, booleans, numbers

SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875
EXTREME = np.array([-1e4, -745.0, -104.0, -88.0, -20.0, -1e-30, 0.0, 1e-30, 17.0, 40.0, 1e4])


def relu(x: Array) -> Array:
    return np.where(np.isnan(x), x, np.where(x > 0, x, 0))


def leaky_relu(x: Array, alpha: float = 0.01) -> Array:
    return np.where(x >= 0, x, alpha * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(x))


def selu(x: Array, alpha: float = SELU_ALPHA, gamma: float = SELU_GAMMA) -> Array:
    return gamma * elu(x, alpha)


def celu(x: Array, alpha: float = 1.0) -> Array:
    return np.maximum(0, x) + np.minimum(0, alpha * np.expm1(x / alpha))


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def hard_sigmoid(x: Array, alpha: float = 0.2, beta: float = 0.5) -> Array:
    return np.clip(alpha * x + beta, 0, 1)


def hard_swish(x: Array) -> Array:
    return x * np.clip(x / 6 + 0.5, 0, 1)


def softplus(x: Array) -> Array:
    return np.logaddexp(x, 0)


def softsign(x: Array) -> Array:
    return x / (1 + np.abs(x))


def gelu(x: Array, approximate: str = "none") -> Array:
    if approximate == "none":
        return np.asarray(0.5 * x * (1 + erf(x / np.sqrt(2))))
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))


def mish(x: Array) -> Array:
    return x * np.tanh(np.logaddexp(x, 0))


def thresholded_relu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > alpha, x, 0)


def prelu(x: Array, slope: Array) -> Array:
    return np.where(x < 0, slope * x, x)


def relu_grad(g: Array, y: Array) -> Array:
    return np.where(y > 0, g, 0)


def smooth_pieces(cases: list[Case]) -> list[Case]:
    """The same cases, with their second order checked too: the op is smooth on both sides of its kink."""
    return [Case(**{**vars(case), "second_order": True}) for case in cases]


def signed_grid(shape: tuple[int, ...]) -> Array:
    return numbers(shape, away_from=(0.0,))


def masked(shape: tuple[int, ...]) -> Array:
    """What a Relu gives: zero or well above."""
    return np.where(booleans(shape), numbers(shape, 0.5, 2.0), 0.0)


CASES: list[Case] = [
    *unary("Relu", relu, away_from=(0.0,)),
    *unary("LeakyRelu", leaky_relu, away_from=(0.0,)),
    *unary("LeakyRelu", leaky_relu, away_from=(0.0,), alpha=0.3),
    Case("LeakyRelu", [signed_grid((3, 4))], leaky_relu, {"alpha": -0.5}, id="negative_slope"),
    Case("LeakyRelu", [signed_grid((3, 4))], leaky_relu, {"alpha": 1.5}, id="steep"),
    *smooth_pieces(unary("Elu", elu, away_from=(0.0,))),
    *smooth_pieces(unary("Elu", elu, away_from=(0.0,), alpha=0.5)),
    *smooth_pieces(unary("Selu", selu, away_from=(0.0,))),
    *smooth_pieces(unary("Selu", selu, away_from=(0.0,), alpha=1.5, gamma=2.0)),
    *smooth_pieces(unary("Celu", celu, away_from=(0.0,))),
    *smooth_pieces(unary("Celu", celu, away_from=(0.0,), alpha=2.0)),
    *unary("Sigmoid", sigmoid, -6.0, 6.0),
    Case("Sigmoid", [EXTREME], sigmoid, differentiate=(), id="extreme"),
    *unary("HardSigmoid", hard_sigmoid, -4.0, 4.0, away_from=(-2.5, 2.5)),
    *unary("HardSigmoid", hard_sigmoid, -6.0, 6.0, away_from=(-3.0, 3.0), alpha=1 / 6, beta=0.5),
    *smooth_pieces(unary("HardSwish", hard_swish, -5.0, 5.0, away_from=(-3.0, 3.0), special=False)),
    Case("HardSwish", [np.array([-1e4, -3.0, -0.0, 0.0, 3.0, 1e4, np.nan])], hard_swish, differentiate=(), id="limits"),
    *unary("Softplus", softplus, -6.0, 6.0),
    Case("Softplus", [EXTREME], softplus, differentiate=(), id="extreme"),
    *unary("Softsign", softsign, away_from=(0.0,)),
    *unary("Gelu", gelu, -4.0, 4.0, special=False),
    *unary("Gelu", gelu, -4.0, 4.0, approximate="tanh", special=False),
    Case("Gelu", [EXTREME], gelu, differentiate=(), id="extreme"),
    Case("Gelu", [EXTREME], gelu, {"approximate": "tanh"}, differentiate=(), id="tanh-extreme"),
    *unary("Mish", mish, -6.0, 6.0, special=False),
    Case("Mish", [EXTREME], mish, differentiate=(), id="extreme"),
    *unary("ThresholdedRelu", thresholded_relu, away_from=(1.0,)),
    *unary("ThresholdedRelu", thresholded_relu, away_from=(-0.5,), alpha=-0.5),
    Case("PRelu", [signed_grid((3, 4)), numbers((3, 4))], prelu, dtypes=ALL_FLOATS, id="full"),
    Case("PRelu", [signed_grid((2, 3, 4)), numbers((4,))], prelu, id="per_channel"),
    Case("PRelu", [signed_grid((2, 3, 4, 5)), numbers((3, 1, 1))], prelu, id="shared_axes"),
    Case("PRelu", [signed_grid((3, 4)), numbers(())], prelu, id="scalar_slope"),
    Case("PRelu", [signed_grid((0, 4)), numbers((1, 4))], prelu, id="empty"),
    Case("PRelu", [SPECIAL[1:], np.array(0.25)], prelu, differentiate=(), id="special"),
    Case("ReluGrad", [numbers((3, 4)), masked((3, 4))], relu_grad, dtypes=ALL_FLOATS, differentiate=(0,), id="3x4"),
    Case("ReluGrad", [numbers((2, 1, 5)), masked((2, 1, 5))], relu_grad, differentiate=(0,), id="2x1x5"),
    Case("ReluGrad", [numbers(()), np.array(1.5)], relu_grad, differentiate=(0,), id="scalar"),
    Case("ReluGrad", [numbers((0, 3)), masked((0, 3))], relu_grad, differentiate=(0,), id="0x3"),
    Case("ReluGrad", [numbers((2, 3, 4)), numbers((2, 3, 4), away_from=(0.0,))], relu_grad, id="any_sign"),
    Case("ReluGrad", [SPECIAL, masked(SPECIAL.shape)], relu_grad, differentiate=(), id="special_gradient"),
    Case("ReluGrad", [numbers(SPECIAL.shape), SPECIAL], relu_grad, differentiate=(), id="special_result"),
]
