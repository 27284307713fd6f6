"""Runs the parity cases under real Keras 3 and stores what it computes in ``tests/parity/fixtures``.

    KERAS_BACKEND=jax python tools/make_keras_fixtures.py            # write all fixtures
    python tools/make_keras_fixtures.py --only layers/pooling        # write those of some groups
    python tools/make_keras_fixtures.py --check                      # run again and compare, write nothing
    KERAS_BACKEND=torch python tools/make_keras_fixtures.py --check --rtol 1e-5    # do Keras's own backends agree?

The default backend is jax. What is written does not depend on the time or on the order of the cases. In a check, HDF5
files are compared by their data sets, and a case that the backend cannot run is reported by itself.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parents[1] / "tests"


def load_keras() -> Any:
    """The keras package, or a one-line exit when it cannot be imported."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        return importlib.import_module("keras")
    except ImportError as error:
        sys.exit(f"make_keras_fixtures: Keras 3 cannot be imported ({error}); pip install keras jax h5py")


def versions(keras: Any) -> dict[str, str]:
    """What made the fixtures."""
    backend = keras.config.backend()
    found = {"keras": keras.__version__, "backend": backend, "numpy": np.__version__}
    return found | {backend: str(importlib.import_module(backend).__version__)}


def collect(
    keras: Any, harness: Any, groups: Collection[str], refused: dict[str, str] | None
) -> dict[str, dict[str, Any]]:
    """The records of every case of some groups, by group and name.

    With ``refused``, a case that raises is put there as ``<group>/<case>`` with the reason; without, it ends the run.
    """
    records: dict[str, dict[str, Any]] = {}
    for group in groups:
        run, cases = harness.GROUPS[group]
        records[group] = {}
        for case in cases:
            if case.name in records[group]:
                sys.exit(f"make_keras_fixtures: two {group} cases are called {case.name}")
            try:
                records[group][case.name] = run(keras, case)
            except Exception as error:
                if refused is None:
                    raise
                refused[f"{group}/{case.name}"] = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
        print(f"{group}: {len(cases)} cases", flush=True)
    return records


def automatic_names(keras: Any, cases: Any) -> list[str]:
    """The names that Keras gives to unnamed layers in a fresh session."""
    keras.utils.clear_session()
    return [getattr(keras.layers, name)(**config).name for name, config in cases.NAMED_LAYERS]


def facts_text(facts: Mapping[str, Any]) -> str:
    """JSON with one case per line, so that a change shows as that case's line."""
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in facts.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_group(folder: Path, group: str, records: Mapping[str, Any]) -> None:
    """``<group>.npz`` with keys ``<case>:<array>`` and ``<group>.json`` with the facts."""
    (folder / group).parent.mkdir(exist_ok=True)
    arrays = {f"{name}:{key}": value for name, record in records.items() for key, value in record.arrays.items()}
    np.savez_compressed(folder / f"{group}.npz", **arrays)
    text = facts_text({name: record.facts for name, record in records.items()})
    (folder / f"{group}.json").write_text(text, encoding="utf-8")


def write_models(keras: Any, harness: Any, cases: Any, folder: Path) -> None:
    """``models/<name>.json``, and ``models/<name>.weights.h5`` for the cases that are saved, as Keras writes them."""
    folder.mkdir(exist_ok=True)
    for case in cases.MODEL_CASES:
        model = harness.build_model(keras, case)
        (folder / f"{case.name}.json").write_text(model.to_json() + "\n", encoding="utf-8")
        if case.saved:
            harness.seed_weights(model, case.name, None)
            if case.compiled:
                harness.train_once(keras, model, case)
            model.save_weights(folder / f"{case.name}.weights.h5")


def write_manifest(folder: Path, made_by: Mapping[str, str], names: list[str]) -> None:
    """``manifest.json``: versions and automatic layer names."""
    content = {"made_by": dict(made_by), "automatic_names": names}
    (folder / "manifest.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, leaf) of nested JSON; a key's place among its siblings is part of its path, because order matters."""
    if isinstance(value, dict):
        for place, (key, item) in enumerate(value.items()):
            yield from leaves(item, f"{path}/{place}.{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, f"{path}/{place}")
    else:
        yield path, value


def differs(stored: Any, found: Any, rtol: float, atol: float) -> str:
    """What is different between two JSON values, or ""."""
    left, right = dict(leaves(stored)), dict(leaves(found))
    if list(left) != list(right):
        return f"keys {sorted(set(left) ^ set(right))[:4]}"
    for path, value in left.items():
        other = right[path]
        if isinstance(value, float) and isinstance(other, float):
            if not np.isclose(value, other, rtol=rtol, atol=atol):
                return f"{path}: stored {value!r}, now {other!r}"
        elif value != other:
            return f"{path}: stored {value!r}, now {other!r}"
    return ""


def compare_arrays(stored: Mapping[str, Any], found: Mapping[str, Any], rtol: float, atol: float) -> Iterator[str]:
    """One line for each array that is missing, new or different."""
    for key in sorted(set(stored) ^ set(found)):
        yield f"{key}: only in {'the fixture' if key in stored else 'this run'}"
    for key in sorted(set(stored) & set(found)):
        left, right = stored[key], found[key]
        if left.shape != right.shape or left.dtype != right.dtype:
            yield f"{key}: stored {left.dtype}{left.shape}, now {right.dtype}{right.shape}"
        elif not np.allclose(left, right, rtol=rtol, atol=atol, equal_nan=True):
            yield f"{key}: largest difference {np.abs(left - right).max():.3g}"


def read_h5(path: Path) -> dict[str, Any]:
    """Every data set of an HDF5 file by path."""
    import h5py

    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


def compare_json(
    group: str, stored: Path, found: Path, rtol: float, atol: float, refused: Mapping[str, str]
) -> Iterator[str]:
    """One line for each case of a file of facts that differs; for another JSON file at most one line."""
    left, right = (json.loads(path.read_text(encoding="utf-8")) for path in (stored, found))
    if stored.parent.name == "models":
        left, right = {"": left}, {"": right}
    left.pop("made_by", None), right.pop("made_by", None)
    for name in [*left, *(name for name in right if name not in left)]:
        difference = differs(left.get(name), right.get(name), rtol, atol)
        if difference and f"{group}/{name}" not in refused:
            yield f"{name}: {difference}"


def compare(
    stored: Path, found: Path, rtol: float, atol: float, refused: Mapping[str, str], *, missing_too: bool = True
) -> list[str]:
    """Every difference between two folders of fixtures, but for versions and for the cases in ``refused``.

    With ``missing_too``, a file that is only in ``stored`` is a difference.
    """
    lines: list[str] = []
    folders = (stored, found) if missing_too else (found,)
    names = sorted({str(path.relative_to(top)) for top in folders for path in top.rglob("*") if path.is_file()})
    for name in names:
        left, right = stored / name, found / name
        if not (left.exists() and right.exists()):
            lines.append(f"{name}: only in {'the fixtures' if left.exists() else 'this run'}")
        elif name.endswith(".npz"):
            group = name.removesuffix(".npz")
            old, new = (
                {
                    key: value
                    for key, value in np.load(path).items()
                    if f"{group}/{key.rsplit(':', 1)[0]}" not in refused
                }
                for path in (left, right)
            )
            lines += [f"{name}: {line}" for line in compare_arrays(old, new, rtol, atol)]
        elif name.endswith(".h5"):
            lines += [f"{name}: {line}" for line in compare_arrays(read_h5(left), read_h5(right), rtol, atol)]
        else:
            group = name.removesuffix(".json")
            lines += [f"{name}: {line}" for line in compare_json(group, left, right, rtol, atol, refused)]
    return lines


def main() -> int:
    """Write the fixtures, or with ``--check`` compare; 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the stored fixtures and write nothing")
    parser.add_argument("--rtol", type=float, default=1e-6, help="relative tolerance of --check (default %(default)s)")
    parser.add_argument("--atol", type=float, default=1e-6, help="absolute tolerance of --check (default %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="GROUP", help="only these groups, such as layers/pooling")
    arguments = parser.parse_args()

    keras = load_keras()
    sys.path.insert(0, str(TESTS))
    harness = importlib.import_module("parity.harness")
    cases = importlib.import_module("parity.cases")
    groups = arguments.only or list(harness.GROUPS)
    if unknown := sorted(set(groups) - set(harness.GROUPS)):
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(harness.GROUPS)}")
    made_by = versions(keras)
    print(", ".join(f"{name} {version}" for name, version in made_by.items()))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if arguments.check else harness.FIXTURES
        folder.mkdir(exist_ok=True)
        refused: dict[str, str] = {}
        records = collect(keras, harness, groups, refused if arguments.check else None)
        for group, found in records.items():
            write_group(folder, group, found)
        if "models" in groups:
            write_models(keras, harness, cases, folder / "models")
        if not arguments.only:
            write_manifest(folder, made_by, automatic_names(keras, cases))
        if not arguments.check:
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            print(f"wrote {size / 1e6:.2f} MB under {folder}")
            return 0
        differences = compare(
            harness.FIXTURES, folder, arguments.rtol, arguments.atol, refused, missing_too=not arguments.only
        )
    for name, reason in refused.items():
        print(f"{name}: this backend cannot run it: {reason}")
    for line in differences:
        print(line)
    print(f"{len(differences)} differences (rtol {arguments.rtol:g}, atol {arguments.atol:g})")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
