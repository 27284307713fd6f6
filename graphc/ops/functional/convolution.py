"""Convolution and pooling over one to three spatial axes.

Inputs are ``(batch, *spatial, channels)`` with ``data_format="channels_last"``, which is the default, or
``(batch, channels, *spatial)`` with "channels_first". Kernels have the spatial axes first in both, as in Keras.
``padding`` is "valid" for none, or "same": as much as gives ``ceil(length / stride)`` outputs, an odd one at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ops.functional.arguments import Tensor, channels_last, floating, known_length, rank_of, spatial
from graphc.ops.functional.dispatch import apply, function, promote, shape_of
from graphc.ops.functional.movement import permuted, reshape

__all__ = ["average_pool", "conv", "conv_transpose", "depthwise_conv", "max_pool", "separable_conv"]

_LAYOUTS = {True: "NHWC", False: "NCHW"}


def _pads(padding: Any, name: str) -> str | tuple[int, ...]:
    """The IR's padding of "valid" and "same"."""
    kind = padding.lower() if isinstance(padding, str) else padding
    if kind not in ("valid", "same"):
        raise ArgumentError(f'{name}: padding must be "valid" or "same"; got {padding!r}.')
    return "SAME_UPPER" if kind == "same" else ()


def _spatial_count(x: Tensor, name: str) -> int:
    rank = rank_of(x)
    if not 3 <= rank <= 5:
        raise ShapeError(
            f"{name}: the input must have rank 3 to 5: batch, channels and 1 to 3 spatial axes; got {shape_of(x)}."
        )
    return rank - 2


def _need_kernel(x: Tensor, kernel: Tensor, name: str) -> None:
    if rank_of(kernel) != rank_of(x):
        raise ShapeError(
            f"{name}: the kernel must have the rank of the input; got shapes {shape_of(kernel)} and {shape_of(x)}."
        )


def _promoted(x: Tensor, kernel: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """The operands of a convolution in one floating dtype."""
    if bias is None:
        return (*promote(x, kernel, to_float=True), None)
    x, kernel, bias = promote(x, kernel, bias, to_float=True)
    return x, kernel, bias


def _in_layout(kernel: Tensor, last: bool) -> Tensor:
    """Keras's kernel ``(*spatial, a, b)`` in the order of the layout: ``(b, a, *spatial)`` for channels first."""
    rank = rank_of(kernel)
    return kernel if last else permuted(kernel, [rank - 1, rank - 2, *range(rank - 2)])


def _convolution(
    op: str,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: Any,
    padding: Any,
    last: bool,
    dilation_rate: Any,
    group: int,
    name: str,
    **more: Any,
) -> Tensor:
    count = _spatial_count(x, name)
    return apply(
        op,
        x,
        _in_layout(kernel, last),
        bias,
        strides=spatial(strides, count, f"{name}: strides"),
        dilations=spatial(dilation_rate, count, f"{name}: dilation_rate"),
        group=group,
        layout=_LAYOUTS[last],
        **{"pads": _pads(padding, name), **more},
    )


@function
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """The convolution (cross-correlation) of inputs with a kernel.

    Args:
        inputs: ``(batch, *spatial, channels)``, or channels first.
        kernel: ``(*spatial, channels / groups, filters)``; the groups follow from the channels.
        strides: the step of the kernel, for all spatial axes or each.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
        dilation_rate: the step between the kernel's elements, for all spatial axes or each.

    Raises:
        ShapeError: the shapes do not fit, or nothing would be left.
    """
    return biased_conv(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def biased_conv(
    inputs: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilation_rate: Any,
) -> Tensor:
    """`conv` plus a number for each filter, as one op."""
    last = channels_last(data_format, "conv")
    x, kernel, bias = _promoted(inputs, kernel, bias)
    _spatial_count(x, "conv")
    _need_kernel(x, kernel, "conv")
    channels, per_group = shape_of(x)[-1 if last else 1], shape_of(kernel)[-2]
    group = 1
    if isinstance(channels, int) and isinstance(per_group, int):
        if per_group == 0 or channels % per_group:
            raise ShapeError(
                f"conv: the input's channels must be divisible by those of the kernel; got {channels} of {shape_of(x)} "
                f"and {per_group} of kernel {shape_of(kernel)}."
            )
        group = channels // per_group
    return _convolution("Conv", x, kernel, bias, strides, padding, last, dilation_rate, group, "conv")


@function
def depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """The convolution of each channel with kernels of its own.

    Args:
        inputs: ``(batch, *spatial, channels)``, or channels first.
        kernel: ``(*spatial, channels, multiplier)``.
        strides: the step of the kernel, for all spatial axes or each.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
        dilation_rate: the step between the kernel's elements, for all spatial axes or each.

    Returns:
        ``channels * multiplier`` channels, those of the first channel first.
    """
    return biased_depthwise_conv(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def biased_depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilation_rate: Any,
) -> Tensor:
    """`depthwise_conv` plus a number for each channel of the result, as one op."""
    last = channels_last(data_format, "depthwise_conv")
    x, kernel, bias = _promoted(inputs, kernel, bias)
    _spatial_count(x, "depthwise_conv")
    _need_kernel(x, kernel, "depthwise_conv")
    *extent, channels, multiplier = shape_of(kernel)
    if isinstance(have := shape_of(x)[-1 if last else 1], int) and have != channels:
        raise ShapeError(
            f"depthwise_conv: kernel {shape_of(kernel)} is for {channels} channels; the input {shape_of(x)} has {have}."
        )
    group = known_length(channels, "depthwise_conv: the number of channels")
    kernel = reshape(kernel, (*extent, 1, group * multiplier))
    return _convolution("Conv", x, kernel, bias, strides, padding, last, dilation_rate, group, "depthwise_conv")


@function
def separable_conv(
    inputs: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """A `depthwise_conv` and then a `conv` that mixes the channels.

    Args:
        inputs: ``(batch, *spatial, channels)``, or channels first.
        depthwise_kernel: ``(*spatial, channels, multiplier)``.
        pointwise_kernel: ``(1, ..., 1, channels * multiplier, filters)``.
        strides: the step of the first kernel, for all spatial axes or each.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
        dilation_rate: the step between the first kernel's elements, for all spatial axes or each.
    """
    apart = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(apart, pointwise_kernel, data_format=data_format)


@function
def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """The transposed convolution: the gradient of `conv` with respect to its input.

    Args:
        inputs: ``(batch, *spatial, channels)``, or channels first.
        kernel: ``(*spatial, filters, channels)``.
        strides: the step between inputs in the output, for all spatial axes or each.
        padding: "valid" gives ``(length - 1) * stride + max(extent, stride)`` outputs, "same" ``length * stride``.
        output_padding: how much longer the output is than ``(length - 1) * stride`` and the extent of the kernel
            ("valid"), or 1 if that is odd ("same"); by default what gives the lengths above.
        data_format: "channels_last" or "channels_first".
        dilation_rate: the step between the kernel's elements, for all spatial axes or each.
    """
    return biased_conv_transpose(inputs, kernel, None, strides, padding, output_padding, data_format, dilation_rate)


def biased_conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: Any,
    padding: Any,
    output_padding: Any,
    data_format: Any,
    dilation_rate: Any,
) -> Tensor:
    """`conv_transpose` plus a number for each filter, as one op."""
    name = "conv_transpose"
    last = channels_last(data_format, name)
    x, kernel, bias = _promoted(inputs, kernel, bias)
    count = _spatial_count(x, name)
    _need_kernel(x, kernel, name)
    steps = spatial(strides, count, f"{name}: strides")
    dilations = spatial(dilation_rate, count, f"{name}: dilation_rate")
    extents = [
        (known_length(k, f"{name}: the kernel") - 1) * d + 1
        for k, d in zip(shape_of(kernel)[:count], dilations, strict=True)
    ]
    extra = tuple(output_padding) if isinstance(output_padding, list | tuple) else (output_padding,) * count
    if _pads(padding, name) == ():
        added = [max(s - e, 0) if p is None else p for e, s, p in zip(extents, steps, extra, strict=True)]
        geometry: dict[str, Any] = {"pads": (0,) * (2 * count), "output_padding": added}
    elif output_padding is None:
        geometry = {"pads": "SAME_UPPER"}
    else:
        geometry = _same_transposed(extents, extra)
    return _convolution("ConvTranspose", x, kernel, bias, steps, padding, last, dilations, 1, name, **geometry)


def _same_transposed(extents: Sequence[int], extra: Sequence[Any]) -> dict[str, Any]:
    """Padding that gives ``(length - 1) * stride + extent % 2 + extra`` outputs, cut as Keras cuts them."""
    begins, ends, added = [], [], []
    for extent, more in zip(extents, extra, strict=True):
        total = extent + extent % 2 - 2 + more  # what JAX pads the spread input with, on both sides
        before = min((total + 1) // 2, extent - 1)
        begins.append(extent - 1 - before)
        cut = extent - 1 - (total - before)
        ends.append(max(cut, 0))
        added.append(max(-cut, 0))
    return {"pads": (*begins, *ends), "output_padding": added}


def _pool(
    op: str, x: Tensor, pool_size: Any, strides: Any, padding: Any, data_format: Any, name: str, **more: Any
) -> Tensor:
    x = floating(x)
    count = _spatial_count(x, name)
    window = spatial(pool_size, count, f"{name}: pool_size")
    steps = window if strides is None else spatial(strides, count, f"{name}: strides")
    layout = _LAYOUTS[channels_last(data_format, name)]
    return apply(op, x, kernel_shape=window, strides=steps, pads=_pads(padding, name), layout=layout, **more)


@function
def max_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest element of each window.

    Args:
        inputs: ``(batch, *spatial, channels)``, or channels first.
        pool_size: the window's length, for all spatial axes or each.
        strides: the step of the window; its length by default.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
    """
    return _pool("MaxPool", inputs, pool_size, strides, padding, data_format, "max_pool")


@function
def average_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window; padding does not count.

    Args:
        inputs: ``(batch, *spatial, channels)``, or channels first.
        pool_size: the window's length, for all spatial axes or each.
        strides: the step of the window; its length by default.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
    """
    return _pool("AveragePool", inputs, pool_size, strides, padding, data_format, "average_pool")
