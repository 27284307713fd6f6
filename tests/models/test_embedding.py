"""Embedding: indices out of range, weights given, exact gradients of repeated rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import DataError, GraphcError

IDS = np.array([[3, 0, 3, 5], [5, 5, 1, 3]], np.int32)


def test_index_out_of_range_names_the_layer() -> None:
    layer = layers.Embedding(6, 2, name="words")
    for bad in (6, -7):
        with pytest.raises(DataError, match=rf"'words' has 6 rows.*{bad}"):
            layer(np.array([[1, bad]]))
    layer(np.array([[-6, 5]]))


def test_index_out_of_range_while_a_model_runs_names_the_layer() -> None:
    inputs = graphc.Input((4,), dtype="int32")
    model = graphc.Model(inputs, layers.Embedding(6, 2, name="words")(inputs))
    model.compile("sgd", "mse")
    bad = IDS + 1
    for run in (
        lambda: model.predict(bad, verbose=0),
        lambda: model(bad),
        lambda: model.train_on_batch(bad, np.zeros((2, 4, 2), np.float32)),
    ):
        with pytest.raises(GraphcError, match="words") as caught:
            run()
        assert "6" in str(caught.value)


def test_weights_may_be_given() -> None:
    table = np.arange(12.0).reshape(6, 2)
    for given in (table, [table]):
        layer = layers.Embedding(6, 2, weights=given)
        np.testing.assert_array_equal(layer(IDS), table[IDS])
    with pytest.raises(ValueError, match=r"\(6, 2\).*\(2, 6\)"):
        layers.Embedding(6, 2, weights=table.T)


def test_step_changes_each_row_by_the_sum_of_its_gradients() -> None:
    inputs = graphc.Input((4,), dtype="int32")
    layer = layers.Embedding(6, 2)
    model = graphc.Model(inputs, layer(inputs))
    model.compile(graphc.optimizers.SGD(0.5), graphc.losses.MeanSquaredError(reduction="sum"))
    before, target = layer.embeddings.numpy(), np.random.RandomState(0).rand(2, 4, 2).astype(np.float32)
    model.train_on_batch(IDS, target)
    expected = before.astype(np.float64)
    for row, wanted in zip(IDS.ravel(), target.reshape(-1, 2), strict=True):
        expected[row] -= 0.5 * (before[row] - wanted)  # the derivative of the mean of two squares
    np.testing.assert_allclose(layer.embeddings.numpy(), expected, rtol=1e-6)
    untouched = [2, 4]
    np.testing.assert_array_equal(layer.embeddings.numpy()[untouched], before[untouched])


def test_arguments() -> None:
    for arguments, told in (
        ({"input_dim": 0}, "`input_dim`, expected a positive integer"),
        ({"output_dim": 2.5}, "`output_dim`, expected a positive integer"),
        ({"lora_rank": 2}, "leave `lora_rank` out"),
    ):
        with pytest.raises(ValueError, match=told):
            layers.Embedding(**{"input_dim": 6, "output_dim": 2, **arguments})
    with pytest.warns(UserWarning, match="input_length"):
        layers.Embedding(6, 2, input_length=4)


def test_reversible_embedding_shares_its_table() -> None:
    layer = layers.ReversibleEmbedding(6, 3, logit_soft_cap=0.5)
    rows = np.asarray(layer(IDS))
    table = layer.embeddings.numpy()
    scores = layer(rows, reverse=True)
    np.testing.assert_allclose(scores, 0.5 * np.tanh(rows @ table.T / 0.5), rtol=1e-5)
    assert [w.name for w in layer.weights] == ["embeddings"]


def test_export_keeps_one_gather(tmp_path: Any) -> None:
    onnx = pytest.importorskip("onnx")
    inputs = graphc.Input((None,), dtype="int32")
    model = graphc.Model(inputs, layers.Embedding(6, 2, mask_zero=True)(inputs))
    model.export(tmp_path / "model.onnx", format="onnx")
    assert [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node] == ["Gather"]
