"""``graphc doctor``: what is installed, what it can use, and what to change."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from graphc._version import __version__

_PACKAGES = ("numpy", "networkx", "onnx", "click", "h5py", "onnxruntime", "onnxruntime-gpu", "threadpoolctl")


def report() -> Iterator[str]:
    """Line by line."""
    yield f"graphc {__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield f"processors: {os.cpu_count()}"
    for name in _PACKAGES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield f"{name}: not installed"
    yield from _onnxruntime()
    yield from _blas()


def _onnxruntime() -> Iterator[str]:
    from graphc.runtimes import ort_runtime

    found = ort_runtime.describe()
    if found.problem:
        yield f"ONNX Runtime: {found.problem}"
        return
    if len(found.packages) > 1:
        yield f"ONNX Runtime: {', '.join(found.packages)} overwrite each other's files; uninstall all but one"
    yield f"ONNX Runtime providers: {', '.join(found.providers)}"
    if "CUDAExecutionProvider" not in found.providers:
        yield 'CUDA: not available; for an NVIDIA GPU install "graphc[gpu]" in an environment without onnxruntime'


def _blas() -> Iterator[str]:
    build: Any = np.show_config(mode="dicts")
    blas = build.get("Build Dependencies", {}).get("blas", {})
    yield f"BLAS: {blas.get('name', 'unknown')} {blas.get('version', '')}".rstrip()
    core = _openblas_core()
    if core is None:
        yield "BLAS core type: unknown (install threadpoolctl to see it)"
        return
    yield f"BLAS core type: {core}"
    setting = os.environ.get("OPENBLAS_CORETYPE")
    if setting:
        yield f"OPENBLAS_CORETYPE={setting} is set"
    elif _has_avx512() and core.lower() not in ("skylakex", "cooperlake", "sapphirerapids"):
        yield (
            "This processor has AVX-512, but BLAS runs kernels without it. Set OPENBLAS_CORETYPE=SKYLAKEX before Python "
            "starts; large matrix products may run up to twice as fast."
        )


def _openblas_core() -> str | None:
    try:
        import threadpoolctl
    except ImportError:
        return None
    for library in threadpoolctl.threadpool_info():
        if library.get("internal_api") == "openblas":
            return str(library.get("architecture"))
    return None


def _has_avx512() -> bool:
    if sys.platform != "linux":
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return all(f" {name} " in flags for name in ("avx512f", "avx512bw", "avx512vl", "avx512dq"))
