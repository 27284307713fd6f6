"""Adamax and Nadam: Adam with another measure of size, and with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ops import functional as ops
from graphc.ops.functional.variable import Variable
from graphc.optimizers.arguments import fraction
from graphc.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """``m += (g - m) * (1 - beta_1)``, ``u = max(beta_2 * u, |g|)``, ``w -= rate * m / (u + epsilon)``.

    ``rate`` is ``learning_rate / (1 - beta_1**t)`` in step ``t`` (section 7.1 of Kingma and Ba 2014).

    Args:
        learning_rate: the rate.
        beta_1: how much of the old mean each step keeps.
        beta_2: how much of the old size each step keeps.
        epsilon: keeps the quotient finite.
        common: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1, self.beta_2, self.epsilon = fraction("beta_1", beta_1), fraction("beta_2", beta_2), epsilon
        self._m: list[Variable] = []
        self._u: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make means and sizes."""
        if self.built:
            return
        super().build(variables)
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        index, dtype = self._get_variable_index(variable), variable.dtype

        def corrected() -> Any:
            power = ops.power(ops.cast(self.beta_1, dtype), self.step_number(dtype))
            return ops.divide(learning_rate, ops.subtract(1.0, power))

        rate = self.shared(f"rate {dtype}", corrected, learning_rate)
        m, u = self._m[index], self._u[index]
        m.assign(ops.add(m, ops.multiply(ops.subtract(gradient, m), 1 - self.beta_1)))
        u.assign(ops.maximum(ops.multiply(u, self.beta_2), ops.absolute(gradient)))
        variable.assign(ops.subtract(variable, ops.divide(ops.multiply(m, rate), ops.add(u, self.epsilon))))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Nadam(Optimizer):
    """Adam with Nesterov's momentum, which grows with the steps (Dozat 2015).

    The momentum of step ``t`` is ``beta_1 * (1 - 0.96**t / 2)``; the mean is corrected by the product of all of them.

    Args:
        learning_rate: the rate.
        beta_1: how much of the old mean each step keeps.
        beta_2: how much of the old mean square each step keeps.
        epsilon: keeps the quotient finite.
        common: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1, self.beta_2, self.epsilon = fraction("beta_1", beta_1), fraction("beta_2", beta_2), epsilon
        self._momentums: list[Variable] = []
        self._velocities: list[Variable] = []
        self._product: Variable | None = None

    def build(self, variables: Sequence[Variable]) -> None:
        """Make means, mean squares, and the product of the momenta so far."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        dtype = variables[0].dtype if variables else "float32"
        self._product = self.add_variable((), "ones", dtype, "u_product")

    def _momentum_at(self, dtype: str, offset: int) -> Any:
        def compute() -> Any:
            power = ops.power(ops.cast(0.96, dtype), self.step_number(dtype, offset))
            return ops.multiply(self.beta_1, ops.subtract(1.0, ops.multiply(0.5, power)))

        return self.shared(f"momentum {dtype} {offset}", compute)

    def begin_update(self) -> None:
        """Bring the product of the momenta up to this step."""
        assert self._product is not None
        self._product.assign(ops.multiply(self._product, self._momentum_at(self._product.dtype, 1)))

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable."""
        index, dtype = self._get_variable_index(variable), variable.dtype
        of_mean, of_gradient, root = self.shared(
            f"factors {dtype}", lambda: self._factors(learning_rate, dtype), learning_rate
        )
        m, v = self._momentums[index], self._velocities[index]
        m.assign(ops.add(m, ops.multiply(ops.subtract(gradient, m), 1 - self.beta_1)))
        v.assign(ops.add(v, ops.multiply(ops.subtract(ops.square(gradient), v), 1 - self.beta_2)))
        step = ops.add(ops.multiply(m, of_mean), ops.multiply(gradient, of_gradient))
        size = ops.add(ops.sqrt(ops.divide(v, root)), self.epsilon)
        variable.assign(ops.subtract(variable, ops.divide(step, size)))

    def _factors(self, learning_rate: Any, dtype: str) -> tuple[Any, Any, Any]:
        """What mean, gradient and mean square are multiplied, multiplied and divided by."""
        now, following = self._momentum_at(dtype, 1), self._momentum_at(dtype, 2)
        product = ops.cast(self._product, dtype)
        of_mean = ops.divide(following, ops.subtract(1.0, ops.multiply(product, following)))
        of_gradient = ops.divide(ops.subtract(1.0, now), ops.subtract(1.0, product))
        power = ops.power(ops.cast(self.beta_2, dtype), self.step_number(dtype))
        corrected = ops.subtract(1.0, power)
        return ops.multiply(of_mean, learning_rate), ops.multiply(of_gradient, learning_rate), corrected

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
