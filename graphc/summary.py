"""``model.summary()``: the layers as a table, in the guides' form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError
from graphc.layers.input_layer import InputLayer
from graphc.layers.layer import Layer
from graphc.layers.structure import flatten, map_structure
from graphc.layers.symbolic import LayerCall

if TYPE_CHECKING:
    from graphc.model import Model


def print_summary(
    model: Model,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print the table.

    Args:
        model: a model; one that is not built yet shows "?" for what is unknown.
        line_length: characters in a line; 65 for a chain of layers, else 98.
        positions: where each column ends, as fractions of the line (or in characters, if above 1).
        print_fn: called with each line; ``print`` by default.
        expand_nested: show the layers of nested models too.
        show_trainable: a column that says whether each layer trains.
        layer_range: the names of the first and last layer to show.
    """
    write = print_fn or print
    chain = _is_chain(model)
    line_length = line_length or (65 if chain else 98)
    fractions = list(positions or ([0.45, 0.85, 1.0] if chain else [0.33, 0.55, 0.67, 1.0]))
    if show_trainable and positions is None:
        fractions = [f * 0.88 for f in fractions] + [1.0]
    stops = [int(f * line_length) if f <= 1 else int(f) for f in fractions]
    header = ["Layer (type)", "Output Shape", "Param #"] + ([] if chain else ["Connected to"])
    header += ["Trainable"] if show_trainable else []
    write(f'Model: "{model.name}"')
    write("_" * line_length)
    write(_line(header, stops))
    write("=" * line_length)
    rows = list(_rows(model, chain, show_trainable, expand_nested, layer_range))
    for i, row in enumerate(rows):
        for line in row:
            write(_line(line, stops))
        write(("=" if i == len(rows) - 1 else "_") * line_length)
    total = sum(v.array.size for v in model.variables)
    trainable = sum(v.array.size for v in model.trainable_variables)
    write(f"Total params: {total:,}")
    write(f"Trainable params: {trainable:,}")
    write(f"Non-trainable params: {total - trainable:,}")
    write("_" * line_length)


def _is_chain(model: Model) -> bool:
    """True when each layer is called once, on what the layer before it gave."""
    if not hasattr(model, "layer_graph"):
        return True
    calls = model.layer_graph.calls
    users: dict[int, int] = {}
    for call in calls:
        if len(call.input_tensors) > 1 or len(call.output_tensors) > 1:
            return False
        for tensor in call.input_tensors:
            users[id(tensor)] = users.get(id(tensor), 0) + 1
    one_call_each = len({id(c.layer) for c in calls}) == len(calls)
    return one_call_each and all(n == 1 for n in users.values()) and len(model.inputs) == 1  # type: ignore[attr-defined]


def _rows(
    model: Model, chain: bool, show_trainable: bool, expand_nested: bool, layer_range: Sequence[str] | None
) -> list[list[list[str]]]:
    rows: list[list[list[str]]] = []
    # (model, layer, depth), in order; nested models put theirs in front of what is left.
    todo: list[tuple[Any, Layer, int]] = [(model, layer, 0) for layer in _shown(model, layer_range)]
    while todo:
        owner, layer, depth = todo.pop(0)
        first = [" " * (2 * depth) + f"{layer.name} ({type(layer).__name__})", _shape(owner, layer), _params(layer)]
        sources = [] if chain else _connections(owner, layer)
        lines = [first + ([] if chain else [sources[0] if sources else ""])]
        lines += [["", "", "", source] for source in sources[1:]]
        if show_trainable:
            lines[0].append("Y" if layer.trainable else "N")
        rows.append(lines)
        if expand_nested and hasattr(layer, "layers"):
            todo[:0] = [(layer, inner, depth + 1) for inner in _shown(layer, None)]
    return rows


def _shown(model: Any, layer_range: Sequence[str] | None) -> list[Layer]:
    layers: list[Layer] = getattr(model, "operations", model.layers)
    if layer_range is None:
        return layers
    names = [layer.name for layer in layers]
    missing = [n for n in layer_range if n not in names]
    if len(layer_range) != 2 or missing:
        raise ArgumentError(f"`layer_range` must hold the names of two layers of the model; got {list(layer_range)}.")
    first, last = (names.index(n) for n in layer_range)
    return layers[min(first, last) : max(first, last) + 1]


def _shape(model: Model, layer: Layer) -> str:
    calls = _calls(model, layer)
    if not calls:
        return "?"
    shapes = map_structure(lambda t: t.shape, calls[0].outputs)
    # An input layer's shape stands in brackets, as in the guides.
    return f"[{shapes}]" if isinstance(layer, InputLayer) else str(shapes)


def _calls(model: Model, layer: Layer) -> list[LayerCall]:
    if hasattr(model, "layer_graph"):
        calls: list[LayerCall] = model.layer_graph.calls_of(layer)
        return calls
    return layer.inbound_nodes


def _params(layer: Layer) -> str:
    return f"{sum(v.array.size for v in layer.variables):,}".replace(",", "") if layer.built else "0 (unbuilt)"


def _connections(model: Model, layer: Layer) -> list[str]:
    found = []
    for call in _calls(model, layer):
        for tensor in flatten(call.input_tensors):
            assert tensor.call is not None
            index = _calls(model, tensor.call.layer).index(tensor.call)
            found.append(f"{tensor.call.layer.name}[{index}][{tensor.index}]")
    return found


def _line(cells: Sequence[str], stops: Sequence[int]) -> str:
    """Cells cut to their columns."""
    text = ""
    for cell, stop in zip(cells, stops, strict=False):
        width = stop - len(text) - 1  # at least one blank between columns
        text = (text + cell[: max(width, 0)]).ljust(stop)
    return text
