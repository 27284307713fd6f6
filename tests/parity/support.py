"""What every run of a parity case needs: seeded inputs and weights, and small helpers that hide the package.

Inputs and weights come from ``numpy.random.RandomState.random_sample``, a stream that NumPy promises never to change.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .cases import (
    Case,
    Shape,
)

Array = np.ndarray[Any, Any]

BATCH = 3
LOSS_BATCH = 5
STEPS = 3
PROBE_RATE = 0.5


@dataclass
class Record:
    """What one case gave: named arrays, and facts that JSON can hold."""

    arrays: dict[str, Array] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def random_state(name: str) -> np.random.RandomState:
    """The stream that belongs to ``name``, the same everywhere."""
    return np.random.RandomState(zlib.crc32(name.encode()))


def uniform(random: np.random.RandomState, shape: Sequence[int], low: float, high: float) -> Array:
    """Float32 values in [low, high)."""
    return (low + (high - low) * random.random_sample(tuple(shape))).astype(np.float32)


def batch_of(shape: Shape, size: int = BATCH) -> tuple[int, ...]:
    """``shape`` with a batch axis; every dim must be known."""
    return (size, *(int(dim) for dim in shape if dim is not None))


def inputs_of(case: Case) -> list[Array]:
    """The inputs of a layer case, one array of shape ``(BATCH, *shape)`` each."""
    random = random_state(case.name)
    found = []
    for shape, dtype in zip(case.shapes, case.dtypes, strict=True):
        if dtype == "float32":
            value = uniform(random, batch_of(shape), -case.spread, case.spread)
            if case.blank:
                value[random.random_sample(value.shape[:2]) < case.blank] = 0.0
        else:
            value = np.floor(uniform(random, batch_of(shape), *case.integers)).astype(dtype)
        found.append(value)
    return found


def seeded_weight(random: np.random.RandomState, name: str, shape: Sequence[int]) -> Array:
    """A weight by its Keras name: variances are positive, scales near one, the rest around zero."""
    if name == "moving_variance":
        return uniform(random, shape, 0.5, 1.5)
    if name == "gamma":
        return uniform(random, shape, 0.6, 1.4)
    return uniform(random, shape, -0.6, 0.6)


WeightNames = Sequence[tuple[str, Sequence[int]]]


def seeded_weights(seed: str, named: WeightNames) -> list[Array]:
    """Values for weights given as (name, shape) pairs, in that order."""
    random = random_state("weights of " + seed)
    return [seeded_weight(random, name, shape) for name, shape in named]


def weight_names(model: Any) -> list[tuple[str, list[int]]]:
    """(name, shape) of every weight, in the order of ``get_weights``."""
    return [(weight.name, list(weight.shape)) for weight in model.weights]


def seed_weights(model: Any, seed: str, named: WeightNames | None) -> WeightNames:
    """Give ``model`` its seeded weights. ``named`` is Keras's list of weights; None when ``model`` is Keras's own."""
    named = weight_names(model) if named is None else named
    model.set_weights(seeded_weights(seed, named))
    return named


def to_numpy(value: Any) -> Array:
    """A tensor of any backend as an array of its own: a metric's result may be the very memory it adds up in."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.array(value)


def flatten(value: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts; dicts in the order of their sorted keys, as Keras flattens them."""
    if isinstance(value, Mapping):
        return [leaf for key in sorted(value) for leaf in flatten(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in flatten(item)]
    return [value]


def one_or_list(values: Sequence[Any]) -> Any:
    """A single value bare, several as a list: what a model of so many inputs takes."""
    return values[0] if len(values) == 1 else list(values)


def symbolic(tensor: Any) -> dict[str, Any]:
    """Shape (None where it is not a number) and dtype of a symbolic tensor."""
    shape = [dim if isinstance(dim, int) else None for dim in tensor.shape]
    return {"shape": shape, "dtype": str(tensor.dtype)}


def plain(value: Any) -> Any:
    """``value`` as JSON reads it back: tuples are lists."""
    return json.loads(json.dumps(value))


def config_of(thing: Any) -> dict[str, Any]:
    """``get_config()`` as JSON, with the dtype policy as its name and without the automatic name."""

    def loosen(value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("class_name") == "DTypePolicy":
                return value["config"]["name"]
            return {key: loosen(item) for key, item in value.items()}
        if isinstance(value, list):
            return [loosen(item) for item in value]
        return value

    config: dict[str, Any] = loosen(plain(thing.get_config()))
    config.pop("name", None)
    return config


def floats(logs: Mapping[str, Any]) -> dict[str, float]:
    """Logs with plain floats, in their own order."""
    return {key: float(value) for key, value in logs.items()}


def float_list(values: Any) -> list[float]:
    """What ``evaluate`` and friends return without ``return_dict``: a float or a list of them, as a list."""
    return [float(value) for value in flatten(values)]


def one_hot(labels: Array, classes: int, axis: int) -> Array:
    """Float32 one-hot vectors of integer ``labels`` along ``axis``."""
    return np.moveaxis(np.eye(classes, dtype=np.float32)[labels], -1, axis)
