"""ONNX row of `graphc.ops.scan`: one ``Scan``.

ONNX's body takes invariants from the graph around it and gives nothing of the states on entry; those that somebody reads
become results of the body. Results that nobody reads are left out.
"""

from __future__ import annotations

from graphc.ops.scan import Loop
from graphc.runtimes.onnx_lowering import Lowering, Row


def _scan(lowering: Lowering) -> None:
    loop = Loop.of(lowering.node.attributes)
    inputs, outputs = loop.body.inputs, list(loop.body.outputs.values())
    results = [i for i in range(loop.states, loop.first_entry) if lowering.is_used(i)]
    entries = [i for i in range(loop.states) if lowering.is_used(loop.first_entry + i)]
    body = lowering.body(
        loop.body,
        inputs[: loop.end],
        dict(zip(inputs[loop.end :], lowering.inputs[loop.end :], strict=True)),
        [*outputs[: loop.states], *(outputs[i] for i in results), *(inputs[i] for i in entries)],
    )
    stacked = [*results, *(loop.first_entry + i for i in entries)]
    backwards = lowering.node.attributes["reverse"]
    lowering.emit(
        "Scan",
        lowering.inputs[: loop.end],
        [lowering.outputs[i] for i in (*range(loop.states), *stacked)],
        body=body,
        num_scan_inputs=loop.scanned,
        scan_input_directions=[1] * loop.scanned if backwards else None,
        scan_output_directions=[1] * len(stacked) if backwards and stacked else None,
    )


ROWS: dict[str, Row] = {"Scan": _scan}
