"""Layers, calls and functional models: structure, names, sharing, nesting."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError, ShapeError
from graphc.ir.verify import verify
from graphc.ops.registry import OPS


@pytest.fixture(autouse=True)
def _fresh_names():
    graphc.utils.clear_session()


def mlp():
    inputs = graphc.Input(shape=(784,), name="img")
    x = layers.Dense(64, activation="relu")(inputs)
    return graphc.Model(inputs, layers.Dense(10)(x), name="mnist_model")


def test_symbolic_tensors_show_keras_shapes():
    inputs = graphc.Input(shape=(784,))
    assert inputs.shape == (None, 784)
    assert inputs.dtype == "float32"
    assert layers.Dense(3)(inputs).shape == (None, 3)


def test_automatic_names_count_per_class():
    x = graphc.Input((4,))
    assert [layers.Dense(2).name, layers.Dense(2).name, layers.ReLU().name, layers.MaxPooling2D().name] == [
        "dense", "dense_1", "re_lu", "max_pooling2d",
    ]  # fmt: skip
    assert (x + 1).call.layer.name == "add"


def test_the_ir_of_a_model_has_types_layer_names_and_origins():
    graph = mlp().graph()
    verify(graph, OPS)
    assert [str(v.type) for v in graph.outputs.values()] == ["float32[batch, 10]"]
    assert list(graph.states()) == ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
    node = next(n for n in graph if n.op == "Relu")
    assert node.name == "dense/Relu"
    assert node.origin.file == __file__


def test_to_networkx_serves_any_algorithm():
    view = mlp().graph().to_networkx()
    assert nx.is_directed_acyclic_graph(view)
    assert nx.has_path(view, "img", "dense_1/Add")
    with pytest.raises(nx.NetworkXError):
        view.add_node("x")


def test_a_shared_layer_has_one_set_of_weights_and_several_nodes():
    shared = layers.Dense(3, name="shared")
    a, b = graphc.Input((4,), name="a"), graphc.Input((4,), name="b")
    first, second = shared(a), shared(b)
    model = graphc.Model([a, b], layers.add([first, second]))
    assert len(model.weights) == 2
    assert shared.get_output_at(0) is first
    assert shared.get_output_at(1) is second
    assert shared.input_shape == (None, 4)
    with pytest.raises(AttributeError, match="get_output_at"):
        _ = shared.output
    x = np.random.default_rng(0).standard_normal((2, 5, 4)).astype("float32")
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model([x[0], x[1]]), (x[0] + x[1]) @ kernel + 2 * bias, rtol=1e-5, atol=1e-6)


def test_nested_models_share_weights_and_carry_their_path():
    inner_in = graphc.Input((4,))
    inner = graphc.Model(inner_in, layers.Dense(2, name="d")(inner_in), name="inner")
    x = graphc.Input((4,))
    model = graphc.Model(x, layers.Average()([inner(x), inner(x * 2.0)]))
    assert len(model.weights) == 2
    assert any(n.name == "inner/d/MatMul" for n in model.graph())
    data = np.ones((3, 4), "float32")
    np.testing.assert_allclose(model(data), (inner(data) + inner(2 * data)) / 2, rtol=1e-6)


def test_intermediate_outputs_make_another_model_on_the_same_weights():
    model = mlp()
    features = graphc.Model(model.input, model.layers[1].output)
    data = np.random.default_rng(1).standard_normal((2, 784)).astype("float32")
    kernel, bias = model.get_weights()[:2]
    np.testing.assert_allclose(features(data), np.maximum(data @ kernel + bias, 0), rtol=1e-4, atol=1e-5)


def test_operators_and_slicing_on_symbolic_tensors():
    x = graphc.Input((5, 3))
    y = (2.0 - x[:, 1:-1, 0] / 4) ** 2
    model = graphc.Model(x, [y, -x @ np.ones((3, 2), "float32"), abs(x) > 0.5])
    data = np.random.default_rng(0).standard_normal((2, 5, 3)).astype("float32")
    first, second, third = model(data)
    np.testing.assert_allclose(first, (2 - data[:, 1:-1, 0] / 4) ** 2, rtol=1e-6)
    np.testing.assert_allclose(second, -data @ np.ones((3, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(third, np.abs(data) > 0.5)


def test_inputs_by_list_dict_and_name():
    a, b = graphc.Input((2,), name="a"), graphc.Input((3,), name="b")
    model = graphc.Model({"first": a, "second": b}, layers.concatenate([a, b]))
    x, y = np.full((2, 2), 1, "float32"), np.full((2, 3), 2, "float32")
    expected = np.concatenate([x, y], 1)
    for given in ({"first": x, "second": y}, {"a": x, "b": y}, [x, y]):
        np.testing.assert_array_equal(model(given), expected)


def test_dict_outputs_keep_their_keys():
    x = graphc.Input((2,))
    model = graphc.Model(x, {"z": layers.Dense(1)(x), "a": layers.Dense(4)(x)})
    result = model(np.zeros((3, 2), "float32"))
    assert {k: v.shape for k, v in result.items()} == {"z": (3, 1), "a": (3, 4)}
    assert list(result) == ["z", "a"]


def test_a_custom_layer_is_written_like_a_built_in_one():
    class CustomDense(layers.Layer):
        def __init__(self, units=32):
            super().__init__()
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
            self.b = self.add_weight(shape=(self.units,), initializer="random_normal", trainable=True)

        def call(self, inputs):
            return graphc.ops.matmul(inputs, self.w) + self.b

        def get_config(self):
            return {"units": self.units}

    inputs = graphc.Input((4,))
    layer = CustomDense(10)
    model = graphc.Model(inputs, layer(inputs))
    data = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    w, b = layer.get_weights()
    np.testing.assert_allclose(model(data), data @ w + b, rtol=1e-5)
    np.testing.assert_allclose(layer(data), data @ w + b, rtol=1e-5)  # eagerly too
    again = graphc.Model.from_config(model.get_config(), custom_objects={"CustomDense": CustomDense})
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(data), model(data))


def test_a_subclassed_model_runs_and_trains():
    class MLP(graphc.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense_1 = layers.Dense(16, activation="relu")
            self.dense_2 = layers.Dense(1)

        def call(self, inputs):
            return self.dense_2(self.dense_1(inputs))

    model = MLP()
    assert model(np.zeros((1, 5), "float32")).shape == (1, 1)
    model.compile(graphc.optimizers.Adam(0.02), "mse")
    x = np.random.default_rng(0).standard_normal((64, 5)).astype("float32")
    history = model.fit(x, x.sum(1, keepdims=True), epochs=15, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


def test_frozen_layers_are_not_trained():
    model = mlp()
    model.layers[1].trainable = False
    assert [v.path for v in model.trainable_weights] == ["dense_1/kernel", "dense_1/bias"]
    before = model.get_weights()
    model.compile("sgd", graphc.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.train_on_batch(np.ones((4, 784), "float32"), np.array([0, 1, 2, 3]))
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])


def test_a_chain_of_three_thousand_layers():
    # Keras itself dies of recursion here.
    x = inputs = graphc.Input((2,))
    for _ in range(3000):
        x = layers.Activation("relu")(x)
    model = graphc.Model(inputs, x)
    np.testing.assert_array_equal(model(np.float32([[1, -1]])), [[1, 0]])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: layers.Dense(0), ArgumentError, "units=0"),
        (lambda: layers.Dense(4, activation="rleu"), ArgumentError, 'Did you mean "relu"'),
        (lambda: layers.Dense(4, kernel_initializer="glorot_unifrom"), ArgumentError, "glorot_uniform"),
        (lambda: layers.Dense(4, foo=1), ArgumentError, "Unrecognized keyword"),
        (lambda: layers.Dense(4)(graphc.Input(())), ShapeError, "min_ndim=2"),
        (lambda: layers.Conv2D(4, 3)(graphc.Input((8, 8))), ShapeError, "expected min_ndim=4, found ndim=3"),
        (lambda: layers.Conv2D(4, 3)(graphc.Input((2, 8, 3))), ShapeError, "zero or negative"),
        (lambda: layers.Conv2D(3, 3, groups=2), ArgumentError, "groups=2, filters=3"),
        (lambda: layers.Concatenate()([graphc.Input((4, 3)), graphc.Input((5, 3))]), ShapeError, r"None, 5, 3"),
        (lambda: layers.Add()([graphc.Input((4,)), graphc.Input((5,))]), ShapeError, r"\(4,\) and \(5,\)|\(5,\)"),
        (lambda: layers.Reshape((5,))(graphc.Input((4,))), ShapeError, "target_shape"),
        (lambda: graphc.Input(4), ArgumentError, r"\(4,\)"),
        (lambda: graphc.Model(graphc.Input((2,)), np.zeros(3)), ArgumentError, "symbolic"),
        (
            lambda: graphc.Model(graphc.Input((2,), name="a"), layers.Dense(1)(graphc.Input((2,), name="b"))),
            ArgumentError,
            "'b'",
        ),
    ],
)
def test_mistakes_are_told_when_the_model_is_built(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_layer_called_again_with_another_width():
    dense = layers.Dense(3, name="head")
    dense(graphc.Input((4,)))
    with pytest.raises(ShapeError, match=r"head.*axis -1.*value 4.*\(None, 5\)"):
        dense(graphc.Input((5,)))


def test_wrong_number_of_inputs():
    a, b = graphc.Input((2,), name="a"), graphc.Input((3,), name="b")
    model = graphc.Model([a, b], layers.concatenate([a, b]))
    with pytest.raises(ArgumentError, match=r"2 input.*\['a', 'b'\]"):
        model(np.zeros((1, 2), "float32"))


def test_two_layers_of_one_name():
    x = graphc.Input((2,))
    y = layers.Dense(2, name="same")(layers.Dense(2, name="same")(x))
    with pytest.raises(ArgumentError, match="'same'"):
        graphc.Model(x, y)


def test_numpy_functions_on_symbolic_tensors_say_what_to_do():
    with pytest.raises(ArgumentError, match="symbolic"):
        np.asarray(graphc.Input((2,)))
