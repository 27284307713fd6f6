"""NumPy kernel of `graphc.ops.scan`: the body is planned once, and its plan runs once for each step.

The body's states and invariants are states of that plan: the invariants are the operands' own arrays, and the running
states are the arrays of the results (scratch memory where nobody reads those), so that a new state is computed in place
wherever the planner finds that safe. What a step costs beside its nodes is copying its slices in and its results out.
"""

from __future__ import annotations

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.traversal import ancestors
from graphc.ops.scan import Loop
from graphc.runtimes.kernel import Call, Kernel, Step


def _scan(call: Call) -> Step:
    loop = Loop.of(call.attributes)
    starts, scanned = call.inputs[: loop.states], call.inputs[loop.states : loop.end]
    if len({len(x) for x in scanned}) > 1:
        lengths = ", ".join(str(len(x)) for x in scanned)
        raise ShapeError(f"Scan: the tensors to scan over must have one length along their first axis; got {lengths}.")
    running = [
        call.scratch(out.shape, out.dtype) if i in call.unused else out
        for i, out in enumerate(call.outputs[: loop.states])
    ]
    wanted = [i for i in range(loop.results) if loop.states + i not in call.unused]
    kept = [(call.outputs[loop.first_entry + i], state) for i, state in enumerate(running)]
    kept = [pair for i, pair in enumerate(kept) if loop.first_entry + i not in call.unused]

    state = {f"state_{i}": array for i, array in enumerate(running)}
    state.update((f"invariant_{i}", array) for i, array in enumerate(call.inputs[loop.end :]))
    planned = call.plan(_step_graph(loop, wanted), state)
    cuts = [(planned.inputs[f"slice_{i}"], x) for i, x in enumerate(scanned)]
    results = [(call.outputs[loop.states + i], planned.outputs[f"result_{i}"]) for i in wanted]
    order = range(len(scanned[0]))
    order = order[::-1] if call.attributes["reverse"] else order

    def run() -> None:
        for array, start in zip(running, starts, strict=True):
            np.copyto(array, start)
        for t in order:
            for stack, array in kept:
                stack[t] = array
            for buffer, x in cuts:
                buffer[...] = x[t]
            planned.run()
            for stack, result in results:
                stack[t] = result

    return run


def _step_graph(loop: Loop, wanted: list[int]) -> Graph:
    """The body as a graph with states: those of the loop, which it updates, and the invariants."""
    body, graph = loop.body, Graph(loop.body.name)
    outputs = list(body.outputs.values())
    ends, results = outputs[: loop.states], outputs[loop.states :]
    needed = ancestors([*ends, *(results[i] for i in wanted)])
    twin: dict[Value, Value] = {}
    for i, value in enumerate(body.inputs):
        role = f"slice_{i - loop.states}" if loop.states <= i < loop.end else ""
        name = role or (f"state_{i}" if i < loop.states else f"invariant_{i - loop.end}")
        twin[value] = _source(graph, value, name, is_state=not role).output
    for node in body.nodes():
        if node in needed and node.op != "Input":
            inputs = [None if v is None else twin[v] for v in node.inputs]
            types = [v.type for v in node.outputs]
            new = graph.add_node(node.op, inputs, node.attributes, types, name=node.name, origin=node.origin)
            twin.update(zip(node.outputs, new.outputs, strict=True))
    graph.updates = {f"state_{i}": twin[value] for i, value in enumerate(ends)}
    graph.outputs = {f"result_{i}": twin[results[i]] for i in wanted}
    return graph


def _source(graph: Graph, value: Value, name: str, is_state: bool) -> Node:
    attributes = {"dtype": value.type.dtype, "shape": value.type.shape}
    if is_state:
        return graph.add_node("State", (), {"state": name, **attributes}, (value.type,), name=name)
    node = graph.add_node("Input", (), attributes, (value.type,), name=name)
    graph.inputs.append(node.output)
    return node


KERNELS: dict[str, Kernel] = {"Scan": Kernel(_scan, skips_unused=True)}
