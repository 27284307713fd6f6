"""RMSprop: gradients divided by their running size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ops import functional as ops
from graphc.ops.functional.variable import Variable
from graphc.optimizers.arguments import fraction
from graphc.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """``a = rho * a + (1 - rho) * g**2`` and ``w -= learning_rate * g / sqrt(a + epsilon)``.

    From lecture 6e of "Neural Networks for Machine Learning" (Hinton 2012); ``epsilon`` is inside the root, as in
    Keras.

    Args:
        learning_rate: the rate.
        rho: how much of the old mean square each step keeps.
        momentum: above 0, the steps are collected with this factor, and the variable moves by their sum.
        epsilon: keeps the root from zero.
        centered: whether the mean square is reduced by the square of the mean: the variance.
        common: see `Optimizer`.

    Raises:
        ArgumentError: ``rho`` is not between 0 and 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho, self.momentum = fraction("rho", rho), fraction("momentum", momentum)
        self.epsilon, self.centered = epsilon, centered
        self._velocities: list[Variable] = []
        self._momentums: list[Variable] = []
        self._average_gradients: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the mean squares, and where asked for the collected steps and the means."""
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        index = self._get_variable_index(variable)
        velocity = self._velocities[index]
        velocity.assign(self._blend(velocity, ops.square(gradient)))
        denominator: Any = velocity
        if self.centered:
            average = self._average_gradients[index]
            average.assign(self._blend(average, gradient))
            denominator = ops.subtract(velocity, ops.square(average))
        root = ops.sqrt(ops.add(denominator, self.epsilon))
        step: Any = ops.divide(ops.multiply(gradient, learning_rate), root)
        if self.momentum:
            collected = self._momentums[index]
            collected.assign(ops.add(ops.multiply(collected, self.momentum), step))
            step = collected
        variable.assign(ops.subtract(variable, step))

    def _blend(self, old: Any, new: Any) -> Any:
        return ops.add(ops.multiply(old, self.rho), ops.multiply(new, 1 - self.rho))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}
