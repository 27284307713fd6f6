"""Batch and layer normalization, for inference and training, with their gradients.

Statistics are those of Keras: the mean and the biased variance (divided by the number of elements). An axis of ``C``
channels is normalized over all other axes by batch normalization; layer normalization does it over all axes from
``axis`` on, for each leading index by itself.

The gradients are fused ops with few passes over memory. Their own gradients are written out in standard ops, below.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, Shape, product
from graphc.ir.dtypes import FLOAT_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, format_shape, normalize_axis
from graphc.ops.elementwise import scalar
from graphc.ops.opdef import (
    Attribute,
    Attributes,
    Cost,
    Domain,
    OpDef,
    Types,
    need_dtype,
    operand,
    optional,
    same_dtype,
)
from graphc.ops.shape_checks import agree

_EPSILON = Attribute("float", 1e-5, "Added to the variance, so that its root is not zero.")
_BATCH: dict[str, Attribute] = {
    "epsilon": _EPSILON,
    "axis": Attribute("int", 1, "The axis of the channels, from either end."),
}
_LAYER: dict[str, Attribute] = {
    "epsilon": _EPSILON,
    "axis": Attribute("int", -1, "The first of the axes that are normalized, from either end."),
}


# -- type rules -------------------------------------------------------------------------------------------------------


def _checked(op: str, types: Types) -> TensorType:
    x = operand(types, 0)
    same_dtype(op, types)
    need_dtype(op, x, FLOAT_DTYPES, "x")
    return x


def _channels(op: str, types: Types, attributes: Attributes, vectors: dict[int, str]) -> TensorType:
    """The type of one number for each channel, after checking the operands that have it."""
    x = _checked(op, types)
    if x.rank < 2:
        raise ShapeError(f"{op}: x must have a channel axis and one more, rank 2 at least; got {x}.")
    axis = normalize_axis(attributes["axis"], x.rank, f"{op}: axis")
    channels = x.shape[axis]
    for index, name in vectors.items():
        vector = operand(types, index)
        if vector.rank != 1 or agree(vector.shape[0], channels) is None:
            raise ShapeError(
                f"{op}: {name} must have shape [{channels}], one number for each channel of x {x} (axis {axis}); "
                f"got {vector}."
            )
    return x.with_shape((channels,))


def _same_shape(op: str, x: TensorType, g: TensorType) -> None:
    if g.rank != x.rank or any(agree(a, b) is None for a, b in zip(x.shape, g.shape, strict=True)):
        raise ShapeError(f"{op}: x and the gradient must have one shape; got {x} and {g}.")


def _batch_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    _channels("BatchNormalization", types, attributes, {1: "scale", 2: "bias", 3: "mean", 4: "variance"})
    return (operand(types, 0),)


def _training_type(types: Types, attributes: Attributes) -> tuple[TensorType, ...]:
    vector = _channels("BatchNormTraining", types, attributes, {1: "scale", 2: "bias"})
    return operand(types, 0), vector, vector


def _training_grad_type(types: Types, attributes: Attributes) -> tuple[TensorType, ...]:
    op = "BatchNormTrainingGrad"
    vector = _channels(op, types, attributes, {1: "scale", 2: "mean", 3: "variance"})
    x, g = operand(types, 0), operand(types, 4)
    _same_shape(op, x, g)
    return x, vector, vector


def _layer_checked(op: str, types: Types, attributes: Attributes, vectors: dict[int, str]) -> TensorType:
    x = _checked(op, types)
    if x.rank == 0:
        raise ShapeError(f"{op}: x must have at least one axis; got {x}.")
    axis = normalize_axis(attributes["axis"], x.rank, f"{op}: axis")
    shape = x.shape[axis:]
    for index, name in vectors.items():
        vector = optional(types, index)
        if vector is None:
            continue
        if vector.rank != len(shape) or any(agree(a, b) is None for a, b in zip(vector.shape, shape, strict=True)):
            raise ShapeError(
                f"{op}: {name} must have the shape {format_shape(shape)} of the normalized axes "
                f"(x {x} from axis {axis} on); got {vector}."
            )
    return x


def _layer_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    return (_layer_checked("LayerNormalization", types, attributes, {1: "scale", 2: "bias"}),)


def _layer_grad_type(types: Types, attributes: Attributes) -> tuple[TensorType, ...]:
    op = "LayerNormalizationGrad"
    x, scale = _layer_checked(op, types, attributes, {1: "scale"}), operand(types, 1)
    _same_shape(op, x, operand(types, 2))
    return x, scale, scale


# -- building blocks of the gradients ---------------------------------------------------------------------------------


class _Terms:
    """Emits sums, products and reductions in which operands may be absent (None), which means zero.

    Attributes:
        axes: the axes that statistics are taken over.
    """

    def __init__(self, b: Builder, like: Value, axes: tuple[int, ...]) -> None:
        self.b = b
        self.like = like
        self.axes = axes

    def sum(self, *terms: Value | None) -> Value | None:
        """The sum of what is there."""
        there = [t for t in terms if t is not None]
        total = there[0] if there else None
        for term in there[1:]:
            assert total is not None
            total = self.b.emit("Add", total, term)
        return total

    def mul(self, *factors: Value | None) -> Value | None:
        """The product; absent when a factor is."""
        result = factors[0]
        for factor in factors[1:]:
            if result is None or factor is None:
                return None
            result = self.b.emit("Mul", result, factor)
        return result

    def neg(self, x: Value | None) -> Value | None:
        """-x."""
        return None if x is None else self.b.emit("Neg", x)

    def total(self, x: Value | None) -> Value | None:
        """The sum over the statistics' axes; these stay, with length 1."""
        return None if x is None else self.b.emit("ReduceSum", x, axes=self.axes, keepdims=True)

    def mean(self, x: Value | None) -> Value | None:
        """The mean over the statistics' axes; these stay, with length 1."""
        return None if x is None else self.b.emit("ReduceMean", x, axes=self.axes, keepdims=True)

    def over_count(self, x: Value | None) -> Value | None:
        """``x`` over the number of elements that a statistic is taken over."""
        if x is None:
            return None
        count = product(self.like.type.shape[a] for a in self.axes)
        return self.b.emit("Div", x, count_value(self.b, count, x))

    def wide(self, vector: Value | None) -> Value | None:
        """A number for each channel, shaped to meet ``like``."""
        if vector is None:
            return None
        shape: Shape = tuple(1 if i in self.axes else d for i, d in enumerate(self.like.type.shape))
        return self.b.emit("Reshape", vector, shape=shape)

    def narrow(self, x: Value | None) -> Value | None:
        """The opposite of `wide`."""
        return None if x is None else self.b.emit("Squeeze", x, axes=self.axes)


def count_value(b: Builder, count: DimLike, like: Value) -> Value:
    """A number of elements as a scalar of another value's dtype."""
    if isinstance(count, int):
        return scalar(b, float(count), like)
    return b.emit("DimSize", dim=count, dtype=like.type.dtype)


def _inverse_root(b: Builder, variance: Value, epsilon: float) -> Value:
    """``1 / sqrt(variance + epsilon)``."""
    return b.emit("Reciprocal", b.emit("Sqrt", b.emit("Add", variance, scalar(b, epsilon, variance))))


def _operands(node: Node) -> list[Value]:
    return [value for value in node.inputs if value is not None]


def _channel_terms(b: Builder, node: Node, x: Value) -> _Terms:
    axis = normalize_axis(node.attributes["axis"], x.type.rank)
    return _Terms(b, x, tuple(a for a in range(x.type.rank) if a != axis))


# -- batch normalization: gradients -----------------------------------------------------------------------------------


def _batch_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    """Statistics are operands here: frozen, or the moving ones."""
    (x, scale, _, mean, variance), (g,) = _operands(node), grads
    t = _channel_terms(b, node, x)
    root = _inverse_root(b, variance, node.attributes["epsilon"])
    gain = b.emit("Mul", scale, root)
    by_x = t.mul(g, t.wide(gain))
    by_bias = t.narrow(t.total(g))
    centered = b.emit("Sub", x, t.wide(mean))
    with_centered = t.narrow(t.total(t.mul(g, centered)))
    by_scale = t.mul(with_centered, root)
    by_mean = t.neg(t.mul(gain, by_bias))
    by_variance = t.mul(with_centered, gain, root, root, scalar(b, -0.5, root))
    return by_x, by_scale, by_bias, by_mean, by_variance


def _training_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    x, scale, _ = _operands(node)
    _, mean, variance = node.outputs
    g, by_mean, by_variance = grads
    t = _channel_terms(b, node, x)
    by_x = by_scale = by_bias = None
    if g is not None:
        by_x, by_scale, by_bias = b.emit_node(
            "BatchNormTrainingGrad", (x, scale, mean, variance, g), **node.attributes
        ).outputs
    if by_mean is not None:
        by_x = t.sum(by_x, t.over_count(t.wide(by_mean)))
    if by_variance is not None:
        centered = b.emit("Sub", x, t.wide(mean))
        by_x = t.sum(by_x, t.mul(centered, t.over_count(t.wide(b.emit("Add", by_variance, by_variance)))))
    return by_x, by_scale, by_bias


def _training_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    """The gradient of the gradient, with mean and variance as operands of their own.

    With ``n = (x - mean) * r``, ``r = 1 / sqrt(variance + epsilon)``, ``k = scale * r``, ``B = sum(g)``,
    ``S = sum(g * n)`` and ``M`` elements in each sum, the op computes ``dx = k * (g - B / M - n * S / M)``,
    ``dscale = S`` and ``dbias = B``. Its results' gradients are ``a``, ``p`` and ``q`` here.
    """
    x, scale, mean, variance, g = _operands(node)
    a, p, q = grads
    t = _channel_terms(b, node, x)
    r = t.wide(_inverse_root(b, variance, node.attributes["epsilon"]))
    wide_scale, sum_gn, sum_g = t.wide(scale), t.wide(node.outputs[1]), t.wide(node.outputs[2])
    n = t.mul(b.emit("Sub", x, t.wide(mean)), r)
    k = t.mul(wide_scale, r)
    sum_a, sum_an = t.total(a), t.total(t.mul(a, n))
    p = t.sum(t.wide(p), t.neg(t.over_count(t.mul(k, sum_an))))
    q = t.sum(t.wide(q), t.neg(t.over_count(t.mul(k, sum_a))))
    by_g = t.sum(t.mul(a, k), t.mul(n, p), q)
    minus_k_s = t.neg(t.over_count(t.mul(k, sum_gn)))
    by_n = t.sum(t.mul(a, minus_k_s), t.mul(g, p))
    sum_by_n = t.sum(t.mul(minus_k_s, sum_a), t.mul(p, sum_g))
    sum_by_n_n = t.sum(t.mul(minus_k_s, sum_an), t.mul(p, sum_gn))
    by_k = None
    if a is not None:
        shares = t.over_count(t.sum(t.mul(sum_a, sum_g), t.mul(sum_an, sum_gn)))
        by_k = t.sum(t.total(t.mul(a, g)), t.neg(shares))
    by_x = t.mul(by_n, r)
    by_mean = t.neg(t.mul(sum_by_n, r))
    # r enters through k and through n; d r / d variance = -r**3 / 2.
    by_r_times_r = t.sum(t.mul(by_k, k), sum_by_n_n)
    by_variance = t.mul(by_r_times_r, r, r, scalar(b, -0.5, x))
    return by_x, t.narrow(t.mul(by_k, r)), t.narrow(by_mean), t.narrow(by_variance), by_g


# -- layer normalization: gradients -----------------------------------------------------------------------------------


def _layer_terms(b: Builder, node: Node, x: Value) -> _Terms:
    axis = normalize_axis(node.attributes["axis"], x.type.rank)
    return _Terms(b, x, tuple(range(axis, x.type.rank)))


def _layer_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    x, scale = node.inputs[:2]
    by_x, by_scale, by_bias = b.emit_node("LayerNormalizationGrad", (x, scale, grads[0]), **node.attributes).outputs
    has_bias = len(node.inputs) > 2 and node.inputs[2] is not None
    return (by_x, by_scale, by_bias if has_bias else None)[: len(node.inputs)]


def _layer_grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    """The gradient of the gradient.

    With ``n = (x - mean) * r`` and ``u = g * scale`` the op computes ``dx = r * (u - mean(u) - n * mean(u * n))``, and
    the sums ``dscale`` of ``g * n`` and ``dbias`` of ``g`` over the leading axes. Its results' gradients are ``a``,
    ``p`` and ``q`` here.
    """
    x, scale, g = _operands(node)
    a, p, q = grads
    t = _layer_terms(b, node, x)
    centered = b.emit("Sub", x, t.mean(x))
    variance = t.mean(b.emit("Mul", centered, centered))
    assert variance is not None
    r = _inverse_root(b, variance, node.attributes["epsilon"])
    n = b.emit("Mul", centered, r)
    u = b.emit("Mul", g, scale)
    mean_u, mean_un = t.mean(u), t.mean(b.emit("Mul", u, n))
    mean_a, mean_an = t.mean(a), t.mean(t.mul(a, n))
    by_u = t.mul(t.sum(a, t.neg(mean_a), t.neg(t.mul(n, mean_an))), r) if a is not None else None
    by_n = t.sum(t.mul(g, p), t.neg(t.mul(t.sum(t.mul(a, mean_un), t.mul(u, mean_an)), r)))
    # Through n, whose own mean and root depend on x ...
    by_x = t.sum(by_n, t.neg(t.mean(by_n)), t.neg(t.mul(n, t.mean(t.mul(by_n, n)))))
    if a is not None:
        # ... and through the factor r: d r / d x = -r**2 * n / count, and the count cancels against the mean's.
        shares = t.sum(t.mul(mean_u, mean_a), t.mul(mean_un, mean_an))
        by_r = t.sum(t.mean(t.mul(a, u)), t.neg(shares))
        by_x = t.sum(by_x, t.neg(t.mul(n, t.mul(by_r, r))))
    by_g = t.sum(t.mul(by_u, scale), t.mul(n, p), q)
    return t.mul(by_x, r), t.mul(by_u, g), by_g


def _passes(per_element: int) -> Cost:
    """FLOPs of an op that does so many operations for each element of its first operand."""

    def cost(inputs: Sequence[TensorType], _outputs: Sequence[TensorType], _attributes: Attributes) -> DimLike:
        return inputs[0].size * per_element

    return cost


OPS = (
    OpDef(
        name="BatchNormalization",
        inputs=("x", "scale", "bias", "mean", "variance"),
        infer=_batch_type,
        vjp=_batch_vjp,
        doc="(x - mean) / sqrt(variance + epsilon) * scale + bias, channel by channel, with given statistics.",
        attributes=_BATCH,
        cost=_passes(2),
    ),
    OpDef(
        name="BatchNormTraining",
        inputs=("x", "scale", "bias"),
        infer=_training_type,
        vjp=_training_vjp,
        doc="BatchNormalization with the batch's own statistics, which it gives too; the variance is the biased one.",
        attributes=_BATCH,
        cost=_passes(7),
        domain=Domain.GRAPHC,
        outputs=("output", "mean", "variance"),
    ),
    OpDef(
        name="BatchNormTrainingGrad",
        inputs=("x", "scale", "mean", "variance", "g"),
        infer=_training_grad_type,
        vjp=_training_grad_vjp,
        doc="The gradient of BatchNormTraining for x (its statistics included), scale and bias.",
        attributes=_BATCH,
        cost=_passes(10),
        domain=Domain.GRAPHC,
        outputs=("by_x", "by_scale", "by_bias"),
    ),
    OpDef(
        name="LayerNormalization",
        inputs=("x", "scale", "bias?"),
        infer=_layer_type,
        vjp=_layer_vjp,
        doc="Mean 0 and variance 1 over the axes from ``axis`` on, then times scale plus bias.",
        attributes=_LAYER,
        cost=_passes(8),
    ),
    OpDef(
        name="LayerNormalizationGrad",
        inputs=("x", "scale", "g"),
        infer=_layer_grad_type,
        vjp=_layer_grad_vjp,
        doc="The gradient of LayerNormalization for x, scale and bias.",
        attributes=_LAYER,
        cost=_passes(14),
        domain=Domain.GRAPHC,
        outputs=("by_x", "by_scale", "by_bias"),
    ),
)
