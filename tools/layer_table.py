"""Write ``graphc/layers/README.md``: every layer class, and how it is held to Keras.

    python tools/layer_table.py [--check]

``--check`` writes nothing and fails when the file is out of date. What is counted: the rows of the parity tables
(``tests/parity/layer_cases``), each of which is a fixture from real Keras, and those that ONNX Runtime runs as well.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import graphc

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "graphc" / "layers" / "README.md"

HEAD = """# Layers

Written by `tools/layer_table.py`; a test fails when it is out of date, and another when a class has no fixture.

Each row of a parity table is a fixture made by running Keras 3: forward pass, symbolic shapes, weights by name,
configuration, and one training step behind a probe, whose weights move by the gradient of the inputs. `ONNX` counts the rows
that are exported too and give NumPy's numbers in ONNX Runtime. `mask` says what becomes of the mask of the input: it is
passed on, or made or changed by the layer itself, or ends there.
"""


def rows_of(families: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Class name to its parity rows: those of the class itself, and expressions named after it."""
    found: dict[str, list[Any]] = {}
    for cases in families.values():
        for case in cases:
            found.setdefault(case.layer or case.name.split("/")[0], []).append(case)
    return found


def mask_of(cls: type) -> str:
    """What becomes of a mask."""
    if cls.compute_mask is not graphc.layers.Layer.compute_mask:  # type: ignore[attr-defined]
        return "own"
    source = inspect.getsource(cls.__init__) + str(getattr(cls, "supports_masking", False))  # type: ignore[misc]
    passes = "supports_masking = True" in source or getattr(cls, "supports_masking", False)
    return "passed on" if passes else "ends"


def table() -> str:
    """The whole file."""
    sys.path.insert(0, str(ROOT / "tests"))
    families = importlib.import_module("parity.cases").LAYER_FAMILIES
    rows = rows_of(families)
    module_of: dict[str, list[str]] = {}
    for name, cls in sorted(graphc.layers.LAYERS.items()):
        module_of.setdefault(cls.__module__.rsplit(".", 1)[-1], []).append(name)
    lines = [HEAD, "| class | file | mask | fixtures | ONNX |", "|---|---|---|---|---|"]
    for module, names in sorted(module_of.items()):
        for name in names:
            cases = rows.get(name, [])
            exported = sum(not case.onnx for case in cases)
            cls = graphc.layers.LAYERS[name]
            lines.append(f"| `{name}` | `{module}.py` | {mask_of(cls)} | {len(cases)} | {exported} |")
    total = sum(len(rows.get(name, [])) for name in graphc.layers.LAYERS)
    lines.append(f"\n{len(graphc.layers.LAYERS)} classes, {total} fixtures of classes.")
    return "\n".join(lines) + "\n"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = table()
    if not check:
        FILE.write_text(text, encoding="utf-8")
        print(f"wrote {FILE.relative_to(ROOT)}")
        return 0
    if not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        print(f"{FILE.relative_to(ROOT)} is out of date; run tools/layer_table.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
