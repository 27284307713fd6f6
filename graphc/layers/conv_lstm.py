"""ConvLSTM1D, ConvLSTM2D, ConvLSTM3D: LSTMs whose products are convolutions.

Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation nowcasting" (2015), without the paper's
connections from the carry to the gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc import activations
from graphc.errors import ArgumentError, ShapeError
from graphc.layers.cell_arguments import CellArguments, of_cell
from graphc.layers.core import positive_int
from graphc.layers.data_format import channels_first, standard_data_format, standard_padding, standard_tuple
from graphc.layers.input_spec import InputSpec
from graphc.layers.lstm import forget_from_one, lstm_step
from graphc.layers.recurrent_cells import RecurrentCell, add_blocks
from graphc.layers.recurrent_loop import run_cell
from graphc.ops import functional as ops
from graphc.ops.functional.convolution import biased_conv


class ConvLSTMCell(RecurrentCell):
    """One step of a convolutional LSTM; gates: input, forget, candidate, output.

    Input ``(batch, *spatial, channels)`` (or channels first); two states of ``(batch, *new spatial, filters)``.

    Args:
        rank: the number of spatial axes.
        filters: the number of output channels.
        kernel_size: the window of both convolutions.
        strides: the step of the window over the inputs; the one over the state goes by 1.
        padding: ``valid`` or ``same``, of the inputs; the state is always padded to keep its size.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: the distance between a window's elements, over the inputs.
        recurrent_activation: of the gates.
        unit_forget_bias: whether the bias of the forget gate starts from 1.
    """

    gates = 4

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        *,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        recurrent_activation: Any,
        unit_forget_bias: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(masks_per_gate=True, **kwargs)
        self.rank = rank
        self.filters = positive_int(filters, "filters")
        self.kernel_size = standard_tuple(kernel_size, rank, "kernel_size")
        self.strides = standard_tuple(strides, rank, "strides")
        self.padding = standard_padding(padding)
        self.data_format = standard_data_format(data_format)
        self.dilation_rate = standard_tuple(dilation_rate, rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.filters, self.filters]
        self.output_size = self.filters
        self.input_spec = InputSpec(ndim=rank + 2)
        self._input_shape: tuple[int, ...] = ()

    @property
    def _channel_axis(self) -> int:
        return 1 if channels_first(self.data_format) else -1

    def build(self, input_shape: Any) -> None:
        """Make kernel, recurrent kernel and bias."""
        if any(length is None for length in input_shape[1:]):
            raise ShapeError(
                "ConvLSTM layers only support static input shapes for the spatial dimensions and the channels. "
                f"Received invalid input shape: input_shape={tuple(input_shape)}"
            )
        self._input_shape = tuple(input_shape[1:])
        self.state_shape(input_shape)  # refuses an image that is smaller than the window
        channels = input_shape[self._channel_axis]
        start = forget_from_one(self.bias_initializer, self.filters) if self.unit_forget_bias else None
        self.make_weights(
            (*self.kernel_size, channels, 4 * self.filters),
            (*self.kernel_size, self.filters, 4 * self.filters),
            (4 * self.filters,),
            start,
        )

    def state_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """The shape of output and states for inputs ``(batch, *spatial, channels)``.

        Raises:
            ShapeError: the window does not fit into the image.
        """
        batch, *rest = input_shape
        spatial = rest[1:] if channels_first(self.data_format) else rest[:-1]
        windows = zip(spatial, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        lengths = [self._output_length(*window) for window in windows]
        if any(length is not None and length <= 0 for length in lengths):
            raise ShapeError(
                f"Layer {self.name!r}: a window of {self.kernel_size} does not fit into inputs of shape {tuple(input_shape)}."
            )
        if channels_first(self.data_format):
            return (batch, self.filters, *lengths)
        return (batch, *lengths, self.filters)

    def _output_length(self, length: int | None, window: int, stride: int, dilation: int) -> int | None:
        if length is None:
            return None
        if self.padding == "same":
            return -(-length // stride)
        return (length - dilation * (window - 1) - 1) // stride + 1

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros."""
        shape = self.state_shape((batch_size, *self._input_shape))
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in range(2)]

    def dropout_shapes(self, batch: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The shapes of the inputs and of the state."""
        return (batch, *self._input_shape), self.state_shape((batch, *self._input_shape))

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """One step."""
        masks = self.masks(ops.shape(inputs)[0], training).inputs
        return self.step(self._project_masked(inputs, masks) if masks else self.project(inputs), states, training)

    def project(self, inputs: Any) -> Any:
        """What the inputs add to all gates, as ``4 * filters`` channels: ``(batch, *new spatial, 4 * filters)``."""
        return biased_conv(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.data_format, self.dilation_rate
        )

    def _project_masked(self, inputs: Any, masks: Sequence[Any]) -> Any:
        """As `project`, with inputs of its own for each gate."""
        kernels = ops.split(self.kernel, 4, axis=-1)
        biases = [None] * 4 if self.bias is None else ops.split(self.bias, 4)
        window = (self.strides, self.padding, self.data_format, self.dilation_rate)
        gates = zip(masks, kernels, biases, strict=True)
        parts = [biased_conv(ops.multiply(inputs, mask), kernel, bias, *window) for mask, kernel, bias in gates]
        return ops.concatenate(parts, axis=self._channel_axis)

    def step(self, projected: Any, states: Any, training: bool | None) -> tuple[Any, list[Any]]:
        """One step from what `project` gave for its inputs."""
        previous, carry = states
        masks = self.masks(ops.shape(projected)[0], training).state
        window = (1, "same", self.data_format, 1)
        z = ops.split(projected, 4, axis=self._channel_axis)
        if masks:
            kernels = ops.split(self.recurrent_kernel, 4, axis=-1)
            gates = zip(masks, kernels, strict=True)
            recurrent = [biased_conv(ops.multiply(previous, mask), kernel, None, *window) for mask, kernel in gates]
        else:
            recurrent = ops.split(
                biased_conv(previous, self.recurrent_kernel, None, *window), 4, axis=self._channel_axis
            )
        new, carry = lstm_step(add_blocks(z, recurrent), carry, self.activation, self.recurrent_activation)
        return new, [new, carry]

    CONFIG = (
        "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation",
        "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
        "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
        "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed",
    )  # fmt: skip


class ConvLSTM(CellArguments):
    """A convolutional LSTM along the time axis; to be subclassed with a number of spatial axes.

    Input ``(batch, time, *spatial, channels)`` (or channels first behind the time); output ``(batch, *new spatial,
    filters)``, or with the time axis for ``return_sequences``. The convolutions of the inputs are made for all steps at
    once; the loop holds those of the state. The arguments are those of `ConvLSTMCell` and `RNN`.
    """

    rank: int
    cell: ConvLSTMCell

    filters = of_cell("filters")
    kernel_size = of_cell("kernel_size")
    strides = of_cell("strides")
    padding = of_cell("padding")
    data_format = of_cell("data_format")
    dilation_rate = of_cell("dilation_rate")
    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    CONFIG = (
        "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation",
        "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
        "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer",
        "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "seed",
    )  # fmt: skip

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
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
            name="conv_lstm_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of output and states."""
        del initial_state_shape
        batch, length, *rest = sequences_shape
        state = self.cell.state_shape((batch, *rest))
        output = (batch, length, *state[1:]) if self.return_sequences else state
        return (output, state, state) if self.return_state else output

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool | None = False
    ) -> tuple[Any, Any, list[Any]]:
        """Run the cell, with the convolutions of the inputs outside of the loop where dropout allows it."""
        cell = self.cell
        batch, time, *rest = ops.shape(sequences)
        if cell.masks(batch, training).inputs:
            return super().inner_loop(sequences, initial_state, mask, training)
        projected = cell.project(ops.reshape(sequences, (batch * time, *rest)))
        return run_cell(
            lambda x, states: cell.step(x, states, training),
            ops.reshape(projected, (batch, time, *ops.shape(projected)[1:])),
            self.get_initial_state(batch) if initial_state is None else initial_state,
            mask,
            go_backwards=self.go_backwards,
            zero_output_for_mask=self.zero_output_for_mask,
            return_sequences=self.return_sequences,
        )


class ConvLSTM1D(ConvLSTM):
    """A convolutional LSTM over series: input ``(batch, time, length, channels)``; see `ConvLSTM`."""

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """A convolutional LSTM over images: input ``(batch, time, height, width, channels)``; see `ConvLSTM`."""

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """A convolutional LSTM over volumes: input ``(batch, time, *three lengths, channels)``; see `ConvLSTM`."""

    rank = 3
