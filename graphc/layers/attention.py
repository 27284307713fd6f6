"""Attention: each step of a query looks at the steps of a value, by dot products or by sums."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.layers.layer import Layer
from graphc.layers.regularization import unit_number
from graphc.ops import functional as ops
from graphc.ops.functional import random


def past_only(targets: Any, sources: Any) -> Any:
    """The causal mask ``(1, targets, sources)``: True where a target may look at a source, one no later than itself."""
    return ops.expand_dims(ops.tri(targets, sources, dtype="bool"), 0)


class Attention(Layer):
    """Dot-product attention (Luong et al., 2015): ``softmax(query @ key^T) @ value``.

    Called on ``[query, value]`` or ``[query, value, key]`` with shapes ``(batch, targets, features)``,
    ``(batch, sources, value features)`` and ``(batch, sources, features)``; gives ``(batch, targets, value features)``.
    Masked sources are not looked at; masked targets give zeros.

    Args:
        use_scale: whether to multiply the scores by a learned number.
        score_mode: ``dot``, or ``concat`` for ``sum(tanh(query + key))`` times a learned number.
        dropout: the fraction of the weights that training drops.
        seed: for dropout that does not depend on the program's seed.
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ArgumentError(
                "Invalid value for argument score_mode. Expected one of {'dot', 'concat'}. "
                f"Received: score_mode={score_mode!r}"
            )
        self.use_scale, self.score_mode = use_scale, score_mode
        self.dropout, self.seed = unit_number(dropout, "dropout"), seed
        self.supports_masking = True
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        """Make the learned numbers."""
        self._check_inputs(input_shape, "shapes")
        self._check_shapes([tuple(shape) for shape in input_shape])
        if self.use_scale:
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(shape=(), initializer="ones", name="concat_score_weight")

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """What each target sees; with ``return_attention_scores`` also how much of each source, after the softmax.

        Args:
            inputs: ``[query, value]`` or ``[query, value, key]``.
            mask: ``[query mask, value mask]``, each None or ``(batch, steps)``; that of the inputs by default.
            training: whether to drop weights.
            return_attention_scores: whether to give ``(outputs, scores)``, scores ``(batch, targets, sources)``.
            use_causal_mask: whether a target looks only at sources that are no later than itself.
        """
        self._check_inputs(inputs, "tensors")
        self._check_mask(inputs, mask)
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = mask[:2] if mask is not None else (None, None)
        scores = self.scores(query, key)
        seen = _seen(scores, value_mask, use_causal_mask)
        if seen is not None:
            hidden = 65504.0 if scores.dtype == "float16" else 1e9
            scores = ops.where(seen, scores, ops.subtract(scores, hidden))
        weights = ops.softmax(scores, axis=-1)
        used = random.dropout(weights, self.dropout, seed=self.seed) if training and self.dropout > 0 else weights
        outputs = ops.matmul(used, value)
        if query_mask is not None:
            outputs = ops.where(ops.expand_dims(query_mask, -1), outputs, 0)
        # Keras gives the scores after dropout.
        return (outputs, used) if return_attention_scores else outputs

    def scores(self, query: Any, key: Any) -> Any:
        """How well each source fits each target: ``(batch, targets, sources)``."""
        if self.score_mode == "dot":
            products = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return products if self.scale is None else ops.multiply(products, self.scale)
        sums = pairwise_sums(query, key)
        if self.scale is not None:
            sums = ops.multiply(sums, self.scale)
        return ops.multiply(ops.sum(ops.tanh(sums), axis=-1), self.concat_score_weight)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The query's mask."""
        self._check_mask(inputs, previous_mask)
        return None if previous_mask is None else previous_mask[0]

    def _check_inputs(self, inputs: Any, what: str) -> None:
        """Raise an error unless ``inputs`` is a list of two or three tensors (or shapes)."""
        if not isinstance(inputs, list):
            raise ArgumentError(
                f"{type(self).__name__} layer {self.name!r} must be called on a list of inputs, namely [query, value] or "
                f"[query, value, key]. Received: inputs={inputs!r:.80}"
            )
        if not 2 <= len(inputs) <= 3:
            raise ArgumentError(
                f"{type(self).__name__} layer {self.name!r} accepts a list of length 2 or 3, namely [query, value] or "
                f"[query, value, key]. Received {len(inputs)} {what}."
            )

    def _check_mask(self, inputs: Any, mask: Any) -> None:
        if mask is None:
            return
        if not isinstance(mask, list) or not 2 <= len(mask) <= 3:
            raise ArgumentError(
                f"The mask of {type(self).__name__} layer {self.name!r} must be a list [query mask, value mask], each of "
                f"them None or a tensor. Received: mask={mask!r:.80}"
            )
        for one, x, role in zip(mask[:2], inputs, ("query", "value"), strict=False):
            if one is None:
                continue
            have, wanted = tuple(one.shape), tuple(x.shape)[:-1]
            if len(have) != len(wanted) or any(
                None not in (a, b) and a != b for a, b in zip(have, wanted, strict=True)
            ):
                raise ShapeError(
                    f"{type(self).__name__} layer {self.name!r}: the {role}'s mask must have the shape of the {role} "
                    f"without its last axis, {wanted}; got {have}."
                )

    def _check_shapes(self, shapes: list[tuple[int | None, ...]]) -> None:
        query, value, key = (*shapes, shapes[1])[:3]
        fits = len(query) == len(value) == len(key) and len(query) >= 3
        if fits:
            fits = _same(query[-1], key[-1]) and _same(key[-2], value[-2]) and _same(query[0], value[0])
        if not fits:
            raise ShapeError(
                f"{type(self).__name__} layer {self.name!r}: query (batch, targets, features), value (batch, sources, any) "
                f"and key (batch, sources, features) must fit together; got {query}, {value} and {key}."
            )

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


def _same(a: int | None, b: int | None) -> bool:
    return a is None or b is None or a == b


def pairwise_sums(query: Any, key: Any) -> Any:
    """Every target's vector plus every source's: ``(batch, targets, sources, features)``."""
    return ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))


def _seen(scores: Any, value_mask: Any, use_causal_mask: bool) -> Any:
    """Where a target may look, or None for everywhere."""
    if value_mask is not None:
        value_mask = ops.expand_dims(ops.cast(value_mask, "bool"), -2)
    if not use_causal_mask:
        return value_mask
    past = past_only(*ops.shape(scores)[-2:])
    return past if value_mask is None else ops.logical_and(value_mask, past)


class AdditiveAttention(Attention):
    """Attention by ``sum(scale * tanh(query + key))`` (Bahdanau et al., 2015); called as `Attention`.

    Args:
        use_scale: whether to learn ``scale``, ``(features,)``; else it is 1.
        dropout: the fraction of the weights that training drops.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        self._check_inputs(input_shape, "shapes")
        self._check_shapes([tuple(shape) for shape in input_shape])
        if self.use_scale:
            self.scale = self.add_weight(shape=(input_shape[0][-1],), initializer="glorot_uniform", name="scale")

    def scores(self, query: Any, key: Any) -> Any:
        """How well each source fits each target: ``(batch, targets, sources)``."""
        bent = ops.tanh(pairwise_sums(query, key))
        return ops.sum(bent if self.scale is None else ops.multiply(bent, self.scale), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        config = super().get_config()
        del config["score_mode"]
        return config
