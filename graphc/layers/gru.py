"""GRU: the cell and the layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc import activations
from graphc.layers.cell_arguments import CellArguments, check_cudnn, of_cell
from graphc.layers.input_spec import InputSpec
from graphc.layers.recurrent_cells import VectorCell, add_blocks, single
from graphc.ops import functional as ops
from graphc.ops.functional import recurrent


class GRUCell(VectorCell):
    """One step of a gated recurrent unit (Cho et al., 2014); gates are in the order update, reset, candidate.

    Input ``(batch, features)``, state and output ``(batch, units)``.

    Args:
        reset_after: whether the reset gate acts behind the recurrent product (with a bias of its own) or before it.
    """

    CONFIG = (
        "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
        "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
        "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after", "seed",
    )  # fmt: skip

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            gates=3,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            masks_per_gate=kwargs.pop("implementation", 2) == 1,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def build(self, input_shape: Any) -> None:
        """Make the weights; ``reset_after`` has one bias for the inputs and one for the state."""
        width = 3 * self.units
        bias = (2, width) if self.reset_after else (width,)
        self.make_weights((self.features_of(input_shape), width), (self.units, width), bias)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """One step."""
        previous = single(states)
        masks = self.masks(ops.shape(inputs)[0], training)
        x = self.project(inputs, self.kernel, masks.inputs)
        if self.bias is not None:
            x = add_blocks(x, self.blocks(self.bias[0] if self.reset_after else self.bias))
        if self.reset_after:
            state = self.project(previous, self.recurrent_kernel, masks.state)
            if self.bias is not None:
                state = add_blocks(state, self.blocks(self.bias[1]))
            z, r = self._gates(x, state)
            candidate = ops.add(x[2], ops.multiply(r, state[2]))
        else:
            by_gate = masks.state if len(masks.state) > 1 else [None] * 3
            kernels = ops.split(self.recurrent_kernel, 3, axis=-1)
            held = [previous if m is None else ops.multiply(previous, m) for m in by_gate]
            z, r = self._gates(x, [ops.matmul(h, k) for h, k in zip(held[:2], kernels[:2], strict=True)])
            candidate = ops.add(x[2], ops.matmul(ops.multiply(r, held[2]), kernels[2]))
        new = ops.add(ops.multiply(z, previous), ops.multiply(ops.subtract(1.0, z), self.activation(candidate)))
        return new, [new] if isinstance(states, list | tuple) else new

    @property
    def op(self) -> Any:
        """The op, if the step is the one above."""
        return recurrent.gru if type(self).call is GRUCell.call else None

    def op_options(self) -> dict[str, Any]:
        """Where the reset gate acts, too."""
        return {**super().op_options(), "reset_after": self.reset_after}

    def _gates(self, x: Sequence[Any], state: Sequence[Any]) -> tuple[Any, Any]:
        return self.recurrent_activation(ops.add(x[0], state[0])), self.recurrent_activation(ops.add(x[1], state[1]))


class GRU(CellArguments):
    """Gated recurrent unit (Cho et al., 2014).

    Input ``(batch, time, features)``; output ``(batch, units)``, or ``(batch, time, units)`` with ``return_sequences``.
    The arguments are those of `GRUCell` and `RNN`.

    Args:
        activity_regularizer: a penalty on the output, added to the loss.
        use_cudnn: accepted for Keras's sake.
    """

    CONFIG = (
        "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
        "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer",
        "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after",
        "seed",
    )  # fmt: skip

    cell: GRUCell
    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            reset_after=reset_after,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="gru_cell",
            implementation=kwargs.pop("implementation", 2),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = check_cudnn(use_cudnn)
