"""What layers that prepare images share: what they take, one image or a batch, and where the channels are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.data_format import standard_data_format
from graphc.layers.layer import Layer


class ImageLayer(Layer):
    """The base of layers that give images another size.

    They take ``(height, width, channels)`` or ``(batch, height, width, channels)``, or channels first; or a dict with
    "images", and perhaps "segmentation_masks", which change as the images do, and "labels", which stay as they are.

    Args:
        height: the new height.
        width: the new width.
        data_format: ``channels_last`` or ``channels_first``.

    Raises:
        ArgumentError: a size is not a positive integer.
    """

    def __init__(self, height: int, width: int, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value in (("height", height), ("width", width)):
            if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
                raise ArgumentError(
                    f"`{name}` of {type(self).__name__} must be a positive integer. Received: {value!r}"
                )
        self.height = int(height)
        self.width = int(width)
        self.data_format = standard_data_format(data_format)

    def call(self, data: Any, training: bool = True) -> Any:
        """The images in their new size, in training or not.

        Raises:
            ArgumentError: a dict holds something that the layer cannot change with the images.
        """
        del training
        if not isinstance(data, Mapping):
            return self.transform_images(data)
        if unknown := data.keys() - {"images", "labels", "segmentation_masks"}:
            raise ArgumentError(
                f"Layer {self.name!r} takes 'images', 'labels' and 'segmentation_masks'; it cannot change "
                f"{sorted(unknown)[0]!r} with the images."
            )
        changed = {"images": self.transform_images(data["images"])}
        if "segmentation_masks" in data:
            changed["segmentation_masks"] = self.transform_segmentation_masks(data["segmentation_masks"])
        return {**data, **changed}

    def transform_images(self, images: Any) -> Any:
        """Images in the new size; to be written by subclasses."""
        raise NotImplementedError

    def transform_segmentation_masks(self, segmentation_masks: Any) -> Any:
        """Masks in the new size; as images, unless a subclass knows better."""
        return self.transform_images(segmentation_masks)
