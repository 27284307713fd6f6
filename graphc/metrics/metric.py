"""The base of all metrics: numbers that are collected batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc import initializers
from graphc.errors import ArgumentError, GraphcError
from graphc.ir.dtypes import standardize_dtype
from graphc.naming import auto_name, snake_case
from graphc.ops.functional.dispatch import leaves
from graphc.ops.functional.tracing import untraced
from graphc.ops.functional.variable import Variable


class Metric:
    """Collects in ``update_state`` and tells in ``result``.

    Subclasses make their state with `add_variable` in ``__init__`` and change it with ``assign`` in ``update_state``,
    which is written with functions of `graphc.ops`: so it runs at once on arrays, and becomes part of the train step
    when it is traced.

    Args:
        dtype: of the state; float32 by default.
        name: how it is called in logs.
    """

    _direction: str | None = None
    """Whether better is "up" or "down": what callbacks with mode "auto" go by."""

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or auto_name(snake_case(type(self).__name__))
        self._dtype = standardize_dtype(dtype or "float32")
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """The dtype of the state."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The state, with that of metrics that this one holds as attributes."""
        inner = [item for value in vars(self).values() for item in leaves(value) if isinstance(item, Metric)]
        return self._variables + [v for metric in inner for v in metric.variables]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: Any = None,
    ) -> Variable:
        """Make a part of the state.

        Args:
            shape: a tuple of integers.
            initializer: of the first value; `reset_state` goes back to zeros.
            dtype: the metric's own by default.
            aggregation: accepted for Keras's sake; it steers devices that graphc has not.
            name: the last part of the variable's path.
        """
        del aggregation
        if "_variables" not in self.__dict__:
            raise GraphcError(
                f"Metric {type(self).__name__} was used before Metric.__init__ ran. "
                "Start its __init__ with `super().__init__()`."
            )
        kind = standardize_dtype(dtype) if dtype is not None else self._dtype
        with untraced():  # the state has a value now, whatever is being traced
            value = initializers.get(initializer or "zeros")(tuple(shape), dtype=kind)
        variable = Variable(value, dtype=kind, name=name or "variable", trainable=False)
        variable.path = f"{self.name.replace('/', '>')}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: Any = None
    ) -> Variable:
        """`add_variable` under its old name."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Collect a batch; to be written by subclasses."""
        raise ArgumentError(
            f"Metric {type(self).__name__} must define `update_state(self, y_true, y_pred, sample_weight=None)`."
        )

    def result(self) -> Any:
        """The number so far; to be written by subclasses."""
        raise ArgumentError(f"Metric {type(self).__name__} must define `result(self)`.")

    def reset_state(self) -> None:
        """Forget everything."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Collect a batch, and give the number so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """A metric from what `get_config` gave, without its state."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
