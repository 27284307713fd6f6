"""How the NumPy runtime runs loops: memory, buffers, states that change places, and errors inside a step."""

from __future__ import annotations

import numpy as np
import pytest

from graphc.errors import ExecutionError, GraphError
from graphc.ir.parser import parse_graph
from graphc.ops.registry import OPS
from graphc.runtimes.kernel import Call
from graphc.runtimes.np_kernels import KERNELS
from graphc.runtimes.numpy_runtime import NumpyExecutable, prepare


def executable(text: str) -> NumpyExecutable:
    return prepare(parse_graph(f"graph g {{\n{text}\n}}", OPS))


DECAY = """
%h: float32[1000] = Input()
%x: float32[t, 1000] = Input()
%s: (float32[1000], float32[t, 1000], float32[t, 1000]) = Scan(%h, %x) {body = graph body {
  %h: float32[1000] = Input()
  %x: float32[1000] = Input()
  %half: float32[] = Constant() {value = 0.5}
  %less: float32[1000] = Mul(%h, %half)
  %new: float32[1000] = Add(%less, %x)
  output state = %new
  output result = %new
}, num_states = 1, num_scanned = 1}
"""


def test_what_nobody_reads_takes_no_memory() -> None:
    row, steps = 4_000, 50
    shapes = {"h": (1000,), "x": (steps, 1000)}
    last = executable(DECAY + "output last = %s").plan(shapes)
    every = executable(DECAY + "output every = %s:1").plan(shapes)
    entries = executable(DECAY + "output every = %s:1\noutput entries = %s:2").plan(shapes)
    assert last.bytes < 5 * row
    assert steps * row <= every.bytes < (steps + 5) * row
    assert 2 * steps * row <= entries.bytes < (2 * steps + 5) * row


def test_a_plan_runs_again_on_other_data() -> None:
    loop = executable(DECAY + "output last = %s\noutput entries = %s:2")
    random = np.random.default_rng(0)
    for _ in range(3):
        h, x = (random.standard_normal(s).astype(np.float32) for s in ((1000,), (4, 1000)))
        found = loop.run({"h": h, "x": x})
        for t in range(4):
            np.testing.assert_array_equal(found["entries"][t], h)
            h = h * np.float32(0.5) + x[t]
        np.testing.assert_array_equal(found["last"], h)


def test_states_may_change_places_and_be_results() -> None:
    """The new states are the old ones, in turn: none may be overwritten before it has been read."""
    loop = executable(
        """
        %a: float32[2] = Input()
        %b: float32[2] = Input()
        %c: float32[2] = Input()
        %x: float32[t] = Input()
        %s: (float32[2], float32[2], float32[2], float32[t, 2], float32[t, 2], float32[t, 2], float32[t, 2]) =
        Scan(%a, %b, %c, %x) {body = graph turn {
          %a: float32[2] = Input()
          %b: float32[2] = Input()
          %c: float32[2] = Input()
          %x: float32[] = Input()
          output first = %b
          output second = %c
          output third = %a
          output result = %a
        }, num_states = 3, num_scanned = 1}
        output a = %s
        output b = %s:1
        output c = %s:2
        output every = %s:3
        """
    )
    a, b, c = (np.full(2, n, np.float32) for n in (1, 2, 3))
    found = loop.run({"a": a, "b": b, "c": c, "x": np.zeros(4, np.float32)})
    assert [found[name][0] for name in "abc"] == [2, 3, 1]
    assert found["every"][:, 0].tolist() == [1, 2, 3, 1]


def test_an_error_inside_a_step_names_both_nodes() -> None:
    loop = executable(
        """
        %x: float32[3] = Input()
        %i: int32[t] = Input()
        %y: float32[t] = Scan(%i, %x) {body = graph pick {
          %i: int32[] = Input()
          %x: float32[3] = Input()
          %picked: float32[] = Gather(%x, %i) {axis = 0}
          output y = %picked
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """
    )
    good = loop.run({"x": np.arange(3, dtype=np.float32), "i": np.array([2, 0], np.int32)})
    assert good["y"].tolist() == [2.0, 0.0]
    with pytest.raises(ExecutionError, match="Scan failed in node 'y': Gather failed in node 'picked'"):
        loop.run({"x": np.zeros(3, np.float32), "i": np.array([0, 7], np.int32)})


def test_a_kernel_without_a_planner_says_so() -> None:
    graph = parse_graph(f"graph g {{\n{DECAY}\noutput last = %s\n}}", OPS)
    h, x = np.zeros(1000, np.float32), np.zeros((2, 1000), np.float32)
    outputs = [np.empty(1000, np.float32), np.empty((2, 1000), np.float32), np.empty((2, 1000), np.float32)]
    with pytest.raises(GraphError, match="must hand in a planner"):
        KERNELS["Scan"].bind(Call("Scan", [h, x], outputs, graph.node("s").attributes))
