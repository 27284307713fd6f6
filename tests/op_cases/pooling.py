"""Cases of `graphc.ops.pooling`."""

from __future__ import annotations

from op_cases.case import Case

CASES: list[Case] = []
