"""Scaled dot-product attention (Vaswani et al. 2017), also with fewer key heads than query heads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir import dtypes
from graphc.ops.functional.arguments import Tensor, compute_dtype, concrete_dtype, known_length, rank_of, scalar
from graphc.ops.functional.contraction import einsum
from graphc.ops.functional.creation import tri
from graphc.ops.functional.dispatch import apply, cast_to, function, promote, shape_of
from graphc.ops.functional.movement import repeat

__all__ = ["dot_product_attention"]


@function
def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """``softmax(query @ key * scale + bias) @ value`` for each head.

    Args:
        query: ``(batch, targets, heads, depth)``.
        key: ``(batch, sources, key heads, depth)``; each key head serves as many query heads.
        value: ``(batch, sources, key heads, depth)``.
        bias: added to the logits; broadcasts to ``(batch, heads, targets, sources)``.
        mask: where a target may look; broadcasts to ``(batch, heads, targets, sources)``.
        scale: of the logits; ``1 / sqrt(depth)`` by default.
        is_causal: let a target look at sources up to its own position only.
        flash_attention: a choice of Keras's backends; False or None.
        attn_logits_soft_cap: not supported.

    Returns:
        ``(batch, targets, heads, depth)``.

    Raises:
        ArgumentError: ``flash_attention`` or ``attn_logits_soft_cap`` is asked for.
        ShapeError: an operand has another rank, or the key heads do not divide the heads.
    """
    if flash_attention or attn_logits_soft_cap is not None:
        raise ArgumentError("dot_product_attention: leave out `flash_attention` and `attn_logits_soft_cap`.")
    query, key, value = promote(query, key, value, to_float=True)
    if {rank_of(x) for x in (query, key, value)} != {4}:
        raise ShapeError(
            "dot_product_attention: query, key and value must have rank 4, (batch, length, heads, depth); "
            f"got {shape_of(query)}, {shape_of(key)} and {shape_of(value)}."
        )
    key, value = _served(key, query), _served(value, query)
    depth = known_length(shape_of(query)[-1], "dot_product_attention: the depth")
    wide = compute_dtype(query)
    logits = einsum("btnh,bsnh->bnts", cast_to(query, wide), cast_to(key, wide))
    logits = apply("Mul", logits, scalar(1 / math.sqrt(depth) if scale is None else scale, logits))
    if bias is not None:
        logits = apply("Add", logits, cast_to(bias, wide))
    seen = _seen(mask, is_causal, shape_of(logits))
    if seen is not None:
        # Not minus infinity: a target that sees nothing gets even weights then, as in Keras, and not NaN.
        hidden = -0.7 * float(np.finfo(dtypes.numpy_dtype(wide)).max)
        logits = apply("Where", seen, logits, scalar(hidden, logits))
    weights = cast_to(apply("Softmax", logits, axis=-1), concrete_dtype(value))
    return einsum("bnts,bsnh->btnh", weights, value)


def _served(x: Tensor, query: Tensor) -> Tensor:
    """Keys or values with each head repeated for the query heads that it serves."""
    heads, have = shape_of(query)[2], shape_of(x)[2]
    if heads == have:
        return x
    if not isinstance(heads, int) or not isinstance(have, int) or have == 0 or heads % have:
        raise ShapeError(f"dot_product_attention: {have} key heads cannot serve {heads} query heads in equal groups.")
    return repeat(x, heads // have, axis=2)


def _seen(mask: Tensor | None, is_causal: bool, shape: Any) -> Tensor | None:
    """Where targets may look, or None for everywhere."""
    seen = None if mask is None else cast_to(mask, "bool")
    if not is_causal:
        return seen
    past = tri(shape[-2], shape[-1], dtype="bool")
    return past if seen is None else apply("And", seen, past)
