"""Who may import whom, and what no module may use: the house rules, read off the source with ``ast``.

Every import counts, also one inside a function and one under ``TYPE_CHECKING``: a module that names a higher floor even
for its types alone cannot be read or moved without it. What a lower floor needs from a higher one is handed in as an
argument.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# --- the tables -------------------------------------------------------------------------------------------------------

# The floors, lowest first; each has groups of modules, named below `graphc.`. A name stands for all that is under it.
# A module may import from its own group and from the floors below. Groups of one floor are siblings: none imports
# another. A new module: add its name to the group where it belongs.
FLOORS: dict[str, dict[str, tuple[str, ...]]] = {
    "ground": {
        "errors": ("errors", "_version", "archives", "atomic", "download", "naming", "nesting", "seeding", "structure"),
    },
    "graph": {
        "ir": ("ir",),
    },
    "ops": {
        "ops": ("ops",),
    },
    "siblings": {
        "autodiff": ("autodiff",),
        "layers and training vocabulary": (
            "layers",
            "activations",
            "callbacks",
            "constraints",
            "custom_objects",
            "datasets",
            "initializers",
            "losses",
            "metrics",
            "object_reader",
            "object_table",
            "object_writer",
            "optimizers",
            "regularizers",
            "serialization",
            "stft_kernel",
        ),
        "passes": ("passes",),
        "runtimes": ("runtimes",),
    },
    "joins": {
        "joins": (
            "applications",
            "backend",
            "class_weight",
            "clone_model",
            "compile_arguments",
            "compiler",
            "config",
            "batch_sources",
            "data",
            "doctor",
            "export",
            "functional",
            "input_signature",
            "interrupts",
            "layer_graph",
            "model",
            "model_files",
            "models",
            "plotting",
            "saving",
            "sequential",
            "summary",
            "text_table",
            "train_step",
            "training",
            "utils",
        ),
    },
    "command line": {
        "cli": ("cli", "cli_*", "__main__"),
    },
}

# `graphc/__init__.py` gathers the public names of every floor, so only the top floor may import from it.
MAY_USE_PUBLIC_NAMES = ("graphc.cli", "graphc.cli_*", "graphc.__main__")

# Third-party packages and who may import them (a pattern stands for all that is under it). Heavy ones have one home
# each: that is where a missing one becomes one clear line. `graphc doctor` asks importlib.metadata for versions.
THIRD_PARTY: dict[str, tuple[str, ...]] = {
    "numpy": ("graphc",),
    "networkx": ("graphc.ir",),
    "onnx": ("graphc.runtimes.onnx_*",),
    "onnxruntime": ("graphc.runtimes.ort_runtime",),
    "h5py": ("graphc.saving",),
    "graphlay": ("graphc.plotting.layout",),
    "pooch": ("graphc.download",),
    "PIL": ("graphc.plotting.png",),
    "click": ("graphc.cli", "graphc.cli_*"),
    "threadpoolctl": ("graphc.doctor", "graphc.runtimes.np_threads"),
}

# What could run code that a file brought, or import a module whose name was computed.
FORBIDDEN_MODULES = (
    *("pickle", "_pickle", "pickletools", "marshal", "shelve", "copyreg", "dill", "cloudpickle", "joblib"),
    *("builtins", "code", "codeop", "imp", "importlib", "pkgutil", "runpy", "zipimport"),
)
ALLOWED_PARTS = ("importlib.resources", "importlib.metadata")
FORBIDDEN_BUILTINS = ("eval", "exec", "compile", "__import__", "__builtins__")
FORBIDDEN_ATTRIBUTES = ("import_module", "__import__", "__builtins__")

# (module, what it uses) -> why that is safe there. An entry that is no longer needed fails the test.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("graphc.ops.functional.indexing", "builtins"): "for Python's own `slice`, which Keras's function hides",
}

# --- reading the source -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Module:
    """One source file under the name by which it is imported."""

    name: str
    tree: ast.Module
    is_package: bool = False


@dataclass(frozen=True)
class Import:
    """One imported name: a module of graphc where that can be told, else what stands in the source."""

    target: str
    line: int


def read_modules() -> dict[str, Module]:
    """Reads each module of the package once: the links in graphc/ to passes/ and runtimes/ are not followed."""
    found = {}
    for folder, package in (("graphc", "graphc"), ("passes", "graphc.passes"), ("runtimes", "graphc.runtimes")):
        for parent, _, files in os.walk(ROOT / folder, followlinks=False):
            for path in (Path(parent, file) for file in files if file.endswith(".py")):
                parts = [package, *path.relative_to(ROOT / folder).with_suffix("").parts]
                is_package = parts[-1] == "__init__"
                name = ".".join(parts[:-1] if is_package else parts)
                assert name not in found, f"{name} is there twice"
                found[name] = Module(name, ast.parse(path.read_text(encoding="utf-8"), str(path)), is_package)
    return dict(sorted(found.items()))


def imports_of(module: Module, known: Collection[str]) -> Iterator[Import]:
    """Yields every import anywhere in `module`; ``from package import module`` counts as an import of the module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.name.split(".")
                kept = len(parents) - node.level + module.is_package
                base = ".".join([*parents[:kept], *([base] if base else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(full if full in known or not is_under(base, "graphc") else base, node.lineno)


def is_under(name: str, pattern: str) -> bool:
    """Says whether `name` is the module that `pattern` names, or one inside it."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def place_of(name: str) -> tuple[int, str] | None:
    """Returns the floor's number and the group of a module, or None when the table does not have it."""
    for number, groups in enumerate(FLOORS.values()):
        for group, members in groups.items():
            if any(is_under(name, f"graphc.{member}") for member in members):
                return number, group
    return None


# --- the rules --------------------------------------------------------------------------------------------------------


def broken_floors(module: Module, known: Collection[str]) -> Iterator[str]:
    """Yields a line for each import that goes up or sideways, or says that the module is not in the table."""
    if module.name == "graphc":
        return
    place = place_of(module.name)
    if place is None:
        yield f"{module.name} is on no floor: add its name to its group in the table FLOORS of tests/test_layering.py"
        return
    floors = list(FLOORS)
    for imported in imports_of(module, known):
        where = f"{module.name}, line {imported.line}, imports {imported.target}"
        if imported.target == "graphc":
            if not any(is_under(module.name, pattern) for pattern in MAY_USE_PUBLIC_NAMES):
                yield f"{where}: import the module that defines the name, not the package that gathers them"
        elif imported.target.split(".")[0] == "graphc" and (target := place_of(imported.target)) is not None:
            if target[0] > place[0]:
                yield f"{where}: {floors[target[0]]!r} is above {floors[place[0]]!r}; hand it in as an argument"
            elif target[0] == place[0] and target[1] != place[1]:
                yield f"{where}: {target[1]!r} and {place[1]!r} are siblings; join them on a floor above"


def broken_third_party(module: Module, known: Collection[str]) -> Iterator[str]:
    """Yields a line for each import of a package that has no business in this module."""
    for imported in imports_of(module, known):
        top = imported.target.split(".")[0]
        where = f"{module.name}, line {imported.line}, imports {imported.target}"
        if top in {"passes", "runtimes"}:
            yield f"{where}: say graphc.{imported.target}; the folder is part of the graphc package"
        elif top == "graphc" or top in sys.stdlib_module_names:
            continue
        elif top not in THIRD_PARTY:
            yield f"{where}: not a dependency of graphc (THIRD_PARTY in tests/test_layering.py has them)"
        elif not any(is_under(module.name, pattern) for pattern in THIRD_PARTY[top]):
            yield f"{where}: {top} is imported only in {', '.join(THIRD_PARTY[top])}"


def uses_of_forbidden(module: Module, known: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yields (what, line) for each way to run code out of data, or to import by a computed name."""
    for imported in imports_of(module, known):
        forbidden = any(is_under(imported.target, name) for name in FORBIDDEN_MODULES)
        if forbidden and not any(is_under(imported.target, part) for part in ALLOWED_PARTS):
            yield imported.target, imported.line
    own = set(bound_names(module.tree))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in FORBIDDEN_BUILTINS:
            # Keras has arguments and methods called `compile`; nothing of ours may be called like the others.
            if node.id != "compile" or "compile" not in own:
                yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_ATTRIBUTES:
            yield node.attr, node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and not is_false(node.value):
            yield "allow_pickle", node.lineno


def is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def bound_names(tree: ast.Module) -> Iterator[str]:
    """Yields the names that a module binds anywhere: functions, classes, arguments, variables."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


# --- the tests --------------------------------------------------------------------------------------------------------

MODULES = read_modules()


def test_all_three_folders_are_read_once() -> None:
    tops = {name.split(".")[1] for name in MODULES if "." in name}
    assert {"ir", "passes", "runtimes"} <= tops
    assert len(MODULES) > 10


def test_imports_keep_to_the_floors() -> None:
    broken = [line for module in MODULES.values() for line in broken_floors(module, MODULES)]
    assert not broken, "\n".join(broken)


def test_third_party_imports_have_one_home() -> None:
    broken = [line for module in MODULES.values() for line in broken_third_party(module, MODULES)]
    assert not broken, "\n".join(broken)


def test_nothing_runs_code_from_data() -> None:
    found = [
        f"{name}, line {line}, uses {what}: if that is safe, say why in EXCEPTIONS of tests/test_layering.py"
        for name, module in MODULES.items()
        for what, line in uses_of_forbidden(module, MODULES)
        if (name, what) not in EXCEPTIONS
    ]
    assert not found, "\n".join(found)


def test_every_exception_is_needed() -> None:
    used = {(name, what) for name, module in MODULES.items() for what, _ in uses_of_forbidden(module, MODULES)}
    assert set(EXCEPTIONS) - used == set()
    assert all(EXCEPTIONS.values()), "an exception needs its reason"


def test_no_module_stands_in_two_groups() -> None:
    names = [name for groups in FLOORS.values() for members in groups.values() for name in members]
    assert len(names) == len(set(names))


# --- the rules themselves can fail ------------------------------------------------------------------------------------

KNOWN = frozenset(
    (
        "graphc",
        "graphc.errors",
        "graphc.ir",
        "graphc.ir.graph",
        "graphc.ops",
        "graphc.autodiff",
        "graphc.layers",
        "graphc.losses",
        "graphc.passes",
        "graphc.passes.cse",
        "graphc.runtimes",
        "graphc.runtimes.np_linalg",
        "graphc.compiler",
        "graphc.cli",
        "graphc.new_idea",
    )
)


def module(name: str, source: str, is_package: bool = False) -> Module:
    return Module(name, ast.parse(source), is_package)


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("graphc.ir.graph", "from graphc.ops import OPS", "'ops' is above 'graph'"),
        ("graphc.ops.math", "def f():\n    import graphc.layers", "line 2.*'siblings' is above 'ops'"),
        ("graphc.errors", "if TYPE_CHECKING:\n    from graphc.ir.graph import Graph", "'graph' is above 'ground'"),
        ("graphc.passes.cse", "from graphc import runtimes", "'runtimes' and 'passes' are siblings"),
        ("graphc.passes.cse", "from graphc.runtimes import np_linalg", "imports graphc.runtimes.np_linalg"),
        ("graphc.passes.cse", "from ..runtimes import np_linalg", "imports graphc.runtimes.np_linalg"),
        ("graphc.passes.cse", "from .. import compiler", "'joins' is above 'siblings'"),
        ("graphc.passes", "from ..autodiff import gradient", "'autodiff' and 'passes' are siblings"),
        ("graphc.autodiff.reverse", "from graphc.layers.core import Layer", "are siblings"),
        ("graphc.saving.archive", "from graphc import Model", "import the module that defines the name"),
        ("graphc.saving.archive", "import graphc", "import the module that defines the name"),
        ("graphc.new_idea", "", "graphc.new_idea is on no floor: add its name"),
    ],
)
def test_floor_rule_complains(name: str, source: str, complaint: str) -> None:
    is_package = name == "graphc.passes"
    with pytest.raises(AssertionError, match=complaint):
        assert "\n".join(broken_floors(module(name, source, is_package), KNOWN)) == ""


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("graphc.passes.cse", "from graphc.ir.graph import Graph\nfrom graphc import errors, ops\nimport os.path"),
        ("graphc.passes.cse", "from . import base\nfrom .base import PassResult"),
        ("graphc.passes", "from .cse import cse\nfrom ..ir import graph"),
        ("graphc.losses", "from graphc.layers import Layer"),
        ("graphc.compiler", "from graphc import passes, runtimes, autodiff, layers"),
        ("graphc.cli.export", "import graphc\nfrom graphc import Model, compiler"),
        ("graphc", "from graphc.cli import main\nfrom graphc.new_idea import x"),
    ],
)
def test_floor_rule_accepts(name: str, source: str) -> None:
    assert list(broken_floors(module(name, source, name == "graphc.passes"), KNOWN)) == []


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("graphc.compiler", "import passes.cse", "say graphc.passes.cse"),
        ("graphc.compiler", "from runtimes import base", "say graphc.runtimes"),
        ("graphc.passes.cse", "def f():\n    import networkx as nx", "networkx is imported only in graphc.ir"),
        ("graphc.runtimes.base", "import onnx", "only in graphc.runtimes.onnx_"),
        ("graphc.runtimes.onnx_export", "import onnxruntime as ort", "only in graphc.runtimes.ort_runtime"),
        ("graphc.model", "from h5py import File", "only in graphc.saving"),
        ("graphc.summary", "import click", "only in graphc.cli"),
        ("graphc.model", "import scipy.special", "not a dependency of graphc"),
    ],
)
def test_third_party_rule_complains(name: str, source: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        assert "\n".join(broken_third_party(module(name, source), KNOWN)) == ""


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("graphc.ir.graph", "import networkx as nx\nimport numpy.typing as npt"),
        ("graphc.runtimes.onnx_export", "from onnx import checker"),
        ("graphc.saving.weights", "import h5py, zipfile"),
        ("graphc.cli", "import click"),
    ],
)
def test_third_party_rule_accepts(name: str, source: str) -> None:
    assert list(broken_third_party(module(name, source), KNOWN)) == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import pickle", "pickle"),
        ("def f():\n    from marshal import loads", "marshal.loads"),
        ("import importlib", "importlib"),
        ("from importlib import import_module", "importlib.import_module"),
        ("import importlib.util", "importlib.util"),
        ("import importlib.resources\nimportlib.import_module(name)", "import_module"),
        ("eval(text)", "eval"),
        ("run = exec", "exec"),
        ("compile(text, '', 'eval')", "compile"),
        ("__import__(name)", "__import__"),
        ("np.load(file, allow_pickle=True)", "allow_pickle"),
        ("np.load(file, allow_pickle=unsafe)", "allow_pickle"),
    ],
)
def test_code_from_data_is_found(source: str, what: str) -> None:
    assert [found for found, _ in uses_of_forbidden(module("graphc.model", source), KNOWN)] == [what]


@pytest.mark.parametrize(
    "source",
    [
        "model.compile('sgd')\nre.compile(text)\nmodel.eval()",
        "def load_model(path, compile=True):\n    return compile",
        "from importlib import resources, metadata\nimport importlib.metadata",
        "np.load(file, allow_pickle=False)",
        "import ast\nast.literal_eval(text)",
    ],
)
def test_harmless_code_is_left_alone(source: str) -> None:
    assert list(uses_of_forbidden(module("graphc.model", source), KNOWN)) == []
