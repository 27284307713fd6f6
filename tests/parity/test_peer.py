"""A sample of every group against a live Keras, and Keras reading what graphc wrote. Skipped when Keras is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc

from . import harness
from .cases import MODEL_CASES

pytestmark = pytest.mark.peer

# Every n-th case of a group; the stored fixtures cover all of them.
SAMPLE = {
    **{group: 7 for group in harness.GROUPS if group.startswith("layers/")},
    "losses": 4,
    "loss_functions": 2,
    "loss_strings": 4,
    "optimizers": 4,
    "metrics": 4,
    "models": 3,
    "metric_objects": 5,
}
CASES = [
    pytest.param(group, case, id=f"{group}-{case.name}")
    for group, step in SAMPLE.items()
    for case in harness.GROUPS[group][1][::step]
]


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras on the backend that ``KERAS_BACKEND`` names, or a skip."""
    return pytest.importorskip("keras")


@pytest.mark.parametrize(("group", "case"), CASES)
def test_graphc_equals_live_keras(keras: Any, group: str, case: Any) -> None:
    run, _ = harness.GROUPS[group]
    theirs = run(keras, case)
    mine = run(graphc, case, harness.plain(theirs.facts))
    harness.assert_arrays(mine.arrays, theirs.arrays, rtol=1e-4, atol=4e-6)
    for key in ("loss", "listed"):
        if key in theirs.facts:
            np.testing.assert_allclose(mine.facts[key], theirs.facts[key], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("case", MODEL_CASES, ids=lambda case: case.name)
def test_keras_reads_our_files(keras: Any, case: Any, tmp_path: Path) -> None:
    model = harness.build_model(graphc, case)
    harness.seed_weights(model, case.name, harness.fixture("models", case.name).facts["weights"])
    model.save_weights(tmp_path / "model.weights.h5")
    theirs = keras.models.model_from_json(model.to_json())
    theirs.load_weights(tmp_path / "model.weights.h5")
    for value, reference in zip(theirs.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, reference)
    for value, reference in zip(harness.model_outputs(theirs, case), harness.model_outputs(model, case), strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-5, atol=4e-6)
