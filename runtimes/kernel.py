"""The contract between the NumPy runtime and its kernels.

A kernel is *bound* once per plan: it receives its operands and result buffers, does every lookup and shape computation
there, and returns a function without arguments that the run loop calls. The bound function must not allocate where it
can avoid it, and must write its results into the buffers it was given.

There is no data yet while a kernel is bound: operands are read when the bound function runs. It runs with NumPy's
floating-point warnings off (``numpy.errstate``), since infinities and NaN are ordinary values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from graphc.errors import GraphError
from graphc.ir.graph import Graph

Array = np.ndarray[Any, Any]
Step = Callable[[], object]


class PlannedBody(Protocol):
    """The body of a loop, bound to buffers; a kernel runs it once for each step."""

    inputs: dict[str, Array]
    """Name to the buffer that a step's slice is copied into."""
    outputs: dict[str, Array]
    """Name to the buffer that holds the result after a run; the next run overwrites it."""

    def run(self) -> None:
        """Run every node of the body once, and give its states their updates."""


PlanBody = Callable[[Graph, Mapping[str, Array]], PlannedBody]
"""``plan(graph, state)``: a body, with the arrays of its states, that is ready to run."""


def _no_planner(graph: Graph, _state: Mapping[str, Array]) -> PlannedBody:
    raise GraphError(f"The body {graph.name!r} cannot be planned: whoever binds this kernel must hand in a planner.")


@dataclass(slots=True)
class Call:
    """One node with concrete shapes, ready to be bound.

    Attributes:
        op: the op's name.
        inputs: operand arrays (None for an absent optional operand). Read-only by contract; strides may be any.
        outputs: result arrays, C-contiguous, uninitialised.
        attributes: the node's attributes with every named dim replaced by its length.
        scratch: ``scratch(shape, dtype)`` gives memory that belongs to this kernel during one call only; other kernels
            use the same memory between calls.
        plan: makes the body of a loop ready to run; dims in it have the lengths that they have around it.
        unused: indices of outputs that nobody reads. A kernel that `skips_unused` must not write to them: they may have
            no memory.
    """

    op: str
    inputs: Sequence[Any]
    outputs: Sequence[Array]
    attributes: Mapping[str, Any]
    scratch: Callable[[Sequence[int], Any], Array] = np.empty
    plan: PlanBody = _no_planner
    unused: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Kernel:
    """How to bind an op.

    Attributes:
        bind: gives the function that the run loop calls.
        in_place: the kernel stays right when ``outputs[0]`` is the very same memory as an operand of the same shape and
            dtype.
        skips_unused: the kernel writes nothing to the outputs that ``call.unused`` names.
        view: for ops that can answer with a view of their first operand: gives the view, or None where this operand's
            strides do not allow one (then ``bind`` copies).
    """

    bind: Callable[[Call], Step]
    in_place: bool = False
    skips_unused: bool = False
    view: Callable[[Array, Mapping[str, Any]], Array | None] | None = None
