"""The stored fixtures fit the tables of cases."""

from __future__ import annotations

import pytest

from . import harness
from .cases import LAYER_CASES, MODEL_CASES


@pytest.mark.parametrize("group", harness.GROUPS)
def test_every_case_has_a_fixture(group: str) -> None:
    _, cases = harness.GROUPS[group]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    assert names == harness.stored_names(group), f"run tools/make_keras_fixtures.py --only {group}"


def test_every_model_has_its_files() -> None:
    expected = {f"{case.name}.json" for case in MODEL_CASES}
    expected |= {f"{case.name}.weights.h5" for case in MODEL_CASES if case.saved}
    assert {path.name for path in (harness.FIXTURES / "models").iterdir()} == expected


def test_layers_with_options_have_four_cases() -> None:
    rows = {"Identity": 4}  # has no options
    for case in LAYER_CASES:
        if case.layer:
            rows[case.layer] = rows.get(case.layer, 0) + 1
    assert not {layer: count for layer, count in rows.items() if count < 4}


def test_fixtures_stay_small() -> None:
    size = sum(path.stat().st_size for path in harness.FIXTURES.rglob("*") if path.is_file())
    assert size < 6_000_000
