"""LSTM, GRU and simple recurrent layers over whole sequences, in Keras's layouts, as one op each.

Layers call these with Keras's weights: kernels ``(inputs, gates * units)`` and ``(units, gates * units)``, with the gates i,
f, c, o (LSTM) or z, r, h (GRU). The weights are brought to ONNX's order by ordinary ops, which are folded into constants when
a model is exported.

Masked steps carry the state on and repeat the output before them; before the first valid step that is zeros, as in Keras on
TensorFlow and PyTorch (on JAX it is the initial state).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from graphc.ops.functional.arguments import Tensor
from graphc.ops.functional.creation import zeros
from graphc.ops.functional.dispatch import apply, apply_many, dtype_of, promote, shape_of
from graphc.ops.functional.movement import flip
from graphc.ops.functional.recurrent_masks import Packing
from graphc.ops.recurrent_types import BIDIRECTIONAL, FORWARD, PARAMETERS, REVERSE, Activation

_ONNX_ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation("Tanh"),
    "sigmoid": Activation("Sigmoid"),
    "relu": Activation("Relu"),
    "linear": Activation("Affine", 1.0, 0.0),
    "elu": Activation("Elu", 1.0),
    "hard_sigmoid": Activation("HardSigmoid", 1 / 6, 0.5),
    "sparse_sigmoid": Activation("HardSigmoid", 0.5, 0.5),
    "leaky_relu": Activation("LeakyRelu", 0.2),
    "softplus": Activation("Softplus"),
    "softsign": Activation("Softsign"),
}


def onnx_activation(identifier: Any) -> Activation | None:
    """The activation that ONNX's recurrent operators have for one of Keras's.

    Args:
        identifier: what `graphc.activations.serialize` gives: a name of Keras's table, or a configuration.

    Returns:
        None where they have none (``selu``, ``gelu``, ``exponential``, functions of the user): such a layer is a `Scan`.
    """
    return _ONNX_ACTIVATIONS.get(identifier) if isinstance(identifier, str) else None


class Sequences(NamedTuple):
    """What a recurrent layer gives for a batch of sequences.

    Attributes:
        outputs: ``(batch, time, units)``: the output at each step.
        last_output: ``(batch, units)``: the output at the step that is processed last.
        states: the states behind it, ``(batch, units)`` each: hidden, and cell for LSTM.
        all_outputs: ``(time, directions, batch, units)``: the op's own outputs, where they are in the order of time.
        all_last: ``(directions, batch, units)``: the op's own last states, where they are the last outputs.
    """

    outputs: Tensor
    last_output: Tensor
    states: tuple[Tensor, ...]
    all_outputs: Tensor | None = None
    all_last: Tensor | None = None


class Weights(NamedTuple):
    """Keras's weights of one direction.

    Attributes:
        kernel: ``(inputs, gates * units)``.
        recurrent_kernel: ``(units, gates * units)``.
        bias: ``(gates * units,)``; for GRU with ``reset_after`` ``(2, gates * units)``; None without.
    """

    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None


@dataclass(frozen=True, slots=True)
class _Layout:
    """How Keras's weights become ONNX's.

    Attributes:
        op: the op.
        states: how many states it has.
        order: where ONNX's gates are among Keras's.
    """

    op: str
    states: int
    order: tuple[int, ...]

    def matrix(self, kernels: Sequence[Tensor]) -> Tensor:
        """One kernel ``(n, G)`` for each direction as ``(directions, G, n)``; the transposition is a view in NumPy."""
        return apply("Transpose", _stacked([self._reordered(kernel, 1) for kernel in kernels], 0), perm=(0, 2, 1))

    def bias(self, biases: Sequence[Tensor | None]) -> Tensor | None:
        """``(directions, 2G)``: biases of the inputs and of the recurrence; Keras's one bias goes to the inputs."""
        there = [bias for bias in biases if bias is not None]
        if not there:
            return None
        none = zeros(shape_of(there[0]), dtype_of(there[0]))
        return _stacked([self._both_biases(none if bias is None else bias) for bias in biases], 0)

    def _both_biases(self, bias: Tensor) -> Tensor:
        (*two, size) = shape_of(bias)
        if two:
            return apply("Reshape", bias, shape=(2 * size,))
        return apply("Concat", self._reordered(bias, 0), zeros((size,), dtype_of(bias)), axis=0)

    def _reordered(self, kernel: Tensor, axis: int) -> Tensor:
        if self.order == tuple(range(len(self.order))):
            return kernel
        units = shape_of(kernel)[axis] // len(self.order)
        parts = apply_many("Split", [kernel], axis=axis, sizes=(units,) * len(self.order))
        return apply("Concat", *(parts[i] for i in self.order), axis=axis)


_LSTM = _Layout("LSTM", 2, (0, 3, 1, 2))
_GRU = _Layout("GRU", 1, (0, 1, 2))
_RNN = _Layout("RNN", 1, (0,))


def _run(
    layout: _Layout,
    x: Tensor,
    weights: Sequence[Weights],
    states: Sequence[Sequence[Tensor]],
    direction: str,
    activations: Sequence[Activation],
    mask: Tensor | None,
    zero_masked: bool,
    **attributes: Any,
) -> list[Sequences]:
    """One op, and for each direction its results, with outputs in the order of time.

    Args:
        layout: of the op's weights.
        x: ``(batch, time, inputs)``.
        weights: of each direction.
        states: initial states ``(batch, units)`` by kind (hidden, cell), one for each direction; empty for zeros.
        direction: ONNX's word for it.
        activations: of one direction.
        mask: ``(batch, time)`` or None.
        zero_masked: masked steps give zeros.
        **attributes: more of the op's.
    """
    x, *given = promote(x, *(w for one in weights for w in one if w is not None), *chain(*states), to_float=True)
    taken = iter(given)
    weights = [Weights(*(None if w is None else next(taken) for w in one)) for one in weights]
    initial = [_stacked([next(taken) for _ in kind], 0) for kind in states]
    packing = None if mask is None else Packing.of(mask, x)
    operands = [
        apply("Transpose", x, perm=(1, 0, 2)) if packing is None else packing.pack(x),
        layout.matrix([one.kernel for one in weights]),
        layout.matrix([one.recurrent_kernel for one in weights]),
        layout.bias([one.bias for one in weights]),
        None if packing is None else packing.lengths,
        *initial,
    ]
    while operands[-1] is None:
        operands.pop()
    has_parameters = any(PARAMETERS[one.name] for one in activations)
    y, *finals = apply_many(
        layout.op,
        operands,
        hidden_size=shape_of(weights[0].recurrent_kernel)[0],
        direction=direction,
        activations=tuple(one.name for one in activations) * len(weights),
        activation_alpha=tuple(one.alpha for one in activations) * len(weights) * has_parameters,
        activation_beta=tuple(one.beta for one in activations) * len(weights) * has_parameters,
        **attributes,
    )
    results = []
    for d in range(len(weights)):
        backwards = direction == REVERSE or d == 1
        after = tuple(_of_direction(final, 0, d) for final in finals[: layout.states])
        if packing is None:
            outputs, last = apply("Transpose", _of_direction(y, 1, d), perm=(1, 0, 2)), after[0]
        else:
            outputs = packing.unpack(y, d, backwards, zero_masked)
            last = packing.last_output(after[0], backwards, zero_masked, zero_initial=not states)
        all_outputs, all_last = y if packing is None else None, finals[0] if last is after[0] else None
        results.append(Sequences(outputs, last, after, all_outputs, all_last))
    return results


def side_by_side(forward: Sequences, backward: Sequences, *, last: bool) -> Tensor:
    """The outputs of two directions along the last axis: Keras's ``merge_mode="concat"``.

    Without a mask the op's outputs hold both directions, an axis apart: they are brought together by moving that axis.

    Args:
        forward: what a bidirectional function gave for the forward direction.
        backward: what it gave for the other.
        last: of the last outputs, ``(batch, 2 * units)``, rather than of all, ``(batch, time, 2 * units)``.
    """
    moved: tuple[int, ...]
    if last:
        both, moved = forward.all_last, (1, 0, 2)
        parts = [forward.last_output, backward.last_output]
    else:
        both, moved = forward.all_outputs, (2, 0, 1, 3)
        parts = [forward.outputs, backward.outputs]
    if both is None:
        return apply("Concat", *parts, axis=len(shape_of(parts[0])) - 1)
    together = apply("Transpose", both, perm=moved)
    (*lead, directions, units) = shape_of(together)
    return apply("Reshape", together, shape=(*lead, directions * units))


def _stacked(tensors: Sequence[Tensor], axis: int) -> Tensor:
    """Tensors along a new axis; one alone is a view."""
    placed = [apply("Unsqueeze", one, axes=(axis,)) for one in tensors]
    return placed[0] if len(placed) == 1 else apply("Concat", *placed, axis=axis)


def _of_direction(x: Tensor, axis: int, direction: int) -> Tensor:
    """The part of one direction, without the axis of directions."""
    if shape_of(x)[axis] != 1:
        x = apply("Slice", x, axes=(axis,), starts=(direction,), ends=(direction + 1,))
    return apply("Squeeze", x, axes=(axis,))


def _one_way(
    layout: _Layout,
    x: Tensor,
    weights: Weights,
    initial_state: Sequence[Tensor] | None,
    go_backwards: bool,
    *rest: Any,
    **attributes: Any,
) -> Sequences:
    """`_run` in one direction, with outputs in the order of processing."""
    states = [[state] for state in initial_state or ()]
    direction = REVERSE if go_backwards else FORWARD
    (found,) = _run(layout, x, [weights], states, direction, *rest, **attributes)
    return found._replace(outputs=flip(found.outputs, axis=1), all_outputs=None) if go_backwards else found


def _both_ways(
    layout: _Layout,
    x: Tensor,
    weights: Sequence[Weights],
    initial_state: Sequence[Tensor] | None,
    *rest: Any,
    **attributes: Any,
) -> tuple[Sequences, Sequences]:
    """`_run` in both directions; ``initial_state`` holds the forward direction's states, then the other's."""
    given = list(initial_state or ())
    states = list(zip(given[: len(given) // 2], given[len(given) // 2 :], strict=True))
    forward, backward = _run(layout, x, weights, states, BIDIRECTIONAL, *rest, **attributes)
    return forward, backward


def lstm(
    x: Tensor,
    weights: Weights,
    *,
    activation: Activation,
    recurrent_activation: Activation,
    initial_state: Sequence[Tensor] | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> Sequences:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997).

    Args:
        x: ``(batch, time, inputs)``.
        weights: Keras's, with the gates i, f, c, o.
        activation: of candidate and output.
        recurrent_activation: of the gates.
        initial_state: hidden and cell state, ``(batch, units)`` each; zeros by default.
        mask: ``(batch, time)``, False at steps to leave out.
        go_backwards: process the last step first. Outputs come in the order of processing, as in Keras.
        zero_output_for_mask: masked steps give zeros.
    """
    activations = (recurrent_activation, activation, activation)
    return _one_way(_LSTM, x, weights, initial_state, go_backwards, activations, mask, zero_output_for_mask)


def gru(
    x: Tensor,
    weights: Weights,
    *,
    activation: Activation,
    recurrent_activation: Activation,
    reset_after: bool,
    initial_state: Sequence[Tensor] | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> Sequences:
    """Gated recurrent units (Cho et al., 2014), with the gates z, r, h; arguments as for `lstm`.

    ``reset_after`` applies the reset gate behind the recurrent product, which then has a bias of its own.
    """
    rest = (recurrent_activation, activation), mask, zero_output_for_mask
    after = int(reset_after)
    return _one_way(_GRU, x, weights, initial_state, go_backwards, *rest, linear_before_reset=after)


def simple_rnn(
    x: Tensor,
    weights: Weights,
    *,
    activation: Activation,
    initial_state: Sequence[Tensor] | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> Sequences:
    """A plain recurrence, ``h = activation(x W + h R + b)``; arguments as for `lstm`."""
    return _one_way(_RNN, x, weights, initial_state, go_backwards, (activation,), mask, zero_output_for_mask)


def bidirectional_lstm(
    x: Tensor,
    forward: Weights,
    backward: Weights,
    *,
    activation: Activation,
    recurrent_activation: Activation,
    initial_state: Sequence[Tensor] | None = None,
    mask: Tensor | None = None,
    zero_output_for_mask: bool = False,
) -> tuple[Sequences, Sequences]:
    """Two LSTMs in one op: one from the first step on, one from the last.

    Args:
        x: ``(batch, time, inputs)``.
        forward: weights of the direction that starts at the first step.
        backward: weights of the one that starts at the last.
        activation: of both.
        recurrent_activation: of both.
        initial_state: states of the forward direction, then those of the other.
        mask: ``(batch, time)``.
        zero_output_for_mask: masked steps give zeros.

    Returns:
        Both directions' results. The outputs of both are in the order of time: the backward ones as Keras's
        Bidirectional has them after it has flipped them.
    """
    rest = (recurrent_activation, activation, activation), mask, zero_output_for_mask
    return _both_ways(_LSTM, x, (forward, backward), initial_state, *rest)


def bidirectional_gru(
    x: Tensor,
    forward: Weights,
    backward: Weights,
    *,
    activation: Activation,
    recurrent_activation: Activation,
    reset_after: bool,
    initial_state: Sequence[Tensor] | None = None,
    mask: Tensor | None = None,
    zero_output_for_mask: bool = False,
) -> tuple[Sequences, Sequences]:
    """Two GRUs in one op; see `bidirectional_lstm` and `gru`."""
    rest = (recurrent_activation, activation), mask, zero_output_for_mask
    return _both_ways(_GRU, x, (forward, backward), initial_state, *rest, linear_before_reset=int(reset_after))


def bidirectional_simple_rnn(
    x: Tensor,
    forward: Weights,
    backward: Weights,
    *,
    activation: Activation,
    initial_state: Sequence[Tensor] | None = None,
    mask: Tensor | None = None,
    zero_output_for_mask: bool = False,
) -> tuple[Sequences, Sequences]:
    """Two plain recurrences in one op; see `bidirectional_lstm` and `simple_rnn`."""
    return _both_ways(_RNN, x, (forward, backward), initial_state, (activation,), mask, zero_output_for_mask)
