from __future__ import annotations

from graphc.passes.hoist import hoist

from .harness import check

INPUTS = """
        %h: float32[2, 4] = Input()
        %x: float32[n, 2, 3] = Input()
        %w: float32[4, 3] = Input()
"""


def test_what_is_the_same_in_every_step_moves() -> None:
    notes = check(
        hoist,
        INPUTS
        + """
        %s: (float32[2, 4], float32[n, 2, 4]) = Scan(%h, %x, %w) {body = graph body {
          %h: float32[2, 4] = Input()
          %x: float32[2, 3] = Input()
          %w: float32[4, 3] = Input()
          %two: float32[] = Constant() {value = 2.0}
          %twice: float32[4, 3] = Mul(%w, %two)
          %t: float32[3, 4] = Transpose(%twice) {perm = (1, 0)}
          %p: float32[2, 4] = MatMul(%x, %t)
          %new: float32[2, 4] = Add(%h, %p)
          output state = %new
        }, num_states = 1, num_scanned = 1}
        output last = %s
        """,
        INPUTS
        + """
        %two: float32[] = Constant() {value = 2.0}
        %twice: float32[4, 3] = Mul(%w, %two)
        %t: float32[3, 4] = Transpose(%twice) {perm = (1, 0)}
        %s: (float32[2, 4], float32[n, 2, 4]) = Scan(%h, %x, %t) {body = graph body {
          %h: float32[2, 4] = Input()
          %x: float32[2, 3] = Input()
          %t: float32[3, 4] = Input()
          %p: float32[2, 4] = MatMul(%x, %t)
          %new: float32[2, 4] = Add(%h, %p)
          output state = %new
        }, num_states = 1, num_scanned = 1}
        output last = %s
        """,
    )
    assert notes == ("moved %twice (Mul) out of %s", "moved %t (Transpose) out of %s")


def test_results_and_values_that_stay_in_use_become_invariants() -> None:
    check(
        hoist,
        """
        %x: float32[n, 3] = Input()
        %w: float32[3] = Input()
        %s: (float32[n, 3], float32[n, 3], float32[n, 3]) = Scan(%x, %w) {body = graph body {
          %x: float32[3] = Input()
          %w: float32[3] = Input()
          %e: float32[3] = Exp(%w)
          %xe: float32[3] = Mul(%x, %e)
          %xw: float32[3] = Mul(%x, %w)
          output exp = %e
          output first = %xe
          output second = %xw
        }, num_states = 0, num_scanned = 1}
        output e = %s
        output xe = %s:1
        output xw = %s:2
        """,
        """
        %x: float32[n, 3] = Input()
        %w: float32[3] = Input()
        %e: float32[3] = Exp(%w)
        %s: (float32[n, 3], float32[n, 3], float32[n, 3]) = Scan(%x, %w, %e) {body = graph body {
          %x: float32[3] = Input()
          %w: float32[3] = Input()
          %e: float32[3] = Input()
          %xe: float32[3] = Mul(%x, %e)
          %xw: float32[3] = Mul(%x, %w)
          output exp = %e
          output first = %xe
          output second = %xw
        }, num_states = 0, num_scanned = 1}
        output e = %s
        output xe = %s:1
        output xw = %s:2
        """,
    )


def test_what_grows_or_depends_on_constants_alone_stays() -> None:
    check(
        hoist,
        """
        %x: float32[n, 3] = Input()
        %w: float32[3] = Input()
        %s: float32[n, 5, 3] = Scan(%x, %w) {body = graph body {
          %x: float32[3] = Input()
          %w: float32[3] = Input()
          %one: float32[] = Constant() {value = 1.0}
          %minus: float32[] = Neg(%one)
          %rows: float32[5, 3] = Expand(%w) {shape = (5, 3)}
          %sum: float32[5, 3] = Add(%rows, %x)
          %y: float32[5, 3] = Mul(%sum, %minus)
          output y = %y
        }, num_states = 0, num_scanned = 1}
        output y = %s
        """,
        None,
    )


def test_through_two_loops() -> None:
    check(
        hoist,
        """
        %x: float32[n, 2, 3] = Input()
        %w: float32[3] = Input()
        %s: float32[n, 2, 3] = Scan(%x, %w) {body = graph rows {
          %x: float32[2, 3] = Input()
          %w: float32[3] = Input()
          %t: float32[2, 3] = Scan(%x, %w) {body = graph cells {
            %x: float32[3] = Input()
            %w: float32[3] = Input()
            %e: float32[3] = Exp(%w)
            %y: float32[3] = Mul(%x, %e)
            output y = %y
          }, num_states = 0, num_scanned = 1}
          output y = %t
        }, num_states = 0, num_scanned = 1}
        output y = %s
        """,
        """
        %x: float32[n, 2, 3] = Input()
        %w: float32[3] = Input()
        %e: float32[3] = Exp(%w)
        %s: float32[n, 2, 3] = Scan(%x, %e) {body = graph rows {
          %x: float32[2, 3] = Input()
          %e: float32[3] = Input()
          %t: float32[2, 3] = Scan(%x, %e) {body = graph cells {
            %x: float32[3] = Input()
            %e: float32[3] = Input()
            %y: float32[3] = Mul(%x, %e)
            output y = %y
          }, num_states = 0, num_scanned = 1}
          output y = %t
        }, num_states = 0, num_scanned = 1}
        output y = %s
        """,
    )
