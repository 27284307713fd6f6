"""Masks on their way through layers and models: eagerly, symbolically, in the lowered graph, and into losses."""

from __future__ import annotations

import gc
import warnings
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers, ops
from graphc.ops.functional.masks import get_mask, set_mask


class FromZeros(layers.Layer):
    """Makes a mask: a step of zeros is padding."""

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, 0.0), axis=-1)

    def call(self, inputs: Any) -> Any:
        return inputs * 1.0


class CountSteps(layers.Layer):
    """Uses a mask: how many steps hold data, and -1 without a mask."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return ops.sum(inputs, axis=(1, 2)) * 0.0 - 1.0
        return ops.sum(ops.cast(mask, "float32"), axis=1)


class Pass(layers.Layer):
    """Hands the mask on and gives back the very tensor that came in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs


class Drop(layers.Layer):
    """Gives back the very tensor that came in and knows nothing of masks."""

    def call(self, inputs: Any) -> Any:
        return inputs


X = np.arange(1.0, 25.0, dtype=np.float32).reshape(2, 4, 3)
X[0, 1] = X[0, 3] = X[1, 0] = 0.0
COUNTS = [2.0, 3.0]


def test_a_mask_reaches_its_user_eagerly() -> None:
    np.testing.assert_array_equal(CountSteps()(Pass()(FromZeros()(X))), COUNTS)
    np.testing.assert_array_equal(CountSteps()(X), [-1.0, -1.0])


def test_a_mask_reaches_its_user_in_a_model() -> None:
    inputs = graphc.Input((None, 3))
    model = graphc.Model(inputs, CountSteps()(Pass()(FromZeros()(inputs))))
    np.testing.assert_array_equal(model.predict(X, verbose=0), COUNTS)
    np.testing.assert_array_equal(model(X), COUNTS)
    assert [type(op).__name__ for op in model.operations].count(
        "Operation"
    ) == 2  # not_equal and any, as in Keras's files


def test_a_mask_reaches_its_user_in_a_nested_model() -> None:
    inner_inputs = graphc.Input((None, 3))
    inner = graphc.Model(inner_inputs, CountSteps()(Pass()(inner_inputs)))
    inputs = graphc.Input((None, 3))
    model = graphc.Model(inputs, inner(FromZeros()(inputs)))
    np.testing.assert_array_equal(model.predict(X, verbose=0), COUNTS)
    again = graphc.models.model_from_json(model.to_json(), {c.__name__: c for c in (CountSteps, Pass, FromZeros)})
    np.testing.assert_array_equal(again.predict(X, verbose=0), COUNTS)


def test_a_mask_made_inside_a_nested_model_reaches_a_user_outside() -> None:
    inner_inputs = graphc.Input((4, 3))
    inner = graphc.Model(inner_inputs, FromZeros()(inner_inputs))
    inputs = graphc.Input((4, 3))
    model = graphc.Model(inputs, CountSteps()(inner(inputs)))
    np.testing.assert_array_equal(model.predict(X, verbose=0), COUNTS)


def test_a_mask_reaches_its_user_in_a_subclassed_model() -> None:
    class Counter(graphc.Model):
        def __init__(self) -> None:
            super().__init__()
            self.source, self.user = FromZeros(), CountSteps()

        def call(self, inputs: Any) -> Any:
            return self.user(self.source(inputs))

    model = Counter()
    np.testing.assert_array_equal(model(X), COUNTS)
    np.testing.assert_array_equal(model.predict(X, verbose=0), COUNTS)


def test_an_explicit_mask_wins() -> None:
    mask = np.array([[True, False, False, False], [True, True, True, True]])
    np.testing.assert_array_equal(CountSteps()(FromZeros()(X), mask=mask), [1.0, 4.0])


def test_a_layer_without_masking_ends_the_mask_and_says_so() -> None:
    masked = FromZeros()(X)
    with pytest.warns(UserWarning, match="'drop.*does not support masking"):
        dropped = Drop(name="drop_it")(masked)
    assert get_mask(dropped) is None
    assert get_mask(masked) is not None
    inputs = graphc.Input((4, 3))
    with pytest.warns(UserWarning, match="does not support masking"):
        outputs = CountSteps()(Drop()(FromZeros()(inputs)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(graphc.Model(inputs, outputs).predict(X, verbose=0), [-1.0, -1.0])


def test_functions_of_ops_end_the_mask() -> None:
    inputs = graphc.Input((4, 3))
    model = graphc.Model(inputs, CountSteps()(FromZeros()(inputs) * 2.0))
    np.testing.assert_array_equal(model.predict(X, verbose=0), [-1.0, -1.0])


def test_passing_a_mask_on_leaves_the_callers_tensor_alone() -> None:
    plain = X.copy()

    class Mark(layers.Layer):
        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return ops.ones(inputs.shape[:2], dtype="bool")

        def call(self, inputs: Any) -> Any:
            return inputs

    assert get_mask(Mark()(plain)) is not None
    assert get_mask(plain) is None


def test_several_tensor_arguments_have_masks_of_their_own() -> None:
    class Both(layers.Layer):
        def call(self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None, mask: Any = None) -> Any:
            assert mask is None
            self.seen = (query_mask is not None, value_mask is not None)
            return query

    layer = Both()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer(X, FromZeros()(X))
        assert layer.seen == (False, True)
        layer(FromZeros()(X), X)
    assert layer.seen == (True, False)


def test_the_mask_of_an_array_ends_with_the_array() -> None:
    from graphc.ops.functional import masks

    before = len(masks._of_arrays)
    array = np.zeros(3)
    set_mask(array, np.ones(3, bool))
    assert len(masks._of_arrays) == before + 1
    del array
    gc.collect()
    assert len(masks._of_arrays) == before


def test_a_cast_keeps_the_mask() -> None:
    x = X.astype(np.float64)
    set_mask(x, np.array([[True] * 3 + [False], [True] * 4]))
    np.testing.assert_array_equal(CountSteps()(x), [3.0, 4.0])


def test_losses_and_metrics_leave_masked_steps_out() -> None:
    # Keras 3: the mask weighs values by total / valid, so that the mean is over the valid ones.
    inputs = graphc.Input((4, 3))
    model = graphc.Model(inputs, Pass()(FromZeros()(inputs)))
    model.compile("sgd", loss="mse", metrics=["mae"])
    y = np.zeros_like(X)
    loss, mae = model.evaluate(X, y, batch_size=2, verbose=0)
    valid = X.any(axis=-1)
    np.testing.assert_allclose(loss, np.mean(np.square(X).mean(-1)[valid]), rtol=1e-6)
    np.testing.assert_allclose(mae, np.mean(np.abs(X).mean(-1)[valid]), rtol=1e-6)


def test_losses_of_a_model_and_of_a_layer() -> None:
    class Penalty(layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(0.5 * ops.sum(inputs))
            return inputs

    layer = Penalty()
    layer(np.ones((2, 3), np.float32))
    layer(np.ones((4, 3), np.float32))
    np.testing.assert_allclose(layer.losses, [6.0])  # of the last call alone
    inputs = graphc.Input((3,))
    hidden = layers.Dense(3, kernel_regularizer=graphc.regularizers.L2(0.1))(Penalty()(inputs))
    model = graphc.Model(inputs, layers.Activation("relu", activity_regularizer="l2")(hidden))
    outputs = model(np.ones((2, 3), np.float32))
    kernel = model.layers[2].get_weights()[0]
    expected = [3.0, 0.01 * np.square(outputs).sum() / 2, 0.1 * np.square(kernel).sum()]
    np.testing.assert_allclose(model.losses, expected, rtol=1e-5)
