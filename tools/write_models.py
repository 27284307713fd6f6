"""Write ``models/*.json`` from the builders beside them.

    python tools/write_models.py [--check] [NAME ...]

``--check`` writes nothing and fails when a file is not what its builder gives.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import graphc

MODELS = Path(__file__).resolve().parent.parent / "models"
NAMES = tuple(sorted(path.stem for path in MODELS.glob("*.py")))


def module_of(name: str) -> ModuleType:
    """The module ``models/<name>.py``."""
    spec = importlib.util.spec_from_file_location(f"models_{name}", MODELS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(MODELS) not in sys.path:
        sys.path.insert(0, str(MODELS))  # a model may be made of the parts of another
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*", help="only these models")
    arguments = parser.parse_args()
    check = arguments.check
    stale = []
    for name in arguments.names or NAMES:
        graphc.utils.clear_session()
        text = module_of(name).build().to_json(indent=1) + "\n"
        file = MODELS / f"{name}.json"
        if check and (not file.exists() or file.read_text() != text):
            stale.append(file.name)
        elif not check:
            file.write_text(text)
            print(f"models/{file.name}")
    if stale:
        print(f"not what their builders give: {', '.join(stale)}; run tools/write_models.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
