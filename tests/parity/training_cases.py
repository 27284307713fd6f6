"""Parity cases of training: optimizer steps, metrics and ``fit`` on small models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .loss_cases import LOGITS
from .spec import SEQUENCE, Obj, Shape


def mlp(k: Any) -> Any:
    """(batch, 5) -> (batch, 3), named layers."""
    inputs = k.Input((5,), name="x")
    hidden = k.layers.Dense(7, activation="tanh", name="hidden")(inputs)
    return k.Model(inputs, k.layers.Dense(3, name="out")(hidden), name="mlp")


def perceptron(units: int, activation: str | None = None) -> Callable[[Any], Any]:
    """(batch, 5) -> (batch, units)."""

    def build(k: Any) -> Any:
        inputs = k.Input((5,), name="x")
        hidden = k.layers.Dense(6, activation="tanh", name="hidden")(inputs)
        return k.Model(inputs, k.layers.Dense(units, activation=activation, name="out")(hidden), name="perceptron")

    return build


def steps_classifier(k: Any) -> Any:
    """(batch, 6, 4) -> (batch, 6, 3): a label for every step."""
    inputs = k.Input((6, 4), name="x")
    return k.Model(inputs, k.layers.Dense(3, activation="softmax", name="out")(inputs), name="steps")


def convnet(k: Any) -> Any:
    """(batch, 8, 9, 2) -> (batch, 4): Conv2D, BatchNormalization, ReLU, MaxPooling2D, Flatten, Dense."""
    inputs = k.Input((8, 9, 2), name="image")
    x = k.layers.Conv2D(3, 3, padding="same", use_bias=False, name="conv")(inputs)
    x = k.layers.BatchNormalization(momentum=0.8, name="norm")(x)
    x = k.layers.ReLU(name="relu")(x)
    x = k.layers.MaxPooling2D((2, 3), name="pool")(x)
    x = k.layers.Flatten(name="flat")(x)
    return k.Model(inputs, k.layers.Dense(4, name="logits")(x), name="convnet")


def two_headed(k: Any) -> Any:
    """Inputs a (batch, 3) and b (batch, 4) -> priority (batch, 1) and dept (batch, 5), logits."""
    a = k.Input((3,), name="a")
    b = k.Input((4,), name="b")
    joined = k.layers.concatenate([k.layers.Dense(4, activation="tanh", name="left")(a), b])
    priority = k.layers.Dense(1, name="priority")(joined)
    dept = k.layers.Dense(5, name="dept")(joined)
    return k.Model([a, b], [priority, dept], name="two_headed")


def regularised(k: Any) -> Any:
    """(batch, 5) -> (batch, 3) with penalties on kernels and a bias, and a frozen layer whose penalty still counts."""
    inputs = k.Input((5,), name="x")
    x = k.layers.Dense(6, activation="tanh", kernel_regularizer=k.regularizers.L2(0.05), name="hidden")(inputs)
    x = k.layers.Dense(4, kernel_regularizer=k.regularizers.L1(0.02), trainable=False, name="frozen")(x)
    outputs = k.layers.Dense(
        3, kernel_regularizer=k.regularizers.L1L2(l1=0.01, l2=0.02), bias_regularizer="l2", name="out"
    )(x)
    return k.Model(inputs, outputs, name="regularised")


def constrained(k: Any) -> Any:
    """(batch, 5) -> (batch, 3); the constraints bite on the seeded weights."""
    inputs = k.Input((5,), name="x")
    x = k.layers.Dense(
        6, activation="tanh", kernel_constraint=k.constraints.MaxNorm(0.5), bias_constraint="non_neg", name="hidden"
    )(inputs)
    x = k.layers.Dense(4, activation="tanh", kernel_constraint=k.constraints.UnitNorm(axis=0), name="unit")(x)
    outputs = k.layers.Dense(3, kernel_constraint=k.constraints.MinMaxNorm(0.4, 0.9, rate=0.7), name="out")(x)
    return k.Model(inputs, outputs, name="constrained")


def shared_trainer(k: Any) -> Any:
    """Two inputs (batch, 4) through one Dense: its gradient is the sum over both calls."""
    a = k.Input((4,), name="a")
    b = k.Input((4,), name="b")
    shared = k.layers.Dense(6, activation="tanh", name="shared")
    joined = k.layers.concatenate([shared(a), shared(b)])
    return k.Model([a, b], k.layers.Dense(2, name="out")(joined), name="shared_trainer")


def pooled_ties(k: Any) -> Any:
    """(batch, 3) -> 4x6 map of equal values, max-pooled: a tie's gradient goes to the first maximum of the window."""
    inputs = k.Input((3,), name="x")
    x = k.layers.Dense(24, kernel_initializer="ones", name="spread")(inputs)
    x = k.layers.MaxPooling2D((2, 3), name="pool")(k.layers.Reshape((4, 6, 1), name="map")(x))
    return k.Model(inputs, k.layers.Flatten(name="flat")(x), name="pooled_ties")


@dataclass(frozen=True)
class Target:
    """What one output is trained towards.

    Attributes:
        kind: "real" (uniform), "binary" (0 or 1), "binary-flat" (without the last axis), "one-hot", "labels" (without
            the last axis) or "labels-column" (the last axis is 1).
        shape: of the output it belongs to, without the batch axis.
    """

    kind: str
    shape: Shape


@dataclass(frozen=True)
class Task:
    """A model, data and the arguments of ``compile``; what is done with them depends on the table it is in.

    OPTIMIZER_CASES: three ``train_on_batch`` calls on ``samples`` samples each. METRIC_CASES: ``evaluate``,
    ``test_on_batch`` and ``predict``. FIT_CASES: ``fit(shuffle=False, **fit)``.

    Attributes:
        shapes: of the inputs, without the batch axis.
        batch_size: of ``evaluate`` and ``fit``; it does not divide ``samples``, so the last batch is short.
        weighted: with sample weights.
        feeds: names of the inputs and of the outputs, to feed dicts; lists are fed when empty.
        seeded_weights: False keeps the model's own (constant) initial weights.
        fit: further arguments of ``fit``.
        validation_samples: how many samples ``validation_data`` holds; none when 0.
    """

    name: str
    build: Callable[[Any], Any]
    shapes: tuple[Shape, ...]
    targets: tuple[Target, ...]
    optimizer: Any = field(default_factory=lambda: Obj("optimizers", "SGD", {"learning_rate": 0.1}))
    loss: Any = "mse"
    loss_weights: Any = None
    metrics: Any = None
    weighted_metrics: Any = None
    samples: int = 6
    batch_size: int = 4
    weighted: bool = False
    feeds: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    seeded_weights: bool = True
    fit: Mapping[str, Any] = field(default_factory=dict)
    validation_samples: int = 0


def _sgd(**config: Any) -> Obj:
    return Obj("optimizers", "SGD", {"learning_rate": 0.2, **config})


def _rmsprop(**config: Any) -> Obj:
    return Obj("optimizers", "RMSprop", {"learning_rate": 0.05, **config})


def _adam(**config: Any) -> Obj:
    return Obj("optimizers", "Adam", {"learning_rate": 0.05, **config})


def _of(name: str, learning_rate: Any, **config: Any) -> Obj:
    return Obj("optimizers", name, {"learning_rate": learning_rate, **config})


def _scheduled(schedule: str, **config: Any) -> Obj:
    return Obj("optimizers.schedules", schedule, config)


def _on_mlp(name: str, optimizer: Any) -> Task:
    return Task(name, mlp, ((5,),), (Target("real", (3,)),), optimizer=optimizer)


BCE_LOGITS = Obj("losses", "BinaryCrossentropy", LOGITS)
CCE_LOGITS = Obj("losses", "CategoricalCrossentropy", LOGITS)
SCE_LOGITS = Obj("losses", "SparseCategoricalCrossentropy", LOGITS)
RATE = {"initial_learning_rate": 0.2}
TWO_NAMES = (("a", "b"), ("priority", "dept"))
TWO_SHAPES = ((3,), (4,))
TWO_TARGETS = (Target("binary", (1,)), Target("one-hot", (5,)))
CONV_SHAPES = ((8, 9, 2),)
CONV_TARGET = (Target("labels", (4,)),)

OPTIMIZER_CASES: tuple[Task, ...] = (
    _on_mlp("SGD/plain", _sgd()),
    _on_mlp("SGD/momentum", _sgd(momentum=0.9)),
    _on_mlp("SGD/nesterov", _sgd(momentum=0.8, nesterov=True)),
    _on_mlp("SGD/weight-decay", _sgd(weight_decay=0.3)),
    _on_mlp("SGD/clipnorm", _sgd(clipnorm=0.1)),
    _on_mlp("SGD/clipnorm-loose", _sgd(clipnorm=100.0)),
    _on_mlp("SGD/clipvalue", _sgd(clipvalue=0.05)),
    _on_mlp("SGD/global-clipnorm", _sgd(global_clipnorm=0.2)),
    _on_mlp("SGD/string", "sgd"),
    _on_mlp("RMSprop/plain", _rmsprop()),
    _on_mlp("RMSprop/rho", _rmsprop(rho=0.5, epsilon=1e-3)),
    _on_mlp("RMSprop/momentum", _rmsprop(momentum=0.7)),
    _on_mlp("RMSprop/centered", _rmsprop(centered=True)),
    _on_mlp("RMSprop/centered-momentum", _rmsprop(centered=True, momentum=0.6)),
    _on_mlp("RMSprop/weight-decay", _rmsprop(weight_decay=0.2)),
    _on_mlp("RMSprop/string", "rmsprop"),
    _on_mlp("Adam/plain", _adam()),
    _on_mlp("Adam/betas", _adam(beta_1=0.7, beta_2=0.9, epsilon=1e-2)),
    _on_mlp("Adam/amsgrad", _adam(amsgrad=True)),
    _on_mlp("Adam/weight-decay-clipnorm", _adam(weight_decay=0.1, clipnorm=0.1)),
    _on_mlp("Adam/global-clipnorm", _adam(global_clipnorm=0.05)),
    _on_mlp("Adam/string", "adam"),
    _on_mlp("AdamW/plain", _of("AdamW", 0.05, weight_decay=0.2)),
    _on_mlp("AdamW/amsgrad", _of("AdamW", 0.05, amsgrad=True)),
    _on_mlp("Adamax/plain", _of("Adamax", 0.05)),
    _on_mlp("Adamax/betas", _of("Adamax", 0.05, beta_1=0.6, beta_2=0.8, epsilon=1e-2)),
    _on_mlp("Nadam/plain", _of("Nadam", 0.05)),
    _on_mlp("Nadam/betas", _of("Nadam", 0.05, beta_1=0.7, beta_2=0.95, epsilon=1e-2)),
    _on_mlp("Adagrad/plain", _of("Adagrad", 0.2)),
    _on_mlp("Adagrad/start", _of("Adagrad", 0.2, initial_accumulator_value=0.5, epsilon=1e-2)),
    _on_mlp("Adadelta/plain", _of("Adadelta", 5.0)),
    _on_mlp("Adadelta/rho", _of("Adadelta", 5.0, rho=0.6, epsilon=1e-3)),
    _on_mlp("Ftrl/plain", _of("Ftrl", 0.3)),
    _on_mlp(
        "Ftrl/all",
        _of(
            "Ftrl",
            0.3,
            learning_rate_power=-0.6,
            initial_accumulator_value=0.2,
            l1_regularization_strength=0.01,
            l2_regularization_strength=0.02,
            l2_shrinkage_regularization_strength=0.03,
            beta=0.1,
        ),
    ),
    _on_mlp("Lion/plain", _of("Lion", 0.02)),
    _on_mlp("Lion/betas", _of("Lion", 0.02, beta_1=0.6, beta_2=0.8, weight_decay=0.1)),
    _on_mlp("SGD/exponential-decay", _of("SGD", _scheduled("ExponentialDecay", **RATE, decay_steps=2, decay_rate=0.5))),
    _on_mlp(
        "Adam/cosine-decay",
        _of("Adam", _scheduled("CosineDecay", **RATE, decay_steps=4, warmup_target=0.3, warmup_steps=1)),
    ),
    _on_mlp("SGD/moving-average", _sgd(use_ema=True, ema_momentum=0.6)),
    _on_mlp("SGD/moving-average-overwrite", _sgd(use_ema=True, ema_momentum=0.6, ema_overwrite_frequency=2)),
    _on_mlp("SGD/accumulation", _sgd(gradient_accumulation_steps=2)),
    _on_mlp("Adam/accumulation", _adam(gradient_accumulation_steps=3)),
    _on_mlp("SGD/loss-scale", _sgd(loss_scale_factor=8.0)),
    Task("convnet/sgd", convnet, CONV_SHAPES, CONV_TARGET, optimizer=_sgd(), loss=SCE_LOGITS, metrics=["accuracy"]),
    # Keras's jax and torch backends differ by 7e-6 here with the default epsilon: a gradient near zero is divided by
    # its own size, which magnifies its rounding. The larger epsilon keeps the case about the formula.
    Task("convnet/rmsprop", convnet, CONV_SHAPES, CONV_TARGET, optimizer=_rmsprop(epsilon=1e-3), loss=SCE_LOGITS),
    Task("convnet/adam", convnet, CONV_SHAPES, CONV_TARGET, optimizer=_adam(), loss=SCE_LOGITS),
    Task(
        "two-headed/list", two_headed, TWO_SHAPES, TWO_TARGETS, loss=[BCE_LOGITS, CCE_LOGITS], loss_weights=[1.0, 0.2]
    ),
    Task(
        "two-headed/dict",
        two_headed,
        TWO_SHAPES,
        TWO_TARGETS,
        loss={"dept": CCE_LOGITS, "priority": BCE_LOGITS},
        loss_weights={"priority": 0.7, "dept": 1.3},
        feeds=TWO_NAMES,
    ),
    Task("two-headed/one-loss", two_headed, TWO_SHAPES, TWO_TARGETS, loss="mse", optimizer=_adam()),
    Task(
        "two-headed/no-weights",
        two_headed,
        TWO_SHAPES,
        TWO_TARGETS,
        loss=[BCE_LOGITS, CCE_LOGITS],
        metrics=[["acc"], ["mse", "acc"]],
    ),
    Task("regularised/sgd", regularised, ((5,),), (Target("real", (3,)),), optimizer=_sgd()),
    Task("regularised/adam", regularised, ((5,),), (Target("real", (3,)),), optimizer=_adam()),
    Task("constrained/sgd", constrained, ((5,),), (Target("real", (3,)),), optimizer=_sgd()),
    Task("constrained/rmsprop", constrained, ((5,),), (Target("real", (3,)),), optimizer=_rmsprop()),
    Task("shared/sgd", shared_trainer, ((4,), (4,)), (Target("real", (2,)),), optimizer=_sgd(momentum=0.5)),
    Task("ties/sgd", pooled_ties, ((3,),), (Target("real", (4,)),), optimizer=_sgd(), seeded_weights=False),
    Task("weighted/sgd", perceptron(4), ((5,),), (Target("labels", (4,)),), loss=SCE_LOGITS, weighted=True),
    Task("weighted/binary", perceptron(1, "sigmoid"), ((5,),), (Target("binary", (1,)),), loss="bce", weighted=True),
)


def _evaluate(
    name: str, units: int, kind: str, loss: Any, metrics: Any, activation: str | None = None, **rest: Any
) -> Task:
    target = (Target(kind, (units,)),)
    return Task(name, perceptron(units, activation), ((5,),), target, loss=loss, metrics=metrics, samples=10, **rest)


# With two outputs and a short last batch, Keras's tensorflow backend averages `<output>_loss` over batches; jax and
# torch average over samples, as `loss` itself is averaged everywhere, and as graphc does.
METRIC_CASES: tuple[Task, ...] = (
    _evaluate("loss-only", 3, "real", "mse", None),
    _evaluate("binary/accuracy", 1, "binary", "binary_crossentropy", ["accuracy"], "sigmoid"),
    _evaluate("binary/acc-flat-labels", 1, "binary-flat", "bce", ["acc"], "sigmoid"),
    _evaluate("binary/logits", 1, "binary", BCE_LOGITS, ["accuracy"]),
    _evaluate("binary/named", 1, "binary", "bce", ["binary_accuracy", "mse"], "sigmoid"),
    _evaluate("categorical/accuracy", 4, "one-hot", "categorical_crossentropy", ["accuracy"], "softmax"),
    _evaluate("categorical/acc", 4, "one-hot", CCE_LOGITS, ["acc"]),
    _evaluate("categorical/under-mse", 4, "one-hot", "mse", ["accuracy"], "softmax"),
    _evaluate("categorical/named", 4, "one-hot", CCE_LOGITS, ["categorical_accuracy", "mse"]),
    _evaluate("sparse/accuracy", 4, "labels", "sparse_categorical_crossentropy", ["accuracy"], "softmax"),
    _evaluate("sparse/acc-column", 4, "labels-column", SCE_LOGITS, ["acc"]),
    _evaluate("sparse/objects", 4, "labels", SCE_LOGITS, [Obj("metrics", "SparseCategoricalAccuracy"), "accuracy"]),
    _evaluate(
        "sparse/named-object", 4, "labels", SCE_LOGITS, [Obj("metrics", "SparseCategoricalAccuracy", {"name": "hits"})]
    ),
    _evaluate("real/several", 3, "real", "mse", ["mse", "mae", Obj("metrics", "MeanSquaredError", {"name": "square"})]),
    _evaluate("real/class-name", 3, "real", "mse", ["MeanSquaredError", "mean_squared_error"]),
    _evaluate("weighted", 4, "one-hot", CCE_LOGITS, ["accuracy"], weighted=True),
    _evaluate("weighted-metrics", 4, "one-hot", CCE_LOGITS, ["accuracy"], weighted=True, weighted_metrics=["mse"]),
    _evaluate(
        "weighted-metrics/same-name",
        4,
        "one-hot",
        CCE_LOGITS,
        ["accuracy"],
        weighted=True,
        weighted_metrics=["mse", "accuracy"],
    ),
    Task(
        "steps",
        steps_classifier,
        (SEQUENCE,),
        (Target("labels", (6, 3)),),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        samples=10,
    ),
    Task(
        "two-headed/lists",
        two_headed,
        TWO_SHAPES,
        TWO_TARGETS,
        loss=[BCE_LOGITS, CCE_LOGITS],
        loss_weights=[1.0, 0.2],
        metrics=[["accuracy"], ["accuracy", "mse"]],
        samples=10,
    ),
    Task(
        "two-headed/dicts",
        two_headed,
        TWO_SHAPES,
        TWO_TARGETS,
        loss={"priority": BCE_LOGITS, "dept": CCE_LOGITS},
        metrics={"dept": ["acc"], "priority": "mse"},
        samples=10,
        feeds=TWO_NAMES,
    ),
    Task("two-headed/loss-only", two_headed, TWO_SHAPES, TWO_TARGETS, loss=[BCE_LOGITS, CCE_LOGITS], samples=10),
    Task("regularised", regularised, ((5,),), (Target("real", (3,)),), metrics=["mse"], samples=10),
    Task("convnet", convnet, CONV_SHAPES, CONV_TARGET, loss=SCE_LOGITS, metrics=["accuracy"], samples=10),
)

FIT_CASES: tuple[Task, ...] = (
    Task("plain", mlp, ((5,),), (Target("real", (3,)),), optimizer=_sgd(), samples=13, fit={"epochs": 2}),
    Task(
        "split",
        perceptron(4),
        ((5,),),
        (Target("labels", (4,)),),
        optimizer=_adam(),
        loss=SCE_LOGITS,
        metrics=["accuracy"],
        samples=17,
        fit={"epochs": 2, "validation_split": 0.25},
    ),
    Task(
        "split-thirds",
        mlp,
        ((5,),),
        (Target("real", (3,)),),
        optimizer=_rmsprop(),
        metrics=["mse"],
        samples=11,
        fit={"epochs": 3, "validation_split": 0.3, "initial_epoch": 1},
    ),
    Task(
        "validation-data",
        convnet,
        CONV_SHAPES,
        CONV_TARGET,
        optimizer=_sgd(momentum=0.9),
        loss=SCE_LOGITS,
        metrics=["accuracy"],
        samples=9,
        validation_samples=6,
        fit={"epochs": 2},
    ),
    Task(
        "two-headed",
        two_headed,
        TWO_SHAPES,
        TWO_TARGETS,
        optimizer=_adam(),
        loss={"priority": BCE_LOGITS, "dept": CCE_LOGITS},
        loss_weights={"priority": 1.0, "dept": 0.2},
        metrics={"dept": ["accuracy"]},
        samples=13,
        feeds=TWO_NAMES,
        fit={"epochs": 2, "validation_split": 0.25},
    ),
    Task(
        "regularised",
        regularised,
        ((5,),),
        (Target("real", (3,)),),
        optimizer=_sgd(),
        samples=13,
        fit={"epochs": 2, "validation_split": 0.3},
    ),
    Task(
        "weighted",
        perceptron(1, "sigmoid"),
        ((5,),),
        (Target("binary", (1,)),),
        loss="bce",
        metrics=["accuracy"],
        samples=13,
        weighted=True,
        fit={"epochs": 2},
    ),
    Task(
        "class-weight",
        perceptron(4),
        ((5,),),
        (Target("labels", (4,)),),
        loss=SCE_LOGITS,
        samples=13,
        fit={"epochs": 2, "class_weight": {0: 1.0, 1: 2.5, 2: 0.25, 3: 1.5}},
    ),
    Task(
        "whole-batch",
        mlp,
        ((5,),),
        (Target("real", (3,)),),
        samples=10,
        batch_size=32,
        fit={"epochs": 2, "validation_split": 0.2},
    ),
)
