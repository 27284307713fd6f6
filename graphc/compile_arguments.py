"""What ``compile`` was given, resolved for each output of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphc import losses as losses_module
from graphc import metrics as metrics_module
from graphc.compiler import unique_names
from graphc.errors import ArgumentError, did_you_mean
from graphc.ir.types import TensorType
from graphc.losses import Loss
from graphc.metrics import Metric


@dataclass
class OutputTarget:
    """Loss and metrics of one output.

    Attributes:
        name: the output's name, in logs and in dictionaries of targets; a shared layer's outputs have one name.
        feed: the name under which its target is fed to a step; no two outputs share it.
        loss: None when the output is not trained.
        weight: of the loss in the total.
        metrics: given as names, objects or functions; resolved when shapes are known.
        weighted_metrics: likewise; these see sample weights.
    """

    name: str
    feed: str
    loss: Loss | None
    weight: float = 1.0
    metrics: list[Any] = field(default_factory=list)
    weighted_metrics: list[Any] = field(default_factory=list)


def resolve_targets(
    names: Sequence[str], loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any
) -> list[OutputTarget]:
    """One target for each output.

    Raises:
        ArgumentError: counts, keys or kinds do not fit the outputs.
    """
    losses = _per_output(names, loss, "loss", spread=True)
    weights = _weights(names, loss_weights)
    own = _metric_lists(names, metrics, "metrics")
    weighted = _metric_lists(names, weighted_metrics, "weighted_metrics")
    feeds = unique_names(names)
    return [
        OutputTarget(name, feeds[i], losses_module.resolve(losses[i]), weights[i], own[i], weighted[i])
        for i, name in enumerate(names)
    ]


def check_names(loss: Any, metrics: Any) -> None:
    """Fail at once on names that stand for nothing, before any data is seen.

    Raises:
        ArgumentError: an unknown loss or metric, or ``metrics`` of a wrong kind.
    """
    for item in _leaves(loss):
        if isinstance(item, str) and item.lower() not in ("ce", "crossentropy"):
            losses_module.get(item)
    if metrics is not None and not isinstance(metrics, list | tuple | Mapping):
        raise ArgumentError(
            "Expected `metrics` argument to be a list, tuple, or dict. "
            f"Received instead: metrics={metrics} of type {type(metrics).__name__}. Write metrics=[{metrics!r}]."
        )
    for item in _leaves(metrics):
        if isinstance(item, str) and not metrics_module.is_shape_dependent(item):
            metrics_module.get(item)


def _leaves(structure: Any) -> list[Any]:
    if isinstance(structure, Mapping):
        return [x for v in structure.values() for x in _leaves(v)]
    if isinstance(structure, list | tuple):
        return [x for v in structure for x in _leaves(v)]
    return [] if structure is None else [structure]


def _per_output(names: Sequence[str], given: Any, what: str, *, spread: bool) -> list[Any]:
    if isinstance(given, Mapping):
        unknown = [k for k in given if k not in names]
        if unknown:
            raise ArgumentError(
                f"`{what}` names {unknown[0]!r}, which is no output of the model.{did_you_mean(unknown[0], names)}"
            )
        if missing := [n for n in names if n not in given]:
            raise ArgumentError(
                f"`{what}` must name every output {list(names)}; {missing[0]!r} is missing. "
                "Give it None to leave that output out."
            )
        return [given[n] for n in names]
    if isinstance(given, list | tuple):
        if len(given) != len(names):
            raise ArgumentError(f"`{what}` has {len(given)} entries for {len(names)} outputs {list(names)}.")
        return list(given)
    return [given] * len(names) if spread else [given]


def _weights(names: Sequence[str], given: Any) -> list[float]:
    if given is None:
        return [1.0] * len(names)
    values = [given] if isinstance(given, int | float) and len(names) == 1 else None
    if values is None:
        if isinstance(given, int | float):
            raise ArgumentError(f"`loss_weights` must be a list or dict with one number for each output {list(names)}.")
        if isinstance(given, Mapping):  # outputs that are not named weigh 1
            values = _per_output(names, {**dict.fromkeys(names, 1.0), **given}, "loss_weights", spread=False)
        else:
            values = _per_output(names, given, "loss_weights", spread=False)
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ArgumentError(f"`loss_weights` must hold numbers; got {value!r}.")
    return [float(v) for v in values]


def _metric_lists(names: Sequence[str], given: Any, what: str) -> list[list[Any]]:
    if given is None:
        return [[] for _ in names]
    if isinstance(given, Mapping):
        if unknown := [k for k in given if k not in names]:
            raise ArgumentError(
                f"`{what}` names {unknown[0]!r}, which is no output of the model.{did_you_mean(unknown[0], names)}"
            )
        return [_as_list(given.get(n)) for n in names]
    if len(names) == 1:
        return [_leaves(given)]
    if len(given) != len(names):
        raise ArgumentError(
            f"For a model with several outputs, `{what}` must be a dict by output name, or a list with one entry (a metric, "
            f"a list of metrics or None) for each of the outputs {list(names)}. It has {len(given)} entries."
        )
    return [_as_list(entry) for entry in given]


def _as_list(entry: Any) -> list[Any]:
    if entry is None:
        return []
    return list(entry) if isinstance(entry, list | tuple) else [entry]


@dataclass
class CompiledMetric:
    """A metric of one output, with the name it has in logs."""

    key: str
    metric: Metric
    output: int
    weighted: bool


def resolve_metrics(
    targets: Sequence[OutputTarget], y_types: Sequence[TensorType | None], outputs: Sequence[TensorType]
) -> list[CompiledMetric]:
    """Metric objects for all outputs. "accuracy" becomes the binary, categorical or sparse one, by shapes, as in Keras."""
    found: list[CompiledMetric] = []
    taken: set[str] = set()
    for i, target in enumerate(targets):
        y_type = y_types[i]
        if y_type is None:
            continue
        for weighted, items in ((False, target.metrics), (True, target.weighted_metrics)):
            for item in items:
                metric, name = metrics_module.resolve(item, y_type.shape, outputs[i].shape)
                stem = f"{target.name}_{name}" if len(targets) > 1 else name
                key, count = stem, 0
                while key in taken:
                    count += 1
                    key = f"weighted_{stem}" if weighted and count == 1 else f"{stem}_{count}"
                taken.add(key)
                found.append(CompiledMetric(key, metric, i, weighted))
    return found
