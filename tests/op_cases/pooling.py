"""Cases of `graphc.ops.pooling`. The oracles go over one window at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, numbers
from op_cases.windows import LAYOUTS, Geometry, Ints, from_first, to_first

Place = tuple[Any, ...]


def _by_window(geometry: Geometry, lengths: Ints) -> Iterator[tuple[Ints, list[Ints]]]:
    """Each window and its positions in the input, in row-major order."""
    found: dict[Ints, list[Ints]] = {}
    for window, _, place in geometry.meetings(lengths):
        found.setdefault(window, []).append(place)
    yield from found.items()


def _first_maxima(x: Array, geometry: Geometry) -> Iterator[tuple[Place, Place]]:
    """For each image, channel and window: the index of the result, and of the first maximum in the input."""
    for window, places in _by_window(geometry, x.shape[2:]):
        for n, c in np.ndindex(*x.shape[:2]):
            best = max(places, key=lambda place: x[(n, c, *place)])  # the first among equals
            yield (n, c, *window), (n, c, *best)


def max_pool(
    x: Array, *, kernel_shape: Ints, strides: Ints = (), dilations: Ints = (), pads: Ints | str = (), layout: str
) -> Array:
    """The largest element of each window."""
    x, geometry = to_first(x, layout), Geometry(kernel_shape, strides, dilations, pads)
    y = np.zeros((*x.shape[:2], *geometry.windows(x.shape[2:])[0]))
    for window, best in _first_maxima(x, geometry):
        y[window] = x[best]
    return from_first(y, layout)


def max_pool_grad(
    x: Array, y: Array, g: Array, *, kernel_shape: Ints, strides: Ints = (), dilations: Ints = (),
    pads: Ints | str = (), layout: str,
) -> Array:  # fmt: skip
    """The first maximum of each window gets the window's gradient."""
    x, g = to_first(x, layout), to_first(g, layout)
    result = np.zeros(x.shape)
    for window, best in _first_maxima(x, Geometry(kernel_shape, strides, dilations, pads)):
        result[best] += g[window]
    return from_first(result, layout)


def max_pool_select(
    x: Array, y: Array, v: Array, *, kernel_shape: Ints, strides: Ints = (), dilations: Ints = (),
    pads: Ints | str = (), layout: str,
) -> Array:  # fmt: skip
    """The element of v at the first maximum of each window of x."""
    x, v = to_first(x, layout), to_first(v, layout)
    result = np.zeros(to_first(y, layout).shape)
    for window, best in _first_maxima(x, Geometry(kernel_shape, strides, dilations, pads)):
        result[window] = v[best]
    return from_first(result, layout)


def average_pool(
    x: Array, *, kernel_shape: Ints, strides: Ints = (), pads: Ints | str = (), count_include_pad: bool = False,
    layout: str,
) -> Array:  # fmt: skip
    """The mean of each window's elements, or of the whole window with zeros for padding."""
    x, geometry = to_first(x, layout), Geometry(kernel_shape, strides, (), pads)
    y = np.zeros((*x.shape[:2], *geometry.windows(x.shape[2:])[0]))
    for window, places in _by_window(geometry, x.shape[2:]):
        count = prod(kernel_shape) if count_include_pad else len(places)
        y[(..., *window)] = sum(x[(..., *place)] for place in places) / count
    return from_first(y, layout)


def average_pool_grad(
    g: Array, *, dims: Ints, kernel_shape: Ints, strides: Ints = (), pads: Ints | str = (),
    count_include_pad: bool = False, layout: str,
) -> Array:  # fmt: skip
    """Each element gets its part of the gradient of each window that it is in."""
    g = to_first(g, layout)
    x = np.zeros((*g.shape[:2], *dims))
    for window, places in _by_window(Geometry(kernel_shape, strides, (), pads), dims):
        count = prod(kernel_shape) if count_include_pad else len(places)
        for place in places:
            x[(..., *place)] += g[(..., *window)] / count
    return from_first(x, layout)


@dataclass(frozen=True)
class Setting:
    """Windows over an input (batch, channels, *lengths)."""

    id: str
    sizes: tuple[int, int]
    lengths: Ints
    kernel: Ints
    strides: Ints = ()
    pads: Ints | str = ()
    dilations: Ints = ()

    def attributes(self, layout: str) -> dict[str, Any]:
        """Of the node; those that say nothing are left to their defaults."""
        given = {"strides": self.strides, "dilations": self.dilations, "pads": self.pads}
        found = {name: value for name, value in given.items() if value}
        return {"kernel_shape": self.kernel, **found, "layout": layout}

    def distinct(self, layout: str) -> Array:
        """An input without ties, not even after rounding to float16, and far from any."""
        shape = (*self.sizes, *self.lengths)
        order = np.random.default_rng(prod(shape)).permutation(prod(shape))
        return from_first((order - prod(shape) // 2).reshape(shape) / 8.0, layout)

    def tied(self, layout: str) -> Array:
        """An input with many ties, as behind a Relu."""
        return np.round(np.maximum(numbers(self.distinct(layout).shape), 0.0))

    def pooled(self, layout: str) -> tuple[int, ...]:
        """The shape of the result."""
        geometry = Geometry(self.kernel, self.strides, self.dilations, self.pads)
        return from_first(np.empty((*self.sizes, *geometry.windows(self.lengths)[0])), layout).shape


SETTINGS = (
    Setting("halves", (2, 3), (4, 6), (2, 2), (2, 2)),
    Setting("rest_left_out", (2, 3), (5, 7), (2, 3), (2, 3)),
    Setting("unit_stride", (2, 3), (4, 5), (3, 2)),
    Setting("overlapping", (1, 4), (7, 8), (3, 3), (2, 2)),
    Setting("same_overlapping", (2, 3), (5, 6), (3, 3), (2, 2), "SAME_UPPER"),
    Setting("same_even_window", (2, 3), (5, 4), (2, 4), (1, 3), "SAME_UPPER"),
    Setting("same_halves", (3, 2), (5, 7), (2, 2), (2, 2), "SAME_UPPER"),
    Setting("uneven_pads", (2, 3), (5, 6), (3, 4), (2, 3), (1, 0, 2, 3)),
    Setting("window_smaller_than_stride", (2, 3), (7, 5), (1, 2), (3, 3)),
    Setting("whole_input", (2, 3), (3, 4), (3, 4)),
    Setting("no_images", (0, 3), (4, 5), (2, 2), (2, 2)),
    Setting("rank1", (2, 3), (9,), (4,), (3,)),
    Setting("rank1_same", (2, 3), (8,), (3,), (2,), "SAME_UPPER"),
    Setting("rank3", (2, 2), (4, 5, 3), (2, 3, 1), (2, 1, 1)),
    Setting("rank3_same", (1, 3), (3, 4, 5), (2, 2, 3), (2, 1, 2), "SAME_UPPER"),
)
DILATED = (
    Setting("dilated", (2, 3), (7, 8), (2, 3), (1, 2), (1, 0, 1, 2), (3, 2)),
    Setting("same_dilated", (2, 3), (6, 7), (3, 2), (2, 1), "SAME_UPPER", (2, 3)),
)
HALF = {"halves", "same_overlapping"}  # also in float16
NO_FLOAT64_AVERAGE = {"float64": "ONNX Runtime's CPU provider has no float64 AveragePool and ConvTranspose"}


def _dtypes(setting: Setting) -> tuple[str, ...]:
    return ALL_FLOATS if setting.id in HALF else ("float32", "float64")


def _max_cases(setting: Setting, layout: str, tied: bool = False) -> list[Case]:
    attributes, dtypes = setting.attributes(layout), _dtypes(setting)
    x = setting.tied(layout) if tied else setting.distinct(layout)
    y = max_pool(x, **attributes)
    name = f"{setting.id}{'_tied' if tied else ''}-{layout}"
    # A step across a tie would change the maximum, so that finite differences say nothing there.
    return [
        Case("MaxPool", [x], max_pool, attributes, dtypes, differentiate=() if tied else None, id=name),
        Case("MaxPoolGrad", [x, y, numbers(y.shape)], max_pool_grad, attributes, dtypes, differentiate=(2,),
             second_order=True, id=name),
        Case("MaxPoolSelect", [x, y, numbers(x.shape)], max_pool_select, attributes, dtypes, differentiate=(2,),
             second_order=True, id=name),
    ]  # fmt: skip


def _average_cases(setting: Setting, layout: str, include_pad: bool) -> list[Case]:
    attributes: dict[str, Any] = setting.attributes(layout)
    if include_pad:
        attributes["count_include_pad"] = True
    x, g = numbers(setting.distinct(layout).shape), numbers(setting.pooled(layout))
    name = f"{setting.id}{'_include_pad' if include_pad else ''}-{layout}"
    return [
        Case("AveragePool", [x], average_pool, attributes, _dtypes(setting), onnx=NO_FLOAT64_AVERAGE, id=name),
        Case("AveragePoolGrad", [g], average_pool_grad, {**attributes, "dims": setting.lengths}, _dtypes(setting),
             onnx=NO_FLOAT64_AVERAGE, id=name),
    ]  # fmt: skip


CASES = [
    *(case for s in (*SETTINGS, *DILATED) for layout in LAYOUTS for case in _max_cases(s, layout)),
    *(case for i, s in enumerate(SETTINGS) for case in _max_cases(s, LAYOUTS[i % 2], tied=True)),
    *(case for s in SETTINGS for layout in LAYOUTS for case in _average_cases(s, layout, include_pad=False)),
    *(case for i, s in enumerate(SETTINGS) if s.pads for case in _average_cases(s, LAYOUTS[i % 2], include_pad=True)),
]
