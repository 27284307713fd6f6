"""How a model shows itself in a notebook: its summary as a table, with the drawing to unfold below it."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError, MissingDependencyError
from graphc.plotting.options import PlotOptions
from graphc.plotting.plot import picture_bytes
from graphc.plotting.svg import escaped
from graphc.summary import Row, summary_rows, totals

MOST_ROWS = 60
MOST_BOXES, MOST_ARROWS = 200, 400
"""A notebook draws a model each time that its name ends a cell: what takes long is left to `plot_model`."""

_CELL = "text-align: left; padding: 2px 12px 2px 0"


def model_svg(model: Any) -> str | None:
    """The drawing of a model; None when it is not built, large or tangled, or when the layout package is missing."""
    if not model.built or len(model.layers) > MOST_BOXES or _connections(model) > MOST_ARROWS:
        return None
    try:
        return picture_bytes(model, "svg", PlotOptions(show_shapes=True, show_layer_names=True)).decode()
    except (MissingDependencyError, ArgumentError):  # a cell that ends with the model's name did not ask for a drawing
        return None


def _connections(model: Any) -> int:
    return sum(len(call.input_tensors) for call in model.layer_graph.calls) if hasattr(model, "layer_graph") else 0


def model_html(model: Any) -> str:
    """The table of a model's layers, the numbers of its parameters, and its drawing."""
    rows = summary_rows(model)
    body = "".join(map(_table_row, rows[:MOST_ROWS]))
    if len(rows) > MOST_ROWS:
        body += f'<tr><td style="{_CELL}" colspan="4">… {len(rows) - MOST_ROWS:,} more</td></tr>'
    captions = ("Layer (type)", "Output shape", "Params", "Connected to")
    head = "".join(f'<th style="{_CELL}">{caption}</th>' for caption in captions)
    counts = "<br>".join(map(escaped, totals(model)))
    svg = model_svg(model)
    drawing = f"<details><summary>Drawing</summary>{svg}</details>" if svg is not None else ""
    return (
        f'<div class="graphc-model"><b>{escaped(type(model).__name__)} “{escaped(model.name)}”</b>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><div>{counts}</div>{drawing}</div>"
    )


def _table_row(row: Row) -> str:
    cells = (row.name, row.shape, row.params, ", ".join(row.sources))
    return "<tr>" + "".join(f'<td style="{_CELL}">{escaped(cell)}</td>' for cell in cells) + "</tr>"
