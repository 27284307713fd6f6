"""Saves the models of ``tests/saving/archive_cases.py`` with real Keras, for the tests of loading.

    KERAS_BACKEND=jax python tools/make_keras_archives.py

Writes ``tests/saving/fixtures/<name>.keras``, and ``archives.npz`` with what Keras computes with each: outputs (``out0`` ...),
and for compiled models the weights after one more training step (``after0`` ...), which only come out right if the state of
the optimizer came back.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parents[1] / "tests"
FOLDER = TESTS / "saving" / "fixtures"


def main() -> None:
    """Write all files."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    sys.path.insert(0, str(TESTS / "saving"))
    cases = importlib.import_module("archive_cases")
    try:
        keras: Any = importlib.import_module("keras")
    except ImportError as error:
        sys.exit(f"make_keras_archives: Keras 3 cannot be imported ({error}); pip install keras jax h5py")
    FOLDER.mkdir(exist_ok=True)
    arrays: dict[str, Any] = {}
    for case in cases.ARCHIVE_CASES:
        keras.utils.clear_session()
        model = case.build(keras, case.custom(keras))
        cases.seed_weights(model)
        if case.compile is not None:
            model.compile(**case.compile(keras))
            cases.train(model, case, steps=2)
        model.save(FOLDER / f"{case.name}.keras")
        arrays |= {f"{case.name}:out{i}": value for i, value in enumerate(cases.outputs(model, case))}
        if case.compile is not None:
            cases.train(model, case, steps=1)
            arrays |= {f"{case.name}:after{i}": value for i, value in enumerate(model.get_weights())}
        print(case.name, (FOLDER / f"{case.name}.keras").stat().st_size)
    np.savez_compressed(FOLDER / "archives.npz", **arrays)


if __name__ == "__main__":
    main()
