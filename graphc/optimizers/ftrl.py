"""Follow the regularised leader: sparse weights for models with very many inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc import initializers
from graphc.errors import ArgumentError
from graphc.ops import functional as ops
from graphc.ops.functional.variable import Variable
from graphc.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """FTRL-Proximal ("Ad Click Prediction: a View from the Trenches", McMahan et al. 2013).

    With ``p = -learning_rate_power``, ``n' = n + g**2`` and ``s = (n'**p - n**p) / learning_rate``:
    ``z += g - s * w``, and ``w = (clip(z, -l1, l1) - z) / (n'**p / learning_rate + 2 * l2)``.

    Args:
        learning_rate: the rate.
        learning_rate_power: at most 0; the rate falls with ``n`` to this power.
        initial_accumulator_value: where ``n`` starts; at least 0.
        l1_regularization_strength: pulls weights to zero.
        l2_regularization_strength: shrinks weights.
        l2_shrinkage_regularization_strength: is added to the gradient as ``2 * strength * w``.
        beta: is added to ``l2`` as ``beta / (2 * learning_rate)``.
        common: see `Optimizer`.

    Raises:
        ArgumentError: an argument is out of its range.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        if not learning_rate_power <= 0:
            raise ArgumentError(f"`learning_rate_power` must be at most 0; got {learning_rate_power!r}.")
        strengths = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for name, value in strengths.items():
            if not value >= 0:
                raise ArgumentError(f"`{name}` must be at least 0; got {value!r}.")
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        self._squares: list[Variable] = []
        self._linears: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the sums of squares and the linear terms."""
        if self.built:
            return
        super().build(variables)
        starts = [initializers.Constant(self.initial_accumulator_value), "zeros"]
        self._squares, self._linears = self.add_optimizer_variables(variables, ["accumulator", "linear"], starts)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        index = self._get_variable_index(variable)
        squares, linear = self._squares[index], self._linears[index]
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        total = ops.add(squares, ops.square(gradient))
        grown = ops.power(total, power)
        sigma = ops.divide(ops.subtract(grown, ops.power(squares, power)), learning_rate)
        if self.l2_shrinkage_regularization_strength:
            shrinkage = ops.multiply(2.0 * self.l2_shrinkage_regularization_strength, variable)
            gradient = ops.add(gradient, shrinkage)
        linear.assign(ops.add(linear, ops.subtract(gradient, ops.multiply(sigma, variable))))
        quadratic = ops.divide(grown, learning_rate)
        if self.l2_regularization_strength or self.beta:
            l2 = ops.add(self.l2_regularization_strength, ops.divide(self.beta / 2.0, learning_rate))
            quadratic = ops.add(quadratic, ops.multiply(2.0, l2))
        within = ops.clip(linear, -l1, l1)
        variable.assign(ops.divide(ops.subtract(within, linear), quadratic))
        squares.assign(total)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
