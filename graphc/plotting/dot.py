"""A diagram in Graphviz's DOT language, for those who have Graphviz or another program that reads it."""

from __future__ import annotations

from html import escape

from graphc.plotting.diagram import Box, Diagram
from graphc.plotting.options import PlotOptions


class Dot:
    """DOT text, with the methods of pydot's graphs that give it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def to_string(self) -> str:
        """The text."""
        return self._text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<Dot, {len(self._text.splitlines())} lines: print it, or write it to a .dot file>"


def dot_of(diagram: Diagram, options: PlotOptions, subgraph: bool = False) -> Dot:
    """The diagram as a ``digraph``, or as a ``subgraph`` that can stand in another graph."""
    lines: list[str] = []
    if subgraph:
        lines += [f"subgraph {quoted('cluster_' + diagram.title)} {{", *_frame_look(diagram.title, 1)]
    else:
        lines += [
            f"digraph {quoted(diagram.title)} {{",
            f"  graph [rankdir={options.rankdir}, splines={options.splines}, dpi={options.dpi:g}, concentrate=true];",
            '  node [shape=plain, fontname="Helvetica"];',
            "  edge [penwidth=1.5];",
        ]
    lines += _nested(diagram)
    lines += [f"  layer_{source} -> layer_{target};" for source, target in diagram.arrows]
    return Dot("\n".join([*lines, "}"]) + "\n")


def _nested(diagram: Diagram) -> list[str]:
    """Boxes and frames, each frame around what is in it. A stack instead of recursion: models nest deeply."""
    inside: dict[int | None, list[tuple[str, int]]] = {}
    for number, box in enumerate(diagram.boxes):
        inside.setdefault(box.frame, []).append(("box", number))
    for number, frame in enumerate(diagram.frames):
        inside.setdefault(frame.parent, []).append(("frame", number))
    lines: list[str] = []
    todo: list[tuple[str, int, int]] = [(kind, number, 1) for kind, number in reversed(inside.get(None, []))]
    while todo:
        kind, number, depth = todo.pop()
        indent = "  " * depth
        if kind == "box":
            lines.append(f"{indent}layer_{number} [label=<{_table(diagram.boxes[number])}>];")
        elif kind == "frame":
            title = diagram.frames[number].title
            lines += [f"{indent}subgraph cluster_{number} {{", *_frame_look(title, depth + 1)]
            todo.append(("end", number, depth))
            todo += [(k, n, depth + 1) for k, n in reversed(inside.get(number, []))]
        else:
            lines.append(f"{indent}}}")
    return lines


def _frame_look(title: str, depth: int) -> list[str]:
    return ["  " * depth + f'label={quoted(title)}; labeljust=l; style="rounded,dashed"; fontname="Helvetica";']


def _table(box: Box) -> str:
    """A label as Graphviz's HTML-like table: a dark header and light rows."""
    label = box.label
    title = (
        f"<b>{_html(label.name)}</b> ({_html(label.class_name)})" if label.name else f"<b>{_html(label.class_name)}</b>"
    )
    rows = [f'<tr><td colspan="2" bgcolor="black"><font color="white">{title}</font></td></tr>']
    for caption, texts in label.rows:
        said = "<br/>".join(map(_html, texts))
        rows.append(f'<tr><td align="left">{_html(caption)}</td><td align="left">{said}</td></tr>')
    if label.trainable is not None:
        color, word = ("forestgreen", "Trainable") if label.trainable else ("firebrick", "Non-trainable")
        rows.append(f'<tr><td colspan="2" bgcolor="{color}"><font color="white">{word}</font></td></tr>')
    return '<table border="0" cellborder="1" cellspacing="0" cellpadding="6">' + "".join(rows) + "</table>"


def _html(text: str) -> str:
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    # In these labels too, \N and \G stand for the names of the node and the graph.
    return escape(clean, quote=True).replace("\\", "\\\\")


def quoted(text: str) -> str:
    """Any text as a DOT string. Backslashes are doubled: in a label ``\\N`` would stand for the node's name."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
