"""Passes and loops: the runner brings every pass into bodies, and passes treat a loop as the op that it is."""

from __future__ import annotations

import numpy as np
from op_cases.onnx_runtime import run_onnx

from graphc.ir.graph import Graph
from graphc.ops.registry import OPS
from graphc.passes.base import Options, PassResult, run_passes
from graphc.passes.cse import cse
from graphc.passes.fold import fold
from graphc.passes.pipelines import PIPELINES
from graphc.passes.prune import prune
from graphc.passes.simplify import simplify
from graphc.runtimes.numpy_runtime import prepare

from .harness import check, graph_of, rewrite


def test_passes_run_in_bodies_and_say_so() -> None:
    notes = check(
        simplify,
        """
        %x: float32[n, 3] = Input()
        %y: float32[n, 3] = Scan(%x) {body = graph body {
          %x: float32[3] = Input()
          %a: float32[3] = Neg(%x)
          %b: float32[3] = Neg(%a)
          %c: float32[3] = Exp(%b)
          output y = %c
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """,
        """
        %x: float32[n, 3] = Input()
        %y: float32[n, 3] = Scan(%x) {body = graph body {
          %x: float32[3] = Input()
          %c: float32[3] = Exp(%x)
          output y = %c
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """,
    )
    assert notes == ("in the body of %y: undone: rewrote %b",)


def test_refusals_in_bodies_are_told_once() -> None:
    graph = graph_of(
        """
        %x: float32[n, 3] = Input()
        %y: float32[n, 3] = Scan(%x) {body = graph body {
          %x: float32[3] = Input()
          output y = %x
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """
    )

    def refuses(_graph: Graph, _options: Options) -> PassResult:
        return PassResult(False, ("left something as it is",))

    _, (report,) = run_passes(graph, [refuses], Options(rules=OPS))
    assert report.notes == ("left something as it is", "in the body of %y: left something as it is")


def test_loops_with_equal_bodies_are_one() -> None:
    loop = """
        %{0}: float32[n, 3] = Scan(%x, %w) {{body = graph {1} {{
          %{2}: float32[3] = Input()
          %w: float32[3] = Input()
          %{3}: float32[3] = {4}(%{2}, %w)
          output {5} = %{3}
        }}, num_states = 0, num_scanned = 1}}
    """
    graph = graph_of(
        "%x: float32[n, 3] = Input()\n%w: float32[3] = Input()\n"
        + loop.format("a", "body", "x", "y", "Mul", "result")
        + loop.format("b", "other", "slice", "product", "Mul", "y")
        + loop.format("c", "body", "x", "y", "Add", "result")
        + "%ab: float32[n, 3] = Mul(%a, %b)\n%abc: float32[n, 3] = Mul(%ab, %c)\noutput y = %abc\n"
    )
    result, (report,) = rewrite(cse, graph)
    assert report.notes == ("%b is %a",)
    assert [n.name for n in result.nodes_of("Scan")] == ["a", "c"]


def test_a_loop_over_constants_is_not_folded() -> None:
    check(
        fold,
        """
        %x: float32[2] = Constant() {value = [1.0, 2.0]}
        %key: uint32[2] = Constant() {value = [1, 2]}
        %y: float32[2] = Scan(%x, %key) {body = graph body {
          %x: float32[] = Input()
          %key: uint32[2] = Input()
          %u: float32[] = RandomUniform(%key) {shape = (), index = 0}
          %sum: float32[] = Add(%x, %u)
          output y = %sum
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """,
        None,
    )


def test_constants_in_a_body_are_folded_there() -> None:
    check(
        fold,
        """
        %x: float32[n] = Input()
        %y: float32[n] = Scan(%x) {body = graph body {
          %x: float32[] = Input()
          %a: float32[] = Constant() {value = 1.5}
          %b: float32[] = Constant() {value = 2.0}
          %ab: float32[] = Mul(%a, %b)
          %y: float32[] = Mul(%x, %ab)
          output y = %y
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """,
        """
        %x: float32[n] = Input()
        %y: float32[n] = Scan(%x) {body = graph body {
          %x: float32[] = Input()
          %ab: float32[] = Constant() {value = 3.0}
          %y: float32[] = Mul(%x, %ab)
          output y = %y
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """,
    )


def test_unused_loops_and_dead_nodes_of_bodies_go() -> None:
    check(
        prune,
        """
        %x: float32[n] = Input()
        %y: float32[n] = Scan(%x) {body = graph body {
          %x: float32[] = Input()
          %dead: float32[] = Exp(%x)
          %y: float32[] = Neg(%x)
          output y = %y
        }, num_states = 0, num_scanned = 1}
        %z: float32[n] = Scan(%x) {body = graph body {
          %x: float32[] = Input()
          output y = %x
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """,
        """
        %x: float32[n] = Input()
        %y: float32[n] = Scan(%x) {body = graph body {
          %x: float32[] = Input()
          %y: float32[] = Neg(%x)
          output y = %y
        }, num_states = 0, num_scanned = 1}
        output y = %y
        """,
    )


CONVOLUTION = """
    %h: float32[n, 5, 6, 4] = Input()
    %x: float32[t, n, 5, 6, 2] = Input()
    %k: float32[3, 3, 2, 4] = Constant() {{value = {0}}}
    %r: float32[3, 3, 4, 4] = Constant() {{value = {1}}}
    %s: (float32[n, 5, 6, 4], float32[t, n, 5, 6, 4], float32[t, n, 5, 6, 4]) = Scan(%h, %x, %k, %r) {{body = graph cell {{
      %h: float32[n, 5, 6, 4] = Input()
      %x: float32[n, 5, 6, 2] = Input()
      %k: float32[3, 3, 2, 4] = Input()
      %r: float32[3, 3, 4, 4] = Input()
      %xk: float32[n, 5, 6, 4] = Conv(%x, %k) {{pads = "SAME_UPPER", layout = "NHWC"}}
      %hr: float32[n, 5, 6, 4] = Conv(%h, %r) {{pads = "SAME_UPPER", layout = "NHWC"}}
      %sum: float32[n, 5, 6, 4] = Add(%xk, %hr)
      %new: float32[n, 5, 6, 4] = Tanh(%sum)
      output state = %new
      output result = %new
    }}, num_states = 1, num_scanned = 1}}
    output last = %s
    output every = %s:1
"""


def test_convolutions_in_a_body_are_exported_channels_first() -> None:
    random = np.random.default_rng(1)
    arrays = [random.uniform(-0.3, 0.3, shape).astype(np.float32) for shape in ((3, 3, 2, 4), (3, 3, 4, 4))]
    graph = graph_of(CONVOLUTION.format(*(array.tolist() for array in arrays)))
    result, reports = run_passes(graph, PIPELINES["O2"], Options(rules=OPS, verify_each=True))
    body = result.nodes_of("Scan")[0].attributes["body"]
    assert {n.attributes["layout"] for n in body.nodes_of("Conv")} == {"NCHW"}
    assert [n.op for n in body] == ["Input"] * 4 + ["Conv", "Conv", "Add", "Tanh"], "no Transpose stays in the loop"
    assert any("in the body of %s: stored %xk channels first" in note for report in reports for note in report.notes)
    feeds = {
        "h": random.standard_normal((2, 5, 6, 4)).astype(np.float32),
        "x": random.standard_normal((3, 2, 5, 6, 2)).astype(np.float32),
    }
    wanted = prepare(graph).run(feeds)
    for ours, other, answer in zip(
        prepare(result).run(feeds).values(), run_onnx(result, feeds), wanted.values(), strict=True
    ):
        np.testing.assert_allclose(ours, answer, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.asarray(other), answer, rtol=1e-5, atol=1e-6)
