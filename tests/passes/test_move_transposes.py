from __future__ import annotations

from graphc.passes.move_transposes import move_transposes

from .harness import check

INPUTS = """
        %h: float32[2, 4, 3] = Input()
        %x: float32[n, 2, 4, 3] = Input()
"""


def test_transposes_move_to_operands_and_outputs() -> None:
    notes = check(
        move_transposes,
        INPUTS
        + """
        %s: (float32[2, 4, 3], float32[n, 2, 4, 3], float32[n, 2, 4, 3]) = Scan(%h, %x) {body = graph body {
          %h: float32[2, 4, 3] = Input()
          %x: float32[2, 4, 3] = Input()
          %th: float32[3, 2, 4] = Transpose(%h) {perm = (2, 0, 1)}
          %tx: float32[3, 2, 4] = Transpose(%x) {perm = (2, 0, 1)}
          %again: float32[3, 2, 4] = Transpose(%x) {perm = (2, 0, 1)}
          %sum: float32[3, 2, 4] = Add(%th, %tx)
          %new: float32[3, 2, 4] = Mul(%sum, %again)
          %back: float32[2, 4, 3] = Transpose(%new) {perm = (1, 2, 0)}
          output state = %back
          output result = %back
        }, num_states = 1, num_scanned = 1, reverse = true}
        output last = %s
        output every = %s:1
        output entries = %s:2
        """,
        INPUTS
        + """
        %h/Transpose: float32[3, 2, 4] = Transpose(%h) {perm = (2, 0, 1)}
        %x/Transpose: float32[n, 3, 2, 4] = Transpose(%x) {perm = (0, 3, 1, 2)}
        %s: (float32[3, 2, 4], float32[n, 3, 2, 4], float32[n, 3, 2, 4]) = Scan(%h/Transpose, %x/Transpose) {body = graph body {
          %h: float32[3, 2, 4] = Input()
          %x: float32[3, 2, 4] = Input()
          %sum: float32[3, 2, 4] = Add(%h, %x)
          %new: float32[3, 2, 4] = Mul(%sum, %x)
          output state = %new
          output result = %new
        }, num_states = 1, num_scanned = 1, reverse = true}
        %s/Transpose: float32[2, 4, 3] = Transpose(%s) {perm = (1, 2, 0)}
        %s/Transpose_1: float32[n, 2, 4, 3] = Transpose(%s:1) {perm = (0, 2, 3, 1)}
        %s/Transpose_2: float32[n, 2, 4, 3] = Transpose(%s:2) {perm = (0, 2, 3, 1)}
        output last = %s/Transpose
        output every = %s/Transpose_1
        output entries = %s/Transpose_2
        """,
    )
    assert notes == ("moved 4 Transposes out of %s",)


def test_what_is_read_in_two_ways_and_states_that_turn_stay() -> None:
    check(
        move_transposes,
        """
        %h: float32[3, 3] = Input()
        %x: float32[n, 3, 3] = Input()
        %y: float32[n, 3, 3] = Input()
        %s: (float32[3, 3], float32[n, 3, 3], float32[n, 3, 3]) = Scan(%h, %x, %y) {body = graph body {
          %h: float32[3, 3] = Input()
          %x: float32[3, 3] = Input()
          %y: float32[3, 3] = Input()
          %th: float32[3, 3] = Transpose(%h) {perm = (1, 0)}
          %tx: float32[3, 3] = Transpose(%x) {perm = (1, 0)}
          %both: float32[3, 3] = Add(%x, %tx)
          %new: float32[3, 3] = Add(%th, %both)
          %ty: float32[3, 3] = Transpose(%y) {perm = (0, 1)}
          %sum: float32[3, 3] = Add(%ty, %y)
          output state = %new
          output result = %sum
        }, num_states = 1, num_scanned = 2}
        output last = %s
        output every = %s:1
        """,
        None,
    )
