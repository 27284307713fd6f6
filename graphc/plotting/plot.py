"""`plot_model`: a model's layers as a picture file, and `model_to_dot`: as text for Graphviz."""

from __future__ import annotations

import os
from typing import Any

from graphc.atomic import atomic_write
from graphc.errors import ArgumentError
from graphc.plotting.options import PlotOptions, check_drawable

FORMATS = {"png": "png", "svg": "svg", "dot": "dot", "gv": "dot", "html": "html", "htm": "html"}
"""The endings of files, and what is written into them."""


class Picture:
    """A file that `plot_model` wrote; a notebook shows it.

    Attributes:
        path: where the file is.
        format: ``png``, ``svg``, ``dot`` or ``html``.
        data: what is in the file.
    """

    def __init__(self, path: str, format: str, data: bytes) -> None:
        self.path = path
        self.format = format
        self.data = data

    def _repr_png_(self) -> bytes | None:
        return self.data if self.format == "png" else None

    def _repr_svg_(self) -> str | None:
        return self.data.decode() if self.format == "svg" else None

    def _repr_html_(self) -> str | None:
        if self.format != "html":
            return None
        from html import escape

        # In a frame of its own, where the page's script and style touch nothing of the notebook's.
        page = escape(self.data.decode(), quote=True)
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts" style="width: 100%; height: 600px; border: 0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Picture {self.path!r}, {len(self.data):,} bytes>"


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Picture:
    """Draw a model into a file: ``.png``, ``.svg``, ``.html`` (a page to look around in) or ``.dot``.

    No program but Python is needed; ``pip install "graphc[plot]"`` brings the packages that are.

    Args:
        model: a built model. One that is no graph of layers (a subclass) is drawn as one box.
        to_file: where to; a path without an ending gets a PNG.
        show_shapes: show the shapes of inputs and outputs.
        show_dtype: show the dtype of outputs.
        show_layer_names: show the layers' names.
        rankdir: the direction of the arrows: ``TB``, ``BT``, ``LR`` or ``RL``.
        expand_nested: draw nested models as frames around their layers.
        dpi: pixels per inch of a PNG.
        show_layer_activations: show the activations of layers that have one.
        show_trainable: show whether the layers with weights train.
        splines: how arrows run: ``ortho``, ``polyline``, ``line``, ``spline`` or ``curved``.

    Returns:
        An object that a notebook shows as the picture.

    Raises:
        ArgumentError: an argument or the file's ending is unknown, or the picture would be too large.
        NotBuiltError: the model is not built.
        CheckpointError: the file cannot be written.
        MissingDependencyError: a package for drawing is not installed.
    """
    check_drawable(model, kwargs)
    path, format = _target(to_file)
    options = PlotOptions(
        show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, show_layer_activations, show_trainable,
        splines,
    )  # fmt: skip
    data = picture_bytes(model, format, options)
    with atomic_write(path) as file:
        file.write(data)
    return Picture(path, format, data)


def picture_bytes(model: Any, format: str, options: PlotOptions) -> bytes:
    """The content of a picture file of one of the `FORMATS`."""
    from graphc.plotting.diagram import diagram_of

    diagram = diagram_of(model, options)
    if format == "dot":
        from graphc.plotting.dot import dot_of

        return dot_of(diagram, options).to_string().encode()
    from graphc.plotting.paint import paint

    if format == "png":
        from graphc.plotting.png import PillowFace, pillow, png_bytes

        pillow()  # before the work of the layout
        return png_bytes(paint(diagram, PillowFace(options.dpi), options), options.dpi)
    from graphc.plotting.typeface import Helvetica

    drawing = paint(diagram, Helvetica(), options)
    if format == "svg":
        from graphc.plotting.svg import svg_text

        return svg_text(drawing).encode()
    from graphc.plotting.page import html_page

    return html_page(diagram, drawing).encode()


def _target(to_file: Any) -> tuple[str, str]:
    """The path, and the format that its ending stands for."""
    try:
        path = os.fspath(to_file)
    except TypeError:
        raise ArgumentError(f"`to_file` must be the path of a file; got {to_file!r:.60}.") from None
    if not isinstance(path, str):
        raise ArgumentError(f"`to_file` must be text or a pathlib.Path; got {path!r:.60}.")
    ending = os.path.splitext(path)[1][1:].lower()
    if not ending:
        return path, "png"
    if ending not in FORMATS:
        raise ArgumentError(
            f"`to_file` got {path!r}: no picture of kind .{ending} can be written; use .{', .'.join(FORMATS)}."
        )
    return path, FORMATS[ending]


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """A model in Graphviz's DOT language; ``str()`` of the result, or its ``to_string()``, is the text.

    Args:
        model: a built model.
        subgraph: give a ``subgraph`` to put into another graph, instead of a ``digraph``.

    The other arguments are those of `plot_model`.
    """
    from graphc.plotting.diagram import diagram_of
    from graphc.plotting.dot import dot_of

    check_drawable(model, kwargs)
    options = PlotOptions(
        show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, show_layer_activations, show_trainable,
        splines,
    )  # fmt: skip
    return dot_of(diagram_of(model, options), options, subgraph)
