"""What recurrent loops are made of: the `Scan` while its body is made, activations, and pieces of operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.ops.elementwise import scalar
from graphc.ops.opdef import Attributes
from graphc.ops.recurrent_types import Activation, Axes, Checker, Recurrence

Maybe = Value | None


# -- activations ------------------------------------------------------------------------------------------------------


def activate(b: Builder, x: Value, activation: Activation) -> Value:
    """The activation of ``x``."""
    name, alpha, beta = activation.name, activation.alpha, activation.beta
    match name:
        case "Affine":
            return b.emit("Add", b.emit("Mul", x, scalar(b, alpha, x)), scalar(b, beta, x))
        case "ScaledTanh":
            return b.emit("Mul", b.emit("Tanh", b.emit("Mul", x, scalar(b, beta, x))), scalar(b, alpha, x))
        case "HardSigmoid":
            return b.emit(name, x, alpha=alpha, beta=beta)
        case "LeakyRelu" | "ThresholdedRelu" | "Elu":
            return b.emit(name, x, alpha=alpha)
    return b.emit(name, x)


def slope(b: Builder, y: Value, activation: Activation) -> Value:
    """The derivative where the activation's value is ``y``."""
    alpha, beta = activation.alpha, activation.beta

    def number(value: float) -> Value:
        return scalar(b, value, y)

    def where(condition: Value, yes: float, no: float) -> Value:
        return b.emit("Where", condition, number(yes), number(no))

    zero, one = number(0.0), number(1.0)
    match activation.name:
        case "Tanh":
            return b.emit("Sub", one, b.emit("Mul", y, y))
        case "Sigmoid":
            return b.emit("Mul", y, b.emit("Sub", one, y))
        case "Relu":
            return where(b.emit("Greater", y, zero), 1.0, 0.0)
        case "Softsign":
            root = b.emit("Sub", one, b.emit("Abs", y))
            return b.emit("Mul", root, root)
        case "Softplus":
            return b.emit("Sub", one, b.emit("Exp", b.emit("Neg", y)))
        case "LeakyRelu":
            return where(b.emit("Greater", y, zero), 1.0, alpha)
        case "ThresholdedRelu":
            return where(b.emit("Equal", y, zero), 0.0, 1.0)
        case "Elu":
            return b.emit("Where", b.emit("Greater", y, zero), one, b.emit("Add", y, number(alpha)))
        case "HardSigmoid":
            inside = b.emit("And", b.emit("Greater", y, zero), b.emit("Less", y, one))
            return where(inside, alpha, 0.0)
        case "ScaledTanh":
            return b.emit("Sub", number(alpha * beta), b.emit("Mul", b.emit("Mul", y, y), number(beta / alpha)))
    return b.emit("Expand", number(alpha), shape=y.type.shape)


# -- building blocks --------------------------------------------------------------------------------------------------


class StepLoop:
    """A `Scan` while its body is made.

    Args:
        outer: emits the loop itself.
        valid: ``[T, B, 1]``, False where a sample does not run; None where all run all the time.
    """

    def __init__(self, outer: Builder, valid: Maybe) -> None:
        self._outer = outer
        self._graph = Graph("step")
        self.b = Builder(self._graph, outer.rules)
        self._states: list[tuple[Value, Value]] = []
        self._slices: list[tuple[Value, Value]] = []
        self._invariants: list[tuple[Value, Value]] = []
        self._valid = None if valid is None else self.slice(valid, "valid")

    def state(self, start: Value, name: str) -> Value:
        """A state in the body."""
        self._states.append((start, self.b.input(name, start.type)))
        return self._states[-1][1]

    def slice(self, sequence: Value, name: str) -> Value:
        """A step's slice of a sequence, in the body."""
        step = self.b.input(name, sequence.type.with_shape(sequence.type.shape[1:]))
        self._slices.append((sequence, step))
        return step

    def optional_slice(self, sequence: Maybe, name: str) -> Maybe:
        """`slice`, of a sequence that may be absent."""
        return None if sequence is None else self.slice(sequence, name)

    def invariant(self, value: Value, name: str) -> Value:
        """A value from outside, in the body."""
        self._invariants.append((value, self.b.input(name, value.type)))
        return self._invariants[-1][1]

    def emit(self, new: Sequence[Value], results: Sequence[Value], reverse: bool) -> Sequence[Value]:
        """The loop; gives the last states, then the results of all steps."""
        if self._valid is not None:
            before = [inner for _, inner in self._states]
            new = [self.b.emit("Where", self._valid, *pair) for pair in zip(new, before, strict=True)]
            results = [self.b.emit("Where", self._valid, x, scalar(self.b, 0.0, x)) for x in results]
        pairs = [*self._states, *self._slices, *self._invariants]
        self._graph.inputs = [inner for _, inner in pairs]
        self._graph.outputs = {f"state_{i}": value for i, value in enumerate(new)}
        self._graph.outputs.update((f"result_{i}", value) for i, value in enumerate(results))
        operands = [outer for outer, _ in pairs]
        numbers = {"num_states": len(self._states), "num_scanned": len(self._slices), "reverse": reverse}
        attributes: dict[str, Any] = {"body": self._graph, **numbers}
        found = self._outer.emit_node("Scan", operands, **attributes).outputs
        return found[: len(new) + len(results)]


def settled(
    b: Builder, recurrence: Recurrence, axes: Axes, given: Sequence[Maybe], attributes: Attributes
) -> list[Maybe]:
    """The operands, one for each name, with the lengths that others of them tell where their own type has a name."""
    padded = [*given, *[None] * (len(axes) - len(given))]
    checker = Checker(recurrence, recurrence.op, axes, [None if v is None else v.type for v in padded], attributes)
    shapes = [checker.shape(letters) if v is not None else () for v, letters in zip(padded, axes.values(), strict=True)]
    return [
        v if v is None or v.type.shape == shape else b.emit("Expand", v, shape=shape)
        for v, shape in zip(padded, shapes, strict=True)
    ]


def part(b: Builder, x: Maybe, axis: int, direction: int) -> Maybe:
    """One direction's part, without the axis of directions."""
    if x is None:
        return None
    if x.type.shape[axis] == 1:
        return b.emit("Squeeze", x, axes=(axis,))
    return b.emit("Gather", x, b.constant(direction), axis=axis)


def there(value: Maybe) -> Value:
    assert value is not None
    return value


def join(b: Builder, parts: Sequence[Value], axis: int) -> Value:
    """Both directions along a new axis."""
    placed = [b.emit("Unsqueeze", part, axes=(axis,)) for part in parts]
    return placed[0] if len(placed) == 1 else b.emit("Concat", *placed, axis=axis)


def or_zeros(b: Builder, value: Maybe, type_: TensorType) -> Value:
    if value is not None:
        return value
    return b.emit("Expand", b.constant(0.0, dtype=type_.dtype), shape=type_.shape)


def blocks(b: Builder, x: Value, count: int) -> Sequence[Value]:
    """Blocks of equal width along the last axis."""
    axis = x.type.rank - 1
    width = x.type.shape[axis]
    assert isinstance(width, int)
    return b.emit_node("Split", [x], axis=axis, sizes=(width // count,) * count).outputs


def transposed(b: Builder, matrix: Value) -> Value:
    return b.emit("Transpose", matrix, perm=(1, 0))


def total(b: Builder, first: Value, *more: Maybe) -> Value:
    """The sum of what is there."""
    for value in more:
        first = first if value is None else b.emit("Add", first, value)
    return first


def valid_steps(b: Builder, lengths: Maybe, like: Value) -> Maybe:
    """Where samples run, ``[T, B, 1]``."""
    if lengths is None:
        return None
    steps = b.emit("Unsqueeze", b.emit("Iota", dim=like.type.shape[0], dtype="int32"), axes=(1, 2))
    return b.emit("Less", steps, b.emit("Unsqueeze", lengths, axes=(0, 2)))


def states_before(b: Builder, states: Value, initial: Value, lengths: Maybe, backwards: bool) -> Value:
    """The state before each step, ``[T, B, H]``, from those after each step."""
    first = b.emit("Unsqueeze", initial, axes=(0,))
    time = states.type.shape[0]
    # Joined before it is cut, so that it is right for 0 steps.
    if not backwards:
        return b.emit("Slice", b.emit("Concat", first, states, axis=0), axes=(0,), starts=(0,), ends=(time,))
    moved = b.emit("Slice", b.emit("Concat", states, first, axis=0), axes=(0,), starts=(1,), ends=(time + 1,))
    if lengths is None:
        return moved
    following = b.emit("Unsqueeze", b.emit("Iota", dim=time, dtype="int32"), axes=(1, 2))
    following = b.emit("Add", following, b.constant(1, dtype="int32"))
    is_first = b.emit("Equal", following, b.emit("Unsqueeze", lengths, axes=(0, 2)))
    return b.emit("Where", is_first, first, moved)
