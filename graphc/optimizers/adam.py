"""Adam and AdamW: momentum and running size of the gradients, both corrected for their start at zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.ops import functional as ops
from graphc.ops.functional.variable import Variable
from graphc.optimizers.arguments import fraction
from graphc.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """``m += (g - m) * (1 - beta_1)``, ``v += (g**2 - v) * (1 - beta_2)``, ``w -= rate * m / (sqrt(v) + epsilon)``.

    ``rate`` is ``learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t)`` in step ``t``: the form without hats at the
    end of section 2 of "Adam: A Method for Stochastic Optimization" (Kingma and Ba 2014).

    Args:
        learning_rate: the rate.
        beta_1: how much of the old mean each step keeps.
        beta_2: how much of the old mean square each step keeps.
        epsilon: keeps the quotient finite ("epsilon hat" of the paper).
        amsgrad: whether the largest mean square so far divides (Reddi et al. 2018).
        common: see `Optimizer`.

    Raises:
        ArgumentError: a beta is not between 0 and 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1, self.beta_2 = fraction("beta_1", beta_1), fraction("beta_2", beta_2)
        self.epsilon, self.amsgrad = epsilon, amsgrad
        self._momentums: list[Variable] = []
        self._velocities: list[Variable] = []
        self._velocity_hats: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make means and mean squares, and for ``amsgrad`` the largest of these."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        index, dtype = self._get_variable_index(variable), variable.dtype
        rate = self.shared(f"rate {dtype}", lambda: self._corrected(learning_rate, dtype), learning_rate)
        m, v = self._momentums[index], self._velocities[index]
        m.assign(ops.add(m, ops.multiply(ops.subtract(gradient, m), 1 - self.beta_1)))
        v.assign(ops.add(v, ops.multiply(ops.subtract(ops.square(gradient), v), 1 - self.beta_2)))
        if self.amsgrad:
            largest = self._velocity_hats[index]
            largest.assign(ops.maximum(largest, v))
            v = largest
        step = ops.divide(ops.multiply(m, rate), ops.add(ops.sqrt(v), self.epsilon))
        variable.assign(ops.subtract(variable, step))

    def _corrected(self, learning_rate: Any, dtype: str) -> Any:
        t = self.step_number(dtype)
        size = ops.sqrt(ops.subtract(1.0, ops.power(ops.cast(self.beta_2, dtype), t)))
        mean = ops.subtract(1.0, ops.power(ops.cast(self.beta_1, dtype), t))
        return ops.divide(ops.multiply(learning_rate, size), mean)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}
        return {**super().get_config(), **own}


class AdamW(Adam):
    """Adam with weight decay that does not pass through the running means (Loshchilov and Hutter 2017).

    Raises:
        ArgumentError: ``weight_decay`` is None; use Adam for that.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        if weight_decay is None:
            raise ArgumentError("Argument `weight_decay` must be a float. Received: weight_decay=None")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **common)
