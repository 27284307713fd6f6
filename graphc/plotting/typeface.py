"""How wide a text is: needed before a drawing is laid out, and different for each output."""

from __future__ import annotations

import unicodedata
from typing import Protocol

# Advance widths of the characters from space to tilde in thousandths of the size, from Adobe's metrics of Helvetica,
# which Arial and Liberation Sans share.
_ADVANCES = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556
1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556
333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584
"""
_HELVETICA = {chr(32 + i): int(width) / 1000 for i, width in enumerate(_ADVANCES.split())}
_OTHER = 0.667  # a guess on the wide side for the letters of other alphabets


class Typeface(Protocol):
    """What measures texts."""

    def width(self, text: str, size: float) -> float:
        """The width of a line of text, in the unit of ``size``."""


class Helvetica:
    """Helvetica by its published widths, so that a drawing is the same on a machine without fonts."""

    def width(self, text: str, size: float) -> float:
        """The width of a line of text, in the unit of ``size``."""
        return size * sum(map(_advance, text))


def _advance(character: str) -> float:
    known = _HELVETICA.get(character)
    if known is not None:
        return known
    if unicodedata.combining(character):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else _OTHER
