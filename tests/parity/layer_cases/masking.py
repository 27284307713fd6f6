"""Parity cases of masks: layers that make, pass, use and drop them, and losses behind them."""

from __future__ import annotations

from .case import Case

CASES: tuple[Case, ...] = ()
