"""Normalisation layers: one ONNX node where there is one, axes that Keras cannot do, masks, mistakes told when built."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers

X = np.random.RandomState(0).rand(3, 6, 4).astype(np.float32)


def exported_ops(model: Any, path: Any) -> list[str]:
    onnx = pytest.importorskip("onnx")
    model.export(path / "model.onnx", format="onnx")
    return [node.op_type for node in onnx.load(path / "model.onnx").graph.node]


@pytest.mark.parametrize("axis", [-1, [1, 2], (-2, -1)])
def test_layer_normalization_is_one_node(axis: Any, tmp_path: Any) -> None:
    inputs = graphc.Input((6, 4))
    model = graphc.Model(inputs, layers.LayerNormalization(axis=axis)(inputs))
    assert exported_ops(model, tmp_path) == ["LayerNormalization"]


def test_rms_normalization_scales_the_axis_that_it_normalises() -> None:
    layer = layers.RMSNormalization(axis=1, epsilon=1e-3)
    layer(X)
    scale = np.arange(1.0, 7.0, dtype=np.float32)
    layer.set_weights([scale])
    expected = X / np.sqrt((X**2).mean(1, keepdims=True) + 1e-3) * scale[:, None]
    np.testing.assert_allclose(layer(X), expected, rtol=1e-5)


def test_group_normalization_by_loop() -> None:
    layer = layers.GroupNormalization(groups=2, epsilon=1e-2)
    layer(X)
    gamma, beta = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 0.0, -0.5, 1.0])
    layer.set_weights([gamma, beta])
    expected = np.zeros(X.shape)
    for sample in range(3):
        for channels in (slice(0, 2), slice(2, 4)):
            group = X[sample, :, channels].astype(np.float64)
            expected[sample, :, channels] = (group - group.mean()) / np.sqrt(group.var() + 1e-2)
    np.testing.assert_allclose(layer(X), expected * gamma + beta, rtol=1e-5, atol=1e-6)


def test_masked_steps_do_not_count_in_the_batchs_statistics() -> None:
    mask = np.array([[True] * 4 + [False] * 2] * 3)
    layer = layers.BatchNormalization(momentum=0.0, epsilon=1e-6)
    outputs = np.asarray(layer(np.where(mask[..., None], X, 1e3), training=True, mask=mask))
    seen = X[:, :4].reshape(-1, 4)
    np.testing.assert_allclose(layer.moving_mean.numpy(), seen.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), seen.var(0), rtol=1e-5)
    np.testing.assert_allclose(outputs[:, :4].reshape(-1, 4).std(0), 1.0, rtol=1e-3)


@pytest.mark.parametrize(
    ("connect", "told"),
    [
        (lambda: layers.LayerNormalization(axis=3, name="norm")(X), r"'norm': axis 3 is out of bounds.*\(3, 6, 4\)"),
        (
            lambda: layers.LayerNormalization(axis=1, name="norm")(graphc.Input((None, 4))),
            "'norm': axis 1.*fixed length",
        ),
        (lambda: layers.LayerNormalization(axis="last"), "axis='last'"),
        (lambda: layers.GroupNormalization(groups=3, name="norm")(X), "'norm': 4 channels.*3 groups"),
        (lambda: layers.GroupNormalization(groups=0), "groups=0"),
        (lambda: layers.RMSNormalization(axis=5, name="norm")(X), "'norm': axis 5 is out of bounds"),
        (lambda: layers.UnitNormalization(axis=5, name="norm")(X), "'norm': axis 5 is out of bounds"),
        (lambda: layers.BatchNormalization(axis=0, name="norm")(X), "'norm': axis 0.*batch"),
        (lambda: layers.BatchNormalization(synchronized=True), "synchronized"),
        (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"max": 1}), "rmax, rmin and dmax"),
        (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 1, "rmin": 2}), "less than rmin"),
        (
            lambda: layers.BatchNormalization(name="norm")(X, training=True, mask=np.ones((3, 6, 4), bool)),
            r"'norm': the mask must have one axis less.*\(3, 6, 4\)",
        ),
    ],
)
def test_mistakes(connect: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        connect()
