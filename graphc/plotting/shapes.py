"""What a drawing is made of, in points (72 to the inch) from the top left corner. The writers know nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.plotting.layout import Point, Rectangle


@dataclass(frozen=True)
class Panel:
    """A rectangle with round corners (of all four, or of the bottom only), filled, with a line around it, or both."""

    at: Rectangle
    radius: float
    fill: str | None = None
    line: str | None = None
    line_width: float = 1.0
    round_top: bool = True


@dataclass(frozen=True)
class Words:
    """A line of text that starts at ``x`` with its baseline at ``y``; ``width`` is what the typeface measured."""

    x: float
    y: float
    text: str
    size: float
    color: str
    width: float


@dataclass(frozen=True)
class Arrow:
    """A way through corners, rounded with ``radius``, with a head of length ``head`` at its end."""

    corners: tuple[Point, ...]
    radius: float
    color: str
    line_width: float
    head: float


@dataclass(frozen=True)
class Piece:
    """The shapes that belong together: a box, a frame or the arrows. ``title`` is what a tooltip says."""

    shapes: tuple[Panel | Words | Arrow, ...]
    title: str = ""
    box: int | None = None


@dataclass(frozen=True)
class Drawing:
    """Pieces, those behind first."""

    title: str
    width: float
    height: float
    background: str
    pieces: tuple[Piece, ...]


def rounded(corners: tuple[Point, ...], radius: float) -> list[tuple[Point, Point, Point]]:
    """Where a way turns: for each inner corner the points at which the curve starts and ends, and the corner between.

    The curve takes at most half of the shorter side, so that the curves of two corners do not overlap.
    """
    turns = []
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        turns.append((_towards(corner, before, radius), corner, _towards(corner, after, radius)))
    return turns


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    share = min(distance / length, 0.5) if length else 0.0
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def head_of(arrow: Arrow) -> tuple[Point, Point, Point]:
    """The triangle at the end of an arrow: its tip and the two corners of its base."""
    tip = arrow.corners[-1]
    # The last corner that is not the tip itself gives the direction.
    start = next((p for p in reversed(arrow.corners) if p != tip), (tip[0], tip[1] - 1.0))
    dx, dy = tip[0] - start[0], tip[1] - start[1]
    length = (dx * dx + dy * dy) ** 0.5
    dx, dy = dx / length * arrow.head, dy / length * arrow.head
    base, half = (tip[0] - dx, tip[1] - dy), 0.38
    return tip, (base[0] - dy * half, base[1] + dx * half), (base[0] + dy * half, base[1] - dx * half)
