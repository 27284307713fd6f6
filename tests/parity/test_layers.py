"""Layers, activation functions and ops against Keras: values, gradients, configs, JSON, ONNX."""

from __future__ import annotations

import functools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest

import graphc

from . import harness
from .cases import LAYER_CASES, Case

CASES = {case.name: case for case in LAYER_CASES}
LAYERS = [case.name for case in LAYER_CASES if case.layer]
TRAINED = [case.name for case in LAYER_CASES if case.is_trained]
EXPORTED = [case.name for case in LAYER_CASES if not case.onnx]


@functools.cache
def ours(name: str) -> harness.Record:
    return harness.run_layer(graphc, CASES[name], keras(name).facts)


@functools.cache
def keras(name: str) -> harness.Record:
    return harness.layer_fixture(name)


def seeded_model(case: Case) -> Any:
    model = harness.layer_model(graphc, case)
    harness.seed_weights(model, case.name, keras(case.name).facts["weights"])
    return model


def forward(model: Any, case: Case) -> list[harness.Array]:
    outputs = model(harness.one_or_list(harness.inputs_of(case)))
    return [harness.to_numpy(value) for value in harness.flatten(outputs)]


@pytest.mark.parametrize("name", CASES)
def test_forward(name: str) -> None:
    case, theirs = CASES[name], keras(name)
    weights = harness.seeded_weights(name, theirs.facts["weights"])
    atol = max(case.atol, harness.reduction_atol(harness.inputs_of(case), weights))
    keys = [key for key in theirs.arrays if not key.startswith("step")]
    actual = {key: value for key, value in ours(name).arrays.items() if not key.startswith("step")}
    harness.assert_arrays(actual, {key: theirs.arrays[key] for key in keys}, rtol=1e-5, atol=atol)


@pytest.mark.parametrize("name", TRAINED)
def test_step(name: str) -> None:
    theirs, mine = keras(name), ours(name)
    start = harness.seeded_weights("probe " + name, theirs.facts["probe_weights"])
    actual, expected = harness.numbered(mine.arrays, "step"), harness.numbered(theirs.arrays, "step")
    np.testing.assert_allclose(mine.facts["loss"], theirs.facts["loss"], rtol=1e-5)
    for index, (value, reference) in enumerate(zip(actual, expected, strict=True)):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-6, err_msg=f"weight {index}")
    harness.assert_same_update(start, actual, expected)


def fits(declared: dict[str, Any], value: harness.Array) -> bool:
    """``value`` has the dtype and the shape that a symbolic tensor declared."""
    shape = declared["shape"]
    same_rank = len(shape) == value.ndim
    sizes = same_rank and all(dim in {None, size} for dim, size in zip(shape, value.shape, strict=True))
    return sizes and str(value.dtype) == declared["dtype"]


@pytest.mark.parametrize("name", CASES)
def test_symbolic_outputs_tell_the_truth(name: str) -> None:
    mine, theirs = ours(name), keras(name)
    for index, (declared, reference) in enumerate(zip(mine.facts["outputs"], theirs.facts["outputs"], strict=True)):
        assert fits(declared, mine.arrays[f"out{index}"]), declared
        # Keras itself declares glu's output too wide and concatenated integers as floats.
        if fits(reference, theirs.arrays[f"out{index}"]):
            assert declared == reference


@pytest.mark.parametrize("name", CASES)
def test_weights_are_keras_weights(name: str) -> None:
    named = harness.weight_names(seeded_model(CASES[name]))
    assert [list(item) for item in named] == keras(name).facts["weights"]


@pytest.mark.parametrize("name", LAYERS)
def test_config_is_keras_config(name: str) -> None:
    harness.assert_same_json(ours(name).facts["config"], keras(name).facts["config"])


@pytest.mark.parametrize("name", LAYERS)
def test_config_round_trip(name: str) -> None:
    case = CASES[name]
    layer = case.make(graphc)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    declared = case.declared or case.shapes
    inputs = [graphc.Input(shape, dtype=dtype) for shape, dtype in zip(declared, case.dtypes, strict=True)]
    model = graphc.Model(harness.one_or_list(inputs), case.connect(again, inputs))
    harness.seed_weights(model, name, keras(name).facts["weights"])
    for value, reference in zip(forward(model, case), forward(seeded_model(case), case), strict=True):
        np.testing.assert_array_equal(value, reference)


@pytest.mark.parametrize("name", CASES)
def test_json_round_trip(name: str) -> None:
    case = CASES[name]
    model = seeded_model(case)
    again = graphc.models.model_from_json(model.to_json())
    assert again.to_json() == model.to_json()
    again.set_weights(model.get_weights())
    for value, reference in zip(forward(again, case), forward(model, case), strict=True):
        np.testing.assert_array_equal(value, reference)


def other_inputs(case: Case) -> list[list[harness.Array]]:
    """The inputs of a case with another batch size, and with other lengths where the model leaves them open."""
    inputs = harness.inputs_of(case)
    found = [[x[:2] for x in inputs]]
    declared = case.declared or case.shapes
    if any(None in shape for shape in declared):
        # Windows keep fitting, and reshapes dividing, when a length is doubled.
        found.append(
            [
                np.concatenate([x] * 2, axis=1 + shape.index(None)) if None in shape else x
                for x, shape in zip(inputs, declared, strict=True)
            ]
        )
    return found


@pytest.mark.parametrize("name", EXPORTED)
def test_onnx_runtime_agrees(name: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    case = CASES[name]
    model = seeded_model(case)
    path = tmp_path / "model.onnx"
    model.export(path, format="onnx")
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    weights = harness.seeded_weights(name, keras(name).facts["weights"])
    for inputs in (harness.inputs_of(case), *other_inputs(case)):
        atol = max(1e-5, harness.reduction_atol(inputs, weights))
        expected = harness.flatten(model(harness.one_or_list(inputs)))
        for value, reference in zip(
            session.run(None, dict(zip(names, inputs, strict=True))), map(harness.to_numpy, expected), strict=True
        ):
            assert value.dtype == reference.dtype
            assert value.shape == reference.shape
            np.testing.assert_allclose(value, reference, rtol=1e-5, atol=atol)


def public_classes(module: ModuleType, base: type) -> dict[str, type]:
    """The public classes of ``module`` that derive from ``base``, without ``base``."""
    found = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    }


NO_CASE = {"InputLayer", "Wrapper"}  # a placeholder and an abstract base: neither computes anything


def is_activation(name: str) -> bool:
    try:
        return graphc.activations.get(name) is getattr(graphc.activations, name)
    except ValueError:
        return False


def test_every_layer_has_a_case() -> None:
    covered = {getattr(graphc.layers, case.layer) for case in LAYER_CASES if case.layer}
    public = public_classes(graphc.layers, graphc.layers.Layer)
    missing = sorted(name for name, layer in public.items() if layer not in covered and name not in NO_CASE)
    assert not missing, f"layers without a parity case: {missing}"


def test_every_activation_has_a_case() -> None:
    covered = {str(case.config["activation"]) for case in LAYER_CASES if case.layer == "Activation"}
    covered |= {name.removeprefix("activations/").split("-")[0] for name in CASES if name.startswith("activations/")}
    missing = sorted(name for name in dir(graphc.activations) if is_activation(name) and name not in covered)
    assert not missing, f"activation functions without a parity case: {missing}"
