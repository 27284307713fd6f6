"""Cases of `graphc.ops.select`."""

from __future__ import annotations

from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, SPECIAL, UNARY_SHAPES, booleans, integers, name_of, numbers

EVERY_INT = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")


def where(condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition, x, y)


def clip(x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    raised = x if low is None else np.where(x < low, low, x)
    return raised if high is None else np.where(raised > high, high, raised)


def cast(x: Array, to: str) -> Array:
    return x.astype(to)


def identity(x: Array) -> Array:
    return x


def conversions() -> list[Case]:
    """From each dtype to each other one, on values that both hold."""
    values: dict[str, Array] = {d: np.array([0, 1, 7, 100], d) for d in EVERY_INT}
    values["bool"] = np.array([False, True, True])
    return [
        Case("Cast", [x], cast, {"to": to}, id=f"{name}-{to}")
        for name, x in values.items()
        for to in ("bool", *EVERY_INT, *ALL_FLOATS)
    ] + [
        Case("Cast", [np.array([-2.7, -1.0, 0.0, 0.4, 1.0, 99.9])], cast, {"to": to}, ALL_FLOATS, id=f"float-{to}")
        for to in ("int8", "int16", "int32", "int64")
    ] + [
        Case("Cast", [np.array([0.0, 0.4, 1.0, 99.9])], cast, {"to": to}, id=f"float-{to}")
        for to in ("uint8", "uint16", "uint32", "uint64")
    ]  # fmt: skip


def same(op: str) -> list[Case]:
    """An op that gives its operand, in five shapes and other dtypes."""
    return [
        *(Case(op, [numbers(shape)], identity, dtypes=ALL_FLOATS, rtol=0.0, atol=0.0, id=name_of(shape),
               differentiate=None if op == "Identity" else ()) for shape in UNARY_SHAPES),
        Case(op, [SPECIAL], identity, rtol=0.0, atol=0.0, differentiate=(), id="special"),
        Case(op, [booleans((3, 4))], identity, id="bool"),
        Case(op, [integers((3, 4), -9, 9, "int64")], identity, id="int64"),
    ]  # fmt: skip


def exact(op: str, *args: Any, **kwargs: Any) -> Case:
    """A case whose results must be equal to the last bit."""
    return Case(op, *args, **kwargs, rtol=0.0, atol=0.0)


CASES: list[Case] = [
    exact("Where", [booleans((3, 4)), numbers((3, 4)), numbers((3, 4))], where, dtypes=ALL_FLOATS, id="full"),
    exact("Where", [booleans((3, 1)), numbers((2, 1, 4)), numbers((4,))], where, id="broadcast"),
    exact("Where", [booleans((2, 3, 4)), numbers(()), numbers(())], where, id="two_scalars"),
    exact("Where", [booleans((3, 4)), numbers((3, 4)), np.array(0.0)], where, id="else_zero"),
    exact("Where", [booleans((3, 4)), np.array([[0.0]]), numbers((3, 4))], where, id="zero_where"),
    exact("Where", [booleans((3, 4)), numbers((3, 4)), np.array(1.5)], where, id="else_scalar"),
    exact("Where", [np.array(True), numbers((3, 1)), numbers((1, 4))], where, id="scalar_condition"),
    exact("Where", [booleans((0, 3)), numbers((1, 3)), numbers((0, 1))], where, id="empty"),
    exact("Where", [np.arange(SPECIAL.size) % 2 == 0, SPECIAL, SPECIAL[::-1].copy()], where, differentiate=(),
          id="special"),
    exact("Where", [np.arange(SPECIAL.size) % 2 == 0, SPECIAL, np.array(-0.0)], where, differentiate=(),
          id="else_minus_zero"),
    *(exact("Where", [booleans((3, 4)), integers((3, 4), 0, 9, d), integers((4,), 0, 9, d)], where, id=d)
      for d in EVERY_INT),
    exact("Where", [booleans((3, 4)), np.full((3, 4), 2**64 - 1, np.uint64), integers((4,), 0, 9, "uint64")], where,
          id="high_uint64"),
    exact("Where", [booleans((3, 4)), booleans((3, 4)), booleans((4,))], where, id="bool"),
    exact("Clip", [numbers((3, 4), away_from=(-0.5, 1.0)), np.array(-0.5), np.array(1.0)], clip, dtypes=ALL_FLOATS,
          id="both"),
    exact("Clip", [numbers((2, 1, 5), away_from=(0.5,)), np.array(0.5)], clip, id="min_only"),
    exact("Clip", [numbers((2, 3, 4), away_from=(0.5,)), None, np.array(0.5)], clip, id="max_only"),
    exact("Clip", [numbers((3, 4)), None, None], clip, id="neither"),
    exact("Clip", [numbers((3, 4), away_from=(1.0, -1.0)), np.array(1.0), np.array(-1.0)], clip, id="min_above_max"),
    exact("Clip", [numbers((), away_from=(0.0,)), np.array(0.0), np.array(6.0)], clip, id="scalar"),
    exact("Clip", [numbers((0, 3)), np.array(-1.0), np.array(1.0)], clip, id="empty"),
    exact("Clip", [SPECIAL, np.array(-1.0), np.array(1.0)], clip, differentiate=(), id="special"),
    *(exact("Clip", [integers((3, 4), 0, 99, d), np.array(3, d), np.array(60, d)], clip, id=d) for d in EVERY_INT),
    Case("Cast", [numbers((3, 4))], cast, {"to": "float64"}, ALL_FLOATS, id="float64"),
    Case("Cast", [numbers((3, 4))], cast, {"to": "float32"}, ALL_FLOATS, differentiate=(), id="float32"),
    Case("Cast", [numbers((2, 1, 5))], cast, {"to": "float16"}, ALL_FLOATS, differentiate=(), id="float16"),
    Case("Cast", [numbers(())], cast, {"to": "float64"}, id="scalar"),
    Case("Cast", [numbers((0, 3))], cast, {"to": "float64"}, id="empty"),
    Case("Cast", [numbers((2, 3, 4))], cast, {"to": "float64"}, id="2x3x4"),
    Case("Cast", [SPECIAL], cast, {"to": "bool"}, id="float-bool"),
    Case("Cast", [SPECIAL], cast, {"to": "float32"}, differentiate=(), id="special"),
    *conversions(),
    *same("Identity"),
    *same("StopGradient"),
]  # fmt: skip
