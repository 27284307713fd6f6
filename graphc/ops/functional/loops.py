"""Loops whose step is written once: `scan`, `map` and what layers build on, `scan_steps`.

On arrays a loop runs as it is written, step by step. While a model is traced the step is traced once, into the body of one
`Scan` op, whatever the number of steps; that number may be a named dim.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir import dtypes
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.ops.functional.arguments import Tensor, known_length, one_axis, rank_of
from graphc.ops.functional.creation import zeros
from graphc.ops.functional.dispatch import apply, as_array, function, shape_of
from graphc.ops.functional.movement import concatenate, flip
from graphc.ops.functional.tracing import BodyTracer, TracedTensor, Tracer, current_tracer
from graphc.ops.scan import scan_length
from graphc.structure import flatten, map_structure

__all__ = ["associative_scan", "map", "scan", "vectorized_map"]

Step: TypeAlias = Callable[[list[Tensor], list[Tensor]], tuple[Sequence[Tensor], Sequence[Tensor]]]
"""``step(slices, states) -> (outputs, new_states)``."""


# -- for layers -------------------------------------------------------------------------------------------------------


def scan_steps(
    step: Step, states: Sequence[Tensor], inputs: Sequence[Tensor], *, reverse: bool = False
) -> tuple[list[Tensor], list[Tensor]]:
    """Run a step along the first axis of some tensors, carrying states: what recurrent layers are made of.

    Args:
        step: ``step(slices, states) -> (outputs, new_states)``: called with the lists of this step's slices of ``inputs``
            (without their first axis) and of the states; gives two sequences. New states have the dtypes and shapes of
            the states. Tensors and variables from outside may be used freely; variables may not be assigned.
        states: what the first step starts from; may be empty.
        inputs: tensors of shape ``(time, ...)``, at least one, all of one length; the length may be a named dim.
        reverse: go from the last slice to the first. Outputs keep the place of their slice.

    Returns:
        ``(outputs, states)``: each output of shape ``(time, ...)``, and the states behind the last step.

    Raises:
        ArgumentError: there is no input, or ``step`` gives something else than two sequences, or too few states.
        ShapeError, DTypeError: lengths differ, or a state changes its type.
    """
    return _scan(step, list(states), list(inputs), reverse, weak=())


def _scan(
    step: Step, states: list[Tensor], inputs: list[Tensor], reverse: bool, weak: Collection[int]
) -> tuple[list[Tensor], list[Tensor]]:
    """`scan_steps`; the states at the places ``weak`` are Python numbers, whose dtype is the one that a step gives."""
    tracer = current_tracer()  # the step may touch traced values even where no argument is one
    if tracer is None:
        tracer = next((x.tracer for x in (*states, *inputs) if isinstance(x, TracedTensor)), None)
    if tracer is None:
        return _run(step, [as_array(x) for x in states], [as_array(x) for x in inputs], reverse, weak)
    return _record(tracer, step, states, inputs, reverse, weak)


def _results(returned: Any, count: int) -> tuple[list[Tensor], list[Tensor]]:
    """What a step gave: outputs and new states."""
    is_pair = isinstance(returned, list | tuple) and len(returned) == 2
    if not is_pair or not all(isinstance(part, list | tuple) for part in returned):
        raise ArgumentError(
            f"A loop's step must return two lists, its outputs and its new states; got {returned!r:.200}."
        )
    outputs, states = list(returned[0]), list(returned[1])
    if len(states) != count:
        raise ArgumentError(f"A loop's step must return {count} new states, as many as it got; got {len(states)}.")
    return outputs, states


def _check_state(index: int, before: TensorType, after: TensorType) -> None:
    """Refuse a state that a step gives another type."""
    if before == after:
        return
    what, error = ("shape", ShapeError) if before.shape != after.shape else ("dtype", DTypeError)
    raise error(
        f"State {index} of a loop is {before} before a step and {after} behind it; a state keeps its type. Start from one of "
        f"the {what} that the step gives, or convert what the step gives."
    )


# -- at once, on arrays -----------------------------------------------------------------------------------------------


def _run(
    step: Step, states: list[Any], inputs: list[Any], reverse: bool, weak: Collection[int]
) -> tuple[list[Any], list[Any]]:
    length = int(scan_length([_type_of(x) for x in inputs]))
    rows: list[list[Any]] = [[]] * length
    if weak or not length:
        # The trace of a step tells the dtype of a state that starts as a Python number, and what no step at all gives.
        slices = [_type_of(x).with_shape(x.shape[1:]) for x in inputs]
        body = _traced(Tracer(Graph("step")), step, [_type_of(x) for x in states], slices, weak)
        states = [x.astype(v.type.dtype) for x, v in zip(states, body.states, strict=True)]
        if not length:
            return [np.zeros((0, *v.type.shape), dtypes.numpy_dtype(v.type.dtype)) for v in body.outputs], states
    for t in reversed(range(length)) if reverse else range(length):
        rows[t], new = _results(step([x[t] for x in inputs], states), len(states))
        new = [np.asarray(x, s.dtype) if _is_number(x) else as_array(x) for x, s in zip(new, states, strict=True)]
        for i, (before, after) in enumerate(zip(states, new, strict=True)):
            _check_state(i, _type_of(before), _type_of(after))
        states = new
        if len(rows[t]) != len(rows[-1 if reverse else 0]):
            raise ArgumentError("A loop's step must return as many outputs in every step as in the first.")
    return [np.stack([as_array(x) for x in column]) for column in zip(*rows, strict=True)], states


def _type_of(x: Any) -> TensorType:
    return TensorType.of(x.dtype, x.shape)


def _is_number(x: Any) -> bool:
    return type(x) in (bool, int, float)  # a NumPy float64 is a float, too, but has a dtype


# -- traced, as one op ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Body:
    """A traced step: its inputs, its outputs and its new states are values of the tracer's graph."""

    tracer: BodyTracer
    states: list[Value]
    slices: list[Value]
    outputs: list[Value]
    new: list[Value]


def _traced(
    outer: Tracer, step: Step, states: Sequence[TensorType], slices: Sequence[TensorType], weak: Collection[int]
) -> _Body:
    """One step, traced; once more where it turns a Python number into another dtype."""
    tracer = BodyTracer(outer)
    inputs = [tracer.builder.input(f"state_{i}", type_) for i, type_ in enumerate(states)]
    cuts = [tracer.builder.input(f"slice_{i}", type_) for i, type_ in enumerate(slices)]
    with tracer.active():
        outputs, new = _results(step([tracer.wrap(v) for v in cuts], [tracer.wrap(v) for v in inputs]), len(states))
        results = [tracer.value_of(x) for x in outputs]
        pairs = zip(new, states, strict=True)
        ends = [tracer.value_of(x, dtype=type_.dtype if _is_number(x) else None) for x, type_ in pairs]
    settled = list(states)
    for i, (before, end) in enumerate(zip(states, ends, strict=True)):
        if i in weak and before.shape == end.type.shape:
            settled[i] = end.type
        else:
            _check_state(i, before, end.type)
    if settled != list(states):
        return _traced(outer, step, settled, slices, ())
    return _Body(tracer, inputs, cuts, results, ends)


def _record(
    tracer: Tracer, step: Step, states: list[Tensor], inputs: list[Tensor], reverse: bool, weak: Collection[int]
) -> tuple[list[Tensor], list[Tensor]]:
    """Emit the loop as one node."""
    starts, scanned = [tracer.value_of(x) for x in states], [tracer.value_of(x) for x in inputs]
    scan_length([v.type for v in scanned])
    slices = [v.type.with_shape(v.type.shape[1:]) for v in scanned]
    body = _traced(tracer, step, [v.type for v in starts], slices, weak)
    inner, losses = body.tracer, body.tracer.losses
    for i, (start, state) in enumerate(zip(starts, body.states, strict=True)):
        if start.type != state.type:
            starts[i] = tracer.builder.emit("Cast", start, to=state.type.dtype)
    if inner.counter is not None:  # the number of steps done
        starts.append(tracer.builder.constant(np.zeros((), np.uint32)))
        body.states.append(inner.counter)
        body.new.append(inner.builder.emit("Add", inner.counter, inner.builder.constant(np.ones((), np.uint32))))
    graph = inner.graph
    graph.inputs = [*body.states, *body.slices, *inner.captured.values()]
    graph.outputs = {f"state_{i}": value for i, value in enumerate(body.new)}
    graph.outputs.update((f"result_{i}", value) for i, value in enumerate((*body.outputs, *losses)))
    node = tracer.builder.emit_node(
        "Scan",
        [*starts, *scanned, *inner.captured],
        body=graph,
        num_states=len(starts),
        num_scanned=len(scanned),
        reverse=bool(reverse),
    )
    results = node.outputs[len(starts) : len(starts) + len(body.outputs)]
    stacked_losses = node.outputs[len(starts) + len(results) :][: len(losses)]
    tracer.losses += [tracer.builder.emit("ReduceSum", v, axes=(0,), keepdims=False) for v in stacked_losses]
    return [tracer.wrap(v) for v in results], [tracer.wrap(v) for v in node.outputs[: len(states)]]


# -- Keras's functions ------------------------------------------------------------------------------------------------


def _tensors(structure: Any) -> list[Any]:
    """The leaves without None, which stands for nothing."""
    return [leaf for leaf in flatten(structure) if leaf is not None]


def _packed(structure: Any, tensors: Iterable[Any]) -> Any:
    """Tensors in the nesting that `_tensors` took them from."""
    source = iter(tensors)
    return map_structure(lambda leaf: None if leaf is None else next(source), structure)


def _nesting(structure: Any) -> Any:
    """A structure with its tensors replaced by one word, to compare and to show."""
    return map_structure(lambda leaf: None if leaf is None else "tensor", structure)


@function
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Apply a function along the first axis of tensors, carrying a value from call to call.

    Args:
        f: ``f(carry, x) -> (carry, y)``: the carry keeps its nesting, shapes and dtypes; ``y`` may be any nesting of
            tensors, or None.
        init: the first carry: any nesting of tensors. Python numbers take the dtype that ``f`` gives.
        xs: any nesting of tensors ``(length, ...)``; ``x`` has the same nesting without the first axis. With None, ``x`` is
            None and ``length`` says how often ``f`` is called.
        length: the number of steps; needed without ``xs``, else it must agree with them.
        reverse: go from the end to the beginning; each ``y`` keeps the place of its ``x``.
        unroll: a hint to other backends; here it changes nothing.

    Returns:
        The last carry, and the stacked ``y``: each tensor of it ``(length, ...)``.

    Raises:
        ArgumentError: an argument is of the wrong kind, or ``f`` returns something else than a pair.
        ShapeError, DTypeError: lengths differ, or the carry changes its type.
    """
    if not callable(f):
        raise ArgumentError(f"scan: f must be a function of the carry and one x; got {f!r}.")
    if not isinstance(unroll, int) or (not isinstance(unroll, bool) and unroll < 1):
        raise ArgumentError(f"scan: unroll must be a positive integer or a boolean; got {unroll!r}.")
    nesting_of_y: list[Any] = []

    def step(slices: list[Tensor], states: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        returned = f(_packed(init, states), None if xs is None else _packed(xs, slices))
        if not isinstance(returned, list | tuple) or len(returned) != 2:
            raise ArgumentError(f"scan: f must return a pair, the new carry and y; got {returned!r:.200}.")
        carry, y = returned
        if _nesting(carry) != _nesting(init):
            raise ArgumentError(
                f"scan: f must return the carry as it is nested in init, {_nesting(init)}; got {_nesting(carry)}."
            )
        nesting_of_y[:] = [_nesting(y)]
        return _tensors(y), _tensors(carry)

    start = _tensors(init)
    weak = [i for i, leaf in enumerate(start) if _is_number(leaf)]
    outputs, states = _scan(step, start, _scanned(xs, length), reverse, weak)
    return _packed(init, states), _packed(nesting_of_y[0], outputs)


def _scanned(xs: Any, length: Any) -> list[Tensor]:
    """The tensors to scan over, whose length is the one that is asked for."""
    if length is not None and not (isinstance(length, Dim) or _is_length(length)):
        raise ArgumentError(f"scan: length must be an integer of at least 0 or a named dim; got {length!r}.")
    if xs is None:
        if length is None:
            raise ArgumentError("scan: without xs there must be a length, the number of steps.")
        return [zeros((length,), "int32")]
    tensors = _tensors(xs)
    if length is not None and tensors and rank_of(tensors[0]):
        have = shape_of(tensors[0])[0]
        if isinstance(have, int) and isinstance(length, int) and have != length:
            raise ArgumentError(f"scan: length is {length}, and the first axis of xs has {have}; they must agree.")
    return tensors


def _is_length(value: Any) -> bool:
    return not isinstance(value, bool) and hasattr(value, "__index__") and int(value) >= 0


@function
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Apply a function to each slice of tensors along their first axis, and stack what it gives.

    Args:
        f: called with the slices, nested as ``xs``; gives any nesting of tensors.
        xs: any nesting of tensors ``(length, ...)``.

    Returns:
        What ``f`` gives, each tensor of it ``(length, ...)``.
    """
    if not callable(f):
        raise ArgumentError(f"map: f must be a function of one slice; got {f!r}.")
    return scan(lambda _, x: ((), f(x)), (), xs)[1]


@function
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`map` under the name that Keras has for it where a backend may run all slices at once; the numbers are the same.

    Args:
        function: called with the slices, nested as ``elements``; gives any nesting of tensors.
        elements: any nesting of tensors ``(length, ...)``.
    """
    return map(function, elements)


@function
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All partial results of an associative function along an axis: sums of sums, products of matrices.

    Every round combines each element with the one twice as far back, for all elements at once: log2(length) rounds
    (W. D. Hillis and G. L. Steele, "Data parallel algorithms", 1986).

    Args:
        f: ``f(a, b)`` of two nestings like ``elems``, whose tensors hold any number of elements along ``axis``; ``a`` comes
            before ``b``. Must be associative.
        elems: a nesting of tensors of one length along ``axis``, which must be known when a model is built.
        reverse: combine from the end.
        axis: the axis along which the elements lie.

    Returns:
        A nesting like ``elems``: at each place what all elements up to it give.

    Raises:
        ArgumentError: ``f`` is no function or gives another nesting.
        ShapeError: the lengths differ, or are not known.
    """
    if not callable(f):
        raise ArgumentError(f"associative_scan: f must be a function of two arguments; got {f!r}.")
    parts = _tensors(elems)
    axes = [one_axis(axis, rank_of(x), "associative_scan") for x in parts]
    lengths = {known_length(shape_of(x)[a], "associative_scan: the axis") for x, a in zip(parts, axes, strict=True)}
    if len(lengths) != 1:
        raise ShapeError(f"associative_scan: elems must have one length along axis {axis}; got {sorted(lengths)}.")
    (length,) = lengths

    def cut(start: int, end: int) -> list[Tensor]:
        return [
            apply("Slice", x, starts=(start,), ends=(end,), axes=(a,), steps=(1,))
            for x, a in zip(parts, axes, strict=True)
        ]

    def flipped() -> list[Tensor]:
        return [flip(x, a) for x, a in zip(parts, axes, strict=True)]

    parts = flipped() if reverse else parts
    distance = 1
    while distance < length:
        combined = f(_packed(elems, cut(0, length - distance)), _packed(elems, cut(distance, length)))
        if _nesting(combined) != _nesting(elems):
            raise ArgumentError(
                f"associative_scan: f must return what it is given, {_nesting(elems)}; got {_nesting(combined)}."
            )
        pairs = zip(cut(0, distance), _tensors(combined), axes, strict=True)
        parts = [concatenate([head, tail], a) for head, tail, a in pairs]
        distance *= 2
    return _packed(elems, flipped() if reverse else parts)
