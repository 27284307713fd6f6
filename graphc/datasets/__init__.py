"""Data sets as NumPy arrays, with Keras's ``load_data()`` interface."""

from graphc.datasets import digits as digits
