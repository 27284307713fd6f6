"""Optimizers: how gradients change weights. Names, arguments, defaults and numbers are Keras's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import ArgumentError
from graphc.object_table import ObjectTable
from graphc.optimizers import schedules
from graphc.optimizers.adagrad import Adadelta, Adagrad
from graphc.optimizers.adam import Adam, AdamW
from graphc.optimizers.adam_variants import Adamax, Nadam
from graphc.optimizers.ftrl import Ftrl
from graphc.optimizers.lion import Lion
from graphc.optimizers.optimizer import Optimizer
from graphc.optimizers.rmsprop import RMSprop
from graphc.optimizers.sgd import SGD

_TABLE = ObjectTable(
    "optimizer",
    "keras.optimizers",
    classes=(SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adamax, Nadam, Lion, Ftrl),
)


def get(identifier: Any) -> Optimizer | None:
    """An optimizer from an object, class, name or configuration; None stays None.

    Raises:
        ArgumentError: it is unknown; the message suggests near names.
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    found = _TABLE.get(identifier)
    if not isinstance(found, Optimizer):
        raise ArgumentError(
            f"Could not interpret optimizer identifier: {identifier!r:.80}. "
            "Expected a name, a configuration or an object of graphc.optimizers."
        )
    return found


serialize = _TABLE.serialize


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Optimizer | None:
    """An optimizer from what `serialize` gave, without its state; None stays None.

    Raises:
        ArgumentError: it is malformed or unknown.
    """
    found: Optimizer | None = _TABLE.deserialize(config, custom_objects)
    return found


__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
