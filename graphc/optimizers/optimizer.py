"""The base of all optimizers: learning rate, slots, clipping, weight decay, averages and the order of a step.

An update is arithmetic with functions of `graphc.ops` and `Variable.assign`, so it runs at once on arrays, and emits
its part of the train step while that is traced.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from graphc import initializers
from graphc.errors import ArgumentError, did_you_mean
from graphc.naming import auto_name, snake_case
from graphc.ops import functional as ops
from graphc.ops.functional.tracing import current_tracer, untraced
from graphc.ops.functional.variable import Variable
from graphc.optimizers import schedules
from graphc.optimizers.arguments import fraction, optional_count, optional_number
from graphc.optimizers.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from graphc.optimizers.learning_rate import CalledRate, check_learning_rate, is_rate_function, rate_config
from graphc.optimizers.schedules import LearningRateSchedule


class Optimizer:
    """Changes variables by their gradients. Subclasses make slots in ``build`` and write ``update_step``.

    A step does, in this order (Keras's): unscale the gradients, clip them, decay the weights, update each variable,
    update the averages, apply constraints, count.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments that gives a number.
        weight_decay: each step takes ``weight_decay * learning_rate`` times the value off every variable.
        clipnorm: the largest norm of the gradient of one variable.
        clipvalue: the largest size of an element of a gradient.
        global_clipnorm: the largest norm of all gradients together.
        use_ema: whether a running mean of every variable is kept; `finalize_variable_values` puts it in their place.
        ema_momentum: how much of the old mean each step keeps.
        ema_overwrite_frequency: after how many steps the variables become their means.
        loss_scale_factor: what the loss is multiplied by (`scale_loss`), and the gradients are divided by.
        gradient_accumulation_steps: how many steps collect gradients for one update by their mean.
        name: the first part of the variables' paths.

    Raises:
        ArgumentError: an unknown or senseless argument.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            unknown = next(iter(kwargs))
            raise ArgumentError(
                f"Argument(s) not recognized by {type(self).__name__}: {kwargs}.{did_you_mean(unknown, _COMMON)}"
            )
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        if sum(c is not None for c in clips.values()) > 1:
            given = ", ".join(f"{k}={v}" for k, v in clips.items())
            raise ArgumentError(f"Only one of {', '.join(f'`{k}`' for k in clips)} can be set. Received: {given}")
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.weight_decay = optional_number("weight_decay", weight_decay, zero=True)
        self.clipnorm = optional_number("clipnorm", clipnorm)
        self.clipvalue = optional_number("clipvalue", clipvalue)
        self.global_clipnorm = optional_number("global_clipnorm", global_clipnorm)
        self.use_ema = bool(use_ema)
        self.ema_momentum = fraction("ema_momentum", ema_momentum)
        self.ema_overwrite_frequency = optional_count("ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.loss_scale_factor = optional_number("loss_scale_factor", loss_scale_factor)
        self.gradient_accumulation_steps = optional_count("gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._indices: dict[int, int] = {}
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._undecayed: set[int] = set()
        self._undecayed_names: re.Pattern[str] | None = None
        self._scalars: dict[Any, Any] | None = None
        self._iterations = self.add_variable((), dtype="int32", name="iteration")
        self._learning_rate = self._rate_source(learning_rate)

    # -- variables ----------------------------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """Counter, learning rate, averages, accumulators and slots, in the order of Keras's files."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """How many updates were made."""
        if self.gradient_accumulation_steps is None:
            return self._iterations
        return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Make a variable of the optimizer's own."""
        with untraced():  # it has a value now, whatever is being traced
            value = initializers.get(initializer)(tuple(shape), dtype=dtype or "float32")
        variable = Variable(value, dtype=dtype or "float32", name=name or "variable", trainable=False)
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str = "var", initializer: Any = "zeros"
    ) -> Variable:
        """Make a variable like one of the model's: a slot."""
        own = f"{reference_variable.path.replace('/', '_')}_{name}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, own)

    def add_optimizer_variables(self, variables: Iterable[Variable], name: Any, initializer: Any = "zeros") -> Any:
        """Make a slot for each variable: a list; for a list of names, interleaved slots in as many lists.

        Args:
            variables: the variables.
            name: of the slots; or several names.
            initializer: of the slots; or one for each name.
        """
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in variables]
        starts = list(initializer) if isinstance(initializer, list | tuple) else [initializer] * len(name)
        slots: tuple[list[Variable], ...] = tuple([] for _ in name)
        for variable in variables:
            for column, own, start in zip(slots, name, starts, strict=True):
                column.append(self.add_variable_from_reference(variable, own, start))
        return slots

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots of these variables; an optimizer is built once."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._indices = {id(v): i for i, v in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps is not None:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self.built = True

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of a variable among those that the optimizer was built for: that of its slots."""
        return self._indices[id(variable)]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all variables from arrays in the order of `variables`. Either all are set or none.

        Raises:
            ArgumentError: the optimizer has no slots yet, or another number or shape of arrays.
        """
        if not self.built:
            raise ArgumentError(
                f"Optimizer {self.name!r} has no slots yet: call `optimizer.build(model.trainable_variables)` first."
            )
        arrays = [np.asarray(w) for w in weights]
        shapes, own = [a.shape for a in arrays], [v.shape for v in self._variables]
        if shapes != own:
            raise ArgumentError(f"Optimizer {self.name!r} has {len(own)} variables of shapes {own}; got {shapes}.")
        for variable, array in zip(self._variables, arrays, strict=True):
            variable.assign(array)

    # -- learning rate ------------------------------------------------------------------------------------------------

    def _rate_source(self, learning_rate: Any) -> Any:
        """A variable for a number, a schedule as it is, a `CalledRate` for a function."""
        if isinstance(learning_rate, LearningRateSchedule):
            return learning_rate
        if is_rate_function(learning_rate):
            return CalledRate(learning_rate, f"{self.name}/learning_rate")
        rate = check_learning_rate(learning_rate)
        return self.add_variable((), initializers.Constant(rate), name="learning_rate")

    @property
    def learning_rate(self) -> Any:
        """The rate of the next step: a variable that can be set, or what the schedule or function gives."""
        source = self._learning_rate
        if isinstance(source, LearningRateSchedule):
            return source(self._iterations)
        return source.function() if isinstance(source, CalledRate) else source

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        if isinstance(learning_rate, LearningRateSchedule) or is_rate_function(learning_rate):
            self._replace_source(learning_rate)
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(np.float32(check_learning_rate(learning_rate)))
        else:
            raise ArgumentError(
                f"Optimizer {self.name!r} was created with a learning rate schedule or function, hence its learning "
                "rate is not settable. Create it with a number to be able to set it."
            )

    def _replace_source(self, learning_rate: Any) -> None:
        if self.built:
            raise ArgumentError(
                f"Optimizer {self.name!r} is in use: its learning rate can be set to another number, but not to a "
                "schedule or function. Compile the model again with a new optimizer."
            )
        self._variables = [v for v in self._variables if v is not self._learning_rate]
        self._learning_rate = self._rate_source(learning_rate)

    def refresh_learning_rate(self) -> None:
        """Call a learning rate that is a function; a loop over compiled steps does so before each of them."""
        if isinstance(self._learning_rate, CalledRate):
            self._learning_rate.refresh()

    def _rate_of_step(self) -> Any:
        source = self._learning_rate
        if isinstance(source, LearningRateSchedule):
            return source(self._iterations)
        if not isinstance(source, CalledRate):
            return source
        source.refresh()
        return source.variable

    # -- a step -------------------------------------------------------------------------------------------------------

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable and its slots; to be written by subclasses."""
        raise ArgumentError(
            f"Optimizer {type(self).__name__} must define `update_step(self, gradient, variable, learning_rate)`."
        )

    def begin_update(self) -> None:
        """Update what all variables share; called once a step, before `update_step` of any variable."""

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """One step with pairs of a gradient and its variable.

        Returns:
            The counter of steps.
        """
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        """One step.

        Args:
            grads: a gradient for each variable; None where there is none: such a variable stays as it is.
            trainable_variables: the variables, for which the first call builds the optimizer; by default those that it
                was built for.

        Raises:
            ArgumentError: numbers do not match, a variable is new to the optimizer, or there is no gradient at all.
        """
        gradients = list(grads)
        if not gradients:
            return
        variables = self._known(gradients, trainable_variables)
        used = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        self._warn_without_gradient([v.path for g, v in zip(gradients, variables, strict=True) if g is None])
        if not used:
            raise ArgumentError("No gradients provided for any variable: the loss does not depend on any of them.")
        gradients, variables = [g for g, _ in used], [v for _, v in used]
        if self.loss_scale_factor is not None:
            gradients = [ops.divide(g, self.loss_scale_factor) for g in gradients]
        with self._one_step():
            if self.gradient_accumulation_steps is None:
                self._update(gradients, variables)
            else:
                self._accumulate(gradients, variables, self.gradient_accumulation_steps)
            if self.use_ema:
                self._update_averages()
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable))
            self._iterations.assign(self._next_iteration())

    def _known(self, gradients: Sequence[Any], given: Iterable[Variable] | None) -> list[Variable]:
        if given is None:
            if not self.built:
                raise ArgumentError(
                    "When passing `grads` without `variables`, the optimizer must already be built on a list of "
                    "variables. Call `optimizer.build(trainable_variables)` first."
                )
            variables = self._trainable_variables
        else:
            variables = list(given)
            self.build(variables)
        if len(gradients) != len(variables):
            raise ArgumentError(f"Got {len(gradients)} gradients for {len(variables)} variables.")
        for variable in variables:
            if id(variable) not in self._indices:
                raise ArgumentError(
                    f"Unknown variable {variable.path!r}: this optimizer can only be called for the variables it was "
                    "built with. Create a new optimizer (compile the model again) for new variables."
                )
        return variables

    def _warn_without_gradient(self, paths: Sequence[str]) -> None:
        if paths:
            warnings.warn(
                f"Gradients do not exist for variables {list(paths)} when minimizing the loss: it does not depend on "
                "them. They stay as they are.",
                stacklevel=3,
            )

    @contextmanager
    def _one_step(self) -> Iterator[None]:
        self._scalars = {}
        try:
            yield
        finally:
            self._scalars = None

    def shared(self, name: str, compute: Callable[[], Any], *of: Any) -> Any:
        """A number that all variables of a step share: computed once for the same name and arguments.

        Args:
            name: what it is.
            compute: gives it.
            of: what it depends on besides the step: compared by identity.
        """
        if self._scalars is None:
            return compute()
        key = (name, *map(id, of))
        if key not in self._scalars:
            self._scalars[key] = (compute(), of)  # an id stands for its object only as long as that is kept
        return self._scalars[key][0]

    def _next_iteration(self) -> Any:
        return self.shared("next iteration", lambda: ops.add(self._iterations, 1))

    def step_number(self, dtype: str, offset: int = 1) -> Any:
        """The number of this update, counted from 1 (or from ``offset``), in a float dtype."""

        def compute() -> Any:
            if offset == 1 and self.gradient_accumulation_steps is None:
                return ops.cast(self._next_iteration(), dtype)
            return ops.cast(ops.add(self.iterations, offset), dtype)

        return self.shared(f"step number {dtype} {offset}", compute)

    def _update(self, gradients: Sequence[Any], variables: Sequence[Variable]) -> None:
        rate = self._rate_of_step()
        gradients = self._clip(gradients)
        self._decay(variables, rate)
        self.begin_update()
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(ops.cast(gradient, variable.dtype), variable, ops.cast(rate, variable.dtype))

    def _clip(self, gradients: Sequence[Any]) -> Sequence[Any]:
        if self.clipvalue is not None:
            return clip_by_value(gradients, self.clipvalue)
        if self.clipnorm is not None:
            return clip_by_norm(gradients, self.clipnorm)
        if self.global_clipnorm is not None:
            return clip_by_global_norm(gradients, self.global_clipnorm)
        return gradients

    def _decay(self, variables: Sequence[Variable], rate: Any) -> None:
        if self.weight_decay is None:
            return
        share = ops.multiply(rate, self.weight_decay)
        for variable in variables:
            if self._decays(variable):
                variable.assign(ops.subtract(variable, ops.multiply(variable, ops.cast(share, variable.dtype))))

    def _decays(self, variable: Variable) -> bool:
        named = self._undecayed_names is not None and self._undecayed_names.search(variable.name)
        return id(variable) not in self._undecayed and not named

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave variables out of weight decay.

        Args:
            var_list: variables.
            var_names: parts of names, such as "bias".

        Raises:
            ArgumentError: the optimizer is built already.
        """
        if self.built:
            raise ArgumentError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        self._undecayed = {id(v) for v in var_list or ()}
        self._undecayed_names = re.compile("|".join(map(re.escape, var_names))) if var_names else None

    def _accumulate(self, gradients: Sequence[Any], variables: Sequence[Variable], steps: int) -> None:
        """Add to the accumulators, and update by their mean at every ``steps``-th step.

        The graph of a step has no branches: it always computes the update, and keeps the old values if it is not due.
        """
        due = ops.equal(ops.mod(self._next_iteration(), steps), 0)
        slots = [self._accumulators[self._get_variable_index(v)] for v in variables]
        sums = [ops.add(slot, gradient) for slot, gradient in zip(slots, gradients, strict=True)]
        if current_tracer() is None and not due:
            for slot, total in zip(slots, sums, strict=True):
                slot.assign(total)
            return
        touched = [*variables, *(v for v in self._variables if v is not self._iterations)]
        before = [v.value for v in touched] if current_tracer() is not None else []
        self._update([ops.divide(total, float(steps)) for total in sums], variables)
        for variable, old in zip(touched, before, strict=False):  # nothing to keep outside of a trace
            if variable.value.value is not old.value:
                variable.assign(ops.where(due, variable, old))
        for slot, total in zip(slots, sums, strict=True):
            slot.assign(ops.where(due, ops.zeros_like(total), total))

    def _update_averages(self) -> None:
        # The first step's mean is the variable itself.
        momentum = ops.where(ops.equal(self.iterations, 0), 0.0, self.ema_momentum)
        rest = ops.subtract(1.0, momentum)
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            keep, take = ops.cast(momentum, variable.dtype), ops.cast(rest, variable.dtype)
            average.assign(ops.add(ops.multiply(keep, average), ops.multiply(take, variable)))
        if self.ema_overwrite_frequency is not None:
            due = ops.equal(ops.mod(ops.add(self.iterations, 1), self.ema_overwrite_frequency), 0)
            for variable, average in zip(self._trainable_variables, self._averages, strict=True):
                variable.assign(ops.where(due, average, variable))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Put the running means in the place of the variables, at the end of training; without ``use_ema`` do nothing.

        Raises:
            ArgumentError: these are not the variables that the optimizer was built for.
        """
        if not self.use_ema:
            return
        for variable in var_list:
            if id(variable) not in self._indices:
                raise ArgumentError(f"Unknown variable {variable.path!r}: the optimizer keeps no running mean of it.")
            variable.assign(self._averages[self._get_variable_index(variable)].array)

    def scale_loss(self, loss: Any) -> Any:
        """The loss that gradients must be taken of: times ``loss_scale_factor``."""
        return loss if self.loss_scale_factor is None else ops.multiply(loss, self.loss_scale_factor)

    # -- Keras's names for what a variable does itself ----------------------------------------------------------------

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign(ops.add(variable, value))

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign(ops.subtract(variable, value))

    # -- configuration ------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs. The learning rate is the float32 that it is now.

        Raises:
            ArgumentError: the learning rate is a lambda.
        """
        return {
            "name": self.name,
            "learning_rate": rate_config(self._learning_rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Optimizer:
        """An optimizer from what `get_config` gave, without its state."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"], custom_objects)
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


_COMMON = ("learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
           "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "name")  # fmt: skip
