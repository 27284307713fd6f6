"""Runs the cases of training: steps, ``evaluate`` and ``fit``."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .cases import (
    Target,
    Task,
    resolve,
)
from .support import (
    STEPS,
    Array,
    Record,
    batch_of,
    config_of,
    flatten,
    float_list,
    floats,
    one_hot,
    one_or_list,
    random_state,
    seed_weights,
    to_numpy,
    uniform,
    weight_names,
)


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
            return one_hot(labels, shape[-1], -1)
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
