"""``model.summary()``: the layers as a table, in the guides' form.

Behaviour (which layers, what counts, ``layer_range``, one call of ``print_fn``) is Keras 3's. A text that is too long for
its column goes on in the next line; nothing is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import ArgumentError, GraphcError, did_you_mean
from graphc.layers.input_layer import InputLayer
from graphc.layers.layer import Layer
from graphc.layers.operation import Operation, operation_class_name
from graphc.layers.symbolic import LayerCall
from graphc.structure import map_structure
from graphc.text_table import columns, framed, lines_of, moved, rules, wrapped

if TYPE_CHECKING:
    from graphc.model import Model


@dataclass(frozen=True)
class Row:
    """A layer in the table.

    Attributes:
        depth: how many nested models are around it.
        name: its name and, in brackets, its class.
        shape: of its output; ``?`` when that is unknown.
        params: how many numbers its weights hold.
        sources: what it is connected to: layer, number of its call, number of its output.
        trainable: ``Y`` or ``N``; ``-`` for a layer without weights.
        opens: True for a nested model whose layers follow.
    """

    depth: int
    name: str
    shape: str
    params: str
    sources: tuple[str, ...]
    trainable: str
    opens: bool


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
        line_length: characters in a line; 65 for a chain of layers, else 98, and 12 more with ``show_trainable``.
        positions: where each column ends, as fractions of the line (or in characters, if above 1).
        print_fn: called once, with the whole text; ``print`` by default.
        expand_nested: show the layers of nested models too.
        show_trainable: a column that says whether each layer trains.
        layer_range: the first and the last layer to show: names, or regular expressions that match from the start
            of a name. The first layer that matches the first and the last that matches the second are meant.

    Raises:
        ArgumentError: the columns are too narrow, or ``layer_range`` names no layers.
    """
    rows = summary_rows(model, expand_nested, layer_range)
    with_sources = not all(_is_chain(m) for m in _models_shown(model, expand_nested))
    line_length, stops = columns(line_length, positions, with_sources, show_trainable)
    header = ["Layer (type)", "Output Shape", "Param #"]
    header += (["Connected to"] if with_sources else []) + (["Trainable"] if show_trainable else [])
    lines = [
        f'Model: "{model.name}"',
        "_" * line_length,
        *lines_of([[cell] for cell in header], stops),
        "=" * line_length,
    ]
    for i, row in enumerate(rows):
        cells = [[row.name], [row.shape], [row.params]]
        cells += ([list(row.sources)] if with_sources else []) + ([[row.trainable]] if show_trainable else [])
        lines += framed(lines_of(cells, moved(stops, row.depth)), row.depth, line_length)
        following = rows[i + 1].depth if i + 1 < len(rows) else 0
        lines += rules(row.depth, row.opens, following, i == len(rows) - 1, line_length)
    lines += [piece for text in totals(model) for piece in wrapped(text, line_length)]
    lines.append("_" * line_length)
    (print_fn or print)("\n".join(lines))


def summary_rows(model: Model, expand_nested: bool = False, layer_range: Sequence[str] | None = None) -> list[Row]:
    """The rows of the table; those of nested models follow the model's own."""
    rows: list[Row] = []
    # (model, its calls by layer, layer, depth), the next one last; nested models put theirs on top.
    todo = _entries(model, 0, layer_range)
    expanded = {id(model)}
    while todo:
        calls, layer, depth = todo.pop()
        inner = _entries(layer, depth + 1) if expand_nested and id(layer) not in expanded else []
        expanded.add(id(layer))  # a model that two others share is shown once
        rows.append(_row(calls.get(id(layer), layer.inbound_nodes), layer, depth, opens=bool(inner)))
        todo += inner
    return rows


def totals(model: Model) -> list[str]:
    """The lines below the table: numbers of parameters and what they take in memory."""
    trainable = {id(v): v.array for v in model.trainable_variables}
    other = [v.array for v in model.variables if id(v) not in trainable]
    optimizer = getattr(model, "optimizer", None)
    slots = [v.array for v in optimizer.variables] if optimizer is not None and optimizer.built else []
    counted = [("Trainable params", list(trainable.values())), ("Non-trainable params", other)]
    if slots:
        counted.append(("Optimizer params", slots))
    lines = [_total("Total params", [array for _, arrays in counted for array in arrays])]
    lines += [_total(caption, arrays) for caption, arrays in counted]
    if not model.built:
        lines.append(
            "The model is not built: shapes and parameters are known once it is called on data, or once "
            "`build(input_shape)` ran."
        )
    return lines


def class_name_of(layer: Layer) -> str:
    """The class that the table gives for a layer; for a call of `graphc.ops` the op's, as in Keras."""
    return operation_class_name(layer.function) if isinstance(layer, Operation) else type(layer).__name__


# -- which layers ---------------------------------------------------------------------------------------------------------


def _entries(
    model: Any, depth: int, layer_range: Sequence[str] | None = None
) -> list[tuple[dict[int, list[LayerCall]], Layer, int]]:
    """A model's layers with its calls, the first layer last, as a stack takes them."""
    calls: dict[int, list[LayerCall]] = {}
    if hasattr(model, "layer_graph"):
        for call in sorted(model.layer_graph.calls, key=lambda call: call.index):
            calls.setdefault(id(call.layer), []).append(call)
    return [(calls, layer, depth) for layer in reversed(_in_range(_layers(model), layer_range))]


def _layers(owner: Any) -> list[Layer]:
    """The layers inside a model, or inside a layer that holds a list of them in ``layers``."""
    found = getattr(owner, "operations", None) or getattr(owner, "layers", None)
    return [item for item in found if isinstance(item, Layer)] if isinstance(found, list | tuple) else []


def _in_range(layers: list[Layer], layer_range: Sequence[str] | None) -> list[Layer]:
    if layer_range is None:
        return layers
    if isinstance(layer_range, str) or len(layer_range) != 2 or not all(isinstance(n, str) for n in layer_range):
        raise ArgumentError(
            f"`layer_range` must hold two names of layers (or regular expressions); got {layer_range!r:.80}."
        )
    first, last = (_matches(layers, name) for name in layer_range)
    low, high = min(first), max(last)
    if low > high:  # given the other way round
        low, high = min(last), max(first)
    return layers[low : high + 1]


def _matches(layers: list[Layer], wanted: str) -> list[int]:
    """The places of the layer of that name, else of those whose names the expression matches."""
    names = [layer.name for layer in layers]
    if wanted in names:
        return [names.index(wanted)]
    try:
        found = [i for i, name in enumerate(names) if re.match(wanted, name)]
    except re.error as error:
        raise ArgumentError(f"`layer_range` got {wanted!r}, which is no regular expression: {error}.") from None
    if not found:
        raise ArgumentError(
            f"`layer_range` got {wanted!r}, which no layer's name matches.{did_you_mean(wanted, names)}"
        )
    return found


def _models_shown(model: Any, expand_nested: bool) -> list[Any]:
    """The model and, when they are shown, all models inside it, each once."""
    found: dict[int, Any] = {}
    todo = [model]
    while todo:
        item = todo.pop()
        if id(item) not in found:
            found[id(item)] = item
            todo += _layers(item) if expand_nested else []
    return list(found.values())


def _is_chain(model: Any) -> bool:
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
    return one_call_each and all(n == 1 for n in users.values()) and len(model.inputs) == 1


# -- what is said of a layer ----------------------------------------------------------------------------------------------


def _row(calls: list[LayerCall], layer: Layer, depth: int, opens: bool) -> Row:
    variables = layer.variables
    return Row(
        depth=depth,
        name=f"{layer.name} ({class_name_of(layer)})",
        shape=_shape(calls, layer),
        params=str(sum(v.array.size for v in variables)) if layer.built else "0 (unbuilt)",
        sources=tuple(_source(tensor) for call in calls for tensor in call.input_tensors),
        trainable=("Y" if layer.trainable else "N") if variables else "-",
        opens=opens,
    )


def _shape(calls: list[LayerCall], layer: Layer) -> str:
    if calls:
        # The calls of a shared layer may differ.
        shapes = dict.fromkeys(str(map_structure(lambda t: t.shape, call.outputs)) for call in calls)
        text = " | ".join(shapes)
        return f"[{text}]" if isinstance(layer, InputLayer) else text  # in brackets, as in the guides
    built_for = getattr(layer, "_build_shapes", None)
    if not built_for:
        return "?"
    try:
        return str(layer.compute_output_shape(*built_for))
    except (GraphcError, TypeError):  # `call` takes more than the tensors whose shapes `build` got
        return "?"


def _source(tensor: Any) -> str:
    call = tensor.call
    return f"{call.layer.name}[{call.index}][{tensor.index}]" if call is not None else tensor.name


def _total(caption: str, arrays: Sequence[np.ndarray[Any, Any]]) -> str:
    return f"{caption}: {sum(a.size for a in arrays):,} ({_memory(sum(a.nbytes for a in arrays))})"


def _memory(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"
