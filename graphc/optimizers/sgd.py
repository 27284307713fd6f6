"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ops import functional as ops
from graphc.ops.functional.variable import Variable
from graphc.optimizers.arguments import fraction
from graphc.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """``w -= learning_rate * g``; with momentum ``v = momentum * v - learning_rate * g`` and ``w += v``.

    With ``nesterov``, ``w += momentum * v - learning_rate * g`` for the new ``v`` (Sutskever et al. 2013).

    Args:
        learning_rate: the rate.
        momentum: between 0 and 1.
        nesterov: whether the momentum looks ahead.
        common: see `Optimizer`.

    Raises:
        ArgumentError: ``momentum`` is not between 0 and 1.
    """

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **common: Any) -> None:
        super().__init__(learning_rate, **common)
        self.momentum = fraction("momentum", momentum)
        self.nesterov = nesterov
        self.momentums: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the velocities, if there is momentum."""
        if self.built:
            return
        super().build(variables)
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        step = ops.multiply(gradient, learning_rate)
        if not self.momentum:
            variable.assign(ops.subtract(variable, step))
            return
        velocity = self.momentums[self._get_variable_index(variable)]
        velocity.assign(ops.subtract(ops.multiply(velocity, self.momentum), step))
        move = ops.subtract(ops.multiply(velocity, self.momentum), step) if self.nesterov else velocity
        variable.assign(ops.add(variable, move))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
