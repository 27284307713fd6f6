"""Learning rates that change with the number of steps. Each is a function of the step, computed in the train step."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.object_table import ObjectTable
from graphc.ops import functional as ops
from graphc.optimizers.arguments import is_number


class LearningRateSchedule:
    """A learning rate as a function of the step. Subclasses write ``__call__(step)`` with functions of `graphc.ops`."""

    def __call__(self, step: Any) -> Any:
        """The rate at a step, counted from 0."""
        raise ArgumentError(f"Learning rate schedule {type(self).__name__} must define `__call__(self, step)`.")

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        raise ArgumentError(f"Learning rate schedule {type(self).__name__} must define `get_config()` to be saved.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """A schedule from what `get_config` gave."""
        return cls(**config)


def _number(value: Any) -> float:
    """A plain number, as files hold it; NaN for everything else."""
    if not is_number(value):
        return math.nan
    return value.item() if isinstance(value, np.generic) else value  # type: ignore[no-any-return]


def _positive(name: str, value: float) -> float:
    number = _number(value)
    if not 0 < number < math.inf:
        raise ArgumentError(f"Argument `{name}` must be > 0. Received: {name}={value!r}")
    return number


def _rate(name: str, value: float) -> float:
    number = _number(value)
    if not 0 <= number < math.inf:
        raise ArgumentError(f"Argument `{name}` must be a number of at least 0. Received: {name}={value!r}")
    return number


def _float_step(step: Any) -> Any:
    return ops.cast(step, "float32")


class _Decay(LearningRateSchedule):
    """What falls with ``step / decay_steps``, continuously or in steps of ``decay_steps``."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool, name: str
    ) -> None:
        self.initial_learning_rate = _rate("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def _periods(self, step: Any) -> Any:
        periods = ops.divide(_float_step(step), float(self.decay_steps))
        return ops.floor(periods) if self.staircase else periods

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class ExponentialDecay(_Decay):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: after so many steps the rate is multiplied by ``decay_rate``.
        decay_rate: the factor.
        staircase: whether it falls in steps rather than continuously.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        periods = self._periods(step)
        return ops.multiply(self.initial_learning_rate, ops.power(ops.cast(self.decay_rate, "float32"), periods))


class InverseTimeDecay(_Decay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the unit of time.
        decay_rate: how fast the rate falls.
        staircase: whether it falls in steps rather than continuously.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        slowed = ops.add(1.0, ops.multiply(self.decay_rate, self._periods(step)))
        return ops.divide(self.initial_learning_rate, slowed)


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[0]`` up to and at step ``boundaries[0]``, then ``values[1]`` up to and at ``boundaries[1]``, and so on.

    Args:
        boundaries: steps in rising order.
        values: one more than there are boundaries.
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1 or not boundaries:
            raise ArgumentError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length {len(values)}."
            )
        if any(a >= b for a, b in itertools.pairwise(boundaries)):
            raise ArgumentError(f"PiecewiseConstantDecay: `boundaries` must rise; got {list(boundaries)}.")
        self.boundaries = list(boundaries)
        self.values = [_rate("values", v) for v in values]
        self.name = name

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        rate: Any = ops.cast(self.values[-1], "float32")
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            # Steps are compared as integers: float32 cannot count beyond 2**24.
            rate = ops.where(ops.less_equal(step, int(boundary)), value, rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class PolynomialDecay(LearningRateSchedule):
    """From ``initial_learning_rate`` to ``end_learning_rate`` in ``decay_steps``, along ``(1 - step / steps)**power``.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: how long the decay takes.
        end_learning_rate: the rate afterwards.
        power: 1 is a straight line.
        cycle: whether it starts again, each time stretched to the next multiple of ``decay_steps``.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = _rate("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.end_learning_rate = _rate("end_learning_rate", end_learning_rate)
        self.power, self.cycle, self.name = power, cycle, name

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step, steps = _float_step(step), float(self.decay_steps)
        if self.cycle:
            # At step 0 there is one cycle too, though 0 / steps rounds up to none.
            cycles = ops.maximum(ops.ceil(ops.divide(step, steps)), 1.0)
            fraction = ops.divide(step, ops.multiply(cycles, steps))
        else:
            fraction = ops.divide(ops.minimum(step, steps), steps)
        span = self.initial_learning_rate - self.end_learning_rate
        left = ops.power(ops.subtract(1.0, fraction), float(self.power))
        return ops.add(ops.multiply(span, left), self.end_learning_rate)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class CosineDecay(LearningRateSchedule):
    """Half a cosine wave from the first rate to ``alpha`` times it, after an optional linear warm-up.

    "SGDR: Stochastic Gradient Descent with Warm Restarts" (Loshchilov and Hutter 2016).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: how long the decay takes.
        alpha: the fraction of the rate that is left at the end.
        warmup_target: the rate that the warm-up climbs to and the decay starts from; None for no warm-up.
        warmup_steps: how long the warm-up takes, before the decay.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = _rate("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.alpha, self.name = alpha, name
        self.warmup_target = warmup_target if warmup_target is None else _rate("warmup_target", warmup_target)
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step = _float_step(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        after = self._decayed(ops.subtract(step, float(self.warmup_steps)), self.warmup_target)
        if not self.warmup_steps:
            return after
        climb = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        before = ops.add(ops.multiply(climb, step), self.initial_learning_rate)
        return ops.where(ops.less(step, float(self.warmup_steps)), before, after)

    def _decayed(self, step: Any, start: float) -> Any:
        fraction = ops.divide(ops.minimum(step, float(self.decay_steps)), float(self.decay_steps))
        wave = ops.multiply(0.5, ops.add(1.0, ops.cos(ops.multiply(math.pi, fraction))))
        return ops.multiply(start, ops.add(ops.multiply(1.0 - self.alpha, wave), self.alpha))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosine waves one after another, each ``t_mul`` times as long and ``m_mul`` times as high as the one before.

    "SGDR: Stochastic Gradient Descent with Warm Restarts" (Loshchilov and Hutter 2016).

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: the length of the first wave.
        t_mul: how much longer the next wave is.
        m_mul: how much higher it starts.
        alpha: the fraction of the rate that is left at the end of a wave.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = _rate("initial_learning_rate", initial_learning_rate)
        self.first_decay_steps = _positive("first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul = _positive("t_mul", t_mul), m_mul
        self.alpha, self.name = alpha, name

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        waves, fraction = self._place(ops.divide(_float_step(step), float(self.first_decay_steps)))
        height = ops.power(ops.cast(self.m_mul, "float32"), waves)
        wave = ops.multiply(ops.multiply(0.5, height), ops.add(1.0, ops.cos(ops.multiply(math.pi, fraction))))
        return ops.multiply(self.initial_learning_rate, ops.add(ops.multiply(1.0 - self.alpha, wave), self.alpha))

    def _place(self, time: Any) -> tuple[Any, Any]:
        """How many waves are over, and the fraction of the present one, at a time in units of the first wave."""
        if self.t_mul == 1.0:
            waves = ops.floor(time)
            return waves, ops.subtract(time, waves)
        # n waves take (1 - t_mul**n) / (1 - t_mul).
        ratio = ops.cast(self.t_mul, "float32")
        grown = ops.subtract(1.0, ops.multiply(time, 1.0 - self.t_mul))
        # A little is added because the quotient may round to just below the number of a wave at its very start.
        waves = ops.floor(ops.add(ops.divide(ops.log(grown), math.log(self.t_mul)), 1e-5))
        length = ops.power(ratio, waves)
        over = ops.divide(ops.subtract(1.0, length), 1.0 - self.t_mul)
        return waves, ops.divide(ops.subtract(time, over), length)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


_TABLE = ObjectTable(
    "learning rate schedule",
    "keras.optimizers.schedules",
    classes=(
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
        CosineDecay,
        CosineDecayRestarts,
    ),
)


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """The configuration of a schedule, as Keras writes it."""
    return _TABLE.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> LearningRateSchedule:
    """A schedule from what `serialize` gave.

    Raises:
        ArgumentError: it is malformed or unknown.
    """
    found: LearningRateSchedule = _TABLE.deserialize(config, custom_objects)
    return found
