"""UnitNormalization: vectors of length 1."""

from __future__ import annotations

from typing import Any

from graphc.errors import ShapeError
from graphc.layers.layer import Layer
from graphc.layers.layer_normalization import axis_argument
from graphc.ops import functional as ops


class UnitNormalization(Layer):
    """Each sample divided by its L2 norm over some axes.

    Args:
        axis: the axis or axes of the norm; the last by default.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis_argument(axis, self.name)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The inputs with norm 1."""
        rank = len(inputs.shape)
        for axis in self.axis if isinstance(self.axis, list) else [self.axis]:
            if not -rank <= axis < rank:
                raise ShapeError(
                    f"UnitNormalization layer {self.name!r}: axis {axis} is out of bounds for inputs of shape "
                    f"{tuple(inputs.shape)}."
                )
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def get_config(self) -> dict[str, Any]:
        """The axis."""
        return {**super().get_config(), "axis": self.axis}
