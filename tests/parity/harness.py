"""Runs the parity cases with a package ``k`` (``keras`` or ``graphc``) and keeps what came out as fixtures.

The same functions run under both packages. A ``run_*`` function gives a ``Record``: arrays, and facts for JSON.
``tools/make_keras_fixtures.py`` stores Keras's records under ``fixtures/``; the tests compare graphc's with them.

Inputs and weights come from ``numpy.random.RandomState.random_sample``, a stream that NumPy promises never to change.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .cases import (
    FIT_CASES,
    LAYER_CASES,
    LOSS_CASES,
    LOSS_FUNCTIONS,
    LOSS_STRINGS,
    METRIC_CASES,
    METRIC_OBJECTS,
    MODEL_CASES,
    OPTIMIZER_CASES,
    REDUCTIONS,
    SCHEDULES,
    WEIGHT_RULES,
    Case,
    LossCase,
    LossFunction,
    LossString,
    MetricCase,
    ModelCase,
    ScheduleCase,
    Shape,
    Target,
    Task,
    WeightCase,
    resolve,
)

Array = np.ndarray[Any, Any]

FIXTURES = Path(__file__).parent / "fixtures"
BATCH = 3
LOSS_BATCH = 5
STEPS = 3
PROBE_RATE = 0.5


@dataclass
class Record:
    """What one case gave: named arrays, and facts that JSON can hold."""

    arrays: dict[str, Array] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


# ---------------------------------------------------------------------------------------------------- inputs, weights


def random_state(name: str) -> np.random.RandomState:
    """The stream that belongs to ``name``, the same everywhere."""
    return np.random.RandomState(zlib.crc32(name.encode()))


def uniform(random: np.random.RandomState, shape: Sequence[int], low: float, high: float) -> Array:
    """Float32 values in [low, high)."""
    return (low + (high - low) * random.random_sample(tuple(shape))).astype(np.float32)


def batch_of(shape: Shape, size: int = BATCH) -> tuple[int, ...]:
    """``shape`` with a batch axis; every dim must be known."""
    return (size, *(int(dim) for dim in shape if dim is not None))


def inputs_of(case: Case) -> list[Array]:
    """The inputs of a layer case, one array of shape ``(BATCH, *shape)`` each."""
    random = random_state(case.name)
    if case.dtype == "float32":
        return [uniform(random, batch_of(shape), -case.spread, case.spread) for shape in case.shapes]
    return [np.floor(uniform(random, batch_of(shape), -9, 10)).astype(case.dtype) for shape in case.shapes]


def seeded_weight(random: np.random.RandomState, name: str, shape: Sequence[int]) -> Array:
    """A weight by its Keras name: variances are positive, scales near one, the rest around zero."""
    if name == "moving_variance":
        return uniform(random, shape, 0.5, 1.5)
    if name == "gamma":
        return uniform(random, shape, 0.6, 1.4)
    return uniform(random, shape, -0.6, 0.6)


WeightNames = Sequence[tuple[str, Sequence[int]]]


def seeded_weights(seed: str, named: WeightNames) -> list[Array]:
    """Values for weights given as (name, shape) pairs, in that order."""
    random = random_state("weights of " + seed)
    return [seeded_weight(random, name, shape) for name, shape in named]


def weight_names(model: Any) -> list[tuple[str, list[int]]]:
    """(name, shape) of every weight, in the order of ``get_weights``."""
    return [(weight.name, list(weight.shape)) for weight in model.weights]


def seed_weights(model: Any, seed: str, named: WeightNames | None) -> WeightNames:
    """Give ``model`` its seeded weights. ``named`` is Keras's list of weights; None when ``model`` is Keras's own."""
    named = weight_names(model) if named is None else named
    model.set_weights(seeded_weights(seed, named))
    return named


# ------------------------------------------------------------------------------------------------------ small helpers


def to_numpy(value: Any) -> Array:
    """A tensor of any backend as an array of its own: a metric's result may be the very memory it adds up in."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.array(value)


def flatten(value: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts; dicts in the order of their sorted keys, as Keras flattens them."""
    if isinstance(value, Mapping):
        return [leaf for key in sorted(value) for leaf in flatten(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in flatten(item)]
    return [value]


def one_or_list(values: Sequence[Any]) -> Any:
    """A single value bare, several as a list: what a model of so many inputs takes."""
    return values[0] if len(values) == 1 else list(values)


def symbolic(tensor: Any) -> dict[str, Any]:
    """Shape (None where it is not a number) and dtype of a symbolic tensor."""
    shape = [dim if isinstance(dim, int) else None for dim in tensor.shape]
    return {"shape": shape, "dtype": str(tensor.dtype)}


def plain(value: Any) -> Any:
    """``value`` as JSON reads it back: tuples are lists."""
    return json.loads(json.dumps(value))


def config_of(thing: Any) -> dict[str, Any]:
    """``get_config()`` as JSON, with the dtype policy as its name and without the automatic name."""

    def loosen(value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("class_name") == "DTypePolicy":
                return value["config"]["name"]
            return {key: loosen(item) for key, item in value.items()}
        if isinstance(value, list):
            return [loosen(item) for item in value]
        return value

    config: dict[str, Any] = loosen(plain(thing.get_config()))
    config.pop("name", None)
    return config


def floats(logs: Mapping[str, Any]) -> dict[str, float]:
    """Logs with plain floats, in their own order."""
    return {key: float(value) for key, value in logs.items()}


def float_list(values: Any) -> list[float]:
    """What ``evaluate`` and friends return without ``return_dict``: a float or a list of them, as a list."""
    return [float(value) for value in flatten(values)]


# ------------------------------------------------------------------------------------------------------------- layers


def layer_model(k: Any, case: Case, *, probe: bool = False) -> Any:
    """A model of the case's inputs and outputs; with ``probe``, behind a Dense layer on each input.

    The probe's weights can only move by the gradient that the layer sends back to its inputs.
    """
    declared = case.declared or case.shapes
    inputs = [k.Input(shape, dtype=case.dtype) for shape in declared]
    tensors: list[Any] = list(inputs)
    if probe:
        tensors = [
            k.layers.Dense(int(shape[-1]), name=f"probe_{index}")(tensor)
            for index, (shape, tensor) in enumerate(zip(case.shapes, inputs, strict=True))
            if shape[-1] is not None
        ]
    return k.Model(one_or_list(inputs), case.apply(k, tensors))


def run_layer(k: Any, case: Case, expected: Mapping[str, Any] | None = None) -> Record:
    """Forward pass, and one SGD step behind a probe.

    Arrays: ``out<i>``; ``state<i>``, the weights after a pass with ``training=True``; ``step<i>``, those after the SGD
    step. Facts: weights, probe_weights, outputs (symbolic), config, loss.
    """
    expected = expected or {}
    record = Record()
    xs = inputs_of(case)
    model = layer_model(k, case)
    named = seed_weights(model, case.name, expected.get("weights"))
    arguments = {"training": True} if case.training else {}
    outputs = [to_numpy(value) for value in flatten(model(one_or_list(xs), **arguments))]
    record.arrays |= {f"out{index}": value for index, value in enumerate(outputs)}
    if case.training:
        record.arrays |= {f"state{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}
    record.facts |= {"weights": list(named), "outputs": [symbolic(tensor) for tensor in model.outputs]}
    if case.layer:
        record.facts["config"] = config_of(case.make(k))
    if case.train and case.dtype == "float32":
        record.arrays |= _probe_step(k, case, outputs, expected, record.facts)
    return record


def _probe_step(
    k: Any, case: Case, outputs: list[Array], expected: Mapping[str, Any], facts: dict[str, Any]
) -> dict[str, Array]:
    model = layer_model(k, case, probe=True)
    facts["probe_weights"] = list(seed_weights(model, "probe " + case.name, expected.get("probe_weights")))
    model.compile(optimizer=k.optimizers.SGD(learning_rate=PROBE_RATE), loss=k.losses.MeanSquaredError())
    random = random_state("targets of " + case.name)
    targets = [uniform(random, value.shape, -1.0, 1.0) for value in outputs]
    facts["loss"] = float(model.train_on_batch(one_or_list(inputs_of(case)), one_or_list(targets)))
    return {f"step{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}


# ------------------------------------------------------------------------------------------------------------- losses


def softmax(x: Array, axis: int) -> Array:
    """Probabilities along ``axis``, float32."""
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return (exponentials / exponentials.sum(axis=axis, keepdims=True)).astype(np.float32)


def _one_hot(labels: Array, classes: int, axis: int) -> Array:
    return np.moveaxis(np.eye(classes, dtype=np.float32)[labels], -1, axis)


def _predictions(case: LossCase | MetricCase, random: np.random.RandomState) -> Array:
    shape = batch_of(case.shape, LOSS_BATCH)
    match case.y_pred:
        case "logits" | "real":
            return uniform(random, shape, -3.0, 3.0)
        case "wide-logits":
            return uniform(random, shape, -60.0, 60.0)
        case "probabilities":
            return softmax(uniform(random, shape, -2.0, 2.0), case.classes_axis)
        case "raw":
            return uniform(random, shape, 0.05, 0.95)
        case "positive":
            return uniform(random, shape, 0.1, 3.0)
        case "binary":
            return (random.random_sample(shape) < 0.5).astype(np.float32)
        case "edges":
            values = uniform(random, shape, 0.05, 0.95)
            values[0] = np.eye(shape[-1], dtype=np.float32)[1]
            values[1, 0], values[1, -1] = 0.0, 1.0
            values[2, 0] = 1e-9
            return values
    raise ValueError(f"{case.name}: unknown kind of predictions {case.y_pred!r}")


def _targets(case: LossCase | MetricCase, random: np.random.RandomState) -> Array:
    shape = batch_of(case.shape if case.y_shape is None else case.y_shape, LOSS_BATCH)
    classes = shape[case.classes_axis]
    label_shape = shape[:-1] if case.classes_axis == -1 else tuple(np.delete(shape, case.classes_axis))
    labels = np.floor(classes * random.random_sample(label_shape)).astype(np.int64)
    if "ignore_class" in case.config:
        labels.flat[0] = case.config["ignore_class"]
    match case.y_true:
        case "labels":
            return labels
        case "labels-column":
            return labels[..., None]
        case "one-hot":
            return _one_hot(labels, classes, case.classes_axis)
        case "soft":
            return softmax(uniform(random, shape, -2.0, 2.0), case.classes_axis)
        case "binary":
            return (random.random_sample(shape) < 0.5).astype(np.float32)
        case "sign":
            return np.where(random.random_sample(shape) < 0.5, -1.0, 1.0).astype(np.float32)
        case "positive":
            return uniform(random, shape, 0.1, 3.0)
        case "real" | "":
            return uniform(random, shape, -3.0, 3.0)
    raise ValueError(f"{case.name}: unknown kind of targets {case.y_true!r}")


def loss_data(case: LossCase | MetricCase, part: str = "") -> tuple[Array, Array, Array | None]:
    """Targets, predictions and sample weights of a loss or a metric; ``part`` tells one batch from another."""
    random = random_state(case.name + part)
    y_pred = _predictions(case, random)
    y_true = _targets(case, random)
    if case.weights is None:
        return y_true, y_pred, None
    return y_true, y_pred, uniform(random, batch_of(case.weights, LOSS_BATCH), 0.25, 2.0)


def loss_model(k: Any, case: LossCase) -> Any:
    """A Dense layer whose outputs are the predictions of ``case``."""
    activation = {"probabilities": "softmax", "raw": "sigmoid", "positive": "softplus"}.get(case.y_pred)
    inputs = k.Input((*case.shape[:-1], 7))
    return k.Model(inputs, k.layers.Dense(case.shape[-1], activation=activation, name="out")(inputs))


def run_loss(k: Any, case: LossCase, expected: Mapping[str, Any] | None = None) -> Record:
    """The loss in every reduction, without and with weights, and one weighted SGD step where the case has one.

    Arrays: ``<reduction>``, ``<reduction>/weighted``, ``step<i>``. Facts: config, name, weights, loss.
    """
    record = Record()
    y_true, y_pred, weights = loss_data(case)
    make = getattr(k.losses, case.loss)
    for reduction in REDUCTIONS:
        loss = make(reduction=reduction, **case.config)
        record.arrays[reduction] = to_numpy(loss(y_true, y_pred))
        if weights is not None:
            record.arrays[f"{reduction}/weighted"] = to_numpy(loss(y_true, y_pred, sample_weight=weights))
    record.facts |= {"config": config_of(make(**case.config)), "name": make().name}
    if case.step:
        model = loss_model(k, case)
        record.facts["weights"] = list(seed_weights(model, case.name, (expected or {}).get("weights")))
        model.compile(optimizer=k.optimizers.SGD(learning_rate=PROBE_RATE), loss=make(**case.config))
        x = uniform(random_state("inputs of " + case.name), (LOSS_BATCH, *case.shape[:-1], 7), -2.0, 2.0)
        record.facts["loss"] = float(model.train_on_batch(x, y_true, sample_weight=weights))
        record.arrays |= {f"step{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}
    return record


LOSSES_BY_NAME = {case.name: case for case in LOSS_CASES}


def run_loss_function(k: Any, case: LossFunction, expected: Mapping[str, Any] | None = None) -> Record:
    """Array ``values``: what the function gives, one value per sample."""
    y_true, y_pred, _ = loss_data(LOSSES_BY_NAME[case.data])
    return Record({"values": to_numpy(getattr(k.losses, case.function)(y_true, y_pred, **case.config))})


def run_loss_string(k: Any, case: LossString, expected: Mapping[str, Any] | None = None) -> Record:
    """Facts: weights, and the loss that a model compiled with the string reports."""
    data = LOSSES_BY_NAME[case.data]
    record = Record()
    model = loss_model(k, data)
    record.facts["weights"] = list(seed_weights(model, case.name, (expected or {}).get("weights")))
    model.compile(optimizer="sgd", loss=case.name)
    x = uniform(random_state("inputs of " + case.name), (LOSS_BATCH, *data.shape[:-1], 7), -2.0, 2.0)
    record.facts["loss"] = float(model.test_on_batch(x, loss_data(data)[0]))
    return record


# ----------------------------------------------------------------------------------------------------------- training


def _target(target: Target, samples: int, random: np.random.RandomState) -> Array:
    shape = batch_of(target.shape, samples)
    labels = np.floor(shape[-1] * random.random_sample(shape[:-1])).astype(np.int64)
    match target.kind:
        case "real":
            return uniform(random, shape, -1.0, 1.0)
        case "binary":
            return (random.random_sample(shape) < 0.5).astype(np.float32)
        case "binary-flat":
            return (random.random_sample(shape[:-1]) < 0.5).astype(np.float32)
        case "labels":
            return labels
        case "labels-column":
            return labels[..., None]
        case "one-hot":
            return _one_hot(labels, shape[-1], -1)
    raise ValueError(f"unknown kind of target {target.kind!r}")


def task_data(task: Task, part: str, samples: int) -> tuple[Any, Any, Array | None]:
    """x, y and sample weights (or None) of ``samples`` samples; ``part`` tells one batch or data set from another."""
    random = random_state(f"{task.name} {part}")
    xs = [uniform(random, batch_of(shape, samples), -2.0, 2.0) for shape in task.shapes]
    ys = [_target(target, samples, random) for target in task.targets]
    weights = uniform(random, (samples,), 0.25, 2.0) if task.weighted else None
    input_names, output_names = task.feeds
    x = dict(zip(input_names, xs, strict=True)) if input_names else one_or_list(xs)
    y = dict(zip(output_names, ys, strict=True)) if output_names else one_or_list(ys)
    return x, y, weights


def compiled(k: Any, task: Task, expected: Mapping[str, Any] | None, facts: dict[str, Any]) -> Any:
    """The task's model, with its seeded weights, compiled."""
    model = task.build(k)
    named = weight_names(model) if expected is None else expected["weights"]
    if task.seeded_weights:
        seed_weights(model, task.name, named)
    facts["weights"] = list(named)
    names = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
    arguments = {name: resolve(k, getattr(task, name)) for name in names if getattr(task, name) is not None}
    model.compile(**arguments)
    return model


def run_steps(k: Any, task: Task, expected: Mapping[str, Any] | None = None) -> Record:
    """Three training steps on three batches.

    Arrays: ``start<i>`` and ``end<i>``, the weights. Facts: weights, logs (a dict per step), listed (what
    ``train_on_batch`` returns without ``return_dict``), config (the optimizer's).
    """
    record = Record()
    model = compiled(k, task, expected, record.facts)
    record.arrays |= {f"start{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}
    record.facts["logs"] = []
    for step in range(STEPS):
        x, y, weights = task_data(task, f"step {step}", task.samples)
        record.facts["logs"].append(floats(model.train_on_batch(x, y, sample_weight=weights, return_dict=True)))
    record.arrays |= {f"end{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}
    x, y, weights = task_data(task, "listed", task.samples)
    record.facts["listed"] = float_list(model.train_on_batch(x, y, sample_weight=weights))
    record.facts["config"] = config_of(model.optimizer)
    return record


def run_evaluate(k: Any, task: Task, expected: Mapping[str, Any] | None = None) -> Record:
    """``evaluate`` in both forms, ``test_on_batch`` and ``predict``, with a short last batch.

    Arrays: ``out<i>``. Facts: weights, evaluated (dict), listed, tested (``test_on_batch`` on all samples).
    """
    record = Record()
    model = compiled(k, task, expected, record.facts)
    x, y, weights = task_data(task, "evaluate", task.samples)
    arguments = {"batch_size": task.batch_size, "verbose": 0, "sample_weight": weights}
    record.facts["evaluated"] = floats(model.evaluate(x, y, return_dict=True, **arguments))
    record.facts["listed"] = float_list(model.evaluate(x, y, **arguments))
    record.facts["tested"] = floats(model.test_on_batch(x, y, sample_weight=weights, return_dict=True))
    outputs = flatten(model.predict(x, batch_size=task.batch_size, verbose=0))
    record.arrays |= {f"out{index}": to_numpy(value) for index, value in enumerate(outputs)}
    return record


def progress_form(text: str) -> list[str]:
    """The progress lines without the numbers: times, times per step and metric values become marks.

    Of a line that was redrawn (carriage returns), what stands in the end is kept; terminal colours and the spaces that
    blank out a longer line are dropped.
    """
    lines = [line.split("\r")[-1] for line in text.replace("\b", "").split("\n")]
    marked = []
    for line in lines:
        clean = re.sub(r"\x1b\[[0-9;]*m", "", line)
        clean = re.sub(r"\b\d+s\b(?!/)", "<time>", clean)
        clean = re.sub(r"\b\d+(s|ms|us)/step", "<time>/step", clean)
        marked.append(re.sub(r"-?\d+\.\d{4}(e[+-]\d\d)?", "<value>", clean).rstrip())
    return marked


def run_fit(k: Any, task: Task, expected: Mapping[str, Any] | None = None) -> Record:
    """``fit`` without shuffling.

    Arrays: ``start<i>`` and ``end<i>``, the weights. Facts: weights, history, epochs, and the form of the progress
    text: progress1 and progress2 by ``verbose``, evaluate1 and evaluate2 of an ``evaluate`` afterwards.
    """
    record = Record()
    for verbose in (1, 2):
        model = compiled(k, task, expected, record.facts)
        if verbose == 1:
            record.arrays |= {f"start{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}
        x, y, weights = task_data(task, "fit", task.samples)
        arguments = dict(task.fit)
        if task.validation_samples:
            arguments["validation_data"] = task_data(task, "validation", task.validation_samples)[:2]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            history = model.fit(
                x,
                y,
                batch_size=task.batch_size,
                shuffle=False,
                verbose=verbose,
                sample_weight=weights,
                **arguments,
            )
        record.facts[f"progress{verbose}"] = progress_form(printed.getvalue())
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            model.evaluate(x, y, batch_size=task.batch_size, verbose=verbose)
        record.facts[f"evaluate{verbose}"] = progress_form(printed.getvalue())
    record.facts["history"] = {key: [float(value) for value in values] for key, values in history.history.items()}
    record.facts["epochs"] = list(history.epoch)
    record.arrays |= {f"end{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}
    return record


# ---------------------------------------------------------------------------------- metrics, schedules, weight rules

SCHEDULE_STEPS = 12


def run_metric(k: Any, case: MetricCase, expected: Mapping[str, Any] | None = None) -> Record:
    """Arrays: the result after each of ``first`` and ``second`` batch, and after a ``reset``. Facts: config, name."""
    record = Record()
    metric = getattr(k.metrics, case.metric)(**case.config)
    for part in ("first", "second"):
        y_true, y_pred, weights = loss_data(case, part)
        arguments = [y_true, y_pred] if case.y_true else [y_pred]
        metric.update_state(*arguments, sample_weight=weights if part == "second" else None)
        record.arrays[part] = to_numpy(metric.result())
    metric.reset_state()
    record.arrays["reset"] = to_numpy(metric.result())
    record.facts |= {"config": config_of(metric), "name": metric.name}
    return record


def run_schedule(k: Any, case: ScheduleCase, expected: Mapping[str, Any] | None = None) -> Record:
    """Array ``rates``: the learning rate at steps 0, 1, 2, ... Facts: config."""
    schedule = getattr(k.optimizers.schedules, case.schedule)(**case.config)
    rates = [float(to_numpy(schedule(step))) for step in range(SCHEDULE_STEPS)]
    return Record({"rates": np.asarray(rates, np.float32)}, {"config": config_of(schedule)})


def run_weight_rule(k: Any, case: WeightCase, expected: Mapping[str, Any] | None = None) -> Record:
    """Array ``value``: the penalty or the projected weight. Facts: config."""
    rule = getattr(getattr(k, case.module), case.rule)(**case.config)
    weight = uniform(random_state(case.name), batch_of(case.shape[1:], int(case.shape[0] or 0)), -1.0, 1.0)
    return Record({"value": to_numpy(rule(k.Variable(weight)))}, {"config": config_of(rule)})


# ------------------------------------------------------------------------------------------------------------- models


def model_inputs(case: ModelCase) -> Any:
    """The inputs of a model case, in the structure that the model takes."""
    random = random_state(case.name)
    if isinstance(case.shapes, dict):
        return {name: uniform(random, batch_of(shape), -2.0, 2.0) for name, shape in case.shapes.items()}
    return one_or_list([uniform(random, batch_of(shape), -2.0, 2.0) for shape in case.shapes])


def build_model(k: Any, case: ModelCase) -> Any:
    """The case's model in a fresh session, so that automatic names start at zero."""
    k.utils.clear_session()
    return case.build(k)


def model_outputs(model: Any, case: ModelCase) -> list[Array]:
    """The outputs in inference, flattened."""
    return [to_numpy(value) for value in flatten(model(model_inputs(case)))]


def run_model(k: Any, case: ModelCase, expected: Mapping[str, Any] | None = None) -> Record:
    """Names, weights in order and outputs of a model.

    Arrays: ``out<i>``. Facts: weights, names (of the layers), inputs and outputs (names; Keras's Sequential has no
    output names), signature (symbolic outputs).
    """
    record = Record()
    model = build_model(k, case)
    record.facts["weights"] = list(seed_weights(model, case.name, (expected or {}).get("weights")))
    record.facts["names"] = [layer.name for layer in model.layers]
    record.facts["inputs"] = [tensor.name for tensor in model.inputs]
    record.facts["outputs"] = list(getattr(model, "output_names", []))
    record.facts["signature"] = [symbolic(tensor) for tensor in model.outputs]
    record.arrays |= {f"out{index}": value for index, value in enumerate(model_outputs(model, case))}
    return record


def train_once(k: Any, model: Any, case: ModelCase) -> None:
    """One step with ``case.compiled``, so that the optimizer has a state to save."""
    model.compile(optimizer=getattr(k.optimizers, case.compiled)(), loss="mse")
    random = random_state("targets of " + case.name)
    targets = [uniform(random, value.shape, -1.0, 1.0) for value in model_outputs(model, case)]
    model.train_on_batch(model_inputs(case), one_or_list(targets))


# ----------------------------------------------------------------------------------------------------------- fixtures

Run = Callable[..., Record]

# Every group of fixtures: how its cases are run, and the cases.
GROUPS: dict[str, tuple[Run, Sequence[Any]]] = {
    "layers": (run_layer, LAYER_CASES),
    "losses": (run_loss, LOSS_CASES),
    "loss_functions": (run_loss_function, LOSS_FUNCTIONS),
    "loss_strings": (run_loss_string, LOSS_STRINGS),
    "optimizers": (run_steps, OPTIMIZER_CASES),
    "metrics": (run_evaluate, METRIC_CASES),
    "fit": (run_fit, FIT_CASES),
    "metric_objects": (run_metric, METRIC_OBJECTS),
    "schedules": (run_schedule, SCHEDULES),
    "weight_rules": (run_weight_rule, WEIGHT_RULES),
    "models": (run_model, MODEL_CASES),
}


@functools.cache
def _arrays(group: str) -> dict[str, Array]:
    with np.load(FIXTURES / f"{group}.npz") as stored:
        return {key: stored[key] for key in stored.files}


@functools.cache
def _facts(group: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((FIXTURES / f"{group}.json").read_text(encoding="utf-8"))
    return facts


def fixture(group: str, name: str) -> Record:
    """What Keras gave for one case."""
    prefix = name + ":"
    arrays = {key.removeprefix(prefix): value for key, value in _arrays(group).items() if key.startswith(prefix)}
    return Record(arrays, _facts(group)[name])


def manifest() -> dict[str, Any]:
    """Which Keras made the fixtures, and the names of all cases."""
    stored: dict[str, Any] = json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8"))
    return stored


# --------------------------------------------------------------------------------------------------------- comparison


def reduction_atol(xs: Sequence[Array], weights: Sequence[Array]) -> float:
    """The absolute error that float32 sums may have: 4 eps sqrt(K) max|x| max|w|, K terms in the longest sum."""
    kernels = [weight for weight in weights if weight.ndim >= 2]
    if not kernels:
        return 0.0
    terms = max(int(np.prod(kernel.shape[:-1])) for kernel in kernels)
    largest = max(float(np.abs(kernel).max()) for kernel in kernels)
    x = max(float(np.abs(value).max()) for value in xs)
    return float(4 * np.finfo(np.float32).eps * np.sqrt(terms) * x * largest)


def assert_arrays(actual: Mapping[str, Array], expected: Mapping[str, Array], *, rtol: float, atol: float) -> None:
    """Same keys, shapes, dtypes and values."""
    assert list(actual) == list(expected)
    for key, value in expected.items():
        assert actual[key].shape == value.shape, f"{key}: shape {actual[key].shape}, Keras has {value.shape}"
        assert actual[key].dtype == value.dtype, f"{key}: dtype {actual[key].dtype}, Keras has {value.dtype}"
        np.testing.assert_allclose(actual[key], value, rtol=rtol, atol=atol, err_msg=key)


def assert_logs(actual: Mapping[str, float], expected: Mapping[str, float], *, rtol: float, atol: float) -> None:
    """Same keys in the same order, same values."""
    assert list(actual) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(actual[key], value, rtol=rtol, atol=atol, err_msg=key)


def assert_same_json(actual: Any, expected: Any, path: str = "") -> None:
    """Equal JSON, but for the rounding of floats to float32, which Keras writes for some numbers and not for others."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        missing, extra = sorted(expected.keys() - actual.keys()), sorted(actual.keys() - expected.keys())
        assert missing == extra == [], f"{path or '/'}: Keras also has {missing}, we also have {extra}"
        for key, value in expected.items():
            assert_same_json(actual[key], value, f"{path}/{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        assert len(actual) == len(expected), f"{path}: {actual}, Keras has {expected}"
        for index, value in enumerate(expected):
            assert_same_json(actual[index], value, f"{path}/{index}")
    elif isinstance(expected, float) and isinstance(actual, float):
        assert np.isclose(actual, expected, rtol=1e-6, atol=0), f"{path}: {actual!r}, Keras has {expected!r}"
    else:
        assert type(actual) is type(expected), f"{path}: {actual!r}, Keras has {expected!r}"
        assert actual == expected, f"{path}: {actual!r}, Keras has {expected!r}"


def assert_same_update(start: Sequence[Array], actual: Sequence[Array], expected: Sequence[Array]) -> None:
    """The change of the weights is Keras's, to 1e-3 of its own size.

    Comparing weights alone would pass a wrong gradient that is small beside the weight.
    """
    for index, (before, ours, theirs) in enumerate(zip(start, actual, expected, strict=True)):
        error = float(np.linalg.norm(ours - theirs))
        change = float(np.linalg.norm(theirs - before))
        floor = 4 * float(np.finfo(np.float32).eps) * float(np.linalg.norm(theirs))
        assert error <= 1e-3 * change + floor, f"weight {index}: off by {error:.3g}, Keras moved it by {change:.3g}"


def numbered(arrays: Mapping[str, Array], prefix: str) -> list[Array]:
    """The arrays ``<prefix>0, <prefix>1, ...`` in order."""
    found = [key for key in arrays if re.fullmatch(rf"{prefix}\d+", key)]
    return [arrays[f"{prefix}{index}"] for index in range(len(found))]
