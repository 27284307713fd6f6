"""Discretization: numbers as the bins that they fall into, by boundaries that are given or found in data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from graphc.errors import ArgumentError, DataError, NotBuiltError
from graphc.layers.category_encoding import encode_categories, refuse_sparse
from graphc.layers.layer import Layer
from graphc.ops import functional as ops

Array = np.ndarray[Any, Any]

_MODES = ("int", "one_hot", "multi_hot", "count")


class Discretization(Layer):
    """The number of the bin of each element: 0 below the first boundary, up to 1 + the last; a boundary is in the bin above.

    Args:
        bin_boundaries: the boundaries between bins, in rising or falling order.
        num_bins: in place of them, the number of bins that `adapt` finds boundaries for.
        epsilon: how fine the summary of the data is that `adapt` works with: each of its steps holds this share of it.
        output_mode: "int" for the bins' numbers as int32, or "one_hot", "multi_hot" or "count" for their encoding in the
            layer's dtype, as `CategoryEncoding` does it.
        sparse: not supported.

    Raises:
        ArgumentError: the mode is unknown, the boundaries are in no order, or not exactly one of ``bin_boundaries`` and
            ``num_bins`` is given.
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if output_mode not in _MODES:
            raise ArgumentError(
                f"Unknown value for `output_mode` argument of Discretization. Allowed values are: {_MODES}. "
                f"Received: output_mode={output_mode!r}"
            )
        refuse_sparse(sparse, "Discretization")
        if num_bins is not None and num_bins < 0:
            raise ArgumentError(f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`")
        if num_bins is not None and bin_boundaries is not None:
            raise ArgumentError(
                "Both `num_bins` and `bin_boundaries` should not be set. "
                f"Received: `num_bins={num_bins}` and `bin_boundaries={bin_boundaries}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ArgumentError("You need to set either `num_bins` or `bin_boundaries`.")
        self.bin_boundaries = None if bin_boundaries is None else _checked(bin_boundaries)
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.output_mode = output_mode
        self.sparse = False
        self.summary = _nothing()

    # -- boundaries -------------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find boundaries that put equally many elements of data into each bin; models made before keep the old ones.

        Args:
            data: an array, or batches of arrays.
            steps: take this many batches at most.

        Raises:
            ArgumentError: the boundaries were given.
            DataError: there is no data.
        """
        if self.num_bins is None:
            raise ArgumentError(
                f"Cannot adapt layer {self.name!r}, which was given its `bin_boundaries`; give `num_bins` instead."
            )
        self.reset_state()
        whole = isinstance(data, np.ndarray) or not isinstance(data, Iterable)
        for index, batch in enumerate([data] if whole else data):
            if steps is not None and index >= steps:
                break
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Add data to the summary."""
        values = np.asarray(data).astype(np.float32)
        if values.size:
            merged = np.concatenate((_summarized(values, self.epsilon), self.summary), axis=1)
            self.summary = _compressed(merged[:, np.argsort(merged[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Make boundaries of the summary.

        Raises:
            DataError: it is empty.
        """
        if self.num_bins is None:
            return
        if not self.summary.size:
            raise DataError(f"Layer {self.name!r} has seen no data to find boundaries in.")
        boundaries = _compressed(self.summary, 1.0 / self.num_bins)[0, :-1] if self.num_bins else np.empty(0)
        self.bin_boundaries = [float(x) for x in boundaries]

    def reset_state(self) -> None:
        """Forget all data."""
        if self.num_bins is not None:
            self.summary = _nothing()

    # -- calls ------------------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        """The bins of the inputs.

        Raises:
            NotBuiltError: there are no boundaries yet.
        """
        if self.bin_boundaries is None:
            raise NotBuiltError(
                f"Layer {self.name!r} has no boundaries yet. Pass `bin_boundaries`, or call `adapt(data)` before you use it."
            )
        bins = np.asarray(self.bin_boundaries, dtype=np.float32)
        x = ops.expand_dims(ops.convert_to_tensor(inputs), -1)
        falling = bins.size > 1 and bins[0] > bins[-1]
        # Not `x >= bins`: NaN belongs above all boundaries, as NumPy's digitize has it.
        beyond = ops.less(x, bins) if falling else ops.logical_not(ops.less(x, bins))
        indices = ops.sum(ops.cast(beyond, "int32"), axis=-1)
        if self.output_mode == "int":
            return indices
        return encode_categories(indices, self.output_mode, bins.size + 1, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments, with the boundaries that were found."""
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A layer from what `get_config` gave: the boundaries of an adapted one are there beside ``num_bins``."""
        config = dict(config)
        found = config.pop("bin_boundaries", None)
        if config.get("num_bins") is None:
            return cls(found, **config)
        layer = cls(**config)
        layer.bin_boundaries = None if found is None else _checked(found)
        return layer


def _checked(boundaries: Sequence[float]) -> list[float]:
    values = np.asarray(boundaries, dtype=np.float64)
    steps = np.diff(values) if values.ndim == 1 else np.array([np.nan])
    if not ((steps >= 0).all() or (steps <= 0).all()):
        raise ArgumentError(
            f"`bin_boundaries` must be numbers in rising or falling order. Received: bin_boundaries={boundaries!r:.80}"
        )
    return [float(x) for x in values]


# -- summaries of data: values in the first row, and how many elements each stands for in the second ------------------


def _nothing() -> Array:
    return np.empty((2, 0), dtype=np.float32)


def _summarized(values: Array, epsilon: float) -> Array:
    """Every so many sorted values one, so that each stands for the share ``epsilon`` of all."""
    values = np.sort(values, axis=None)
    step = max(values.size * epsilon, 1.0)
    chosen = values[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _compressed(summary: Array, epsilon: float) -> Array:
    """A summary of about ``1 / epsilon`` values, between those that there are."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    sums = summary[1].cumsum()
    values = np.interp(shares, sums / sums[-1], summary[0])
    counts = np.diff(np.interp(shares, sums / sums[-1], sums), prepend=0.0)
    return np.stack((values, counts)).astype(np.float32)
