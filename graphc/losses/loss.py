"""The base of all losses: values per sample, weights, masks, and the reduction to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.custom_objects import get_registered_name
from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dtypes import standardize_dtype
from graphc.ir.types import TensorType
from graphc.losses.targets import check_broadcast
from graphc.naming import auto_name, snake_case
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.masks import get_mask

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)

Array = np.ndarray[Any, Any]


class Loss:
    """A number that training makes small. Subclasses write ``call(y_true, y_pred)``, one value per sample.

    Args:
        name: how it is called.
        reduction: how the values of the samples become one number. "sum_over_batch_size" ("mean") divides the weighted
            sum by the number of values, "mean_with_sample_weight" by the sum of the weights; "sum" and "none" do what
            they say.
        dtype: of the computation; float32 by default.

    Raises:
        ArgumentError: an unknown reduction.
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ArgumentError(
                "Invalid value for argument `reduction`. "
                f"Expected one of {REDUCTIONS}. Received: reduction={reduction!r}"
            )
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.reduction = reduction
        self._dtype = standardize_dtype(dtype or "float32")

    @property
    def dtype(self) -> str:
        """The dtype of the computation."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true: targets, ``(batch, ...)``.
            y_pred: predictions, ``(batch, ...)``.
            sample_weight: a weight for each value: ``(batch,)``, or for sequences ``(batch, 1)`` or ``(batch, time)``.

        Raises:
            ShapeError: shapes do not fit.
        """
        mask = get_mask(y_pred)
        prediction = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        values, own_mask = self.values_and_mask(self.as_targets(y_true), prediction)
        if mask is not None and own_mask is not None:
            own_mask = ops.logical_and(mask, own_mask)
        mask = mask if own_mask is None else own_mask
        return reduce_weighted(values, sample_weight, mask, self.reduction, self.dtype)

    def as_targets(self, y_true: Any) -> Any:
        """The targets as ``call`` gets them: in the loss's dtype, except where they are labels."""
        return ops.convert_to_tensor(y_true, dtype=self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample; to be written by subclasses."""
        raise ArgumentError(f"Loss {type(self).__name__} must define `call(self, y_true, y_pred)`.")

    def values_and_mask(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """What `call` gives, and which of the values count; None where all do."""
        return self.call(y_true, y_pred), None

    def check_targets(self, y_true: Array, output_type: TensorType) -> None:
        """Look at all targets once before training.

        Args:
            y_true: the targets of the whole data set.
            output_type: the type of the model's output.

        Raises:
            DataError: training on them would fail, or learn from nonsense.
        """

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """A loss from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, reduction={self.reduction}>"


class LossFunctionWrapper(Loss):
    """A loss made of a function.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)``, one value per sample. Ranks that differ by a last axis of length 1 are
            made equal first.
        reduction: see `Loss`.
        name: by default the function's name.
        dtype: see `Loss`.
        kwargs: further arguments of ``fn``.

    Raises:
        ArgumentError: ``fn`` cannot be called.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise ArgumentError(f"A loss must be a function of y_true and y_pred; got {fn!r:.80}.")
        super().__init__(name or snake_case(getattr(fn, "__name__", type(fn).__name__)), reduction, dtype)
        self.fn = fn
        self.arguments = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """What the function gives."""
        return self.fn(*same_rank(y_true, y_pred), **self.arguments)

    def get_config(self) -> dict[str, Any]:
        """The name of the function, and its further arguments."""
        name = get_registered_name(self.fn)
        function = {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
        return {**super().get_config(), "fn": function, **self.arguments}


class NamedLoss(LossFunctionWrapper):
    """A built-in loss: its class says which function it is, so its configuration holds the arguments alone."""

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**Loss.get_config(self), **self.arguments}

    def check_targets(self, y_true: Array, output_type: TensorType) -> None:
        """Targets must have the output's shape, or broadcast to it.

        Raises:
            DataError: they do not.
        """
        check_broadcast(self.name, y_true, output_type)


def same_rank(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two tensors with one rank, where a last axis of length 1 makes the difference (Keras's rule).

    A tensor of rank 1 gets the axis: ``(n,)`` and ``(n, 1)`` become ``(n, 1)``. From higher ranks it is dropped.
    """
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        return (x1, ops.expand_dims(x2, -1)) if rank2 == 1 else (ops.squeeze(x1, -1), x2)
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        return (ops.expand_dims(x1, -1), x2) if rank1 == 1 else (x1, ops.squeeze(x2, -1))
    return x1, x2


def reduce_weighted(values: Any, sample_weight: Any, mask: Any, reduction: str | None, dtype: str = "float32") -> Any:
    """Values per sample as one number.

    Args:
        values: one value per sample, or per step of each sample.
        sample_weight: their weights; None for 1.
        mask: which of them count; None for all. A mean is one over those that count.
        reduction: see `Loss`.
        dtype: of the result.

    Raises:
        ShapeError: the weights do not fit the values.
    """
    values = ops.convert_to_tensor(values, dtype=dtype)
    weights = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=dtype)
    if mask is not None:
        weights = masked_weights(weights, mask, reduction, dtype)
    if weights is not None:
        values, weights = same_rank(values, weights)
        _check_weights(dispatch.shape_of(values), dispatch.shape_of(weights))
        values = ops.multiply(values, weights)
    shape = dispatch.shape_of(values)
    if reduction in (None, "none") or not shape:
        return values
    if reduction == "sum" or 0 in shape:  # there is no mean of nothing
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and weights is not None:
        return ops.divide_no_nan(ops.sum(values), ops.sum(weights))
    return ops.mean(values)


def masked_weights(weights: Any, mask: Any, reduction: str | None, dtype: str) -> Any:
    """Weights that are zero where the mask is False. For means the others grow, to make up for those."""
    factor = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        factor = ops.divide_no_nan(factor, ops.mean(factor))
    if weights is None:
        return factor
    factor, weights = same_rank(factor, weights)
    return ops.multiply(weights, factor)


def _check_weights(values: tuple[Any, ...], weights: tuple[Any, ...]) -> None:
    """Refuse weights that broadcasting would put along a wrong axis."""
    fits = len(weights) == len(values) and all(
        v == w or 1 in (v, w) or isinstance(v, str) or isinstance(w, str) for v, w in zip(values, weights, strict=True)
    )
    if not fits and set(weights) - {1}:
        raise ShapeError(
            f"`sample_weight` of shape {weights} does not fit losses of shape {values}: give a weight for each "
            f"value, or one per sample, of shape {(values[0] if values else 'batch', *(1 for _ in values[1:]))}."
        )
