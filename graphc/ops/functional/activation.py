"""Activation functions. Integers and booleans become float32, except where the result is an integer again (`relu`)."""

from __future__ import annotations

import warnings

import numpy as np

from graphc.errors import ShapeError
from graphc.ops.functional.arguments import (
    Tensor,
    bool_as_int,
    concrete_dtype,
    float_unary,
    floating,
    is_float,
    one_axis,
    rank_of,
    scalar,
    several_axes,
)
from graphc.ops.functional.dispatch import apply, cast_to, function, shape_of
from graphc.ops.functional.movement import permuted, reshape

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]

# -- one element at a time --------------------------------------------------------------------------------------------


@function
def relu(x: Tensor) -> Tensor:
    """``max(x, 0)``; integers keep their dtype."""
    x = bool_as_int(x)
    return float_unary("Relu", x) if is_float(x) else apply("Max", x, scalar(0, x))


@function
def relu6(x: Tensor) -> Tensor:
    """``min(max(x, 0), 6)``."""
    x = floating(x)
    return apply("Clip", x, scalar(0, x), scalar(6, x))


@function
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """``x`` where it is positive, else ``negative_slope * x``."""
    return float_unary("LeakyRelu", x, alpha=negative_slope)


@function
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where it is positive, else ``alpha * (e**x - 1)``."""
    return float_unary("Elu", x, alpha=alpha)


@function
def selu(x: Tensor) -> Tensor:
    """The scaled `elu` that keeps mean and variance (Klambauer et al. 2017)."""
    return float_unary("Selu", x)


@function
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``max(x, 0) + min(0, alpha * (e**(x / alpha) - 1))``."""
    return float_unary("Celu", x, alpha=alpha)


@function
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """``x`` times the normal distribution at ``x``, by a formula with tanh unless ``approximate`` is False."""
    return float_unary("Gelu", x, approximate="tanh" if approximate else "none")


@function
def silu(x: Tensor) -> Tensor:
    """``x * sigmoid(x)``."""
    x = floating(x)
    return apply("Mul", x, apply("Sigmoid", x))


swish = silu


@function
def mish(x: Tensor) -> Tensor:
    """``x * tanh(softplus(x))``. Keras has it in ``activations`` only."""
    return float_unary("Mish", x)


@function
def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + e**-x)``."""
    return float_unary("Sigmoid", x)


@function
def log_sigmoid(x: Tensor) -> Tensor:
    """``log(sigmoid(x))`` without overflow."""
    x = floating(x)
    return apply("Neg", apply("Softplus", apply("Neg", x)))


@function
def hard_sigmoid(x: Tensor) -> Tensor:
    """``relu6(x + 3) / 6``."""
    return float_unary("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@function
def hard_silu(x: Tensor) -> Tensor:
    """``x * hard_sigmoid(x)``."""
    return float_unary("HardSwish", x)


hard_swish = hard_silu


@function
def hard_tanh(x: Tensor) -> Tensor:
    """``x`` held between -1 and 1; integers keep their dtype."""
    x = bool_as_int(x)
    if concrete_dtype(x).startswith("uint"):
        return apply("Min", x, scalar(1, x))
    return apply("Clip", x, scalar(-1, x), scalar(1, x))


@function
def softplus(x: Tensor) -> Tensor:
    """``log(1 + e**x)`` without overflow."""
    return float_unary("Softplus", x)


@function
def softsign(x: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return float_unary("Softsign", x)


@function
def squareplus(x: Tensor, b: float = 4) -> Tensor:
    """``(x + sqrt(x**2 + b)) / 2``."""
    x = floating(x)
    root = apply("Sqrt", apply("Add", apply("Mul", x, x), scalar(b, x)))
    return apply("Mul", apply("Add", x, root), scalar(0.5, x))


@function
def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, ``(x + 1)**2 / 4`` up to 1, then ``x``."""
    x = floating(x)
    # Held within -1 .. 1 before it is squared, so that a large x neither overflows nor gives its gradient a NaN.
    inside = apply("Add", apply("Clip", x, scalar(-1, x), scalar(1, x)), scalar(1, x))
    curve = apply("Mul", apply("Mul", inside, inside), scalar(0.25, x))
    return apply("Where", apply("Less", x, scalar(1, x)), curve, x)


@function
def sparse_sigmoid(x: Tensor) -> Tensor:
    """``(x + 1) / 2`` held between 0 and 1."""
    return float_unary("HardSigmoid", x, alpha=0.5, beta=0.5)


@function
def tanh_shrink(x: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    x = floating(x)
    return apply("Sub", x, apply("Tanh", x))


@function
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """``x`` where ``|x| > threshold``, else 0."""
    x = floating(x)
    return apply("Where", apply("Greater", apply("Abs", x), scalar(threshold, x)), x, scalar(0, x))


@function
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """``x`` brought nearer to zero by ``threshold``, and 0 where it is nearer already."""
    x = floating(x)
    bound = scalar(threshold, x)
    return apply("Sub", x, apply("Clip", x, apply("Neg", bound), bound))


@function
def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """``x`` where it is above ``threshold``, else ``default_value``."""
    x = floating(x)
    return apply("Where", apply("Greater", x, scalar(threshold, x)), x, scalar(default_value, x))


# -- along an axis ----------------------------------------------------------------------------------------------------


@function
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """The first half of an axis times the sigmoid of the second half.

    Raises:
        ShapeError: the length of the axis is odd.
    """
    x = floating(x)
    along = one_axis(axis, rank_of(x), "glu")
    length = shape_of(x)[along]
    if isinstance(length, int) and length % 2:
        raise ShapeError(f"glu: axis {axis} of {shape_of(x)} must have an even length.")
    half = length // 2
    value = apply("Slice", x, starts=(0,), ends=(half,), axes=(along,))
    gate = apply("Slice", x, starts=(half,), ends=(length,), axes=(along,))
    return apply("Mul", value, apply("Sigmoid", gate))


def _along(op: str, x: Tensor, axis: int | tuple[int, ...], name: str) -> Tensor:
    """An op along one axis, or along several as if they were one."""
    x = floating(x)
    rank = rank_of(x)
    axes = several_axes(axis if axis is not None else tuple(range(rank)), rank, name)
    if len(axes) == 1:
        return apply(op, x, axis=axes[0])
    order = [*(i for i in range(rank) if i not in axes), *axes]
    moved = permuted(x, order)
    kept = shape_of(moved)
    result = apply(op, reshape(moved, (*kept[: rank - len(axes)], -1)), axis=-1)
    return permuted(reshape(result, kept), [order.index(i) for i in range(rank)])


@function
def softmax(x: Tensor, axis: int | tuple[int, ...] = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along an axis, or over several together."""
    if isinstance(axis, int) and -rank_of(x) <= axis < rank_of(x) and shape_of(x)[axis] == 1:
        warnings.warn(
            f"softmax over axis {axis} of shape {shape_of(x)}: an axis of length 1 always gives 1. Is a sigmoid meant?",
            stacklevel=3,
        )
    return _along("Softmax", x, axis, "softmax")


@function
def log_softmax(x: Tensor, axis: int | tuple[int, ...] = -1) -> Tensor:
    """``x - log(sum(exp(x)))`` along an axis, or over several together."""
    return _along("LogSoftmax", x, axis, "log_softmax")


@function
def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """The nearest probabilities to ``x`` along an axis (Martins and Astudillo 2016); many are exactly zero.

    Compares all pairs along the axis instead of sorting it, so the axis should be short.
    """
    x = floating(x)
    along = one_axis(axis, rank_of(x), "sparsemax")
    rest = [i for i in range(rank_of(x)) if i != along]
    x = permuted(x, [*rest, along])
    each, other = apply("Unsqueeze", x, axes=(-1,)), apply("Unsqueeze", x, axes=(-2,))
    # An element is in the support if 1 + k z > the sum of the k elements that are not smaller than z.
    above = cast_to(apply("GreaterOrEqual", other, each), concrete_dtype(x))
    count = apply("ReduceSum", above, axes=(-1,), keepdims=False)
    total = apply("ReduceSum", apply("Mul", above, other), axes=(-1,), keepdims=False)
    support = apply("Greater", apply("Add", apply("Mul", count, x), scalar(1, x)), total)
    chosen = apply("ReduceSum", apply("Where", support, x, scalar(0, x)), axes=(-1,), keepdims=True)
    size = apply("ReduceSum", cast_to(support, concrete_dtype(x)), axes=(-1,), keepdims=True)
    bound = apply("Div", apply("Sub", chosen, scalar(1, x)), size)
    result = apply("Relu", apply("Sub", x, bound))
    return permuted(result, np.argsort([*rest, along]).tolist())
