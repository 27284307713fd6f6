"""Writes what Keras's functions on arrays give into ``fixtures``. Run it with a Python that has Keras 3:

KERAS_BACKEND=jax python tests/utils/make_fixtures.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FIXTURE = Path(__file__).parent / "fixtures" / "arrays.json"

SEQUENCES: list[list[int]] = [[1, 2, 3], [4], [], [5, 6, 7, 8, 9]]
PADDINGS: list[dict[str, Any]] = [
    {},
    {"maxlen": 3},
    {"maxlen": 3, "padding": "post"},
    {"maxlen": 3, "truncating": "post"},
    {"maxlen": 7, "padding": "post", "truncating": "post", "value": -1},
    {"dtype": "float32", "value": 0.5},
    {"dtype": "int64", "maxlen": 2},
]
NORMS = [((2, 3), -1, 2), ((2, 3), 1, 1), ((2, 3, 4), 1, 2), ((2, 3, 4), 2, 3), ((4,), -1, 2), ((2, 3), -1, 0.5)]
LABELS: list[tuple[Any, int | None]] = [
    ([0, 2, 1], None),
    ([[0], [2]], 4),
    ([[1, 0], [2, 2]], None),
    ([[[1], [0]]], 3),
    (2, None),
    ([3.0, 1.0], 5),
]


def vectors(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Numbers to normalise, one of them zero."""
    found = np.random.RandomState(len(shape)).random_sample(shape)
    found.flat[0] = 0
    return found


def main() -> None:
    """Writes the fixture."""
    from keras import utils

    found = {
        "pad": [utils.pad_sequences(SEQUENCES, **arguments).tolist() for arguments in PADDINGS],
        "normalize": [utils.normalize(vectors(shape), axis, order).tolist() for shape, axis, order in NORMS],
        "categorical": [utils.to_categorical(labels, count).tolist() for labels, count in LABELS],
    }
    FIXTURE.parent.mkdir(exist_ok=True)
    FIXTURE.write_text(json.dumps(found, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main()
