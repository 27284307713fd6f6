"""Lines of a table for a terminal: columns, texts that go on in the next line, and frames around nested rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from graphc.errors import ArgumentError

NARROWEST = 4
"""A column must hold this many characters, as in Keras."""

MOST_BARS = 6
"""Nested layers stand between as many bars as models are around them; deeper ones between a bar and a number."""


def columns(
    line_length: int | None, positions: Sequence[float] | None, with_sources: bool, show_trainable: bool
) -> tuple[int, list[int]]:
    """The length of a line, and where each column ends."""
    fractions = list(positions or ([0.33, 0.55, 0.67, 1.0] if with_sources else [0.45, 0.85, 1.0]))
    length = line_length or (98 if with_sources else 65) + 12 * show_trainable
    wanted = 3 + with_sources + show_trainable
    if show_trainable and len(fractions) < wanted:
        fractions = [f * 0.88 if f <= 1 else f for f in fractions] + [1.0]
    if len(fractions) < wanted:
        raise ArgumentError(f"`positions` must say where {wanted} columns end; got {list(positions or ())}.")
    stops = [int(f * length) if f <= 1 else int(f) for f in fractions[:wanted]]
    widths = [stop - start for start, stop in zip([0, *stops], stops, strict=False)]
    if min(widths) < NARROWEST:
        raise ArgumentError(
            f"The table's columns would be {widths} characters wide, and {NARROWEST} are the least. Give a longer "
            "`line_length` or other `positions`."
        )
    return length, stops


def lines_of(cells: Sequence[Sequence[str]], stops: Sequence[int]) -> list[str]:
    """The cells of a row below their headers; one that is too long, or has several texts, takes several lines."""
    starts = [0, *stops]
    pieces = [
        [piece for text in texts for piece in wrapped(text, max(stop - start - 1, 1))]
        for texts, start, stop in zip(cells, starts, stops, strict=False)
    ]
    lines = []
    for i in range(max(map(len, pieces))):
        line = ""
        for column, stop in zip(pieces, stops, strict=False):
            line = padded(line + (column[i] if i < len(column) else ""), stop)
        lines.append(line)
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """A text in pieces of at most ``width`` places, parted at blanks where there are any."""
    pieces, piece = [], ""
    for word in re.findall(r"\S+\s*|\s+", text):
        if piece and places(piece + word.rstrip()) > width:
            pieces.append(piece.rstrip())
            piece = ""
        piece += word
        while places(piece.rstrip()) > width:
            kept = _fitting(piece, width)
            pieces.append(piece[:kept])
            piece = piece[kept:]
    return [*pieces, piece.rstrip()] if piece.strip() or not pieces else pieces


def _fitting(text: str, width: int) -> int:
    """How many characters of a text fit, at least one."""
    used = 0
    for i, character in enumerate(text):
        used += places(character)
        if used > width:
            return max(i, 1)
    return len(text)


def places(text: str) -> int:
    """How many places a text takes on a terminal: two for each Chinese letter, none for an accent."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, width: int) -> str:
    """A text with blanks behind it, up to ``width`` places."""
    return text + " " * (width - places(text))


def _bars(depth: int) -> str:
    return "|" * depth if depth <= MOST_BARS else f"|{depth}|"


def moved(stops: Sequence[int], depth: int) -> list[int]:
    """The columns of nested layers, narrower by the bars at both ends; the first and the last give way."""
    if not depth:
        return list(stops)
    bars = len(_bars(depth))
    return [*(max(stop - bars - 1, NARROWEST) for stop in stops[:-1]), stops[-1] - 2 * bars - 1]


def framed(lines: Sequence[str], depth: int, line_length: int) -> list[str]:
    """Lines between the bars of the models around them."""
    if not depth:
        return list(lines)
    bars = _bars(depth)
    return [f"{padded(f'{bars} {line}', line_length - len(bars))}{bars}" for line in lines]


def rules(depth: int, opens: bool, following: int, last: bool, line_length: int) -> list[str]:
    """The lines between a row and the next: a nested model opens and closes with a line as wide as its frame."""
    bars = _bars(depth)
    if opens:
        return [f"{bars}|{'¯' * (line_length - 2 * len(bars) - 2)}|{bars}"]
    closing = []
    for level in range(depth - 1, following - 1, -1):
        around = _bars(level)
        closing.append(around + "¯" * (line_length - 2 * len(around)) + around)
    if last:
        return [*closing, "=" * line_length]
    if closing or not depth:
        return closing or ["_" * line_length]
    return framed(["_" * (line_length - 2 * len(bars) - 1)], depth, line_length)
