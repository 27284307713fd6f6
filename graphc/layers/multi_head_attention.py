"""MultiHeadAttention."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.core import positive_int
from graphc.layers.einsum_dense import EinsumDense
from graphc.layers.projected_attention import Lengths, ProjectedAttention, projection_equation
from graphc.ops import functional as ops
from graphc.ops.functional.masks import get_mask, set_mask


class MultiHeadAttention(ProjectedAttention):
    """Attention in several heads, each on projections of its own (Vaswani et al., 2017).

    Called on a query ``(batch, targets, features)``, a value ``(batch, sources, features)`` and, where it is not the value,
    a key ``(batch, sources, features)``; gives ``(batch, targets, query features)``. There may be more axes between batch
    and features.

    Args:
        num_heads: how many heads.
        key_dim: the length of a head's queries and keys.
        value_dim: the length of a head's values; ``key_dim`` by default.
        dropout: the fraction of the attention weights that training drops.
        use_bias: whether projections have a bias.
        output_shape: an integer or tuple, the axes of the output behind its steps; the query's features by default.
        attention_axes: the axes to attend over; all between batch and features by default.
        sliding_window: a target looks only at sources less than so many places away.
        flash_attention: a choice between Keras's kernels; it changes no result and is not used.
        use_gate: whether to multiply what the heads give by the sigmoid of one more projection of the query.
        seed: for dropout that does not depend on the program's seed.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        self.num_heads = positive_int(num_heads, "num_heads")
        self.key_dim = positive_int(key_dim, "key_dim")
        self.value_dim = self.key_dim if value_dim is None else positive_int(value_dim, "value_dim")
        self._output_shape = _output_axes(output_shape)
        if attention_axes is not None and not isinstance(attention_axes, int | list | tuple):
            raise ArgumentError(
                f"`attention_axes` must be an int, list, or tuple. Received: attention_axes={attention_axes!r}"
            )
        self.attention_axes: Any = (attention_axes,) if isinstance(attention_axes, int) else attention_axes

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # type: ignore[override]
        """Make the projections."""
        query, value = tuple(query_shape), tuple(value_shape)
        key = value if key_shape is None else tuple(key_shape)
        self.check_shapes(query, value, key)
        free = len(query) - 1
        inner = [None] * (free - 1)

        def heads(name: str, depth: int, shape: Lengths, activation: Any = None) -> EinsumDense:
            equation, bias_axes = projection_equation(free, 1, 2)
            return self._projection(name, equation, [*inner, self.num_heads, depth], bias_axes, shape, activation)

        self._query_dense = heads("query", self.key_dim, query)
        self._key_dense = heads("key", self.key_dim, key)
        if self.use_gate:
            self._gate_dense = heads("gate", self.value_dim, query, "sigmoid")
        self._value_dense = heads("value", self.value_dim, value)
        axes = range(1, free) if self.attention_axes is None else self.attention_axes
        self.attention_axes = tuple(axis if axis >= 0 else free + 1 + axis for axis in axes)
        self.count_inner_layers()
        last = self._output_shape or (query[-1],)
        equation, bias_axes = projection_equation(free, 2, len(last))
        self._output_dense = self._projection(
            "attention_output", equation, [*inner, *last], bias_axes, (*query[:-1], self.num_heads, self.value_dim)
        )

    @property
    def query_dense(self) -> EinsumDense:
        """The projection of the query."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection of what the heads give."""
        return self._output_dense

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
        passed_on = get_mask(query) if query_mask is None else query_mask
        for x in (query, value, key):  # as in Keras, the masks end here: what else uses these tensors sees none
            set_mask(x, None)
        gate = self._gate_dense(query) if self.use_gate else None
        outputs, scores = self.attend(
            self._query_dense(query),
            self._key_dense(key),
            self._value_dense(value),
            mask,
            self.attention_axes,
            self.key_dim,
            training,
            return_attention_scores,
        )
        outputs = self._output_dense(outputs if gate is None else ops.multiply(outputs, gate))
        if passed_on is not None:
            set_mask(outputs, passed_on)
        return (outputs, scores) if return_attention_scores else outputs

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> Any:
        """The shape of the output for those of the inputs."""
        query, value = tuple(query_shape), tuple(value_shape)
        self.check_shapes(query, value, value if key_shape is None else tuple(key_shape))
        return (*query[:-1], *(self._output_shape or query[-1:]))

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "output_shape": self._output_shape,
            "attention_axes": self.attention_axes,
            "sliding_window": self.sliding_window,
            **self.projection_config(),
        }


def _output_axes(shape: Any) -> tuple[int, ...] | None:
    if not shape:
        return None
    given = (shape,) if isinstance(shape, int) else tuple(shape) if isinstance(shape, list | tuple) else ()
    if not given or any(isinstance(d, bool) or not isinstance(d, int) or d <= 0 for d in given):
        raise ArgumentError(f"`output_shape` must be a positive integer or a tuple of them. Received: {shape!r}")
    return given
