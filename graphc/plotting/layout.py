"""Where boxes, frames and arrows go: a layered (Sugiyama) layout with orthogonal edges, by the package graphlay.

graphlay is a Rust library in a wheel of its own. It takes nested frames, keeps arrows off boxes and always gives
the same answer to the same question, which is what a drawing kept beside its source wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.errors import ArgumentError, MissingDependencyError
from graphc.plotting.diagram import Diagram
from graphc.plotting.options import PlotOptions

MOST_BOXES = 10_000
"""More than this nobody can look at; a drawing of 3,000 boxes takes about a second."""

LAYER_GAP, BOX_GAP, FRAME_PADDING, FRAME_HEADER = 26.0, 24.0, 12.0, 16.0

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]
"""Left, top, width, height."""

# An arrow past the boxes of other layers is led through a waypoint in each: their number is what the work grows with.
# Moving ports apart and repairing overlaps changed none of the drawings that were compared, and takes minutes when
# hundreds of arrows lie side by side.
_UNTOUCHED_PORTS = {"port_relax_rounds": 0, "overlap_repair_rounds": 0}
_CAREFUL: dict[str, Any] = {"limits": {"max_dummies": 600}, "tuning": {"routing": _UNTOUCHED_PORTS}}
_QUICK: dict[str, Any] = {
    "effort": "fast",
    "limits": {"max_dummies": 25_000},
    "tuning": {
        "routing": _UNTOUCHED_PORTS,
        "coords": {
            "simplex_max_nodes": 0,
            "flatten_room": 0,
            "branch_rounds": 0,
            "snap_rounds": 0,
            "main_path_room": 0,
        },
    },
}

_DIRECTIONS = {"TB": "topbottom", "BT": "topbottom", "LR": "leftright", "RL": "leftright"}


@dataclass(frozen=True)
class Placed:
    """Rectangles of the boxes and frames and the corners of the arrows, in points from the top left corner."""

    width: float
    height: float
    boxes: tuple[Rectangle, ...]
    frames: tuple[Rectangle, ...]
    arrows: tuple[tuple[Point, ...], ...]


def lay_out(
    diagram: Diagram, sizes: Sequence[tuple[float, float]], frame_widths: Sequence[float], options: PlotOptions
) -> Placed:
    """Place a diagram.

    Args:
        diagram: what to place.
        sizes: width and height of each box.
        frame_widths: what the title of each frame needs.
        options: the direction, and how arrows run.

    Raises:
        ArgumentError: too many boxes, or arrows across too many others, to look at.
        MissingDependencyError: graphlay is not installed.
    """
    if len(sizes) > MOST_BOXES:
        raise ArgumentError(
            f"Model {diagram.title!r} has {len(sizes):,} layers to draw, and {MOST_BOXES:,} are the most. Draw a Model of "
            "a part of it, leave `expand_nested` off, or write a .dot file, which needs no layout."
        )
    drawing = _run_engine(diagram, _graph(diagram, sizes, frame_widths), _engine_options(options))
    low, high = drawing.bounds["min"], drawing.bounds["max"]
    width, height = high["x"] - low["x"], high["y"] - low["y"]
    # The engine knows two directions; the other two are their mirror images.
    mirror_x, mirror_y = options.rankdir == "RL", options.rankdir == "BT"

    def point(at: dict[str, float]) -> Point:
        x, y = at["x"] - low["x"], at["y"] - low["y"]
        return (width - x if mirror_x else x, height - y if mirror_y else y)

    def rectangle(node: dict[str, Any]) -> Rectangle:
        (x, y), size = point(node["center"]), node["size"]
        return (x - size["width"] / 2, y - size["height"] / 2, size["width"], size["height"])

    placed = [rectangle(node) for node in drawing.nodes]
    arrows = tuple(tuple(point(corner) for corner in edge["points"]) for edge in drawing.edges)
    return Placed(width, height, tuple(placed[: len(sizes)]), tuple(placed[len(sizes) :]), arrows)


def _engine() -> Any:
    try:
        import graphlay
    except ImportError:
        raise MissingDependencyError(
            'Drawing a model needs the layout package graphlay: pip install "graphc[plot]" (a .dot file needs nothing).'
        ) from None
    return graphlay


def _run_engine(diagram: Diagram, graph: dict[str, Any], options: dict[str, Any]) -> Any:
    """The engine's answer, with care where that is quick, else with less."""
    engine = _engine()
    for effort in (_CAREFUL, _QUICK):
        try:
            return engine.layout(graph, options={**options, **effort})
        except engine.GraphlayError as error:
            if "limit is" not in str(error):
                raise
    raise ArgumentError(
        f"Model {diagram.title!r} has {len(diagram.arrows):,} arrows, so many of them across many layers that no drawing of "
        "it could be read. Draw a Model of a part of it, or write a .dot file, which needs no layout."
    )


def _graph(diagram: Diagram, sizes: Sequence[tuple[float, float]], frame_widths: Sequence[float]) -> dict[str, Any]:
    """The diagram in the engine's terms: boxes first, then frames as the parents of what is in them."""

    def node(width: float, height: float, parent: int | None) -> dict[str, Any]:
        inside = {} if parent is None else {"parent": len(sizes) + parent}
        return {"size": {"width": width, "height": height}, "shape": "box", **inside}

    boxes = [node(*size, box.frame) for size, box in zip(sizes, diagram.boxes, strict=True)]
    frames = [
        node(width, FRAME_HEADER, frame.parent) for width, frame in zip(frame_widths, diagram.frames, strict=True)
    ]
    edges = [{"source": source, "target": target} for source, target in diagram.arrows]
    return {"nodes": boxes + frames, "edges": edges}


def _engine_options(options: PlotOptions) -> dict[str, Any]:
    return {
        "direction": _DIRECTIONS[options.rankdir],
        "routing": {"style": "orthogonal" if options.splines == "ortho" else "diagonal"},
        "spacing": {
            "layer_gap": LAYER_GAP,
            "node_gap": BOX_GAP,
            "isolated_gap": BOX_GAP,
            "dummy_gap": 16.0,
            "port_gap": 12.0,
            "compound_padding": FRAME_PADDING,
            "compound_header": FRAME_HEADER,
        },
    }
