"""GroupQueryAttention: fewer heads of keys and values than of queries."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.layers.core import positive_int
from graphc.layers.projected_attention import ProjectedAttention
from graphc.naming import auto_name
from graphc.ops import functional as ops
from graphc.ops.functional.masks import get_mask, set_mask


class GroupQueryAttention(ProjectedAttention):
    """`MultiHeadAttention` whose query heads share heads of keys and values in groups (Ainslie et al., 2023).

    Called on a query ``(batch, targets, features)``, a value ``(batch, sources, features)`` and, where it is not the value,
    a key ``(batch, sources, features)``; gives ``(batch, targets, features)``.

    Args:
        head_dim: the length of a head's queries, keys and values.
        num_query_heads: how many heads the query has.
        num_key_value_heads: how many heads keys and values have; divides ``num_query_heads``.
        dropout: the fraction of the attention weights that training drops.
        use_bias: whether projections have a bias.
        sliding_window: a target looks only at sources less than so many places away.
        flash_attention: a choice between Keras's kernels; it changes no result and is not used.
        use_gate: whether to multiply what the heads give by the sigmoid of one more projection of the query.
        seed: for dropout that does not depend on the program's seed.
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Keras makes the name from another spelling than the one that its users and files have.
        kwargs["name"] = kwargs.get("name") or auto_name("grouped_query_attention")
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self.head_dim = positive_int(head_dim, "head_dim")
        self.num_query_heads = positive_int(num_query_heads, "num_query_heads")
        self.num_key_value_heads = positive_int(num_key_value_heads, "num_key_value_heads")
        if self.num_query_heads % self.num_key_value_heads:
            raise ArgumentError(
                "`num_query_heads` must be divisible by `num_key_value_heads`. Received: "
                f"num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads}"
            )

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # type: ignore[override]
        """Make the projections."""
        query, value = tuple(query_shape), tuple(value_shape)
        key = value if key_shape is None else tuple(key_shape)
        self.check_shapes(query, value, key)
        many, few = (None, self.num_query_heads, self.head_dim), (None, self.num_key_value_heads, self.head_dim)
        self._query_dense = self._projection("query", "bqm,muh->bquh", many, "uh", query)
        self._key_dense = self._projection("key", "bkm,mvh->bkvh", few, "vh", key)
        if self.use_gate:
            self._gate_dense = self._projection("gate", "bqm,muh->bquh", many, "uh", query, "sigmoid")
        self._value_dense = self._projection("value", "bkm,mvh->bkvh", few, "vh", value)
        self.count_inner_layers()
        heads = (None, None, self.num_query_heads, self.head_dim)
        self._output_dense = self._projection("attention_output", "bquh,uhm->bqm", (None, query[-1]), "m", heads)

    def check_shapes(self, query: Any, value: Any, key: Any) -> None:
        """Raise a `ShapeError` unless the inputs have rank 3, one number of features, and key and value the same steps."""
        super().check_shapes(query, value, key)
        if len(query) != 3 or (None not in (query[-1], value[-1]) and query[-1] != value[-1]):
            raise ShapeError(
                f"GroupQueryAttention layer {self.name!r} takes a query (batch, targets, features) and a value (batch, "
                f"sources, features) with equal last dimensions. Received: query_shape={query}, value_shape={value}"
            )

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """What each target sees; with ``return_attention_scores`` also how much of each source.

        Args:
            query: ``(batch, targets, features)``.
            value: ``(batch, sources, features)``.
            key: ``(batch, sources, features)``; the value by default.
            query_mask: ``(batch, targets)``; that of the query by default.
            value_mask: ``(batch, sources)``; that of the value by default.
            key_mask: ``(batch, sources)``; that of the key by default.
            attention_mask: ``(batch, targets, sources)``, True where a target may look.
            return_attention_scores: whether to give ``(outputs, scores)``, scores ``(batch, heads, targets, sources)``.
            training: whether to drop weights.
            use_causal_mask: whether a target looks only at sources that are no later than itself.
        """
        key = value if key is None else key
        mask = self.merged_mask(query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask)
        masks = [(x, get_mask(x)) for x in (query, value, key)]
        for x, _ in masks:  # projections drop masks with a warning
            set_mask(x, None)
        gate = self._gate_dense(query) if self.use_gate else None
        projected = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        for x, own in masks:
            set_mask(x, own)
        served = self.num_query_heads // self.num_key_value_heads
        outputs, scores = self.attend(
            projected[0],
            ops.repeat(projected[1], served, axis=2),
            ops.repeat(projected[2], served, axis=2),
            mask,
            (1,),
            self.head_dim,
            training,
            return_attention_scores,
        )
        outputs = self._output_dense(outputs if gate is None else ops.multiply(outputs, gate))
        return (outputs, scores) if return_attention_scores else outputs

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> Any:
        """The shape of the output for those of the inputs."""
        query, value = tuple(query_shape), tuple(value_shape)
        self.check_shapes(query, value, value if key_shape is None else tuple(key_shape))
        return query

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "dropout": self.dropout,
            **self.projection_config(),
        }
