"""CategoryEncoding, and the encoding that it shares with Discretization."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.core import positive_int
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


def encode_categories(indices: Any, output_mode: str, depth: int, dtype: str, count_weights: Any = None) -> Any:
    """Categories from 0 on as vectors of ``depth`` numbers; a category outside gives zeros.

    Args:
        indices: ``(...)`` for "one_hot"; ``(batch, labels, ...)`` or ``(labels,)`` for the other two.
        output_mode: "one_hot": a vector for each index, in place of a last axis of length 1; "multi_hot": one for each
            sample, 1 where a category occurs; "count": how often it does.
        depth: the number of categories.
        dtype: the result's.
        count_weights: how much each index counts, of the shape of the indices and in ``dtype``.
    """
    shape = dispatch.shape_of(indices)
    if not shape:
        indices, shape = ops.expand_dims(indices, -1), (1,)
    if output_mode == "multi_hot":
        return ops.multi_hot(indices, depth, dtype=dtype)
    if output_mode == "one_hot":
        labels = ops.squeeze(indices, -1) if len(shape) > 1 and shape[-1] == 1 else indices
        return ops.one_hot(labels, depth, dtype=dtype)
    codes = ops.one_hot(indices, depth, dtype=dtype)
    if count_weights is not None:
        codes = ops.multiply(codes, ops.expand_dims(count_weights, -1))
    return ops.sum(codes, axis=1 if len(shape) > 1 else 0)


def refuse_sparse(sparse: Any, layer: str) -> None:
    """graphc has no sparse tensors.

    Raises:
        ArgumentError: one is asked for.
    """
    if sparse:
        raise ArgumentError(f"{layer} cannot give sparse tensors, which graphc does not have; leave `sparse` out.")


class CategoryEncoding(Layer):
    """Integer categories as vectors of numbers in the layer's dtype.

    Args:
        num_tokens: the number of categories, which are 0 up to it; others give zeros.
        output_mode: "one_hot", a vector for each integer; "multi_hot" or "count", one vector for each sample of several.
        sparse: not supported.

    Raises:
        ArgumentError: the mode is unknown, or the number is not a positive integer.
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ArgumentError(
                f"Unknown arg for output_mode: {output_mode!r}. It must be 'one_hot', 'multi_hot' or 'count'."
            )
        if num_tokens is None:
            raise ArgumentError("`num_tokens` must be set to use CategoryEncoding: the number of different categories.")
        refuse_sparse(sparse, "CategoryEncoding")
        self.num_tokens = positive_int(num_tokens, "num_tokens")
        self.output_mode = output_mode
        self.sparse = False

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """The encoded inputs.

        Args:
            inputs: integers, ``()``, ``(labels,)``, ``(batch, labels)`` or of higher rank.
            count_weights: how much each of them counts, for "count" only.

        Raises:
            ArgumentError: weights are given in another mode.
        """
        indices = ops.convert_to_tensor(inputs)
        if count_weights is not None:
            if self.output_mode != "count":
                raise ArgumentError(
                    f"`count_weights` of layer {self.name!r} is not used when `output_mode` is not 'count'; it is "
                    f"{self.output_mode!r}."
                )
            count_weights = ops.cast(count_weights, self.compute_dtype)
        return encode_categories(indices, self.output_mode, self.num_tokens, self.compute_dtype, count_weights)

    def get_config(self) -> dict[str, Any]:
        """The constructor arguments; Keras leaves ``sparse`` out."""
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}
