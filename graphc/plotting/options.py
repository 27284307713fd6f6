"""The arguments of `plot_model` and `model_to_dot`, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.errors import ArgumentError, NotBuiltError, did_you_mean

DIRECTIONS = ("TB", "BT", "LR", "RL")
SPLINES = ("ortho", "polyline", "line", "spline", "curved")


@dataclass(frozen=True)
class PlotOptions:
    """What a drawing shows; the names are Keras's.

    Attributes:
        show_shapes: the shapes of each layer's inputs and outputs.
        show_dtype: the dtype of each layer's outputs.
        show_layer_names: names beside the class names.
        rankdir: which way the edges run: top to bottom (``TB``), ``BT``, ``LR`` or ``RL``.
        expand_nested: draw nested models as frames around their layers.
        dpi: pixels per inch of a PNG; a drawing is measured in points, 72 to the inch.
        show_layer_activations: the activation of layers that have one.
        show_trainable: whether the layers with weights train.
        splines: how edges run: ``ortho`` at right angles, the others by straight (``polyline``, ``line``) or smooth
            (``spline``, ``curved``) ways.
    """

    show_shapes: bool = False
    show_dtype: bool = False
    show_layer_names: bool = False
    rankdir: str = "TB"
    expand_nested: bool = False
    dpi: float = 200
    show_layer_activations: bool = False
    show_trainable: bool = False
    splines: str = "ortho"

    def __post_init__(self) -> None:
        if self.rankdir not in DIRECTIONS:
            raise ArgumentError(f"`rankdir` must be one of {', '.join(DIRECTIONS)}; got {self.rankdir!r}.")
        if self.splines not in SPLINES:
            raise ArgumentError(f"`splines` got {self.splines!r}.{did_you_mean(self.splines, SPLINES)}")
        if isinstance(self.dpi, bool) or not isinstance(self.dpi, int | float) or not 0 < self.dpi < float("inf"):
            raise ArgumentError(f"`dpi` must be a positive number of pixels per inch; got {self.dpi!r}.")


def check_drawable(model: Any, rest: dict[str, Any]) -> None:
    """Refuse what cannot be drawn, and arguments that nobody takes.

    Raises:
        ArgumentError: no model, or an unknown argument.
        NotBuiltError: the model's layers are not connected yet.
    """
    from graphc.model import Model

    if not isinstance(model, Model):
        raise ArgumentError(f"A drawing needs a Model; got {type(model).__name__}.")
    if rest.pop("layer_range", None) is not None:
        raise ArgumentError("`layer_range` is no longer supported; draw a Model of the part that you want to see.")
    if rest:
        raise ArgumentError(f"Unrecognized keyword arguments: {rest}")
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has not been built yet, so there is nothing to draw. Start it with an Input, call "
            "`build(input_shape)`, or call it on a batch of data."
        )
