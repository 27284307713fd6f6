"""``.keras`` files that real Keras saved, read by graphc; and files of graphc, read by real Keras (peer)."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import graphc

from .archive_cases import ARCHIVE_CASES, ArchiveCase, outputs, seed_weights, train

FIXTURES = Path(__file__).parent / "fixtures"
CASES = {case.name: case for case in ARCHIVE_CASES}


def expected(name: str, kind: str) -> list[Any]:
    """The arrays ``<name>:<kind>0, 1, ...`` that Keras computed."""
    with np.load(FIXTURES / "archives.npz") as file:
        keys = sorted((k for k in file.files if k.startswith(f"{name}:{kind}")), key=lambda k: int(k.split(kind)[-1]))
        return [file[key] for key in keys]


def load(name: str) -> Any:
    return graphc.models.load_model(FIXTURES / f"{name}.keras", custom_objects=CASES[name].custom(graphc))


def saved_by_graphc(case: ArchiveCase, path: Path) -> Any:
    """The case's model, built and trained by graphc as Keras's was, and saved."""
    graphc.utils.clear_session()
    model = case.build(graphc, case.custom(graphc))
    seed_weights(model)
    if case.compile is not None:
        model.compile(**case.compile(graphc))
        train(model, case, steps=2)
    model.save(path)
    return model


def parts(path: Path) -> tuple[Any, dict[str, Any]]:
    """config.json, and every data set and group name of the weights."""
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        stored: dict[str, Any] = {}
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(
                lambda name, item: stored.update(
                    {name: item[()] if isinstance(item, h5py.Dataset) else dict(item.attrs).get("name")}
                )
            )
    stored.pop("graphc", None), stored.pop("graphc/random_key", None)
    return config, stored


def without_ids(value: Any) -> Any:
    """JSON without what is Python's id() in Keras's files, and without the module of a test's own classes."""
    if isinstance(value, dict):
        own = value.get("registered_name") in ("Scale", "Branches", "Regressor", "double")
        skipped = {"shared_object_id", "module"} if own else {"shared_object_id"}
        return {k: without_ids(v) for k, v in value.items() if k not in skipped}
    return [without_ids(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CASES)
def test_keras_archive_gives_keras_numbers(name: str) -> None:
    for ours, theirs in zip(outputs(load(name), CASES[name]), expected(name, "out"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.compile is not None])
def test_training_goes_on_from_keras_archive(name: str) -> None:
    model = load(name)
    assert int(np.asarray(model.optimizer.iterations)) == 2
    train(model, CASES[name], steps=1)
    for ours, theirs in zip(model.get_weights(), expected(name, "after"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_our_archive_is_keras_archive(name: str, tmp_path: Path) -> None:
    saved_by_graphc(CASES[name], tmp_path / "model.keras")
    config, stored = parts(tmp_path / "model.keras")
    keras_config, keras_stored = parts(FIXTURES / f"{name}.keras")
    if name == "subclassed":  # Keras writes the batch that the model happened to be built with
        keras_config["build_config"] = {"input_shape": [3, 5]}
        config["build_config"] = {"input_shape": [3, 5]}
    assert without_ids(config) == without_ids(keras_config)
    # Layers that only compute have empty groups, whose places are those of private attributes.
    missing = [place for place in keras_stored if place not in stored]
    assert all(
        not any(p.startswith(place) and hasattr(v, "shape") for p, v in keras_stored.items()) for place in missing
    )
    for place, value in keras_stored.items():
        if hasattr(value, "shape"):
            atol = 1e-4 if place.startswith("optimizer") else 1e-5  # a slot may be a quotient of two tiny numbers
            np.testing.assert_allclose(stored[place], value, rtol=1e-4, atol=atol, err_msg=place)
        elif place in stored:
            assert stored[place] == value, place


@pytest.mark.peer
@pytest.mark.parametrize("name", [name for name in CASES if name != "tied"])  # Keras cannot load its own file of that
def test_keras_reads_our_archive(name: str, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    case = CASES[name]
    model = saved_by_graphc(case, tmp_path / "model.keras")
    theirs = keras.models.load_model(tmp_path / "model.keras", custom_objects=case.custom(keras))
    for value, reference in zip(theirs.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, reference)
    for value, reference in zip(outputs(theirs, case), outputs(model, case), strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-5)
    if case.compile is not None:
        train(theirs, case, steps=1)
        train(model, case, steps=1)
        for value, reference in zip(theirs.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-5)
