"""Resizing and CenterCrop: images of any size in one size."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.ir.dims import DimLike, dim_max, dim_min
from graphc.layers.image_layer import ImageLayer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch, image


class Resizing(ImageLayer):
    """Images in another size, in their own dtype.

    Args:
        height: the new height.
        width: the new width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: cut the images to the new aspect ratio first, around their middle.
        pad_to_aspect_ratio: pad them to it first, on both sides alike.
        fill_mode: how they are padded; only "constant".
        fill_value: the value that they are padded with.
        antialias: widen the filter where images become smaller, so that every pixel counts.
        data_format: ``channels_last`` or ``channels_first``.

    Raises:
        ArgumentError: an argument has a value that there is not, or two exclude each other.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format, **kwargs)
        if interpolation not in image.INTERPOLATIONS:
            raise ArgumentError(
                f"Invalid value for argument `interpolation`. Expected one of {tuple(image.INTERPOLATIONS)}. "
                f"Received: interpolation={interpolation!r}"
            )
        if fill_mode != "constant":
            raise ArgumentError(
                "Invalid value for argument `fill_mode`. Only 'constant' is supported. "
                f"Received: fill_mode={fill_mode!r}"
            )
        if pad_to_aspect_ratio and crop_to_aspect_ratio:
            raise ArgumentError("Only one of `pad_to_aspect_ratio` and `crop_to_aspect_ratio` can be `True`.")
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def transform_images(self, images: Any) -> Any:
        """The resized images."""
        return self._resized(images, self.interpolation)

    def transform_segmentation_masks(self, segmentation_masks: Any) -> Any:
        """The resized masks, whose numbers stand for classes and do not mix."""
        return self._resized(segmentation_masks, "nearest")

    def _resized(self, images: Any, interpolation: str) -> Any:
        return image.resize(
            images,
            (self.height, self.width),
            interpolation,
            self.antialias,
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
            self.data_format,
        )

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
            "data_format": self.data_format,
        }


class CenterCrop(ImageLayer):
    """The middle of images, in the layer's dtype.

    An image that is too small is cut to the new aspect ratio around its middle and enlarged (bilinear).

    Args:
        height: the new height.
        width: the new width.
        data_format: ``channels_last`` or ``channels_first``.
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(height, width, data_format, **kwargs)

    def transform_images(self, images: Any) -> Any:
        """The middle of the images."""
        x = ops.cast(images, self.compute_dtype)
        axes = image.image_axes(x, self.data_format, f"layer {self.name!r}")
        have, target = tuple(dispatch.shape_of(x)[axis] for axis in axes), (self.height, self.width)
        fits = _fits(have, target)
        _, widest = image.centred_crop(x, axes, target)
        lengths = tuple(n * fits + wide * (1 - fits) for n, wide in zip(target, widest, strict=True))
        starts = tuple((n - length) // 2 for n, length in zip(have, lengths, strict=True))
        x = image.crop(x, axes, starts, lengths)
        if lengths == target:
            return x
        return image.resize(x, target, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "data_format": self.data_format,
        }


def _fits(have: tuple[DimLike, ...], target: tuple[int, ...]) -> DimLike:
    """1 where every length is enough, else 0: a number, or a dim where a length is known only when data comes."""
    fits: DimLike = 1
    for length, wanted in zip(have, target, strict=True):
        fits = fits * dim_max(0, dim_min(1, length - (wanted - 1)))
    return fits
