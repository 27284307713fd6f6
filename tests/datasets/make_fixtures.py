"""Writes what Keras's loaders give for the files of ``small_files``. Run it with a Python that has Keras 3:

KERAS_BACKEND=jax python tests/datasets/make_fixtures.py
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from datasets import small_files

CALLS: dict[str, list[dict[str, Any]]] = {
    "imdb": [
        {},
        {"num_words": 20},
        {"num_words": 30, "skip_top": 5},
        {"maxlen": 12},
        {"seed": 5, "num_words": 50},
        {"start_char": None},
        {"start_char": None, "index_from": 0},
        {"oov_char": None, "num_words": 15},
        {"index_from": 7, "start_char": 4, "oov_char": 5, "skip_top": 9, "num_words": 60, "maxlen": 20, "seed": 1},
    ],
    "reuters": [
        {},
        {"num_words": 20, "test_split": 0.35},
        {"maxlen": 15, "skip_top": 4},
        {"seed": 3, "start_char": None, "oov_char": None, "num_words": 30},
        {"test_split": 0.0},
    ],
    "boston_housing": [{}, {"test_split": 0.3, "seed": 4}, {"test_split": 0}],
    "california_housing": [{}, {"version": "small", "test_split": 0.5}],
}
FILES = {
    "imdb": small_files.imdb_npz,
    "reuters": small_files.reuters_npz,
    "boston_housing": lambda: small_files.houses_npz(33, 13),
    "california_housing": lambda: small_files.houses_npz(650, 8),
}
FIXTURE = Path(__file__).parent / "fixtures" / "load_data.json"


def key(name: str, arguments: dict[str, Any]) -> str:
    """The name of a call."""
    return f"{name} {json.dumps(arguments)}"


def as_json(array: Any) -> Any:
    """An array, or an array of lists, as lists, with its dtype."""
    return {"dtype": str(array.dtype), "values": [x if isinstance(x, list) else x.tolist() for x in array]}


def main() -> None:
    """Writes the fixture."""
    import importlib

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, calls in CALLS.items():
            path = Path(folder, f"{name}.npz")
            path.write_bytes(FILES[name]())
            module = importlib.import_module(f"keras.src.datasets.{name}")
            module.get_file = lambda *args, path=path, **kwargs: str(path)
            for arguments in calls:
                (x_train, y_train), (x_test, y_test) = module.load_data(**arguments)
                if name == "california_housing":  # the features are many, and shuffled like the prices
                    x_train, x_test = x_train[:3], x_test[:3]
                found[key(name, arguments)] = [as_json(a) for a in (x_train, y_train, x_test, y_test)]
        module = importlib.import_module("keras.src.datasets.reuters")
        found["label names"] = module.get_label_names()
    FIXTURE.parent.mkdir(exist_ok=True)
    FIXTURE.write_text(json.dumps(found, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main()
