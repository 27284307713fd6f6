"""The NumPy runtime: plans per input shapes, and single ops at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any

import numpy as np

from graphc.errors import GraphError
from graphc.ir import dtypes
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType, concrete_lengths
from graphc.ops.registry import OPS
from graphc.runtimes.feeds import FeedType, bind_dims, check_feeds
from graphc.runtimes.kernel import Array, Call
from graphc.runtimes.np_kernels import KERNELS
from graphc.runtimes.np_plan import Plan, Planner, resolve_attributes

MAX_PLANS = 16
"""Plans kept per executable; a plan holds its buffers, and the one used longest ago goes first."""


class NumpyExecutable:
    """A graph that runs on NumPy.

    Attributes:
        graph: the graph; it must not change any more.
        state: state name to its array. A run reads them and writes the graph's updates into them, in place.
        lock: held while a plan's buffers are in use: they serve one run at a time. Who uses `plan` directly takes it.
    """

    def __init__(self, graph: Graph, state: Mapping[str, Array] | None = None) -> None:
        self.graph = graph
        self.state: dict[str, Array] = dict(state or {})
        self._inputs = {v.producer.name: FeedType(v.type.dtype, v.type.shape) for v in graph.inputs}
        self._plans: OrderedDict[tuple[tuple[int, ...], ...], Plan] = OrderedDict()
        self.lock = RLock()
        for name, value in graph.states().items():
            if name not in self.state:
                raise GraphError(f"State {name!r} of graph {graph.name!r} has no array; pass it in `state`.")
            array = self.state[name]
            expected = dtypes.numpy_dtype(value.type.dtype)
            if array.shape != value.type.shape or array.dtype != expected:
                raise GraphError(f"State {name!r} must be {value.type}; its array is {array.dtype}{list(array.shape)}.")

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Array]:
        """Run once.

        Args:
            feeds: input name to array, of the declared dtype and a shape that fits the declared one.

        Returns:
            Output name to a new array.

        Raises:
            ArgumentError: an input is missing or unknown.
            ShapeError: an input has a wrong shape.
            DTypeError: an input has another dtype.
            ExecutionError: a kernel failed; names the node and where it comes from.
        """
        arrays = check_feeds(self._inputs, feeds)
        with self.lock:
            plan = self.plan({name: a.shape for name, a in arrays.items()})
            for name, buffer in plan.inputs.items():
                np.copyto(buffer, arrays[name])
            plan.execute()
            return {name: buffer.copy() for name, buffer in plan.outputs.items()}

    def plan(self, shapes: Mapping[str, tuple[int, ...]]) -> Plan:
        """The plan for these input shapes, made at first use. Write feeds to ``plan.inputs``, then ``plan.execute()``."""
        signature = tuple(tuple(shapes[name]) for name in self._inputs)
        with self.lock:
            plan = self._plans.get(signature)
            if plan is None:
                sizes = bind_dims(self._inputs, shapes)
                plan = self._plans[signature] = Planner(self.graph, KERNELS, self.state, sizes).make()
                if len(self._plans) > MAX_PLANS:
                    self._plans.popitem(last=False)
            else:
                self._plans.move_to_end(signature)
            return plan


def prepare(graph: Graph, state: Mapping[str, Array] | None = None) -> NumpyExecutable:
    """Make a graph ready to run on NumPy.

    Args:
        graph: a verified graph.
        state: state name to array; shared, not copied.
    """
    return NumpyExecutable(graph, state)


def plan_body(body: Graph, state: Mapping[str, Array]) -> Plan:
    """The step of a loop without named dims, ready to run: for kernels that are bound outside of a plan."""
    return Planner(body, KERNELS, state, {}).make()


def evaluate_op(op: str, inputs: Sequence[Array | None], attributes: Mapping[str, Any]) -> tuple[Array, ...]:
    """Run one op on arrays at once: what eager functions and constant folding use.

    Args:
        op: the op's name.
        inputs: operands; None for an absent optional one.
        attributes: as given to the builder; defaults are filled in.

    Returns:
        New arrays, one for each output.
    """
    complete = OPS.attributes(op, attributes)
    types = [None if a is None else TensorType(dtypes.standardize_dtype(a.dtype), a.shape) for a in inputs]
    results = OPS.infer(op, types, complete)
    outputs = [np.empty(concrete_lengths(t.shape, {}), dtypes.numpy_dtype(t.dtype)) for t in results]
    with np.errstate(all="ignore"):
        KERNELS[op].bind(Call(op, inputs, outputs, resolve_attributes(complete, {}), plan=plan_body))()
    return tuple(outputs)
