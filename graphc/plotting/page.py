"""A drawing as a web page that needs nothing else: drag and scroll to look around, choose a box to see its layer."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from graphc.errors import GraphcError
from graphc.layers.layer import Layer
from graphc.plotting.diagram import Diagram
from graphc.plotting.labels import call_texts, dtypes
from graphc.plotting.shapes import Drawing
from graphc.plotting.svg import escaped, svg_text
from graphc.summary import class_name_of

_STYLE = """
html, body { margin: 0; height: 100%; overflow: hidden; font: 14px Helvetica, Arial, sans-serif; color: #1f2933; }
#drawing { position: absolute; inset: 0; cursor: grab; touch-action: none; }
#drawing.dragging { cursor: grabbing; }
#drawing svg { width: 100%; height: 100%; display: block; }
.box { cursor: pointer; outline: none; }
.box:hover, .box:focus, .box.chosen { filter: drop-shadow(0 0 3px #2680eb); }
#tools { position: absolute; left: 12px; top: 12px; display: flex; gap: 4px; align-items: center; }
#tools button { width: 32px; height: 32px; border: 1px solid #cbd2d9; border-radius: 6px; background: #fff; cursor: pointer; }
#tools button { font-size: 16px; color: #3e4c59; }
#tools span { margin-left: 8px; color: #5f6c7b; background: #ffffffd0; padding: 4px 8px; border-radius: 6px; }
#layer { position: absolute; right: 12px; top: 12px; bottom: 12px; width: 320px; max-width: 80vw; box-sizing: border-box; }
#layer { overflow: auto; background: #fff; padding: 14px 16px; }
#layer { border: 1px solid #cbd2d9; border-radius: 8px; box-shadow: 0 4px 16px #0002; }
#layer[hidden] { display: none; }
#layer h2 { margin: 0 28px 2px 0; font-size: 16px; overflow-wrap: anywhere; }
#layer p { margin: 0 0 10px; color: #5f6c7b; }
#layer dt { color: #5f6c7b; font-size: 12px; margin-top: 8px; }
#layer dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
#layer dd.code { font: 12px/1.4 Menlo, Consolas, monospace; margin-top: 2px; }
#layer dd.code { background: #f5f7fa; border-radius: 6px; padding: 8px; }
#close { position: absolute; right: 10px; top: 10px; border: 0; background: none; }
#close { font-size: 18px; color: #5f6c7b; cursor: pointer; }
"""

_SCRIPT = """
"use strict";
const holder = document.getElementById("drawing");
const svg = holder.querySelector("svg");
const facts = JSON.parse(document.getElementById("facts").textContent);
const whole = svg.viewBox.baseVal;
const full = { x: 0, y: 0, w: whole.width, h: whole.height };
let view = { ...full };
svg.removeAttribute("width");
svg.removeAttribute("height");

const show = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
const unit = () => Math.max(view.w / holder.clientWidth, view.h / holder.clientHeight);
const inside = (event) => {
  const k = unit(), edge = holder.getBoundingClientRect();
  return {
    x: view.x + view.w / 2 + (event.clientX - edge.left - edge.width / 2) * k,
    y: view.y + view.h / 2 + (event.clientY - edge.top - edge.height / 2) * k,
  };
};
const zoom = (factor, at) => {
  const far = Math.max(full.w / holder.clientWidth, full.h / holder.clientHeight, 0.2) * 8;
  const k = Math.min(Math.max(unit() * factor, 0.02), far);
  const by = k / unit();
  view = { x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by, w: view.w * by, h: view.h * by };
  show();
};
const middle = () => ({ x: view.x + view.w / 2, y: view.y + view.h / 2 });
// A long chain fitted into the window would be a thread: start at its first layer, at a size that can be read.
const start = () => {
  view = { ...full };
  const k = Math.min(Math.max(unit(), 0.5), 0.8);
  const w = holder.clientWidth * k, h = holder.clientHeight * k;
  const first = svg.querySelector(".box").getBBox();
  const from = (size, shown, middle) =>
    size <= shown ? (size - shown) / 2 : Math.min(Math.max(middle - shown / 2, 0), size - shown);
  view = { x: from(full.w, w, first.x + first.width / 2), y: from(full.h, h, first.y + first.height / 2), w, h };
  show();
};
const fit = () => { view = { ...full }; show(); };

holder.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004), inside(event));
}, { passive: false });

let drag = null;
holder.addEventListener("pointerdown", (event) => {
  drag = { x: event.clientX, y: event.clientY, moved: false };
});
holder.addEventListener("pointermove", (event) => {
  if (!drag || !event.buttons) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(dx, dy) < 4) return;
  if (!drag.moved) { drag.moved = true; holder.setPointerCapture(event.pointerId); holder.classList.add("dragging"); }
  const k = unit();
  view.x -= dx * k;
  view.y -= dy * k;
  drag.x = event.clientX;
  drag.y = event.clientY;
  show();
});
holder.addEventListener("pointerup", () => { holder.classList.remove("dragging"); });
holder.addEventListener("click", (event) => {
  const moved = drag && drag.moved;
  drag = null;
  if (!moved) choose(event.target.closest(".box"));
});
holder.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(event.target.closest(".box")); }
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") choose(null); });

const panel = document.getElementById("layer");
const element = (tag, text, kind) => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const choose = (box) => {
  for (const other of svg.querySelectorAll(".chosen")) other.classList.remove("chosen");
  panel.hidden = !box;
  if (!box) return;
  box.classList.add("chosen");
  const layer = facts[Number(box.dataset.box)];
  const list = document.createElement("dl");
  for (const [caption, text, code] of layer.rows) {
    list.append(element("dt", caption), element("dd", text, code ? "code" : ""));
  }
  panel.querySelector("div").replaceChildren(element("h2", layer.name), element("p", layer.class_name), list);
};
document.getElementById("close").addEventListener("click", () => choose(null));
document.getElementById("in").addEventListener("click", () => zoom(0.7, middle()));
document.getElementById("out").addEventListener("click", () => zoom(1 / 0.7, middle()));
document.getElementById("fit").addEventListener("click", fit);
window.addEventListener("resize", show);
start();
"""

_LONGEST_CONFIG = 4000


def html_page(diagram: Diagram, drawing: Drawing) -> str:
    """The page. It may run its own script and nothing else, and it loads nothing."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    count = len(diagram.boxes)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escaped(diagram.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<div id="drawing">
{svg_text(drawing)}</div>
<div id="tools"><button id="in" title="Zoom in">+</button><button id="out" title="Zoom out">−</button>
<button id="fit" title="Show all">⤢</button><span>{escaped(diagram.title)} · {count} layer{"s" * (count != 1)}</span></div>
<aside id="layer" hidden><button id="close" title="Close">×</button><div></div></aside>
<script type="application/json" id="facts">{_script_data([facts_of(box.layer) for box in diagram.boxes])}</script>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def facts_of(layer: Layer) -> dict[str, Any]:
    """What the panel says about a layer."""
    calls = layer.inbound_nodes
    rows: list[tuple[str, str, bool]] = []
    if calls:
        rows.append(("Input shape", "\n".join(call_texts([c.inputs for c in calls], lambda t: str(t.shape))), False))
        rows.append(("Output shape", "\n".join(call_texts([c.outputs for c in calls], lambda t: str(t.shape))), False))
        rows.append(("Output dtype", "\n".join(dtypes(calls)), False))
    rows.append(("Parameters", f"{sum(v.array.size for v in layer.variables):,}", False))
    if layer.variables:
        rows.append(("Trainable", "yes" if layer.trainable else "no", False))
        rows.append(("Weights", "\n".join(f"{v.name} {v.shape}" for v in layer.variables[:40]), False))
    rows.append(("Configuration", _config(layer), True))
    return {"name": layer.name, "class_name": class_name_of(layer), "rows": rows}


def _config(layer: Layer) -> str:
    if hasattr(layer, "layers"):
        return f"a model of {len(layer.layers)} layers"
    try:
        config = layer.get_config()
    except GraphcError as error:  # a custom layer need not be savable to be drawn
        return f"not available: {error}"
    text = "\n".join(f"{k}: {json.dumps(_plain(v), default=str)}" for k, v in config.items() if v is not None)
    return text if len(text) <= _LONGEST_CONFIG else text[:_LONGEST_CONFIG] + "\n…"


def _plain(value: Any) -> Any:
    """A nested Keras object by its class and what it was given, which is what one wants to see of it."""
    if isinstance(value, dict) and "class_name" in value and isinstance(value.get("config"), dict):
        inner = {k: v for k, v in value["config"].items() if v is not None}
        return inner["name"] if set(inner) == {"name"} else {value["class_name"]: inner}
    return value


def _script_data(value: Any) -> str:
    """JSON that cannot end the script element that it stands in, whatever its texts hold."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
