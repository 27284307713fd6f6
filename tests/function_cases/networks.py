"""Cases of activations, convolution, pooling, normalisation and cross-entropies."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from function_cases.case import FunctionCase as Case
from function_cases.case import booleans, integers, numbers

EPSILON = 1e-7

# -- oracles ----------------------------------------------------------------------------------------------------------


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(x, float)))


def softplus(x: Any) -> Any:
    return np.logaddexp(np.asarray(x, float), 0)


def softmax(x: Any, axis: Any = -1) -> Any:
    x = np.asarray(x, float)
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    return np.log(softmax(x, axis))


def gelu(x: Any, approximate: bool = True) -> Any:
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * np.asarray(x, float) ** 3)))
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def sparsemax(x: Any, axis: int = -1) -> Any:
    def line(z: Any) -> Any:
        ordered = np.sort(z)[::-1]
        sums = np.cumsum(ordered)
        k = max(k for k in range(1, len(z) + 1) if 1 + k * ordered[k - 1] > sums[k - 1])
        return np.maximum(z - (sums[k - 1] - 1) / k, 0)

    return np.apply_along_axis(line, axis, x)


def glu(x: Any, axis: int = -1) -> Any:
    a, b = np.split(x, 2, axis)
    return a * sigmoid(b)


def pair(value: Any, count: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,) * count


def padded(x: Any, kernel: Any, steps: Any, dilations: Any, padding: str, value: float) -> Any:
    """``x`` with its spatial axes padded for "same"."""
    if padding == "valid":
        return x
    sides = [(0, 0)]
    for n, k, s, d in zip(x.shape[1:-1], kernel, steps, dilations, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        sides.append((total // 2, total - total // 2))
    return np.pad(x, [*sides, (0, 0)], constant_values=value)


def windows(x: Any, kernel: Any, steps: Any, dilations: Any) -> Any:
    """``(batch, *output, channels, kernel elements)``, by a naive loop."""
    counts = [
        (n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], kernel, steps, dilations, strict=True)
    ]
    result = np.empty((x.shape[0], *counts, x.shape[-1], math.prod(kernel)))
    for place in product(*map(range, counts)):
        for j, offset in enumerate(product(*map(range, kernel))):
            at = tuple(p * s + o * d for p, s, o, d in zip(place, steps, offset, dilations, strict=True))
            result[(slice(None), *place, slice(None), j)] = x[(slice(None), *at)]
    return result


def conv(
    x: Any, w: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    if data_format == "channels_first":
        return np.moveaxis(conv(np.moveaxis(x, 1, -1), w, strides, padding, None, dilation_rate), -1, 1)
    count = x.ndim - 2
    steps, dilations, kernel = pair(strides, count), pair(dilation_rate, count), w.shape[:-2]
    patches = windows(padded(x, kernel, steps, dilations, padding, 0), kernel, steps, dilations)
    groups = x.shape[-1] // w.shape[-2]
    weights = np.split(w.reshape(-1, *w.shape[-2:]), groups, -1)
    parts = np.split(patches, groups, -2)
    return np.concatenate([np.einsum("...ck,kcf->...f", p, q) for p, q in zip(parts, weights, strict=True)], -1)


def depthwise_conv(x: Any, w: Any, *args: Any, **kwargs: Any) -> Any:
    return conv(x, w.reshape(*w.shape[:-2], 1, -1), *args, **kwargs)


def separable_conv(x: Any, depthwise: Any, pointwise: Any, *args: Any, **kwargs: Any) -> Any:
    data_format = kwargs.get("data_format") or (args[2] if len(args) > 2 else None)
    return conv(depthwise_conv(x, depthwise, *args, **kwargs), pointwise, data_format=data_format)


def conv_transpose(
    x: Any,
    w: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    """Each input adds its multiple of the kernel to the output, which is then cut or extended."""
    if data_format == "channels_first":
        moved = np.moveaxis(x, 1, -1)
        return np.moveaxis(conv_transpose(moved, w, strides, padding, output_padding, None, dilation_rate), -1, 1)
    count = x.ndim - 2
    steps, dilations = pair(strides, count), pair(dilation_rate, count)
    extents = [(k - 1) * d + 1 for k, d in zip(w.shape[:-2], dilations, strict=True)]
    lengths, begins = [], []
    for n, e, s, more in zip(x.shape[1:-1], extents, steps, pair(output_padding, count), strict=True):
        if padding == "valid":
            lengths.append((n - 1) * s + (max(e, s) if more is None else e + more))
            begins.append(0)
        else:
            wanted = n * s if more is None else (n - 1) * s + e % 2 + more
            total = wanted - (n - 1) * s + e - 2
            lengths.append(wanted)
            begins.append(e - 1 - min((total + 1) // 2, e - 1))
    full = np.zeros((x.shape[0], *(b + n + e for b, n, e in zip(begins, lengths, extents, strict=True)), w.shape[-2]))
    for place in product(*map(range, x.shape[1:-1])):
        for offset in product(*map(range, w.shape[:-2])):
            at = tuple(p * s + o * d for p, s, o, d in zip(place, steps, offset, dilations, strict=True))
            if all(a < n for a, n in zip(at, full.shape[1:-1], strict=True)):
                full[(slice(None), *at)] += x[(slice(None), *place)] @ w[offset].T
    return full[(slice(None), *(slice(b, b + n) for b, n in zip(begins, lengths, strict=True)))]


def pool(x: Any, size: Any, strides: Any, padding: str, data_format: Any, value: float, reduce: Any) -> Any:
    if data_format == "channels_first":
        return np.moveaxis(pool(np.moveaxis(x, 1, -1), size, strides, padding, None, value, reduce), -1, 1)
    count = x.ndim - 2
    kernel = pair(size, count)
    steps = kernel if strides is None else pair(strides, count)
    return reduce(windows(padded(x, kernel, steps, (1,) * count, padding, value), kernel, steps, (1,) * count), -1)


def max_pool(x: Any, size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> Any:
    return pool(x, size, strides, padding, data_format, -np.inf, np.max)


def average_pool(x: Any, size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> Any:
    return pool(x, size, strides, padding, data_format, np.nan, np.nanmean)


def batch_normalization(
    x: Any, mean: Any, var: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    shape = [1] * x.ndim
    shape[axis] = -1
    result = (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + epsilon)
    result = result if scale is None else result * scale.reshape(shape)
    return result if offset is None else result + offset.reshape(shape)


def layer_normalization(x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None) -> Any:
    axes = tuple(sorted(a % x.ndim for a in pair(axis, 1)))
    normal = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + (epsilon or EPSILON))
    shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    return normal * (1 if gamma is None else gamma.reshape(shape)) + (0 if beta is None else beta.reshape(shape))


def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: Any = None) -> Any:
    axes = pair(axis, 1)
    return x / np.sqrt(np.mean(x * x, axes, keepdims=True) + (epsilon or EPSILON)) * (1 if scale is None else scale)


def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: Any = None) -> Any:
    size = np.sum(np.abs(x) ** order, axis, keepdims=True) ** (1 / order)
    return x / np.maximum(size, epsilon or EPSILON)


def moments(x: Any, axes: Any, keepdims: bool = False) -> Any:
    axes, x = tuple(axes), x.astype(float)
    return x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)


def binary_crossentropy(t: Any, p: Any, from_logits: bool = False) -> Any:
    if from_logits:
        return t * softplus(-p) + (1 - t) * softplus(p)
    p = np.clip(p, EPSILON, np.float32(1 - EPSILON))
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def categorical_crossentropy(t: Any, p: Any, from_logits: bool = False, axis: int = -1) -> Any:
    logs = (
        log_softmax(p, axis) if from_logits else np.log(np.clip(p / p.sum(axis, keepdims=True), EPSILON, 1 - EPSILON))
    )
    return -(t * logs).sum(axis)


def sparse_categorical_crossentropy(t: Any, p: Any, from_logits: bool = False, axis: int = -1) -> Any:
    t = np.asarray(t, int)
    if t.ndim == p.ndim:
        t = t.squeeze(axis)
    codes = np.moveaxis(np.eye(p.shape[axis])[t], -1, axis)
    return categorical_crossentropy(codes, p, from_logits, axis)


# -- activations ------------------------------------------------------------------------------------------------------


def activation(name: str, oracle: Any, *args: Any, **more: Any) -> list[Case]:
    """An element-wise activation on floats, integers, float16 and numbers."""
    return [
        Case(name, [numbers(5, 3, low=-4, high=4), *args], oracle=oracle, **more),
        Case(name, [np.float32([-40, -3, -1, -0.5, 0, 0.5, 1, 3, 40]), *args], oracle=oracle, rtol=1e-5, id="wide",
             **more),
        Case(name, [numbers(3, 4).astype("float16"), *args], oracle=oracle, dtype="float16", rtol=3e-3, atol=3e-3,
             id="float16",
             **more),
    ]  # fmt: skip


def of_integers(name: str, oracle: Any, dtype: str = "float32", *args: Any, keras: str = "") -> Case:
    return Case(
        name, [integers(5, 3, low=-4, high=5), *args], oracle=oracle, dtype=dtype, keras=keras, rtol=1e-5, id="integers"
    )


def leaky(x: Any, slope: float = 0.2) -> Any:
    return np.where(x > 0, x, slope * x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def celu(x: Any, alpha: float = 1.0) -> Any:
    return np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(np.asarray(x, float) / alpha))


def selu(x: Any) -> Any:
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(np.asarray(x, float), 0)))


def hard_sigmoid(x: Any) -> Any:
    return np.clip(np.asarray(x, float) / 6 + 0.5, 0, 1)


def hard_silu(x: Any) -> Any:
    return x * hard_sigmoid(x)


def relu6(x: Any) -> Any:
    return np.clip(x, 0, 6)


def sparse_plus(x: Any) -> Any:
    return np.where(x <= -1, 0, np.where(x < 1, (x + 1.0) ** 2 / 4, x))


def hard_shrink(x: Any, t: float = 0.5) -> Any:
    return np.where(np.abs(x) > t, x, 0)


def soft_shrink(x: Any, t: float = 0.5) -> Any:
    return np.sign(x) * np.maximum(np.abs(x) - t, 0)


def above(x: Any, t: float, otherwise: float) -> Any:
    return np.where(x > t, x, otherwise)


MISH = "Keras has mish in activations only"
SPARSEMAX = "Keras 3.15 adds up all partial sums of the support, so that its results do not add up to 1"
DEFAULT_STRIDES = "Keras's pooling functions fail on JAX where strides are left out"

ACTIVATIONS: list[Case] = [
    *activation("relu", lambda x: np.maximum(x, 0)),
    of_integers("relu", lambda x: np.maximum(x, 0), "int32"),
    *activation("relu6", relu6),
    of_integers("relu6", relu6),
    *activation("leaky_relu", leaky),
    Case("leaky_relu", [numbers(5, 3), 0.3], oracle=leaky, id="slope"),
    *activation("elu", elu),
    Case("elu", [numbers(5, 3), 0.7], oracle=elu, id="alpha"),
    *activation("selu", selu),
    *activation("celu", celu),
    Case("celu", [numbers(5, 3), 0.7], oracle=celu, id="alpha"),
    *activation("gelu", gelu),
    *activation("gelu", gelu, False),
    *activation("silu", lambda x: x * sigmoid(x)),
    Case("swish", [numbers(5, 3)], oracle=lambda x: x * sigmoid(x)),
    *activation("mish", lambda x: x * np.tanh(softplus(x)), keras=MISH),
    *activation("sigmoid", sigmoid),
    *activation("log_sigmoid", lambda x: -softplus(-x)),
    of_integers("log_sigmoid", lambda x: -softplus(-x)),
    *activation("hard_sigmoid", hard_sigmoid),
    *activation("hard_silu", hard_silu),
    Case("hard_swish", [numbers(5, 3)], oracle=hard_silu),
    *activation("hard_tanh", lambda x: np.clip(x, -1, 1)),
    of_integers("hard_tanh", lambda x: np.clip(x, -1, 1), "int32"),
    Case("hard_tanh", [integers(5, 3, low=0, dtype="uint8")], oracle=lambda x: np.minimum(x, 1), dtype="uint8",
         keras="Keras takes -1 as 255", id="uint8"),
    *activation("softplus", softplus),
    of_integers("softplus", softplus),
    *activation("softsign", lambda x: x / (1 + np.abs(x))),
    *activation("squareplus", lambda x, b=4: (x + np.sqrt(np.asarray(x, float) ** 2 + b)) / 2),
    Case("squareplus", [numbers(5, 3), 1.5], oracle=lambda x, b: (x + np.sqrt(x * x + b)) / 2, id="b"),
    *activation("sparse_plus", sparse_plus),
    *activation("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1)),
    *activation("tanh_shrink", lambda x: x - np.tanh(x)),
    *activation("hard_shrink", hard_shrink),
    *activation("soft_shrink", soft_shrink),
    *activation("threshold", above, 0.3, -7.0),
    Case("glu", [numbers(5, 4)], oracle=glu),
    Case("glu", [numbers(5, 4, 3), 1], oracle=glu, id="axis"),
    *(Case(name, [numbers(5, 2, 3), axis], oracle=oracle, id=f"axis-{axis}",
           keras="Keras takes no negative axes in a tuple" if axis == (-1, 1) else "")
      for name, oracle in (("softmax", softmax), ("log_softmax", log_softmax)) for axis in (-1, 0, 1, (0, 2), (-1, 1))),
    Case("softmax", [np.float32([[1000, 1000, -1000]])], oracle=lambda x: np.array([[0.5, 0.5, 0]]), id="wide"),
    of_integers("softmax", softmax),
    *(Case("sparsemax", [numbers(5, 4, 3), axis], oracle=sparsemax, rtol=1e-5, keras=SPARSEMAX,
           id=f"axis-{axis}") for axis in (-1, 1)),
    Case("sparsemax", [np.float32([[1, 1, 1], [5, 0, 5]])], oracle=sparsemax, keras=SPARSEMAX, id="ties"),
]  # fmt: skip

# -- convolution and pooling ------------------------------------------------------------------------------------------

LOOSE = {"rtol": 1e-5, "atol": 1e-5}


POOLS: tuple[tuple[Any, ...], ...] = (
    ((5, 8, 3), 2),
    ((5, 9, 8, 3), (3, 2)),
    ((5, 9, 8, 3), 3, 2, "same"),
    ((5, 9, 8, 3), 2, (1, 2), "valid"),
    ((5, 3, 9, 8), 2, 2, "same", "channels_first"),
    ((2, 4, 5, 6, 3), 2, 1, "same"),
)


def conv_cases() -> list[Case]:
    shapes = [((5, 9, 3), (3, 3, 4)), ((5, 8, 7, 3), (3, 2, 3, 4)), ((2, 4, 5, 6, 2), (2, 3, 2, 2, 3))]
    found = [
        Case(
            "conv",
            [numbers(*x), numbers(*w)],
            {"padding": padding, **more},
            oracle=conv,
            id=f"{len(x) - 2}d-{padding}-{more}",
            **LOOSE,
        )
        for x, w in shapes
        for padding in ("valid", "same")
        for more in ({}, {"strides": 2}, {"dilation_rate": 2 if min(x[1:-1]) > 5 else 1})
    ]
    return [
        *found,
        Case("conv", [numbers(5, 8, 9, 4), numbers(3, 3, 2, 6)], {"strides": (2, 1)}, oracle=conv, id="groups",
             **LOOSE),
        Case("conv", [numbers(5, 3, 8, 6), numbers(3, 2, 3, 4), 2, "same", "channels_first"], oracle=conv,
             id="channels-first", **LOOSE),
        Case("conv", [integers(5, 8, 2), numbers(3, 2, 4)], oracle=conv, id="integers", **LOOSE),
        *(Case("depthwise_conv", [numbers(5, 8, 9, 3), numbers(3, 2, 3, 2)], more, oracle=depthwise_conv,
               id=f"{more}", **LOOSE)
          for more in ({}, {"padding": "same", "strides": 2}, {"dilation_rate": (2, 1)})),
        Case("depthwise_conv", [numbers(5, 3, 9), numbers(3, 3, 2)], {"data_format": "channels_first"},
             oracle=depthwise_conv,
             id="channels-first", **LOOSE),
        Case("separable_conv", [numbers(5, 8, 9, 3), numbers(3, 3, 3, 2), numbers(1, 1, 6, 4)], {"padding": "same",
             "strides": 2},
             oracle=separable_conv, **LOOSE),
        *(Case("conv_transpose", [numbers(5, *(4, 6)[:n], 3), numbers(*kernel, 2, 3)], {"strides": s,
               "padding": padding, **more},
               oracle=conv_transpose, id=f"{kernel}-{s}-{padding}-{more}", **LOOSE)
          for n, kernel in ((1, (3,)), (2, (3, 2)), (2, (2, 4)))
          for s in (1, 2, 3)
          for padding in ("valid", "same")
          for more in ({}, {"output_padding": 0}, {"output_padding": s - 1})),
        Case("conv_transpose", [numbers(5, 4, 6, 3), numbers(3, 2, 2, 3)], {"dilation_rate": 2}, oracle=conv_transpose,
             id="dilated", **LOOSE),
        Case("conv_transpose", [numbers(5, 3, 4, 6), numbers(3, 2, 2, 3)], {"strides": 2, "padding": "same",
             "data_format": "channels_first"}, oracle=conv_transpose, id="channels-first", **LOOSE),
        *(Case(name, [numbers(*x), *args], oracle=oracle, rtol=1e-5, keras="" if args[1:] else DEFAULT_STRIDES,
               id=f"{x}-{args}")
          for name, oracle in (("max_pool", max_pool), ("average_pool", average_pool))
          for x, *args in POOLS),
    ]  # fmt: skip


# -- normalisation and cross-entropies --------------------------------------------------------------------------------


def normalization_cases() -> list[Case]:
    variance = {"low": 0.5, "high": 2.0}
    return [
        Case("batch_normalization", [numbers(5, 2, 3), numbers(3), numbers(3, **variance), -1],
             oracle=batch_normalization, **LOOSE),
        Case("batch_normalization", [numbers(5, 3, 2), numbers(3), numbers(3, **variance), 1, numbers(3), numbers(3),
             1e-2],
             oracle=batch_normalization, id="all", **LOOSE),
        Case("batch_normalization", [numbers(5, 3), numbers(3), numbers(3, **variance), -1, numbers(3)],
             oracle=batch_normalization, id="offset", **LOOSE),
        Case("batch_normalization", [x.astype("float16") for x in (numbers(5, 3), numbers(3), numbers(3, **variance))] + [-1],
             oracle=batch_normalization, dtype="float16", rtol=3e-3, atol=3e-3, id="float16"),
        Case("layer_normalization", [numbers(5, 2, 3)], oracle=layer_normalization, **LOOSE),
        Case("layer_normalization", [numbers(5, 2, 3), numbers(3), numbers(3)], {"epsilon": 1e-3},
             oracle=layer_normalization,
             id="all", **LOOSE),
        Case("layer_normalization", [numbers(5, 2, 3), numbers(2, 3), numbers(2, 3)], {"axis": (1, 2)},
             oracle=layer_normalization,
             keras="Keras reshapes gamma for one axis only", id="axes", **LOOSE),
        Case("layer_normalization", [numbers(5, 2, 3), numbers(2)], {"axis": 1}, oracle=layer_normalization,
             id="axis-1", **LOOSE),
        Case("layer_normalization", [numbers(5, 3).astype("float16")],
             oracle=lambda x: layer_normalization(x.astype(float)),
             dtype="float16", rtol=3e-3, atol=3e-3, id="float16"),
        Case("rms_normalization", [numbers(5, 2, 3)], oracle=rms_normalization, **LOOSE),
        Case("rms_normalization", [numbers(5, 2, 3), numbers(3)], {"epsilon": 1e-2}, oracle=rms_normalization,
             id="scale", **LOOSE),
        Case("rms_normalization", [numbers(5, 2, 3)], {"axis": (1, 2)}, oracle=rms_normalization, id="axes", **LOOSE),
        *(Case("normalize", [numbers(5, 2, 3), axis, order], oracle=normalize, id=f"{axis}-{order}", **LOOSE)
          for axis, order in ((-1, 2), (1, 2), ((1, 2), 2), (-1, 1), (0, 3))),
        Case("normalize", [np.float32([[0, 0], [3e-9, 4e-9], [3, 4]])], oracle=normalize, id="tiny", **LOOSE),
        *(Case("moments", [numbers(5, 2, 3), axes], {"keepdims": keep}, oracle=moments, id=f"{axes}-{keep}", **LOOSE)
          for axes in ([0], [0, 2], [-1]) for keep in (False, True)),
        Case("moments", [numbers(5, 3).astype("float16"), [0]], oracle=moments, dtype="float16", rtol=3e-3, atol=3e-3,
             id="float16"),
    ]  # fmt: skip


PROBABILITIES = np.float32([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0], [0.1, 0.1, 0.1], [1e-9, 0.5, 0.5], [0.9, 0.05, 0.05]])
LABELS = np.int32([2, 0, 1, 0, 2])


def attention(
    q: Any, k: Any, v: Any, bias: Any = 0, mask: Any = True, scale: Any = None, is_causal: bool = False
) -> Any:
    groups = q.shape[2] // k.shape[2]
    k, v = k.repeat(groups, 2), v.repeat(groups, 2)
    logits = np.einsum("btnh,bsnh->bnts", q, k) * (scale or q.shape[-1] ** -0.5) + (0 if bias is None else bias)
    seen = np.broadcast_to(True if mask is None else mask, logits.shape)
    seen = np.tril(seen) if is_causal else seen
    return np.einsum("bnts,bsnh->btnh", softmax(np.where(seen, logits, -1e30)), v)


def attention_cases() -> list[Case]:
    q, k, v = numbers(5, 7, 4, 3), numbers(5, 6, 4, 3), numbers(5, 6, 4, 3)
    return [
        Case("dot_product_attention", [q, k, v], oracle=attention, **LOOSE),
        Case("dot_product_attention", [q, k, v, numbers(5, 1, 7, 6)], {"scale": 0.3}, oracle=attention, id="bias",
             **LOOSE),
        Case("dot_product_attention", [q, k, v, None, booleans(5, 4, 7, 6)], oracle=attention, id="mask", **LOOSE),
        Case("dot_product_attention", [q, k, v, None, booleans(5, 1, 7, 6)], {"is_causal": True}, oracle=attention,
             id="causal-and-mask", **LOOSE),
        Case("dot_product_attention", [q, q, q], {"is_causal": True}, oracle=attention, id="causal", **LOOSE),
        Case("dot_product_attention", [q, k[:, :, :2], v[:, :, :2]], oracle=attention, id="groups", **LOOSE),
        Case("dot_product_attention", [q.astype("float16"), k.astype("float16"), v.astype("float16")], dtype="float16",
             oracle=lambda *x: attention(*(a.astype(float) for a in x)), rtol=3e-3, atol=3e-3, id="float16"),
    ]  # fmt: skip


def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    chosen = np.take_along_axis(predictions, targets[..., None], -1)
    return (predictions > np.nan_to_num(chosen, nan=-np.inf)).sum(-1) < k


def crossentropy_cases() -> list[Case]:
    codes = np.eye(3, dtype=np.float32)[LABELS]
    likely = numbers(5, 3, low=0.1, high=1)
    wide = np.float32([-100, -20, -1, 0, 1, 20, 100])
    return [
        Case("binary_crossentropy", [booleans(5, 3).astype("float32"), numbers(5, 3, low=0.01, high=0.99)],
             oracle=binary_crossentropy, rtol=1e-5),
        Case("binary_crossentropy", [np.float32([0, 1, 0.5]), np.float32([0.25, 0.75, 0.1])],
             oracle=binary_crossentropy, id="soft"),
        Case("binary_crossentropy", [integers(5, 3, low=0, high=2), numbers(5, 3, low=0.01, high=0.99)],
             oracle=binary_crossentropy, rtol=1e-5, id="integers"),
        Case("binary_crossentropy", [np.float32([1, 0]), np.float32([0, 1])], rtol=1e-5, id="limits",
             oracle=lambda t, p: -np.log([1e-7, 2**-23])),
        *(Case("binary_crossentropy", [np.full(7, t, "float32"), wide, True], oracle=binary_crossentropy, rtol=1e-5,
               id=f"logits-{t}")
          for t in (0, 1, 0.3)),
        Case("categorical_crossentropy", [numbers(5, 3, low=0), likely], oracle=categorical_crossentropy, rtol=1e-5),
        Case("categorical_crossentropy", [codes, PROBABILITIES], oracle=categorical_crossentropy, rtol=1e-5,
             id="limits"),
        Case("categorical_crossentropy", [codes, numbers(5, 3), True], oracle=categorical_crossentropy, rtol=1e-5,
             id="logits"),
        Case("categorical_crossentropy", [codes.T.copy(), PROBABILITIES.T.copy()], {"axis": 0},
             oracle=categorical_crossentropy,
             rtol=1e-5, id="axis-0"),
        Case("sparse_categorical_crossentropy", [LABELS, likely], oracle=sparse_categorical_crossentropy, rtol=1e-5),
        Case("sparse_categorical_crossentropy", [LABELS, PROBABILITIES], oracle=sparse_categorical_crossentropy,
             rtol=1e-5,
             id="limits"),
        Case("sparse_categorical_crossentropy", [LABELS[:, None], PROBABILITIES],
             oracle=sparse_categorical_crossentropy, rtol=1e-5,
             id="column"),
        Case("sparse_categorical_crossentropy", [LABELS, numbers(5, 3), True], oracle=sparse_categorical_crossentropy,
             rtol=1e-5,
             id="logits"),
        Case("sparse_categorical_crossentropy", [LABELS.astype("float32"), numbers(5, 3), True],
             oracle=sparse_categorical_crossentropy, rtol=1e-5, id="float-labels"),
        Case("sparse_categorical_crossentropy", [integers(5, 7, low=0, high=3), numbers(5, 7, 3), True],
             oracle=sparse_categorical_crossentropy, rtol=1e-5, id="sequence"),
        Case("in_top_k", [integers(5, low=0, high=4), numbers(5, 4), 2], oracle=in_top_k, dtype="bool"),
        Case("in_top_k", [np.int32([0, 1, 0]), np.float32([[1, 1, 1], [2, np.nan, 0], [np.nan, 0, 1]]), 2],
             oracle=in_top_k,
             dtype="bool", id="ties-and-nan"),
        Case("psnr", [numbers(5, 3), numbers(5, 3), 2.0], rtol=1e-5,
             oracle=lambda a, b, m: 20 * np.log10(m) - 10 * np.log10(np.mean((a - b) ** 2))),
    ]  # fmt: skip


CASES: list[Case] = [
    *ACTIVATIONS,
    *conv_cases(),
    *attention_cases(),
    *normalization_cases(),
    *crossentropy_cases(),
]
