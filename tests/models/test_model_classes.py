"""Subclasses of `Model`: functional ones, ones with a ``call`` of their own, building, names, signatures, copies."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError, NotBuiltError, ShapeError

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((6, 4)).astype("float32")


class Head(graphc.Model):
    """A functional model that a subclass makes for itself."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        inputs = graphc.Input((4,))
        super().__init__(inputs=inputs, outputs=layers.Dense(units, name="d")(inputs), **kwargs)
        self.units = units


class Plain(graphc.Model):
    """A subclass that only has another name."""


class Two(graphc.Model):
    """A model with a call of its own and a dict of outputs."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.a = layers.Dense(units)
        self.b = layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        return {"p": self.a(inputs), "q": self.b(inputs)}


class Pooled(graphc.Model):
    """Any number of steps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.d = layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        steps = inputs.shape[1]  # Python sees a number: another length is another graph
        return self.d(graphc.ops.sum(inputs, axis=1) / steps)


OWN = {cls.__name__: cls for cls in (Head, Plain, Two, Pooled)}


def test_a_subclass_that_hands_tensors_to_its_base_is_functional() -> None:
    model = Head(5, name="head")
    assert isinstance(model, graphc.Functional)
    assert isinstance(model, Head)
    assert [layer.name for layer in model.layers][1:] == ["d"]
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model(X), X @ kernel + bias, rtol=1e-5, atol=1e-6)
    assert Head(2).output_shape == (None, 2)  # the class works again
    inputs = graphc.Input((4,))
    outer = graphc.Model(inputs, model(inputs))
    np.testing.assert_array_equal(outer(X), model(X))


def test_functional_subclasses_come_back(tmp_path: Any) -> None:
    model = Head(5, name="head")
    assert model.get_config()["units"] == 5
    inputs = graphc.Input((4,))
    plain = Plain(inputs, layers.Dense(2)(inputs), name="plain")
    assert "layers" in plain.get_config()
    for one in (model, plain):
        one.save(tmp_path / "m.keras")
        for again in (
            graphc.models.load_model(tmp_path / "m.keras", custom_objects=OWN),
            copy.deepcopy(one),
        ):
            assert type(again) is type(one)
            np.testing.assert_array_equal(again(X), one(X))
    assert type(Plain.from_config(plain.get_config())) is Plain
    assert type(graphc.models.model_from_json(plain.to_json(), OWN)) is Plain


def test_a_call_of_its_own_on_top_of_a_functional_model(tmp_path: Any) -> None:
    class Doubled(Plain):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return super().call(inputs) * 2.0

    inputs = graphc.Input((4,))
    model = Doubled(inputs, layers.Dense(2, name="d")(inputs))
    single = model.get_layer("d")(X)
    np.testing.assert_allclose(model(X), 2 * single, rtol=1e-6)
    outer_in = graphc.Input((4,))
    outer = graphc.Model(outer_in, model(outer_in))
    np.testing.assert_allclose(outer(X), 2 * single, rtol=1e-6)


def test_further_layers_of_a_functional_subclass_have_their_place(tmp_path: Any) -> None:
    class Extended(Head):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.extra = layers.Dense(7)
            self.extra.build((None, 2))

    model = Extended()
    assert len(model.weights) == 4
    model.save(tmp_path / "m.keras")
    again = graphc.models.load_model(tmp_path / "m.keras", {"Extended": Extended})
    np.testing.assert_array_equal(again.extra.kernel.numpy(), model.extra.kernel.numpy())


def test_dicts_of_outputs_train_by_key(tmp_path: Any) -> None:
    model = Two(name="two")
    model.compile("adam", {"p": "mse", "q": "mae"}, metrics={"q": ["mse"]})
    targets = {"p": np.ones((6, 3), "float32"), "q": np.zeros((6, 2), "float32")}
    history = model.fit(X, targets, epochs=2, verbose=0).history
    assert sorted(history) == ["loss", "p_loss", "q_loss", "q_mse"]
    assert (model.input_names, model.output_names) == (["input"], ["p", "q"])
    model.save(tmp_path / "m.keras")
    again = graphc.models.load_model(tmp_path / "m.keras", custom_objects=OWN)
    assert again.test_on_batch(X, targets) == model.test_on_batch(X, targets)
    with pytest.raises(ArgumentError, match="'r'"):
        model.compile("adam", {"p": "mse", "q": "mae", "r": "mse"})
        model.fit(X, targets, verbose=0)


def test_other_sample_shapes_are_other_graphs(tmp_path: Any) -> None:
    model = Pooled()
    model.compile("sgd", "mse")
    kernel = None
    for steps in (3, 7, 3):
        x = RANDOM.standard_normal((5, steps, 4)).astype("float32")
        if kernel is None:
            model(x)
        kernel, bias = model.get_weights()
        expected = x.mean(1) @ kernel + bias
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
        model.train_on_batch(x, np.ones((5, 2), "float32"))
    model.export(tmp_path / "m.onnx")


def test_building_from_shapes() -> None:
    model = Two()
    with pytest.raises(NotBuiltError, match="build"):
        model.graph()
    with pytest.raises(ArgumentError, match="input_shape"):
        model.build()
    with pytest.raises(ShapeError, match="tuple of integers"):
        model.build("abc")
    model.build((None, 4))
    assert [w.shape for w in model.weights] == [(4, 3), (3,), (4, 2), (2,)]
    assert model.get_build_config() == {"input_shape": (None, 4)}
    assert len(model.graph().outputs) == 2


def test_building_from_several_shapes() -> None:
    class Both(graphc.Model):
        def __init__(self) -> None:
            super().__init__()
            self.d = layers.Dense(2)
            self.e = layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.d(inputs["u"]) + self.e(inputs["v"])

    model = Both()
    model.build({"v": (None, 3), "u": (None, 5)})
    assert [w.shape for w in model.weights] == [(5, 2), (2,), (3, 2), (2,)]
    assert model.input_names == ["u", "v"]
    result = model.predict({"u": np.ones((4, 5)), "v": np.ones((4, 3))}, verbose=0)
    assert result.shape == (4, 2)


def test_a_build_of_the_users_own(tmp_path: Any) -> None:
    class Built(graphc.Model):
        def build(self, input_shape: Any) -> None:
            self.d = layers.Dense(2)
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return self.d(inputs * self.scale)

    model = Built()
    expected = model(X)
    assert len(model.weights) == 3
    model.save(tmp_path / "m.keras")
    again = graphc.models.load_model(tmp_path / "m.keras", {"Built": Built})
    np.testing.assert_allclose(again(X), expected, rtol=1e-6)


def test_a_constructor_that_its_configuration_does_not_fit() -> None:
    class Odd(graphc.Model):
        def __init__(self, width: int) -> None:
            super().__init__()

        def get_config(self) -> dict[str, Any]:
            return {"height": 3}

    with pytest.raises(ArgumentError, match="Odd cannot be made from its configuration"):
        Odd.from_config(Odd(2).get_config())


def test_compile_configurations() -> None:
    model = Head()
    assert model.get_compile_config() == {}
    rate = graphc.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(
        graphc.optimizers.SGD(rate, momentum=0.5),
        loss=[graphc.losses.MeanAbsoluteError()],
        loss_weights=[2.0],
        metrics=["mae", graphc.metrics.MeanSquaredError(name="squares")],
    )
    config = json.loads(json.dumps(model.get_compile_config()))
    assert config["jit_compile"] is True
    assert config["optimizer"]["config"]["learning_rate"]["class_name"] == "ExponentialDecay"
    other = Head()
    other.set_weights(model.get_weights())
    other.compile_from_config(config)
    target = np.ones((6, 3), "float32")
    assert other.optimizer.built
    assert other.train_on_batch(X, target) == model.train_on_batch(X, target)
