"""Runs the cases of layers: forward pass, weights after a training pass, one SGD step behind a probe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cases import (
    Case,
)
from .support import (
    PROBE_RATE,
    Array,
    Record,
    config_of,
    flatten,
    inputs_of,
    one_or_list,
    random_state,
    seed_weights,
    symbolic,
    to_numpy,
    uniform,
)


def layer_model(k: Any, case: Case, *, probe: bool = False) -> Any:
    """A model of the case's inputs and outputs; with ``probe``, behind a Dense layer on each float input.

    The probe's weights can only move by the gradient that the layer sends back to its inputs.
    """
    declared = case.declared or case.shapes
    inputs = [k.Input(shape, dtype=dtype) for shape, dtype in zip(declared, case.dtypes, strict=True)]
    tensors: list[Any] = list(inputs)
    if probe and case.probe:
        tensors = [
            k.layers.Dense(int(shape[-1] or 0), name=f"probe_{index}")(tensor) if dtype == "float32" else tensor
            for index, (shape, tensor, dtype) in enumerate(zip(case.shapes, inputs, case.dtypes, strict=True))
        ]
    return k.Model(one_or_list(inputs), case.apply(k, tensors))


def run_layer(k: Any, case: Case, expected: Mapping[str, Any] | None = None) -> Record:
    """Forward pass, and one SGD step behind a probe.

    Arrays: ``out<i>``; ``state<i>``, the weights after a pass with ``training=True``; ``step<i>``, those after the SGD
    step. Facts: weights, probe_weights, outputs (symbolic), config, loss.
    """
    expected = expected or {}
    record = Record()
    xs = inputs_of(case)
    model = layer_model(k, case)
    named = seed_weights(model, case.name, expected.get("weights"))
    arguments = {"training": True} if case.training else {}
    outputs = [to_numpy(value) for value in flatten(model(one_or_list(xs), **arguments))]
    record.arrays |= {f"out{index}": value for index, value in enumerate(outputs)}
    if case.training:
        record.arrays |= {f"state{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}
    record.facts |= {"weights": list(named), "outputs": [symbolic(tensor) for tensor in model.outputs]}
    if case.layer:
        record.facts["config"] = config_of(case.make(k))
    if case.is_trained:
        record.arrays |= _probe_step(k, case, outputs, expected, record.facts)
    return record


def _probe_step(
    k: Any, case: Case, outputs: list[Array], expected: Mapping[str, Any], facts: dict[str, Any]
) -> dict[str, Array]:
    model = layer_model(k, case, probe=True)
    facts["probe_weights"] = list(seed_weights(model, "probe " + case.name, expected.get("probe_weights")))
    model.compile(optimizer=k.optimizers.SGD(learning_rate=PROBE_RATE), loss=k.losses.MeanSquaredError())
    random = random_state("targets of " + case.name)
    targets = [uniform(random, value.shape, -1.0, 1.0) for value in outputs]
    logs = model.train_on_batch(one_or_list(inputs_of(case)), one_or_list(targets))
    facts["loss"] = float(flatten(logs)[0])  # with several outputs, the losses of each come behind the total
    return {f"step{index}": to_numpy(value) for index, value in enumerate(model.get_weights())}
