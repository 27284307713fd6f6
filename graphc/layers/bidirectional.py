"""Bidirectional: a recurrent layer in both directions of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from graphc.custom_objects import custom_object_scope
from graphc.errors import ArgumentError
from graphc.layers.layer import Layer
from graphc.layers.recurrent import RNN
from graphc.layers.recurrent_cells import VectorCell
from graphc.layers.sequence_calls import SequenceLayer, build_inside, step_mask
from graphc.ops import functional as ops
from graphc.ops.functional import recurrent
from graphc.serialization import deserialize_keras_object, serialize_keras_object
from graphc.structure import flatten

_MERGES = ("sum", "mul", "ave", "concat", None)

_NEEDED = ("go_backwards", "return_sequences", "return_state", "stateful")

# What runs one direction to what runs both in one op.
_BOTH_DIRECTIONS: dict[Any, Any] = {
    recurrent.lstm: recurrent.bidirectional_lstm,
    recurrent.gru: recurrent.bidirectional_gru,
    recurrent.simple_rnn: recurrent.bidirectional_simple_rnn,
}


class Bidirectional(SequenceLayer):
    """A recurrent layer, and a second one that runs through time backwards; their outputs are merged.

    Masked steps of the output sequence are zeros. Schuster and Paliwal, "Bidirectional recurrent neural networks" (1997).

    Args:
        layer: the recurrent layer. A new one is made like it: its weights are not used.
        merge_mode: ``concat`` (along the last axis), ``sum``, ``mul``, ``ave``, or None for both outputs.
        weights: initial weights, those of the forward layer first.
        backward_layer: the layer for the other direction, with another ``go_backwards``; one like ``layer`` by default.

    Call arguments:
        initial_state: the states of the forward layer, then those of the backward layer.
        mask: ``(batch, time)``, boolean; True where a step counts.

    Raises:
        ArgumentError: a wrong merge mode, something that is no recurrent layer, or layers that do not fit each other.
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        _need_recurrent("layer", layer)
        if backward_layer is not None:
            _need_recurrent("backward_layer", backward_layer)
        if merge_mode not in _MERGES:
            raise ArgumentError(
                f'Invalid merge mode. Received: {merge_mode}. It should be one of {{"sum", "mul", "ave", "concat", None}}.'
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.forward_layer = _like(layer, f"forward_{layer.name.removeprefix('forward_')}")
        if backward_layer is None:
            name = f"backward_{layer.name.removeprefix('backward_')}"
            backward_layer = _like(layer, name, go_backwards=True)
        self.backward_layer = backward_layer
        self._check_directions()
        for direction in (self.forward_layer, self.backward_layer):
            if getattr(direction, "zero_output_for_mask", None) is not None:
                direction.zero_output_for_mask = direction.return_sequences
        self.merge_mode = merge_mode
        self._first_weights = None if weights is None else list(weights)
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.input_spec = layer.input_spec

    def _check_directions(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(
                "Forward layer and backward layer should have different `go_backwards` values. Received: "
                f"forward_layer.go_backwards={forward.go_backwards}, backward_layer.go_backwards={backward.go_backwards}"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            a, b = getattr(forward, name), getattr(backward, name)
            if a != b:
                raise ArgumentError(
                    f'Forward layer and backward layer are expected to have the same value for attribute "{name}"; '
                    f'got "{a}" for the forward layer and "{b}" for the backward layer.'
                )

    # -- states -----------------------------------------------------------------------------------------------------

    @property
    def states(self) -> tuple[Any, ...] | None:
        """The variables that a stateful layer keeps between batches, those of the forward layer first."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return (*forward, *backward) if forward and backward else None

    def reset_state(self) -> None:
        """Set the kept states to zero.

        Raises:
            AttributeError: the layer is not stateful.
        """
        if not self.stateful:
            raise AttributeError(
                f"Layer {self.name!r} must be stateful to be reset: make it of a layer with stateful=True."
            )
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    # -- building ---------------------------------------------------------------------------------------------------

    def build(self, sequences_shape: Any) -> None:
        """Build both layers."""
        build_inside(self.forward_layer, sequences_shape)
        build_inside(self.backward_layer, sequences_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of outputs and states."""
        del initial_state_shape
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        output, states = (shape[0], tuple(shape[1:])) if self.return_state else (shape, ())
        if self.merge_mode is None:
            outputs: tuple[Any, ...] = (output, output)
        else:
            outputs = ((*output[:-1], 2 * output[-1]) if self.merge_mode == "concat" else tuple(output),)
        found = (*outputs, *states, *states)
        return found if len(found) > 1 else found[0]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the inputs for outputs of all steps; none for last outputs, nor for states."""
        del inputs
        mask = flatten(previous_mask)[0] if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    # -- calling ----------------------------------------------------------------------------------------------------

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        """The merged output, and with ``return_state`` the states of both directions."""
        states: list[Any] = [None, None]
        if initial_state is not None:
            half = len(initial_state) // 2
            states = [list(initial_state[:half]), list(initial_state[half:])]
        run = self._run_as_one_op if self._is_one_op(training) else self._run_one_after_the_other
        merged, ends = run(sequences, states, mask, training)
        found = (*merged, *ends) if self.return_state else merged
        return found if len(found) > 1 else found[0]

    def _run_one_after_the_other(
        self, sequences: Any, states: list[Any], mask: Any, training: bool | None
    ) -> tuple[tuple[Any, ...], list[Any]]:
        outputs: list[Any] = []
        ends: list[Any] = []
        for direction, start in zip((self.forward_layer, self.backward_layer), states, strict=True):
            accepted = {"mask": mask, "training": training}
            given = {k: v for k, v in accepted.items() if v is not None and k in direction._call_parameters}
            if start is not None:
                given["initial_state"] = start
            found = direction(sequences, **given)
            output, *end = found if self.return_state else (found,)
            outputs.append(output)
            ends += end
        # The backward layer gives its outputs in the order in which it goes through time.
        back = ops.flip(outputs[1], 1) if self.return_sequences else outputs[1]
        return self._merge(outputs[0], back), ends

    def _is_one_op(self, training: bool | None) -> bool:
        """Whether one op with two directions does what the two layers do."""
        forward, backward = self.forward_layer, self.backward_layer
        for layer in (forward, backward):
            if (
                not isinstance(layer, RNN)
                or type(layer).call is not RNN.call
                or type(layer).inner_loop is not RNN.inner_loop
            ):
                return False
            if not isinstance(layer.cell, VectorCell) or not layer.cell.is_one_op(training):
                return False
            if layer.activity_regularizer is not None or (training and layer.cell.dropout):
                return False
        if forward.go_backwards:
            return False
        return all(a == b for a, b in zip(_what_must_agree(forward.cell), _what_must_agree(backward.cell), strict=True))

    def _run_as_one_op(
        self, sequences: Any, states: list[Any], mask: Any, training: bool | None
    ) -> tuple[tuple[Any, ...], list[Any]]:
        del training  # there is no dropout
        forward, backward = self.forward_layer, self.backward_layer
        starts = [
            layer.states_to_start_from(sequences, start)
            for layer, start in zip((forward, backward), states, strict=True)
        ]
        results = _BOTH_DIRECTIONS[forward.cell.op](
            sequences,
            forward.cell.op_weights,
            backward.cell.op_weights,
            initial_state=None if None in starts else [*starts[0], *starts[1]],
            mask=step_mask(mask, sequences, self.name),
            zero_output_for_mask=self.return_sequences,
            **forward.cell.op_options(),
        )
        for layer, found in zip((forward, backward), results, strict=True):
            layer.keep_states(found.states)
        ends = [state for found in results for state in found.states]
        if self.merge_mode == "concat":
            return (recurrent.side_by_side(*results, last=not self.return_sequences),), ends
        y, y_back = ((r.outputs if self.return_sequences else r.last_output) for r in results)
        return self._merge(y, y_back), ends

    def _merge(self, y: Any, y_back: Any) -> tuple[Any, ...]:
        if self.merge_mode == "concat":
            return (ops.concatenate([y, y_back], axis=-1),)
        if self.merge_mode == "sum":
            return (ops.add(y, y_back),)
        if self.merge_mode == "ave":
            return (ops.divide(ops.add(y, y_back), 2),)
        if self.merge_mode == "mul":
            return (ops.multiply(y, y_back),)
        return y, y_back

    # -- configuration ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The merge mode and both layers."""
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """A layer from what `get_config` gave."""
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = deserialize_keras_object(config[name], custom_objects=custom_objects)
        return cls(**config)


def _need_recurrent(name: str, layer: Any) -> None:
    if not isinstance(layer, Layer):
        raise ArgumentError(f"`{name}` of Bidirectional must be a layer, such as LSTM(8). Received: {layer!r:.80}")
    missing = [attribute for attribute in _NEEDED if not hasattr(layer, attribute)]
    if missing:
        raise ArgumentError(
            f"`{name}` of Bidirectional must be a recurrent layer; {type(layer).__name__} layer {layer.name!r} has no "
            f"`{missing[0]}`."
        )


def _like(layer: Any, name: str, **changes: Any) -> Any:
    """A layer with the configuration of another, and new weights. Classes of the user are at hand, so need no registering."""
    own = {type(part).__name__: type(part) for part in layer._flatten_layers()}
    with custom_object_scope(own):
        return type(layer).from_config({**layer.get_config(), "name": name, **changes})


def _what_must_agree(cell: VectorCell) -> tuple[Any, ...]:
    """What two cells must have in common to be the directions of one op."""
    return cell.op, cell.units, cell.bias is None, cell.compute_dtype, cell.op_options()
