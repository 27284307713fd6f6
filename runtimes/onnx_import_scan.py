"""How ONNX's ``Scan`` is read: a loop along the first axis that runs in one direction, with what differs moved outside.

Axes other than the first are moved by Transpose, and tensors that run against the first scanned one are flipped.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import ModelFileError
from graphc.ir.graph import Value
from graphc.ir.types import normalize_axis
from graphc.ops.slicing import TO_END, TO_START
from graphc.runtimes.onnx_import_node import ImportRow, OnnxNode


def _scan(node: OnnxNode) -> Sequence[Value]:
    operands = [node.value(i) for i in range(len(node.operands))]
    scanned = node.attribute("num_scan_inputs", 0)
    if not 1 <= scanned <= len(operands):
        raise ModelFileError(f"num_scan_inputs must be from 1 to {len(operands)}, the number of inputs; got {scanned}")
    states = len(operands) - scanned
    directions = _for_each(node, "scan_input_directions", scanned)
    axes = _for_each(node, "scan_input_axes", scanned)
    for i, (direction, axis) in enumerate(zip(directions, axes, strict=True), states):
        x = _moved(node, operands[i], normalize_axis(axis, operands[i].type.rank, "scan_input_axes"), 0)
        operands[i] = _flipped(node, x) if direction != directions[0] else x
    types = [v.type if i < states else v.type.with_shape(v.type.shape[1:]) for i, v in enumerate(operands)]
    body = node.body("body", types)
    results = len(body.graph.outputs) - states
    made = list(
        node.emit_all(
            "Scan",
            *operands,
            *body.captured,
            body=body.graph,
            num_states=states,
            num_scanned=scanned,
            reverse=bool(directions[0]),
        )
    )[: states + results]
    directions_out = _for_each(node, "scan_output_directions", results)
    for i, (direction, axis) in enumerate(
        zip(directions_out, _for_each(node, "scan_output_axes", results), strict=True), states
    ):
        out = _flipped(node, made[i]) if direction != directions[0] else made[i]
        made[i] = _moved(node, out, 0, normalize_axis(axis, out.type.rank, "scan_output_axes"))
    return made


def _for_each(node: OnnxNode, name: str, count: int) -> tuple[int, ...]:
    """An attribute with one integer for each of some tensors, 0 by default."""
    given: tuple[int, ...] = node.attribute(name, (0,) * count)
    if len(given) != count:
        raise ModelFileError(f"{name} must hold {count} integers; it holds {len(given)}")
    if name.endswith("directions") and any(direction not in (0, 1) for direction in given):
        raise ModelFileError(f"{name} must hold 0 for forward and 1 for backward; got {list(given)}")
    return given


def _moved(node: OnnxNode, x: Value, source: int, target: int) -> Value:
    """``x`` with one axis in another place."""
    if source == target:
        return x
    perm = [axis for axis in range(x.type.rank) if axis != source]
    perm.insert(target, source)
    return node.emit("Transpose", x, perm=perm)


def _flipped(node: OnnxNode, x: Value) -> Value:
    """``x`` from its last element to its first, along its first axis."""
    return node.emit("Slice", x, starts=(TO_END,), ends=(TO_START,), axes=(0,), steps=(-1,))


IMPORT_ROWS: dict[str, ImportRow] = {"Scan": _scan}
