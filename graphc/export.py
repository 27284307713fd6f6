"""Export: a model as an ONNX file, and the proof that the file gives the model's numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from graphc import compiler
from graphc._version import __version__
from graphc.errors import ArgumentError, ExportError
from graphc.ir.dims import free_names
from graphc.ir.dtypes import is_float, numpy_dtype
from graphc.ir.graph import Graph
from graphc.ir.types import concrete_lengths
from graphc.model import Model
from graphc.passes.base import PassReport

Array = np.ndarray[Any, Any]

FORMATS = ("onnx",)


@dataclass(frozen=True)
class Difference:
    """How far one output of the file is from the unoptimised model, over all samples.

    Attributes:
        output: its name.
        largest: the largest absolute difference.
        allowed: what `verify` tolerates for it.
    """

    output: str
    largest: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """True when the difference is within what is allowed."""
        return self.largest <= self.allowed


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: the model file, and its external data where there is any.
        nodes: operator names in the file, in order.
        reports: what each pass did.
        differences: one for each output, when verification was asked for.
    """

    files: Sequence[Path]
    nodes: Sequence[str]
    reports: Sequence[PassReport]
    differences: Sequence[Difference] = ()


def export_model(
    model: Model,
    filepath: Any,
    *,
    format: str = "onnx",
    verbose: Any = None,
    opset: int | None = None,
    target: str | None = None,
    pipeline: Any = "O2",
    verify: bool = False,
    dump_ir_after: Sequence[str] = (),
    dump: Callable[[str, str], None] | None = None,
    verify_each: bool = False,
    input_signature: Any = None,
) -> Exported:
    """Write a model for inference.

    Args:
        model: a built model.
        filepath: where to.
        format: ``onnx``.
        verbose: print where the file is.
        opset: the ONNX opset; 21 by default.
        target: ``ort==1.20``: what that release of ONNX Runtime can read.
        pipeline: the passes, by the name of a pipeline or as a list.
        verify: run the unoptimised model in NumPy and the file in ONNX Runtime on seeded inputs and compare.
        dump_ir_after: passes after which ``dump`` gets the IR's text.
        dump: called with a pass's name and the text; prints by default.
        verify_each: check the IR after every pass.
        input_signature: not supported: the signature is the model's inputs, with named dims.

    Raises:
        ArgumentError: another format.
        ExportError: the model cannot be written, or ``verify`` found a difference.
        CheckpointError: the file cannot be written; what was there before is untouched.
    """
    from graphc.runtimes.onnx_export import draft_onnx, save_onnx

    if format not in FORMATS:
        raise ArgumentError(f"`format` must be one of {list(FORMATS)}; got {format!r}.")
    if not isinstance(filepath, str | os.PathLike):
        raise ArgumentError(f"`filepath` must be a path; got {filepath!r}.")
    if input_signature is not None:
        raise ArgumentError("`input_signature` is not supported: dims that are not fixed stay named in the file.")
    lowered = model.lower(training=False)
    if lowered.graph.updates:
        raise ExportError(f"Model {model.name!r} changes state in inference: {list(lowered.graph.updates)}.")
    graph, reports = compiler.optimize(
        compiler.frozen(lowered),
        pipeline,
        dump_after=frozenset(dump_ir_after),
        dump=dump or (lambda name, text: print(f"// after {name}\n{text}")),
        verify_each=verify_each,
    )
    path = Path(filepath)
    options: dict[str, Any] = {
        "opset": opset,
        "target": target,
        "model_name": model.name,
        "producer_version": __version__,
    }
    differences: Sequence[Difference] = ()
    if verify:
        # The same graph gives the same bytes, so what is checked here is what takes the name below; a file that fails
        # never replaces a good one.
        with TemporaryDirectory(prefix="graphc-verify-") as folder:
            trial = save_onnx(graph, Path(folder) / "model.onnx", **options)
            differences = compare_with_file(compiler.frozen(lowered), trial[0])
        wrong = [d for d in differences if not d.agrees]
        if wrong:
            listed = ", ".join(f"{d.output}: {d.largest:.3g} (allowed {d.allowed:.3g})" for d in wrong)
            raise ExportError(f"ONNX Runtime does not give the numbers of {model.name!r}: largest difference {listed}.")
    files = save_onnx(graph, path, **options)
    nodes = [node.op_type for node in draft_onnx(graph, **options).model.graph.node]
    if verbose:
        print(f"Saved {files[0]}: {len(nodes)} nodes.")
    return Exported(files, nodes, reports, differences)


def compare_with_file(graph: Graph, path: Path, seed: int = 0) -> list[Difference]:
    """Run a graph in NumPy, unoptimised, and an ONNX file in ONNX Runtime on the same seeded inputs.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
    """
    from graphc.runtimes import numpy_runtime, ort_runtime

    feeds = sample_feeds(graph, seed)
    expected = numpy_runtime.prepare(graph).run(feeds)
    actual = ort_runtime.prepare(path).run(feeds)
    found = []
    for name, array in expected.items():
        largest = float(np.max(np.abs(_difference(actual[name], array)), initial=0.0))
        scale = float(np.max(np.abs(array), initial=0.0)) if array.dtype.kind == "f" else 0.0
        # A hundred roundings of the dtype, and 1e-5 for float32, the promise of `Model.export`.
        unit = max(1e-5, 100 * float(np.finfo(array.dtype).eps)) if array.dtype.kind == "f" else 0.0
        found.append(Difference(name, largest, unit * max(1.0, scale)))
    return found


def _difference(actual: Array, expected: Array) -> Array:
    if expected.dtype.kind == "b":
        differs: Array = (actual != expected).astype(np.float64)
        return differs
    wide = actual.astype(np.float64) - expected.astype(np.float64)
    # Infinities and NaN agree where both have the same.
    same = (actual == expected) | ((actual != actual) & (expected != expected))
    difference: Array = np.where(same, 0.0, np.where(np.isfinite(wide), wide, np.inf))
    return difference


def sample_feeds(graph: Graph, seed: int = 0, sizes: Mapping[str, int] | None = None) -> dict[str, Array]:
    """Seeded inputs drawn from the declared types. Named dims get small, distinct lengths."""
    rng = np.random.default_rng(seed)
    names = sorted({n for v in graph.inputs for d in v.type.shape for n in free_names(d)})
    lengths = {name: 3 + 2 * i for i, name in enumerate(names)} | dict(sizes or {})
    feeds = {}
    for value in graph.inputs:
        shape, dtype = concrete_lengths(value.type.shape, lengths), value.type.dtype
        data: Array
        if is_float(dtype):
            data = rng.standard_normal(shape)
        elif dtype == "bool":
            data = rng.integers(0, 2, shape)
        else:
            data = rng.integers(0, 4, shape)
        feeds[value.producer.name] = np.asarray(data).astype(numpy_dtype(dtype))
    return feeds
