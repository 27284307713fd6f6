"""Lion: steps of one size, in the direction of the momentum's signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ops import functional as ops
from graphc.ops.functional.variable import Variable
from graphc.optimizers.arguments import fraction
from graphc.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """``w -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g)``, then ``m = beta_2 * m + (1 - beta_2) * g``.

    "Symbolic Discovery of Optimization Algorithms" (Chen et al. 2023).

    Args:
        learning_rate: the size of a step.
        beta_1: how much of the momentum decides the direction.
        beta_2: how much of the old momentum each step keeps.
        common: see `Optimizer`.
    """

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **common: Any) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1, self.beta_2 = fraction("beta_1", beta_1), fraction("beta_2", beta_2)
        self._momentums: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the momenta."""
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        m = self._momentums[self._get_variable_index(variable)]
        direction = ops.sign(_blend(m, gradient, self.beta_1))
        variable.assign(ops.subtract(variable, ops.multiply(direction, learning_rate)))
        m.assign(_blend(m, gradient, self.beta_2))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}


def _blend(old: Any, new: Any, keep: float) -> Any:
    return ops.add(ops.multiply(old, keep), ops.multiply(new, 1.0 - keep))
