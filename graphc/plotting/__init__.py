"""Models as pictures: PNG, SVG, DOT and HTML, without any program outside of Python.

The way of a drawing: `diagram` (boxes, frames, arrows) → `layout` (places) → `paint` (shapes and colours) → a writer
(`svg`, `png`, `page`); `dot` writes the diagram itself. Only the layout knows its library and only `png` knows Pillow.
"""

from graphc.plotting.plot import Picture, model_to_dot, plot_model

__all__ = ["Picture", "model_to_dot", "plot_model"]
