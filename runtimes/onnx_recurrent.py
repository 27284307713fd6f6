"""ONNX rows of `graphc.ops.recurrent`.

LSTM, GRU and RNN are ONNX's own operators. What ONNX lacks is written as loops, `Scan`: the gradients; forward ops whose
gates somebody reads; and float64, for which ONNX Runtime's CPU provider has no kernel of these operators.

ONNX Runtime 1.31 gives zeros as the last state of a sample of length 0, where the operator's text leaves the initial state;
that is mended behind the operator. It ends the process, with an error that nobody can catch, on a batch of 0 (LSTM, GRU) and
on 0 steps (GRU).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Value
from graphc.ir.traversal import ancestors
from graphc.ops.opdef import Attributes
from graphc.ops.recurrent_grad_loops import gradient_loop
from graphc.ops.recurrent_loops import forward_loop
from graphc.ops.recurrent_types import FORWARD, GRU, LSTM, PARAMETERS, RNN, Recurrence, count_directions
from graphc.ops.registry import OPS
from graphc.runtimes.onnx_lowering import Lowering, Row

Loops = Callable[[Builder, Recurrence, Sequence[Value | None], Attributes], list[Value]]

_LENGTHS, _INITIAL = 4, 5  # operands of the forward ops


def _forward(recurrence: Recurrence) -> Row:
    def row(lowering: Lowering) -> None:
        standard = 1 + recurrence.states
        reads_gates = any(lowering.is_used(standard + i) for i in range(len(recurrence.kept)))
        if reads_gates or lowering.type(0).dtype == "float64":
            _as_loops(lowering, recurrence, forward_loop)
        else:
            _as_operator(lowering, recurrence)

    return row


def _gradient(recurrence: Recurrence) -> Row:
    return lambda lowering: _as_loops(lowering, recurrence, gradient_loop)


def _as_loops(lowering: Lowering, recurrence: Recurrence, write: Loops) -> None:
    """The node in ordinary ops, of which only those are written that its used outputs need."""
    node = lowering.node
    graph = Graph(node.op)
    builder = Builder(graph, OPS)
    operands = [None if v is None else builder.input(f"x{i}", v.type) for i, v in enumerate(node.inputs)]
    found = write(builder, recurrence, operands, node.attributes)
    used = [i for i in range(len(found)) if lowering.is_used(i)]
    graph.outputs = {f"y{i}": found[i] for i in used}
    needed = ancestors(graph.outputs.values())
    graph.remove_nodes([one for one in graph.nodes() if one not in needed and one.op != "Input"])
    names = [name for name, v in zip(_all_inputs(lowering), node.inputs, strict=True) if v is not None]
    lowering.inline(graph, names, [lowering.outputs[i] for i in used])


def _all_inputs(lowering: Lowering) -> list[str]:
    """Tensor names of the operands, "" for each absent one, at the end too."""
    return [*lowering.inputs, *[""] * (len(lowering.node.inputs) - len(lowering.inputs))]


def _as_operator(lowering: Lowering, recurrence: Recurrence) -> None:
    """ONNX's operator; results that nobody reads have no name."""
    inputs = _all_inputs(lowering)
    standard = 1 + recurrence.states
    names: list[str | None] = [lowering.outputs[i] if lowering.is_used(i) else "" for i in range(standard)]
    mended = {
        i: inputs[_INITIAL + i - 1]
        for i in range(1, standard)
        if names[i] and len(inputs) > _INITIAL + i - 1 and inputs[_LENGTHS] and inputs[_INITIAL + i - 1]
    }
    for i in mended:
        names[i] = None
    found = lowering.emit(recurrence.op, inputs, names, **_attributes(lowering, recurrence))
    if mended:
        column = lowering.emit("Unsqueeze", [inputs[_LENGTHS], lowering.ints([1])])
        is_empty = lowering.emit("Equal", [*column, lowering.scalar(0, "int32")])
        for i, initial in mended.items():
            lowering.emit("Where", [*is_empty, initial, found[i]], [lowering.outputs[i]])


def _attributes(lowering: Lowering, recurrence: Recurrence) -> dict[str, Any]:
    """The operator's attributes; those that have ONNX's default are left out.

    An activation without a parameter takes none from the lists, as ONNX Runtime reads them.
    """
    given = lowering.node.attributes
    activations = [one for direction in recurrence.activations_of(given) for one in direction]
    is_default = [one.name for one in activations] == [*recurrence.activations] * count_directions(given)
    return {
        "hidden_size": given["hidden_size"],
        "direction": None if given["direction"] == FORWARD else given["direction"],
        "activations": None if is_default else [one.name for one in activations],
        "activation_alpha": [one.alpha for one in activations if len(PARAMETERS[one.name]) > 0] or None,
        "activation_beta": [one.beta for one in activations if len(PARAMETERS[one.name]) > 1] or None,
        "linear_before_reset": given.get("linear_before_reset") or None,
    }


ROWS: dict[str, Row] = {
    **{recurrence.op: _forward(recurrence) for recurrence in (LSTM, GRU, RNN)},
    **{f"{recurrence.op}Grad": _gradient(recurrence) for recurrence in (LSTM, GRU, RNN)},
}
