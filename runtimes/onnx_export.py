"""From the IR to ONNX: a checked model in memory (`to_onnx`) or in a file (`save_onnx`).

A graph without updates holds its states as initializers of the same names. A graph with updates, such as a train step,
takes each state as an input ``<state>`` and gives its new value as an output ``<state>:new``; values given for its
states become the defaults of those inputs. The file says nothing of the machine that made it: no path and no line of
`Origin`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypedDict, Unpack

from onnx import ModelProto, checker, shape_inference

from graphc._version import __version__
from graphc.atomic import atomic_write
from graphc.errors import ExportError
from graphc.ir.graph import Graph
from graphc.runtimes.kernel import Array
from graphc.runtimes.onnx_draft import Draft, make_draft
from graphc.runtimes.onnx_lowering import Rows
from graphc.runtimes.onnx_opsets import choose_versions
from graphc.runtimes.onnx_rows import ROWS
from graphc.runtimes.onnx_weights import (
    data_file_name,
    data_files_of,
    embedded,
    external,
    is_external,
    layout,
    write_data,
)

EXTERNAL_THRESHOLD = 1_500_000_000
"""Bytes of weights above which they get a file of their own. One protobuf message cannot hold more than 2 GiB."""


class ExportOptions(TypedDict, total=False):
    """What both functions take.

    Attributes:
        opset: the opset; by default the target's highest, or 21.
        ir_version: the IR version; by default the one that belongs to the opset.
        target: a release of ONNX Runtime that must be able to read the model, as ``"ort==1.20"``.
        model_name: the name in the file; by default the graph's.
        producer_name: who made the model; by default "graphc".
        producer_version: in which version; by default graphc's.
        metadata: further keys and values for the file.
        value_info: also write the type of every value inside the graph; False by default.
        rows: how each op is written; by default `graphc.runtimes.onnx_rows.ROWS`.
    """

    opset: int | None
    ir_version: int | None
    target: str | None
    model_name: str | None
    producer_name: str
    producer_version: str
    metadata: Mapping[str, str] | None
    value_info: bool
    rows: Rows


def to_onnx(graph: Graph, state: Mapping[str, Array] | None = None, **options: Unpack[ExportOptions]) -> ModelProto:
    """The graph as an ONNX model that ONNX's checker has accepted, type inference included.

    Args:
        graph: a verified graph.
        state: state name to value. Needed for a graph without updates; for one with updates, the defaults of its
            states. Names that the graph does not read are ignored.
        **options: see `ExportOptions`.

    Raises:
        ExportError: an op has no ONNX form, a state has no value or one of another type, names clash, the opset or
            target is not supported, or the weights are too large for one message.
    """
    draft = draft_onnx(graph, state, **options)
    if draft.weight_bytes > EXTERNAL_THRESHOLD:
        raise ExportError(
            f"The weights take {draft.weight_bytes:,} bytes and one ONNX message holds at most 2 GiB; use save_onnx, "
            "which writes them to a file beside the model."
        )
    _add_initializers(draft, {}, "")
    _check(draft.model.SerializeToString(deterministic=True))
    return draft.model


def save_onnx(
    graph: Graph,
    path: str | os.PathLike[str],
    state: Mapping[str, Array] | None = None,
    *,
    external_threshold: int = EXTERNAL_THRESHOLD,
    **options: Unpack[ExportOptions],
) -> list[Path]:
    """Write the graph to a file. The old file is replaced only once the new one is complete and checked.

    The same graph and state give the same bytes. Above ``external_threshold`` bytes of weights, arrays of 1 KiB and
    more go to one file beside the model, ``<file>.<digest>.data``, straight from the arrays; such files of an earlier
    export to the same path are removed. The other arguments are those of `to_onnx`.

    Returns:
        The files that make the model, the model file first.

    Raises:
        ExportError: as in `to_onnx`.
        CheckpointError: the file cannot be written; what was there before is untouched.
    """
    draft = draft_onnx(graph, state, **options)
    folder, name = os.path.split(os.path.realpath(path))
    apart: dict[str, Array] = {}
    if draft.weight_bytes > external_threshold:
        apart = {key: array for key, array in draft.weights.items() if is_external(array)}
    data_name = data_file_name(name, apart) if apart else ""
    _add_initializers(draft, layout(apart), data_name)
    content = draft.model.SerializeToString(deterministic=True)
    if apart:
        _write_two_files(path, content, os.path.join(folder, data_name), apart)
    else:
        _check(content)
        with atomic_write(path) as file:
            file.write(content)
    for stale in data_files_of(folder, name) - {data_name}:
        with suppress(PermissionError):  # Windows keeps a file that a session has mapped; it harms nobody
            os.unlink(os.path.join(folder, stale))
    return [Path(path), Path(folder, data_name)] if apart else [Path(path)]


def draft_onnx(graph: Graph, state: Mapping[str, Array] | None = None, **options: Unpack[ExportOptions]) -> Draft:
    """The model without its initializers, unchecked, and their arrays: for a runtime that takes them from memory."""
    versions = choose_versions(options.get("opset"), options.get("ir_version"), options.get("target"))
    draft = make_draft(graph, state, versions, options.get("rows", ROWS), options.get("value_info", False))
    texts = {
        "model_name": options.get("model_name") or graph.name,
        "producer_name": options.get("producer_name", "graphc"),
        "producer_version": options.get("producer_version", __version__),
    }
    for what, text in texts.items():
        if not isinstance(text, str) or not text:
            raise ExportError(f"{what} must be a non-empty string; got {text!r}.")
    model = draft.model
    model.graph.name, model.producer_name, model.producer_version = texts.values()
    for key, value in sorted((options.get("metadata") or {}).items()):
        if not isinstance(key, str) or not isinstance(value, str):
            raise ExportError(f"metadata maps strings to strings; got {key!r}: {value!r}.")
        model.metadata_props.add(key=key, value=value)
    return draft


def _add_initializers(draft: Draft, offsets: Mapping[str, int], data_name: str) -> None:
    """Those with an offset refer to the data file, the others hold their data."""
    for name, array in draft.weights.items():
        apart = name in offsets
        tensor = external(name, array, data_name, offsets[name]) if apart else embedded(name, array)
        draft.model.graph.initializer.append(tensor)


def _write_two_files(
    path: str | os.PathLike[str], content: bytes, data_path: str, weights: Mapping[str, Array]
) -> None:
    """Write weights, then the model that refers to them; without the model, the weights go again."""
    existed = os.path.exists(data_path)
    try:
        with atomic_write(path) as file:
            with atomic_write(data_path) as data:
                write_data(data, weights)
            file.write(content)
            file.flush()
            _check(file.name)  # the temporary file: it lies in the same folder, so it finds its data
    except BaseException:
        if not existed:
            with suppress(FileNotFoundError):
                os.unlink(data_path)
        raise


def _check(model: bytes | str) -> None:
    """Run ONNX's own checker, with type inference, on a serialised model or on a file."""
    try:
        checker.check_model(model, full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError) as error:
        reason = " ".join(str(error).split())
        raise ExportError(
            f"ONNX's checker refuses what was made: {reason} This is a fault of the exporter; please report it."
        ) from error
