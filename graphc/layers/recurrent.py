"""RNN, the base of recurrent layers, and what SimpleRNN, GRU and LSTM share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from graphc.errors import ArgumentError, ShapeError
from graphc.layers.cell_dropout import sequence_masks
from graphc.layers.layer import Layer
from graphc.layers.recurrent_cells import VectorCell
from graphc.layers.recurrent_loop import run_cell
from graphc.layers.sequence_calls import SequenceLayer, step_mask
from graphc.layers.stacked_cells import StackedRNNCells, build_cell, call_cell, initial_state_of, output_size_of
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.variable import Variable
from graphc.serialization import deserialize_keras_object, serialize_keras_object
from graphc.structure import flatten, map_structure, pack_like


@dataclass(frozen=True)
class _Kept:
    """The states of a stateful layer. They are no weights: files do not hold them, and a layer does not list them."""

    variables: list[Any]


class RNN(SequenceLayer):
    """A cell, run along the time axis.

    Input ``(batch, time, ...)``; the output is that of the last step, ``(batch, output_size)``, or of all,
    ``(batch, time, output_size)``. A masked step leaves the state as it was and repeats the output before.

    Args:
        cell: has ``call(inputs, states) -> (output, new_states)``, ``state_size`` (a length, or a list of them), and may have
            ``output_size`` and ``get_initial_state(batch_size)``; or a list of cells, which are stacked.
        return_sequences: whether to return the outputs of all steps.
        return_state: whether to return the last states behind the output.
        go_backwards: from the last time step to the first; outputs come in this order.
        stateful: whether a batch starts from the states behind the batch before. Needs a fixed batch size.
        unroll: accepted for Keras's sake; a loop is one node here, and gives the same numbers.
        zero_output_for_mask: whether masked steps give zeros.

    Call arguments:
        initial_state: the states to start from, in place of the cell's own.
        mask: ``(batch, time)``, boolean; True where a step counts.
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        if not hasattr(cell, "call"):
            raise ArgumentError(f"Argument `cell` should have a `call` method. Received: cell={cell}")
        size = getattr(cell, "state_size", None)
        if isinstance(size, bool) or not isinstance(size, int | list | tuple):
            raise ArgumentError(
                "The RNN cell should have a `state_size` attribute (an integer, or a list of integers, one for each "
                f"state); its state_size is {size!r}. Received: cell={cell}"
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.zero_output_for_mask = zero_output_for_mask
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self._kept: _Kept | None = None

    # -- states -----------------------------------------------------------------------------------------------------

    @property
    def state_size(self) -> list[Any]:
        """The lengths of the states."""
        size = self.cell.state_size
        return [size] if isinstance(size, int) else list(size)

    @property
    def states(self) -> list[Any] | None:
        """The variables that a stateful layer keeps between batches, nested as its states; None for other layers."""
        return None if self._kept is None else self._kept.variables

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states that a sequence starts from: the cell's, else zeros."""
        state = initial_state_of(self.cell, batch_size, getattr(self.cell, "compute_dtype", self.compute_dtype))
        return list(state) if isinstance(state, list | tuple) else [state]

    def reset_state(self) -> None:
        """Set the kept states to zero."""
        for variable in flatten(self.states or []):
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    reset_states = reset_state

    def keep_states(self, states: Any) -> None:
        """Let the next batch of a stateful layer start from these states."""
        if self.stateful:
            for variable, state in zip(flatten(self.states), flatten(states), strict=True):
                variable.assign(state)

    def _make_states(self, sequences_shape: Any) -> None:
        batch = sequences_shape[0]
        if batch is None:
            raise ShapeError(
                f"RNN layer {self.name!r} has stateful=True, so the batch size must be static. Found dynamic batch size: "
                f"sequence.shape={tuple(sequences_shape)}. Give the batch size: Input(batch_shape=(size, ...))."
            )

        def keep(value: Any) -> Variable:
            variable = Variable(value, dtype=self.variable_dtype, name="rnn_state", trainable=False)
            variable.path = f"{self.name}/rnn_state"
            return variable

        self._kept = _Kept(map_structure(keep, self.get_initial_state(batch)))

    # -- building ---------------------------------------------------------------------------------------------------

    def build(self, sequences_shape: Any) -> None:
        """Build the cell for one time step, and make the states that a stateful layer keeps."""
        build_cell(self.cell, (sequences_shape[0], *sequences_shape[2:]))
        if self.stateful:
            self._make_states(sequences_shape)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of output and states."""
        del initial_state_shape
        batch, length = sequences_shape[0], sequences_shape[1]
        size = output_size_of(self.cell)
        output = (batch, length, size) if self.return_sequences else (batch, size)
        states = [(batch, s) if isinstance(s, int) else [(batch, n) for n in s] for s in self.state_size]
        return (output, *states) if self.return_state else output

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the inputs for outputs of all steps; none for a last output, nor for states."""
        del inputs
        mask = flatten(previous_mask)[0] if self.return_sequences else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask

    # -- calling ----------------------------------------------------------------------------------------------------

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The output, and with ``return_state`` the states behind it."""
        states = self.states_to_start_from(sequences, initial_state)
        batch = ops.shape(sequences)[0]
        with sequence_masks(_innermost(self.cell), batch, training):
            last, outputs, states = self.inner_loop(sequences, states, step_mask(mask, sequences, self.name), training)
        self.keep_states(states)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool | None = False
    ) -> tuple[Any, Any, list[Any]]:
        """Run the cell: ``(last_output, outputs, states)``; ``initial_state`` None stands for the cell's own."""
        cells = _chain(self.cell)
        if all(isinstance(cell, VectorCell) and cell.is_one_op(training) for cell in cells):
            return self._run_ops(cells, sequences, initial_state, mask, training)
        if initial_state is None:
            initial_state = self.get_initial_state(ops.shape(sequences)[0])
        return run_cell(
            lambda x, states: call_cell(self.cell, x, states, training),
            sequences,
            list(initial_state),
            mask,
            go_backwards=self.go_backwards,
            zero_output_for_mask=self.zero_output_for_mask,
            return_sequences=self.return_sequences,
        )

    def _run_ops(
        self, cells: list[Any], sequences: Any, initial_state: Any, mask: Any, training: bool | None
    ) -> tuple[Any, Any, list[Any]]:
        """Each cell as one op on the whole sequence that the one below gives."""
        if initial_state is None and type(self).get_initial_state is not RNN.get_initial_state:
            initial_state = self.get_initial_state(ops.shape(sequences)[0])
        stacked = isinstance(self.cell, StackedRNNCells)
        starts = [None] * len(cells) if initial_state is None else initial_state if stacked else [initial_state]
        found, ends, backwards = None, [], self.go_backwards
        for cell, start in zip(cells, starts, strict=True):
            is_last = cell is cells[-1]
            found = cell.run_sequence(
                sequences if found is None else found.outputs,
                None if start is None else flatten(start),
                mask,
                training,
                go_backwards=backwards,
                zero_output_for_mask=self.zero_output_for_mask and is_last,
            )
            ends.append(list(found.states))
            if (
                backwards
            ):  # outputs come in the order of processing: what follows goes forwards, with the mask turned round
                mask, backwards = None if mask is None else ops.flip(mask, 1), False
        assert found is not None
        return found.last_output, found.outputs, ends if stacked else ends[0]

    def states_to_start_from(self, sequences: Any, initial_state: Any) -> list[Any] | None:
        """The states that the caller or the batch before gave, in the cell's dtype; None for the cell's own."""
        if self.stateful:
            self._check_batch(sequences)
        if initial_state is None:
            if not self.stateful:
                return None
            initial_state = self.states
        given = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        wanted = self.get_initial_state(ops.shape(sequences)[0])
        if len(flatten(given)) != len(flatten(wanted)):
            raise ArgumentError(
                f"Layer {self.name!r} has {len(flatten(wanted))} state(s); `initial_state` holds {len(flatten(given))}."
            )
        for x, zero in zip(flatten(given), flatten(wanted), strict=True):
            have, need = dispatch.shape_of(x), dispatch.shape_of(zero)
            if len(have) != len(need) or have[1:] != need[1:]:
                raise ShapeError(
                    f"Layer {self.name!r} takes states of shape {_shown(need)}; `initial_state` holds one of shape "
                    f"{_shown(have)}."
                )
        return list(pack_like(wanted, [dispatch.cast_to(x, dtype) for x in flatten(given)]))

    def _check_batch(self, sequences: Any) -> None:
        expected, batch = flatten(self.states)[0].shape[0], dispatch.shape_of(sequences)[0]
        if batch != expected:
            raise ShapeError(
                f"Layer {self.name!r} is stateful: the batch size of its input must be that of its states. "
                f"Expected batch size: {expected}. Received batch size: {batch}."
            )

    # -- configuration ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**self._loop_config(), "cell": serialize_keras_object(self.cell)}

    def _loop_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """A layer from what `get_config` gave."""
        config = dict(config)
        cell = deserialize_keras_object(config.pop("cell"), custom_objects=custom_objects)
        return cls(cell, **config)


def _chain(cell: Any) -> list[Any]:
    """The cells through which the input of a step goes, one after the other."""
    return cell.cells if isinstance(cell, StackedRNNCells) else [cell]


def _innermost(cell: Any) -> list[Any]:
    """The cells that a cell is made of: itself, or those that are stacked in it."""
    found, todo = [], [cell]
    while todo:
        item = todo.pop()
        if isinstance(item, StackedRNNCells):
            todo += item.cells
        elif isinstance(item, Layer):
            found.append(item)
    return found


def _shown(shape: Any) -> tuple[Any, ...]:
    return tuple(None if isinstance(d, str) else d for d in shape)
