"""A drawing as PNG, by Pillow, with the typeface that Pillow brings along: no fonts need be installed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from typing import Any

from graphc.errors import ArgumentError, MissingDependencyError
from graphc.plotting.layout import Point
from graphc.plotting.shapes import Arrow, Drawing, Panel, Words, head_of, rounded

POINTS_PER_INCH = 72
MOST_PIXELS = 100_000_000
LONGEST_SIDE = 65_500
"""What common viewers still open, and what can be made in a few hundred megabytes."""

_FINER = 3
"""Shapes are drawn so many times larger and then averaged, which makes slanted and round lines smooth."""
_BAND = 512
"""Pixel rows that are drawn at a time, so that the larger picture is never held as a whole."""
_CURVE_STEPS = 6

# For letters that Pillow's own typeface lacks: the first of these that is installed and has the letter.
_SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "Arial Unicode.ttf",
    "arial.ttf",
    "segoeui.ttf",
    "msyh.ttc",
)


def pillow() -> Any:
    """The modules Image, ImageDraw and ImageFont of Pillow.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise MissingDependencyError(
            'A .png file needs the package Pillow: pip install "graphc[plot]". A .svg file does without it.'
        ) from None
    return Image, ImageDraw, ImageFont


class PillowFace:
    """Pillow's own typeface, with other installed ones for the letters that it lacks.

    Args:
        dpi: of the picture. The letters of a small text take whole pixels, so its width depends on it.
    """

    def __init__(self, dpi: float) -> None:
        self._scale = dpi / POINTS_PER_INCH

    def width(self, text: str, size: float) -> float:
        """The width of a line of text, in the unit of ``size``."""
        pixels = sum(_font(name, size * self._scale).getlength(part) for name, part in runs(text))
        return pixels / self._scale  # type: ignore[no-any-return]


def png_bytes(drawing: Drawing, dpi: float) -> bytes:
    """The PNG file.

    Raises:
        ArgumentError: the picture would be too large to make or to open.
    """
    image_module, _, _ = pillow()
    scale = dpi / POINTS_PER_INCH
    width, height = (max(1, round(side * scale)) for side in (drawing.width, drawing.height))
    _check_size(drawing, width, height, dpi)
    image = image_module.new("RGB", (width, height), drawing.background)
    bands = _shapes_by_band(drawing, scale, height)
    for number, shapes in enumerate(bands):
        top = number * _BAND
        rows = min(_BAND, height - top)
        image.paste(_band(shapes, drawing.background, width, rows, top, scale), (0, top))
    _write_words(image, drawing, scale)
    file = io.BytesIO()
    image.save(file, "PNG", dpi=(dpi, dpi), optimize=False)
    return file.getvalue()


def _check_size(drawing: Drawing, width: int, height: int, dpi: float) -> None:
    shrink = min(1.0, LONGEST_SIDE / max(width, height), (MOST_PIXELS / (width * height)) ** 0.5)
    if shrink < 1.0:
        raise ArgumentError(
            f"The picture of model {drawing.title!r} would be {width:,} x {height:,} pixels at dpi={dpi:g}. Write a .svg or "
            f".html file, which has no such limit, or give dpi={max(1, int(dpi * shrink))}."
        )


def _shapes_by_band(drawing: Drawing, scale: float, height: int) -> list[list[Panel | Arrow]]:
    bands: list[list[Panel | Arrow]] = [[] for _ in range(-(-height // _BAND))]
    for piece in drawing.pieces:
        for shape in piece.shapes:
            if isinstance(shape, Words):
                continue
            low, high = _rows_of(shape)
            first, last = int(low * scale) // _BAND, int(high * scale) // _BAND
            for band in bands[max(first, 0) : last + 1]:
                band.append(shape)
    return bands


def _rows_of(shape: Panel | Arrow) -> tuple[float, float]:
    """The rows that a shape touches, with room for its line."""
    if isinstance(shape, Panel):
        return shape.at[1] - shape.line_width, shape.at[1] + shape.at[3] + shape.line_width
    rows = [y for _, y in shape.corners]
    return min(rows) - shape.head, max(rows) + shape.head


def _band(shapes: list[Panel | Arrow], background: str, width: int, rows: int, top: int, scale: float) -> Any:
    image_module, draw_module, _ = pillow()
    large = image_module.new("RGB", (width * _FINER, rows * _FINER), background)
    draw = draw_module.Draw(large)
    fine = scale * _FINER

    def place(point: Point) -> Point:
        return point[0] * fine, point[1] * fine - top * _FINER

    for shape in shapes:
        if isinstance(shape, Panel):
            _draw_panel(draw, shape, place, fine)
        else:
            _draw_arrow(draw, shape, place, fine)
    return large.resize((width, rows), image_module.Resampling.BOX)


def _draw_panel(draw: Any, panel: Panel, place: Any, fine: float) -> None:
    x, y, width, height = panel.at
    half = panel.line_width / 2 if panel.line else 0.0  # Pillow draws lines inside a rectangle, SVG on its edge
    left, top = place((x - half, y - half))
    right, bottom = place((x + width + half, y + height + half))
    draw.rounded_rectangle(
        (left, top, right - 1, bottom - 1),
        radius=(panel.radius + half) * fine,
        fill=panel.fill,
        outline=panel.line,
        width=max(1, round(panel.line_width * fine)) if panel.line else 0,
        corners=(panel.round_top, panel.round_top, True, True),
    )


def _draw_arrow(draw: Any, arrow: Arrow, place: Any, fine: float) -> None:
    tip, left, right = head_of(arrow)
    middle = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    way = list(_flattened((*arrow.corners[:-1], middle), arrow.radius))
    draw.line([place(p) for p in way], fill=arrow.color, width=max(1, round(arrow.line_width * fine)), joint="curve")
    draw.polygon([place(p) for p in (tip, left, right)], fill=arrow.color)


def _flattened(corners: tuple[Point, ...], radius: float) -> Iterator[Point]:
    """A way with rounded corners as short straight lines."""
    yield corners[0]
    for start, corner, end in rounded(corners, radius):
        for step in range(_CURVE_STEPS + 1):
            t = step / _CURVE_STEPS
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
            yield a * start[0] + b * corner[0] + c * end[0], a * start[1] + b * corner[1] + c * end[1]
    yield corners[-1]


def _write_words(image: Any, drawing: Drawing, scale: float) -> None:
    _, draw_module, _ = pillow()
    draw = draw_module.Draw(image)
    for piece in drawing.pieces:
        for words in piece.shapes:
            if not isinstance(words, Words):
                continue
            x = words.x * scale
            for name, part in runs(words.text):
                font = _font(name, words.size * scale)
                draw.text((x, words.y * scale), part, fill=words.color, font=font, anchor="ls")
                x += font.getlength(part)


def runs(text: str) -> list[tuple[str, str]]:
    """A text as parts that one typeface can write: pairs of a font's name (empty for Pillow's own) and the part.

    A letter that no font has is written as its code, so that nothing is lost: ``\\u4e2d``.
    """
    parts: list[tuple[str, str]] = []
    for character in text:
        name = _font_with(character)
        shown = character if name is not None else character.encode("ascii", "backslashreplace").decode()
        name = name or ""
        if parts and parts[-1][0] == name:
            parts[-1] = (name, parts[-1][1] + shown)
        else:
            parts.append((name, shown))
    return parts


@cache
def _font(name: str, size: float) -> Any:
    _, _, font_module = pillow()
    return font_module.truetype(name, size) if name else font_module.load_default(size)


@cache
def _installed() -> tuple[str, ...]:
    """Pillow's own typeface (the empty name) and those of the list that this machine has."""
    _, _, font_module = pillow()
    found = [""]
    for name in _SYSTEM_FONTS:
        try:
            font_module.truetype(name, 20)
        except OSError:
            continue  # not installed
        found.append(name)
    return tuple(found)


@cache
def _font_with(character: str) -> str | None:
    """The first font that has a letter; None when none has."""
    if " " <= character <= "~":
        return ""
    if not character.isprintable():
        return None
    for name in _installed():
        font = _font(name, 40.0)
        # A font shows the same box for every letter that it lacks; U+FFFF is no letter in any.
        if bytes(font.getmask(character)) != bytes(font.getmask("\uffff")):
            return name
    return None
