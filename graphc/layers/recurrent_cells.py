"""The base of the cells of recurrent layers: their arguments, weights, dropout masks and configuration.

A cell is a layer with ``state_size``, ``output_size``, ``get_initial_state(batch_size)`` and
``call(inputs, states, training) -> (output, new_states)``: one step, which `graphc.layers.RNN` repeats along the time axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc import activations, constraints, initializers, regularizers
from graphc.errors import ShapeError
from graphc.layers.cell_dropout import DropoutCell
from graphc.layers.core import positive_int
from graphc.ops import functional as ops
from graphc.ops.functional.recurrent import Sequences, Weights, onnx_activation


def configured(source: Any, names: Sequence[str]) -> dict[str, Any]:
    """Attributes as a configuration holds them: activations, initializers, regularizers and constraints serialised."""
    return {name: _plain(name, getattr(source, name)) for name in names}


def _plain(name: str, value: Any) -> Any:
    for ending, module in _VOCABULARY.items():
        if name.endswith(ending):
            return module.serialize(value)
    return value


_VOCABULARY: dict[str, Any] = {
    "activation": activations,
    "_initializer": initializers,
    "_regularizer": regularizers,
    "_constraint": constraints,
}


class RecurrentCell(DropoutCell):
    """What the cells of SimpleRNN, GRU, LSTM and ConvLSTM share: their arguments, weights and dropout masks.

    Args:
        activation: of the candidate state.
        use_bias: whether to add a bias.
        kernel_initializer: of the input weights; regularizer and constraint likewise.
        recurrent_initializer: of the weights on the previous state; regularizer and constraint likewise.
        bias_initializer: of the bias; regularizer and constraint likewise.
        dropout: share of the inputs that training drops; the same ones at each step of a sequence.
        recurrent_dropout: share of the previous state that training drops, likewise.
        seed: for masks that do not depend on the program's seed.
    """

    CONFIG: tuple[str, ...]
    """The constructor's arguments, in the order of Keras's configuration."""

    state_size: Any
    output_size: Any

    def __init__(
        self,
        *,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.recurrent_kernel: Any = None
        self.bias: Any = None

    def make_weights(
        self, kernel: Sequence[int], recurrent: Sequence[int], bias: Sequence[int], bias_initializer: Any = None
    ) -> None:
        """Make the weights, of these shapes."""
        for name, shape, initializer in (
            ("kernel", kernel, self.kernel_initializer),
            ("recurrent_kernel", recurrent, self.recurrent_initializer),
            ("bias", bias, bias_initializer or self.bias_initializer),
        ):
            if name == "bias" and not self.use_bias:
                continue
            stem = name.removesuffix("_kernel")
            variable = self.add_weight(
                shape=shape,
                name=name,
                initializer=initializer,
                regularizer=getattr(self, f"{stem}_regularizer"),
                constraint=getattr(self, f"{stem}_constraint"),
            )
            setattr(self, name, variable)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), **configured(self, self.CONFIG)}


class VectorCell(RecurrentCell):
    """A cell whose inputs and states are vectors: input ``(batch, features)``, states ``(batch, units)``.

    Args:
        units: the length of the state and of the output.
        gates: how many blocks of ``units`` columns the kernels have; with more than one there is a
            ``recurrent_activation``.
    """

    recurrent_activation: Any

    def __init__(self, units: int, *, gates: int, state_size: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = positive_int(units, "units")
        self.gates = gates
        self.state_size = self.units if state_size is None else state_size
        self.output_size = self.units

    def features_of(self, input_shape: Any) -> int:
        """The number of input features.

        Raises:
            ShapeError: it is not fixed.
        """
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ShapeError(
                f"The inputs of cell {self.name!r} must be (batch, features) with a fixed number of features; "
                f"got shape {tuple(input_shape)}."
            )
        return int(input_shape[-1])

    def build(self, input_shape: Any) -> None:
        """Make kernel, recurrent kernel and bias."""
        width = self.gates * self.units
        self.make_weights((self.features_of(input_shape), width), (self.units, width), (width,))

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    def dropout_shapes(self, batch: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The shapes of the inputs and of the state."""
        return (batch, self.kernel.shape[0]), (batch, self.units)

    # -- a whole sequence at once -----------------------------------------------------------------------------------

    def op_activations(self) -> tuple[Any, ...]:
        """The activation functions, as ONNX's operator has them; None where it has none."""
        functions = (self.activation, *([self.recurrent_activation] if self.gates > 1 else []))
        return tuple(onnx_activation(activations.serialize(f)) for f in functions)

    def op_options(self) -> dict[str, Any]:
        """What the op is told besides weights, states and mask: activations, and what subclasses add."""
        names = ("activation", "recurrent_activation")
        return dict(zip(names, self.op_activations(), strict=False))

    def is_one_op(self, training: bool | None) -> bool:
        """Whether one op of the IR, and one node of ONNX, does what the cell does along a sequence.

        ONNX's operators have few activations, and no dropout between steps or for each gate on its own.
        """
        if self.op is None or None in self.op_activations():
            return False
        masks_of_gates = self.masks_per_gate and self.gates > 1
        return not training or not (self.recurrent_dropout or (masks_of_gates and self.dropout))

    @property
    def op(self) -> Any:
        """The function that runs the whole sequence; None where a subclass has a step of its own."""
        return None

    @property
    def op_weights(self) -> Weights:
        """The weights as the op takes them."""
        return Weights(self.kernel, self.recurrent_kernel, self.bias)

    def run_sequence(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool | None, **options: Any
    ) -> Sequences:
        """The cell along the time axis, as one op.

        Args:
            sequences: ``(batch, time, features)``.
            initial_state: a list of states; None for zeros.
            mask: ``(batch, time)`` booleans, or None.
            training: whether dropout acts.
            options: ``go_backwards`` and ``zero_output_for_mask``.
        """
        found: Sequences = self.op(
            self.drop(sequences, training),
            self.op_weights,
            initial_state=initial_state,
            mask=mask,
            **self.op_options(),
            **options,
        )
        return found

    def drop(self, sequences: Any, training: bool | None) -> Any:
        """The sequences, thinned out in training: the same features at each step."""
        masks = self.masks(ops.shape(sequences)[0], training)
        return ops.multiply(sequences, ops.expand_dims(masks.inputs[0], 1)) if masks.inputs else sequences

    # -- one step ---------------------------------------------------------------------------------------------------

    def project(self, x: Any, kernel: Any, masks: Sequence[Any]) -> list[Any]:
        """``x @ kernel`` as one block for each gate; with a mask for each gate, each block from its own masked ``x``."""
        if len(masks) > 1:
            blocks = ops.split(kernel, self.gates, axis=-1)
            return [ops.matmul(ops.multiply(x, m), block) for m, block in zip(masks, blocks, strict=True)]
        product = ops.matmul(ops.multiply(x, masks[0]) if masks else x, kernel)
        return list(ops.split(product, self.gates, axis=-1))

    def blocks(self, bias: Any) -> list[Any]:
        """A bias as one block for each gate."""
        return list(ops.split(bias, self.gates, axis=-1))


def add_blocks(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """Block by block sums."""
    return [ops.add(a, b) for a, b in zip(first, second, strict=True)]


def single(states: Any) -> Any:
    """The one state of a cell, given bare or in a list."""
    return states[0] if isinstance(states, list | tuple) else states
