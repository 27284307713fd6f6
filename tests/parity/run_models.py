"""Runs the cases of whole models: names, weights in order, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cases import (
    ModelCase,
)
from .support import (
    Array,
    Record,
    batch_of,
    flatten,
    one_or_list,
    random_state,
    seed_weights,
    symbolic,
    to_numpy,
    uniform,
)


def model_inputs(case: ModelCase) -> Any:
    """The inputs of a model case, in the structure that the model takes."""
    random = random_state(case.name)
    if isinstance(case.shapes, dict):
        return {name: uniform(random, batch_of(shape), -2.0, 2.0) for name, shape in case.shapes.items()}
    return one_or_list([uniform(random, batch_of(shape), -2.0, 2.0) for shape in case.shapes])


def build_model(k: Any, case: ModelCase) -> Any:
    """The case's model in a fresh session, so that automatic names start at zero."""
    k.utils.clear_session()
    return case.build(k)


def model_outputs(model: Any, case: ModelCase) -> list[Array]:
    """The outputs in inference, flattened."""
    return [to_numpy(value) for value in flatten(model(model_inputs(case)))]


def run_model(k: Any, case: ModelCase, expected: Mapping[str, Any] | None = None) -> Record:
    """Names, weights in order and outputs of a model.

    Arrays: ``out<i>``. Facts: weights, names (of the layers), inputs and outputs (names; Keras's Sequential has no
    output names), signature (symbolic outputs).
    """
    record = Record()
    model = build_model(k, case)
    record.facts["weights"] = list(seed_weights(model, case.name, (expected or {}).get("weights")))
    record.facts["names"] = [layer.name for layer in model.layers]
    record.facts["inputs"] = [tensor.name for tensor in model.inputs]
    record.facts["outputs"] = list(getattr(model, "output_names", []))
    record.facts["signature"] = [symbolic(tensor) for tensor in model.outputs]
    record.arrays |= {f"out{index}": value for index, value in enumerate(model_outputs(model, case))}
    return record


def train_once(k: Any, model: Any, case: ModelCase) -> None:
    """One step with ``case.compiled``, so that the optimizer has a state to save."""
    model.compile(optimizer=getattr(k.optimizers, case.compiled)(), loss="mse")
    random = random_state("targets of " + case.name)
    targets = [uniform(random, value.shape, -1.0, 1.0) for value in model_outputs(model, case)]
    model.train_on_batch(model_inputs(case), one_or_list(targets))
