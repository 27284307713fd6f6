"""Parity cases of layers that wrap another layer."""

from __future__ import annotations

from .case import Case

CASES: tuple[Case, ...] = ()
