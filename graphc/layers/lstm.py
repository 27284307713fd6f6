"""LSTM: the cell and the layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc import activations, initializers
from graphc.layers.cell_arguments import CellArguments, check_cudnn, of_cell
from graphc.layers.input_spec import InputSpec
from graphc.layers.recurrent_cells import VectorCell, add_blocks
from graphc.ops import functional as ops
from graphc.ops.functional import recurrent


class LSTMCell(VectorCell):
    """One step of a long short-term memory (Hochreiter and Schmidhuber, 1997); gates: input, forget, candidate, output.

    Input ``(batch, features)``; two states of ``(batch, units)``, the output and the carry.

    Args:
        unit_forget_bias: whether the bias of the forget gate starts from 1 (Jozefowicz et al., 2015).
    """

    CONFIG = (
        "units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "kernel_initializer",
        "recurrent_initializer", "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
        "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed",
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
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            gates=4,
            state_size=[units, units],
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
        self.unit_forget_bias = unit_forget_bias

    def build(self, input_shape: Any) -> None:
        """Make kernel, recurrent kernel and bias."""
        width = 4 * self.units
        start = forget_from_one(self.bias_initializer, self.units) if self.unit_forget_bias else None
        self.make_weights((self.features_of(input_shape), width), (self.units, width), (width,), start)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """One step."""
        previous, carry = states[0], states[1]
        masks = self.masks(ops.shape(inputs)[0], training)
        z = self.project(inputs, self.kernel, masks.inputs)
        z = add_blocks(z, self.project(previous, self.recurrent_kernel, masks.state))
        if self.bias is not None:
            z = add_blocks(z, self.blocks(self.bias))
        new, carry = lstm_step(z, carry, self.activation, self.recurrent_activation)
        return new, [new, carry]

    @property
    def op(self) -> Any:
        """The op, if the step is the one above."""
        return recurrent.lstm if type(self).call is LSTMCell.call else None


def forget_from_one(initializer: Any, units: int) -> Any:
    """An initializer of LSTM biases: ones for the forget gate, the second block of four, else what ``initializer`` gives."""

    def make(shape: Sequence[int], dtype: Any = None) -> Any:
        del shape
        ones = initializers.Ones()((units,), dtype=dtype)
        return ops.concatenate([initializer((units,), dtype=dtype), ones, initializer((2 * units,), dtype=dtype)])

    return make


def lstm_step(z: Sequence[Any], carry: Any, activation: Any, recurrent_activation: Any) -> tuple[Any, Any]:
    """New output and carry from the sums for input gate, forget gate, candidate and output gate."""
    i, f, o = (recurrent_activation(z[k]) for k in (0, 1, 3))
    carry = ops.add(ops.multiply(f, carry), ops.multiply(i, activation(z[2])))
    return ops.multiply(o, activation(carry)), carry


class LSTM(CellArguments):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997).

    Input ``(batch, time, features)``; output ``(batch, units)``, or ``(batch, time, units)`` with ``return_sequences``.
    The arguments are those of `LSTMCell` and `RNN`.

    Args:
        activity_regularizer: a penalty on the output, added to the loss.
        use_cudnn: accepted for Keras's sake.
    """

    CONFIG = (
        "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
        "bias_initializer", "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
        "activity_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout",
        "recurrent_dropout", "seed",
    )  # fmt: skip

    cell: LSTMCell
    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="lstm_cell",
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
