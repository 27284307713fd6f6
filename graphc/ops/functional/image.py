"""`graphc.ops.image`: functions of images, ``(height, width, channels)`` or a batch of them, or channels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import Dim, DimLike, dim_max, dim_min
from graphc.ops.functional.arguments import Tensor, channels_last, concrete_dtype, floating, is_float, rank_of
from graphc.ops.functional.conversion import saturate_cast
from graphc.ops.functional.dispatch import apply, function, shape_of
from graphc.ops.functional.math import round as round_half_even

__all__ = ["resize"]

INTERPOLATIONS = {
    "bilinear": "linear",
    "nearest": "nearest",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
    "bicubic": "cubic",
}
"""Keras's name of an interpolation to the mode of the IR's Resize."""


@function
def resize(
    images: Tensor,
    size: Sequence[DimLike],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images in another size, in their own dtype: integers are interpolated as floats, rounded and held in range.

    Args:
        images: ``(height, width, channels)`` or ``(batch, height, width, channels)``, or channels first.
        size: the new height and width; named dims may be given where images are traced.
        interpolation: "bilinear", "nearest", "bicubic" (Keys, a = -1/2), "lanczos3" or "lanczos5".
        antialias: widen the filter where images become smaller, so that every pixel counts.
        crop_to_aspect_ratio: cut the images to the new size's aspect ratio first, around their middle.
        pad_to_aspect_ratio: pad them to it first, on both sides alike.
        fill_mode: how they are padded; only "constant".
        fill_value: the value that they are padded with.
        data_format: "channels_last" or "channels_first".

    Raises:
        ArgumentError: an argument has a value that there is not, or two exclude each other.
        ShapeError: the images have another rank.
    """
    mode = _mode(interpolation)
    height, width = _size(size)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("resize: only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True.")
    if fill_mode != "constant":
        raise ArgumentError(f"resize: fill_mode must be 'constant'; got fill_mode={fill_mode!r}.")
    axes = image_axes(images, data_format, "resize")
    x = images
    if crop_to_aspect_ratio:
        x = crop(x, axes, *centred_crop(x, axes, (height, width)))
    elif pad_to_aspect_ratio:
        x = _padded_to_ratio(x, axes, (height, width), fill_value)
    x = x if mode == "nearest" else floating(x)
    changed = {axis: n for axis, n in zip(axes, (height, width), strict=True) if shape_of(x)[axis] != n}
    if changed:
        sizes = tuple(changed.values())
        x = apply("Resize", x, axes=tuple(changed), sizes=sizes, mode=mode, antialias=bool(antialias))
    given = concrete_dtype(images)
    if concrete_dtype(x) == given:
        return x
    return saturate_cast(x if is_float(images) else round_half_even(x), given)


def _mode(interpolation: Any) -> str:
    if interpolation not in INTERPOLATIONS:
        raise ArgumentError(
            f"resize: interpolation must be one of {', '.join(INTERPOLATIONS)}; got interpolation={interpolation!r}."
        )
    return INTERPOLATIONS[interpolation]


def _size(size: Any) -> tuple[DimLike, DimLike]:
    given = tuple(size) if isinstance(size, list | tuple) else ()
    whole = all(isinstance(n, Dim) or (hasattr(n, "__index__") and not isinstance(n, bool) and n > 0) for n in given)
    if len(given) != 2 or not whole:
        raise ArgumentError(f"resize: size must be a positive height and a positive width; got size={size!r}.")
    height, width = (n if isinstance(n, Dim) else int(n) for n in given)
    return height, width


def image_axes(images: Tensor, data_format: str | None, name: str) -> tuple[int, int]:
    """The axes of height and width.

    Raises:
        ShapeError: neither an image nor a batch of images.
    """
    rank = rank_of(images)
    if rank not in (3, 4):
        raise ShapeError(
            f"{name}: expected rank 3 (one image) or rank 4 (a batch of images); got images of shape {shape_of(images)}."
        )
    first = rank - 3 if channels_last(data_format, name) else rank - 2
    return first, first + 1


def crop(x: Tensor, axes: tuple[int, int], starts: Sequence[DimLike], lengths: Sequence[DimLike]) -> Tensor:
    """``lengths`` elements of two axes, from ``starts`` on."""
    ends = tuple(start + length for start, length in zip(starts, lengths, strict=True))
    return apply("Slice", x, starts=tuple(starts), ends=ends, axes=axes, steps=(1, 1))


def centred_crop(
    x: Tensor, axes: tuple[int, int], target: tuple[DimLike, DimLike]
) -> tuple[tuple[DimLike, DimLike], tuple[DimLike, DimLike]]:
    """The largest window around the middle that has the aspect ratio of ``target``: where it starts, and its lengths."""
    height, width = (shape_of(x)[axis] for axis in axes)
    lengths = (
        dim_max(dim_min(height, width * target[0] // target[1]), 1),
        dim_max(dim_min(width, height * target[1] // target[0]), 1),
    )
    return ((height - lengths[0]) // 2, (width - lengths[1]) // 2), lengths


def _padded_to_ratio(x: Tensor, axes: tuple[int, int], target: tuple[DimLike, DimLike], value: float) -> Tensor:
    """``x`` between two equal borders, above and below or at the sides, as near to the ratio as whole pixels allow."""
    height, width = (shape_of(x)[axis] for axis in axes)
    border = (
        (dim_max(height, width * target[0] // target[1]) - height) // 2,
        (dim_max(width, height * target[1] // target[0]) - width) // 2,
    )
    if border == (0, 0):
        return x
    pads: list[DimLike] = [0] * (2 * rank_of(x))
    for axis, length in zip(axes, border, strict=True):
        pads[axis] = pads[axis + rank_of(x)] = length
    x = x if value == 0 else floating(x)  # an integer image may not be able to hold the value of its border
    return apply("Pad", x, pads=tuple(pads), value=float(value))
