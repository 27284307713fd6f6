"""Parity cases of `ops` functions and operators on symbolic tensors."""

from __future__ import annotations

from parity.spec import IMAGE, SEQUENCE, WIDE

from .case import fn

PAIR = (SEQUENCE, SEQUENCE)

CASES = (
    fn("ops/arithmetic", lambda _, x, y: (x + 1.5) * y - (2.0 - x) / (y * y + 1.0), *PAIR),
    fn("ops/negative-power", lambda _, x: -x + x**2, SEQUENCE),
    fn("ops/item-index", lambda _, x: x[:, 2], SEQUENCE),
    fn("ops/item-negative", lambda _, x: x[:, -1, ::2], SEQUENCE),
    fn("ops/item-ellipsis", lambda _, x: x[..., 1:3], IMAGE),
    # Keras's torch backend refuses negative steps.
    fn("ops/item-step", lambda _, x: x[:, 5:1:-2], IMAGE),
    fn("ops/item-new-axis", lambda _, x: x[:, None, 1:], SEQUENCE),
    fn("ops/concatenate", lambda k, x, y: k.ops.concatenate([x, y, x], axis=-1), SEQUENCE, (6, 3)),
    fn("ops/mean-axes", lambda k, x: k.ops.mean(x, axis=(1, 2)), IMAGE),
    fn("ops/sum-keepdims", lambda k, x: k.ops.sum(x, axis=2, keepdims=True), IMAGE),
    fn("ops/max-min", lambda k, x: k.ops.max(x, axis=1) - k.ops.min(x, axis=1), IMAGE),
    fn("ops/reshape", lambda k, x: k.ops.reshape(x, (-1, 8, 3)), SEQUENCE),
    fn("ops/transpose", lambda k, x: k.ops.transpose(x, (0, 2, 1)), SEQUENCE),
    fn("ops/matmul", lambda k, x, y: k.ops.matmul(x, y), SEQUENCE, (4, 3)),
    fn("ops/exp-log", lambda k, x: k.ops.log(k.ops.exp(x) + 1.0) + k.ops.sqrt(k.ops.abs(x) + 0.5), WIDE),
    fn("ops/maximum-clip", lambda k, x, y: k.ops.clip(k.ops.maximum(x, y), -0.5, 1.0) + k.ops.minimum(x, 0.25), *PAIR),
    fn("ops/where", lambda k, x, y: k.ops.where(x > y, x, 2.0 * y), *PAIR),
    fn("ops/expand-squeeze", lambda k, x: k.ops.squeeze(k.ops.expand_dims(x, 1), 1) * 3.0, SEQUENCE),
    fn(
        "ops/relu-softmax",
        lambda k, x: k.ops.softmax(k.ops.relu(x), axis=-1) + k.ops.sigmoid(x) * k.ops.tanh(x),
        SEQUENCE,
    ),
)
