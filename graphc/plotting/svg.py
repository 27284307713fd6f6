"""A drawing as SVG: text, with tooltips, of the same size wherever it is shown."""

from __future__ import annotations

from html import escape

from graphc.plotting.layout import Point
from graphc.plotting.shapes import Arrow, Drawing, Panel, Piece, Words, head_of, rounded

_FONTS = "Helvetica, Arial, 'Liberation Sans', sans-serif"


def svg_text(drawing: Drawing) -> str:
    """The SVG document."""
    width, height = _number(drawing.width), _number(drawing.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}" '
        f'font-family="{_FONTS}" role="img">',
        f"<title>{escaped(drawing.title)}</title>",
        f'<rect width="{width}" height="{height}" fill="{drawing.background}"/>',
    ]
    for piece in drawing.pieces:
        lines += _piece(piece)
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as it may stand in XML and HTML, in an element or in a quoted attribute."""
    # XML has no way to write control characters, and lone surrogates cannot be encoded.
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return escape(clean, quote=True)


def _piece(piece: Piece) -> list[str]:
    attributes = f' class="box" data-box="{piece.box}" tabindex="0"' if piece.box is not None else ""
    lines = [f"<g{attributes}>"]
    if piece.title:
        lines.append(f"<title>{escaped(piece.title)}</title>")
    for shape in piece.shapes:
        lines += _shape(shape)
    return [*lines, "</g>"]


def _shape(shape: Panel | Words | Arrow) -> list[str]:
    if isinstance(shape, Panel):
        return [_panel(shape)]
    if isinstance(shape, Words):
        # `textLength` makes a viewer with another font fit the text into the place that was measured for it.
        return [
            f'<text x="{_number(shape.x)}" y="{_number(shape.y)}" font-size="{_number(shape.size)}" '
            f'fill="{shape.color}" textLength="{_number(shape.width)}" lengthAdjust="spacingAndGlyphs" '
            f'xml:space="preserve">{escaped(shape.text)}</text>'
        ]
    return _arrow(shape)


def _panel(panel: Panel) -> str:
    x, y, width, height = panel.at
    line = f'stroke="{panel.line}" stroke-width="{_number(panel.line_width)}"' if panel.line else ""
    look = f'fill="{panel.fill or "none"}"' + (f" {line}" if line else "")
    r = min(panel.radius, width / 2, height / 2)
    if panel.round_top:
        place = " ".join(f'{k}="{_number(v)}"' for k, v in (("x", x), ("y", y), ("width", width), ("height", height)))
        return f'<rect {place} rx="{_number(r)}" {look}/>'
    n = _number
    way = (
        f"M{n(x)} {n(y)}H{n(x + width)}V{n(y + height - r)}Q{n(x + width)} {n(y + height)} {n(x + width - r)} "
        f"{n(y + height)}H{n(x + r)}Q{n(x)} {n(y + height)} {n(x)} {n(y + height - r)}Z"
    )
    return f'<path d="{way}" {look}/>'


def _arrow(arrow: Arrow) -> list[str]:
    tip, left, right = head_of(arrow)
    middle = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    corners = (*arrow.corners[:-1], middle)  # the line ends in the head, so that the tip stays sharp
    way = f"M{_at(corners[0])}"
    for start, corner, end in rounded(corners, arrow.radius):
        way += f"L{_at(start)}Q{_at(corner)} {_at(end)}"
    way += f"L{_at(corners[-1])}"
    return [
        f'<path d="{way}" fill="none" stroke="{arrow.color}" stroke-width="{_number(arrow.line_width)}"/>',
        f'<path d="M{_at(tip)}L{_at(left)}L{_at(right)}Z" fill="{arrow.color}"/>',
    ]


def _at(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    """Two places are finer than any screen; trailing zeros and ``-0`` are noise."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
