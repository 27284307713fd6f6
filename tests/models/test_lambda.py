"""Lambda: functions as layers, what a file holds of them, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers, ops
from graphc.custom_objects import custom_object_scope, register_keras_serializable
from graphc.errors import GraphcError, ShapeError


def double(x: Any, by: float = 2.0) -> Any:
    return x * by


@register_keras_serializable("lambda_tests")
def triple(x: Any) -> Any:
    return x * 3.0


def model_of(layer: Any, shape: tuple[int | None, ...] = (5, 4)) -> Any:
    inputs = graphc.Input(shape)
    return graphc.Model(inputs, layer(inputs))


X = np.random.RandomState(0).rand(3, 5, 4).astype(np.float32)


def test_function_of_operators_and_ops() -> None:
    weight = np.arange(4, dtype=np.float32)
    layer = layers.Lambda(lambda x: ops.mean(x * weight, axis=1) - 1.0)
    model = model_of(layer, (None, 4))
    assert model.output_shape == (None, 4)
    np.testing.assert_allclose(model.predict(X, verbose=0), (X * weight).mean(1) - 1.0, rtol=1e-5)
    np.testing.assert_allclose(layer(X), (X * weight).mean(1) - 1.0, rtol=1e-5)


def test_several_inputs_and_outputs() -> None:
    a, b = graphc.Input((4,)), graphc.Input((4,))
    outputs = layers.Lambda(lambda pair: [pair[0] + pair[1], pair[0] * pair[1]])([a, b])
    model = graphc.Model([a, b], outputs)
    total, product = model.predict([X[:, 0], X[:, 1]], verbose=0)
    np.testing.assert_allclose(total, X[:, 0] + X[:, 1])
    np.testing.assert_allclose(product, X[:, 0] * X[:, 1])


def test_training_and_arguments() -> None:
    layer = layers.Lambda(lambda x, by, training: x * by if training else x, arguments={"by": 5.0})
    np.testing.assert_allclose(layer(X, training=True), X * 5.0)
    np.testing.assert_allclose(layer(X), X)


def test_masks() -> None:
    ids = np.array([[3, 1, 0, 0], [2, 0, 1, 0]], np.int32)
    rows = layers.Embedding(4, 3, mask_zero=True)(ids)
    seen = layers.Lambda(lambda x, mask: ops.where(ops.expand_dims(mask, -1), x, 7.0), mask=lambda x, mask: mask)
    values = np.asarray(seen(rows))
    assert np.all((values == 7.0).all(-1) == (ids == 0))
    pooled = layers.GlobalAveragePooling1D()(seen(rows))
    assert np.abs(np.asarray(pooled)).max() < 1.0  # the sevens are masked
    assert layers.Lambda(double).supports_masking is False


def test_output_shape_is_checked() -> None:
    layers.Lambda(double, output_shape=(5, 4))(X)
    layers.Lambda(double, output_shape=(None, 4))(X)
    layers.Lambda(double, output_shape=lambda shape: shape)(X)
    layer = layers.Lambda(lambda x: x[:, 0], output_shape=(5, 4), name="first_step")
    with pytest.raises(ShapeError, match=r"'first_step'.*says \(None, 5, 4\).*gives \(None, 4\)"):
        model_of(layer)


def test_named_function_round_trip() -> None:
    layer = layers.Lambda(double, arguments={"by": 4.0}, output_shape=(5, 4), name="four")
    config = layer.get_config()
    assert config["function"] == {
        "module": "builtins",
        "class_name": "function",
        "config": "double",
        "registered_name": "function",
    }
    assert list(config) == ["name", "trainable", "dtype", "function", "output_shape", "arguments"]
    text = model_of(layer).to_json()
    with pytest.raises(GraphcError, match="double"):
        graphc.models.model_from_json(text)
    again = graphc.models.model_from_json(text, custom_objects={"double": double})
    np.testing.assert_allclose(again.predict(X, verbose=0), X * 4.0)
    with custom_object_scope({"double": double}):
        assert layers.Lambda.from_config(config).get_config() == config


def test_registered_function_needs_no_custom_objects() -> None:
    model = model_of(layers.Lambda(triple))
    assert "lambda_tests>triple" in model.to_json()
    again = graphc.models.model_from_json(model.to_json())
    np.testing.assert_allclose(again.predict(X, verbose=0), X * 3.0)


@pytest.mark.parametrize("function", [ops.abs, ops.square, graphc.activations.gelu, ops.relu])
def test_functions_of_graphc_need_no_custom_objects(function: Any) -> None:
    model = model_of(layers.Lambda(function))
    again = graphc.models.model_from_json(model.to_json())
    np.testing.assert_array_equal(again.predict(X - 0.5, verbose=0), model.predict(X - 0.5, verbose=0))


def test_lambda_is_not_saved() -> None:
    model = model_of(layers.Lambda(lambda x: x + 1.0, name="plus_one"))
    with pytest.raises(GraphcError, match="'plus_one' cannot be saved.*lambda.*names, never code"):
        model.to_json()
    shaped = layers.Lambda(double, output_shape=lambda shape: shape, name="shaped")
    with pytest.raises(GraphcError, match="`output_shape` is a lambda"):
        shaped.get_config()


def test_bytecode_is_not_read() -> None:
    config = json.loads(model_of(layers.Lambda(triple)).to_json())
    entry = config["config"]["layers"][1]
    # What Keras writes for `lambda x: x + 1`.
    entry["config"]["function"] = {
        "class_name": "__lambda__",
        "config": {"code": "4wEAAAAAAAAAAAAAAAAAAAAB", "defaults": None, "closure": None},
    }
    with pytest.raises(GraphcError, match="bytecode"):
        graphc.models.model_from_json(json.dumps(config))


def test_exports(tmp_path: Any) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = model_of(layers.Lambda(lambda x: ops.softmax(x * 3.0, axis=1)), (None, 4))
    model.export(tmp_path / "model.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (value,) = session.run(None, {session.get_inputs()[0].name: X})
    np.testing.assert_allclose(value, model.predict(X, verbose=0), rtol=1e-6, atol=1e-7)


def test_not_callable() -> None:
    with pytest.raises(ValueError, match="must be callable"):
        layers.Lambda("relu")  # type: ignore[arg-type]
