"""Cases of the functions in `graphc.ops.functional.math`, `.comparison` and `.conversion`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from function_cases.case import FunctionCase as Case
from function_cases.case import booleans, integers, numbers, special

NO_INT64 = "Keras on JAX has no 64-bit dtypes"


def erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


def unary(name: str, low: float = -2.0, high: float = 2.0, oracle: Any = None, **more: Any) -> list[Case]:
    """A function of one float: on floats, integers, float16, float64 and a Python number."""
    oracle = oracle or (lambda x: getattr(np, name)(np.asarray(x, float)))
    whole = integers(5, 3, low=math.ceil(low), high=max(math.floor(high), math.ceil(low)) + 1)
    return [
        Case(name, [numbers(5, 3, low=low, high=high)], oracle=oracle, **more),
        Case(name, [whole], oracle=oracle, id="integers", **more),
        Case(name, [integers(3, 2, low=math.ceil(max(low, 0)), high=math.ceil(max(low, 0)) + 2, dtype="uint8")],
             oracle=oracle, id="uint8", **more),
        Case(name, [numbers(3, 4, low=low, high=high).astype("float16")], oracle=oracle, dtype="float16", rtol=2e-3,
             atol=2e-3, id="float16", **more),
        Case(name, [numbers(2, 3, low=low, high=high).astype("float64")], oracle=oracle, dtype="float64", rtol=1e-12,
             keras=NO_INT64, id="float64", **more),
        Case(name, [max(low, 0.5) if high >= 0.5 else high], oracle=oracle, id="number", **more),
    ]  # fmt: skip


def like_numpy(name: str) -> list[Case]:
    """A function of two numbers on floats, integers, mixed dtypes and Python numbers."""
    return [
        Case(name, [numbers(5, 3), numbers(5, 3)]),
        Case(name, [numbers(5, 3), numbers(3)], id="broadcast"),
        Case(name, [numbers(5, 1, 3), numbers(2, 1)], id="both-broadcast"),
        Case(name, [integers(5, 3), integers(5, 3, low=1)], dtype="int32", id="integers"),
        Case(name, [integers(3, dtype="uint8", low=3, high=9), integers(3, dtype="int8", low=1, high=3)], dtype="int16",
             id="mixed-integers"),
        Case(name, [integers(5, 3), numbers(5, 3)], id="integer-and-float"),
        Case(name, [numbers(3).astype("float16"), numbers(3)], id="float16-and-float32"),
        Case(name, [numbers(5, 3), 2], id="python-int"),
        Case(name, [1.5, numbers(5, 3)], id="python-float-first"),
        Case(name, [integers(5, 3, low=1), 2], dtype="int32", id="integers-and-python-int"),
        Case(name, [integers(5, 3), 1.5], id="integers-and-python-float"),
        Case(name, [numbers(3).astype("float16"), 1.5], dtype="float16", rtol=2e-3, atol=2e-3,
             id="float16-and-python-float"),
    ]  # fmt: skip


def compared(name: str) -> list[Case]:
    """A comparison."""
    a, b = integers(5, 3, high=-6), integers(5, 3, high=-6)
    return [
        Case(name, [a, b], dtype="bool"),
        Case(name, [a.astype("float32"), b], dtype="bool", id="mixed"),
        Case(name, [booleans(5, 3), booleans(3)], dtype="bool", id="booleans"),
        Case(name, [a, -8], dtype="bool", id="python-int"),
        Case(name, [a, -7.5], dtype="bool", id="python-float"),
        Case(name, [special(), np.zeros(10, np.float32)], dtype="bool", id="special"),
    ]


def logical(name: str) -> list[Case]:
    """A function of truth values."""
    return [
        Case(name, [booleans(5, 3), booleans(3)], dtype="bool"),
        Case(name, [integers(5, 3, low=-1, high=2), numbers(5, 3).round()], dtype="bool", id="numbers"),
        Case(name, [booleans(5, 3), True], dtype="bool", id="python-bool"),
    ]


def bitwise(name: str, oracle: Any = None) -> list[Case]:
    """A function of bits."""
    return [
        Case(name, [integers(5, 3), integers(5, 3)], oracle=oracle, dtype="int32"),
        Case(name, [integers(3, dtype="uint8", low=0), integers(3, dtype="uint8", low=0)], oracle=oracle, dtype="uint8",
             id="uint8"),
        Case(name, [booleans(5, 3), booleans(3)], oracle=oracle, dtype="bool", id="booleans"),
        Case(name, [integers(5, 3), 3], oracle=oracle, dtype="int32", id="python-int"),
    ]  # fmt: skip


def shifts(name: str, oracle: Any) -> list[Case]:
    return [
        Case(name, [integers(5, 3, low=-99, high=99), integers(5, 3, low=0, high=5)], oracle=oracle, dtype="int32"),
        Case(name, [integers(3, low=0, high=200, dtype="uint8"), 2], oracle=oracle, dtype="uint8", id="uint8"),
        Case(name, [integers(3, low=-100, high=100, dtype="int8"), 1], oracle=lambda x, y: oracle(x, np.int8(y)),
             dtype="int8", id="int8"),
    ]  # fmt: skip


def hypot(x: Any, y: Any) -> Any:
    return np.hypot(x, y)


POSITIVE = {"low": 0.1, "high": 3.0}
DIVISOR = np.float32([3.0, -2.0, 0.5, -0.25, 7.0, 2.0])
DIVIDEND = np.float32([-7.0, 7.0, 5.3, -1.1, -0.5, 4.5])

CASES: list[Case] = [
    *like_numpy("add"),
    Case("add", [booleans(5, 3), booleans(5, 3)], dtype="bool", id="booleans"),
    Case("add", [booleans(5, 3), 1], dtype="int32", id="boolean-and-python-int"),
    *like_numpy("subtract"),
    *like_numpy("multiply"),
    Case("multiply", [booleans(5, 3), booleans(5, 3)], dtype="bool", id="booleans"),
    *like_numpy("maximum"),
    Case("maximum", [special(), np.float32(0.25) * np.ones(10, np.float32)], id="special"),
    Case("maximum", [booleans(5, 3), booleans(5, 3)], dtype="bool", id="booleans"),
    *like_numpy("minimum"),
    Case("minimum", [booleans(5, 3), booleans(5, 3)], dtype="bool", id="booleans"),
    *like_numpy("fmax"),
    Case("fmax", [special(), special()[::-1]], id="special"),
    *like_numpy("fmin"),
    Case("fmin", [special(), special()[::-1]], id="special"),
    Case("divide", [numbers(5, 3), numbers(5, 3, **POSITIVE)]),
    Case("divide", [integers(5, 3), integers(5, 3, low=1)], id="integers"),
    Case("divide", [booleans(5, 3), 2], id="booleans"),
    Case("true_divide", [integers(5, 3), 2], id="python-int"),
    Case("divide_no_nan", [numbers(4), np.float32([2, 0.5, -1, 3])], oracle=np.divide),
    Case("divide_no_nan", [numbers(4), np.float32([2, 0, -1, 0])], oracle=lambda a, b: np.where(b == 0, 0, a / b),
         id="zero"),
    Case("floor_divide", [DIVIDEND, DIVISOR]),
    Case("floor_divide", [np.float32([1.0, 1, -1, 7]), np.float32([0.1, 0, 0, -2])], id="tenth-and-zero",
         oracle=lambda a, b: np.float32(a) // np.float32(b)),
    Case("floor_divide", [numbers(5, 3), 0.3], oracle=lambda a, b: np.float32(a) // np.float32(b), id="python-float"),
    Case("floor_divide", [integers(5, 3), integers(5, 3, low=1, high=4) * np.int32([1, -1, 1])], dtype="int32",
         id="integers"),
    Case("floor_divide", [integers(5, 3), 2], dtype="int32", id="integers-and-python-int"),
    Case("floor_divide", [integers(5, 3, low=0, dtype="uint8"), 2], dtype="uint8", id="uint8"),
    Case("floor_divide", [np.int8([-128, 127, -128, -3]), np.int8([3, -7, 127, 2])], dtype="int8", id="int8-limits"),
    Case("mod", [DIVIDEND, DIVISOR]),
    Case("mod", [integers(5, 3), integers(5, 3, low=1, high=4) * np.int32([1, -1, 1])], dtype="int32", id="integers"),
    Case("mod", [integers(5, 3), 3], dtype="int32", id="python-int"),
    Case("fmod", [DIVIDEND, DIVISOR]),
    Case("fmod", [integers(5, 3), 3], dtype="int32", id="python-int"),
    Case("power", [numbers(5, 3, **POSITIVE), numbers(5, 3)], rtol=1e-5),
    Case("power", [integers(5, 3, low=-3, high=4), integers(5, 3, low=0, high=4)], dtype="int32", id="integers"),
    *(Case("power", [numbers(5, 3, **POSITIVE), p], rtol=1e-5, id=f"to-{p}")
      for p in (1, 2, 3, 4, 0.5, -1, -2, 1.7, 0)),
    Case("power", [integers(5, 3), 2], dtype="int32", id="integers-to-2"),
    Case("power", [integers(5, 3, low=0), 0.5], id="integers-to-half"),
    Case("power", [booleans(5, 3), 2], dtype="int32", oracle=lambda x, p: x.astype(int) ** p, id="boolean"),
    Case("power", [2, numbers(5, 3)], id="base-2"),
    *unary("absolute")[:1],
    Case("abs", [integers(5, 3)], dtype="int32", id="integers"),
    Case("absolute", [booleans(5, 3)], dtype="bool", id="booleans"),
    *unary("fabs"),
    Case("negative", [numbers(5, 3)]),
    Case("negative", [integers(5, 3)], dtype="int32", id="integers"),
    Case("sign", [special()], id="special"),
    Case("sign", [integers(5, 3)], dtype="int32", id="integers"),
    Case("square", [numbers(5, 3)]),
    Case("square", [booleans(5, 3)], oracle=lambda x: x.astype(int), dtype="int32", id="booleans"),
    *unary("sqrt", **POSITIVE),
    Case("rsqrt", [numbers(5, 3, **POSITIVE)], oracle=lambda x: 1 / np.sqrt(x)),
    *unary("reciprocal", low=1.0, high=4.0, oracle=lambda x: 1.0 / np.asarray(x, float)),
    *unary("cbrt"),
    Case("hypot", [numbers(5, 3), numbers(3)]),
    Case("hypot", [np.float32([0, 3e30, 1e-30]), np.float32([0, 4e30, 1e-30])], rtol=1e-5, id="extreme"),
    *unary("exp"),
    *unary("exp2"),
    *unary("expm1"),
    *unary("log", **POSITIVE),
    *unary("log1p", low=-0.9),
    *unary("log2", **POSITIVE),
    *unary("log10", **POSITIVE),
    *like_numpy("logaddexp")[:3],
    Case("logaddexp", [np.float32([-np.inf, np.inf, 3e38, 0]), np.float32([-np.inf, np.inf, -3e38, -np.inf])],
         id="infinite"),
    Case("logaddexp", [integers(5, 3), integers(3)], id="integers"),
    *like_numpy("logaddexp2")[:3],
    *unary("sin"),
    *unary("cos"),
    *unary("tan", low=-1.4, high=1.4),
    *unary("arcsin", low=-0.9, high=0.9),
    *unary("arccos", low=-0.9, high=0.9),
    *unary("arctan"),
    Case("arctan2", [numbers(5, 3), numbers(5, 3)]),
    Case("arctan2", [np.float32([0, 1, -1, 0, 1, -1, 0, 1e-30]), np.float32([0, 0, 0, -1, 1e30, -1, 2, -1e-30])],
         id="axes"),
    Case("arctan2", [integers(5, 3), 2], id="integers"),
    *unary("sinh"),
    *unary("cosh"),
    *unary("tanh"),
    *unary("arcsinh"),
    *unary("arccosh", low=1.1, high=4.0),
    *unary("arctanh", low=-0.9, high=0.9),
    *unary("sinc"),
    Case("erf", [numbers(5, 3)], oracle=erf),
    *unary("deg2rad"),
    *unary("rad2deg"),
    *unary("floor"),
    *unary("ceil"),
    Case("trunc", [special()], id="special"),
    Case("trunc", [integers(5, 3)], dtype="int32", id="integers"),
    Case("round", [np.float32([1.2, -0.7, 2.4, -2.6])]),
    Case("round", [np.float32([0.5, 1.5, -0.5, -1.5])], id="halves"),
    Case("round", [np.float32([1.256, -3.14159, 0.5]), 2], id="decimals"),
    Case("round", [np.float32([1255.0, -3141.59, 50.0]), -2], id="tens"),
    Case("round", [integers(5, 3)], dtype="int32", id="integers"),
    Case("round", [np.int32([15, 25, -34]), -1], dtype="int32", id="integers-tens"),
    Case("clip", [numbers(5, 3), -0.5, 0.75]),
    Case("clip", [numbers(5, 3), numbers(3, low=-1, high=0), numbers(3, low=0, high=1)], id="limits-per-column"),
    Case("clip", [integers(5, 3), -2, 3], dtype="int32", id="integers"),
    Case("clip", [integers(5, 3), -1.5, 2.5], id="integers-float-limits"),
    Case("clip", [booleans(5, 3), 0, 1], oracle=lambda x, a, b: x.astype(int), dtype="int32", id="booleans"),
    Case("clip", [numbers(5, 3), None, 0.5], id="open-below"),
    Case("heaviside", [special(), 0.25 * np.ones(10, np.float32)]),
    Case("nan_to_num", [special()], oracle=lambda x: np.nan_to_num(x.astype("float32"))),
    Case("nan_to_num", [special(), 1.0, 2.0, -2.0], oracle=lambda x, *to: np.nan_to_num(x, True, *to), id="given"),
    Case("nan_to_num", [integers(5, 3)], dtype="int32", id="integers"),
    # comparison and logic
    *(case for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal") for case in compared(name)),
    *(case for name in ("logical_and", "logical_or", "logical_xor") for case in logical(name)),
    Case("logical_not", [integers(5, 3, low=-1, high=2)], dtype="bool"),
    *(Case(name, [special()], dtype="bool") for name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf")),
    *(Case(name, [integers(5, 3)], dtype="bool", id="integers") for name in ("isnan", "isinf", "isfinite", "isposinf")),
    Case("isclose", [special(), special() * np.float32(1 + 2e-6)], dtype="bool"),
    Case("isclose", [special(), special()], {"equal_nan": True}, dtype="bool", id="nan"),
    Case("isclose", [np.float32([1, np.inf]), np.float32([np.inf, 1])], dtype="bool", id="one-infinite"),
    Case("allclose", [numbers(5, 3), numbers(5, 3)], dtype="bool"),
    Case("allclose", [np.ones((5, 3), "float32"), np.ones(3, "float32")], dtype="bool", id="close"),
    Case("isin", [integers(5, 3), integers(4)], dtype="bool"),
    Case("isin", [integers(5, 3), integers(4)], {"invert": True}, dtype="bool", id="invert"),
    Case("where", [booleans(5, 3), numbers(5, 3), numbers(3)]),
    Case("where", [integers(5, 3, low=0, high=2), numbers(5, 3), 0], id="numbers-as-condition"),
    Case("where", [booleans(5, 3), 1, 2], dtype="int32", id="python-ints"),
    Case("where", [integers(2, 3, low=0, high=2)], dtype="int32", traced="its length depends on the data", id="alone"),
    Case("nonzero", [integers(2, 3, low=0, high=2)], dtype="int32", traced="its length depends on the data"),
    Case("select", [[booleans(5, 3), booleans(5, 3)], [numbers(5, 3), numbers(5, 3)], 1.5]),
    *bitwise("bitwise_and"),
    *bitwise("bitwise_or"),
    *bitwise("bitwise_xor"),
    Case("bitwise_not", [integers(5, 3)], dtype="int32"),
    Case("bitwise_not", [booleans(5, 3)], dtype="bool", id="booleans"),
    Case("bitwise_invert", [integers(5, 3, low=0, dtype="uint8")], oracle=np.invert, dtype="uint8"),
    *shifts("bitwise_left_shift", np.left_shift),
    *shifts("left_shift", np.left_shift),
    *shifts("bitwise_right_shift", np.right_shift),
    *shifts("right_shift", np.right_shift),
    # conversion
    Case("cast", [np.float32([1.7, -1.7, 0]), "int32"], oracle=lambda x, _: np.trunc(x), dtype="int32"),
    Case("cast", [np.float32([1.7, -1.7, 0]), "bool"], oracle=lambda x, _: x != 0, dtype="bool", id="bool"),
    Case("cast", [integers(5, 3), "float16"], oracle=lambda x, _: x, dtype="float16", id="float16"),
    Case("saturate_cast", [np.float32([1.7, -1.7, 300, -300]), "int8"], dtype="int8",
         oracle=lambda x, _: np.clip(np.trunc(x), -128, 127)),
    Case("saturate_cast", [np.float32([1.7, -1.7, 3e9]), "uint8"], oracle=lambda x, _: np.clip(np.trunc(x), 0, 255),
         dtype="uint8", id="uint8"),
    Case("saturate_cast", [np.float32([7, -3e9, 3e9]), "int32"], oracle=lambda x, _: np.array([7, -(2**31),
         2147483520]),
         dtype="int32", keras="Keras wraps 2**31, which is float32's nearest to the limit", id="int32"),
    Case("saturate_cast", [np.float32([1.7, 1e20]), "float16"], dtype="float16", rtol=1e-3, id="float16",
         oracle=lambda x, _: np.array([1.7, 65504])),
    Case("convert_to_tensor", [[1, 2.5]], oracle=np.asarray, traced="there is no tensor"),
    Case("convert_to_tensor", [[1, 2]], oracle=np.asarray, dtype="int32", traced="there is no tensor", id="integers"),
    Case("convert_to_tensor", [numbers(5, 3), "float16"], oracle=lambda x, _: x, dtype="float16", rtol=1e-3,
         id="dtype"),
    Case("array", [[1, 2], "int8"], dtype="int8", traced="there is no tensor"),
    Case("copy", [numbers(5, 3)]),
    Case("stop_gradient", [numbers(5, 3)], oracle=lambda x: x),
]  # fmt: skip
