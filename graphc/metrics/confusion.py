"""Counts of right and wrong decisions between yes and no, and their ratios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.losses.loss import same_rank
from graphc.metrics.metric import Metric
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.variable import Variable

Thresholds = float | Sequence[float] | None


class _Confusion(Metric):
    """Counts of decisions at one or several thresholds.

    Args:
        thresholds: predictions above are a yes; 0.5 by default. A list gives a result for each.
        class_id: only this class counts, of the last axis.
        name: how it is called in logs.
        dtype: see `Metric`.

    Raises:
        ArgumentError: a threshold is not between 0 and 1.
    """

    def __init__(self, thresholds: Thresholds, class_id: int | None, name: str | None, dtype: Any) -> None:
        super().__init__(dtype, name)
        self.init_thresholds, self.class_id = thresholds, class_id
        given = [0.5] if thresholds is None else np.ravel(np.asarray(thresholds, np.float64)).tolist()
        if not given or not all(0 <= t <= 1 for t in given):
            raise ArgumentError(f"{type(self).__name__}: `thresholds` must be between 0 and 1; got {thresholds!r}.")
        self.thresholds: list[float] = given

    def _counter(self, name: str) -> Variable:
        return self.add_variable((len(self.thresholds),), name=name)

    def _count(self, counters: dict[tuple[bool, bool], Variable], y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        """Add a batch to the counters of (decided yes, is yes)."""
        y_true, y_pred, weights = self._flat(y_true, y_pred, sample_weight)
        limits = np.asarray(self.thresholds, dtype=self.dtype)[:, None]
        decided = {True: ops.greater(y_pred, limits)}
        true = {True: ops.cast(y_true, "bool")}
        for decision, truth in counters:
            if not decision:
                decided.setdefault(False, ops.logical_not(decided[True]))
            if not truth:
                true.setdefault(False, ops.logical_not(true[True]))
        for (decision, truth), counter in counters.items():
            hits = ops.cast(ops.logical_and(decided[decision], true[truth]), self.dtype)
            hits = hits if weights is None else ops.multiply(hits, weights)
            counter.assign(ops.add(counter, ops.sum(hits, axis=1)))

    def _flat(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """Targets, predictions and weights in one row."""
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        y_pred, y_true = same_rank(y_pred, y_true)
        if self.class_id is not None:
            if len(y_pred.shape) < 2:
                raise ArgumentError(
                    f"{type(self).__name__}: with `class_id`, predictions must have the shape (batch, classes); "
                    f"got {tuple(y_pred.shape)}."
                )
            only = slice(self.class_id, self.class_id + 1 or None)
            y_true, y_pred = y_true[..., only], y_pred[..., only]
        weights = None
        if sample_weight is not None:
            weights = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            if len(weights.shape) < len(y_pred.shape):
                weights = ops.expand_dims(weights, -1)
            weights = ops.reshape(ops.broadcast_to(weights, dispatch.shape_of(y_pred)), (1, -1))
        return ops.reshape(y_true, (1, -1)), ops.reshape(y_pred, (1, -1)), weights

    def _shown(self, values: Any) -> Any:
        return values[0] if len(self.thresholds) == 1 else values


class _Count(_Confusion):
    decision: bool
    truth: bool

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, None, name, dtype)
        self.accumulator = self._counter("accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Collect a batch of targets, 0 or 1, and predictions between them."""
        self._count({(self.decision, self.truth): self.accumulator}, y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """The count, for each threshold."""
        return self._shown(ops.convert_to_tensor(self.accumulator))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How often yes was right."""

    decision, truth = True, True


class FalsePositives(_Count):
    """How often yes was wrong."""

    decision, truth = True, False


class TrueNegatives(_Count):
    """How often no was right."""

    decision, truth = False, False


class FalseNegatives(_Count):
    """How often no was wrong."""

    decision, truth = False, True


class _Ratio(_Confusion):
    _direction = "up"
    other_name: str
    other: tuple[bool, bool]

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        if top_k is not None:
            raise ArgumentError(f"{type(self).__name__}: graphc has no `top_k` here; leave it out.")
        super().__init__(thresholds, class_id, name, dtype)
        self.true_positives = self._counter("true_positives")
        self._others = self._counter(self.other_name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Collect a batch of targets, 0 or 1, and predictions between them."""
        counters = {(True, True): self.true_positives, self.other: self._others}
        self._count(counters, y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """The ratio, for each threshold; 0 before there is anything to count."""
        total = ops.add(self.true_positives, self._others)
        return self._shown(ops.divide_no_nan(self.true_positives, total))

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"thresholds": self.init_thresholds, "top_k": None, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Ratio):
    """How many of those found are right: true positives over all that were decided yes."""

    other_name, other = "false_positives", (True, False)


class Recall(_Ratio):
    """How many of the right ones are found: true positives over all that are yes."""

    other_name, other = "false_negatives", (False, True)
