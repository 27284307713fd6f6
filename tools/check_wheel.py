"""Checks a built wheel of graphc: what is in it, and that it works where nothing else of graphc is.

    python -m build --wheel
    python tools/check_wheel.py dist/graphc-*.whl

The list of files is compared with the checkout that this script is in: every module of ``graphc/``, ``passes/`` and
``runtimes/`` and every data file is there, once, under ``graphc/``, and nothing else is. Then the wheel is installed
without extras into a fresh virtual environment, and used from an empty folder: import, data set, command line.
Prints what it did; on a fault prints one line for each and exits with 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "graphc": "graphc",
    "passes": "graphc/passes",
    "runtimes": "graphc/runtimes",
}  # in the checkout: in the wheel
MUST_HAVE = ("graphc/__init__.py", "graphc/py.typed", "graphc/datasets/digits.npz", "graphc/datasets/digits.md")

# What a user's first minute touches, with NumPy and the core's dependencies alone.
SMOKE = """
import graphc, sys
from pathlib import Path
from graphc.datasets import digits
assert Path(graphc.__file__).is_relative_to(sys.prefix), f"graphc came from {graphc.__file__}"
(x_train, y_train), (x_test, y_test) = digits.load_data()
assert (x_train.shape, y_test.shape) == ((1437, 8, 8), (360,))
model = graphc.Sequential([graphc.Input((8, 8)), graphc.layers.Flatten(), graphc.layers.Dense(10)])
assert model.predict(x_test[:3] / 16.0, verbose=0).shape == (3, 10)
print(f"graphc {graphc.__version__} with Python {sys.version.split()[0]}")
"""


def expected_files() -> set[str]:
    """Returns the names that the wheel must have under ``graphc/``, from the checkout; links are not followed."""
    names = set()
    for folder, target in FOLDERS.items():
        for parent, folders, files in os.walk(ROOT / folder, followlinks=False):
            folders[:] = [name for name in folders if name != "__pycache__"]
            names |= {f"{target}/{Path(parent, file).relative_to(ROOT / folder).as_posix()}" for file in files}
    return names - set(FOLDERS.values())  # where the system has no links, git leaves files in their place


def check_content(wheel: Path) -> list[str]:
    """Returns the faults of the wheel's list of files and of its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = {name.split("/", 1)[1]: name for name in names if name.split("/", 1)[0].endswith(".dist-info")}
        metadata = Parser().parsestr(archive.read(info["METADATA"]).decode()) if "METADATA" in info else None
        scripts = archive.read(info["entry_points.txt"]).decode() if "entry_points.txt" in info else ""
        licence = archive.read(info["licenses/LICENSE"]) if "licenses/LICENSE" in info else b""
    package = {name for name in names if name not in info.values()}
    expected = expected_files()
    faults = [f"{name} is in the wheel twice" for name in sorted(set(names)) if names.count(name) > 1]
    faults += [f"{name} is in the checkout, not in the wheel" for name in sorted(expected - package)]
    faults += [f"{name} is in the wheel, not in the checkout" for name in sorted(package - expected)]
    faults += [f"{name} is missing" for name in MUST_HAVE if name not in names]
    if licence != (ROOT / "LICENSE").read_bytes():
        faults.append("the wheel does not have the checkout's LICENSE")
    if "graphc = graphc.cli:main" not in scripts:
        faults.append("the wheel does not install the command graphc")
    if metadata is None or metadata["Name"] != "graphc" or not metadata["Requires-Python"]:
        faults.append("the wheel's METADATA does not have the name graphc and a Requires-Python")
    return faults


def check_installed(wheel: Path, python: str) -> list[str]:
    """Installs the wheel into a fresh environment made by `python`; returns what failed there."""
    with tempfile.TemporaryDirectory(prefix="graphc-wheel-") as folder:
        environment, elsewhere = Path(folder, "venv"), Path(folder, "elsewhere")
        elsewhere.mkdir()
        binaries = environment / ("Scripts" if os.name == "nt" else "bin")
        installed = str(binaries / "python")
        # From here on the checkout is out of reach: nothing of it is on the path, nor in the current folder.
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "VIRTUAL_ENV"))
        }
        for step, command in {
            "making a virtual environment": [python, "-m", "venv", str(environment)],
            "installing": [installed, "-m", "pip", "install", "--quiet", str(wheel.resolve())],
            "pip check": [installed, "-m", "pip", "check"],
            "a first use": [installed, "-c", SMOKE],
            "graphc --help": [str(binaries / "graphc"), "--help"],
        }.items():
            result = subprocess.run(
                command, cwd=elsewhere, env=clean, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
            if result.returncode != 0:
                return [f"{step}: exit code {result.returncode}\n{result.stdout}{result.stderr}".rstrip()]
            if step == "a first use":
                print(result.stdout.strip())
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description="Check what is in a wheel of graphc, and that it works on its own.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument(
        "--python", default=sys.executable, help="makes the fresh environment (default: the one running)"
    )
    parser.add_argument("--no-install", action="store_true", help="only look at the list of files")
    arguments = parser.parse_args()
    try:
        faults = check_content(arguments.wheel)
    except (OSError, zipfile.BadZipFile) as error:
        parser.error(str(error))
    if not faults and not arguments.no_install:
        faults = check_installed(arguments.wheel, arguments.python)
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"{arguments.wheel.name}: {len(expected_files())} files, as they should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
