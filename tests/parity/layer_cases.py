"""Parity cases of layers, activation functions and ops: one row is a layer or an expression on seeded inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .spec import IMAGE, IMAGE_EVEN, IMAGE_FIRST, SEQUENCE, VECTOR, VOLUME, VOLUME_FIRST, WIDE, Obj, Shape, resolve


@dataclass(frozen=True)
class Case:
    """A layer, or an expression of layers and ops, applied to seeded inputs.

    Attributes:
        name: unique; the fixture's key and the seed of inputs and weights.
        shapes: shapes of the input arrays, without the batch axis.
        layer: class name in ``k.layers``; empty when ``build`` is given.
        config: the layer's arguments.
        build: ``build(k, *inputs)`` gives the output tensors, where one layer is not the whole case.
        declared: shapes given to ``Input`` where they differ from ``shapes`` (None for a dynamic dim).
        dtype: of the inputs.
        spread: inputs are uniform in ``[-spread, spread)``.
        training: the forward pass runs with ``training=True``, and the weights after it are compared too.
        train: also compare one SGD step, which checks the gradients by the input and by the weights.
        atol: absolute tolerance of the forward pass, on top of the one for reductions that the harness works out.
        onnx: "" when ONNX Runtime must agree, else the reason why the case cannot be exported.
    """

    name: str
    shapes: tuple[Shape, ...]
    layer: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    build: Callable[..., Any] | None = None
    declared: tuple[Shape, ...] | None = None
    dtype: str = "float32"
    spread: float = 2.0
    training: bool = False
    train: bool = True
    atol: float = 1e-6
    onnx: str = ""

    def make(self, k: Any) -> Any:
        """The layer under test, newly made."""
        return getattr(k.layers, self.layer)(**resolve(k, dict(self.config)))

    def apply(self, k: Any, inputs: list[Any]) -> Any:
        """The output tensor (or tensors) of the case on symbolic ``inputs``."""
        if self.build is not None:
            return self.build(k, *inputs)
        return self.make(k)(inputs[0] if len(inputs) == 1 else inputs)


OPTIONS = ("declared", "dtype", "spread", "training", "train", "atol", "onnx")


def of(layer: str, label: str, *shapes: Shape, **config: Any) -> Case:
    """One row: a layer by class name, input shapes, its arguments. Names in OPTIONS go to the case, not the layer."""
    options = {key: config.pop(key) for key in OPTIONS if key in config}
    return Case(f"{layer}/{label}", shapes, layer=layer, config=config, **options)


def fn(name: str, build: Callable[..., Any], *shapes: Shape, **options: Any) -> Case:
    """One row: an expression ``build(k, *inputs)``."""
    return Case(name, shapes, build=build, **options)


L2 = Obj("regularizers", "L2", {"l2": 0.05})
L1L2 = Obj("regularizers", "L1L2", {"l1": 0.02, "l2": 0.03})

DENSE = (
    of("Dense", "plain", VECTOR, units=5),
    of("Dense", "no-bias", VECTOR, units=7, use_bias=False),
    of("Dense", "relu-rank3", SEQUENCE, units=5, activation="relu"),
    of("Dense", "tanh-rank4", (2, 3, 4), units=5, activation="tanh"),
    of("Dense", "softmax", VECTOR, units=6, activation="softmax"),
    of("Dense", "gelu-wide", (37,), units=3, activation="gelu"),
    of("Dense", "one-unit", VECTOR, units=1, activation="sigmoid"),
    of("Dense", "dynamic-steps", SEQUENCE, declared=((None, 4),), units=5, activation="silu"),
    of(
        "Dense",
        "regularised",
        VECTOR,
        units=5,
        kernel_initializer="he_normal",
        bias_initializer="ones",
        kernel_regularizer=L2,
        bias_regularizer="l1",
        kernel_constraint=Obj("constraints", "MaxNorm", {"max_value": 1.5}),
        bias_constraint="non_neg",
    ),
    of(
        "Dense",
        "initialisers",
        VECTOR,
        units=5,
        kernel_initializer=Obj("initializers", "RandomNormal", {"mean": 0.0, "stddev": 0.2, "seed": 3}),
        bias_initializer=Obj("initializers", "Constant", {"value": 0.3}),
    ),
    of("Dense", "frozen", VECTOR, units=5, trainable=False, activation="elu"),
)

ACTIVATION_NAMES = (
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "glu",
)

# One wide row for every name: the spread reaches beyond every kink (hard_sigmoid 3, relu6 6), on both sides. The last
# axis is even for glu, which halves it.
ACTIVATION = (
    *(of("Activation", name, (14,), spread=8.0, activation=name) for name in ACTIVATION_NAMES if name != "sparsemax"),
    # Keras 3.15.1 adds up the running sums over the whole support, so its sparsemax is wrong (here: all zeros) whenever
    # more than one entry is above the threshold. Inputs far apart keep one entry above it, where Keras is right.
    of("Activation", "sparsemax", (14,), spread=2000.0, activation="sparsemax"),
    of("Activation", "softmax-rank4", (3, 5, 4), activation="softmax"),
    of("Activation", "log_softmax-rank3", SEQUENCE, activation="log_softmax"),
    of("Activation", "tanh-dynamic", SEQUENCE, declared=((None, 4),), activation="tanh"),
)

ACTIVATION_FUNCTIONS = (
    fn("activations/relu-plain", lambda k, x: k.activations.relu(x), WIDE, spread=8.0),
    fn("activations/relu-slope", lambda k, x: k.activations.relu(x, negative_slope=0.15), WIDE, spread=8.0),
    fn("activations/relu-max", lambda k, x: k.activations.relu(x, max_value=2.5), WIDE, spread=8.0),
    fn("activations/relu-max6", lambda k, x: k.activations.relu(x, max_value=6), WIDE, spread=8.0),
    fn("activations/relu-threshold", lambda k, x: k.activations.relu(x, threshold=1.25), WIDE, spread=8.0),
    fn(
        "activations/relu-all",
        lambda k, x: k.activations.relu(x, negative_slope=0.2, max_value=3.5, threshold=0.75),
        WIDE,
        spread=8.0,
    ),
    fn("activations/leaky_relu-0.3", lambda k, x: k.activations.leaky_relu(x, negative_slope=0.3), WIDE),
    fn("activations/elu-0.6", lambda k, x: k.activations.elu(x, alpha=0.6), WIDE),
    fn("activations/celu-1.3", lambda k, x: k.activations.celu(x, alpha=1.3), WIDE),
    fn("activations/gelu-erf", lambda k, x: k.activations.gelu(x, approximate=False), WIDE, spread=4.0),
    fn("activations/gelu-tanh", lambda k, x: k.activations.gelu(x, approximate=True), WIDE, spread=4.0),
    fn("activations/softmax-axis1", lambda k, x: k.activations.softmax(x, axis=1), IMAGE),
    fn("activations/softmax-axis-2", lambda k, x: k.activations.softmax(x, axis=-2), IMAGE),
    fn("activations/log_softmax-axis1", lambda k, x: k.activations.log_softmax(x, axis=1), IMAGE),
    fn("activations/hard_shrink-1.2", lambda k, x: k.activations.hard_shrink(x, threshold=1.2), WIDE),
    fn("activations/soft_shrink-1.2", lambda k, x: k.activations.soft_shrink(x, threshold=1.2), WIDE),
    fn("activations/squareplus-3", lambda k, x: k.activations.squareplus(x, b=3), WIDE),
    fn("activations/threshold", lambda k, x: k.activations.threshold(x, 0.3, -1.5), WIDE),
)

ACTIVATION_LAYERS = (
    of("ReLU", "plain", WIDE),
    of("ReLU", "max", WIDE, spread=4.0, max_value=2.5),
    of("ReLU", "slope", SEQUENCE, negative_slope=0.2),
    of("ReLU", "threshold", WIDE, threshold=0.7),
    of("ReLU", "all", IMAGE, spread=4.0, max_value=3.0, negative_slope=0.1, threshold=0.5),
    of("LeakyReLU", "plain", WIDE),
    of("LeakyReLU", "slope", IMAGE, negative_slope=0.07),
    of("LeakyReLU", "zero", SEQUENCE, negative_slope=0.0),
    of("LeakyReLU", "steep", VECTOR, negative_slope=1.5),
    of("PReLU", "vector", WIDE),
    of("PReLU", "image", IMAGE),
    of("PReLU", "shared-space", IMAGE, shared_axes=[1, 2]),
    of("PReLU", "shared-steps", SEQUENCE, shared_axes=[1], alpha_regularizer=L2),
    of("PReLU", "constant", SEQUENCE, alpha_initializer=Obj("initializers", "Constant", {"value": 0.25})),
    of("ELU", "plain", WIDE),
    of("ELU", "alpha", IMAGE, alpha=0.4),
    of("ELU", "alpha-large", SEQUENCE, alpha=2.5),
    of("ELU", "dynamic", SEQUENCE, declared=((None, 4),)),
    of("Softmax", "plain", WIDE),
    of("Softmax", "axis1", IMAGE, axis=1),
    of("Softmax", "axis-2", SEQUENCE, axis=-2),
    of("Softmax", "two-axes", IMAGE, axis=[1, 2]),
)

SHAPING = (
    of("Identity", "image", IMAGE),
    of("Identity", "integers", SEQUENCE, dtype="int32"),
    of("Flatten", "image", IMAGE),
    of("Flatten", "sequence", SEQUENCE),
    of("Flatten", "vector", VECTOR),
    of("Flatten", "channels-first", IMAGE_FIRST, data_format="channels_first"),
    of("Flatten", "integers", SEQUENCE, dtype="int32"),
    of("Flatten", "scalar", (), train=False),
    of("Reshape", "matrix", IMAGE, target_shape=(9, 28)),
    of("Reshape", "inferred-first", IMAGE, target_shape=(-1, 4)),
    of("Reshape", "inferred-last", IMAGE, target_shape=(7, -1)),
    of("Reshape", "vector", SEQUENCE, target_shape=(-1,)),
    of("Reshape", "deeper", SEQUENCE, target_shape=(2, 3, 1, 4)),
    of("Reshape", "dynamic", SEQUENCE, declared=((None, 4),), target_shape=(-1, 2)),
    of("Reshape", "integers", SEQUENCE, dtype="int32", target_shape=(3, 8)),
    of("Permute", "matrix", SEQUENCE, dims=(2, 1)),
    of("Permute", "image", IMAGE, dims=(3, 1, 2)),
    of("Permute", "image-back", IMAGE, dims=(2, 3, 1)),
    of("Permute", "identity", IMAGE, dims=(1, 2, 3)),
    of("Dropout", "inference", SEQUENCE, rate=0.4, train=False),
    of("Dropout", "rate-zero", VECTOR, rate=0.0, training=True),
    of("Dropout", "rate-zero-seeded", IMAGE, rate=0, seed=5),
    of("Dropout", "noise-shape", SEQUENCE, rate=0.3, noise_shape=(None, 1, 4), seed=7, train=False),
)

CONVOLUTION = (
    of("Conv2D", "valid", IMAGE, filters=5, kernel_size=3),
    of("Conv2D", "same", IMAGE, filters=5, kernel_size=3, padding="same", activation="relu"),
    of("Conv2D", "same-even-kernel", IMAGE, filters=5, kernel_size=(2, 4), padding="same"),
    of("Conv2D", "stride2-valid", IMAGE, filters=5, kernel_size=3, strides=2),
    of("Conv2D", "stride2-same-odd", IMAGE, filters=5, kernel_size=3, strides=2, padding="same"),
    of("Conv2D", "stride2-same-even", IMAGE_EVEN, filters=5, kernel_size=3, strides=2, padding="same"),
    of("Conv2D", "stride-2-3-same", IMAGE_EVEN, filters=5, kernel_size=(3, 2), strides=(2, 3), padding="same"),
    of("Conv2D", "stride-beyond-kernel", IMAGE, filters=5, kernel_size=1, strides=(3, 2), padding="same"),
    of("Conv2D", "kernel-beyond-image", (3, 4, 2), filters=5, kernel_size=5, padding="same"),
    of("Conv2D", "pointwise-no-bias", IMAGE, filters=6, kernel_size=1, use_bias=False, activation="tanh"),
    of("Conv2D", "dilated", IMAGE, filters=5, kernel_size=3, dilation_rate=2),
    of("Conv2D", "dilated-same", IMAGE, filters=5, kernel_size=(3, 2), dilation_rate=(1, 3), padding="same"),
    of("Conv2D", "groups", IMAGE, filters=6, kernel_size=3, groups=2),
    of("Conv2D", "groups-depthwise", IMAGE, filters=8, kernel_size=(3, 2), groups=4, strides=2, padding="same"),
    of("Conv2D", "channels-first", IMAGE_FIRST, filters=5, kernel_size=3, data_format="channels_first"),
    of(
        "Conv2D",
        "channels-first-groups",
        IMAGE_FIRST,
        filters=6,
        kernel_size=(3, 2),
        strides=2,
        padding="same",
        groups=2,
        data_format="channels_first",
        activation="relu",
    ),
    of("Conv2D", "dynamic", IMAGE, declared=((None, None, 4),), filters=5, kernel_size=3),
    of(
        "Conv2D",
        "dynamic-same-stride",
        IMAGE,
        declared=((None, None, 4),),
        filters=5,
        kernel_size=3,
        strides=2,
        padding="same",
    ),
    of(
        "Conv2D",
        "regularised",
        IMAGE,
        filters=3,
        kernel_size=2,
        kernel_regularizer=L1L2,
        kernel_initializer="he_uniform",
    ),
)

POOLING = (
    of("MaxPooling2D", "plain", IMAGE),
    of("MaxPooling2D", "overlapping", IMAGE, pool_size=3, strides=2),
    of("MaxPooling2D", "rectangle", IMAGE, pool_size=(2, 3)),
    of("MaxPooling2D", "same", IMAGE, pool_size=2, padding="same"),
    of("MaxPooling2D", "same-stride1", IMAGE, pool_size=(3, 2), strides=(1, 1), padding="same"),
    of("MaxPooling2D", "same-even", IMAGE_EVEN, pool_size=3, strides=(2, 3), padding="same"),
    of("MaxPooling2D", "channels-first", IMAGE_FIRST, pool_size=2, data_format="channels_first"),
    of(
        "MaxPooling2D",
        "channels-first-same",
        IMAGE_FIRST,
        pool_size=3,
        strides=2,
        padding="same",
        data_format="channels_first",
    ),
    of("MaxPooling2D", "dynamic", IMAGE, declared=((None, None, 4),), pool_size=(3, 2), strides=2),
    fn(
        "MaxPooling2D/ties-after-relu", lambda k, x: k.layers.MaxPooling2D(3, 2)(k.layers.ReLU(threshold=1.0)(x)), IMAGE
    ),
    of("AveragePooling2D", "plain", IMAGE, pool_size=2),
    of("AveragePooling2D", "overlapping", IMAGE, pool_size=3, strides=2),
    of("AveragePooling2D", "rectangle", IMAGE, pool_size=(3, 2), strides=(1, 2)),
    of("AveragePooling2D", "same", IMAGE, pool_size=2, padding="same"),
    of("AveragePooling2D", "same-stride1", IMAGE, pool_size=3, strides=1, padding="same"),
    # Keras's torch backend is off by 0.4 here (it pads stride 3 on the wrong side); jax, numpy and tensorflow agree.
    of("AveragePooling2D", "same-even", IMAGE_EVEN, pool_size=3, strides=(2, 3), padding="same"),
    of("AveragePooling2D", "channels-first", IMAGE_FIRST, pool_size=(2, 3), data_format="channels_first"),
    of(
        "AveragePooling2D",
        "channels-first-same",
        IMAGE_FIRST,
        pool_size=3,
        strides=2,
        padding="same",
        data_format="channels_first",
    ),
    of("AveragePooling2D", "dynamic", IMAGE, declared=((None, None, 4),), pool_size=2, padding="same"),
    *(
        of(f"Global{kind}Pooling{rank}D", label, first if "first" in label else last, **config)
        for kind in ("Average", "Max")
        for rank, last, first in ((1, SEQUENCE, (4, 6)), (2, IMAGE, IMAGE_FIRST), (3, VOLUME, VOLUME_FIRST))
        for label, config in (
            ("plain", {}),
            ("keepdims", {"keepdims": True}),
            ("channels-first", {"data_format": "channels_first"}),
            ("channels-first-keepdims", {"data_format": "channels_first", "keepdims": True}),
        )
    ),
    of("GlobalAveragePooling2D", "dynamic", IMAGE, declared=((None, None, 4),)),
    of("GlobalMaxPooling1D", "dynamic", SEQUENCE, declared=((None, 4),)),
)

# The terms of `x * inv + (beta - mean * inv)` may be added in another order, which costs a few roundings of |x * inv|.
NORM_ATOL = 4e-6
NORMALISATION = (
    of("BatchNormalization", "vector", WIDE, atol=NORM_ATOL),
    of("BatchNormalization", "sequence", SEQUENCE, atol=NORM_ATOL),
    of("BatchNormalization", "image", IMAGE, atol=NORM_ATOL),
    of("BatchNormalization", "image-axis1", IMAGE_FIRST, axis=1, atol=NORM_ATOL),
    of("BatchNormalization", "no-center", IMAGE, center=False, atol=NORM_ATOL),
    of("BatchNormalization", "no-scale", IMAGE, scale=False, atol=NORM_ATOL),
    of("BatchNormalization", "bare", VECTOR, center=False, scale=False, epsilon=0.1, atol=NORM_ATOL),
    of("BatchNormalization", "training-vector", WIDE, training=True, atol=NORM_ATOL),
    of("BatchNormalization", "training-image", IMAGE, training=True, momentum=0.7, atol=NORM_ATOL),
    of("BatchNormalization", "training-axis1", IMAGE_FIRST, training=True, axis=1, momentum=0.8, atol=NORM_ATOL),
    of("BatchNormalization", "training-sequence", SEQUENCE, training=True, momentum=0.5, epsilon=0.01, atol=NORM_ATOL),
    of(
        "BatchNormalization",
        "training-bare",
        IMAGE,
        training=True,
        center=False,
        scale=False,
        momentum=0.9,
        atol=NORM_ATOL,
    ),
    of("BatchNormalization", "training-frozen", IMAGE, training=True, trainable=False, atol=NORM_ATOL),
)

PAIR = (SEQUENCE, SEQUENCE)
TRIPLE = (SEQUENCE, SEQUENCE, SEQUENCE)
MERGING = (
    *(
        of(layer, label, *shapes)
        for layer in ("Add", "Multiply", "Average", "Maximum", "Minimum")
        for label, shapes in (
            ("two", PAIR),
            ("three", TRIPLE),
            ("broadcast-ones", (IMAGE, (1, 9, 1), (7, 1, 4))),
            ("broadcast-rank", (SEQUENCE, VECTOR)),
        )
    ),
    fn("Add/one", lambda k, x: k.layers.Add()([x]), SEQUENCE),
    of("Subtract", "two", *PAIR),
    of("Subtract", "images", IMAGE, IMAGE),
    of("Subtract", "broadcast-ones", SEQUENCE, (1, 4)),
    of("Subtract", "broadcast-rank", SEQUENCE, VECTOR),
    of("Concatenate", "last", SEQUENCE, (6, 3)),
    of("Concatenate", "three", VECTOR, (3,), (5,)),
    of("Concatenate", "axis1", SEQUENCE, (2, 4), axis=1),
    of("Concatenate", "axis2", IMAGE, (7, 2, 4), axis=2),
    of("Concatenate", "axis-2", IMAGE, (7, 3, 4), axis=-2),
    of("Concatenate", "integers", SEQUENCE, (6, 3), dtype="int32"),
    fn("Add/twin", lambda k, a, b, c: k.layers.add([a, b, c]), *TRIPLE),
    fn("Subtract/twin", lambda k, a, b: k.layers.subtract([a, b]), *PAIR),
    fn("Multiply/twin", lambda k, a, b: k.layers.multiply([a, b]), *PAIR),
    fn("Average/twin", lambda k, a, b, c: k.layers.average([a, b, c]), *TRIPLE),
    fn("Maximum/twin", lambda k, a, b: k.layers.maximum([a, b]), *PAIR),
    fn("Minimum/twin", lambda k, a, b: k.layers.minimum([a, b]), *PAIR),
    fn("Concatenate/twin", lambda k, a, b: k.layers.concatenate([a, b], axis=1), SEQUENCE, (3, 4)),
)

OPS = (
    fn("ops/arithmetic", lambda _, x, y: (x + 1.5) * y - (2.0 - x) / (y * y + 1.0), *PAIR),
    fn("ops/negative-power", lambda _, x: -x + x**2, SEQUENCE),
    fn("ops/item-index", lambda _, x: x[:, 2], SEQUENCE),
    fn("ops/item-negative", lambda _, x: x[:, -1, ::2], SEQUENCE),
    fn("ops/item-ellipsis", lambda _, x: x[..., 1:3], IMAGE),
    # Keras's torch backend refuses negative steps.
    fn("ops/item-step", lambda _, x: x[:, 5:1:-2], IMAGE),
    fn("ops/item-new-axis", lambda _, x: x[:, None, 1:], SEQUENCE),
    fn("ops/concatenate", lambda k, x, y: k.ops.concatenate([x, y, x], axis=-1), SEQUENCE, (6, 3)),
    fn("ops/mean-axes", lambda k, x: k.ops.mean(x, axis=(1, 2)), IMAGE),
    fn("ops/sum-keepdims", lambda k, x: k.ops.sum(x, axis=2, keepdims=True), IMAGE),
    fn("ops/max-min", lambda k, x: k.ops.max(x, axis=1) - k.ops.min(x, axis=1), IMAGE),
    fn("ops/reshape", lambda k, x: k.ops.reshape(x, (-1, 8, 3)), SEQUENCE),
    fn("ops/transpose", lambda k, x: k.ops.transpose(x, (0, 2, 1)), SEQUENCE),
    fn("ops/matmul", lambda k, x, y: k.ops.matmul(x, y), SEQUENCE, (4, 3)),
    fn("ops/exp-log", lambda k, x: k.ops.log(k.ops.exp(x) + 1.0) + k.ops.sqrt(k.ops.abs(x) + 0.5), WIDE),
    fn("ops/maximum-clip", lambda k, x, y: k.ops.clip(k.ops.maximum(x, y), -0.5, 1.0) + k.ops.minimum(x, 0.25), *PAIR),
    fn("ops/where", lambda k, x, y: k.ops.where(x > y, x, 2.0 * y), *PAIR),
    fn("ops/expand-squeeze", lambda k, x: k.ops.squeeze(k.ops.expand_dims(x, 1), 1) * 3.0, SEQUENCE),
    fn(
        "ops/relu-softmax",
        lambda k, x: k.ops.softmax(k.ops.relu(x), axis=-1) + k.ops.sigmoid(x) * k.ops.tanh(x),
        SEQUENCE,
    ),
)

LAYER_CASES: tuple[Case, ...] = (
    *DENSE,
    *ACTIVATION,
    *ACTIVATION_FUNCTIONS,
    *ACTIVATION_LAYERS,
    *SHAPING,
    *CONVOLUTION,
    *POOLING,
    *NORMALISATION,
    *MERGING,
    *OPS,
)
