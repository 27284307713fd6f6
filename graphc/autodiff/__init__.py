"""Reverse-mode automatic differentiation from graph to graph."""

from graphc.autodiff.reverse import gradient

__all__ = ["gradient"]
