"""Adagrad and Adadelta: steps divided by the size of all gradients so far, or of the recent ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc import initializers
from graphc.errors import ArgumentError
from graphc.ops import functional as ops
from graphc.ops.functional.variable import Variable
from graphc.optimizers.arguments import fraction
from graphc.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """``a += g**2`` and ``w -= learning_rate * g / sqrt(a + epsilon)`` (Duchi et al. 2011).

    Args:
        learning_rate: the rate.
        initial_accumulator_value: where ``a`` starts; at least 0.
        epsilon: keeps the root from zero.
        common: see `Optimizer`.

    Raises:
        ArgumentError: ``initial_accumulator_value`` is negative.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        if not initial_accumulator_value >= 0:
            raise ArgumentError(f"`initial_accumulator_value` must be at least 0; got {initial_accumulator_value!r}.")
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon
        self._accumulators_of_squares: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the sums of squares."""
        if self.built:
            return
        super().build(variables)
        start = initializers.Constant(self.initial_accumulator_value)
        self._accumulators_of_squares = self.add_optimizer_variables(variables, "accumulator", start)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        total = self._accumulators_of_squares[self._get_variable_index(variable)]
        total.assign(ops.add(total, ops.square(gradient)))
        root = ops.sqrt(ops.add(total, self.epsilon))
        variable.assign(ops.subtract(variable, ops.divide(ops.multiply(gradient, learning_rate), root)))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adadelta(Optimizer):
    """Steps as large as recent steps were, in proportion to recent gradients (Zeiler 2012).

    ``a = rho * a + (1 - rho) * g**2``, ``d = g * rms(s) / rms(a)``, ``s = rho * s + (1 - rho) * d**2`` and
    ``w -= learning_rate * d``, with ``rms(x) = sqrt(x + epsilon)``.

    Args:
        learning_rate: the rate; 1 in the paper.
        rho: how much of the old mean squares each step keeps.
        epsilon: keeps the roots from zero.
        common: see `Optimizer`.
    """

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **common: Any) -> None:
        super().__init__(learning_rate, **common)
        self.rho, self.epsilon = fraction("rho", rho), epsilon
        self._squares: list[Variable] = []
        self._steps: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the mean squares of gradients and of steps."""
        if self.built:
            return
        super().build(variables)
        names = ["accumulated_grad", "accumulated_delta_var"]
        self._squares, self._steps = self.add_optimizer_variables(variables, names)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        index = self._get_variable_index(variable)
        squares, steps = self._squares[index], self._steps[index]
        squares.assign(self._blend(squares, ops.square(gradient)))
        step = ops.divide(ops.multiply(self._rms(steps), gradient), self._rms(squares))
        steps.assign(self._blend(steps, ops.square(step)))
        variable.assign(ops.subtract(variable, ops.multiply(step, learning_rate)))

    def _rms(self, x: Any) -> Any:
        return ops.sqrt(ops.add(x, self.epsilon))

    def _blend(self, old: Any, new: Any) -> Any:
        return ops.add(ops.multiply(old, self.rho), ops.multiply(new, 1 - self.rho))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
