"""The train step as one graph: forward, losses, gradients, update, metrics, moving statistics and random state.

State goes in and comes out as updates of the graph; the same graph serves NumPy and, exported, any runtime of standard ops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc import compiler
from graphc.autodiff import gradient
from graphc.compile_arguments import CompiledMetric, OutputTarget, resolve_metrics
from graphc.errors import ArgumentError
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.layers.scope import outermost
from graphc.metrics import Mean
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.tracing import TracedTensor, Tracer
from graphc.ops.functional.variable import Variable
from graphc.structure import flatten, pack_like

if TYPE_CHECKING:
    from graphc.model import Model
    from graphc.runtimes.np_plan import Plan


@dataclass
class LossTrackers:
    """Running means of the total loss, and of each output's where there are several."""

    total: Mean
    outputs: dict[str, Mean] = field(default_factory=dict)

    def all(self) -> dict[str, Mean]:
        """Log key to mean."""
        return {"loss": self.total, **{f"{name}_loss": mean for name, mean in self.outputs.items()}}


@dataclass
class Step:
    """A train or test step, ready to run.

    Attributes:
        metrics: the resolved metrics that the step updates.
        inputs: graph input names, in the order x, y, sample weights.
        optimizer: of a training step.
    """

    lowered: compiler.Lowered
    metrics: list[CompiledMetric]
    inputs: list[str]
    optimizer: Any = None

    def __post_init__(self) -> None:
        self.executable = compiler.executable(self.lowered)

    def plan(self, shapes: Mapping[str, tuple[int, ...]]) -> Plan:
        """The plan for a batch of these shapes."""
        return self.executable.plan(shapes)


@dataclass
class StepRequest:
    """What a step is built for. ``metrics`` is None until the first step has resolved them."""

    targets: Sequence[OutputTarget]
    y_types: Sequence[TensorType | None]
    weight_types: Sequence[TensorType | None]
    trackers: LossTrackers
    metrics: list[CompiledMetric] | None
    training: bool


def build_step(model: Model, request: StepRequest) -> Step:
    """Trace one step of training or evaluation into a graph.

    Raises:
        ArgumentError: there is nothing to minimise.
    """
    names, types, structure, _ = model._signature()
    graph = Graph(f"{model.name}/{'train' if request.training else 'test'}")
    tracer = Tracer(graph, training=request.training)
    if model._random_key is not None:
        tracer.random_key = model._random_key

    def feed(name: str, type_: TensorType | None) -> TracedTensor | None:
        return None if type_ is None else tracer.wrap(tracer.builder.input(name, type_))

    xs = [feed(name, type_) for name, type_ in zip(names, types, strict=True)]
    ys = [feed(f"target/{t.feed}", y) for t, y in zip(request.targets, request.y_types, strict=True)]
    ws = [feed(f"sample_weight/{t.feed}", w) for t, w in zip(request.targets, request.weight_types, strict=True)]
    with outermost(), tracer.active():
        trainable = model.trainable_variables
        outputs = flatten(model.call_inside(pack_like(structure, xs), request.training))
        predictions = [x if isinstance(x, TracedTensor) else tracer.wrap(tracer.value_of(x)) for x in outputs]
        total = _total_loss(model, tracer, request, predictions, ys, ws)
        if request.training:
            _update(model, tracer, total.value, trainable)
        metrics = request.metrics
        if metrics is None:
            metrics = resolve_metrics(request.targets, request.y_types, [p.type for p in predictions])
        for entry in metrics:
            weight = ws[entry.output] if entry.weighted else None
            entry.metric.update_state(ys[entry.output], predictions[entry.output], sample_weight=weight)
        if tracer.draws:
            key = tracer.random_key
            tracer.assign(key, ops.add(tracer.read(key), np.array([0, 1], np.uint32)))
    lowered = compiler.Lowered(graph, tracer.variables, None, tracer.random_key if tracer.draws else None)
    optimizer = model.optimizer if request.training else None
    return Step(lowered, metrics, [v.producer.name for v in graph.inputs], optimizer)


def _total_loss(
    model: Model,
    tracer: Tracer,
    request: StepRequest,
    predictions: Sequence[TracedTensor],
    ys: Sequence[TracedTensor | None],
    ws: Sequence[TracedTensor | None],
) -> TracedTensor:
    batch = ops.cast(dispatch.apply("DimSize", dim=ops.shape(predictions[0])[0]), "float32")
    terms: list[Any] = []
    for target, prediction, y, weight in zip(request.targets, predictions, ys, ws, strict=True):
        if target.loss is None or y is None:
            continue
        loss = target.loss(y, prediction, sample_weight=weight)
        if target.name in request.trackers.outputs:
            request.trackers.outputs[target.name].update_state(loss, sample_weight=batch)
        terms.append(loss if target.weight == 1.0 else ops.multiply(loss, target.weight))
    terms += [v.regularizer(v) for v in model.trainable_variables if v.regularizer is not None]
    terms += [tracer.wrap(value) for value in tracer.losses]
    if not terms:
        raise ArgumentError(
            f"Model {model.name!r} has nothing to minimise: pass `loss` to compile, and targets `y` for it to compare with."
        )
    total = terms[0]
    for term in terms[1:]:
        total = ops.add(total, term)
    request.trackers.total.update_state(total, sample_weight=batch)
    result: TracedTensor = total
    return result


def _update(model: Model, tracer: Tracer, total: Value, trainable: Sequence[Variable]) -> None:
    """Emit gradients and the optimizer's update of every weight that the loss depends on."""
    known = {id(v): name for name, v in tracer.variables.items()}
    used = [v for v in trainable if id(v) in known]
    states = tracer.graph.states()
    scaled = tracer.value_of(model.optimizer.scale_loss(tracer.wrap(total)))
    grads = gradient(tracer.builder, scaled, [states[known[id(v)]] for v in used])
    by_variable = {id(v): None if g is None else tracer.wrap(g) for v, g in zip(used, grads, strict=True)}
    with tracer.builder.origin(_optimizer_origin(model)):
        model.optimizer.apply([by_variable.get(id(v)) for v in trainable], list(trainable))


def _optimizer_origin(model: Model) -> Any:
    from graphc.ir.graph import Origin

    return Origin(model.optimizer.name)
