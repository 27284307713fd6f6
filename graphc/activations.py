"""Activation functions, by name for ``activation="relu"`` and as functions of tensors.

Most are the functions of `graphc.ops` themselves; those that differ in name or default from there are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.custom_objects import get_registered_name
from graphc.errors import ArgumentError
from graphc.object_table import ObjectTable
from graphc.ops import functional as ops

Activation = Callable[..., Any]

celu, elu, selu = ops.celu, ops.elu, ops.selu
glu = ops.glu
hard_shrink, soft_shrink, tanh_shrink, threshold = ops.hard_shrink, ops.soft_shrink, ops.tanh_shrink, ops.threshold
hard_sigmoid, hard_silu, hard_tanh = ops.hard_sigmoid, ops.hard_silu, ops.hard_tanh
leaky_relu, relu6 = ops.leaky_relu, ops.relu6
log_sigmoid, log_softmax = ops.log_sigmoid, ops.log_softmax
mish, sigmoid, silu, softmax, softplus, softsign, tanh = (
    ops.mish, ops.sigmoid, ops.silu, ops.softmax, ops.softplus, ops.softsign, ops.tanh,
)  # fmt: skip
sparse_plus, sparse_sigmoid, sparsemax, squareplus = ops.sparse_plus, ops.sparse_sigmoid, ops.sparsemax, ops.squareplus
swish, hard_swish = silu, hard_silu


def linear(x: Any) -> Any:
    """``x`` itself."""
    return x


def exponential(x: Any) -> Any:
    """``e ** x``."""
    return ops.exp(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """``x`` times the normal distribution at ``x``; by a formula with tanh if ``approximate``.

    Unlike `graphc.ops.gelu`, exact by default (as in Keras).
    """
    return ops.gelu(x, approximate=approximate)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """``min(x, max_value)`` above ``threshold``, ``negative_slope * (x - threshold)`` below.

    Args:
        x: a tensor.
        negative_slope: of the part below the threshold.
        max_value: the largest value of the result.
        threshold: at and below it ``x`` is damped.
    """
    if threshold == 0 and max_value is None:
        return ops.leaky_relu(x, negative_slope=negative_slope) if negative_slope else ops.relu(x)
    if threshold == 0:
        above = ops.clip(x, 0, max_value)
    else:
        above = ops.where(ops.greater(x, threshold), x, 0)
        above = above if max_value is None else ops.clip(above, 0, max_value)
    if not negative_slope:
        return above
    return ops.add(above, ops.multiply(negative_slope, ops.minimum(ops.subtract(x, threshold), 0)))


_TABLE = ObjectTable(
    "activation function",
    "keras.activations",
    functions=(celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu,
               linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax,
               softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold),
    aliases={"swish": silu, "hard_swish": hard_silu},
)  # fmt: skip


def get(identifier: Any) -> Activation:
    """An activation from a name, configuration or callable; None is `linear`.

    Raises:
        ArgumentError: it is unknown; the message suggests near names.
    """
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    found: Activation = linear if identifier is None else _TABLE.get(identifier)
    return found


def serialize(activation: Any) -> Any:
    """What `deserialize` needs: the name of a function of this module, else a configuration, as Keras writes it.

    Raises:
        ArgumentError: a function without a name (a lambda), which no file can refer to.
    """
    name = getattr(activation, "__name__", None)
    if name is None or hasattr(activation, "get_config"):
        return _TABLE.serialize(activation)
    if _TABLE.functions.get(name) is activation or activation is ops.relu:
        return name
    if activation is ops.gelu:
        raise ArgumentError(
            "`graphc.ops.gelu` approximates by default, `graphc.activations.gelu` does not, and files know the latter as "
            '"gelu". Use graphc.activations.gelu, or a function of your own, as the activation of a layer that is saved.'
        )
    if not name.isidentifier():
        raise ArgumentError(
            "An activation that is a lambda cannot be saved: files hold names, not code. "
            "Define it with `def`, and pass it in `custom_objects` when loading."
        )
    name = get_registered_name(activation)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Activation:
    """An activation from what `serialize` gave.

    Raises:
        ArgumentError: it is unknown; a function of yours must be registered or given in ``custom_objects``.
    """
    if isinstance(config, Mapping) and config.get("class_name") == "function":
        config = config.get("config")  # the name; Keras's `registered_name` is "function" for every one
    found: Activation = linear if config is None else _TABLE.deserialize(config, custom_objects)
    return found
