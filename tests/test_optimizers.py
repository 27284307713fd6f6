"""Optimizers: formulas against plain NumPy, the order of a step, the graph that a traced step emits, arguments."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from graphc import compiler, constraints, optimizers
from graphc.errors import ArgumentError
from graphc.ir.types import TensorType
from graphc.ops import functional as ops
from graphc.ops.functional.variable import Variable
from graphc.optimizers import schedules

Array = np.ndarray[Any, Any]
STEPS = 4
SHAPES = ((3, 4), (5,))


def start_values() -> list[Array]:
    random = np.random.RandomState(1)
    return [random.uniform(-1, 1, shape).astype(np.float32) for shape in SHAPES]


def gradients(steps: int = STEPS) -> list[list[Array]]:
    random = np.random.RandomState(2)
    return [[random.uniform(-1, 1, shape).astype(np.float32) for shape in SHAPES] for _ in range(steps)]


def make_variables() -> list[Variable]:
    found = []
    for value, name in zip(start_values(), ("kernel", "bias"), strict=True):
        variable = Variable(value, name=name)
        variable.path = f"dense/{name}"
        found.append(variable)
    return found


def run_eagerly(optimizer: optimizers.Optimizer, steps: int = STEPS) -> list[Array]:
    variables = make_variables()
    for grads in gradients(steps):
        optimizer.apply(grads, variables)
    return [v.numpy() for v in variables]


def trace_step(optimizer: optimizers.Optimizer, variables: Sequence[Variable]) -> compiler.Lowered:
    def step(grads: Any) -> Any:
        optimizer.apply(grads, variables)
        return []

    types = {f"g{i}": TensorType("float32", v.shape) for i, v in enumerate(variables)}
    return compiler.lower(step, types, [None] * len(types))


def run_traced(optimizer: optimizers.Optimizer, steps: int = STEPS) -> list[Array]:
    variables = make_variables()
    executable = compiler.executable(trace_step(optimizer, variables))
    for grads in gradients(steps):
        optimizer.refresh_learning_rate()
        executable.run({f"g{i}": g for i, g in enumerate(grads)})
    return [v.numpy() for v in variables]


# -- formulas: a state is a dict of float64 arrays, `t` counts from 1 -------------------------------------------------

State = dict[str, Any]
Formula = Callable[[State, Array, Array, int], Array]


def sgd(rate: float, momentum: float = 0.0, nesterov: bool = False) -> Formula:
    def step(s: State, w: Array, g: Array, _: int) -> Array:
        s["v"] = momentum * s.get("v", 0.0) - rate * g
        return w + (momentum * s["v"] - rate * g if nesterov else s["v"])

    return step


def rmsprop(rate: float, rho: float, epsilon: float, momentum: float = 0.0, centered: bool = False) -> Formula:
    def step(s: State, w: Array, g: Array, _: int) -> Array:
        s["a"] = rho * s.get("a", 0.0) + (1 - rho) * g**2
        s["m"] = rho * s.get("m", 0.0) + (1 - rho) * g
        variance = s["a"] - s["m"] ** 2 if centered else s["a"]
        s["b"] = momentum * s.get("b", 0.0) + rate * g / np.sqrt(variance + epsilon)
        return w - s["b"]

    return step


def adam(rate: float, b1: float, b2: float, epsilon: float, amsgrad: bool = False, decay: float = 0.0) -> Formula:
    def step(s: State, w: Array, g: Array, t: int) -> Array:
        w = w - w * decay * rate
        s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
        s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g**2
        s["h"] = np.maximum(s.get("h", 0.0), s["v"])
        size = np.sqrt(s["h"] if amsgrad else s["v"])
        return w - rate * math.sqrt(1 - b2**t) / (1 - b1**t) * s["m"] / (size + epsilon)

    return step


def adamax(rate: float, b1: float, b2: float, epsilon: float) -> Formula:
    def step(s: State, w: Array, g: Array, t: int) -> Array:
        s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
        s["u"] = np.maximum(b2 * s.get("u", 0.0), np.abs(g))
        return w - rate / (1 - b1**t) * s["m"] / (s["u"] + epsilon)

    return step


def nadam(rate: float, b1: float, b2: float, epsilon: float) -> Formula:
    def mu(t: int) -> float:
        return b1 * (1 - 0.5 * 0.96**t)

    def step(s: State, w: Array, g: Array, t: int) -> Array:
        product = math.prod(mu(i) for i in range(1, t + 1))
        s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
        s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g**2
        mean = mu(t + 1) * s["m"] / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
        return w - rate * mean / (np.sqrt(s["v"] / (1 - b2**t)) + epsilon)

    return step


def adagrad(rate: float, start: float, epsilon: float) -> Formula:
    def step(s: State, w: Array, g: Array, _: int) -> Array:
        s["a"] = s.get("a", start) + g**2
        return w - rate * g / np.sqrt(s["a"] + epsilon)

    return step


def adadelta(rate: float, rho: float, epsilon: float) -> Formula:
    def step(s: State, w: Array, g: Array, _: int) -> Array:
        s["a"] = rho * s.get("a", 0.0) + (1 - rho) * g**2
        d = g * np.sqrt(s.get("d", 0.0) + epsilon) / np.sqrt(s["a"] + epsilon)
        s["d"] = rho * s.get("d", 0.0) + (1 - rho) * d**2
        return w - rate * d

    return step


def lion(rate: float, b1: float, b2: float) -> Formula:
    def step(s: State, w: Array, g: Array, _: int) -> Array:
        w = w - rate * np.sign(b1 * s.get("m", 0.0) + (1 - b1) * g)
        s["m"] = b2 * s.get("m", 0.0) + (1 - b2) * g
        return w

    return step


def ftrl(rate: float, power: float, start: float, l1: float, l2: float, shrinkage: float, beta: float) -> Formula:
    def step(s: State, w: Array, g: Array, _: int) -> Array:
        before = s.get("n", np.full_like(w, start))
        s["n"] = before + g**2
        sigma = (s["n"] ** power - before**power) / rate
        s["z"] = s.get("z", 0.0) + (g + 2 * shrinkage * w) - sigma * w
        quadratic = s["n"] ** power / rate + 2 * (l2 + beta / (2 * rate))
        return np.where(np.abs(s["z"]) <= l1, 0.0, -(s["z"] - np.sign(s["z"]) * l1) / quadratic)

    return step


FORMULAS: dict[str, tuple[Callable[[], optimizers.Optimizer], Formula]] = {
    "sgd": (lambda: optimizers.SGD(0.1), sgd(0.1)),
    "sgd-momentum": (lambda: optimizers.SGD(0.1, 0.9), sgd(0.1, 0.9)),
    "sgd-nesterov": (lambda: optimizers.SGD(0.1, 0.8, nesterov=True), sgd(0.1, 0.8, True)),
    "rmsprop": (lambda: optimizers.RMSprop(0.01), rmsprop(0.01, 0.9, 1e-7)),
    "rmsprop-all": (
        lambda: optimizers.RMSprop(0.01, rho=0.7, momentum=0.5, epsilon=1e-3, centered=True),
        rmsprop(0.01, 0.7, 1e-3, 0.5, True),
    ),
    "adam": (lambda: optimizers.Adam(0.02), adam(0.02, 0.9, 0.999, 1e-7)),
    "adam-amsgrad": (
        lambda: optimizers.Adam(0.02, beta_1=0.7, beta_2=0.8, epsilon=1e-3, amsgrad=True),
        adam(0.02, 0.7, 0.8, 1e-3, True),
    ),
    "adamw": (lambda: optimizers.AdamW(0.02, 0.3), adam(0.02, 0.9, 0.999, 1e-7, decay=0.3)),
    "adamax": (lambda: optimizers.Adamax(0.02), adamax(0.02, 0.9, 0.999, 1e-7)),
    "nadam": (lambda: optimizers.Nadam(0.02), nadam(0.02, 0.9, 0.999, 1e-7)),
    "adagrad": (lambda: optimizers.Adagrad(0.1), adagrad(0.1, 0.1, 1e-7)),
    "adadelta": (lambda: optimizers.Adadelta(1.0), adadelta(1.0, 0.95, 1e-7)),
    "lion": (lambda: optimizers.Lion(0.02), lion(0.02, 0.9, 0.99)),
    "ftrl": (
        lambda: optimizers.Ftrl(0.1, -0.5, 0.1, 0.05, 0.02, 0.01, beta=0.3),
        ftrl(0.1, 0.5, 0.1, 0.05, 0.02, 0.01, 0.3),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_update_is_the_formula(name: str) -> None:
    make, formula = FORMULAS[name]
    expected = [w.astype(np.float64) for w in start_values()]
    states: list[State] = [{} for _ in expected]
    for t, grads in enumerate(gradients(), 1):
        pairs = zip(states, expected, grads, strict=True)
        expected = [formula(s, w, g.astype(np.float64), t) for s, w, g in pairs]
    for actual, reference in zip(run_eagerly(make()), expected, strict=True):
        np.testing.assert_allclose(actual, reference, rtol=1e-5, atol=2e-5 if name == "adam" else 1e-6)


# -- eager and traced -------------------------------------------------------------------------------------------------

COMMON: dict[str, dict[str, Any]] = {
    "weight-decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.3},
    "clipvalue": {"clipvalue": 0.2},
    "global-clipnorm": {"global_clipnorm": 0.5},
    "ema": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2},
    "loss-scale": {"loss_scale_factor": 8.0},
    "accumulation": {"gradient_accumulation_steps": 2},
    "accumulation-ema-clip": {
        "gradient_accumulation_steps": 3,
        "clipnorm": 0.3,
        "use_ema": True,
        "ema_overwrite_frequency": 2,
    },
    "schedule": {"learning_rate": schedules.ExponentialDecay(0.1, 2, 0.5)},
    "function": {"learning_rate": lambda: 0.03},
}
MAKERS: dict[str, Callable[[], optimizers.Optimizer]] = {
    **{name: make for name, (make, _) in FORMULAS.items()},
    **{f"adam/{name}": lambda config=config: optimizers.Adam(**config) for name, config in COMMON.items()},
    **{f"sgd/{name}": lambda config=config: optimizers.SGD(momentum=0.5, **config) for name, config in COMMON.items()},
    "nadam/accumulation": lambda: optimizers.Nadam(0.02, gradient_accumulation_steps=2),
    "ftrl/schedule": lambda: optimizers.Ftrl(schedules.CosineDecay(0.1, 5)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_traced_step_equals_eager_step(name: str) -> None:
    eager, traced = MAKERS[name](), MAKERS[name]()
    for ours, reference in zip(run_traced(traced, 7), run_eagerly(eager, 7), strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-5, atol=1e-7)
    assert int(traced.variables[0].array) == 7
    for ours_slot, reference_slot in zip(traced.variables, eager.variables, strict=True):
        np.testing.assert_allclose(ours_slot.array, reference_slot.array, rtol=1e-5, atol=1e-7)


def node_counts(optimizer: optimizers.Optimizer) -> tuple[Counter[int], Counter[str]]:
    """How many nodes give tensors of each rank, and how many of each op, without sources."""
    nodes = [n for n in trace_step(optimizer, make_variables()).graph.nodes() if n.inputs]
    return Counter(n.outputs[0].type.rank for n in nodes), Counter(n.op for n in nodes)


@pytest.mark.parametrize(
    ("make", "per_variable", "scalars"),
    [
        (lambda: optimizers.SGD(0.1), 2, 1),
        (lambda: optimizers.SGD(0.1, 0.9), 4, 1),
        (optimizers.RMSprop, 9, 1),
        (optimizers.Adam, 12, 9),
    ],
    ids=["sgd", "momentum", "rmsprop", "adam"],
)
def test_traced_step_is_small(make: Callable[[], optimizers.Optimizer], per_variable: int, scalars: int) -> None:
    ranks, ops_found = node_counts(make())
    assert ranks[2] == per_variable
    assert ranks[1] == per_variable
    assert ranks[0] == scalars, "scalars must be computed once a step, not once a variable"
    assert not ops_found.keys() & {"Expand", "Identity"}


# -- the order of a step ----------------------------------------------------------------------------------------------


def test_decay_uses_the_weight_before_the_update_and_the_constraint_comes_last() -> None:
    variable = Variable(np.array([2.0, -3.0], np.float32), constraint=constraints.NonNeg())
    optimizers.SGD(0.5, weight_decay=0.1).apply([np.array([1.0, 1.0], np.float32)], [variable])
    np.testing.assert_allclose(variable.array, [2.0 - 2.0 * 0.1 * 0.5 - 0.5, 0.0], rtol=1e-6)


def test_excluded_variables_do_not_decay() -> None:
    kernel, bias = make_variables()
    optimizer = optimizers.SGD(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    before = kernel.numpy(), bias.numpy()
    optimizer.apply([np.zeros(v.shape, np.float32) for v in (kernel, bias)], [kernel, bias])
    np.testing.assert_allclose(kernel.array, before[0] * 0.95, rtol=1e-6)
    np.testing.assert_array_equal(bias.array, before[1])
    with pytest.raises(ArgumentError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def norm(arrays: Sequence[Array]) -> float:
    return math.sqrt(sum(float(np.sum(a.astype(np.float64) ** 2)) for a in arrays))


@pytest.mark.parametrize(
    ("config", "clip"),
    [
        ({"clipvalue": 0.2}, lambda gs: [np.clip(g, -0.2, 0.2) for g in gs]),
        ({"clipnorm": 0.3}, lambda gs: [g * min(1.0, 0.3 / norm([g])) for g in gs]),
        ({"clipnorm": 1e3}, lambda gs: gs),
        ({"global_clipnorm": 0.5}, lambda gs: [g * min(1.0, 0.5 / norm(gs)) for g in gs]),
        ({"global_clipnorm": 1e3}, lambda gs: gs),
        ({"loss_scale_factor": 4.0}, lambda gs: [g / 4.0 for g in gs]),
    ],
    ids=["value", "norm", "norm-loose", "global", "global-loose", "scale"],
)
def test_clipping(config: Mapping[str, float], clip: Callable[[list[Array]], list[Array]]) -> None:
    grads = gradients(1)[0]
    variables = make_variables()
    optimizers.SGD(1.0, **config).apply(grads, variables)
    for variable, start, gradient in zip(variables, start_values(), clip(grads), strict=True):
        np.testing.assert_allclose(variable.array, start - gradient, rtol=1e-5, atol=1e-6)


def test_one_infinite_gradient_poisons_a_global_norm() -> None:
    variables = make_variables()
    grads = gradients(1)[0]
    grads[0][0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        optimizers.SGD(1.0, global_clipnorm=1.0).apply(grads, variables)
    assert np.isnan(variables[1].array).all()


def test_running_means() -> None:
    variables = make_variables()
    optimizer = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.75)
    means = [np.zeros(s) for s in SHAPES]
    weights = [w.astype(np.float64) for w in start_values()]
    for t, grads in enumerate(gradients()):
        optimizer.apply(grads, variables)
        weights = [w - 0.1 * g for w, g in zip(weights, grads, strict=True)]
        keep = 0.75 if t else 0.0
        means = [keep * m + (1 - keep) * w for m, w in zip(means, weights, strict=True)]
    for variable, weight in zip(variables, weights, strict=True):
        np.testing.assert_allclose(variable.array, weight, rtol=1e-5, atol=1e-6)
    optimizer.finalize_variable_values(variables)
    for variable, mean in zip(variables, means, strict=True):
        np.testing.assert_allclose(variable.array, mean, rtol=1e-5, atol=1e-6)


def test_accumulated_gradients_are_averaged() -> None:
    variables, grads = make_variables(), gradients(3)
    optimizer = optimizers.SGD(0.5, momentum=0.9, gradient_accumulation_steps=3)
    for count, step in enumerate(grads):
        optimizer.apply(step, variables)
        moved = [not np.array_equal(v.array, w) for v, w in zip(variables, start_values(), strict=True)]
        assert moved == [count == 2] * 2
    for i, variable in enumerate(variables):
        mean = np.mean([step[i] for step in grads], axis=0)
        np.testing.assert_allclose(variable.array, start_values()[i] - 0.5 * mean, rtol=1e-5, atol=1e-6)
    assert int(np.asarray(optimizer.iterations)) == 1


def test_variables_without_gradient_stay_and_are_named() -> None:
    variables = make_variables()
    with pytest.warns(UserWarning, match="dense/bias") as caught:
        optimizers.Adam(0.1).apply([gradients(1)[0][0], None], variables)
    assert len(caught) == 1
    np.testing.assert_array_equal(variables[1].array, start_values()[1])
    assert not np.array_equal(variables[0].array, start_values()[0])
    with warnings.catch_warnings(action="ignore"), pytest.raises(ArgumentError, match="No gradients provided"):
        optimizers.Adam(0.1).apply([None, None], make_variables())


def test_apply_gradients_takes_pairs_and_returns_the_counter() -> None:
    variables = make_variables()
    optimizer = optimizers.SGD(0.1)
    assert optimizer.apply_gradients(zip(gradients(1)[0], variables, strict=True)) is optimizer.variables[0]
    assert int(optimizer.variables[0].array) == 1


def test_layerwise_rates_reach_the_formula() -> None:
    class Halved(optimizers.Adam):
        """Moves biases at half the rate, as users' subclasses do."""

        def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
            rate = ops.multiply(learning_rate, 0.5) if variable.name == "bias" else learning_rate
            super().update_step(gradient, variable, rate)

    halved, plain = run_eagerly(Halved(0.1), 1), run_eagerly(optimizers.Adam(0.1), 1)
    start = start_values()
    np.testing.assert_allclose(halved[0], plain[0], rtol=1e-6)
    np.testing.assert_allclose(halved[1] - start[1], (plain[1] - start[1]) / 2, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(run_traced(Halved(0.1), 1)[1], halved[1], rtol=1e-6)


def test_a_custom_optimizer_needs_update_step() -> None:
    class Nothing(optimizers.Optimizer):
        pass

    with pytest.raises(ArgumentError, match="must define `update_step"):
        Nothing(0.1).apply(gradients(1)[0], make_variables())


# -- variables --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [
        (optimizers.SGD(0.1), ""),
        (optimizers.SGD(0.1, 0.9), "kernel_momentum bias_momentum"),
        (
            optimizers.RMSprop(0.1, momentum=0.5, centered=True),
            "kernel_velocity bias_velocity kernel_momentum bias_momentum kernel_average_gradient bias_average_gradient",
        ),
        (
            optimizers.Adam(0.1, amsgrad=True),
            "kernel_momentum kernel_velocity bias_momentum bias_velocity kernel_velocity_hat bias_velocity_hat",
        ),
        (optimizers.Adagrad(0.1), "kernel_accumulator bias_accumulator"),
        (optimizers.SGD(0.1, 0.9, use_ema=True), "kernel_average bias_average kernel_momentum bias_momentum"),
    ],
    ids=["sgd", "momentum", "rmsprop", "adam", "adagrad", "ema"],
)
def test_variables_are_in_the_order_of_keras_files(optimizer: optimizers.Optimizer, slots: str) -> None:
    optimizer.build(make_variables())
    names = ["iteration", "learning_rate", *(f"dense_{slot}" for slot in slots.split())]
    assert [v.path for v in optimizer.variables] == [f"{optimizer.name}/{name}" for name in names]
    assert [v.dtype for v in optimizer.variables[:2]] == ["int32", "float32"]


def test_a_schedule_has_no_variable() -> None:
    optimizer = optimizers.Adam(schedules.ExponentialDecay(0.1, 3, 0.5))
    optimizer.build(make_variables())
    assert [v.name for v in optimizer.variables[:2]] == ["iteration", "dense_kernel_momentum"]


def test_unknown_variables_are_refused() -> None:
    optimizer = optimizers.SGD(0.1)
    optimizer.apply(gradients(1)[0], make_variables())
    with pytest.raises(ArgumentError, match="Unknown variable 'dense/kernel'"):
        optimizer.apply(gradients(1)[0], make_variables())
    with pytest.raises(ArgumentError, match="1 gradients for 2 variables"):
        optimizer.apply(gradients(1)[0][:1])
    with pytest.raises(ArgumentError, match="already be built"):
        optimizers.SGD(0.1).apply(gradients(1)[0])


def test_weights_are_set_all_or_none() -> None:
    optimizer = optimizers.SGD(0.1, 0.9)
    with pytest.raises(ArgumentError, match="has no slots yet"):
        optimizer.set_weights([])
    optimizer.build(make_variables())
    wanted = [np.full(v.shape, i + 1, v.dtype) for i, v in enumerate(optimizer.variables)]
    with pytest.raises(ArgumentError, match="variables of shapes"):
        optimizer.set_weights(wanted[:-1])
    assert int(optimizer.variables[0].array) == 0
    optimizer.set_weights(wanted)
    for variable, value in zip(optimizer.variables, wanted, strict=True):
        np.testing.assert_array_equal(variable.array, value)


# -- learning rate ----------------------------------------------------------------------------------------------------


def test_learning_rate_can_be_set_and_reaches_compiled_steps() -> None:
    optimizer, variables = optimizers.SGD(0.1), make_variables()
    executable = compiler.executable(trace_step(optimizer, variables))
    optimizer.learning_rate = 0.5
    grads = gradients(1)[0]
    executable.run({f"g{i}": g for i, g in enumerate(grads)})
    np.testing.assert_allclose(variables[0].array, start_values()[0] - 0.5 * grads[0], rtol=1e-6)
    assert float(np.asarray(optimizer.learning_rate)) == 0.5


@pytest.mark.parametrize("rate", [math.nan, -0.1, math.inf, "0.1", True, None, [0.1]])
def test_senseless_learning_rates_are_refused(rate: Any) -> None:
    with pytest.raises(ArgumentError, match="learning_rate"):
        optimizers.SGD(rate)
    optimizer = optimizers.SGD(0.25)
    with pytest.raises(ArgumentError, match="learning_rate"):
        optimizer.learning_rate = rate
    assert float(np.asarray(optimizer.learning_rate)) == 0.25


def test_a_scheduled_rate_cannot_be_set_to_a_number() -> None:
    optimizer = optimizers.SGD(schedules.ExponentialDecay(0.1, 3, 0.5))
    with pytest.raises(ArgumentError, match="not settable"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = schedules.ExponentialDecay(0.4, 3, 0.5)
    assert float(np.asarray(optimizer.learning_rate)) == pytest.approx(0.4)
    optimizer.build(make_variables())
    with pytest.raises(ArgumentError, match="in use"):
        optimizer.learning_rate = schedules.ExponentialDecay(0.4, 3, 0.5)


def test_a_function_is_asked_at_every_step() -> None:
    rates = iter([9.0, 0.5, 0.25])  # the first one while the step is traced
    optimizer, variables = optimizers.SGD(lambda: next(rates)), make_variables()
    executable = compiler.executable(trace_step(optimizer, variables))
    expected = start_values()[0]
    for rate, grads in zip((0.5, 0.25), gradients(2), strict=True):
        optimizer.refresh_learning_rate()
        executable.run({f"g{i}": g for i, g in enumerate(grads)})
        expected = expected - rate * grads[0]
    np.testing.assert_allclose(variables[0].array, expected, rtol=1e-6)


def test_a_function_that_gives_nonsense_is_named() -> None:
    with pytest.raises(ArgumentError, match="learning_rate"):
        optimizers.SGD(lambda: math.nan).apply(gradients(1)[0], make_variables())


# -- schedules --------------------------------------------------------------------------------------------------------


def cosine(fraction: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * fraction))


SCHEDULES: dict[str, tuple[schedules.LearningRateSchedule, Callable[[int], float]]] = {
    "exponential": (schedules.ExponentialDecay(0.1, 4, 0.5), lambda t: 0.1 * 0.5 ** (t / 4)),
    "exponential-stairs": (
        schedules.ExponentialDecay(0.1, 4, 0.5, staircase=True),
        lambda t: 0.1 * 0.5 ** (t // 4),
    ),
    "inverse": (schedules.InverseTimeDecay(0.1, 4, 0.5), lambda t: 0.1 / (1 + 0.5 * t / 4)),
    "inverse-stairs": (schedules.InverseTimeDecay(0.1, 4, 0.5, True), lambda t: 0.1 / (1 + 0.5 * (t // 4))),
    "piecewise": (
        schedules.PiecewiseConstantDecay([2, 5], [0.3, 0.2, 0.1]),
        lambda t: 0.3 if t <= 2 else 0.2 if t <= 5 else 0.1,
    ),
    "polynomial": (
        schedules.PolynomialDecay(0.1, 4, 0.01, 2.0),
        lambda t: 0.09 * (1 - min(t, 4) / 4) ** 2 + 0.01,
    ),
    "polynomial-cycle": (
        schedules.PolynomialDecay(0.1, 4, 0.01, 1.0, cycle=True),
        lambda t: 0.09 * (1 - t / (4 * max(1, math.ceil(t / 4)))) + 0.01,
    ),
    "cosine": (schedules.CosineDecay(0.1, 6, 0.2), lambda t: 0.1 * (0.8 * cosine(min(t, 6) / 6) + 0.2)),
    "cosine-warmup": (
        schedules.CosineDecay(0.01, 6, warmup_target=0.2, warmup_steps=3),
        lambda t: 0.01 + 0.19 * t / 3 if t < 3 else 0.2 * cosine(min(t - 3, 6) / 6),
    ),
    "restarts": (
        schedules.CosineDecayRestarts(0.1, 3, 2.0, 0.5),
        lambda t: (
            0.1 * (cosine(t / 3) if t < 3 else 0.5 * cosine((t - 3) / 6) if t < 9 else 0.25 * cosine((t - 9) / 12))
        ),
    ),
    "restarts-even": (
        schedules.CosineDecayRestarts(0.1, 4, 1.0, 0.5),
        lambda t: 0.1 * 0.5 ** (t // 4) * cosine(t % 4 / 4),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(name: str) -> None:
    schedule, expected = SCHEDULES[name]
    step = Variable(np.int32(0), name="step", trainable=False)
    lowered = compiler.lower(lambda _: schedule(step), {}, [])
    executable = compiler.executable(lowered)
    for t in range(14):
        step.assign(np.int32(t))
        eager, traced = np.asarray(schedule(step)), executable.run({})["output"]
        assert eager.dtype == traced.dtype == np.float32
        np.testing.assert_allclose(eager, expected(t), rtol=1e-5, atol=1e-7, err_msg=f"step {t}")
        np.testing.assert_allclose(traced, eager, rtol=1e-6, atol=1e-8)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()


def test_every_wave_starts_at_the_top() -> None:
    schedule, time = schedules.CosineDecayRestarts(0.1, 10), 0
    for wave in range(16):
        assert float(np.asarray(schedule(np.int32(time)))) == pytest.approx(0.1, rel=1e-3), f"wave {wave}"
        time += 10 * 2**wave


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.ExponentialDecay(0.1, 0, 0.5),
        lambda: schedules.ExponentialDecay(-0.1, 3, 0.5),
        lambda: schedules.CosineDecay(math.nan, 3),
        lambda: schedules.PolynomialDecay(0.1, -3),
        lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
        lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]),
        lambda: schedules.CosineDecayRestarts(0.1, 0),
    ],
)
def test_senseless_schedules_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ArgumentError):
        make()


# -- configuration and arguments --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
def test_config_round_trip(name: str) -> None:
    optimizer = MAKERS[name]()
    if name.endswith("/function"):
        with pytest.raises(ArgumentError, match="lambda"):
            optimizer.get_config()
        return
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again is not None
    assert again.get_config() == optimizer.get_config()


def test_serialized_form_is_keras_form() -> None:
    config = optimizers.serialize(optimizers.SGD(0.01, name="plain"))
    assert config["module"] == "keras.optimizers"
    assert config["class_name"] == "SGD"
    assert config["registered_name"] is None
    assert config["config"]["learning_rate"] == 0.009999999776482582


@pytest.mark.parametrize(
    "name", ["sgd", "SGD", "rmsprop", "RMSprop", "rms_prop", "adam", "Adam", "adamw", "AdamW", "nadam"]
)
def test_names(name: str) -> None:
    if name == "rms_prop":
        with pytest.raises(ArgumentError, match="Did you mean"):
            optimizers.get(name)
        return
    found = optimizers.get(name)
    assert type(found).__name__.lower() == name.lower()


def test_get() -> None:
    optimizer = optimizers.SGD()
    assert optimizers.get(optimizer) is optimizer
    assert optimizers.get(None) is None
    assert isinstance(optimizers.get(optimizers.Adam), optimizers.Adam)
    assert isinstance(optimizers.get({"class_name": "RMSprop", "config": {"rho": 0.8}}), optimizers.RMSprop)
    with pytest.raises(ArgumentError, match=r"identifier: 'sdg'\. Did you mean \"sgd\""):
        optimizers.get("sdg")
    for nonsense in (3, print, lambda: None):
        with pytest.raises(ArgumentError, match="Could not interpret optimizer identifier"):
            optimizers.get(nonsense)


def test_automatic_names() -> None:
    assert optimizers.RMSprop().name.startswith("rm_sprop")
    assert optimizers.Adam(name="mine").name == "mine"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"momentum": 1.5}, "`momentum` must be a float between"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        ({"clipnorm": 0.0}, "`clipnorm` must be a positive number"),
        ({"clipvalue": -1.0}, "`clipvalue` must be a positive number"),
        ({"global_clipnorm": math.nan}, "`global_clipnorm`"),
        ({"weight_decay": -0.1}, "`weight_decay` must be a number of at least 0"),
        ({"use_ema": True, "ema_momentum": 1.5}, "`ema_momentum`"),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, "`ema_overwrite_frequency` must be an integer >= 1"),
        ({"gradient_accumulation_steps": 1}, "`gradient_accumulation_steps` must be an integer >= 2"),
        ({"loss_scale_factor": 0}, "`loss_scale_factor`"),
        ({"lr": 0.1}, "not recognized by SGD"),
        ({"clip_norm": 1.0}, 'Did you mean "clipnorm"'),
    ],
)
def test_senseless_arguments_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        optimizers.SGD(**config)


def test_senseless_arguments_of_single_optimizers() -> None:
    for make in (
        lambda: optimizers.Adam(beta_1=1.5),
        lambda: optimizers.RMSprop(rho=-0.1),
        lambda: optimizers.AdamW(weight_decay=None),
        lambda: optimizers.Adagrad(initial_accumulator_value=-1.0),
        lambda: optimizers.Ftrl(learning_rate_power=0.5),
        lambda: optimizers.Ftrl(l1_regularization_strength=-0.5),
    ):
        with pytest.raises(ArgumentError):
            make()


def test_scaled_loss() -> None:
    assert float(np.asarray(optimizers.SGD(loss_scale_factor=8.0).scale_loss(np.float32(0.5)))) == 4.0
    assert optimizers.SGD().scale_loss(0.5) == 0.5


# -- against a live Keras ---------------------------------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("name", [n for n in MAKERS if not n.endswith("/function")])
def test_equals_keras(name: str) -> None:
    keras = pytest.importorskip("keras")
    ours = MAKERS[name]()
    config = ours.get_config()
    if isinstance(config["learning_rate"], dict):
        config["learning_rate"] = keras.optimizers.schedules.deserialize(config["learning_rate"])
    theirs = getattr(keras.optimizers, type(ours).__name__).from_config(config)
    own, peers = make_variables(), [keras.Variable(v, name=n) for v, n in zip(start_values(), "ab", strict=True)]
    for step, grads in enumerate(gradients(6)):
        ours.apply(grads, own)
        theirs.apply(grads, peers)
        for mine, reference in zip(own, peers, strict=True):
            value = np.asarray(keras.ops.convert_to_numpy(reference))
            np.testing.assert_allclose(mine.array, value, rtol=2e-5, atol=2e-6, err_msg=f"step {step}")
    assert [v.shape for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]
