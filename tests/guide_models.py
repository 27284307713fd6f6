"""The modules of the folder `models/` at sizes that train in a moment."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import graphc
from graphc.structure import flatten

FOLDER = Path(__file__).resolve().parents[1] / "models"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


@functools.cache
def load(name: str) -> ModuleType:
    """The module ``models/<name>.py``."""
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))  # a model may be made of the parts of another
    spec = importlib.util.spec_from_file_location(f"models_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def small(name: str) -> Any:
    """The model at its small size, with the same weights each time."""
    module = load(name)
    graphc.utils.clear_session()
    graphc.utils.set_random_seed(0)
    return module.build(**module.SMALL)


def rows_of(model: Any, count: int) -> int:
    """``count``, or the model's batch size where that is fixed."""
    shape = model.input_shape
    first = shape[0] if isinstance(shape, list) else shape
    return first[0] or count


def samples(name: str, model: Any, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Inputs and targets of about so many rows."""
    found: tuple[Any, Any] = load(name).samples(model, rows_of(model, rows), seed)
    return found


def as_feeds(model: Any, x: Any) -> dict[str, Any]:
    """Inputs by name, as an exported model takes them."""
    values = [x[key] for key in model.input_names] if isinstance(x, Mapping) else flatten(x)
    return dict(zip(model.input_names, values, strict=True))
