"""Cases of the functions in `graphc.ops.functional.loops`: the answers are plain Python loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from function_cases.case import Array, numbers
from function_cases.case import FunctionCase as Case


def scanned(
    f: Callable[[Any, Any], Any], init: Any, xs: Any, length: Any = None, reverse: bool = False, unroll: bool = False
) -> Any:
    """What `scan` gives, by a loop over the slices."""
    del unroll
    count = length if xs is None else len(xs)
    ys: list[Any] = [None] * count
    carry = init
    for i in reversed(range(count)) if reverse else range(count):
        carry, ys[i] = f(carry, None if xs is None else xs[i])
    return carry, np.stack(ys)


def mapped(f: Callable[[Any], Any], xs: Array) -> Any:
    return np.stack([f(x) for x in xs])


def decay(carry: Any, x: Any) -> Any:
    new = carry * 0.5 + x
    return new, new * x


def count(carry: Any, _x: Any) -> Any:
    return carry * 1.5, carry


def accumulated(f: Callable[[Any, Any], Any], x: Array, reverse: bool = False, axis: int = 0) -> Array:
    """What `associative_scan` gives, one element after the other."""
    parts = np.moveaxis(x, axis, 0)
    parts = parts[::-1] if reverse else parts
    found = [parts[0]]
    for part in parts[1:]:
        found.append(f(found[-1], part))
    stacked = np.stack(found[::-1] if reverse else found)
    return np.moveaxis(stacked, 0, axis)


KNOWN = "the length of the axis must be known"

CASES: list[Case] = [
    Case("scan", [decay, numbers(5, 3), numbers(7, 5, 3)], oracle=scanned, id="forward"),
    Case("scan", [decay, numbers(5, 3), numbers(7, 5, 3)], {"reverse": True}, scanned, id="reverse"),
    Case("scan", [decay, 0.25, numbers(7)], oracle=scanned, id="number"),
    Case("scan", [decay, 0, numbers(7)], oracle=scanned, id="integer"),
    Case("scan", [decay, numbers(3), numbers(1, 3)], {"unroll": True}, scanned, id="one"),
    Case("scan", [count, numbers(5, 3), None], {"length": 4}, scanned, id="length"),
    Case("map", [lambda x: x * x - 1, numbers(7, 5, 3)], oracle=mapped),
    Case("map", [lambda x: x[1:] * 2, numbers(5, 4)], oracle=mapped, id="slice"),
    Case("vectorized_map", [lambda x: x[0] + x[-1], numbers(7, 3)], oracle=mapped),
    Case("associative_scan", [lambda a, b: a + b, numbers(6, 5)], oracle=accumulated, id="sum"),
    Case(
        "associative_scan",
        [lambda a, b: a * b, numbers(5, 6, 3)],
        {"axis": 1, "reverse": True},
        accumulated,
        id="reverse",
    ),
    Case("associative_scan", [lambda a, b: a + b, numbers(1, 5)], oracle=accumulated, id="one"),
    Case("associative_scan", [lambda a, b: a + b, numbers(7, 3)], oracle=accumulated, id="time", symbolic=KNOWN),
]
