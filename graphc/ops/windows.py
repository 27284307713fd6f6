"""The geometry of sliding windows, shared by convolution and pooling: extents, padding, output lengths, layouts.

Lengths may be named dims, so that the same arithmetic serves type rules, kernels (all integers) and exported graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import DimLike, Shape, ceil_div, dim_max
from graphc.ir.types import TensorType, format_shape
from graphc.ops.opdef import Attribute, Attributes

CHANNELS_FIRST = "NCHW"
CHANNELS_LAST = "NHWC"

LAYOUT = Attribute(
    "str",
    doc='"NCHW": (batch, channels, *spatial); "NHWC": (batch, *spatial, channels). For any number of spatial axes.',
    choices=(CHANNELS_FIRST, CHANNELS_LAST),
)
STRIDES = Attribute("ints", (), "Step of the window along each spatial axis; () means 1 everywhere.")
DILATIONS = Attribute("ints", (), "Step between the window's elements along each spatial axis; () means 1 everywhere.")
PADS = Attribute(
    "pads",
    (),
    'Padding (begin..., end...) of the spatial axes; () means none. "SAME_UPPER": so much that the output has '
    "ceil(length / stride) elements; an odd one goes to the end.",
)
MIN_RANK, MAX_RANK = 3, 5  # one to three spatial axes, batch and channels


def spatial_axes(rank: int, layout: str) -> tuple[int, ...]:
    """The spatial axes of a tensor of this rank."""
    return tuple(range(2, rank)) if layout == CHANNELS_FIRST else tuple(range(1, rank - 1))


def channel_axis(rank: int, layout: str) -> int:
    """The channel axis of a tensor of this rank."""
    return 1 if layout == CHANNELS_FIRST else rank - 1


def spatial_dims(shape: Shape, layout: str) -> Shape:
    """The spatial lengths of a shape."""
    return tuple(shape[a] for a in spatial_axes(len(shape), layout))


def join_shape(batch: DimLike, spatial: Sequence[DimLike], channels: DimLike, layout: str) -> Shape:
    """A shape put together in a layout."""
    if layout == CHANNELS_FIRST:
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


@dataclass(frozen=True, slots=True)
class Windows:
    """A window that slides over the spatial axes; every field has one entry for each of them.

    Attributes:
        kernel: the window's elements.
        strides: the window's step.
        dilations: the step between the window's elements.
        pads: (begin..., end...), or "SAME_UPPER".
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...] | str

    @staticmethod
    def of(op: str, kernel: Sequence[DimLike], attributes: Attributes) -> Windows:
        """The windows that a node's attributes describe.

        Raises:
            ArgumentError: a number is out of range, or an attribute has not one entry for each spatial axis.
            ShapeError: the kernel's shape is not known.
        """
        rank = len(kernel)
        if any(isinstance(k, str) for k in kernel):
            raise ShapeError(f"{op}: the kernel's spatial shape must be known integers; got {format_shape(kernel)}.")
        pads = attributes.get("pads", ())
        windows = Windows(
            kernel=cast("tuple[int, ...]", tuple(kernel)),
            strides=tuple(attributes.get("strides", ())) or (1,) * rank,
            dilations=tuple(attributes.get("dilations", ())) or (1,) * rank,
            pads=pads if isinstance(pads, str) else tuple(pads) or (0,) * (2 * rank),
        )
        windows._check(op)
        return windows

    def _check(self, op: str) -> None:
        rank = len(self.kernel)
        for name, values in (("kernel_shape", self.kernel), ("strides", self.strides), ("dilations", self.dilations)):
            if len(values) != rank or any(v < 1 for v in values):
                raise ArgumentError(
                    f"{op}: {name!r} must hold one positive integer for each of the {rank} spatial axes; got {values}."
                )
        if not isinstance(self.pads, str) and (len(self.pads) != 2 * rank or any(p < 0 for p in self.pads)):
            raise ArgumentError(
                f"{op}: 'pads' must be \"SAME_UPPER\" or {2 * rank} integers from 0 on, (begin..., end...) for "
                f"{rank} spatial axes; got {self.pads}."
            )

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel)

    @property
    def size(self) -> int:
        """The number of elements in one window."""
        return prod(self.kernel)

    @property
    def extents(self) -> tuple[int, ...]:
        """The length that one window spans, holes included."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    @property
    def is_same(self) -> bool:
        """True when the padding follows from the length."""
        return isinstance(self.pads, str)

    def padding(self, spatial: Sequence[DimLike]) -> tuple[tuple[DimLike, DimLike], ...]:
        """Padding before and behind each axis of these lengths. With stride 1 it does not depend on the length."""
        if not isinstance(self.pads, str):
            return tuple(zip(self.pads[: self.rank], self.pads[self.rank :], strict=True))
        pairs: list[tuple[DimLike, DimLike]] = []
        for length, stride, extent in zip(spatial, self.strides, self.extents, strict=True):
            total = dim_max(0, (ceil_div(length, stride) - 1) * stride + extent - length)
            pairs.append((total // 2, total - total // 2))
        return tuple(pairs)

    def output_dims(self, op: str, spatial: Sequence[DimLike]) -> Shape:
        """The number of windows along each axis of these lengths: ONNX's rule with ``ceil_mode=0``.

        Raises:
            ShapeError: no window fits.
        """
        if self.is_same:
            return tuple(ceil_div(length, stride) for length, stride in zip(spatial, self.strides, strict=True))
        dims: list[DimLike] = []
        rows = zip(spatial, self.padding(spatial), self.extents, self.strides, strict=True)
        for length, (before, behind), extent, stride in rows:
            count = (length + (before + behind - extent)) // stride + 1
            if isinstance(count, int) and count < 1:
                raise ShapeError(
                    f"{op}: the output would have no elements. Received spatial lengths {format_shape(spatial)}, "
                    f"kernel {format_shape(self.kernel)}, strides {format_shape(self.strides)}, dilations "
                    f"{format_shape(self.dilations)}, pads {format_shape(tuple(self.pads))}. "
                    'Use a larger input, a smaller kernel or pads="SAME_UPPER".'
                )
            dims.append(count)
        return tuple(dims)


def need_spatial(op: str, type_: TensorType, what: str) -> None:
    """Check that an operand has a batch axis, a channel axis and one to three spatial axes.

    Raises:
        ShapeError: it has not.
    """
    if not MIN_RANK <= type_.rank <= MAX_RANK:
        raise ShapeError(
            f"{op}: {what} must have rank {MIN_RANK} to {MAX_RANK} (batch, channels and 1 to 3 spatial axes); "
            f"got {type_} of rank {type_.rank}."
        )
