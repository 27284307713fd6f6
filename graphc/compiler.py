"""The only place that joins passes and runtimes: from traced code to something that runs or is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.ir.freeze import freeze
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.layers.scope import outermost
from graphc.ops.functional import dispatch
from graphc.ops.functional.tracing import Tracer
from graphc.ops.functional.variable import Variable
from graphc.ops.registry import OPS
from graphc.passes.base import Options, Pass, PassReport, run_passes
from graphc.passes.pipelines import passes_named
from graphc.runtimes import numpy_runtime
from graphc.structure import flatten, pack_like

Array = np.ndarray[Any, Any]

dispatch.use_evaluator(numpy_runtime.evaluate_op)


@dataclass
class Lowered:
    """A computation as IR, with the variables behind its states.

    Attributes:
        graph: the IR.
        variables: state name to variable.
        outputs: the nesting of output names.
        random_key: the variable that decides random numbers, if any were drawn.
        losses: names of the graph's outputs that hold what layers added to the loss, where those were asked for.
    """

    graph: Graph
    variables: dict[str, Variable]
    outputs: Any
    random_key: Variable | None = None
    losses: tuple[str, ...] = ()

    def state(self) -> dict[str, Array]:
        """State name to the variable's own array."""
        return {name: variable.array for name, variable in self.variables.items()}


def lower(
    function: Callable[..., Any],
    inputs: Mapping[str, TensorType],
    structure: Any,
    output_names: Sequence[str] | None = None,
    *,
    name: str = "model",
    training: bool = False,
    with_losses: bool = False,
) -> Lowered:
    """Trace ``function`` into a graph.

    Args:
        function: called with the traced inputs in the nesting of ``structure``.
        inputs: name to type, in the order of the structure's leaves.
        structure: the nesting of the function's first argument.
        output_names: one for each output; ``output``, ``output_1`` ... by default.
        name: of the graph.
        training: what layers see as ``training``.
        with_losses: what layers add to the loss becomes further outputs, called ``loss``, ``loss_1`` ...
    """
    graph = Graph(name)
    tracer = Tracer(graph, training=training)
    traced = [tracer.wrap(tracer.builder.input(key, type_)) for key, type_ in inputs.items()]
    with outermost(), tracer.active():
        results = function(pack_like(structure, traced))
        values = [tracer.value_of(x) for x in flatten(results)]
    losses = tracer.losses if with_losses else []
    names = unique_names([*(output_names or ["output"] * len(values)), *["loss"] * len(losses)])
    graph.outputs = dict(zip(names, [*values, *losses], strict=True))
    structure, added = pack_like(results, names[: len(values)]), tuple(names[len(values) :])
    return Lowered(graph, tracer.variables, structure, tracer.random_key if tracer.draws else None, added)


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, with ``_1``, ``_2`` ... behind repeated ones."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, count = name, 0
        while candidate in taken:
            count += 1
            candidate = f"{name}_{count}"
        taken.add(candidate)
        result.append(candidate)
    return result


def optimize(graph: Graph, pipeline: str | Sequence[Pass], **options: Any) -> tuple[Graph, list[PassReport]]:
    """Run passes over a copy of the graph: a pipeline by name, passes by name with commas between, or functions."""
    passes = passes_named(pipeline) if isinstance(pipeline, str) else tuple(pipeline)
    return run_passes(graph, passes, Options(rules=OPS, evaluate=numpy_runtime.evaluate_op, **options))


def executable(lowered: Lowered, pipeline: str | Sequence[Pass] = "O1") -> numpy_runtime.NumpyExecutable:
    """Something that runs on NumPy and shares the variables' arrays. Rewrites change no bit of any result."""
    graph, _ = optimize(lowered.graph, pipeline, exact_only=True)
    return numpy_runtime.prepare(graph, lowered.state())


def frozen(lowered: Lowered) -> Graph:
    """A copy of the graph with its states as constants: what is exported."""
    copy, _ = lowered.graph.clone()
    freeze(copy, lowered.state())
    return copy
