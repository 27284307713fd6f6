"""What a layer expects of its inputs, checked at every call with Keras's messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphc.errors import ShapeError
from graphc.ops.functional import dispatch
from graphc.structure import flatten


@dataclass(frozen=True)
class InputSpec:
    """Constraints on one input.

    Attributes:
        ndim: the exact rank.
        min_ndim: the least rank.
        max_ndim: the greatest rank.
        axes: axis to the length it must have.
        shape: the whole shape; None where any length fits.
    """

    ndim: int | None = None
    min_ndim: int | None = None
    max_ndim: int | None = None
    axes: Mapping[int, int] = field(default_factory=dict)
    shape: tuple[int | None, ...] | None = None


def check_input_spec(spec: Any, inputs: Any, layer: str) -> None:
    """Compare inputs with the layer's specification.

    Raises:
        ShapeError: the number of inputs, a rank or a length does not fit.
    """
    specs, tensors = flatten(spec), flatten(inputs)
    if len(specs) != len(tensors):
        raise ShapeError(
            f"Layer {layer!r} expects {len(specs)} input(s), but it received {len(tensors)} input tensors."
        )
    for i, (expected, x) in enumerate(zip(specs, tensors, strict=True)):
        if expected is None:
            continue
        shape = tuple(None if isinstance(d, str) else d for d in dispatch.shape_of(x))
        rank = len(shape)

        def refuse(what: str, i: int = i, shape: tuple[int | None, ...] = shape) -> ShapeError:
            return ShapeError(f"Input {i} of layer {layer!r} is incompatible with the layer: {what}. "
                              f"Full shape received: {shape}.")  # fmt: skip

        if expected.ndim is not None and rank != expected.ndim:
            raise refuse(f"expected ndim={expected.ndim}, found ndim={rank}")
        if expected.min_ndim is not None and rank < expected.min_ndim:
            raise refuse(f"expected min_ndim={expected.min_ndim}, found ndim={rank}")
        if expected.max_ndim is not None and rank > expected.max_ndim:
            raise refuse(f"expected max_ndim={expected.max_ndim}, found ndim={rank}")
        for axis, length in expected.axes.items():
            if shape[axis] is not None and shape[axis] != length:
                raise refuse(f"expected axis {axis} of input shape to have value {length}")
        if expected.shape is not None and (
            rank != len(expected.shape)
            or any(e is not None and d is not None and e != d for e, d in zip(expected.shape, shape, strict=True))
        ):
            raise refuse(f"expected shape={expected.shape}, found shape={shape}")
