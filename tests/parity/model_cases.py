"""Parity cases of whole models: their JSON, the order of their weights, and the files that Keras writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .spec import Shapes
from .training_cases import mlp


@dataclass(frozen=True)
class ModelCase:
    """A model that is saved: its JSON, its weights in Keras's order, and its outputs on seeded inputs.

    Attributes:
        shapes: of the inputs, without the batch axis; a dict for a model that takes a dict.
        saved: also store a ``.weights.h5`` that Keras wrote.
        compiled: "" or an optimizer's name: the model takes one training step before it is saved, so the file holds the
            optimizer's state too.
    """

    name: str
    build: Callable[[Any], Any]
    shapes: Shapes
    saved: bool = False
    compiled: str = ""


def _sequential_mlp(k: Any) -> Any:
    return k.Sequential([k.Input((5,)), k.layers.Dense(7, activation="relu"), k.layers.Dropout(0.5), k.layers.Dense(3)])


def _sequential_conv(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((8, 7, 2), name="picture"),
            k.layers.Conv2D(3, (3, 2), activation="relu", padding="same"),
            k.layers.MaxPooling2D(),
            k.layers.BatchNormalization(),
            k.layers.GlobalAveragePooling2D(),
            k.layers.Dense(4, activation="softmax"),
        ],
        name="sequential_conv",
    )


def _functional_mlp(k: Any) -> Any:
    inputs = k.Input((6,))
    x = k.layers.Dense(5, activation="relu")(inputs)
    x = k.layers.Dense(4, activation="relu")(x)
    return k.Model(inputs, k.layers.Dense(3)(x))


def _norm_between(k: Any) -> Any:
    inputs = k.Input((8, 6, 2))
    x = k.layers.Conv2D(3, 3, use_bias=False)(inputs)
    x = k.layers.BatchNormalization()(x)
    x = k.layers.Activation("relu")(x)
    x = k.layers.Conv2D(4, 2, strides=2)(x)
    x = k.layers.BatchNormalization(scale=False)(x)
    x = k.layers.PReLU(shared_axes=[1, 2])(x)
    x = k.layers.Flatten()(x)
    return k.Model(inputs, k.layers.Dense(2)(x), name="norm_between")


def _shared(k: Any) -> Any:
    a = k.Input((4,), name="a")
    b = k.Input((4,), name="b")
    encoder = k.layers.Dense(3, activation="tanh", name="encoder")
    return k.Model([a, b], k.layers.Dense(2)(k.layers.concatenate([encoder(a), encoder(b)])), name="shared")


def _nested(k: Any) -> Any:
    inner_input = k.Input((4,), name="inner_input")
    hidden = k.layers.Dense(5, activation="relu", name="inner_hidden")(inner_input)
    inner = k.Model(inner_input, k.layers.BatchNormalization(name="inner_norm")(hidden), name="inner")
    inputs = k.Input((4,), name="outer_input")
    x = k.layers.Dense(4, name="before")(inputs)
    return k.Model(inputs, k.layers.Dense(2, name="after")(inner(x)), name="outer")


def _nested_twice(k: Any) -> Any:
    inner_input = k.Input((3,), name="z")
    inner = k.Model(inner_input, k.layers.Dense(4, name="inside")(inner_input), name="inner")
    a = k.Input((3,), name="a")
    b = k.Input((3,), name="b")
    return k.Model([a, b], [inner(a), k.layers.average([inner(a), inner(b)])], name="twice")


def _nested_sequential(k: Any) -> Any:
    stem = k.Sequential([k.Input((6,)), k.layers.Dense(5, activation="relu"), k.layers.Dense(4)], name="stem")
    inputs = k.Input((6,), name="x")
    return k.Model(inputs, k.layers.Dense(2, name="head")(stem(inputs)), name="with_stem")


def _dict_io(k: Any) -> Any:
    title = k.Input((4,), name="title")
    body = k.Input((3,), name="body")
    joined = k.layers.concatenate([title, body])
    outputs = {"priority": k.layers.Dense(1, name="priority")(joined), "dept": k.layers.Dense(3, name="dept")(joined)}
    return k.Model({"title": title, "body": body}, outputs, name="dict_io")


def _custom_names(k: Any) -> Any:
    left = k.Input((3,), name="left_side")
    right = k.Input((4,), name="right_side")
    first = k.layers.Dense(5, name="first_half")(left)
    second = k.layers.Dense(5, name="second_half")(right)
    total = k.layers.Add(name="the_sum")([first, second])
    return k.Model([left, right], [total, k.layers.Dense(2, name="tail")(total)], name="my_model")


def _with_ops(k: Any) -> Any:
    inputs = k.Input((6, 4), name="x")
    x = inputs + 1
    x = k.ops.concatenate([x, 2.0 * inputs], axis=-1)
    first = x[:, 0]
    last = k.ops.mean(x, axis=1)
    return k.Model(inputs, k.layers.Dense(3, name="out")(first - last), name="with_ops")


def _with_more_ops(k: Any) -> Any:
    inputs = k.Input((6, 4), name="x")
    middle = inputs[..., 1:3]
    flat = k.ops.reshape(middle, (-1, 12))
    x = k.layers.Dense(5, name="mix")(flat)
    x = k.ops.relu(x) * 0.5 - k.ops.exp(-x)
    return k.Model(inputs, k.ops.softmax(x / (k.ops.sum(x * x, axis=-1, keepdims=True) + 1.0)), name="with_more_ops")


def _vocabulary(k: Any) -> Any:
    inputs = k.Input((5,), name="x")
    x = k.layers.Dense(
        6,
        activation="elu",
        kernel_initializer=k.initializers.HeNormal(seed=3),
        bias_initializer=k.initializers.Constant(0.1),
        kernel_regularizer=k.regularizers.L2(0.01),
        bias_regularizer=k.regularizers.L1(0.02),
        activity_regularizer=k.regularizers.L1L2(l1=0.001, l2=0.002),
        kernel_constraint=k.constraints.MaxNorm(3.0, axis=0),
        bias_constraint=k.constraints.NonNeg(),
        name="full",
    )(inputs)
    x = k.layers.Dense(
        4,
        kernel_initializer=k.initializers.VarianceScaling(scale=2.0, mode="fan_out", distribution="uniform", seed=5),
        bias_initializer="random_uniform",
        kernel_constraint="unit_norm",
        name="strings",
    )(x)
    x = k.layers.BatchNormalization(gamma_regularizer="l2", beta_constraint="non_neg", epsilon=0.01, name="norm")(x)
    return k.Model(inputs, x, name="vocabulary")


def _merges(k: Any) -> Any:
    a = k.Input((4,), name="a")
    b = k.Input((4,), name="b")
    x = k.layers.Add()([a, b])
    y = k.layers.Maximum()([x, k.layers.Multiply()([a, b])])
    z = k.layers.Average()([y, k.layers.Subtract()([a, b]), k.layers.Minimum()([x, y])])
    return k.Model([a, b], k.layers.Concatenate(axis=1)([x, z]), name="merges")


def _residual(k: Any) -> Any:
    inputs = k.Input((7, 8, 3), name="image")
    x = k.layers.Conv2D(4, 3, activation="relu")(inputs)
    block = k.layers.MaxPooling2D(2)(x)
    x = k.layers.Conv2D(4, 3, activation="relu", padding="same")(block)
    x = k.layers.add([x, block])
    x = k.layers.GlobalAveragePooling2D()(x)
    return k.Model(inputs, k.layers.Dense(3)(x), name="toy_resnet")


def _activations(k: Any) -> Any:
    inputs = k.Input((6, 4), name="x")
    x = k.layers.PReLU(shared_axes=[1])(inputs)
    x = k.layers.LeakyReLU(negative_slope=0.1)(x)
    x = k.layers.ELU(alpha=0.5)(x)
    x = k.layers.ReLU(max_value=1.5)(x)
    x = k.layers.Permute((2, 1))(x)
    x = k.layers.Reshape((3, -1))(x)
    return k.Model(inputs, k.layers.Softmax(axis=1)(x), name="activations")


def _dynamic(k: Any) -> Any:
    inputs = k.Input((None, None, 3), name="image")
    x = k.layers.Conv2D(4, 3, padding="same", strides=2, activation="relu")(inputs)
    x = k.layers.AveragePooling2D(2)(x)
    return k.Model(inputs, k.layers.Dense(2)(k.layers.GlobalMaxPooling2D()(x)), name="dynamic")


def _features(k: Any) -> Any:
    inputs = k.Input((5,), name="x")
    first = k.layers.Dense(4, activation="relu", name="first")(inputs)
    second = k.layers.Dense(3, name="second")(first)
    return k.Model(inputs, [first, second, inputs * 2.0], name="features")


def _call_arguments(k: Any) -> Any:
    inputs = k.Input((5,), name="x")
    x = k.layers.Dense(4, name="dense")(inputs)
    x = k.layers.BatchNormalization(name="norm")(x, training=False)
    return k.Model(inputs, k.layers.Dropout(0.5, name="drop")(x, training=False), name="call_arguments")


MODEL_CASES: tuple[ModelCase, ...] = (
    ModelCase("sequential_mlp", _sequential_mlp, ((5,),), saved=True),
    ModelCase("sequential_conv", _sequential_conv, ((8, 7, 2),)),
    ModelCase("functional_mlp", _functional_mlp, ((6,),), saved=True),
    ModelCase("norm_between", _norm_between, ((8, 6, 2),), saved=True),
    ModelCase("shared", _shared, ((4,), (4,)), saved=True),
    ModelCase("nested", _nested, ((4,),), saved=True),
    ModelCase("nested_twice", _nested_twice, ((3,), (3,)), saved=True),
    ModelCase("nested_sequential", _nested_sequential, ((6,),), saved=True),
    ModelCase("dict_io", _dict_io, {"title": (4,), "body": (3,)}),
    ModelCase("custom_names", _custom_names, ((3,), (4,))),
    ModelCase("with_ops", _with_ops, ((6, 4),), saved=True),
    ModelCase("with_more_ops", _with_more_ops, ((6, 4),)),
    ModelCase("vocabulary", _vocabulary, ((5,),)),
    ModelCase("merges", _merges, ((4,), (4,))),
    ModelCase("residual", _residual, ((7, 8, 3),)),
    ModelCase("activations", _activations, ((6, 4),)),
    ModelCase("dynamic", _dynamic, ((9, 7, 3),)),
    ModelCase("features", _features, ((5,),)),
    ModelCase("call_arguments", _call_arguments, ((5,),)),
    ModelCase("trained", mlp, ((5,),), saved=True, compiled="Adam"),
)

# Names that layers get when the user gives none, in this order in a fresh session.
NAMED_LAYERS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("Dense", {"units": 3}),
    ("Dense", {"units": 3}),
    ("Conv2D", {"filters": 2, "kernel_size": 3}),
    ("Conv2D", {"filters": 2, "kernel_size": 3}),
    ("MaxPooling2D", {}),
    ("AveragePooling2D", {"pool_size": 2}),
    ("GlobalAveragePooling1D", {}),
    ("GlobalMaxPooling3D", {}),
    ("BatchNormalization", {}),
    ("Activation", {"activation": "relu"}),
    ("ReLU", {}),
    ("LeakyReLU", {}),
    ("PReLU", {}),
    ("ELU", {}),
    ("Softmax", {}),
    ("Flatten", {}),
    ("Reshape", {"target_shape": (2, 2)}),
    ("Permute", {"dims": (1,)}),
    ("Dropout", {"rate": 0.1}),
    ("Add", {}),
    ("Concatenate", {}),
    ("Dense", {"units": 2}),
)
