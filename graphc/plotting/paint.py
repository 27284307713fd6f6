"""The look of a drawing: sizes, colours and places of everything in a box. A writer turns the result into a file."""

from __future__ import annotations

from graphc.plotting.diagram import Box, Diagram, Frame
from graphc.plotting.layout import FRAME_PADDING, Placed, Rectangle, lay_out
from graphc.plotting.options import PlotOptions
from graphc.plotting.shapes import Arrow, Drawing, Panel, Piece, Words
from graphc.plotting.typeface import Typeface

MARGIN = 16.0
HEADER_SIZE, HEADER_HEIGHT = 12.0, 24.0
ROW_SIZE, ROW_HEIGHT, BODY_PADDING = 10.0, 14.0, 6.0
SIDE, CAPTION_GAP, NAME_GAP = 10.0, 10.0, 7.0
FRAME_SIZE = 10.0
BASELINE = 0.35
"""How far below the middle of a line its baseline is, as a part of the size."""

INK, QUIET, EDGE, PAPER = "#1f2933", "#5f6c7b", "#52606d", "#ffffff"
FRAME_LINE, FRAME_FILL = "#b6c2cf", ("#f5f7fa", "#ffffff")
YES, NO = "#1b7a3d", "#b42318"

# Header and line of a box by the module of the layer's class: layers of one kind are recognised at a glance.
_BLUE, _ORANGE, _RED = ("#d6e8fb", "#6ca6dd"), ("#fde3cf", "#e39a5f"), ("#fbd9d7", "#dd7f79")
_GREEN, _VIOLET, _YELLOW = ("#d5f0e0", "#62b485"), ("#e6dcf8", "#9c80d6"), ("#fbf0c9", "#d2b048")
_PINK, _GREY, _INDIGO = ("#f9dcec", "#d67fae"), ("#e4e7eb", "#9aa5b1"), ("#dfe3f5", "#8390cf")
_KINDS: tuple[tuple[tuple[str, str], str], ...] = (
    (_GREY, "input_layer"),
    (_BLUE, "core einsum_dense embedding"),
    (_ORANGE, "convolution depthwise_convolution separable_convolution transposed_convolution"),
    (_RED, "pooling global_pooling adaptive_pooling upsampling"),
    (_GREEN, "merging dot operation"),
    (_VIOLET, "recurrent simple_rnn lstm gru conv_lstm recurrent_cells stacked_cells bidirectional time_distributed"),
    (_VIOLET, "attention multi_head_attention grouped_query_attention"),
    (_YELLOW, "normalization group_normalization layer_normalization unit_normalization spectral_normalization"),
    (_PINK, "activation_layers"),
    (_INDIGO, "functional sequential model"),
)
_COLORS = {module: color for color, modules in _KINDS for module in modules.split()}
_OTHER_COLOR = ("#e3ecec", "#8aa6a6")


def color_of(cls: type) -> tuple[str, str]:
    """The colours of a layer class's header and line; layers of the user's own have those of all other layers."""
    package, _, module = cls.__module__.rpartition(".")
    return _COLORS.get(module, _OTHER_COLOR) if package in ("graphc", "graphc.layers") else _OTHER_COLOR


def paint(diagram: Diagram, typeface: Typeface, options: PlotOptions) -> Drawing:
    """Measure, place and colour a diagram."""
    sizes = [_size(box, typeface) for box in diagram.boxes]
    frame_widths = [_frame_width(frame, typeface, options) for frame in diagram.frames]
    placed = lay_out(diagram, sizes, frame_widths, options)
    fills = [FRAME_FILL[depth % 2] for depth in _depths(diagram.frames)]
    frames = list(zip(diagram.frames, map(_moved, placed.frames), fills, strict=True))
    pieces = [
        Piece((Panel(at, 8.0, fill=fill, line=FRAME_LINE),), title=f"{frame.layer.name} ({type(frame.layer).__name__})")
        for frame, at, fill in frames
    ]
    pieces.append(_arrows(placed, options))
    pieces += [_frame_title(frame, at, fill, typeface, options) for frame, at, fill in frames]
    pieces += [
        _box(number, box, _moved(at), typeface)
        for number, (box, at) in enumerate(zip(diagram.boxes, placed.boxes, strict=True))
    ]
    return Drawing(diagram.title, placed.width + 2 * MARGIN, placed.height + 2 * MARGIN, PAPER, tuple(pieces))


def _moved(at: Rectangle) -> Rectangle:
    return (at[0] + MARGIN, at[1] + MARGIN, at[2], at[3])


def _depths(frames: list[Frame]) -> list[int]:
    """How many frames are around each; a frame comes behind the one that it is in."""
    depths: list[int] = []
    for frame in frames:
        depths.append(0 if frame.parent is None else depths[frame.parent] + 1)
    return depths


def _rows(box: Box) -> list[tuple[str, str, str]]:
    """Caption, text and colour of each line of a box."""
    rows = [(caption if i == 0 else "", line, INK) for caption, lines in box.label.rows for i, line in enumerate(lines)]
    if box.label.trainable is not None:
        rows.append(("Trainable", "yes", YES) if box.label.trainable else ("Trainable", "no", NO))
    return rows


def _caption_width(box: Box, typeface: Typeface) -> float:
    return max((typeface.width(caption, ROW_SIZE) for caption, _, _ in _rows(box)), default=0.0) + CAPTION_GAP


def _size(box: Box, typeface: Typeface) -> tuple[float, float]:
    label, rows = box.label, _rows(box)
    header = typeface.width(label.class_name, HEADER_SIZE)
    if label.name:
        header += typeface.width(label.name, HEADER_SIZE) + NAME_GAP
    body = max((typeface.width(text, ROW_SIZE) for _, text, _ in rows), default=0.0)
    if rows:
        body += _caption_width(box, typeface)
    height = HEADER_HEIGHT + (len(rows) * ROW_HEIGHT + 2 * BODY_PADDING if rows else 0.0)
    return max(header, body, 60.0) + 2 * SIDE, height


def _box(number: int, box: Box, at: Rectangle, typeface: Typeface) -> Piece:
    x, y, width, height = at
    fill, line = color_of(type(box.layer))
    rows = _rows(box)
    shapes: list[Panel | Words | Arrow] = [Panel(at, 5.0, fill=fill)]
    if rows:
        body = (x, y + HEADER_HEIGHT, width, height - HEADER_HEIGHT)
        shapes.append(Panel(body, 5.0, fill=PAPER, round_top=False))
    shapes.append(Panel(at, 5.0, line=line))
    shapes += _header(box, at, typeface)
    indent = _caption_width(box, typeface)
    for i, (caption, text, color) in enumerate(rows):
        middle = y + HEADER_HEIGHT + BODY_PADDING + (i + 0.5) * ROW_HEIGHT
        baseline = middle + BASELINE * ROW_SIZE
        if caption:
            shapes.append(_words(x + SIDE, baseline, caption, ROW_SIZE, QUIET, typeface))
        shapes.append(_words(x + SIDE + indent, baseline, text, ROW_SIZE, color, typeface))
    return Piece(tuple(shapes), title=f"{box.layer.name} ({box.label.class_name})", box=number)


def _header(box: Box, at: Rectangle, typeface: Typeface) -> list[Words]:
    """The name in ink and the class in grey, or the class alone in ink, in the middle of the box's top."""
    label = box.label
    parts = [(label.name, INK), (label.class_name, QUIET)] if label.name else [(label.class_name, INK)]
    widths = [typeface.width(text, HEADER_SIZE) for text, _ in parts]
    left = at[0] + (at[2] - sum(widths) - NAME_GAP * (len(parts) - 1)) / 2
    baseline = at[1] + HEADER_HEIGHT / 2 + BASELINE * HEADER_SIZE
    words = []
    for (text, color), width in zip(parts, widths, strict=True):
        words.append(_words(left, baseline, text, HEADER_SIZE, color, typeface))
        left += width + NAME_GAP
    return words


def _frame_width(frame: Frame, typeface: Typeface, options: PlotOptions) -> float:
    """What the title needs. Arrows enter in the middle, which the title leaves free when they come from above."""
    title = typeface.width(frame.title, FRAME_SIZE) + 2 * FRAME_PADDING
    return 2 * title if options.rankdir in ("TB", "BT") else title


def _frame_title(frame: Frame, at: Rectangle, fill: str, typeface: Typeface, options: PlotOptions) -> Piece:
    x, y, _, height = at
    # The layout leaves room for the title at the frame's top, which is its bottom in a mirror image.
    middle = y + height - FRAME_SIZE if options.rankdir == "BT" else y + FRAME_SIZE + 2.0
    title = _words(x + FRAME_PADDING, middle + BASELINE * FRAME_SIZE, frame.title, FRAME_SIZE, QUIET, typeface)
    # An arrow that enters beside the middle all the same goes behind the title.
    behind = Panel((title.x - 3.0, middle - FRAME_SIZE / 2, title.width + 6.0, FRAME_SIZE), 2.0, fill=fill)
    return Piece((behind, title))


def _arrows(placed: Placed, options: PlotOptions) -> Piece:
    radius = 24.0 if options.splines in ("spline", "curved") else 5.0
    return Piece(
        tuple(
            Arrow(tuple((x + MARGIN, y + MARGIN) for x, y in corners), radius, EDGE, 1.2, 7.0)
            for corners in placed.arrows
        )
    )


def _words(x: float, y: float, text: str, size: float, color: str, typeface: Typeface) -> Words:
    return Words(x, y, text, size, color, typeface.width(text, size))
