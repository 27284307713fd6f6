"""Learning-rate schedules, regularisers and constraints against Keras, called by hand."""

from __future__ import annotations

import pytest

import graphc

from . import harness
from .cases import SCHEDULES, WEIGHT_RULES
from .test_layers import public_classes

SCHEDULES_BY_NAME = {case.name: case for case in SCHEDULES}
RULES_BY_NAME = {case.name: case for case in WEIGHT_RULES}


@pytest.mark.parametrize("name", SCHEDULES_BY_NAME)
def test_schedule(name: str) -> None:
    expected = harness.fixture("schedules", name)
    actual = harness.run_schedule(graphc, SCHEDULES_BY_NAME[name])
    harness.assert_arrays(actual.arrays, expected.arrays, rtol=1e-5, atol=1e-8)
    harness.assert_same_json(actual.facts["config"], expected.facts["config"])


@pytest.mark.parametrize("name", RULES_BY_NAME)
def test_weight_rule(name: str) -> None:
    expected = harness.fixture("weight_rules", name)
    actual = harness.run_weight_rule(graphc, RULES_BY_NAME[name])
    harness.assert_arrays(actual.arrays, expected.arrays, rtol=1e-5, atol=1e-6)
    harness.assert_same_json(actual.facts["config"], expected.facts["config"])


def test_every_schedule_has_a_case() -> None:
    schedules = graphc.optimizers.schedules
    covered = {getattr(schedules, case.schedule) for case in SCHEDULES}
    public = public_classes(schedules, schedules.LearningRateSchedule)
    assert not sorted(name for name, schedule in public.items() if schedule not in covered)


@pytest.mark.parametrize(("module", "base"), [("regularizers", "Regularizer"), ("constraints", "Constraint")])
def test_every_weight_rule_has_a_case(module: str, base: str) -> None:
    package = getattr(graphc, module)
    covered = {getattr(package, case.rule) for case in WEIGHT_RULES if case.module == module}
    public = public_classes(package, getattr(package, base))
    assert not sorted(name for name, rule in public.items() if rule not in covered)
