from __future__ import annotations

import pytest

from graphc.passes.base import run_passes
from graphc.passes.fuse_gemm import fuse_gemm
from graphc.passes.prune import prune

from .harness import OPTIONS, check, graph_of, rewrite

HEAD = """
    %x: float32[n, 4] = Input()
    %w: float32[4, 3] = State() {state = "w"}
    %v: float32[3, 4] = State() {state = "v"}
    %b: float32[3] = State() {state = "b"}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "%m: float32[n, 3] = MatMul(%x, %w) %y: float32[n, 3] = Add(%m, %b)",
            "%Gemm: float32[n, 3] = Gemm(%x, %w, %b)",
        ),
        (
            "%m: float32[n, 3] = MatMul(%x, %w) %y: float32[n, 3] = Add(%b, %m)",
            "%Gemm: float32[n, 3] = Gemm(%x, %w, %b)",
        ),
        (
            "%t: float32[4, 3] = Transpose(%v) %m: float32[n, 3] = MatMul(%x, %t) %y: float32[n, 3] = Add(%m, %b)",
            "%Gemm: float32[n, 3] = Gemm(%x, %v, %b) {trans_b = 1}",
        ),
        (
            "%t: float32[3, 4] = Transpose(%w) {perm = (1, 0)} %y: float32[3, 3] = MatMul(%t, %w)",
            "%Gemm: float32[3, 3] = Gemm(%w, %w) {trans_a = 1}",
        ),
        (
            "%t: float32[3, 4] = Transpose(%w) %y: float32[n, 3] = Gemm(%x, %t, %b) {trans_b = 1, alpha = 0.5}",
            "%y: float32[n, 3] = Gemm(%x, %w, %b) {alpha = 0.5}",
        ),
        (
            "%p: float32[n, 3] = MatMul(%x, %w) %q: float32[n, 3] = MatMul(%x, %w) %y: float32[n, 3] = Add(%p, %q)",
            "%q: float32[n, 3] = MatMul(%x, %w) %Gemm: float32[n, 3] = Gemm(%x, %w, %q)",
        ),
    ],
)
def test_what_is_fused(before: str, after: str) -> None:
    def whole(lines: str) -> str:
        last = graph_of(HEAD + lines).nodes()[-1].name
        return f"{HEAD} {lines} output y = %{last}"

    check(fuse_gemm, whole(before), whole(after))


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        ("%m: float32[n, 3] = MatMul(%x, %w) %y: float32[n, 3] = Add(%m, %b) output m = %m",
         "bias: left %y as it is: the product %m has other uses"),
        ("%m: float32[n, 3] = MatMul(%x, %w) %y: float32[n, 3] = Add(%m, %m)",
         "bias: left %y as it is: the product %m has other uses"),
        ("%c: float32[2, 1, 1] = Constant() {value = [[[1.0]], [[2.0]]]} %m: float32[n, 3] = MatMul(%x, %w) "
         "%y: float32[2, n, 3] = Add(%m, %c)",
         "bias: left %y as it is: float32[2, 1, 1] does not broadcast to the product float32[n, 3]"),
        ("%t: float32[4, 3] = Transpose(%v) %y: float32[n, 3] = MatMul(%x, %t) output t = %t",
         "transpose: left %y as it is: the transpose %t is a result of the graph"),
        ("%s: float32[2, n, 4] = Expand(%x) {shape = (2, 1, 1)} %m: float32[2, n, 3] = MatMul(%s, %w) "
         "%y: float32[2, n, 3] = Add(%m, %b)", ""),
        ("%s: float32[4] = Constant() {value = [1.0, 2.0, 3.0, 4.0]} %m: float32[n] = MatMul(%x, %s) "
         "%o: float32[] = Constant() {value = 1.0} %y: float32[n] = Add(%m, %o)", ""),
        ("%y: float32[n, 3] = Gemm(%x, %w, %b)", ""),
    ],
)  # fmt: skip
def test_what_is_left_alone(lines: str, note: str) -> None:
    assert check(fuse_gemm, f"{HEAD} {lines} output y = %y", None) == ((note,) if note else ())


def test_lengths_that_only_data_can_compare_are_left_alone() -> None:
    graph = graph_of(
        f"""{HEAD}
        %z: float32[m, 3] = Input()
        %p: float32[n, 3] = MatMul(%x, %w)
        %y: float32[max(m, n), 3] = Add(%p, %z)
        output y = %y
        """
    )
    _, (report,) = run_passes(graph, [fuse_gemm], OPTIONS)
    assert not report.changed
    assert report.notes == ("bias: left %y as it is: float32[m, 3] does not broadcast to the product float32[n, 3]",)


def test_float16_rounds_once_less() -> None:
    text = """
        %x: float16[n, 4] = Input()
        %w: float16[4, 3] = Input()
        %b: float16[3] = Input()
        %m: float16[n, 3] = MatMul(%x, %w)
        %y: float16[n, 3] = Add(%m, %b)
        output y = %y
        """
    (note,) = check(fuse_gemm, text, None, exact_only=True)
    assert "a float16 Gemm rounds once where the two ops round twice" in note
    result, _ = rewrite(fuse_gemm, graph_of(text), rtol=2e-3)
    assert [node.op for node in result.nodes()[3:]] == ["Gemm"]


def test_integers_have_no_gemm() -> None:
    check(
        fuse_gemm,
        """
        %x: int32[n, 4] = Input()
        %w: int32[4, 3] = Input()
        %b: int32[3] = Input()
        %m: int32[n, 3] = MatMul(%x, %w)
        %y: int32[n, 3] = Add(%m, %b)
        output y = %y
        """,
        None,
    )


def test_the_mlp_is_a_row_of_gemms() -> None:
    graph = graph_of(
        """
        %x: float32[n, 8] = Input()
        %k: float32[8, 5] = State() {state = "k"}
        %b: float32[5] = State() {state = "b"}
        %k2: float32[5, 3] = State() {state = "k2"}
        %b2: float32[3] = State() {state = "b2"}
        %m: float32[n, 5] = MatMul(%x, %k)
        %a: float32[n, 5] = Add(%m, %b)
        %r: float32[n, 5] = Relu(%a)
        %m2: float32[n, 3] = MatMul(%r, %k2)
        %y: float32[n, 3] = Add(%m2, %b2)
        output y = %y
        """
    )
    result, _ = rewrite([fuse_gemm, prune], graph)
    assert [node.op for node in result.nodes() if node.op not in ("Input", "State")] == ["Gemm", "Relu", "Gemm"]
