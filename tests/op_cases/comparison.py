"""Cases of `graphc.ops.comparison`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.elementwise import PAIRS
from op_cases.values import ALL_FLOATS, SPECIAL, booleans, integers, numbers

SIGNED, UNSIGNED = integers((3, 4), -3, 3, "int32"), integers((3, 1), 0, 3, "uint8")


def compare(op: str, oracle: Callable[..., Any]) -> list[Case]:
    """Ties, broadcasting, special values and integers."""
    ties = np.round(numbers((3, 4)))
    return [
        Case(op, [ties, np.round(numbers((4,)))], oracle, dtypes=ALL_FLOATS, id="ties"),
        Case(op, [numbers((5, 1)), numbers((1, 4))], oracle, id="broadcast"),
        Case(op, [numbers((0, 3)), numbers(())], oracle, id="empty"),
        Case(op, PAIRS, oracle, id="special"),
        Case(op, [SIGNED, integers((4,), -3, 3, "int32")], oracle, id="int32"),
        Case(op, [UNSIGNED, integers((1, 4), 0, 3, "uint8")], oracle, id="uint8"),
    ]


def logic(op: str, oracle: Callable[..., Any]) -> list[Case]:
    """Both operands take both values."""
    table: list[Array] = [np.array([False, False, True, True]), np.array([False, True, False, True])]
    return [
        Case(op, table, oracle, id="table"),
        Case(op, [booleans((3, 1)), booleans((2, 1, 4))], oracle, id="broadcast"),
    ]


def is_inf(x: Array, detect_negative: int = 1, detect_positive: int = 1) -> Array:
    return np.asarray((x == np.inf) & bool(detect_positive) | (x == -np.inf) & bool(detect_negative))


CASES: list[Case] = [
    *compare("Equal", np.equal),
    Case("Equal", [booleans((3, 4)), booleans((4,))], np.equal, id="bool"),
    *compare("Greater", np.greater),
    *compare("GreaterOrEqual", np.greater_equal),
    *compare("Less", np.less),
    *compare("LessOrEqual", np.less_equal),
    *logic("And", np.logical_and),
    *logic("Or", np.logical_or),
    *logic("Xor", np.logical_xor),
    Case("Not", [booleans((3, 4))], np.logical_not, id="3x4"),
    Case("Not", [np.array(True)], np.logical_not, id="scalar"),
    Case("IsNaN", [SPECIAL], np.isnan, dtypes=ALL_FLOATS, id="special"),
    Case("IsInf", [SPECIAL], is_inf, dtypes=ALL_FLOATS, id="both"),
    Case("IsInf", [SPECIAL], is_inf, {"detect_negative": 0}, id="positive"),
    Case("IsInf", [SPECIAL], is_inf, {"detect_positive": 0}, id="negative"),
    Case("IsInf", [SPECIAL], is_inf, {"detect_negative": 0, "detect_positive": 0}, id="none"),
]
