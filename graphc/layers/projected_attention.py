"""What MultiHeadAttention and GroupQueryAttention share: projections, masks, and attention over heads."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping, Sequence
from typing import Any

from graphc import constraints, initializers, regularizers
from graphc.errors import ArgumentError, ShapeError
from graphc.layers.activation_layers import masked_softmax
from graphc.layers.attention import past_only
from graphc.layers.einsum_dense import EinsumDense
from graphc.layers.layer import Layer
from graphc.layers.regularization import unit_number
from graphc.naming import auto_name
from graphc.ops import functional as ops
from graphc.ops.functional import random

Lengths = tuple[int | None, ...]


class ProjectedAttention(Layer):
    """Attention between linear projections of query, key and value, in several heads at once.

    Args:
        use_bias: whether projections have a bias.
        dropout: the fraction of the attention weights that training drops.
        sliding_window: how far a target looks: at sources less than so many places away; None for everywhere.
        flash_attention: a choice between Keras's kernels; it changes no result and is not used.
        use_gate: whether to multiply what the heads give by the sigmoid of one more projection of the query.
        seed: for dropout that does not depend on the program's seed.
    """

    def __init__(
        self,
        *,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        del flash_attention
        self.supports_masking = True
        self.dropout, self.use_bias, self.use_gate = unit_number(dropout, "dropout"), use_bias, use_gate
        self.sliding_window, self.seed = sliding_window, seed
        if sliding_window is not None and (
            isinstance(sliding_window, bool) or not isinstance(sliding_window, int) or sliding_window <= 0
        ):
            raise ArgumentError(
                f"`sliding_window` must be `None` or a positive integer. Received: sliding_window={sliding_window!r}"
            )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        # A penalty on what each projection gives, not on what the layer gives.
        self._projection_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    # -- building ---------------------------------------------------------------------------------------------------

    def _projection(
        self,
        name: str,
        equation: str,
        output_shape: Sequence[int | None],
        bias_axes: str,
        input_shape: Lengths,
        activation: Any = None,
    ) -> EinsumDense:
        """A projection, built."""
        dense = EinsumDense(
            equation,
            output_shape=output_shape,
            activation=activation,
            bias_axes=bias_axes if self.use_bias else None,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self._projection_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype,
            name=name,
        )
        dense.build_with_shapes(tuple(input_shape))
        return dense

    @staticmethod
    def count_inner_layers() -> None:
        """Use up the automatic names of the two layers without weights that Keras has inside, so that those after it agree."""
        auto_name("softmax")
        auto_name("dropout")

    def check_shapes(self, query: Lengths, value: Lengths, key: Lengths) -> None:
        """Raise a `ShapeError` unless key and value have the same steps, and all three the same rank of at least 3."""
        if len({len(query), len(value), len(key)}) != 1 or len(query) < 3:
            raise ShapeError(
                f"{type(self).__name__} layer {self.name!r} takes a query, a value and a key of one rank, at least 3: "
                f"(batch, steps, features). Received: query_shape={query}, value_shape={value}, key_shape={key}"
            )
        pairs = zip(value[1:-1], key[1:-1], strict=True)
        if any(None not in (a, b) and a != b for a, b in pairs):
            raise ShapeError(
                f"{type(self).__name__} layer {self.name!r}: all dimensions of `value` and `key`, except the last one, "
                f"must be equal. Received: value_shape={value} and key_shape={key}"
            )

    def _build_once(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        given = dict(zip(self._call_parameters, args, strict=False)) | kwargs
        missing = [name for name in ("query", "value") if given.get(name) is None]
        if missing:
            raise ArgumentError(
                f"{type(self).__name__} layer {self.name!r} is called on a query and a value; `{missing[0]}` is missing."
            )
        tensors = [given[name] for name in ("query", "value", "key") if given.get(name) is not None]
        self.build_with_shapes(*(tuple(x.shape) for x in tensors))

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that `build` saw, by argument."""
        shapes = getattr(self, "_build_shapes", None)
        return {"shapes_dict": dict(zip(_SHAPES, shapes, strict=False))} if shapes else None

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build from what `get_build_config` gave."""
        shapes = config.get("shapes_dict")
        if not self.built and isinstance(shapes, Mapping) and "query_shape" in shapes and "value_shape" in shapes:
            self.build_with_shapes(*(tuple(shapes[name]) for name in _SHAPES if name in shapes))

    # -- masks ------------------------------------------------------------------------------------------------------

    def merged_mask(
        self,
        query: Any,
        value: Any,
        query_mask: Any,
        value_mask: Any,
        key_mask: Any,
        attention_mask: Any,
        use_causal_mask: bool,
    ) -> Any:
        """Where targets may look, from everything that says so: ``(batch or 1, targets, sources)``; None for everywhere."""
        found = [] if attention_mask is None else [ops.cast(attention_mask, "bool")]
        for role, mask, axis, x in (
            ("query", query_mask, -1, query),
            ("value", value_mask, -2, value),
            ("key", key_mask, -2, value),
        ):
            if mask is not None:
                self._check_mask(role, mask, x)
                found.append(ops.expand_dims(ops.cast(mask, "bool"), axis))
        targets, sources = ops.shape(query)[1], ops.shape(value)[1]
        if use_causal_mask:
            found.append(past_only(targets, sources))
        if self.sliding_window is not None:
            near = ops.logical_and(
                ops.tri(targets, sources, self.sliding_window - 1, dtype="bool"),
                ops.logical_not(ops.tri(targets, sources, -self.sliding_window, dtype="bool")),
            )
            found.append(ops.expand_dims(near, 0))
        merged = found[0] if found else None
        for mask in found[1:]:
            merged = ops.logical_and(merged, mask)
        return merged

    def _check_mask(self, role: str, mask: Any, x: Any) -> None:
        have, wanted = tuple(mask.shape), tuple(x.shape)[:-1]
        if len(have) != len(wanted) or any(None not in (a, b) and a != b for a, b in zip(have, wanted, strict=True)):
            raise ShapeError(
                f"{type(self).__name__} layer {self.name!r}: the {role}'s mask must have the shape of the {role} without "
                f"its last axis, {wanted}; got {have}."
            )

    # -- attention --------------------------------------------------------------------------------------------------

    def attend(
        self,
        query: Any,
        key: Any,
        value: Any,
        mask: Any,
        axes: tuple[int, ...],
        depth: int,
        training: bool | None,
        return_attention_scores: bool,
    ) -> tuple[Any, Any]:
        """``softmax(query @ key / sqrt(depth)) @ value`` in each head, and the softmax (None where it was not asked for).

        As in Keras, a target that sees nothing gets the mean of the values where the softmax is not asked for and no
        dropout is set, and zeros otherwise.

        Args:
            query: ``(batch ..., targets ..., heads, depth)``.
            key: ``(batch ..., sources ..., heads, depth)``.
            value: ``(batch ..., sources ..., heads, value depth)``.
            mask: where targets may look, or None; without axes for batch axes in front of the heads, and the heads.
            axes: the axes that are targets and sources.
            depth: of a head.
            training: whether to drop weights.
            return_attention_scores: whether to give the softmax, ``(batch ..., heads, targets ..., sources ...)``.
        """
        rank = len(query.shape)
        to_scores, to_values = attention_equations(rank, axes)
        if mask is not None:
            mask = self._fit_mask(mask, len(to_values.partition(",")[0]), -2 * len(axes) - 1)
        if rank == 4 and self.dropout == 0 and not return_attention_scores:
            outputs = ops.dot_product_attention(query, key, value, mask=mask, scale=1.0 / math.sqrt(depth))
            return outputs, None
        scores = ops.einsum(to_scores, key, ops.multiply(query, 1.0 / math.sqrt(depth)))
        weights = masked_softmax(scores, mask, tuple(range(-len(axes), 0)))
        used = random.dropout(weights, self.dropout, seed=self.seed) if training and self.dropout > 0 else weights
        return ops.einsum(to_values, used, value), weights

    def _fit_mask(self, mask: Any, rank: int, axis: int) -> Any:
        """A mask with axes of length 1 for the heads and what is in front of them."""
        if len(mask.shape) > rank or len(mask.shape) < -axis:
            raise ShapeError(
                f"{type(self).__name__} layer {self.name!r}: `attention_mask` must have {-axis} to {rank} axes, "
                f"(batch, targets, sources) or (batch, heads, targets, sources); got shape {tuple(mask.shape)}."
            )
        while len(mask.shape) < rank:
            mask = ops.expand_dims(mask, axis)
        return mask

    # -- configuration ----------------------------------------------------------------------------------------------

    def projection_config(self) -> dict[str, Any]:
        """The configuration of the projections, and the seed."""
        return {
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._projection_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "seed": self.seed,
        }


_SHAPES = ("query_shape", "value_shape", "key_shape")


def projection_equation(free: int, bound: int, outputs: int) -> tuple[str, str]:
    """The equation of a projection that keeps ``free`` axes, sums over ``bound`` and makes ``outputs``; its bias's axes."""
    letters = string.ascii_lowercase
    kept, summed, made = letters[:free], letters[free : free + bound], letters[free + bound : free + bound + outputs]
    return f"{kept}{summed},{summed}{made}->{kept}{made}", made


def attention_equations(rank: int, axes: Sequence[int]) -> tuple[str, str]:
    """The equations ``keys,queries->scores`` and ``scores,values->outputs`` of projected tensors.

    Args:
        rank: of query, key and value: batch axes, attended axes, heads, channels.
        axes: those that targets and sources are counted along.
    """
    target, fresh = string.ascii_lowercase[:rank], iter(string.ascii_lowercase[rank:])
    source = "".join(next(fresh) if i in axes else target[i] for i in range(rank))
    kept = "".join(target[i] for i in range(rank - 1) if i not in axes)
    scores = kept + "".join(target[i] for i in axes) + "".join(source[i] for i in axes)
    return f"{source},{target}->{scores}", f"{scores},{source}->{target}"
