"""TimeDistributed: a layer applied to each time step on its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.custom_objects import registered_module
from graphc.errors import ShapeError
from graphc.ir.graph import Origin
from graphc.layers.activation_layers import ELU, LeakyReLU, ReLU
from graphc.layers.core import Activation, Dense, Identity
from graphc.layers.lambda_layer import Lambda
from graphc.layers.layer import Layer
from graphc.layers.normalization import BatchNormalization
from graphc.layers.operation import Operation
from graphc.layers.recurrent import RNN
from graphc.layers.recurrent_loop import time_major
from graphc.layers.scope import current_path, layer_scope
from graphc.layers.wrapper import Wrapper
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.loops import scan_steps
from graphc.ops.functional.tracing import BodyTracer, current_tracer
from graphc.structure import flatten, map_structure, pack_like

# Layers that act on the last axis, or on each element: they do not care how many axes are before it.
_RANK_FREE: tuple[type[Layer], ...] = (Activation, Dense, ELU, Identity, LeakyReLU, ReLU)

# Functions of graphc.ops that act on each element.
_ELEMENTWISE = frozenset(
    """
    abs absolute add cast ceil clip cos divide elu equal erf exp expm1 floor gelu greater greater_equal hard_sigmoid hard_silu
    leaky_relu less less_equal log log1p log_sigmoid logical_and logical_not logical_or maximum minimum mod multiply negative
    not_equal power reciprocal relu relu6 round rsqrt selu sigmoid sign silu sin softplus softsign sqrt square subtract tanh
    true_divide where
    """.split()
)


class TimeDistributed(Wrapper):
    """Applies a layer to every time step: input ``(batch, time, ...)``, output ``(batch, time, ...)``.

    Layers that treat each sample on its own see the steps as samples of one large batch. For others (statistics over the
    batch, layers of the user) each step is a batch of its own, in a loop: what Keras computes.

    Args:
        layer: a layer or model of one input.

    Call arguments:
        mask: ``(batch, time, ...)``: the layer inside gets the part of each step, if it takes masks.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _step_shape(self, input_shape: Any) -> tuple[Any, ...]:
        if not isinstance(input_shape, list | tuple) or len(input_shape) < 3:
            raise ShapeError(
                f"`TimeDistributed` layer {self.name!r} should be passed an input of at least 3 dimensions, "
                f"(batch, time, ...); received: {input_shape}"
            )
        return (input_shape[0], *input_shape[2:])

    def build(self, input_shape: Any) -> None:
        """Build the layer for one time step."""
        super().build(self._step_shape(input_shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape that the layer gives for one step, with the time axis."""
        batch, *rest = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (batch, input_shape[1], *rest)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs of all steps."""
        self._check_mask(inputs, mask)
        if "mask" not in self.layer._call_parameters:
            mask = None
        if mask is None and type(self.layer) in _RANK_FREE:
            return self._apply(inputs, None, training)
        if all(_is_per_sample(part, training) for part in self.layer._flatten_layers()):
            return self._as_one_batch(inputs, mask, training)
        return self._as_loop(inputs, mask, training)

    def _as_one_batch(self, inputs: Any, mask: Any, training: bool | None) -> Any:
        batch, time, *_ = ops.shape(inputs)

        def join(x: Any) -> Any:
            return ops.reshape(x, (batch * time, *ops.shape(x)[2:]))

        outputs = self._apply(join(inputs), None if mask is None else join(mask), training)
        return map_structure(lambda y: ops.reshape(y, (batch, time, *ops.shape(y)[1:])), outputs)

    def _as_loop(self, inputs: Any, mask: Any, training: bool | None) -> Any:
        traced = current_tracer() is not None
        changing = _changing(self.layer, training) if traced else []
        nesting: list[Any] = []

        def step(slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
            x, part = (*slices, None)[:2]
            body = current_tracer()
            if isinstance(
                body, BodyTracer
            ):  # what a step changes goes from step to step, and is assigned behind the loop
                for variable, state in zip(changing, states, strict=True):
                    body.carry(variable, state)
            outputs = self._apply(x, part, training)
            nesting[:] = [map_structure(lambda _: None, outputs)]
            return flatten(outputs), [variable.value for variable in changing]

        sliced = [time_major(x) for x in (inputs, mask) if x is not None]
        outputs, ends = scan_steps(step, [variable.value for variable in changing], sliced)
        for variable, end in zip(changing, ends, strict=True):
            variable.assign(end)
        return pack_like(nesting[0], [time_major(y) for y in outputs])

    def _apply(self, x: Any, mask: Any, training: bool | None) -> Any:
        """The ``call`` of the layer inside, which is all that Keras uses of it: not its activity regularizer."""
        accepted = {"mask": mask, "training": training}
        given = {k: v for k, v in accepted.items() if v is not None and k in self.layer._call_parameters}
        call: Callable[..., Any] = self.layer.call
        tracer = current_tracer()
        with layer_scope(self.layer.name, training):
            if tracer is None:
                return call(x, **given)
            with tracer.builder.origin(Origin("/".join(current_path()), *self.layer._origin)):
                return call(x, **given)

    def _check_mask(self, inputs: Any, mask: Any) -> None:
        if mask is None:
            return
        shape, wanted = dispatch.shape_of(mask), dispatch.shape_of(inputs)[:2]
        known = zip(shape, wanted, strict=False)
        if len(shape) < 2 or any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in known):
            shown = [tuple(None if isinstance(d, str) else d for d in s) for s in (shape, wanted)]
            raise ShapeError(
                f"The `mask` passed to `TimeDistributed` layer {self.name!r} must start with the batch and the time steps of "
                f"the input, {shown[1]}; it has shape {shown[0]}."
            )


def _is_per_sample(part: Layer, training: bool | None) -> bool:
    """Whether a layer, apart from the layers inside it, treats each sample without regard to the others."""
    if isinstance(part, Operation):
        return part.function.__name__ in _ELEMENTWISE
    if registered_module(type(part)) is None or isinstance(part, Lambda) or part.activity_regularizer is not None:
        return False
    if isinstance(part, BatchNormalization):
        return not training or not part.trainable
    if training and getattr(part, "noise_shape", None) is not None:
        return False
    if isinstance(part, RNN):
        return not part.stateful
    return not (training and any(not v.born_trainable for v in part._own_variables()))


def _changing(layer: Layer, training: bool | None) -> list[Any]:
    """The variables that a call of the layer may change: moving averages in training, and states that are kept."""
    parts = layer._flatten_layers()
    kept = [v for part in parts if isinstance(part, RNN) for v in flatten(part.states or [])]
    return kept + [v for v in layer.variables if training and not v.born_trainable]
