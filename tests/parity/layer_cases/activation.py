"""Parity cases of activation functions and layers."""

from __future__ import annotations

from parity.spec import IMAGE, SEQUENCE, VECTOR, WIDE, Obj

from .case import L2, fn, of

MASKED = {
    "call": lambda layer, x, mask: layer(x, mask=mask),
    "dtype": ("float32", "bool"),
    "integers": (0, 2),
    "train": False,  # the output has the mask, which Keras's losses cannot use: it has too many axes
}

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
    of("Softmax", "masked", SEQUENCE, (6, 4), **MASKED),
    of("Softmax", "masked-broadcast", SEQUENCE, (6, 1), **MASKED, axis=1),
    of("Softmax", "masked-two-axes", IMAGE, (7, 9, 1), **MASKED, axis=[1, 2]),
)

CASES = (*ACTIVATION, *ACTIVATION_FUNCTIONS, *ACTIVATION_LAYERS)
