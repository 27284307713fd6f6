"""Activations: formulas in plain NumPy, names, configurations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import activations, compiler, ops
from graphc.custom_objects import custom_object_scope, register_keras_serializable
from graphc.errors import ArgumentError
from graphc.ir.dims import Dim
from graphc.ir.types import TensorType

Array = np.ndarray[Any, Any]

# Both sides of every kink, none of them on it.
X = np.linspace(-7.3, 7.1, 24).reshape(2, 12)

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softplus(x: Array) -> Array:
    return np.logaddexp(x, 0)


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def relu6(x: Array) -> Array:
    return np.clip(x, 0, 6)


def normal(x: Array) -> Array:
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def sparsemax(x: Array) -> Array:
    """The projection onto probabilities, found by bisection of the threshold (Martins and Astudillo 2016)."""
    low, high = x.min(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(100):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


FORMULAS: dict[str, Callable[[Array], Array]] = {
    "celu": lambda x: np.maximum(x, 0) + np.minimum(0, np.exp(x) - 1),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "exponential": np.exp,
    "gelu": lambda x: x * normal(x),
    "glu": lambda x: x[:, :6] * sigmoid(x[:, 6:]),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: relu6(x + 3) / 6,
    "hard_silu": lambda x: x * relu6(x + 3) / 6,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: -softplus(-x),
    "log_softmax": lambda x: np.log(softmax(x)),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": relu6,
    "selu": lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * (np.exp(x) - 1)),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softmax": softmax,
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "sparsemax": sparsemax,
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "tanh": np.tanh,
    "tanh_shrink": lambda x: x - np.tanh(x),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str) -> None:
    function = getattr(activations, name)
    result = np.asarray(function(X.astype(np.float32)))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, FORMULAS[name](X), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_traced_and_symbolic(name: str) -> None:
    function = activations.get(name)
    x = X.astype(np.float32)
    lowered = compiler.lower(function, {"x": TensorType("float32", (Dim("batch"), 12))}, None)
    np.testing.assert_array_equal(compiler.executable(lowered).run({"x": x})["output"], np.asarray(function(x)))
    if name == "linear":  # gives its input back, and a model needs at least one call
        return
    inputs = graphc.Input((12,))
    model = graphc.Model(inputs, function(inputs))
    np.testing.assert_allclose(np.asarray(model(x)), np.asarray(function(x)), rtol=1e-6)


@pytest.mark.parametrize(
    "arguments",
    [
        {"negative_slope": 0.2},
        {"max_value": 3.0},
        {"threshold": 1.5},
        {"threshold": 1.5, "max_value": 3.0},
        {"negative_slope": 0.1, "max_value": 6.0},
        {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.5},
        {"negative_slope": 0.3, "threshold": -1.0},
    ],
    ids=str,
)
def test_relu_with_arguments(arguments: dict[str, float]) -> None:
    slope, threshold = arguments.get("negative_slope", 0.0), arguments.get("threshold", 0.0)
    above = np.clip(X, 0, arguments["max_value"]) if "max_value" in arguments else X
    expected = np.where(threshold < X, above, slope * (X - threshold))
    result = activations.relu(X.astype(np.float32), **arguments)
    np.testing.assert_allclose(np.asarray(result), expected, rtol=2e-5, atol=2e-6)
    inputs = graphc.Input((12,))
    model = graphc.Model(inputs, activations.relu(inputs, **arguments))
    np.testing.assert_allclose(np.asarray(model(X.astype(np.float32))), expected, rtol=2e-5, atol=2e-6)


def test_further_arguments() -> None:
    x = X.astype(np.float32)
    np.testing.assert_allclose(
        np.asarray(activations.gelu(x, approximate=True)),
        0.5 * X * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * X**3))),
        rtol=2e-5,
        atol=2e-6,
    )
    np.testing.assert_allclose(np.asarray(activations.threshold(x, 1.0, -2.0)), np.where(X > 1, X, -2), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(activations.softmax(x, axis=0)), softmax(X.T).T, rtol=2e-5)
    np.testing.assert_allclose(
        np.asarray(activations.elu(x, alpha=0.5)), np.where(X > 0, X, 0.5 * np.expm1(X)), rtol=2e-5
    )
    np.testing.assert_allclose(np.asarray(activations.squareplus(x, b=1)), (X + np.sqrt(X**2 + 1)) / 2, rtol=1e-4)


def test_defaults_of_relu_stay_one_op() -> None:
    lowered = compiler.lower(activations.relu, {"x": TensorType("float32", (Dim("batch"), 3))}, None)
    assert [n.op for n in lowered.graph.nodes() if n.inputs] == ["Relu"]


# -- names and configurations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FORMULAS, "threshold"])
def test_names_round_trip(name: str) -> None:
    function = activations.get(name)
    assert function is getattr(activations, name)
    assert activations.serialize(function) == name
    assert activations.deserialize(name) is function


def test_aliases_none_and_callables() -> None:
    assert activations.get(None) is activations.linear
    assert activations.deserialize(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.serialize(activations.swish) == "silu"
    layer = graphc.layers.LeakyReLU(0.1)
    assert activations.get(layer) is layer


def test_unknown_names() -> None:
    with pytest.raises(ArgumentError, match=r"activation function identifier: 'rleu'\. Did you mean \"relu\""):
        activations.get("rleu")
    with pytest.raises(ArgumentError, match="activation function identifier"):
        activations.get(3)


def test_functions_of_ones_own() -> None:
    def doubled(x: Any) -> Any:
        return x + x

    config = activations.serialize(doubled)
    # As Keras writes it: the name is the config, the registered name is that of the kind.
    assert config == {
        "module": "builtins",
        "class_name": "function",
        "config": "doubled",
        "registered_name": "function",
    }
    with pytest.raises(ArgumentError, match="doubled"):
        activations.deserialize(config)
    with custom_object_scope({"doubled": doubled}):
        assert activations.deserialize(config) is doubled
    assert activations.deserialize(config, {"doubled": doubled}) is doubled

    @register_keras_serializable("tests")
    def tripled(x: Any) -> Any:
        return x + x + x

    config = activations.serialize(tripled)
    assert config["config"] == "tests>tripled"
    assert activations.deserialize(config) is tripled


def test_functions_of_ops() -> None:
    assert activations.serialize(ops.relu) == "relu"
    assert activations.serialize(ops.softplus) == "softplus"
    with pytest.raises(ArgumentError, match=r"graphc\.activations\.gelu"):
        activations.serialize(ops.gelu)  # loading "gelu" would give another function


def test_a_lambda_cannot_be_saved() -> None:
    with pytest.raises(ArgumentError, match="`def`"):
        activations.serialize(lambda x: x)


def test_a_name_of_ours_does_not_make_a_function_ours() -> None:
    def relu(x: Any) -> Any:
        return x

    assert activations.serialize(relu) != "relu"


# -- against a live Keras ---------------------------------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("name", [name for name in FORMULAS if name != "sparsemax"])  # Keras's gives zeros for such x
def test_equals_keras(name: str) -> None:
    keras = pytest.importorskip("keras")
    x = X.astype(np.float32)
    reference = keras.ops.convert_to_numpy(getattr(keras.activations, name)(x))
    np.testing.assert_allclose(np.asarray(getattr(activations, name)(x)), reference, rtol=2e-5, atol=2e-6)
    assert activations.serialize(getattr(activations, name)) == keras.activations.serialize(
        getattr(keras.activations, name)
    )
