from __future__ import annotations

from graphc.passes.trim_loops import trim_loops

from .harness import check

INPUTS = """
        %a: float32[4] = Input()
        %b: float32[2] = Input()
        %x: float32[n, 4] = Input()
        %z: float32[n, 2] = Input()
        %w: float32[4] = Input()
        %v: float32[2] = Input()
"""

BOTH = (
    INPUTS
    + """
        %s: (float32[4], float32[2], float32[n, 4], float32[n, 2], float32[n, 4], float32[n, 2]) =
        Scan(%a, %b, %x, %z, %w, %v) {body = graph body {
          %a: float32[4] = Input()
          %b: float32[2] = Input()
          %x: float32[4] = Input()
          %z: float32[2] = Input()
          %w: float32[4] = Input()
          %v: float32[2] = Input()
          %aw: float32[4] = Mul(%a, %w)
          %new_a: float32[4] = Add(%aw, %x)
          %bv: float32[2] = Mul(%b, %v)
          %new_b: float32[2] = Add(%bv, %z)
          output first = %new_a
          output second = %new_b
          output y = %aw
          output other = %bv
        }, num_states = 2, num_scanned = 2, reverse = true}
"""
)  # fmt: skip


def test_what_only_unused_results_need_goes() -> None:
    notes = check(
        trim_loops,
        BOTH + "        output y = %s:2\n",
        INPUTS
        + """
        %s: (float32[4], float32[n, 4], float32[n, 4]) = Scan(%a, %x, %w) {body = graph body {
          %a: float32[4] = Input()
          %x: float32[4] = Input()
          %w: float32[4] = Input()
          %aw: float32[4] = Mul(%a, %w)
          %new_a: float32[4] = Add(%aw, %x)
          output first = %new_a
          output y = %aw
        }, num_states = 1, num_scanned = 1, reverse = true}
        output y = %s:1
        """,
    )
    assert notes == ("removed 1 results and 3 operands of %s",)


def test_states_that_are_read_on_entry_stay() -> None:
    check(
        trim_loops,
        BOTH + "        output entries = %s:5\n",
        INPUTS
        + """
        %s: (float32[2], float32[n, 2]) = Scan(%b, %z, %v) {body = graph body {
          %b: float32[2] = Input()
          %z: float32[2] = Input()
          %v: float32[2] = Input()
          %bv: float32[2] = Mul(%b, %v)
          %new_b: float32[2] = Add(%bv, %z)
          output second = %new_b
        }, num_states = 1, num_scanned = 1, reverse = true}
        output entries = %s:1
        """,
    )


def test_something_to_scan_over_stays() -> None:
    check(
        trim_loops,
        """
        %a: float32[4] = Input()
        %x: float32[n, 4] = Input()
        %y: float32[n, 4] = Input()
        %s: (float32[4], float32[n, 4]) = Scan(%a, %x, %y) {body = graph body {
          %a: float32[4] = Input()
          %x: float32[4] = Input()
          %y: float32[4] = Input()
          %double: float32[4] = Add(%a, %a)
          output state = %double
        }, num_states = 1, num_scanned = 2}
        output last = %s
        """,
        """
        %a: float32[4] = Input()
        %x: float32[n, 4] = Input()
        %y: float32[n, 4] = Input()
        %s: (float32[4], float32[n, 4]) = Scan(%a, %x) {body = graph body {
          %a: float32[4] = Input()
          %x: float32[4] = Input()
          %double: float32[4] = Add(%a, %a)
          output state = %double
        }, num_states = 1, num_scanned = 1}
        output last = %s
        """,
    )


def test_a_state_that_another_one_needs_stays() -> None:
    check(
        trim_loops,
        """
        %a: float32[2] = Input()
        %b: float32[2] = Input()
        %x: float32[n, 2] = Input()
        %s: (float32[2], float32[2], float32[n, 2], float32[n, 2]) = Scan(%a, %b, %x) {body = graph body {
          %a: float32[2] = Input()
          %b: float32[2] = Input()
          %x: float32[2] = Input()
          %new_a: float32[2] = Add(%a, %b)
          %new_b: float32[2] = Mul(%b, %x)
          output first = %new_a
          output second = %new_b
        }, num_states = 2, num_scanned = 1}
        output last = %s
        """,
        None,
    )


def test_a_loop_that_nobody_reads_is_left_to_prune() -> None:
    check(trim_loops, BOTH + "        output x = %x\n", None)


def test_loops_inside_loops_are_trimmed_first_outside() -> None:
    inputs = """
        %x: float32[n, 3, 2] = Input()
        %w: float32[2] = Input()
    """
    check(
        trim_loops,
        inputs
        + """
        %s: (float32[n, 3, 2], float32[n, 3, 2]) = Scan(%x, %w) {body = graph rows {
          %x: float32[3, 2] = Input()
          %w: float32[2] = Input()
          %t: (float32[3, 2], float32[3, 2]) = Scan(%x, %w) {body = graph cells {
            %x: float32[2] = Input()
            %w: float32[2] = Input()
            %xw: float32[2] = Mul(%x, %w)
            %neg: float32[2] = Neg(%x)
            output first = %xw
            output second = %neg
          }, num_states = 0, num_scanned = 1}
          output first = %t
          output second = %t:1
        }, num_states = 0, num_scanned = 1}
        output y = %s:1
        """,
        inputs
        + """
        %s: float32[n, 3, 2] = Scan(%x) {body = graph rows {
          %x: float32[3, 2] = Input()
          %t: float32[3, 2] = Scan(%x) {body = graph cells {
            %x: float32[2] = Input()
            %neg: float32[2] = Neg(%x)
            output second = %neg
          }, num_states = 0, num_scanned = 1}
          output second = %t
        }, num_states = 0, num_scanned = 1}
        output y = %s
        """,
    )
