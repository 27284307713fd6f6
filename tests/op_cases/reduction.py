"""Cases of `graphc.ops.reduction`."""

from __future__ import annotations

from op_cases.case import Case

CASES: list[Case] = []
