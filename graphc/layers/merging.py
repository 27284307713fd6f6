"""Layers that merge several inputs, with broadcasting over batchless axes as in Keras, and their functional twins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.masks import get_mask, set_mask


class Merge(Layer):
    """What element-wise merging layers share: a list of inputs whose sample shapes broadcast, and their masks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The merged inputs."""
        return self.merge(self._aligned(self.checked_list(inputs)))

    def merge(self, tensors: list[Any]) -> Any:
        """Merge inputs of one rank; to be written by subclasses."""
        raise ArgumentError(f"{type(self).__name__} must define `merge(self, tensors)`.")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True where any input holds data; None when an input has no mask."""
        if previous_mask is None:
            return None
        masks = self.checked_masks(inputs, previous_mask)
        return None if any(m is None for m in masks) else reduce(ops.logical_or, masks)

    def checked_list(self, inputs: Any) -> list[Any]:
        """The inputs as a list.

        Raises:
            ArgumentError: they are no list, or an empty one.
        """
        if not isinstance(inputs, list | tuple):
            raise ArgumentError(
                f"{self._me}: a merge layer should be called on a list of inputs. "
                f"Received: input_shape={public_shape(inputs)} (not a list of shapes)"
            )
        if not inputs:
            raise ArgumentError(
                f"{self._me}: a merge layer should be called on a list of at least 1 input. Received an empty list."
            )
        return list(inputs)

    def checked_masks(self, inputs: Any, masks: Any) -> list[Any]:
        """The masks as a list, one for each input, None for an input without.

        Raises:
            ArgumentError: they are no list, or one of another length than the inputs.
        """
        if not isinstance(masks, list | tuple) or not isinstance(inputs, list | tuple) or len(masks) != len(inputs):
            raise ArgumentError(
                f"{self._me}: `mask` should be a list with one mask (or None) for each of the inputs. "
                f"Received: mask={masks!r:.80}"
            )
        return list(masks)

    @property
    def _me(self) -> str:
        return f"{type(self).__name__} layer {self.name!r}"

    def _aligned(self, tensors: list[Any]) -> list[Any]:
        """Inputs of one rank: lower ranks get axes of length 1 behind the batch."""
        shapes = [public_shape(x) for x in tensors]
        if len({s[0] for s in shapes if s} - {None}) > 1:
            raise ShapeError(
                f"{self._me}: cannot merge tensors with different batch sizes. Received tensors with shapes {shapes}"
            )
        rank = max(len(s) for s in shapes)
        samples = [s[1:] for s in shapes]
        for i, longer in enumerate(samples):
            for shorter in samples[:i]:
                for a, b in zip(reversed(longer), reversed(shorter), strict=False):
                    if None not in (a, b) and a != b and 1 not in (a, b):
                        raise ShapeError(
                            f"{self._me}: inputs have incompatible shapes. Received shapes {shorter} and {longer}: {b} and "
                            f"{a} differ and neither is 1."
                        )
        return [_with_rank(x, rank) for x in tensors]

    def spread_mask(self, mask: Any, x: Any) -> Any:
        """A mask ``(batch, steps ...)`` as one of the shape of ``x``, which has one axis more.

        Raises:
            ShapeError: it does not fit ``x``.
        """
        have, wanted = public_shape(mask), public_shape(x)
        pairs = list(zip(have, wanted[:-1], strict=False))
        if len(have) != len(wanted) - 1 or any(None not in (m, d) and m not in (1, d) for m, d in pairs):
            raise ShapeError(
                f"{self._me}: the mask of an input must have its shape without the last axis, {wanted[:-1]}; got {have}."
            )
        return ops.broadcast_to(ops.expand_dims(mask, -1), ops.shape(x))


def public_shape(x: Any) -> tuple[int | None, ...]:
    """The shape of a tensor with None for lengths that come with the data."""
    return tuple(None if isinstance(d, str) else d for d in dispatch.shape_of(x))


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
                f"{self._me}: a `Subtract` layer should be called on exactly 2 inputs. Received: {len(tensors)} inputs"
            )
        return ops.subtract(*tensors)


class Multiply(Merge):
    """The product of the inputs; masked elements count as 1, and give 0 where every input is masked."""

    def merge(self, tensors: list[Any]) -> Any:
        """Multiply."""
        masks = [get_mask(x) for x in tensors]
        spread = [None if m is None else self.spread_mask(m, x) for m, x in zip(masks, tensors, strict=True)]
        factors = [
            x if m is None else ops.where(m, x, ops.cast(1, dispatch.dtype_of(x)))
            for m, x in zip(spread, tensors, strict=True)
        ]
        product = reduce(ops.multiply, factors)
        if any(m is None for m in spread):
            return product
        seen = reduce(ops.logical_or, spread)
        product = ops.where(seen, product, ops.cast(0, dispatch.dtype_of(product)))
        set_mask(product, ops.any(seen, axis=-1))
        return product


class Average(Merge):
    """The mean of the inputs."""

    def merge(self, tensors: list[Any]) -> Any:
        """Average."""
        return ops.divide(reduce(ops.add, tensors), len(tensors))


class _Extreme(Merge):
    """Maximum and Minimum: masked elements do not take part where another input has data."""

    def choose(self, a: Any, b: Any) -> Any:
        """The one of two; to be written by subclasses."""
        raise ArgumentError(f"{type(self).__name__} must define `choose(self, a, b)`.")

    def merge(self, tensors: list[Any]) -> Any:
        """Choose among all."""
        result, seen = tensors[0], self._spread_own(tensors[0])
        for x in tensors[1:]:
            mask = self._spread_own(x)
            other = x if mask is None else ops.where(mask, x, result)
            result = result if seen is None else ops.where(seen, result, other)
            seen = None if mask is None or seen is None else ops.logical_or(seen, mask)
            result = self.choose(result, other)
        if seen is not None and get_mask(result) is None:
            set_mask(result, ops.any(seen, axis=-1))
        return result

    def _spread_own(self, x: Any) -> Any:
        mask = get_mask(x)
        return None if mask is None else self.spread_mask(mask, x)


class Maximum(_Extreme):
    """The element-wise maximum of the inputs."""

    def choose(self, a: Any, b: Any) -> Any:
        """The larger."""
        return ops.maximum(a, b)


class Minimum(_Extreme):
    """The element-wise minimum of the inputs."""

    def choose(self, a: Any, b: Any) -> Any:
        """The smaller."""
        return ops.minimum(a, b)


class Concatenate(Merge):
    """The inputs joined along one axis.

    Args:
        axis: the axis, counted with the batch as axis 0; the last by default.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ArgumentError(f"`axis` must be an integer; got {axis!r}.")
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        """The joined inputs."""
        if not isinstance(inputs, list | tuple) or not inputs:
            shown = public_shape(inputs) if not isinstance(inputs, list | tuple) else inputs
            raise ArgumentError(
                f"{self._me}: a `Concatenate` layer should be called on a list of at least 1 input. "
                f"Received: input_shape={shown}"
            )
        shapes = [public_shape(x) for x in inputs]
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
                f"{self._me}: a `Concatenate` layer requires inputs with matching shapes except for the concatenation "
                f"axis (axis={self.axis}). Received: input_shape={shapes}"
            )
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks joined; an input without one has data everywhere."""
        if previous_mask is None:
            return None
        masks = self.checked_masks(inputs, previous_mask)
        if all(m is None for m in masks):
            return None
        spread = []
        for x, mask in zip(inputs, masks, strict=True):
            if mask is None:
                spread.append(ops.ones_like(x, dtype="bool"))
            elif len(mask.shape) < len(x.shape):
                everywhere = ops.zeros_like(x, dtype="bool")
                spread.append(ops.logical_or(ops.expand_dims(mask, -1), everywhere))
            else:
                spread.append(mask)
        return ops.any(ops.concatenate(spread, axis=self.axis), axis=-1)

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
