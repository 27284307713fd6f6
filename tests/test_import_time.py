"""``import graphc`` loads little besides NumPy and NetworkX. (How long it takes is for a benchmark to say.)"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import graphc

# Heavy packages that a part of graphc, or a package that it uses, imports when it needs them.
LATE = (
    *("onnx", "onnxruntime", "google.protobuf", "h5py", "click"),
    *("scipy", "pandas", "matplotlib", "sympy", "lxml", "pydot", "pygraphviz"),  # extras of NetworkX
    *("keras", "tensorflow", "torch", "jax", "ml_dtypes", "tqdm", "rich", "pooch", "requests"),
    *("hypothesis", "pytest"),
)


def run_python(code: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs `code` in a fresh interpreter, in `folder`, with the graphc that this test has imported."""
    assert graphc.__file__ is not None
    environment = {**os.environ, "PYTHONPATH": str(Path(graphc.__file__).parents[1])}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that a fresh interpreter has after ``import graphc``."""
    code = "import graphc, json, sys; print(json.dumps(sorted(sys.modules)))"
    result = run_python(code, tmp_path_factory.mktemp("elsewhere"))
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


def test_what_is_loaded_is_seen(loaded: set[str]) -> None:
    assert {"graphc", "numpy"} <= loaded


@pytest.mark.parametrize("name", LATE)
def test_heavy_package_is_not_loaded(loaded: set[str], name: str) -> None:
    assert not [module for module in loaded if module == name or module.startswith(f"{name}.")]


def test_import_warns_of_nothing_and_prints_nothing(tmp_path: Path) -> None:
    result = run_python("import graphc", tmp_path, "-W", "error")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_import_writes_no_files(tmp_path: Path) -> None:
    assert run_python("import graphc", tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime", "h5py", "click"])
def test_import_works_without(tmp_path: Path, missing: str) -> None:
    result = run_python(f"import sys; sys.modules[{missing!r}] = None; import graphc", tmp_path)
    assert result.returncode == 0, result.stderr
