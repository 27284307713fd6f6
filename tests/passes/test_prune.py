from __future__ import annotations

from graphc.passes.prune import prune

from .harness import check


def test_dead_nodes_and_what_only_they_use_go() -> None:
    notes = check(
        prune,
        """
        %x: float32[n, 2] = Input()
        %w: float32[2] = State() {state = "w"}
        %c: float32[] = Constant() {value = 2.0}
        %y: float32[n, 2] = Neg(%x)
        %a: float32[n, 2] = Add(%x, %w)
        %b: float32[n, 2] = Mul(%a, %c)
        %parts: (float32[n, 1], float32[n, 1]) = Split(%y) {sizes = (1, 1), axis = 1}
        output first = %parts
        """,
        """
        %x: float32[n, 2] = Input()
        %y: float32[n, 2] = Neg(%x)
        %parts: (float32[n, 1], float32[n, 1]) = Split(%y) {sizes = (1, 1), axis = 1}
        output first = %parts
        """,
    )
    assert notes == (
        "removed %w (State)",
        "removed %c (Constant)",
        "removed %a (Add)",
        "removed %b (Mul)",
    )


def test_inputs_stay() -> None:
    check(
        prune,
        """
        %x: float32[2] = Input()
        %unused: float32[2] = Input()
        output y = %x
        """,
        None,
    )


def test_updates_keep_what_they_need_and_the_state_they_set() -> None:
    check(
        prune,
        """
        %x: float32[2] = Input()
        %count: int32[] = State() {state = "count"}
        %set: float32[2] = State() {state = "set"}
        %one: int32[] = Constant() {value = 1}
        %more: int32[] = Add(%count, %one)
        output y = %x
        update count = %more
        update set = %x
        """,
        None,
    )
