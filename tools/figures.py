"""Measure the figures of the README on this machine and print them as its table.

    python tools/figures.py

Times are medians of several runs. Close other programs first: on two cores they show.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
from write_models import builder

import graphc


def seconds(function: Callable[[], object], repeat: int) -> float:
    """The median time of a call."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def import_time(module: str) -> float:
    """The median time that importing a module takes in a fresh process."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    runs = [
        subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True) for _ in range(9)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def installed_megabytes() -> float:
    """What graphc and the packages it needs take on the disk."""
    names = ("numpy", "networkx", "onnx", "ml_dtypes", "protobuf", "click", "h5py", "onnxruntime", "flatbuffers")
    total = sum(p.stat().st_size for p in Path(graphc.__file__).parent.rglob("*") if p.is_file())
    for name in names:
        files = metadata.files(name) or []
        total += sum(p.stat().st_size for p in (Path(str(f.locate())) for f in files) if p.is_file())
    return total / 2**20


def main() -> int:
    """Print the table."""
    rng = np.random.default_rng(0)
    x, y = rng.random((12_800, 784), dtype="float32"), rng.integers(0, 10, 12_800)
    model = builder("mnist_mlp")()
    loss = graphc.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(graphc.optimizers.RMSprop(), loss, metrics=["accuracy"])
    compile_and_first = seconds(lambda: model.fit(x, y, batch_size=64, verbose=0), 1)
    epoch = seconds(lambda: model.fit(x, y, batch_size=64, verbose=0), 7)
    one = x[:1]
    model.predict(one, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "m.onnx"
        exported = model.export(file)
        export = seconds(lambda: model.export(file), 5)
    rows = [
        ("`import graphc` (of which NumPy)", f"{import_time('graphc'):.2f} s ({import_time('numpy'):.2f} s)"),
        ("graphc and all it needs, ONNX Runtime included", f"{installed_megabytes():.0f} MB on disk"),
        ("MLP 784-64-64-10, RMSprop, batch 64: one training step", f"{1e3 * epoch / 200:.2f} ms"),
        ("the same: first epoch of 200 steps, compilation included", f"{compile_and_first:.2f} s"),
        ("the same: `predict` of one sample", f"{1e6 * seconds(lambda: model.predict(one, verbose=0), 200):.0f} µs"),
        (
            "the same: export to ONNX",
            f"{1e3 * export:.0f} ms, {len(exported.nodes)} nodes: {', '.join(exported.nodes)}",
        ),
    ]
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}\n")
    print("| what | figure |\n|---|---|")
    for name, figure in rows:
        print(f"| {name} | {figure} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
