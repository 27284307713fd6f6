"""Runs the cases of what is called by hand: losses, metrics, schedules, regularisers and constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .cases import (
    LOSS_CASES,
    REDUCTIONS,
    LossCase,
    LossFunction,
    LossString,
    MetricCase,
    ScheduleCase,
    WeightCase,
)
from .support import (
    LOSS_BATCH,
    PROBE_RATE,
    Array,
    Record,
    batch_of,
    config_of,
    one_hot,
    random_state,
    seed_weights,
    to_numpy,
    uniform,
)


def softmax(x: Array, axis: int) -> Array:
    """Probabilities along ``axis``, float32."""
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return (exponentials / exponentials.sum(axis=axis, keepdims=True)).astype(np.float32)


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
            return one_hot(labels, classes, case.classes_axis)
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
