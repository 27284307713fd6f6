"""Sums and means over everything that was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.custom_objects import get_registered_name
from graphc.errors import ArgumentError
from graphc.losses.loss import masked_weights, same_rank
from graphc.metrics.metric import Metric
from graphc.naming import snake_case
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.masks import get_mask


def values_per_sample(values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: str) -> tuple[Any, Any]:
    """One weighted value per sample, and its weight (None without weights).

    What a sample has more than one of is reduced (Keras's rule): first over axes that have no weights of their own.

    Args:
        values: ``(batch, ...)``.
        sample_weight: a weight per sample, or per value of each sample.
        reduce: ``ops.mean`` or ``ops.sum``.
        dtype: of both results.
    """
    values = ops.convert_to_tensor(values, dtype=dtype)
    weights = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=dtype)
    if weights is not None:
        values, weights = same_rank(values, weights)
        rank, weight_rank = len(values.shape), len(weights.shape)
        if rank > weight_rank:
            values = reduce(values, axis=tuple(range(weight_rank, rank)))
        if dispatch.shape_of(weights) != dispatch.shape_of(values):
            weights = ops.broadcast_to(weights, dispatch.shape_of(values))
        values = ops.multiply(values, weights)
        if weight_rank > 1:
            weights = reduce(weights, axis=tuple(range(1, weight_rank)))
    rank = len(values.shape)
    return (reduce(values, axis=tuple(range(1, rank))) if rank > 1 else values), weights


def _total(x: Any) -> Any:
    return ops.sum(x) if len(x.shape) else x


def _batch_size(values: Any, dtype: str) -> Any:
    """The number of samples, 1 for a single number, as a scalar."""
    shape = dispatch.shape_of(values)
    if shape and isinstance(shape[0], str):
        return dispatch.apply("DimSize", dim=shape[0], dtype=dtype)
    return ops.cast(float(shape[0]) if shape else 1.0, dtype)


class Sum(Metric):
    """The weighted sum of values."""

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Collect values, ``(batch, ...)``, with a weight for each."""
        values, _ = values_per_sample(values, sample_weight, ops.sum, self.dtype)
        self.total.assign(ops.add(self.total, _total(values)))

    def result(self) -> Any:
        """The sum."""
        return ops.convert_to_tensor(self.total)


class Mean(Metric):
    """The weighted mean of values; 0 before the first."""

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Collect values, ``(batch, ...)``, with a weight for each."""
        values, weights = values_per_sample(values, sample_weight, ops.mean, self.dtype)
        self.total.assign(ops.add(self.total, _total(values)))
        count = _batch_size(values, self.dtype) if weights is None else _total(weights)
        self.count.assign(ops.add(self.count, count))

    def result(self) -> Any:
        """The mean."""
        return ops.divide_no_nan(self.total, self.count)


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)``, one value per sample.
        name: by default the function's name.
        dtype: see `Metric`.
        kwargs: further arguments of ``fn``.

    Raises:
        ArgumentError: ``fn`` cannot be called.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        if not callable(fn):
            raise ArgumentError(f"A metric must be a function of y_true and y_pred; got {fn!r:.80}.")
        super().__init__(name or snake_case(getattr(fn, "__name__", type(fn).__name__)), dtype)
        self.fn = fn
        self.arguments = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Collect a batch.

        Args:
            y_true: targets, ``(batch, ...)``.
            y_pred: predictions, ``(batch, ...)``.
            sample_weight: a weight per sample, or per value of each sample.
        """
        mask = get_mask(y_pred)
        if mask is not None:
            sample_weight = masked_weights(sample_weight, mask, "sum", self.dtype)
        super().update_state(self.values(y_true, y_pred), sample_weight)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """What the function gives for a batch."""
        return self.fn(y_true, y_pred, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        """The name of the function, and its further arguments."""
        name = get_registered_name(self.fn)
        function = {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
        return {**super().get_config(), "fn": function, **self.arguments}


class NamedMean(MeanMetricWrapper):
    """A built-in mean: its class says which function it is, so its configuration holds the arguments alone."""

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**Metric.get_config(self), **self.arguments}
