"""What stands in the box of a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.layers.input_layer import InputLayer
from graphc.layers.layer import Layer
from graphc.layers.symbolic import LayerCall
from graphc.plotting.options import PlotOptions
from graphc.structure import flatten, map_structure, ordered_keys
from graphc.summary import class_name_of

MOST_LINES = 12
"""A layer that joins a hundred tensors shows this many shapes and the number of the others."""

LONGEST_TEXT = 64
"""Longer texts lose their middle; the whole is in the tooltip of an SVG or HTML drawing."""


@dataclass(frozen=True)
class Label:
    """The texts of one box.

    Attributes:
        class_name: the layer's class.
        name: the layer's name; empty when names are not shown.
        rows: pairs of a caption and what it says, one or several lines.
        trainable: whether the layer trains; None when that is not shown or the layer has no weights.
    """

    class_name: str
    name: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    trainable: bool | None


def label_of(layer: Layer, calls: Sequence[LayerCall], options: PlotOptions) -> Label:
    """The label of a layer, given its calls in the model that is drawn."""
    rows: list[tuple[str, tuple[str, ...]]] = []
    if options.show_shapes:
        if not isinstance(layer, InputLayer):
            rows.append(("Input", call_texts([call.inputs for call in calls], lambda t: str(t.shape))))
        rows.append(("Output", call_texts([call.outputs for call in calls], lambda t: str(t.shape))))
    if options.show_dtype:
        rows.append(("Dtype", dtypes(calls)))
    activation = getattr(layer, "activation", None)
    if options.show_layer_activations and activation is not None:
        rows.append(("Activation", (cut(activation_name(activation)),)))
    return Label(
        class_name=cut(class_name_of(layer)),
        name=cut(layer.name) if options.show_layer_names else "",
        rows=tuple(rows),
        trainable=layer.trainable if options.show_trainable and layer.variables else None,
    )


def call_texts(structures: Sequence[Any], text: Callable[[Any], str]) -> tuple[str, ...]:
    """One line for each tensor of a call; when calls differ, one line for each call."""
    calls = [_lines(structure, text) for structure in structures]
    if not calls:
        return ("?",)
    if all(lines == calls[0] for lines in calls):
        return _short(calls[0])
    return _short([f"call {i}: {', '.join(lines)}" for i, lines in enumerate(calls)])


def dtypes(calls: Sequence[LayerCall]) -> tuple[str, ...]:
    """The dtypes of a layer's outputs, one line if there is only one."""
    found = {t.dtype for call in calls for t in call.output_tensors}
    return tuple(found) if len(found) == 1 else call_texts([call.outputs for call in calls], lambda t: str(t.dtype))


def activation_name(activation: Any) -> str:
    """An activation's name: of a layer its own, of a function the function's."""
    for attribute in ("name", "__name__"):
        name = getattr(activation, attribute, None)
        if isinstance(name, str):
            return name
    return type(activation).__name__


def cut(text: str) -> str:
    """A text without its middle if it is longer than a box should be wide."""
    half = LONGEST_TEXT // 2
    return text if len(text) <= LONGEST_TEXT else f"{text[:half]}…{text[-half + 1 :]}"


def _lines(structure: Any, text: Callable[[Any], str]) -> list[str]:
    if isinstance(structure, dict):
        return [f"{key}: {_inline(structure[key], text)}" for key in ordered_keys(structure)]
    if isinstance(structure, list | tuple):
        return [_inline(item, text) for item in structure] or ["none"]
    return [text(structure)]


def _inline(item: Any, text: Callable[[Any], str]) -> str:
    if not isinstance(item, list | tuple | dict):
        return text(item)
    return str(map_structure(text, item)).replace("'", "") if flatten(item) else "none"


def _short(lines: Sequence[str]) -> tuple[str, ...]:
    shown = [cut(line) for line in lines[:MOST_LINES]]
    return (*shown, f"… {len(lines) - MOST_LINES} more") if len(lines) > MOST_LINES else tuple(shown)
