"""Runs the parity cases with a package ``k`` (``keras`` or ``graphc``) and keeps what came out as fixtures.

The same functions run under both packages. A ``run_*`` function gives a ``Record``: arrays, and facts for JSON.
``tools/make_keras_fixtures.py`` stores Keras's records under ``fixtures/``; the tests compare graphc's with them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .cases import (
    FIT_CASES,
    LAYER_FAMILIES,
    LOSS_CASES,
    LOSS_FUNCTIONS,
    LOSS_STRINGS,
    METRIC_CASES,
    METRIC_OBJECTS,
    MODEL_CASES,
    OPTIMIZER_CASES,
    SCHEDULES,
    WEIGHT_RULES,
)
from .compare import assert_arrays, assert_logs, assert_same_json, assert_same_update, numbered, reduction_atol
from .run_layers import layer_model, run_layer
from .run_models import build_model, model_inputs, model_outputs, run_model, train_once
from .run_objects import (
    loss_data,
    run_loss,
    run_loss_function,
    run_loss_string,
    run_metric,
    run_schedule,
    run_weight_rule,
)
from .run_training import run_evaluate, run_fit, run_steps
from .support import (
    Array,
    Record,
    flatten,
    inputs_of,
    one_or_list,
    plain,
    seed_weights,
    seeded_weights,
    to_numpy,
    weight_names,
)

__all__ = [
    "FIXTURES",
    "GROUPS",
    "Array",
    "Record",
    "assert_arrays",
    "assert_logs",
    "assert_same_json",
    "assert_same_update",
    "build_model",
    "fixture",
    "flatten",
    "inputs_of",
    "layer_fixture",
    "layer_model",
    "loss_data",
    "manifest",
    "model_inputs",
    "model_outputs",
    "numbered",
    "one_or_list",
    "plain",
    "reduction_atol",
    "run_evaluate",
    "run_fit",
    "run_layer",
    "run_loss",
    "run_loss_function",
    "run_loss_string",
    "run_metric",
    "run_model",
    "run_schedule",
    "run_steps",
    "run_weight_rule",
    "seed_weights",
    "seeded_weights",
    "stored_names",
    "to_numpy",
    "train_once",
    "weight_names",
]

FIXTURES = Path(__file__).parent / "fixtures"

Run = Callable[..., Record]

# Every group of fixtures: how its cases are run, and the cases.
GROUPS: dict[str, tuple[Run, Sequence[Any]]] = {
    **{f"layers/{family}": (run_layer, cases) for family, cases in LAYER_FAMILIES.items()},
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


def layer_fixture(name: str) -> Record:
    """What Keras gave for one layer case, whichever family it is of."""
    return fixture(f"layers/{_family_of()[name]}", name)


@functools.cache
def _family_of() -> dict[str, str]:
    return {case.name: family for family, cases in LAYER_FAMILIES.items() for case in cases}


def stored_names(group: str) -> list[str]:
    """The names of the cases that have a fixture, in the order in which they were stored."""
    return list(_facts(group))


def manifest() -> dict[str, Any]:
    """Which Keras made the fixtures, and the names that it gives to unnamed layers."""
    stored: dict[str, Any] = json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8"))
    return stored
