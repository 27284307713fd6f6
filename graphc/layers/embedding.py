"""Embedding, and ReversibleEmbedding, which also goes back from vectors to scores of the rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from graphc import constraints, initializers, regularizers
from graphc.errors import ArgumentError, DataError
from graphc.layers.core import positive_int, refuse_adapters
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.masks import set_mask


class Embedding(Layer):
    """Rows of a learned table, picked by integers.

    Input ``(batch, ...)`` of integers from 0 to ``input_dim - 1`` (negative ones count from the end, other numbers are cut
    to integers); output ``(batch, ..., output_dim)``. An index outside of the table is an error when data comes.

    Args:
        input_dim: the number of rows.
        output_dim: the length of a row.
        embeddings_initializer: of the table.
        embeddings_regularizer: of the table.
        embeddings_constraint: of the table.
        mask_zero: whether 0 means padding: the output then has the mask ``inputs != 0``.
        weights: the table, as an array or a list of one array.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("input_length", None) is not None:
            warnings.warn("`input_length` of Embedding has no effect any more: leave it out.", stacklevel=2)
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        refuse_adapters(self, lora_rank, lora_alpha, quantization_config)
        self.input_dim = positive_int(input_dim, "input_dim")
        self.output_dim = positive_int(output_dim, "output_dim")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = bool(mask_zero)
        self.embeddings: Any = None
        if weights is not None:
            self.build_with_shapes((None,))
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [np.asarray(weights)])

    def build(self, input_shape: Any) -> None:
        """Make the table."""
        del input_shape
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )

    def call(self, inputs: Any) -> Any:
        """The rows."""
        return self._rows(inputs)

    def _rows(self, inputs: Any) -> Any:
        indices = inputs if dispatch.dtype_of(inputs) in ("int32", "int64") else ops.cast(inputs, "int32")
        if isinstance(indices, np.ndarray):
            self._check_range(indices)
        return ops.take(self.embeddings, indices, axis=0)

    def _check_range(self, indices: np.ndarray[Any, Any]) -> None:
        if indices.size and (indices.min() < -self.input_dim or indices.max() >= self.input_dim):
            raise DataError(
                f"Embedding layer {self.name!r} has {self.input_dim} rows (`input_dim`), numbered 0 to "
                f"{self.input_dim - 1}; got indices from {indices.min()} to {indices.max()}."
            )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """``inputs != 0`` where 0 means padding."""
        del previous_mask
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }


class ReversibleEmbedding(Embedding):
    """An `Embedding` that is also a model's last layer: ``layer(vectors, reverse=True)`` gives a score for every row.

    Args:
        tie_weights: whether the way back uses the table's transpose; else it has a matrix of its own,
            ``(output_dim, input_dim)``.
        reverse_dtype: the dtype of the way back; that of the layer by default.
        logit_soft_cap: scores ``s`` become ``cap * tanh(s / cap)``.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        if logit_soft_cap is not None and not logit_soft_cap > 0:
            raise ArgumentError(f"`logit_soft_cap` of layer {self.name!r} must be positive; got {logit_soft_cap!r}.")
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap
        self.reverse_embeddings: Any = None

    def build(self, input_shape: Any) -> None:
        """Make the table, and the matrix of the way back where it is another."""
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                name="reverse_embeddings",
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """The rows; or with ``reverse`` the scores ``(batch, ..., input_dim)`` of vectors ``(batch, ..., output_dim)``."""
        if reverse:
            return self._scores(inputs)
        rows = self._rows(inputs)
        if self.mask_zero:
            set_mask(rows, ops.not_equal(inputs, 0))
        return rows

    def _scores(self, vectors: Any) -> Any:
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        if self.reverse_dtype is not None:
            vectors, kernel = ops.cast(vectors, self.reverse_dtype), ops.cast(kernel, self.reverse_dtype)
        scores = ops.matmul(vectors, kernel)
        if self.logit_soft_cap is None:
            return scores
        return ops.multiply(ops.tanh(ops.divide(scores, self.logit_soft_cap)), self.logit_soft_cap)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: the way there sets its mask itself, and scores have none."""
        del inputs, previous_mask

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }
