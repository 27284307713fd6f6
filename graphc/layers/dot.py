"""Dot: the dot products of two inputs, sample by sample."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.layers.merging import Merge, public_shape
from graphc.ops import functional as ops


class Dot(Merge):
    """The sum of products over one axis of each of two inputs.

    Inputs ``(batch, a ..., n, b ...)`` and ``(batch, c ..., n, d ...)`` give ``(batch, a ..., b ..., c ..., d ...)``; two
    inputs ``(batch, n)`` give ``(batch, 1)``.

    Args:
        axes: the axis of both inputs, or a pair of axes, counted with the batch as axis 0.
        normalize: whether to divide the vectors by their L2 norms first, which gives cosines.
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = axes if isinstance(axes, list | tuple) else (axes, axes)
        if len(given) != 2 or any(isinstance(a, bool) or not isinstance(a, int) for a in given):
            raise ArgumentError(
                "Invalid format for argument `axes`: it should be an integer or contain two integers. "
                f"Received: axes={axes!r}"
            )
        self.axes, self.normalize = axes, normalize

    def call(self, inputs: Any) -> Any:
        """The dot products."""
        if not isinstance(inputs, list | tuple) or len(inputs) != 2:
            shown = [public_shape(x) for x in inputs] if isinstance(inputs, list | tuple) else public_shape(inputs)
            raise ArgumentError(
                f"{self._me}: a `Dot` layer should be called on a list of 2 inputs. Received: input_shape={shown}"
            )
        x, y = inputs
        first, second = self._places(public_shape(x), public_shape(y))
        if self.normalize:
            x, y = ops.normalize(x, axis=first), ops.normalize(y, axis=second)
        return self._products(x, y, first, second)

    def _places(self, x: Sequence[int | None], y: Sequence[int | None]) -> tuple[int, int]:
        """The two axes, counted from the front."""
        axes = self.axes if isinstance(self.axes, list | tuple) else (self.axes, self.axes)
        for axis, shape in zip(axes, (x, y), strict=True):
            if len(shape) < 2 or not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
                raise ShapeError(
                    f"{self._me}: axis {axis} is not an axis of one sample (the batch is axis 0) of an input of shape "
                    f"{tuple(shape)}. Received inputs of shapes {tuple(x)} and {tuple(y)}, axes={self.axes}."
                )
        first, second = axes[0] % len(x), axes[1] % len(y)
        if None not in (x[first], y[second]) and x[first] != y[second]:
            raise ShapeError(
                f"{self._me}: incompatible input shapes: axis values {x[first]} (at axis {axes[0]}) != {y[second]} (at "
                f"axis {axes[1]}). Full input shapes: {tuple(x)}, {tuple(y)}"
            )
        if x[0] is not None and y[0] is not None and x[0] != y[0]:
            raise ShapeError(f"{self._me}: the batches differ. Full input shapes: {tuple(x)}, {tuple(y)}")
        return first, second

    @staticmethod
    def _products(x: Any, y: Any, first: int, second: int) -> Any:
        letters = iter(string.ascii_lowercase)
        batch, summed = next(letters), next(letters)
        of_x = "".join(summed if i == first else next(letters) for i in range(1, len(x.shape)))
        of_y = "".join(summed if i == second else next(letters) for i in range(1, len(y.shape)))
        kept = (of_x + of_y).replace(summed, "")
        products = ops.einsum(f"{batch}{of_x},{batch}{of_y}->{batch}{kept}", x, y)
        return products if kept else ops.expand_dims(products, -1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: dot products have no mask."""
        del inputs, previous_mask

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs: Sequence[Any], axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot` as a function."""
    return Dot(axes=axes, **kwargs)(inputs)
