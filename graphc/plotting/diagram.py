"""A model as boxes, frames and arrows, before anything has a size or a place.

One box for each layer, as Keras draws it: a layer that is called several times has one box with several arrows. With
``expand_nested`` a nested model is a frame around the boxes of its layers, at any depth, and an arrow that leads to the
model leads to the box of its input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphc.layers.layer import Layer
from graphc.layers.symbolic import LayerCall, SymbolicTensor
from graphc.plotting.labels import Label, label_of
from graphc.plotting.options import PlotOptions
from graphc.sequential import Sequential


@dataclass(frozen=True)
class Box:
    """A layer: what stands in its box, and the frame around it (None: no frame)."""

    layer: Layer
    label: Label
    frame: int | None


@dataclass(frozen=True)
class Frame:
    """A nested model whose layers are drawn, and the frame around it."""

    layer: Layer
    title: str
    parent: int | None


@dataclass
class Diagram:
    """Boxes and frames by number, and arrows between boxes, each once."""

    title: str
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    arrows: dict[tuple[int, int], None] = field(default_factory=dict)


def diagram_of(model: Any, options: PlotOptions) -> Diagram:
    """The diagram of a built model; a subclassed model is one box."""
    diagram = Diagram(model.name)
    if not _has_layers_to_draw(model):
        diagram.boxes.append(Box(model, label_of(model, model.inbound_nodes, options), None))
        return diagram
    box_of: dict[int, int] = {}
    frame_of: dict[int, int] = {}
    owners: list[Any] = [model]
    todo: list[tuple[Any, int | None]] = [(model, None)]
    while todo:
        owner, frame = todo.pop()
        calls = calls_by_layer(owner)
        nested: list[tuple[Any, int | None]] = []
        for layer in shown_layers(owner):
            if id(layer) in box_of or id(layer) in frame_of:
                continue  # shared by two of the models: drawn where it was found first
            if options.expand_nested and _has_layers_to_draw(layer):
                frame_of[id(layer)] = len(diagram.frames)
                diagram.frames.append(Frame(layer, layer.name, frame))
                nested.append((layer, frame_of[id(layer)]))
            else:
                box_of[id(layer)] = len(diagram.boxes)
                diagram.boxes.append(Box(layer, label_of(layer, calls.get(id(layer), []), options), frame))
        owners += [owner for owner, _ in nested]
        todo += reversed(nested)
    for owner in owners:
        for source, target in _arrows(owner, frame_of):
            if id(source) in box_of and id(target) in box_of:  # a Sequential's input has no box
                diagram.arrows[box_of[id(source)], box_of[id(target)]] = None
    return diagram


def shown_layers(model: Any) -> Sequence[Layer]:
    """The layers that have a box: all of a functional model, all but the input of a Sequential, as in Keras."""
    layers: Sequence[Layer] = model.layers if isinstance(model, Sequential) else model.operations
    return layers


def calls_by_layer(model: Any) -> dict[int, list[LayerCall]]:
    """The calls inside a model by the ``id`` of their layer, in the order in which they were made."""
    found: dict[int, list[LayerCall]] = {}
    for call in sorted(model.layer_graph.calls, key=lambda call: call.index):
        found.setdefault(id(call.layer), []).append(call)
    return found


def _has_layers_to_draw(layer: Any) -> bool:
    return hasattr(layer, "layer_graph") and len(shown_layers(layer)) > 0


def _arrows(model: Any, frame_of: dict[int, int]) -> Iterator[tuple[Layer, Layer]]:
    """The layers at the two ends of each tensor of a model, those of nested models instead of the models."""
    fed = {id(tensor) for tensor in model.inputs}
    for call in model.layer_graph.calls:
        if all(id(tensor) in fed for tensor in call.output_tensors):
            continue  # what the call makes is given, so what it took does not matter
        for tensor in call.input_tensors:
            if tensor.call is not None:
                yield _maker(tensor, frame_of), _taker(call, tensor, frame_of)


def _maker(tensor: SymbolicTensor, frame_of: dict[int, int]) -> Layer:
    """The layer that makes a tensor, in the innermost model whose layers are drawn."""
    call = tensor.call
    assert call is not None
    while id(call.layer) in frame_of:
        nested: Any = call.layer
        inner = nested.outputs[tensor.index]
        if inner.call is None:
            break
        tensor, call = inner, inner.call
    return call.layer


def _taker(call: LayerCall, tensor: SymbolicTensor, frame_of: dict[int, int]) -> Layer:
    """The layer that takes a tensor: of a nested model whose layers are drawn, the input that the tensor feeds."""
    layer: Any = call.layer
    place = _place(layer, call, tensor) if id(layer) in frame_of else 0
    while id(layer) in frame_of:
        if isinstance(layer, Sequential):  # its input layer has no box
            layer = layer.layers[0]
        else:
            source = layer.inputs[place].call
            assert source is not None
            layer, place = source.layer, source.output_tensors.index(layer.inputs[place])
    return layer  # type: ignore[no-any-return]


def _place(model: Any, call: LayerCall, tensor: SymbolicTensor) -> int:
    """Which of a nested model's inputs a tensor feeds: by name where the call gave a dict."""
    flat = model.flatten_inputs(call.inputs)
    return next((i for i, x in enumerate(flat) if x is tensor), 0)
