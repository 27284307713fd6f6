"""Cases of `graphc.ops.resize`. The oracle weighs old elements one by one, by the definition of each filter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, integers, numbers
from op_cases.windows import Ints


def kernel(mode: str, x: float) -> float:
    """The weight at a distance."""
    if mode == "linear":
        return max(0.0, 1 - x)
    if mode == "cubic":  # Keys, with a = -1/2
        return 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0
    radius = {"lanczos3": 3, "lanczos5": 5}[mode]
    if x >= radius:
        return 0.0
    return 1.0 if x == 0 else radius * math.sin(math.pi * x) * math.sin(math.pi * x / radius) / (math.pi * x) ** 2


def weights(mode: str, length: int, size: int, antialias: bool) -> Array:
    """The weight of each old element (column) in each new one (row)."""
    found = np.zeros((size, length))
    for i in range(size):
        if mode == "nearest":
            found[i, math.floor((i + 0.5) * length / size)] = 1
        elif mode == "mean":
            found[i, math.floor(i * length / size) : math.ceil((i + 1) * length / size)] = 1
        else:
            centre, width = (i + 0.5) * length / size - 0.5, max(1.0, length / size) if antialias else 1.0
            found[i] = [kernel(mode, abs(centre - j) / width) for j in range(length)]
    return found / found.sum(axis=1, keepdims=True)


def resize(x: Array, *, axes: Ints, sizes: Ints, mode: str, antialias: bool = False) -> Array:
    """Axis by axis, the weights times the elements."""
    for axis, size in zip(axes, sizes, strict=True):
        x = np.moveaxis(np.tensordot(weights(mode, x.shape[axis], size, antialias), x, (1, axis)), 0, axis)
    return x


def picked(x: Array, **attributes: Any) -> Array:
    """`nearest` of numbers that are no floats."""
    return np.round(resize(x.astype(np.float64), **attributes))


def resize_grad(g: Array, *, axes: Ints, dims: Ints, mode: str, antialias: bool = False) -> Array:
    """Axis by axis, the transposed weights times the gradient."""
    for axis, length in zip(axes, dims, strict=True):
        g = np.moveaxis(np.tensordot(weights(mode, length, g.shape[axis], antialias), g, (0, axis)), 0, axis)
    return g


CHANNELS_LAST, CHANNELS_FIRST = (1, 2), (2, 3)
IMAGES, IMAGES_FIRST = (2, 5, 4, 3), (2, 3, 5, 4)
SETTINGS: tuple[tuple[str, tuple[int, ...], Ints, Ints, str, bool], ...] = (
    ("repeat", IMAGES, CHANNELS_LAST, (15, 8), "nearest", False),
    ("repeat_first", IMAGES_FIRST, CHANNELS_FIRST, (10, 4), "nearest", False),
    ("repeat_wide", (2, 3, 4), (1,), (30,), "nearest", False),
    ("up", IMAGES, CHANNELS_LAST, (7, 9), "nearest", False),
    ("down_on_edges", (2, 6, 8, 3), CHANNELS_LAST, (5, 4), "nearest", False),
    ("volume", (2, 2, 3, 4, 2), (1, 2, 3), (4, 3, 8), "nearest", False),
    ("volume_down", (2, 2, 4, 3, 5), (2, 3, 4), (2, 2, 3), "nearest", False),
    ("up", IMAGES, CHANNELS_LAST, (10, 12), "linear", False),
    ("up_first", IMAGES_FIRST, CHANNELS_FIRST, (15, 8), "linear", False),
    ("odd", IMAGES, CHANNELS_LAST, (7, 3), "linear", False),
    ("down", (2, 9, 7, 2), CHANNELS_LAST, (4, 2), "linear", False),
    ("down_antialias", (2, 9, 7, 2), CHANNELS_LAST, (4, 2), "linear", True),
    ("down_antialias_first", (2, 2, 9, 7), CHANNELS_FIRST, (2, 9), "linear", True),
    ("one_image", (5, 4, 3), (0, 1), (3, 6), "linear", False),
    ("from_one", (2, 1, 4, 3), CHANNELS_LAST, (3, 1), "linear", False),
    ("volume", (2, 2, 3, 4, 2), (1, 2, 3), (4, 2, 5), "linear", False),
    ("height", IMAGES, (1,), (7,), "linear", False),
    ("width_first", IMAGES_FIRST, (3,), (9,), "linear", False),
    ("up", IMAGES, CHANNELS_LAST, (10, 7), "cubic", False),
    ("up_first", IMAGES_FIRST, CHANNELS_FIRST, (10, 12), "cubic", False),
    ("odd_first", IMAGES_FIRST, CHANNELS_FIRST, (3, 7), "cubic", False),
    ("width_first", IMAGES_FIRST, (3,), (9,), "cubic", False),
    ("down_antialias", (2, 9, 7, 2), CHANNELS_LAST, (4, 2), "cubic", True),
    ("up", IMAGES, CHANNELS_LAST, (10, 7), "lanczos3", False),
    ("down", (2, 3, 9, 7), CHANNELS_FIRST, (4, 3), "lanczos3", False),
    ("up", IMAGES, CHANNELS_LAST, (10, 7), "lanczos5", False),
    ("down_antialias", (2, 13, 7, 2), CHANNELS_LAST, (4, 5), "lanczos5", True),
    ("windows", (2, 7, 5, 3), CHANNELS_LAST, (3, 4), "mean", False),
    ("tiles", (2, 6, 8, 3), CHANNELS_LAST, (3, 2), "mean", False),
    ("tiles_first", (2, 3, 6, 8), CHANNELS_FIRST, (3, 2), "mean", False),
    ("whole", (2, 6, 8, 3), CHANNELS_LAST, (1, 1), "mean", False),
    ("longer", (2, 3, 4), (1,), (5,), "mean", False),
    ("no_images", (0, 5, 4, 3), CHANNELS_LAST, (3, 6), "linear", False),
    # The first axis is the one that the tests with named dims give a name.
    *(("leading", (6, 2, 3), (0,), (4,), mode, False) for mode in ("nearest", "linear", "cubic", "lanczos3", "mean")),
    *(("leading_antialias", (6, 2, 3), (0,), (4,), mode, True) for mode in ("linear", "cubic", "lanczos5")),
)
HALF = {"up", "windows"}  # also in float16


def _cases(name: str, shape: tuple[int, ...], axes: Ints, sizes: Ints, mode: str, antialias: bool) -> list[Case]:
    attributes: dict[str, Any] = {"axes": axes, "mode": mode}
    if antialias:
        attributes["antialias"] = True
    label, dtypes = f"{mode}_{name}", ALL_FLOATS if name in HALF else ("float32", "float64")
    x, dims = numbers(shape), tuple(shape[axis] for axis in axes)
    g = numbers(resize(x, **attributes, sizes=sizes).shape)
    more: dict[str, Any] = {"rtol": 2e-6, "atol": 4e-6}  # positions and weights are rounded as well
    if mode == "nearest":
        more = {}
    if 0 in shape:
        more["onnx"] = "ONNX Runtime's MatMul cannot multiply a matrix by a stack of no matrices"
    return [
        Case("Resize", [x], resize, {**attributes, "sizes": sizes}, dtypes, id=label, **more),
        Case("ResizeGrad", [g], resize_grad, {**attributes, "dims": dims}, dtypes, id=label, **more),
    ]


CASES = [
    *(case for setting in SETTINGS for case in _cases(*setting)),
    Case("Resize", [integers((2, 3, 4), -9, 9, "int32")], picked, {"axes": (1,), "sizes": (6,), "mode": "nearest"},
         id="nearest_integers"),
    Case("Resize", [integers((2, 3, 4), -9, 9, "int64")], picked, {"axes": (2, 1), "sizes": (3, 5), "mode": "nearest"},
         id="nearest_long_integers"),
]  # fmt: skip
