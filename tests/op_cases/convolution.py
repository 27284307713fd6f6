"""Cases of `graphc.ops.convolution`. The oracles are the definitions, one window and one kernel element at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, numbers
from op_cases.windows import LAYOUTS, Geometry, Ints, from_first, kernel_from_first, kernel_to_first, to_first

NO_SUM = "ONNX Runtime's convolution leaves its result unwritten where it sums over no channels, here images"
NO_FLOAT64 = {"float64": "ONNX Runtime's CPU provider has no float64 convolution"}


def _groups(group: int, filters: int, channels: int) -> Iterator[tuple[slice, slice]]:
    """The filters and the channels of each group."""
    f, c = filters // group, channels // group
    for i in range(group):
        yield slice(i * f, i * f + f), slice(i * c, i * c + c)


def conv(
    x: Array, w: Array, b: Array | None = None, *, strides: Ints = (), dilations: Ints = (), pads: Ints | str = (),
    group: int = 1, layout: str,
) -> Array:  # fmt: skip
    """Each output element is the window's elements times the kernel's."""
    x, w = to_first(x, layout), kernel_to_first(w, layout)
    geometry, lengths = Geometry(w.shape[2:], strides, dilations, pads), x.shape[2:]
    y = np.zeros((x.shape[0], w.shape[0], *geometry.windows(lengths)[0]))
    for window, element, place in geometry.meetings(lengths):
        for filters, channels in _groups(group, w.shape[0], x.shape[1]):
            kernel = w[(filters, slice(None), *element)]
            y[(slice(None), filters, *window)] += x[(slice(None), channels, *place)] @ kernel.T
    if b is not None:
        y += b.reshape(-1, *[1] * len(lengths))
    return from_first(y, layout)


def conv_grad_input(
    g: Array, w: Array, *, dims: Ints, strides: Ints = (), dilations: Ints = (), pads: Ints | str = (),
    group: int = 1, layout: str,
) -> Array:  # fmt: skip
    """What each output element passes back to the inputs that it was made of."""
    g, w = to_first(g, layout), kernel_to_first(w, layout)
    geometry = Geometry(w.shape[2:], strides, dilations, pads)
    x = np.zeros((g.shape[0], w.shape[1] * group, *dims))
    for window, element, place in geometry.meetings(dims):
        for filters, channels in _groups(group, w.shape[0], x.shape[1]):
            kernel = w[(filters, slice(None), *element)]
            x[(slice(None), channels, *place)] += g[(slice(None), filters, *window)] @ kernel
    return from_first(x, layout)


def conv_grad_weight(
    x: Array, g: Array, *, kernel_shape: Ints, strides: Ints = (), dilations: Ints = (), pads: Ints | str = (),
    group: int = 1, layout: str,
) -> Array:  # fmt: skip
    """What each output element passes back to the kernel elements that it was made of."""
    x, g = to_first(x, layout), to_first(g, layout)
    geometry = Geometry(kernel_shape, strides, dilations, pads)
    w = np.zeros((g.shape[1], x.shape[1] // group, *kernel_shape))
    for window, element, place in geometry.meetings(x.shape[2:]):
        for filters, channels in _groups(group, g.shape[1], x.shape[1]):
            gradient = g[(slice(None), filters, *window)]
            w[(filters, slice(None), *element)] += gradient.T @ x[(slice(None), channels, *place)]
    return kernel_from_first(w, layout)


def conv_transpose(
    x: Array, w: Array, b: Array | None = None, *, strides: Ints = (), dilations: Ints = (), pads: Ints | str = (),
    output_padding: Ints = (), group: int = 1, layout: str,
) -> Array:  # fmt: skip
    """Each input element adds the kernel to the output, from ``index * stride - padding`` on."""
    x, w = to_first(x, layout), kernel_to_first(w, layout)
    kernel, rank = w.shape[2:], x.ndim - 2
    strides, dilations = Geometry(kernel, strides, dilations).steps()
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    if pads == "SAME_UPPER":
        lengths = [n * s for n, s in zip(x.shape[2:], strides, strict=True)]
        begins = [max(0, e - s) // 2 for e, s in zip(extents, strides, strict=True)]
    else:
        sides = [int(p) for p in pads] or [0] * (2 * rank)
        extra = output_padding or (0,) * rank
        begins = sides[:rank]
        lengths = [
            (n - 1) * s + more + e - begin - end
            for n, s, more, e, begin, end in zip(
                x.shape[2:], strides, extra, extents, begins, sides[rank:], strict=True
            )
        ]
    y = np.zeros((x.shape[0], w.shape[1] * group, *lengths))
    for index in np.ndindex(*x.shape[2:]):
        for element in np.ndindex(*kernel):
            rows = zip(index, strides, element, dilations, begins, strict=True)
            place = tuple(i * s + k * d - b for i, s, k, d, b in rows)
            if all(0 <= p < n for p, n in zip(place, lengths, strict=True)):
                for channels, filters in _groups(group, w.shape[0], y.shape[1]):
                    part = w[(channels, slice(None), *element)]
                    y[(slice(None), filters, *place)] += x[(slice(None), channels, *index)] @ part
    if b is not None:
        y += b.reshape(-1, *[1] * rank)
    return from_first(y, layout)


@dataclass(frozen=True)
class Setting:
    """A convolution: (batch, channels of a group, filters of a group), spatial lengths and windows."""

    id: str
    sizes: tuple[int, int, int]
    lengths: Ints
    kernel: Ints
    strides: Ints = ()
    dilations: Ints = ()
    pads: Ints | str = ()
    group: int = 1
    bias: bool = True

    def attributes(self, layout: str) -> dict[str, Any]:
        """Of the node; those that say nothing are left to their defaults."""
        given = {"strides": self.strides, "dilations": self.dilations, "pads": self.pads}
        found: dict[str, Any] = {name: value for name, value in given.items() if value}
        if self.group > 1:
            found["group"] = self.group
        return {**found, "layout": layout}

    def x(self, layout: str) -> Array:
        """The input."""
        return from_first(numbers((self.sizes[0], self.sizes[1] * self.group, *self.lengths)), layout)

    def w(self, layout: str) -> Array:
        """The kernel."""
        return kernel_from_first(numbers((self.sizes[2] * self.group, self.sizes[1], *self.kernel)), layout)

    def g(self, layout: str) -> Array:
        """A gradient of the output."""
        counts, _ = Geometry(self.kernel, self.strides, self.dilations, self.pads).windows(self.lengths)
        return from_first(numbers((self.sizes[0], self.sizes[2] * self.group, *counts)), layout)

    def b(self) -> Array:
        """A number for each filter."""
        return numbers((self.sizes[2] * self.group,))


SETTINGS = (
    Setting("valid", (2, 3, 4), (5, 7), (3, 2)),
    Setting("same", (2, 3, 5), (6, 7), (3, 3), pads="SAME_UPPER"),
    Setting("same_even_kernel", (3, 2, 4), (5, 6), (2, 4), pads="SAME_UPPER", bias=False),
    Setting("same_strided", (2, 3, 2), (7, 8), (3, 3), strides=(2, 2), pads="SAME_UPPER"),
    Setting("same_strided_small_kernel", (2, 3, 2), (5, 7), (1, 2), strides=(2, 3), pads="SAME_UPPER"),
    Setting("same_strided_dilated", (2, 2, 3), (9, 8), (2, 3), strides=(2, 3), dilations=(2, 2), pads="SAME_UPPER"),
    Setting("uneven_pads", (2, 3, 4), (5, 6), (3, 2), strides=(2, 3), pads=(1, 0, 2, 1)),
    Setting("dilated", (1, 3, 4), (8, 9), (2, 3), dilations=(3, 2), pads=(0, 2, 1, 0)),
    Setting("groups", (2, 2, 3), (6, 5), (3, 2), strides=(1, 2), pads=(1, 0, 1, 1), group=2),
    Setting("groups_same", (3, 4, 2), (4, 5), (2, 2), strides=(1, 2), pads="SAME_UPPER", group=3),
    Setting("depthwise", (2, 1, 1), (6, 5), (3, 3), pads="SAME_UPPER", group=4),
    Setting("depthwise_multiplier", (2, 1, 3), (7, 6), (2, 3), strides=(2, 1), dilations=(1, 2), group=2),
    Setting("pointwise", (2, 5, 3), (4, 6), (1, 1)),
    Setting("pointwise_strided", (3, 4, 2), (5, 6), (1, 1), strides=(2, 3), bias=False),
    Setting("pads_beyond_kernel", (2, 2, 3), (3, 4), (2, 2), pads=(3, 1, 2, 4)),
    Setting("one_of_each", (1, 1, 1), (4, 1), (2, 1)),
    Setting("no_images", (0, 3, 2), (4, 5), (2, 3)),
    Setting("rank1_causal", (2, 3, 4), (9,), (3,), dilations=(2,), pads=(4, 0)),
    Setting("rank1_strided", (3, 2, 3), (10,), (4,), strides=(3,), pads="SAME_UPPER"),
    Setting("rank3", (2, 2, 3), (4, 5, 3), (2, 3, 2), strides=(2, 1, 1), pads=(0, 1, 0, 1, 1, 0)),
    Setting("rank3_same", (1, 3, 2), (3, 4, 5), (3, 2, 2), pads="SAME_UPPER"),
)
HALF = {"valid", "same_strided", "depthwise"}  # also in float16


def _case(setting: Setting, op: str, inputs: list[Array | None], oracle: Any, attributes: dict[str, Any]) -> Case:
    half = setting.id in HALF
    onnx = NO_SUM if op == "ConvGradWeight" and setting.sizes[0] == 0 else NO_FLOAT64
    return Case(
        op, inputs, oracle, attributes, dtypes=ALL_FLOATS if half else ("float32", "float64"), onnx=onnx,
        rtol=1e-5, atol=1e-5, id=f"{setting.id}-{attributes['layout']}",
    )  # fmt: skip


def _conv_case(setting: Setting, layout: str) -> Case:
    inputs: list[Array | None] = [setting.x(layout), setting.w(layout)]
    if setting.bias:
        inputs.append(setting.b())
    return _case(setting, "Conv", inputs, conv, setting.attributes(layout))


def _gradient_cases(setting: Setting, layout: str) -> list[Case]:
    attributes, x, w, g = setting.attributes(layout), setting.x(layout), setting.w(layout), setting.g(layout)
    by_x = {**attributes, "dims": setting.lengths}
    by_w = {**attributes, "kernel_shape": setting.kernel}
    return [
        _case(setting, "ConvGradInput", [g, w], conv_grad_input, by_x),
        _case(setting, "ConvGradWeight", [x, g], conv_grad_weight, by_w),
    ]


TRANSPOSED = (  # sizes are (batch, filters of a group, channels of a group) here: the kernel of the convolution
    (Setting("plain", (2, 3, 4), (3, 4), (3, 2)), ()),
    (Setting("strided", (2, 3, 2), (3, 4), (2, 3), strides=(2, 2)), ()),
    (Setting("gaps", (2, 2, 3), (3, 2), (1, 2), strides=(2, 3)), ()),
    (Setting("same", (2, 3, 2), (3, 4), (3, 3), strides=(2, 2), pads="SAME_UPPER"), ()),
    (Setting("same_even_kernel", (1, 2, 3), (4, 3), (4, 2), strides=(2, 3), pads="SAME_UPPER"), ()),
    (Setting("same_unit_stride", (2, 3, 2), (5, 4), (3, 2), pads="SAME_UPPER", bias=False), ()),
    (Setting("pads_and_output_padding", (2, 3, 4), (4, 3), (3, 4), strides=(2, 3), pads=(1, 0, 0, 2)), (1, 2)),
    (Setting("dilated", (2, 2, 3), (4, 3), (2, 3), strides=(1, 2), dilations=(3, 2), pads=(1, 2, 0, 1)), ()),
    (Setting("groups", (2, 2, 3), (3, 4), (2, 3), strides=(2, 1), pads=(0, 1, 1, 0), group=2), (1, 0)),
    (Setting("depthwise", (2, 1, 1), (4, 3), (3, 2), strides=(2, 2), pads="SAME_UPPER", group=3), ()),
    (Setting("no_images", (0, 3, 2), (4, 5), (2, 3)), ()),
    (Setting("rank1", (2, 3, 2), (5,), (4,), strides=(3,), pads=(1, 1)), (2,)),
    (Setting("rank3", (1, 2, 3), (2, 3, 2), (2, 1, 3), strides=(2, 2, 1), pads="SAME_UPPER"), ()),
)


def _transpose_case(setting: Setting, output_padding: Ints, layout: str) -> Case:
    batch, per_group, channels = setting.sizes
    x = from_first(numbers((batch, channels * setting.group, *setting.lengths)), layout)
    inputs: list[Array | None] = [x, setting.w(layout)]
    if setting.bias:
        inputs.append(numbers((per_group * setting.group,)))
    attributes = setting.attributes(layout)
    if output_padding:
        attributes["output_padding"] = output_padding
    return _case(setting, "ConvTranspose", inputs, conv_transpose, attributes)


CASES = [
    *(_conv_case(setting, layout) for setting in SETTINGS for layout in LAYOUTS),
    *(case for i, setting in enumerate(SETTINGS) for case in _gradient_cases(setting, LAYOUTS[i % 2])),
    *(case for i, setting in enumerate(SETTINGS[:12]) for case in _gradient_cases(setting, LAYOUTS[1 - i % 2])),
    *(_transpose_case(setting, extra, layout) for setting, extra in TRANSPOSED for layout in LAYOUTS),
]
