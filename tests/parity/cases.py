"""The parity cases: what graphc must compute as Keras 3 does.

A table per subject, as plain data, joined here. A case never imports a framework: whoever runs it hands in the package
``k``, which is ``keras`` in ``tools/make_keras_fixtures.py`` and ``graphc`` in the tests, and only names public in both
are used. ``harness.py`` runs the cases; inputs and weights come from the case's name, so no case depends on another.

To add a layer, a loss or an optimizer: add rows to its table, run the tool with a Keras installed, commit the fixtures.

Shapes are given without the batch axis and have distinct dims, so that a transposed axis cannot hide.
"""

from __future__ import annotations

from .layer_cases import LAYER_CASES, LAYER_FAMILIES, Case
from .loss_cases import LOSS_CASES, LOSS_FUNCTIONS, LOSS_STRINGS, REDUCTIONS, LossCase, LossFunction, LossString
from .metric_cases import METRIC_OBJECTS, SCHEDULES, WEIGHT_RULES, MetricCase, ScheduleCase, WeightCase
from .model_cases import MODEL_CASES, NAMED_LAYERS, ModelCase
from .spec import Obj, Shape, Shapes, resolve
from .training_cases import FIT_CASES, METRIC_CASES, OPTIMIZER_CASES, Target, Task

__all__ = [
    "FIT_CASES",
    "LAYER_CASES",
    "LAYER_FAMILIES",
    "LOSS_CASES",
    "LOSS_FUNCTIONS",
    "LOSS_STRINGS",
    "METRIC_CASES",
    "METRIC_OBJECTS",
    "MODEL_CASES",
    "NAMED_LAYERS",
    "OPTIMIZER_CASES",
    "REDUCTIONS",
    "SCHEDULES",
    "WEIGHT_RULES",
    "Case",
    "LossCase",
    "LossFunction",
    "LossString",
    "MetricCase",
    "ModelCase",
    "Obj",
    "ScheduleCase",
    "Shape",
    "Shapes",
    "Target",
    "Task",
    "WeightCase",
    "resolve",
]
