"""Tracing: running a layer's Python code so that every operation lands in an IR graph."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import ArgumentError, DataError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph, Value, as_node_name
from graphc.ir.types import TensorType
from graphc.ops.functional.operators import TensorOperators
from graphc.ops.random import index_words
from graphc.ops.registry import OPS

if TYPE_CHECKING:
    from graphc.ops.functional.variable import Variable

_active = threading.local()


def current_tracer() -> Tracer | None:
    """The tracer whose code is running in this thread."""
    stack: list[Tracer | None] = getattr(_active, "stack", [])
    return stack[-1] if stack else None


@contextmanager
def untraced() -> Iterator[None]:
    """Functions called inside run on arrays at once, whatever is being traced outside."""
    stack: list[Tracer | None] = _active.__dict__.setdefault("stack", [])
    stack.append(None)
    try:
        yield
    finally:
        stack.pop()


class TracedTensor(TensorOperators):
    """An IR value with the interface of a Keras tensor: what ``call`` receives while it is traced."""

    __slots__ = ("keras_mask", "tracer", "value")

    def __init__(self, tracer: Tracer, value: Value) -> None:
        self.tracer = tracer
        self.value = value
        self.keras_mask: Any = None

    @property
    def type(self) -> TensorType:
        """Dtype and shape, with named dims."""
        return self.value.type

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape as Keras shows it: None where the length is known only when data comes.

        ``ops.shape(x)`` gives the named dims, which may be used as lengths in every function.
        """
        return tuple(None if isinstance(d, Dim) else d for d in self.value.type.shape)

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self.value.type.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.value.type.rank

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise ArgumentError(
            "A tensor inside a traced `call` has no numbers yet, so it cannot become a NumPy array. "
            "Use functions of graphc.ops instead of NumPy's."
        )

    def __repr__(self) -> str:
        return f"<TracedTensor {self.value!r}>"


class Tracer:
    """Collects what traced code does: nodes, the variables it reads and those it assigns.

    Args:
        graph: the graph to emit into.
        training: what layers see as ``training`` when their caller does not say.
    """

    def __init__(self, graph: Graph, training: bool = False) -> None:
        self.builder = Builder(graph, OPS)
        self.training = training
        self.variables: dict[str, Variable] = {}
        """State name to the variable behind it."""
        self._random_key: Variable | None = None
        self._draws = 0
        self.losses: list[Value] = []
        """Scalars that layers added to the loss while tracing."""
        self._states: dict[int, Value] = {}
        self._current: dict[int, Value] = {}

    @property
    def graph(self) -> Graph:
        """The graph being built."""
        return self.builder.graph

    @property
    def random_key(self) -> Variable:
        """The state that decides random numbers: (seed, step) as uint32. The training loop sets it; advancing it is its job."""
        if self._random_key is None:
            from graphc.ops.functional.variable import Variable

            self._random_key = Variable(np.zeros(2, np.uint32), name="random_key", trainable=False)
        return self._random_key

    @random_key.setter
    def random_key(self, variable: Variable) -> None:
        self._random_key = variable

    @property
    def draws(self) -> int:
        """How many random tensors the traced code has drawn."""
        return self._draws

    def next_draw(self) -> int:
        """The number of the next random tensor: no two of one graph share it."""
        self._draws += 1
        return self._draws - 1

    @contextmanager
    def active(self) -> Iterator[Tracer]:
        """Functions called inside emit into this tracer's graph."""
        stack: list[Tracer | None] = _active.__dict__.setdefault("stack", [])
        stack.append(self)
        try:
            yield self
        finally:
            stack.pop()

    def wrap(self, value: Value) -> TracedTensor:
        """A value as a tensor."""
        return TracedTensor(self, value)

    def value_of(self, x: Any, dtype: str | None = None) -> Value:
        """The IR value of a traced tensor, variable, array or number; arrays become constants.

        Raises:
            ArgumentError: ``x`` belongs to another trace.
        """
        if isinstance(x, TracedTensor):
            if x.tracer is not self:
                raise ArgumentError(
                    f"{x!r} was made in another call: tensors may not be kept on a layer between calls."
                )
            return x.value
        if getattr(x, "is_symbolic", False):
            raise ArgumentError(
                f"{x!r} is a tensor of a functional model and has no value inside a layer's `call`. "
                "Pass it to the layer as an input."
            )
        if hasattr(x, "assign"):
            return self.read(x).value
        array = np.asarray(x)
        if array.dtype.kind not in "biuf":
            raise DataError(f"A tensor must hold numbers or booleans; got {x!r} (dtype {array.dtype}).")
        return self.builder.constant(x if hasattr(x, "dtype") else array.tolist(), dtype=dtype)

    def read(self, variable: Variable) -> TracedTensor:
        """The variable's value at this point: its state on entry, or what was assigned before."""
        if id(variable) in self._current:
            return self.wrap(self._current[id(variable)])
        if id(variable) not in self._states:
            path = as_node_name(variable.path)
            name, count = path, 1
            while name in self.variables:
                name, count = f"{path}_{count}", count + 1
            self.variables[name] = variable
            self._states[id(variable)] = self.builder.state(name, variable.type)
        return self.wrap(self._states[id(variable)])

    def assign(self, variable: Variable, value: Any) -> TracedTensor:
        """Give a variable a new value: an update of the graph."""
        self.read(variable)
        new = self._fitting(variable, value)
        self._current[id(variable)] = new
        state = self._states[id(variable)].producer.attributes["state"]
        self.graph.updates[state] = new
        return self.wrap(new)

    def _fitting(self, variable: Variable, value: Any) -> Value:
        """A value as one of a variable's dtype and shape."""
        new = self.value_of(value, dtype=variable.dtype)
        if new.type.dtype != variable.dtype:
            new = self.builder.emit("Cast", new, to=variable.dtype)
        if new.type.shape != variable.shape:
            raise ShapeError(
                f"Variable {variable.path!r} has shape {variable.shape}; a value of type {new.type} was assigned."
            )
        return new

    @property
    def enclosing(self) -> tuple[Tracer, ...]:
        """The tracers around this one, innermost first, when it traces the body of a loop."""
        return ()

    def apply(self, op: str, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> tuple[TracedTensor, ...]:
        """Emit one node; into the body that is being traced, when a loop's step computes on tensors from around it."""
        innermost = current_tracer()
        if innermost is not None and self in innermost.enclosing:
            return innermost.apply(op, inputs, attributes)
        operands = [None if x is None else self.value_of(x) for x in inputs]
        node = self.builder.emit_node(op, operands, **attributes)
        return tuple(self.wrap(v) for v in node.outputs)

    def state_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """State name to the variable's own array, for `prepare`."""
        return {name: variable.array for name, variable in self.variables.items()}


class BodyTracer(Tracer):
    """Collects what one step of a loop does: a body that is closed, see `graphc.ops.scan`.

    What the step touches of the trace around it (tensors, variables) becomes an operand of the loop that every step sees.
    Random numbers differ from step to step: a counter, one more state of the loop, changes their key.

    Args:
        outer: the tracer of the code that the loop stands in.
    """

    def __init__(self, outer: Tracer) -> None:
        super().__init__(Graph("body"), training=outer.training)
        self.outer = outer
        self.builder.inherit_origin(outer.builder)
        self.captured: dict[Value, Value] = {}
        """Value of the trace around to the body's input that stands for it."""
        self.counter: Value | None = None
        """The number of steps done, once random numbers were asked for."""
        self._step_key: Value | None = None

    @property
    def enclosing(self) -> tuple[Tracer, ...]:
        return (self.outer, *self.outer.enclosing)

    @property
    def random_key(self) -> Variable:
        """The state of the whole trace; `read` gives what it is in this step."""
        return self.outer.random_key

    @random_key.setter
    def random_key(self, variable: Variable) -> None:
        self.outer.random_key = variable

    @property
    def draws(self) -> int:
        return self.outer.draws

    def next_draw(self) -> int:
        return self.outer.next_draw()

    def value_of(self, x: Any, dtype: str | None = None) -> Value:
        if isinstance(x, TracedTensor) and x.tracer in self.enclosing:
            return self._capture(self.outer.value_of(x))
        return super().value_of(x, dtype)

    def carry(self, variable: Variable, value: TracedTensor) -> None:
        """Let a state of the loop stand for a variable: the step reads it, and assigning changes it for the steps behind.

        Whoever does this makes `read` at the end of the step the new state, and assigns the last one behind the loop.
        """
        self._current[id(variable)] = self.value_of(value)

    def read(self, variable: Variable) -> TracedTensor:
        if id(variable) in self._current:
            return self.wrap(self._current[id(variable)])
        value = self._capture(self.outer.read(variable).value)
        return self.wrap(self._key_of_step(value) if variable is self.random_key else value)

    def assign(self, variable: Variable, value: Any) -> TracedTensor:
        """Give a variable that is carried a new value.

        Raises:
            ArgumentError: it is not: only a loop's states change from step to step.
        """
        if id(variable) in self._current:
            new = self._fitting(variable, value)
            self._current[id(variable)] = new
            return self.wrap(new)
        raise ArgumentError(
            f"Variable {variable.path!r} is assigned inside a step of a loop, which runs many times. Carry the value as a "
            "state of the loop and assign it behind the loop."
        )

    def _capture(self, value: Value) -> Value:
        if value not in self.captured:
            name = self.graph.unique_name(value.name.replace(":", "_"))
            self.captured[value] = self.builder.input(name, value.type)
        return self.captured[value]

    def _key_of_step(self, key: Value) -> Value:
        """The random key of one step: the key plus the step's number times two odd words that no other loop shares."""
        if self._step_key is None:
            words = np.array([word | 1 for word in index_words(self.next_draw())], np.uint32)
            self.counter = self.builder.input(self.graph.unique_name("step"), TensorType.of("uint32", ()))
            offset = self.builder.emit("Mul", self.counter, self.builder.constant(words))
            self._step_key = self.builder.emit("Add", key, offset)
        return self._step_key
