"""Drawings: which boxes and arrows (as Keras draws them), where they are, and what is in the files."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError, CheckpointError, MissingDependencyError, NotBuiltError
from graphc.plotting import png
from graphc.plotting.diagram import Diagram, diagram_of
from graphc.plotting.dot import quoted
from graphc.plotting.layout import Placed
from graphc.plotting.options import PlotOptions
from graphc.plotting.paint import _COLORS, color_of, paint
from graphc.plotting.shapes import Arrow, Drawing, Panel, Words
from graphc.plotting.typeface import Helvetica
from graphc.utils import model_to_dot, plot_model

ALL = {
    "show_shapes": True,
    "show_dtype": True,
    "show_layer_names": True,
    "show_layer_activations": True,
    "show_trainable": True,
}

# --- models ------------------------------------------------------------------------------------------------------------


def ticket() -> Any:
    title, body, tags = (
        graphc.Input((100,), name="title"),
        graphc.Input((200,), name="body"),
        graphc.Input((12,), name="tags"),
    )
    features = [layers.Dense(128, name="tf", activation="relu")(title), layers.Dense(32, name="bf")(body), tags]
    x = layers.Concatenate(name="cat")(features)
    outputs = [layers.Dense(1, name="priority")(x), layers.Dense(4, name="department")(x)]
    return graphc.Model([title, body, tags], outputs, name="ticket")


def autoencoder() -> Any:
    image = graphc.Input((28, 28, 1), name="original_img")
    encoded = layers.GlobalMaxPooling2D(name="gp")(layers.Conv2D(16, 3, activation="relu", name="c1")(image))
    encoder = graphc.Model(image, encoded, name="encoder")
    code = graphc.Input((16,), name="encoded_img")
    decoder = graphc.Model(
        code, layers.Conv2D(8, 3, name="c2")(layers.Reshape((4, 4, 1), name="rs")(code)), name="decoder"
    )
    inputs = graphc.Input((28, 28, 1), name="img")
    return graphc.Model(inputs, decoder(encoder(inputs)), name="autoencoder")


def siamese() -> Any:
    a, b = graphc.Input((5,), name="a"), graphc.Input((5,), name="b")
    shared, own = layers.Dense(7, name="shared"), layers.Dense(5, name="self")
    return graphc.Model([a, b], layers.Subtract(name="sub")([shared(a), shared(own(own(b)))]), name="siamese")


def sequential(name: str = "seq") -> Any:
    parts = [graphc.Input((6,)), layers.Dense(4, name="s1"), layers.Dense(3, name="s2")]
    return graphc.Sequential(parts, name=name)


def with_sequential() -> Any:
    x = graphc.Input((6,), name="x")
    return graphc.Model(x, layers.Dense(2, name="end")(sequential()(x)), name="withseq")


def nested_sequential() -> Any:
    parts = [graphc.Input((6,)), layers.Dense(6, name="q1"), sequential(), layers.Dense(3, name="q2")]
    return graphc.Sequential(parts, name="outerseq")


def twice() -> Any:
    p, q = graphc.Input((3,), name="p"), graphc.Input((4,), name="q")
    two = graphc.Model([p, q], [layers.Dense(3, name="op")(q), layers.Dense(4, name="oq")(p)], name="two")
    u, v = graphc.Input((3,), name="u"), graphc.Input((4,), name="v")
    first = two([u, v])
    second = two([first[0], first[1]])
    return graphc.Model([u, v], layers.Concatenate(name="cc")([second[1], first[0]]), name="twice")


def outer_shared() -> Any:
    both, inner = layers.Dense(4, name="both"), graphc.Input((4,), name="ni")
    nested = graphc.Model(inner, layers.ReLU(name="nr")(both(inner)), name="nm")
    o = graphc.Input((4,), name="o")
    return graphc.Model(o, nested(both(o)), name="outer_shared")


def ops_model() -> Any:
    w = graphc.Input((4,), name="w")
    return graphc.Model(w, layers.Dense(2, name="od")(w * 2 + w), name="opsmodel")


def by_name() -> Any:
    p, q = graphc.Input((3,), name="p"), graphc.Input((4,), name="q")
    inner = graphc.Model({"p": p, "q": q}, layers.Concatenate(name="c")([q, p]), name="inner")
    u, v = graphc.Input((3,), name="u"), graphc.Input((4,), name="v")
    return graphc.Model([u, v], inner({"q": v, "p": u}), name="by_name")


def nested(depth: int) -> Any:
    model = None
    for k in range(depth):
        inputs = graphc.Input((4,), name=f"in{k}")
        x = layers.Dense(4, name=f"d{k}")(inputs)
        model = graphc.Model(inputs, x if model is None else model(x), name=f"level{k}")
    return model


def residual(blocks: int) -> Any:
    inputs = graphc.Input((32,), name="x")
    x: Any = inputs
    for k in range(blocks):
        y = layers.BatchNormalization(name=f"norm{k}")(layers.Dense(32, activation="relu", name=f"a{k}")(x))
        x = layers.Add(name=f"add{k}")([x, layers.Dense(32, name=f"b{k}")(y)])
    return graphc.Model(inputs, x, name="residual")


def chain(length: int) -> Any:
    inputs = graphc.Input((4,))
    x: Any = inputs
    for _ in range(length):
        x = layers.ReLU()(x)
    return graphc.Model(inputs, x, name="chain")


class Subclassed(graphc.Model):
    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.dense = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)


# --- the diagram ---------------------------------------------------------------------------------------------------------

# (model, expand_nested, boxes in order with the frames around them, arrows). The answers are those of Keras 3.15.1's
# `model_to_dot`, read from pydot's graph; but the last two are ours: Keras draws an arrow from a layer that has no box
# into the nested Sequential, and refuses the dict in another order.
DIAGRAMS: list[tuple[Callable[[], Any], bool, str, str]] = [
    (
        ticket, False, "title body tf bf tags cat priority department",
        "bf>cat body>bf cat>department cat>priority tags>cat tf>cat title>tf",
    ),
    (
        autoencoder, True, "img encoder/original_img encoder/c1 encoder/gp decoder/encoded_img decoder/rs decoder/c2",
        "c1>gp encoded_img>rs gp>encoded_img img>original_img original_img>c1 rs>c2",
    ),
    (autoencoder, False, "img encoder decoder", "encoder>decoder img>encoder"),
    (siamese, False, "b self a shared sub", "a>shared b>self self>self self>shared shared>sub"),
    (with_sequential, True, "x end seq/s1 seq/s2", "s1>s2 s2>end x>s1"),
    (sequential, False, "s1 s2", "s1>s2"),
    (
        twice, True, "u v cc two/q two/p two/op two/oq",
        "op>cc op>p oq>cc oq>q p>oq q>op u>p v>q",
    ),
    (outer_shared, True, "o both nm/ni nm/nr", "both>ni both>nr ni>both o>both"),
    (ops_model, False, "w multiply add od", "add>od multiply>add w>add w>multiply"),
    (
        lambda: nested(4), True,
        "in3 d3 level2/in2 level2/d2 level2/level1/in1 level2/level1/d1 level2/level1/level0/in0 level2/level1/level0/d0",
        "d1>in0 d2>in1 d3>in2 in0>d0 in1>d1 in2>d2 in3>d3",
    ),
    (nested_sequential, True, "q1 q2 seq/s1 seq/s2", "q1>s1 s1>s2 s2>q2"),
    (by_name, True, "u v inner/q inner/p inner/c", "p>c q>c u>p v>q"),
]  # fmt: skip


def paths(diagram: Diagram) -> list[str]:
    found = []
    for box in diagram.boxes:
        path, frame = [box.layer.name], box.frame
        while frame is not None:
            path.insert(0, diagram.frames[frame].title)
            frame = diagram.frames[frame].parent
        found.append("/".join(path))
    return found


@pytest.mark.parametrize(("build", "expand", "boxes", "arrows"), DIAGRAMS)
def test_boxes_and_arrows_are_those_of_keras(build: Callable[[], Any], expand: bool, boxes: str, arrows: str) -> None:
    graphc.utils.clear_session()
    diagram = diagram_of(build(), PlotOptions(expand_nested=expand))
    assert paths(diagram) == boxes.split()
    names = [box.layer.name for box in diagram.boxes]
    assert sorted(f"{names[a]}>{names[b]}" for a, b in diagram.arrows) == arrows.split()


def test_a_subclassed_model_is_one_box() -> None:
    model = Subclassed()
    model(np.zeros((2, 5), np.float32))
    diagram = diagram_of(model, PlotOptions())
    assert [box.label.class_name for box in diagram.boxes] == ["Subclassed"]
    assert not diagram.arrows


def test_the_tail_of_a_model_has_no_arrow_from_before_its_input() -> None:
    x = graphc.Input((4,), name="c0")
    h1 = layers.Dense(5, name="h1")(x)
    diagram = diagram_of(graphc.Model(h1, layers.Dense(6, name="h2")(h1)), PlotOptions())
    assert len(diagram.boxes) == 2
    assert list(diagram.arrows) == [(0, 1)]


# --- labels --------------------------------------------------------------------------------------------------------------


def rows_of(model: Any, name: str, **options: Any) -> dict[str, tuple[str, ...]]:
    diagram = diagram_of(model, PlotOptions(**options))
    return dict(next(box.label.rows for box in diagram.boxes if box.layer.name == name))


def test_labels_show_what_was_asked_for() -> None:
    model = ticket()
    assert rows_of(model, "cat") == {}
    assert rows_of(model, "cat", show_shapes=True) == {
        "Input": ("(None, 128)", "(None, 32)", "(None, 12)"),
        "Output": ("(None, 172)",),
    }
    assert rows_of(model, "title", show_shapes=True) == {"Output": ("(None, 100)",)}
    assert rows_of(model, "tf", show_dtype=True, show_layer_activations=True) == {
        "Dtype": ("float32",),
        "Activation": ("relu",),
    }
    assert rows_of(model, "cat", show_layer_activations=True) == {}
    model.get_layer("tf").trainable = False
    boxes = {box.layer.name: box.label for box in diagram_of(model, PlotOptions(show_trainable=True)).boxes}
    assert (boxes["tf"].trainable, boxes["bf"].trainable, boxes["cat"].trainable) == (False, True, None)
    assert {label.name for label in boxes.values()} == {""}


def test_calls_of_a_shared_layer_with_other_shapes_are_told_apart() -> None:
    short, long, relu = graphc.Input((3,)), graphc.Input((8,)), layers.ReLU(name="r")
    model = graphc.Model([short, long], layers.Concatenate()([relu(short), relu(long)]))
    assert rows_of(model, "r", show_shapes=True)["Input"] == ("call 0: (None, 3)", "call 1: (None, 8)")
    same = siamese()
    assert rows_of(same, "shared", show_shapes=True)["Output"] == ("(None, 7)",)


def test_a_layer_with_many_inputs_shows_a_dozen() -> None:
    inputs = [graphc.Input((k + 1,)) for k in range(40)]
    model = graphc.Model(inputs, layers.Concatenate(name="c")(inputs))
    lines = rows_of(model, "c", show_shapes=True)["Input"]
    assert lines[:2] == ("(None, 1)", "(None, 2)")
    assert lines[-1] == "… 28 more" and len(lines) == 13


# --- places --------------------------------------------------------------------------------------------------------------

GEOMETRY = [
    (build, expand, rankdir)
    for build, expand in [(d[0], d[1]) for d in DIAGRAMS] + [(lambda: residual(15), False)]
    for rankdir in ("TB", "LR", "BT", "RL")
]

Rectangle = tuple[float, float, float, float]


def drawn(model: Any, **options: Any) -> tuple[Diagram, Drawing]:
    settings = PlotOptions(**options)
    diagram = diagram_of(model, settings)
    return diagram, paint(diagram, Helvetica(), settings)


def overlap(a: Rectangle, b: Rectangle) -> bool:
    """True when two rectangles share more than their edges."""
    return (
        a[0] < b[0] + b[2] - 0.1 and b[0] < a[0] + a[2] - 0.1 and a[1] < b[1] + b[3] - 0.1 and b[1] < a[1] + a[3] - 0.1
    )


def inside(inner: Rectangle, outer: Rectangle) -> bool:
    return (
        inner[0] >= outer[0] - 0.1
        and inner[1] >= outer[1] - 0.1
        and inner[0] + inner[2] <= outer[0] + outer[2] + 0.1
        and inner[1] + inner[3] <= outer[1] + outer[3] + 0.1
    )


def text_box(words: Words) -> Rectangle:
    return (words.x, words.y - 0.8 * words.size, words.width, words.size)


@pytest.mark.parametrize(("build", "expand", "rankdir"), GEOMETRY)
def test_nothing_overlaps_and_nothing_is_cut(build: Callable[[], Any], expand: bool, rankdir: str) -> None:
    diagram, drawing = drawn(build(), expand_nested=expand, rankdir=rankdir, **ALL)
    whole = (0.0, 0.0, drawing.width, drawing.height)
    boxes: dict[int, Rectangle] = {}
    frames: list[Rectangle] = []
    arrows: list[Arrow] = []
    titles: list[Words] = []
    for piece in drawing.pieces:
        panels = [shape for shape in piece.shapes if isinstance(shape, Panel)]
        words = [shape for shape in piece.shapes if isinstance(shape, Words)]
        arrows += [shape for shape in piece.shapes if isinstance(shape, Arrow)]
        if piece.box is not None:
            boxes[piece.box] = panels[0].at
            assert all(inside(text_box(w), panels[0].at) for w in words)
            assert not any(overlap(text_box(a), text_box(b)) for a, b in itertools.combinations(words, 2))
        elif panels and piece.title:
            frames.append(panels[0].at)
        elif words:
            titles += words
    assert sorted(boxes) == list(range(len(diagram.boxes)))
    assert all(inside(r, whole) for r in [*boxes.values(), *frames])
    assert not any(overlap(a, b) for a, b in itertools.combinations(boxes.values(), 2))
    for number, box in enumerate(diagram.boxes):
        for frame, at in enumerate(frames):
            if frame in around(diagram, box.frame):
                assert inside(boxes[number], at)
            else:
                assert not overlap(boxes[number], at)
    for title, frame_at in zip(titles, frames, strict=True):
        assert inside(text_box(title), frame_at)
        assert not any(overlap(text_box(title), at) for at in boxes.values())
    assert len(arrows) == len(diagram.arrows)
    for (source, target), arrow in zip(diagram.arrows, arrows, strict=True):
        assert on_edge(arrow.corners[0], boxes[source]) and on_edge(arrow.corners[-1], boxes[target])
        for number, box_at in boxes.items():
            crossed = any(overlap(segment(a, b), box_at) for a, b in itertools.pairwise(arrow.corners))
            assert not crossed, f"arrow {source}>{target} crosses box {number}"


def around(diagram: Diagram, frame: int | None) -> Iterator[int]:
    while frame is not None:
        yield frame
        frame = diagram.frames[frame].parent


def segment(a: tuple[float, float], b: tuple[float, float]) -> Rectangle:
    assert a[0] == pytest.approx(b[0]) or a[1] == pytest.approx(b[1]), "an orthogonal arrow has a slanted part"
    return (min(a[0], b[0]) - 0.05, min(a[1], b[1]) - 0.05, abs(a[0] - b[0]) + 0.1, abs(a[1] - b[1]) + 0.1)


def on_edge(point: tuple[float, float], box: Rectangle) -> bool:
    near = (box[0] - 0.1, box[1] - 0.1, box[2] + 0.2, box[3] + 0.2)
    within = near[0] <= point[0] <= near[0] + near[2] and near[1] <= point[1] <= near[1] + near[3]
    distances = (point[0] - box[0], point[0] - box[0] - box[2], point[1] - box[1], point[1] - box[1] - box[3])
    return within and min(map(abs, distances)) < 0.1


@pytest.mark.parametrize(("rankdir", "axis", "sign"), [("TB", 1, 1), ("BT", 1, -1), ("LR", 0, 1), ("RL", 0, -1)])
def test_arrows_run_in_the_direction_asked_for(rankdir: str, axis: int, sign: int) -> None:
    diagram, drawing = drawn(residual(3), rankdir=rankdir)
    boxes = {p.box: p.shapes[0].at for p in drawing.pieces if p.box is not None}  # type: ignore[union-attr]
    for source, target in diagram.arrows:
        assert sign * (boxes[target][axis] - boxes[source][axis]) > 20


@pytest.mark.parametrize("splines", ["ortho", "polyline", "line", "spline", "curved"])
def test_all_ways_of_arrows(splines: str, tmp_path: Path) -> None:
    for ending in ("svg", "png"):
        path = tmp_path / f"{splines}.{ending}"
        plot_model(ticket(), path, splines=splines, dpi=50)
        assert path.stat().st_size > 1000


def test_layers_of_one_kind_have_one_color() -> None:
    class Own(layers.Layer):
        pass

    kinds = [("Dense", "Embedding"), ("Conv2D", "SeparableConv2D"), ("LSTM", "GRU", "Bidirectional"), ("Add", "Dot")]
    colors = [{color_of(getattr(layers, name)) for name in names} for names in kinds]
    assert all(len(found) == 1 for found in colors)
    assert len({color_of(Own), *set.union(*colors)}) == len(kinds) + 1
    known = {
        module for module in _COLORS if f"graphc.layers.{module}" in sys.modules or f"graphc.{module}" in sys.modules
    }
    assert known == set(_COLORS), "colours for modules that are gone"


# --- SVG -----------------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)",
    "a'b",
    "back\\slash",
    "&amp;",
    "{x|y}",
    "]]>",
    "日本語",
    "éñ ü",
    "\\N\\G",
    "<!--<script>",
    "<b>bold",
]


def hostile() -> Any:
    """Models and layers with names that mean something to XML, JavaScript or Graphviz."""
    inputs = graphc.Input((4,), name=HOSTILE[0])
    x: Any = inputs
    for name in HOSTILE[1:]:
        x = layers.ReLU(name=name)(x)
    inner = graphc.Model(inputs, x, name="in ner <&> \\")
    outer = graphc.Input((4,), name="outer")
    return graphc.Model(outer, inner(outer), name='M"<odel> & \\n')


def svg_of(model: Any, tmp_path: Path, **options: Any) -> ElementTree.Element:
    plot_model(model, tmp_path / "m.svg", **options)
    return ElementTree.parse(tmp_path / "m.svg").getroot()


def test_svg_says_everything(tmp_path: Path) -> None:
    root = svg_of(ticket(), tmp_path, **ALL)
    texts = [t.text for t in root.iter(f"{SVG}text")]
    for expected in (
        "title",
        "InputLayer",
        "priority",
        "Concatenate",
        "(None, 172)",
        "float32",
        "relu",
        "Trainable",
        "yes",
    ):
        assert expected in texts
    boxes = [g for g in root.iter(f"{SVG}g") if g.get("class") == "box"]
    assert len(boxes) == 8
    assert boxes[0].find(f"{SVG}title").text == "title (InputLayer)"  # type: ignore[union-attr]
    assert root.find(f"{SVG}title").text == "ticket"  # type: ignore[union-attr]


def test_svg_names_may_hold_anything(tmp_path: Path) -> None:
    root = svg_of(hostile(), tmp_path, show_layer_names=True, expand_nested=True)
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert set(HOSTILE) <= set(texts) and "in ner <&> \\" in texts
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "title", "rect", "g", "text", "path"}


def test_svg_is_the_same_each_time(tmp_path: Path) -> None:
    model = residual(6)
    first = plot_model(model, tmp_path / "a.svg", **ALL)
    second = plot_model(model, tmp_path / "b.svg", **ALL)
    assert first.data == second.data == (tmp_path / "a.svg").read_bytes()


def test_a_long_name_loses_its_middle_but_not_in_the_tooltip(tmp_path: Path) -> None:
    inputs = graphc.Input((4,), name="x" * 300)
    root = svg_of(graphc.Model(inputs, layers.ReLU()(inputs)), tmp_path, show_layer_names=True)
    assert max(len(t.text or "") for t in root.iter(f"{SVG}text")) <= 64
    assert any("x" * 300 in (t.text or "") for t in root.iter(f"{SVG}title"))


def test_widths_are_those_of_a_font_with_helveticas_metrics() -> None:
    image_font = pytest.importorskip("PIL.ImageFont")
    try:
        font = image_font.truetype("LiberationSans-Regular.ttf", 2000)
    except OSError:
        pytest.skip("Liberation Sans is not installed")
    for text in ("conv2d_12 (Conv2D)", "[(None, 28, 28, 1)]", "WAVE iii {|}~@"):
        plain = sum(font.getlength(c) for c in text)  # letter by letter: no kerning
        assert Helvetica().width(text, 2000) == pytest.approx(plain, rel=2e-3)
    assert Helvetica().width("日本", 10) == 20
    assert Helvetica().width("e\u0301", 10) == Helvetica().width("e", 10)


# --- PNG -----------------------------------------------------------------------------------------------------------------


def pixels(data: bytes) -> np.ndarray[Any, Any]:
    image_module = pytest.importorskip("PIL.Image")
    return np.asarray(image_module.open(io.BytesIO(data)).convert("RGB")).astype(int)


@pytest.mark.parametrize("dpi", [50, 100, 200])
def test_png_has_the_size_that_dpi_says(tmp_path: Path, dpi: int) -> None:
    picture = plot_model(residual(2), tmp_path / "m.png", dpi=dpi, **ALL)
    image = pixels(picture.data)
    options = PlotOptions(dpi=dpi, **ALL)
    drawing = paint(diagram_of(residual(2), options), png.PillowFace(dpi), options)
    assert image.shape[:2] == (round(drawing.height * dpi / 72), round(drawing.width * dpi / 72))
    margin = int(12 * dpi / 72)  # nothing reaches into the margin
    for border in (image[:margin], image[-margin:], image[:, :margin], image[:, -margin:]):
        assert (border == 255).all()
    ink = (image.sum(axis=2) < 450).mean()
    assert 0.01 < ink < 0.2
    assert picture.data[:8] == b"\x89PNG\r\n\x1a\n"


def test_png_texts_are_written_where_they_were_measured(tmp_path: Path) -> None:
    """The dark pixels of each header's name lie in the place that the layout gave it, over most of its width."""
    options = PlotOptions(dpi=144, show_layer_names=True)
    drawing = paint(diagram_of(ticket(), options), png.PillowFace(144), options)
    image = pixels(png.png_bytes(drawing, 144)).sum(axis=2)
    for piece in drawing.pieces:
        for words in (s for s in piece.shapes if isinstance(s, Words) and s.color == "#1f2933"):
            top, bottom = int((words.y - words.size) * 2), int((words.y + 0.3 * words.size) * 2)
            left, right = int(words.x * 2), int((words.x + words.width) * 2)
            dark = np.flatnonzero((image[top:bottom, left - 2 : right + 2] < 250).any(axis=0))
            assert dark.min() <= 6 and dark.max() >= right - left - 6


def test_png_is_refused_when_it_would_be_huge(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"pixels at dpi=2000.*\.svg.*give dpi=(\d+)") as caught:
        plot_model(residual(15), tmp_path / "m.png", dpi=2000)
    assert list(tmp_path.iterdir()) == []
    dpi = int(re.findall(r"give dpi=(\d+)", str(caught.value))[0])
    assert 300 < dpi < 2000


def test_letters_that_no_font_has_are_written_as_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "_installed", lambda: ("",))
    png._font_with.cache_clear()
    assert png.runs("a日b") == [("", "a\\u65e5b")]
    png._font_with.cache_clear()


# --- HTML ----------------------------------------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    """The scripts of a page, its policy, and every attribute that could load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.loads: list[tuple[str, str | None]] = []
        self.policy = ""
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [(k, v) for k, v in attrs if k in ("src", "href", "xlink:href", "srcset", "data")]
        self.loads += [(k, v) for k, v in attrs if k.startswith("on")]
        if tag == "script":
            self.scripts.append((given, ""))
            self._in_script = True
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)


@pytest.mark.parametrize("build", [ticket, autoencoder, hostile])
def test_html_is_a_page_on_its_own(build: Callable[[], Any], tmp_path: Path) -> None:
    model = build()
    plot_model(model, tmp_path / "m.html", expand_nested=True, **ALL)
    page = Page((tmp_path / "m.html").read_text(encoding="utf-8"))
    assert page.loads == []
    (data_attributes, data), (code_attributes, code) = page.scripts
    assert data_attributes["type"] == "application/json" and code_attributes == {}
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.policy and "default-src 'none'" in page.policy
    facts = json.loads(data)
    names = [box.layer.name for box in diagram_of(model, PlotOptions(expand_nested=True)).boxes]
    assert [fact["name"] for fact in facts] == names
    captions = {row[0] for fact in facts for row in fact["rows"]}
    assert {"Output shape", "Parameters", "Configuration"} <= captions


def test_html_of_a_layer_without_a_configuration(tmp_path: Path) -> None:
    class Odd(layers.Layer):
        def __init__(self, thing: object) -> None:
            super().__init__(name="odd")
            self.thing = thing

        def call(self, x: Any) -> Any:
            return x

    inputs = graphc.Input((4,))
    plot_model(graphc.Model(inputs, Odd(object())(inputs)), tmp_path / "m.html")
    page = Page((tmp_path / "m.html").read_text(encoding="utf-8"))
    rows = {row[0]: row[1] for row in json.loads(page.scripts[0][1])[1]["rows"]}
    assert rows["Configuration"].startswith("not available")


# --- DOT -----------------------------------------------------------------------------------------------------------------


def test_dot_text() -> None:
    inputs = graphc.Input((3,), name="x")
    inner = graphc.Model(inputs, layers.ReLU(name="r")(inputs), name="inner")
    outer = graphc.Input((3,), name="y")
    dot = model_to_dot(graphc.Model(outer, inner(outer), name="m"), show_shapes=True, rankdir="LR", expand_nested=True)
    head = '<table border="0" cellborder="1" cellspacing="0" cellpadding="6"><tr><td colspan="2" bgcolor="black">'
    assert str(dot) == dot.to_string()
    lines = dot.to_string().splitlines()
    assert lines[0] == 'digraph "m" {'
    assert lines[1] == "  graph [rankdir=LR, splines=ortho, dpi=200, concentrate=true];"
    assert lines[4] == (
        f'  layer_0 [label=<{head}<font color="white"><b>y</b> (InputLayer)</font></td></tr>'
        '<tr><td align="left">Output</td><td align="left">(None, 3)</td></tr></table>>];'
    )
    assert lines[5] == "  subgraph cluster_0 {"
    assert lines[6].startswith('    label="inner";')
    assert lines[9] == "  }"
    assert lines[10:] == ["  layer_0 -> layer_1;", "  layer_1 -> layer_2;", "}"]
    part = str(model_to_dot(ticket(), subgraph=True))
    assert part.startswith('subgraph "cluster_ticket" {') and part.count("->") == 7


def test_dot_names_are_escaped() -> None:
    text = str(model_to_dot(hostile(), expand_nested=True))
    assert text.startswith('digraph "M\\"<odel> & \\\\n" {')
    assert 'label="in ner <&> \\\\";' in text
    labels = re.findall(r"<b>(.*?)</b> \(ReLU\)", text)
    assert labels == [
        "a&#x27;b", "back\\\\slash", "&amp;amp;", "{x|y}", "]]&gt;", "日本語", "éñ ü", "\\\\N\\\\G",
        "&lt;!--&lt;script&gt;", "&lt;b&gt;bold",
    ]  # fmt: skip
    assert quoted('a"b\\"c\n') == '"a\\"b\\\\\\"c\N{REPLACEMENT CHARACTER}"'


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("build", [hostile, ticket, autoencoder, twice, lambda: nested(12)])
def test_graphviz_reads_the_text(build: Callable[[], Any]) -> None:
    model = build()
    text = str(model_to_dot(model, expand_nested=True, **ALL))
    result = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    shown = "".join(ElementTree.fromstring(result.stdout).itertext())
    for box in diagram_of(model, PlotOptions(expand_nested=True)).boxes:
        assert box.layer.name in shown.replace("\xa0", " ")


# --- the function --------------------------------------------------------------------------------------------------------


def test_files_are_what_their_endings_say(tmp_path: Path) -> None:
    model = siamese()
    starts = {
        "a.png": b"\x89PNG",
        "a": b"\x89PNG",
        "a.svg": b"<svg",
        "a.DOT": b"digraph",
        "a.gv": b"digraph",
        "a.htm": b"<!DOC",
    }
    for name, start in starts.items():
        picture = plot_model(model, str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(start)
        assert picture.data == (tmp_path / name).read_bytes()


def test_a_notebook_shows_what_was_drawn(tmp_path: Path) -> None:
    model = siamese()
    as_png, as_svg = plot_model(model, tmp_path / "a.png"), plot_model(model, tmp_path / "a.svg")
    as_html, as_dot = plot_model(model, tmp_path / "a.html"), plot_model(model, tmp_path / "a.dot")
    assert as_png._repr_png_() == as_png.data and as_png._repr_svg_() is None and as_png._repr_html_() is None
    assert as_svg._repr_svg_() == as_svg.data.decode() and as_svg._repr_png_() is None
    frame = Page(as_html._repr_html_() or "")
    assert frame.scripts == [] and frame.loads == []
    assert (as_dot._repr_png_(), as_dot._repr_svg_(), as_dot._repr_html_()) == (None, None, None)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"to_file": "m.pdf"}, ArgumentError, r"no picture of kind \.pdf.*\.png, \.svg"),
        ({"to_file": None}, ArgumentError, "`to_file` must be the path of a file; got None"),
        ({"to_file": b"m.png"}, ArgumentError, "`to_file` must be text"),
        ({"to_file": "missing/m.svg"}, CheckpointError, "there is no folder 'missing'"),
        ({"to_file": "m.svg", "rankdir": "UP"}, ArgumentError, "`rankdir` must be one of TB, BT, LR, RL; got 'UP'"),
        ({"to_file": "m.svg", "splines": "orto"}, ArgumentError, 'Did you mean "ortho"'),
        ({"to_file": "m.png", "dpi": 0}, ArgumentError, "`dpi` must be a positive number"),
        ({"to_file": "m.png", "dpi": float("nan")}, ArgumentError, "`dpi` must be a positive number"),
        ({"to_file": "m.svg", "layer_range": ("a", "b")}, ArgumentError, "`layer_range` is no longer supported"),
        ({"to_file": "m.svg", "show_shape": True}, ArgumentError, "Unrecognized keyword arguments.*show_shape"),
    ],
)
def test_wrong_arguments(
    arguments: dict[str, Any], error: type[Exception], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        plot_model(siamese(), **arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [lambda: graphc.Sequential([layers.Dense(3)]), Subclassed])
def test_a_model_that_is_not_built_is_refused(make: Callable[[], Any], tmp_path: Path) -> None:
    for draw in (lambda m: plot_model(m, tmp_path / "m.svg"), model_to_dot):
        with pytest.raises(NotBuiltError, match="has not been built yet"):
            draw(make())
    assert list(tmp_path.iterdir()) == []


def test_only_models_are_drawn(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="needs a Model; got Dense"):
        plot_model(layers.Dense(3), tmp_path / "m.svg")


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    plot_model(siamese(), path)
    before = path.read_bytes()
    with pytest.raises(ArgumentError):
        plot_model(siamese(), path, dpi=100_000)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["m.png"]


@pytest.mark.parametrize(("package", "fails", "works"), [("graphlay", "svg", "dot"), ("PIL", "png", "svg")])
def test_a_missing_package_is_named(
    package: str, fails: str, works: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = siamese()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r'pip install "graphc\[plot\]"'):
        plot_model(model, tmp_path / f"m.{fails}")
    plot_model(model, tmp_path / f"m.{works}")
    assert [p.name for p in tmp_path.iterdir()] == [f"m.{works}"]
    if package == "graphlay":
        assert model._repr_svg_() is None
        assert "Connected to" in model._repr_html_()


def densely_connected(steps: int) -> Any:
    """Each layer takes what all before it gave."""
    x = graphc.Input((2,))
    made = [x, layers.Dense(2)(x)]
    for _ in range(steps):
        made.append(layers.Dense(2)(layers.Concatenate()(list(made))))
    return graphc.Model(x, made[-1], name="dense_net")


def test_a_tangle_is_drawn_quickly_or_refused(tmp_path: Path) -> None:
    model = densely_connected(14)
    diagram = diagram_of(model, PlotOptions())
    root = svg_of(model, tmp_path)
    assert sum(p.get("fill") == "none" for p in root.iter(f"{SVG}path")) == len(diagram.arrows) == 134
    tangle = densely_connected(45)
    with pytest.raises(ArgumentError, match=r"'dense_net' has 1,1\d\d arrows.*\.dot"):
        plot_model(tangle, tmp_path / "n.svg")
    plot_model(tangle, tmp_path / "n.dot")
    assert tangle._repr_svg_() is None
    assert "dense_net" in tangle._repr_html_()


def test_many_branches_side_by_side(tmp_path: Path) -> None:
    x = graphc.Input((2,))
    model = graphc.Model(x, layers.Concatenate()([layers.Dense(2)(x) for _ in range(200)]))
    root = svg_of(model, tmp_path)
    assert sum(g.get("class") == "box" for g in root.iter(f"{SVG}g")) == 202


def test_too_many_layers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphc.plotting.layout.MOST_BOXES", 20)
    with pytest.raises(ArgumentError, match=r"has 31 layers to draw, and 20 are the most.*\.dot"):
        plot_model(chain(30), tmp_path / "m.svg")


# --- size ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def shallow_stack() -> Iterator[Callable[[], None]]:
    """Leaves room for building a deep model; what it gives is called before the part that must not recurse."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    yield lambda: sys.setrecursionlimit(limit)
    sys.setrecursionlimit(limit)


def test_two_hundred_nested_models(tmp_path: Path, shallow_stack: Callable[[], None]) -> None:
    model = nested(200)
    shallow_stack()
    for ending in ("svg", "html", "dot"):
        plot_model(model, tmp_path / f"m.{ending}", expand_nested=True, show_layer_names=True)
    root = ElementTree.parse(tmp_path / "m.svg").getroot()
    texts = {t.text for t in root.iter(f"{SVG}text")}
    assert {f"level{k}" for k in range(199)} | {f"d{k}" for k in range(200)} <= texts
    assert (tmp_path / "m.dot").read_text(encoding="utf-8").count("subgraph cluster_") == 199


def test_a_chain_of_three_thousand_layers(tmp_path: Path) -> None:
    model = chain(3000)
    for ending in ("svg", "html", "dot"):
        plot_model(model, tmp_path / f"m.{ending}", show_shapes=True)
    root = ElementTree.parse(tmp_path / "m.svg").getroot()
    assert sum(g.get("class") == "box" for g in root.iter(f"{SVG}g")) == 3001
    with pytest.raises(ArgumentError, match=r"pixels at dpi=200.*\.svg"):
        plot_model(model, tmp_path / "m.png")


# --- models in notebooks ---------------------------------------------------------------------------------------------------


def test_a_model_shows_its_table_and_its_drawing() -> None:
    model = ticket()
    text = model._repr_html_()
    root = ElementTree.fromstring(text.replace("<br>", "<br/>"))
    rows = [[cell.text or "" for cell in row.iter("td")] for row in root.iter("tr")]
    assert ["cat (Concatenate)", "(None, 172)", "0", "tf[0][0], bf[0][0], tags[0][0]"] in rows
    assert "Total params: 20,225" in text  # 100*128+128 + 200*32+32 + 172+1 + 172*4+4
    assert sum(g.get("class") == "box" for g in root.iter(f"{SVG}g")) == 8
    svg = model._repr_svg_()
    assert svg is not None and ElementTree.fromstring(svg).tag == f"{SVG}svg"


def test_models_that_are_not_built_show_their_layers() -> None:
    for model in (graphc.Sequential([layers.Dense(3, name="d")]), graphc.Sequential(), Subclassed()):
        assert "not built" in model._repr_html_()
        assert model._repr_svg_() is None


def test_a_hostile_name_stays_text() -> None:
    page = Page(hostile()._repr_html_())
    assert page.scripts == [] and page.loads == []


def test_a_long_model_is_cut_short() -> None:
    model = chain(300)
    assert "241 more" in model._repr_html_()
    assert model._repr_svg_() is None


def test_layout_is_in_points_from_the_top_left() -> None:
    options = PlotOptions()
    diagram = diagram_of(siamese(), options)
    from graphc.plotting.layout import lay_out

    placed: Placed = lay_out(diagram, [(100.0, 30.0)] * len(diagram.boxes), [], options)
    assert min(x for x, _, _, _ in placed.boxes) >= 0
    assert min(y for _, y, _, _ in placed.boxes) == 0
    assert all((w, h) == (100.0, 30.0) for _, _, w, h in placed.boxes)
    assert max(y + h for _, y, _, h in placed.boxes) <= placed.height
