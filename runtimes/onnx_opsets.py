"""Which ONNX opset and IR version to write, and which release of ONNX Runtime reads what.

Both numbers are chosen here and never left to the onnx package, whose own defaults are newer than what runtimes read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from graphc.errors import ExportError

DEFAULT_OPSET = 21

# Opset -> the IR version of the ONNX release that introduced it (onnx.helper.VERSION_TABLE). Below 18, reductions take
# their axes as attributes and bitwise operators are missing; above 26, no release of ONNX Runtime follows yet.
IR_VERSION: dict[int, int] = {18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13}


@dataclass(frozen=True, slots=True)
class Versions:
    """An opset and an IR version."""

    opset: int
    ir: int


# The highest opset and IR version that each release of ONNX Runtime loads, found by loading models with each release.
# Its CUDA kernels may lag behind: at a new opset some operators run on the CPU.
ONNX_RUNTIME: dict[str, Versions] = {
    "1.15": Versions(19, 9),
    "1.16": Versions(19, 9),
    "1.17": Versions(20, 9),
    "1.18": Versions(21, 10),
    "1.19": Versions(21, 10),
    "1.20": Versions(21, 10),
    "1.21": Versions(22, 10),
    "1.22": Versions(22, 10),
    "1.23": Versions(23, 11),
    "1.24": Versions(25, 13),
    "1.25": Versions(26, 13),
    "1.26": Versions(26, 13),
    "1.27": Versions(26, 13),
    "1.28": Versions(26, 13),
    "1.29": Versions(26, 13),
    "1.30": Versions(26, 13),
    "1.31": Versions(26, 13),
}

_TARGET = re.compile(r"(?:ort|onnxruntime)==(\d{1,4}\.\d{1,4})(?:\.\d{1,4})?")


def choose_versions(opset: int | None = None, ir_version: int | None = None, target: str | None = None) -> Versions:
    """The opset and IR version to write.

    Args:
        opset: the opset; by default the target's highest, or `DEFAULT_OPSET` without a target.
        ir_version: the IR version; by default the one that belongs to the opset.
        target: a release of ONNX Runtime that must be able to read the file, as ``"ort==1.20"``.

    Raises:
        ExportError: a number is not supported, or the target cannot read what was asked for.
    """
    limit = None if target is None else _limit(target)
    if opset is None:
        opset = DEFAULT_OPSET if limit is None else limit.opset
    if opset not in IR_VERSION or isinstance(opset, bool):
        raise ExportError(f"Opset {opset!r} is not supported; choose one from {min(IR_VERSION)} to {max(IR_VERSION)}.")
    if ir_version is None:
        ir_version = IR_VERSION[opset]
    known = range(IR_VERSION[opset], max(IR_VERSION.values()) + 1)
    if ir_version not in known or isinstance(ir_version, bool):
        raise ExportError(
            f"IR version {ir_version!r} is not supported with opset {opset}; choose one from {known[0]} to {known[-1]}."
        )
    if limit is not None and opset > limit.opset:
        raise ExportError(f"{target} reads opsets up to {limit.opset}, not {opset}; leave the opset out or lower it.")
    if limit is not None and ir_version > limit.ir:
        raise ExportError(f"{target} reads IR versions up to {limit.ir}, not {ir_version}; leave it out or lower it.")
    return Versions(opset, ir_version)


def _limit(target: str) -> Versions:
    match = _TARGET.fullmatch(target.replace(" ", "")) if isinstance(target, str) else None
    if match is None:
        raise ExportError(f"Target {target!r} is not of the form 'ort==1.20' (ONNX Runtime and its release).")
    release = match.group(1)
    if release not in ONNX_RUNTIME:
        releases = list(ONNX_RUNTIME)
        raise ExportError(
            f"Target {target!r} is not in the table of ONNX Runtime's releases, {releases[0]} to {releases[-1]}; "
            f"a newer release reads what ort=={releases[-1]} reads."
        )
    return ONNX_RUNTIME[release]
