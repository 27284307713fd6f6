"""Tasks: results, exceptions and context managers go through as through calls, at any depth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from graphc.nesting import Task, run


def count(n: int) -> Task[int]:
    if n == 0:
        return 0
    return 1 + (yield count(n - 1))


def test_depth_costs_no_stack() -> None:
    assert run(count(100_000)) == 100_000


def test_contexts_close_from_the_inside_out() -> None:
    events: list[str] = []

    @contextmanager
    def told(name: Any) -> Iterator[None]:
        events.append(f"+{name}")
        try:
            yield
        finally:
            events.append(f"-{name}")

    def task(n: int) -> Task[None]:
        with told(n):
            if n == 2:
                raise KeyError("deep")
            yield task(n + 1)

    with pytest.raises(KeyError, match="deep"):
        run(task(0))
    assert events == ["+0", "+1", "+2", "-2", "-1", "-0"]


def test_a_task_may_catch_what_an_inner_one_raised() -> None:
    def inner() -> Task[None]:
        raise ValueError("inside")
        yield

    def outer() -> Task[str]:
        try:
            yield inner()
        except ValueError as error:
            return f"caught {error}"
        return "nothing"

    assert run(outer()) == "caught inside"


def test_several_inner_tasks_in_turn() -> None:
    def outer() -> Task[list[int]]:
        results = []
        for n in (3, 1, 2):
            results.append((yield count(n)))
        return results

    assert run(outer()) == [3, 1, 2]
