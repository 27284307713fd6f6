"""Parity cases of attention layers."""

from __future__ import annotations

from typing import Any

from .case import L2, of

QUERY, VALUE, KEY = (5, 4), (7, 3), (7, 4)
SAME = (7, 4)
DYNAMIC = {"declared": ((None, 4), (None, 4))}
MASKS = {"integers": (0, 2), "dtype": ("float32", "float32", "bool", "bool")}


def masked(layer: Any, query: Any, value: Any, query_mask: Any, value_mask: Any) -> Any:
    """`Attention` with masks."""
    return layer([query, value], mask=[query_mask, value_mask])


def value_masked_causal(layer: Any, query: Any, value: Any, mask: Any) -> Any:
    """`Attention` with a mask of the values, and no look ahead."""
    return layer([query, value], mask=[None, mask], use_causal_mask=True)


def causal(layer: Any, query: Any, value: Any) -> Any:
    """`Attention` without a look ahead."""
    return layer([query, value], use_causal_mask=True)


def with_scores(layer: Any, *inputs: Any) -> Any:
    """`Attention` with its scores."""
    return list(layer(list(inputs), return_attention_scores=True))


def heads(layer: Any, *inputs: Any) -> Any:
    """Several heads on query, value and perhaps key."""
    return layer(*inputs)


def to_itself(layer: Any, x: Any) -> Any:
    """Several heads on one tensor."""
    return layer(x, x)


def heads_causal(layer: Any, *inputs: Any) -> Any:
    """Several heads without a look ahead."""
    return layer(*inputs, use_causal_mask=True)


def heads_scores(layer: Any, *inputs: Any) -> Any:
    """Several heads with their scores."""
    return list(layer(*inputs, return_attention_scores=True))


def heads_scores_causal(layer: Any, *inputs: Any) -> Any:
    """Several heads with their scores, without a look ahead."""
    return list(layer(*inputs, return_attention_scores=True, use_causal_mask=True))


def heads_masked(layer: Any, query: Any, value: Any, mask: Any) -> Any:
    """Several heads with a mask for each pair of target and source."""
    return layer(query, value, attention_mask=mask)


def heads_masked_scores(layer: Any, query: Any, value: Any, mask: Any) -> Any:
    """Several heads with a mask for each pair of target and source, and their scores."""
    return list(layer(query, value, attention_mask=mask, return_attention_scores=True, use_causal_mask=True))


PAIRS = {"dtype": ("float32", "float32", "bool"), "integers": (0, 2)}

ATTENTION = (
    of("Attention", "value", QUERY, SAME),
    of("Attention", "key", QUERY, VALUE, KEY),
    of("Attention", "scaled", QUERY, VALUE, KEY, use_scale=True),
    of("Attention", "concat", QUERY, SAME, score_mode="concat"),
    of("Attention", "concat-scaled", QUERY, VALUE, KEY, score_mode="concat", use_scale=True),
    of("Attention", "causal", QUERY, SAME, call=causal),
    of("Attention", "masks", QUERY, SAME, (5,), (7,), **MASKS, call=masked),
    of("Attention", "mask-causal", QUERY, SAME, (7,), **PAIRS, call=value_masked_causal, use_scale=True),
    of("Attention", "scores", QUERY, VALUE, KEY, call=with_scores),
    of("Attention", "dropout", QUERY, SAME, train=False, dropout=0.3, seed=4),
    of("Attention", "dynamic", QUERY, SAME, **DYNAMIC),
    of("AdditiveAttention", "value", QUERY, SAME),
    of("AdditiveAttention", "key", QUERY, VALUE, KEY),
    of("AdditiveAttention", "no-scale", QUERY, SAME, use_scale=False),
    of("AdditiveAttention", "masks", QUERY, SAME, (5,), (7,), **MASKS, call=masked),
    of("AdditiveAttention", "causal", QUERY, SAME, call=causal),
    of("AdditiveAttention", "scores", QUERY, VALUE, KEY, call=with_scores, train=False, dropout=0.2, seed=3),
    of("AdditiveAttention", "dynamic", QUERY, SAME, **DYNAMIC),
)

MULTI_HEAD = (
    of("MultiHeadAttention", "self", SAME, call=to_itself, num_heads=2, key_dim=3),
    of("MultiHeadAttention", "value", QUERY, VALUE, call=heads, num_heads=2, key_dim=3),
    # Keras on JAX runs other lengths of values than of keys only where it makes scores.
    of("MultiHeadAttention", "value-dim", QUERY, VALUE, call=heads_scores, num_heads=2, key_dim=3, value_dim=5),
    of("MultiHeadAttention", "key", QUERY, VALUE, KEY, call=heads, num_heads=3, key_dim=2),
    of("MultiHeadAttention", "no-bias", QUERY, VALUE, call=heads, num_heads=2, key_dim=3, use_bias=False),
    of("MultiHeadAttention", "output", QUERY, VALUE, call=heads, num_heads=2, key_dim=3, output_shape=6),
    of("MultiHeadAttention", "output-axes", QUERY, VALUE, call=heads, num_heads=2, key_dim=3, output_shape=(3, 2)),
    of(
        "MultiHeadAttention",
        "causal",
        SAME,
        call=lambda layer, x: layer(x, x, use_causal_mask=True),
        num_heads=2,
        key_dim=3,
    ),
    of("MultiHeadAttention", "scores", QUERY, VALUE, call=heads_scores, num_heads=2, key_dim=3),
    # Keras leaves the mask of the pairs on the scores, where a loss cannot use it: no training step.
    of(
        "MultiHeadAttention",
        "scores-causal",
        QUERY,
        VALUE,
        call=heads_scores_causal,
        train=False,
        num_heads=2,
        key_dim=3,
    ),
    of("MultiHeadAttention", "pair-mask", QUERY, VALUE, (5, 7), **PAIRS, call=heads_masked, num_heads=2, key_dim=3),
    of(
        "MultiHeadAttention",
        "pair-mask-scores",
        QUERY,
        VALUE,
        (5, 7),
        **PAIRS,
        call=heads_masked_scores,
        train=False,
        num_heads=2,
        key_dim=3,
    ),
    of("MultiHeadAttention", "head-mask", QUERY, VALUE, (2, 5, 7), **PAIRS, call=heads_masked, num_heads=2, key_dim=3),
    of("MultiHeadAttention", "window", SAME, call=to_itself, num_heads=2, key_dim=3, sliding_window=2),
    of(
        "MultiHeadAttention", "window-causal", QUERY, VALUE, call=heads_causal, num_heads=2, key_dim=3, sliding_window=3
    ),
    of("MultiHeadAttention", "gate", QUERY, VALUE, call=heads, num_heads=2, key_dim=3, use_gate=True),
    of(
        "MultiHeadAttention",
        "dropout",
        QUERY,
        VALUE,
        call=heads,
        train=False,
        num_heads=2,
        key_dim=3,
        dropout=0.3,
        seed=5,
    ),
    of("MultiHeadAttention", "image", (3, 5, 4), (2, 6, 4), call=heads, num_heads=2, key_dim=3),
    of("MultiHeadAttention", "axis2", (3, 5, 4), (3, 6, 2), call=heads, num_heads=2, key_dim=3, attention_axes=2),
    of(
        "MultiHeadAttention",
        "axis-from-the-end",
        (3, 5, 4),
        call=to_itself,
        num_heads=2,
        key_dim=3,
        attention_axes=[-2],
    ),
    of("MultiHeadAttention", "dynamic", QUERY, SAME, **DYNAMIC, call=heads_causal, num_heads=2, key_dim=3),
    of(
        "MultiHeadAttention",
        "regularised",
        QUERY,
        VALUE,
        call=heads,
        num_heads=2,
        key_dim=3,
        kernel_regularizer=L2,
        bias_regularizer="l1",
        activity_regularizer=L2,
        kernel_constraint="non_neg",
        bias_constraint="non_neg",
        bias_initializer="ones",
        flash_attention=False,
    ),
)

GROUPED = (
    of("GroupQueryAttention", "self", SAME, call=to_itself, head_dim=3, num_query_heads=4, num_key_value_heads=2),
    of("GroupQueryAttention", "key", (5, 4), (7, 4), (7, 6), call=heads, head_dim=3, num_query_heads=6, num_key_value_heads=3),
    of("GroupQueryAttention", "one-head", (5, 4), (7, 4), call=heads, head_dim=2, num_query_heads=3, num_key_value_heads=1,
       use_bias=False),
    of("GroupQueryAttention", "causal", (5, 4), (7, 4), call=heads_causal, head_dim=3, num_query_heads=4,
       num_key_value_heads=2),
    of("GroupQueryAttention", "scores", (5, 4), (7, 4), call=heads_scores, head_dim=3, num_query_heads=4,
       num_key_value_heads=2, use_gate=True),
    of("GroupQueryAttention", "pair-mask", (5, 4), (7, 4), (5, 7), **PAIRS, call=heads_masked, head_dim=3, num_query_heads=4,
       num_key_value_heads=2),
    of("GroupQueryAttention", "window", SAME, call=to_itself, head_dim=3, num_query_heads=4, num_key_value_heads=4,
       sliding_window=2, kernel_regularizer=L2),
    of("GroupQueryAttention", "dropout", (5, 4), (7, 4), call=heads, train=False, head_dim=3, num_query_heads=4,
       num_key_value_heads=2, dropout=0.4, seed=2),
    of("GroupQueryAttention", "dynamic", (5, 4), (7, 4), **DYNAMIC, call=heads, head_dim=3, num_query_heads=4,
       num_key_value_heads=2),
)  # fmt: skip

CASES = (*ATTENTION, *MULTI_HEAD, *GROUPED)
