"""Attention layers: naive loops as oracle, both ways of computing, JSON, export, and mistakes told when built."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.layers.projected_attention import attention_equations, projection_equation

Array = np.ndarray[Any, Any]

RANDOM = np.random.RandomState(0)
QUERY = RANDOM.rand(2, 5, 4).astype(np.float32)
VALUE = RANDOM.rand(2, 7, 3).astype(np.float32)
KEY = RANDOM.rand(2, 7, 6).astype(np.float32)


def heads_by_loop(layer: Any, query: Array, value: Array, key: Array, seen: Array) -> tuple[Array, Array]:
    """Outputs and scores of a MultiHeadAttention, one pair of target and source at a time, in float64."""

    def project(dense: Any, x: Array) -> Array:
        return np.tensordot(x, dense.kernel.numpy(), 1) + dense.bias.numpy()

    q, k, v = project(layer.query_dense, query), project(layer.key_dense, key), project(layer.value_dense, value)
    batch, targets, heads, depth = q.shape
    sources = k.shape[1]
    weights = np.zeros((batch, heads, targets, sources))
    out = np.zeros((batch, targets, heads, v.shape[-1]))
    for b in range(batch):
        for h in range(heads):
            for t in range(targets):
                scores = [q[b, t, h] @ k[b, s, h] / math.sqrt(depth) for s in range(sources)]
                powers = np.exp(scores) * seen[b, t]
                weights[b, h, t] = powers / powers.sum()
                out[b, t, h] = weights[b, h, t] @ v[b, :, h]
    kernel, bias = layer.output_dense.kernel.numpy(), layer.output_dense.bias.numpy()
    return np.tensordot(out, kernel, 2) + bias, weights


@pytest.mark.parametrize("value_dim", [None, 2])
@pytest.mark.parametrize("window", [None, 3])
def test_multi_head_attention_by_loop(value_dim: int | None, window: int | None) -> None:
    layer = layers.MultiHeadAttention(
        3, 5, value_dim=value_dim, sliding_window=window, output_shape=8, bias_initializer="random_normal"
    )
    asked = RANDOM.rand(2, 5, 7) > 0.3
    asked[:, :, 0] = True
    targets, sources = np.arange(5)[:, None], np.arange(7)
    seen = asked & (sources <= targets)
    if window is not None:
        asked[:, np.arange(5), np.arange(5)] = True  # every target sees itself
        seen = asked & (sources <= targets) & (np.abs(sources - targets) < window)
    fused = layer(QUERY, VALUE, KEY, attention_mask=asked, use_causal_mask=True)
    expected, weights = heads_by_loop(layer, QUERY, VALUE, KEY, seen)
    np.testing.assert_allclose(fused, expected, rtol=1e-5, atol=1e-6)
    outputs, scores = layer(QUERY, VALUE, KEY, attention_mask=asked, use_causal_mask=True, return_attention_scores=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scores, weights, rtol=1e-5, atol=1e-6)


def test_grouped_heads_are_repeated_heads() -> None:
    grouped = layers.GroupQueryAttention(5, 6, 2)
    outputs = grouped(QUERY, QUERY)
    many = layers.MultiHeadAttention(6, 5)
    many(QUERY, QUERY)
    repeated = [w.numpy() for w in grouped.weights]
    for place in (2, 3, 4, 5):  # kernels and biases of key and value
        repeated[place] = np.repeat(repeated[place], 3, axis=-2)
    many.set_weights(repeated)
    np.testing.assert_allclose(many(QUERY, QUERY), outputs, rtol=1e-5, atol=1e-6)


def test_dropout_drops_weights_in_training_only() -> None:
    layer = layers.MultiHeadAttention(2, 3, dropout=0.5, seed=4)
    still = layer(QUERY, VALUE)
    np.testing.assert_array_equal(layer(QUERY, VALUE), still)
    trained = layer(QUERY, VALUE, training=True)
    assert not np.allclose(trained, still)
    np.testing.assert_array_equal(layer(QUERY, VALUE, training=True), trained)
    plain = layers.MultiHeadAttention(2, 3)
    plain(QUERY, VALUE)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(plain(QUERY, VALUE), still, rtol=1e-5, atol=1e-6)


def test_a_target_that_sees_nothing() -> None:
    """As in Keras: the mean of the values where no scores are asked for, zeros where they are."""
    layer = layers.MultiHeadAttention(2, 3, use_bias=False)
    nothing = np.ones((2, 5, 7), bool)
    nothing[:, 1] = False
    fused = np.asarray(layer(QUERY, VALUE, attention_mask=nothing))
    outputs, scores = layer(QUERY, VALUE, attention_mask=nothing, return_attention_scores=True)
    assert not np.asarray(scores)[:, :, 1].any()
    assert not np.asarray(outputs)[:, 1].any()
    mean = np.tensordot(VALUE.mean(1), layer.value_dense.kernel.numpy(), 1)
    np.testing.assert_allclose(
        fused[:, 1], np.tensordot(mean, layer.output_dense.kernel.numpy(), 2), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(fused[:, 2:], np.asarray(outputs)[:, 2:], rtol=1e-5, atol=1e-6)


def test_build_config_and_names() -> None:
    query, value, key = graphc.Input((5, 4)), graphc.Input((7, 3)), graphc.Input((7, 6))
    layer = layers.MultiHeadAttention(2, 3, use_gate=True, name="heads")
    model = graphc.Model([query, value, key], layer(query, value, key=key))
    shapes = {"query_shape": (None, 5, 4), "value_shape": (None, 7, 3), "key_shape": (None, 7, 6)}
    assert layer.get_build_config() == {"shapes_dict": shapes}
    assert [w.path for w in layer.weights] == [
        f"heads/{part}/{name}"
        for part in ("query", "key", "gate", "value", "attention_output")
        for name in ("kernel", "bias")
    ]
    again = layers.MultiHeadAttention.from_config(layer.get_config())
    again.build_from_config({"shapes_dict": {name: list(shape) for name, shape in shapes.items()}})
    assert [w.shape for w in again.weights] == [w.shape for w in layer.weights]
    loaded = graphc.models.model_from_json(model.to_json())
    loaded.set_weights(model.get_weights())
    np.testing.assert_array_equal(loaded([QUERY, VALUE, KEY]), model([QUERY, VALUE, KEY]))
    assert layers.GroupQueryAttention(3, 4, 2).name.startswith("grouped_query_attention")


def test_explicit_query_mask_reaches_the_output() -> None:
    from graphc.ops.functional.masks import get_mask

    mask = np.array([[True, True, False, True, False]] * 2)
    outputs = layers.MultiHeadAttention(2, 3)(QUERY, VALUE, query_mask=mask)
    np.testing.assert_array_equal(get_mask(outputs), mask)


@pytest.mark.parametrize(("targets", "sources"), [(3, 7), (6, 2)])
def test_exported_at_other_lengths(targets: int, sources: int, tmp_path: Any) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    query, value = graphc.Input((None, 4), name="query"), graphc.Input((None, 3), name="value")
    heads = layers.MultiHeadAttention(2, 3, sliding_window=2)(query, value, use_causal_mask=True)
    model = graphc.Model([query, value], layers.Attention()([heads, query]))
    model.export(tmp_path / "model.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    x = [RANDOM.rand(3, targets, 4).astype(np.float32), RANDOM.rand(3, sources, 3).astype(np.float32)]
    (found,) = session.run(None, {"query": x[0], "value": x[1]})
    np.testing.assert_allclose(found, model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


def test_equations() -> None:
    assert projection_equation(2, 1, 2) == ("abc,cde->abde", "de")
    assert attention_equations(4, (1,)) == ("aecd,abcd->acbe", "acbe,aecd->abcd")
    # Batch, rows, columns, heads, channels: attention along the columns of each row.
    assert attention_equations(5, (2,)) == ("abfde,abcde->abdcf", "abdcf,abfde->abcde")


def shaped(*shape: int | None) -> Any:
    return graphc.Input(shape)


@pytest.mark.parametrize(
    ("connect", "told"),
    [
        (lambda: layers.Attention(name="look")(shaped(5, 4)), "'look' must be called on a list of inputs"),
        (lambda: layers.Attention(name="look")([shaped(5, 4)]), "'look' accepts a list of length 2 or 3"),
        (lambda: layers.Attention(name="look")([shaped(5, 4), shaped(7, 3)]), "'look'.*must fit together"),
        (lambda: layers.AdditiveAttention(name="look")([shaped(5, 4), shaped(7, 3)]), "'look'.*must fit together"),
        (
            lambda: layers.Attention(name="look")([QUERY, QUERY], mask=[None, np.ones((2, 4), bool)]),
            r"'look': the value's mask.*\(2, 5\); got \(2, 4\)",
        ),
        (lambda: layers.Attention(name="look")([QUERY, QUERY], mask=np.ones((2, 5))), "'look' must be a list"),
        (lambda: layers.MultiHeadAttention(2, 3, name="look")(shaped(5, 4)), "'look'.*`value` is missing"),
        (lambda: layers.MultiHeadAttention(2, 3, name="look")(shaped(4), shaped(4)), "'look'.*rank, at least 3"),
        (
            lambda: layers.MultiHeadAttention(2, 3, name="look")(shaped(5, 4), shaped(7, 4), shaped(6, 4)),
            "'look'.*`value` and `key`, except the last one, must be equal",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 3, name="look")(QUERY, VALUE, value_mask=np.ones((2, 5), bool)),
            r"'look': the value's mask.*\(2, 7\); got \(2, 5\)",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 3, name="look")(QUERY, VALUE, attention_mask=np.ones((5, 7), bool)),
            "'look': `attention_mask` must have 3 to 4 axes",
        ),
        (
            lambda: layers.GroupQueryAttention(3, 4, 2, name="look")(shaped(5, 4), shaped(7, 3)),
            "'look'.*equal last dimensions",
        ),
        (lambda: layers.GroupQueryAttention(3, 4, 3), "divisible by `num_key_value_heads`"),
        (lambda: layers.MultiHeadAttention(0, 3), "`num_heads`, expected a positive integer"),
        (lambda: layers.MultiHeadAttention(2, 3, sliding_window=0), "sliding_window=0"),
        (lambda: layers.MultiHeadAttention(2, 3, output_shape=(4, 0)), "`output_shape`"),
        (lambda: layers.Attention(score_mode="cosine"), "score_mode='cosine'"),
    ],
)
def test_mistakes(connect: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        connect()
