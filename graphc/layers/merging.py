"""Layers that merge several inputs, with broadcasting over batchless axes as in Keras, and their functional twins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


class Merge(Layer):
    """What element-wise merging layers share: a list of inputs whose sample shapes broadcast."""

    supports_masking = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        """The merged inputs."""
        tensors = self._checked(inputs)
        return self.merge(tensors)

    def merge(self, tensors: list[Any]) -> Any:
        """Merge inputs of one rank; to be written by subclasses."""
        raise ArgumentError(f"{type(self).__name__} must define `merge(self, tensors)`.")

    def _checked(self, inputs: Any) -> list[Any]:
        if not isinstance(inputs, list | tuple):
            shape = _public_shape(inputs)
            raise ArgumentError(
                f"A merge layer should be called on a list of inputs. Received: input_shape={shape} (not a list of shapes)"
            )
        if not inputs:
            raise ArgumentError("A merge layer should be called on a list of at least 1 input. Received an empty list.")
        return _aligned(list(inputs))


def _public_shape(x: Any) -> tuple[int | None, ...]:
    return tuple(None if isinstance(d, str) else d for d in dispatch.shape_of(x))


def _aligned(tensors: list[Any]) -> list[Any]:
    """Inputs of one rank: lower ranks get axes of length 1 behind the batch."""
    rank = max(len(dispatch.shape_of(x)) for x in tensors)
    samples = [_public_shape(x)[1:] for x in tensors]
    longest = max(samples, key=len)
    for sample in samples:
        for a, b in zip(reversed(longest), reversed(sample), strict=False):
            if None not in (a, b) and a != b and 1 not in (a, b):
                raise ShapeError(
                    f"Inputs have incompatible shapes. Received shapes {longest} and {sample}: {a} and {b} differ and "
                    "neither is 1."
                )
    return [_with_rank(x, rank) for x in tensors]


def _with_rank(x: Any, rank: int) -> Any:
    while len(dispatch.shape_of(x)) < rank:
        x = ops.expand_dims(x, 1)
    return x


class Add(Merge):
    """The sum of the inputs."""

    def merge(self, tensors: list[Any]) -> Any:
        """Add up."""
        return reduce(ops.add, tensors)


class Subtract(Merge):
    """The first of two inputs minus the second."""

    def merge(self, tensors: list[Any]) -> Any:
        """Subtract."""
        if len(tensors) != 2:
            raise ArgumentError(
                f"A `Subtract` layer should be called on exactly 2 inputs. Received: {len(tensors)} inputs"
            )
        return ops.subtract(*tensors)


class Multiply(Merge):
    """The product of the inputs."""

    def merge(self, tensors: list[Any]) -> Any:
        """Multiply."""
        return reduce(ops.multiply, tensors)


class Average(Merge):
    """The mean of the inputs."""

    def merge(self, tensors: list[Any]) -> Any:
        """Average."""
        return ops.divide(reduce(ops.add, tensors), len(tensors))


class Maximum(Merge):
    """The element-wise maximum of the inputs."""

    def merge(self, tensors: list[Any]) -> Any:
        """Take the larger."""
        return reduce(ops.maximum, tensors)


class Minimum(Merge):
    """The element-wise minimum of the inputs."""

    def merge(self, tensors: list[Any]) -> Any:
        """Take the smaller."""
        return reduce(ops.minimum, tensors)


class Concatenate(Layer):
    """The inputs joined along one axis.

    Args:
        axis: the axis, counted with the batch as axis 0; the last by default.
    """

    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ArgumentError(f"`axis` must be an integer; got {axis!r}.")
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        """The joined inputs."""
        if not isinstance(inputs, list | tuple) or not inputs:
            shown = _public_shape(inputs) if not isinstance(inputs, list | tuple) else inputs
            raise ArgumentError(
                f"A `Concatenate` layer should be called on a list of at least 1 input. Received: input_shape={shown}"
            )
        shapes = [_public_shape(x) for x in inputs]
        ranks = {len(s) for s in shapes}
        rank = len(shapes[0])
        fits = len(ranks) == 1 and -rank <= self.axis < rank
        if fits:
            axis = self.axis % rank
            for i in range(rank):
                lengths = {s[i] for s in shapes} - {None}
                fits = fits and (i == axis or len(lengths) <= 1)
        if not fits:
            raise ShapeError(
                "A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis "
                f"(axis={self.axis}). Received: input_shape={shapes}"
            )
        return ops.concatenate(list(inputs), axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        """The axis."""
        return {**super().get_config(), "axis": self.axis}


def _twin(layer: Callable[..., Layer], inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return layer(**kwargs)(inputs)


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Add` as a function."""
    return _twin(Add, inputs, kwargs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Subtract` as a function."""
    return _twin(Subtract, inputs, kwargs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Multiply` as a function."""
    return _twin(Multiply, inputs, kwargs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Average` as a function."""
    return _twin(Average, inputs, kwargs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Maximum` as a function."""
    return _twin(Maximum, inputs, kwargs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Minimum` as a function."""
    return _twin(Minimum, inputs, kwargs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate` as a function."""
    return _twin(Concatenate, inputs, {"axis": axis, **kwargs})
