"""Every op in the text form: what is printed is read back as the same graph."""

from __future__ import annotations

import pytest
from cases import CASES
from op_cases.case import Case
from op_cases.harness import build, each_dtype

from graphc.ir.compare import graph_difference
from graphc.ir.parser import parse_graph
from graphc.ir.printer import print_graph
from graphc.ir.verify import verify
from graphc.ops.registry import OPS


@pytest.mark.parametrize(("case", "dtype"), each_dtype(CASES))
def test_text_is_read_back(case: Case, dtype: str) -> None:
    graph = build(case, dtype).graph
    for rules in (OPS, None):
        text = print_graph(graph, rules)
        again = parse_graph(text, OPS)
        verify(again, OPS)
        assert graph_difference(graph, again) is None
        assert print_graph(again, rules) == text
