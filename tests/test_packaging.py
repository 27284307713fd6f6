"""What an installation gets: the three folders as one package, its data, its dependencies."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS: dict[str, Any] = PYPROJECT["tool"]["setuptools"]
LINKS = (ROOT / "graphc" / "passes", ROOT / "graphc" / "runtimes")  # files where the system has no links


def source_files() -> Iterator[tuple[str, Path]]:
    """Yields (package, file) for what is in the three folders; the two links between them are left out."""
    for folder, top in (("graphc", "graphc"), ("passes", "graphc.passes"), ("runtimes", "graphc.runtimes")):
        for parent, folders, files in os.walk(ROOT / folder, followlinks=False):
            folders[:] = sorted(set(folders) - {"__pycache__"})
            package = ".".join([top, *Path(parent).relative_to(ROOT / folder).parts])
            for file in sorted(files):
                if Path(parent, file) not in LINKS:
                    yield package, Path(parent, file)


def test_packages_are_the_folders_with_python_files() -> None:
    folders = sorted({package for package, file in source_files() if file.suffix == ".py"})
    assert SETUPTOOLS["packages"] == folders, "a new sub-package must be added to [tool.setuptools] packages"


def test_each_package_has_an_init_file() -> None:
    with_init = {package for package, file in source_files() if file.name == "__init__.py"}
    assert sorted(with_init) == SETUPTOOLS["packages"]


def test_data_files_are_declared() -> None:
    # A file that no pattern names works in the checkout and is missing from the wheel.
    patterns: dict[str, list[str]] = SETUPTOOLS["package-data"]
    forgotten = [
        str(file.relative_to(ROOT))
        for package, file in source_files()
        if file.suffix != ".py" and not any(fnmatchcase(file.name, pattern) for pattern in patterns.get(package, []))
    ]
    assert forgotten == []


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)
def test_folder_is_part_of_the_package(link: Path) -> None:
    folder = link.name
    assert SETUPTOOLS["package-dir"][f"graphc.{folder}"] == folder
    if link.is_symlink():
        assert link.readlink() == Path("..", folder), "relative, or a clone elsewhere has a dead link"
        assert link.resolve() == ROOT / folder
    else:  # git on a system without links checks out a text file with the target
        assert link.read_text() == f"../{folder}"


def test_console_script() -> None:
    module, _, function = PYPROJECT["project"]["scripts"]["graphc"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


class TestDependencies:
    """Every package that is imported is declared, and every one that is declared is imported."""

    def declared(self, *extras: str) -> set[str]:
        project = PYPROJECT["project"]
        requirements = [*project["dependencies"]]
        for extra in extras:
            requirements += project["optional-dependencies"][extra]
        names = {re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0] for requirement in requirements}
        return names - {"graphc"}

    def imported(self, files: Iterator[Path]) -> set[str]:
        own = {"graphc", "passes", "runtimes", "models", "tools", "tests"}
        tops: set[str] = set()
        for file in files:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    tops |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    tops.add(node.module.split(".")[0])
        names = {"PIL": "pillow"}  # packages that are installed by another name than they are imported by
        return {names.get(top, top) for top in tops - own - set(sys.stdlib_module_names)}

    def test_of_the_package(self) -> None:
        imported = self.imported(file for _, file in source_files() if file.suffix == ".py")
        assert imported == self.declared("cpu", "plot")

    def test_gpu_extra_is_the_other_build_of_the_same_package(self) -> None:
        extras = PYPROJECT["project"]["optional-dependencies"]
        assert [name.replace("onnxruntime", "onnxruntime-gpu") for name in extras["cpu"]] == extras["gpu"]

    def test_of_the_tests(self) -> None:
        tests = ROOT / "tests"
        imported = self.imported(file for file in tests.rglob("*.py"))
        imported -= {path.stem for path in tests.iterdir()}  # helpers of the tests themselves
        imported -= {path.stem for path in (tests / "parity").iterdir()}
        optional = {"keras"}  # the tests marked peer skip without it
        assert imported - optional <= self.declared("cpu", "test")


@pytest.mark.slow
def test_wheel(tmp_path: Path) -> None:
    """Builds the wheel from a copy of the tree (setuptools leaves its work in the tree) and checks what is in it."""
    pytest.importorskip("build", reason="the extra `dev` has it")
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("graphc", "passes", "runtimes", "pyproject.toml", "README.md", "LICENSE", "tools"):
        subprocess.run(["cp", "-R", "-P", str(ROOT / name), str(copy)], check=True)
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(copy)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    checker = [sys.executable, str(ROOT / "tools" / "check_wheel.py"), str(wheel), "--no-install"]
    result = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
