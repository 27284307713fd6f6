"""``clone_model``: new weights, chosen layers, calls changed on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError
from graphc.models import clone_model

X = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")


def shared(name: str = "model") -> Any:
    inputs = graphc.Input((4,), name="i")
    dense = layers.Dense(4, name="dd")
    return graphc.Model(inputs, dense(dense(inputs)) + 1.0, name=name)


def test_a_clone_computes_the_same_with_the_same_weights_and_shares_nothing() -> None:
    model = shared()
    model.compile("adam", "mse")
    clone = clone_model(model)
    assert clone.name == model.name
    assert [x.name for x in clone.operations] == [x.name for x in model.operations]
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    assert not set(map(id, clone.weights)) & set(map(id, model.weights))
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(X), model(X))


def test_the_clone_function_sees_each_layer_once() -> None:
    model, seen = shared(), []

    def keep(layer: Any) -> Any:
        seen.append(layer.name)
        return layer

    clone = clone_model(model, clone_function=keep)
    assert seen == ["dd"]
    assert clone.get_layer("dd") is model.get_layer("dd")
    np.testing.assert_array_equal(clone(X), model(X))


def test_layers_can_be_replaced() -> None:
    inputs = graphc.Input((4,))
    model = graphc.Model(inputs, layers.Activation("relu", name="a")(layers.Dense(3, name="d")(inputs)))
    other = clone_model(model, clone_function=lambda x: layers.Activation("tanh") if x.name == "a" else x)
    np.testing.assert_allclose(other(X), np.tanh(X @ model.get_weights()[0]), rtol=1e-5, atol=1e-6)


def test_the_call_function_puts_layers_between() -> None:
    called = []

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        called.append(layer.name)
        result = layer(*args, **kwargs)
        return layers.Dropout(0.5)(result) if isinstance(layer, layers.Dense) else result

    graphc.utils.clear_session()
    clone = clone_model(shared(), call_function=call)
    assert called == ["dd", "dd", "add"]
    assert [x.name for x in clone.operations] == ["i", "dd", "dropout", "dropout_1", "add"]


def test_input_tensors() -> None:
    model, t = shared(), graphc.Input((4,), name="t")
    assert [x.name for x in clone_model(model, input_tensors=t).layers] == ["t", "dd"]
    with pytest.raises(ArgumentError, match="nested like the inputs"):
        clone_model(model, input_tensors=[t])
    with pytest.raises(ArgumentError, match="symbolic"):
        clone_model(model, input_tensors=X)


def test_sequential_models() -> None:
    model = graphc.Sequential([graphc.Input((4,), name="first"), layers.Dense(2, name="q")], name="s")
    clone = clone_model(model)
    assert isinstance(clone, graphc.Sequential)
    assert (clone.name, [x.name for x in clone.layers], clone.input_names) == ("s", ["q"], ["first"])
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(X), model(X))
    t = graphc.Input((4,), name="t")
    assert clone_model(model, input_tensors=[t]).input_names == ["t"]
    with pytest.raises(ArgumentError, match="listed, not called"):
        clone_model(model, call_function=lambda layer, x: layer(x))
    assert not clone_model(graphc.Sequential([layers.Dense(2)])).built


def test_models_inside() -> None:
    z, x = graphc.Input((4,)), graphc.Input((4,))
    inner = graphc.Model(z, graphc.Sequential([layers.Dense(4, name="deep")], name="stack")(z), name="inner")
    model = graphc.Model(x, inner(inner(x)))
    seen = []

    def copy(layer: Any) -> Any:
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    assert len(clone_model(model, clone_function=copy).weights) == 2
    assert seen == ["inner"]
    seen.clear()
    clone = clone_model(model, clone_function=copy, recursive=True)
    assert seen == ["deep"]
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(X), model(X))


def test_classes_of_the_users_own() -> None:
    class Shift(layers.Layer):
        def __init__(self, by: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.by = by

        def call(self, inputs: Any) -> Any:
            return inputs + self.by

    class Regressor(graphc.Model):
        def __init__(self, units: int = 2, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.dense = layers.Dense(units)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

    z, x = graphc.Input((4,)), graphc.Input((4,))
    inner = graphc.Model(z, Shift(2.0)(z))
    np.testing.assert_array_equal(clone_model(graphc.Model(x, inner(x)))(X), X + 2)
    clone = clone_model(Regressor(3))
    assert type(clone) is Regressor
    assert clone(X).shape == (5, 3)
    with pytest.raises(ArgumentError, match="`call` of its own"):
        clone_model(Regressor(3), clone_function=lambda x: x)
    with pytest.raises(ArgumentError, match="takes a model"):
        clone_model(layers.Dense(2))
    with pytest.raises(ArgumentError, match="cache"):
        clone_model(shared(), cache={})
