"""The layer graph between some symbolic tensors and others: which calls, in which order.

There can be no cycle: a call's inputs exist before its outputs, and a tensor never changes the call that made it. Files, which
name calls freely, are checked where they are read.

The order of layers decides the order of weights in files, so it is Keras's: by depth (the longest way to an output, a shared
layer counting with its deepest call), and among layers of one depth by the first visit of a walk from the outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphc.errors import ArgumentError
from graphc.layers.symbolic import LayerCall, SymbolicTensor

if TYPE_CHECKING:
    from graphc.layers.layer import Layer


@dataclass(frozen=True)
class LayerGraph:
    """Calls in an order in which they can be run, and the layers they belong to, as Keras lists them."""

    calls: tuple[LayerCall, ...]
    layers: tuple[Layer, ...]
    depth: dict[LayerCall, int]

    def calls_of(self, layer: Layer) -> list[LayerCall]:
        """The calls of one layer inside this graph, in the order in which they were made."""
        return sorted((c for c in self.calls if c.layer is layer), key=lambda c: c.index)


def trace_layers(inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor]) -> LayerGraph:
    """Find the calls that lead from ``inputs`` to ``outputs``.

    Raises:
        ArgumentError: an output does not depend on the inputs alone, or two layers have one name.
    """
    finished, visited_layers = _walk(inputs, outputs)
    depth: dict[LayerCall, int] = {}
    layer_depth: dict[int, int] = {}
    for call in reversed(finished):
        at = max(depth.get(call, 0), layer_depth.get(id(call.layer), 0))
        depth[call] = layer_depth[id(call.layer)] = at
        if not _is_given(call, inputs):
            for tensor in call.input_tensors:
                if tensor.call is not None:
                    depth[tensor.call] = max(depth.get(tensor.call, 0), at + 1)
    for tensor in inputs:  # inputs that nothing uses
        if tensor.call is not None and tensor.call not in depth:
            depth[tensor.call] = 0
            layer_depth.setdefault(id(tensor.call.layer), 0)
            finished.append(tensor.call)
            visited_layers.append(tensor.call.layer)
    layers = sorted(visited_layers, key=lambda layer: -layer_depth[id(layer)])
    _check_names(layers)
    order = {id(call): i for i, call in enumerate(finished)}
    calls = sorted(finished, key=lambda call: (-depth[call], order[id(call)]))
    return LayerGraph(tuple(calls), tuple(layers), depth)


def _is_given(call: LayerCall, inputs: Sequence[SymbolicTensor]) -> bool:
    """True when every tensor that the call makes is fed, so that nothing before it matters."""
    return all(any(t is x for x in inputs) for t in call.output_tensors)


def _walk(inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor]) -> tuple[list[LayerCall], list[Layer]]:
    """Calls, each behind all calls it needs; layers in the order of the first visit. Depth-first without recursion."""
    given = {id(t) for t in inputs}
    finished: list[LayerCall] = []
    layers: dict[int, Layer] = {}
    state: dict[int, bool] = {}  # False while being visited, True when finished
    for output in outputs:
        stack: list[tuple[SymbolicTensor, bool]] = [(output, False)]
        while stack:
            tensor, leaving = stack.pop()
            call = tensor.call
            if call is None:
                raise ArgumentError(f"{tensor!r} was not made by a layer, so no model can be built from it.")
            if leaving:
                state[id(call)] = True
                finished.append(call)
                continue
            if id(call) in state:
                continue
            layers.setdefault(id(call.layer), call.layer)
            state[id(call)] = False
            stack.append((tensor, True))
            if id(tensor) in given or _is_given(call, inputs):
                continue
            if not call.input_tensors:
                raise ArgumentError(_not_connected(output, call, inputs))
            stack += [(t, False) for t in reversed(call.input_tensors)]
    return finished, list(layers.values())


def _not_connected(output: SymbolicTensor, missing: LayerCall, inputs: Sequence[SymbolicTensor]) -> str:
    end = output.call.layer if output.call is not None else missing.layer
    names = [t.call.layer.name if t.call is not None else t.name for t in inputs]
    return (
        f"The output of layer {end.name!r} ({type(end).__name__}) is not connected to `inputs`: it depends on input "
        f"{missing.layer.name!r}, which is not among the model's inputs {names}. Add that input to the model's inputs, or "
        "build the output from the inputs that are there."
    )


def _check_names(layers: Sequence[Layer]) -> None:
    seen: dict[str, Layer] = {}
    for layer in layers:
        if layer.name in seen:
            raise ArgumentError(
                f"The name {layer.name!r} is used by two layers of the model ({type(seen[layer.name]).__name__} and "
                f"{type(layer).__name__}). All layer names must be unique: give one of them another `name`."
            )
        seen[layer.name] = layer
