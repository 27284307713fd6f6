"""Recursion without Python's stack: for what users may nest as deep as they like, such as models within models.

A *task* is a generator that yields another task where a function would call itself, and is sent that task's result:

>>> def depth(tree):
...     deepest = 0
...     for child in tree:
...         deepest = max(deepest, (yield depth(child)))
...     return deepest + 1
>>> run(depth([[], [[]]]))
3
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

T = TypeVar("T")

Task = Generator[Any, Any, T]
"""What a task is; it yields tasks and returns a T."""


def run(task: Task[T]) -> T:
    """Run a task and all tasks that it yields, each inside the one that yielded it, and return its result.

    An exception goes through the waiting tasks from the inside out, as it would go through calls, so ``with`` and
    ``try`` around a ``yield`` work.
    """
    waiting: list[Task[Any]] = [task]
    result: Any = None
    error: BaseException | None = None
    while waiting:
        current = waiting[-1]
        try:
            if error is None:
                inner = current.send(result)
            else:
                failed, error = error, None
                inner = current.throw(failed)
        except StopIteration as stop:
            waiting.pop()
            result = stop.value
        except BaseException as raised:
            waiting.pop()
            if not waiting:
                raise
            error = raised
        else:
            waiting.append(inner)
            result = None
    finished: T = result
    return finished
