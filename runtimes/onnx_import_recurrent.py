"""How the importer reads LSTM, GRU and RNN.

ONNX lists the numbers of only those activations that have some; the IR has one for each. Batch-first files (``layout=1``) get
transpositions around the op.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import ModelFileError
from graphc.ir.graph import Value
from graphc.ops.recurrent_types import BIDIRECTIONAL, FORWARD, GRU, LSTM, PARAMETERS, RNN, Recurrence
from graphc.runtimes.onnx_import_node import ImportRow, OnnxNode

_NAMES = {name.lower(): name for name in PARAMETERS}  # ONNX Runtime reads the names in any case
_X, _R, _LENGTHS, _INITIAL, _PEEPHOLES = 0, 2, 4, 5, 7


def _row(recurrence: Recurrence) -> ImportRow:
    def row(node: OnnxNode) -> Sequence[Value]:
        _refuse_what_the_ir_lacks(node)
        operands = [*node.operands, *[None] * (_INITIAL + recurrence.states - len(node.operands))]
        batch_first = node.attribute("layout", 0) != 0
        moved = (_X, *range(_INITIAL, _INITIAL + recurrence.states)) if batch_first else ()
        for i in moved:
            if (value := operands[i]) is not None:
                operands[i] = node.emit("Transpose", value, perm=(1, 0, 2))
        attributes = {"hidden_size": _hidden(node), "direction": node.attribute("direction", FORWARD)}
        attributes |= _activations(node, recurrence, 2 if attributes["direction"] == BIDIRECTIONAL else 1)
        if recurrence is GRU:
            attributes["linear_before_reset"] = int(node.attribute("linear_before_reset", 0) != 0)
        results = list(node.emit_all(recurrence.op, *operands[: _INITIAL + recurrence.states], **attributes))
        results = results[: 1 + recurrence.states]
        if batch_first:
            results = [node.emit("Transpose", results[0], perm=(2, 0, 1, 3))] + [
                node.emit("Transpose", state, perm=(1, 0, 2)) for state in results[1:]
            ]
        return results

    return row


def _refuse_what_the_ir_lacks(node: OnnxNode) -> None:
    if node.attribute("clip") is not None:
        raise ModelFileError("clip is not read; use --runtime ort")
    if node.attribute("layout", 0) not in (0, 1):
        raise ModelFileError(f"layout must be 0 or 1; got {node.attribute('layout')}")
    if node.attribute("input_forget", 0):
        raise ModelFileError("input_forget is not read; use --runtime ort")
    if node.op == "LSTM" and node.optional(_PEEPHOLES) is not None:
        raise ModelFileError("peepholes (its input P) are not read; use --runtime ort")


def _hidden(node: OnnxNode) -> int:
    given, r = node.attribute("hidden_size"), node.value(_R).type
    found = given if given is not None else r.shape[-1] if r.rank else None
    if not isinstance(found, int):
        raise ModelFileError(f"hidden_size is not given, and the last length of R is not a number; R is {r}")
    return found


def _activations(node: OnnxNode, recurrence: Recurrence, directions: int) -> dict[str, tuple[object, ...]]:
    """The activations and a number for each, from lists that leave out those without one."""
    given = node.attribute("activations")
    if given is None:
        return {}
    if len(given) != len(recurrence.activations) * directions:
        raise ModelFileError(
            f"activations must hold {len(recurrence.activations) * directions} names; it holds {len(given)}"
        )
    if unknown := [name for name in given if name.lower() not in _NAMES]:
        raise ModelFileError(f"activations must be among {list(PARAMETERS)}; got {unknown[0]!r}")
    names = tuple(_NAMES[name.lower()] for name in given)
    numbers = {}
    for place, what in enumerate(("activation_alpha", "activation_beta")):
        left = list(node.attribute(what) or ())
        numbers[what] = tuple(
            (left.pop(0) if left else PARAMETERS[name][place]) if len(PARAMETERS[name]) > place else 0.0
            for name in names
        )
    return {"activations": names, **numbers}


IMPORT_ROWS: dict[str, ImportRow] = {recurrence.op: _row(recurrence) for recurrence in (LSTM, GRU, RNN)}
