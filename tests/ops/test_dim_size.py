"""`DimSize` of named dims: the length that the data at hand has, in both runtimes."""

from __future__ import annotations

import numpy as np
import pytest
from op_cases.onnx_runtime import run_onnx

from graphc.ir.builder import Builder
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare


@pytest.mark.parametrize("dtype", ["int64", "int32", "float32"])
@pytest.mark.parametrize(
    ("dim", "length"),
    [("batch", 7), ("2*batch + 1", 15), ("(batch - 2) // 2", 2), ("batch % 4", 3), ("max(batch, 9)", 9), (4, 4)],
)
def test_length_of_a_named_dim(dim: str | int, length: int, dtype: str) -> None:
    graph = Graph("length")
    builder = Builder(graph, OPS)
    builder.input("x", TensorType.of("float32", ("batch", 3)))
    graph.outputs["length"] = builder.emit("DimSize", dim=dim, dtype=dtype)
    feeds = {"x": np.zeros((7, 3), np.float32)}
    for result in (prepare(graph).run(feeds)["length"], run_onnx(graph, feeds)[0]):
        assert result.dtype == dtype
        assert result.shape == ()
        assert result == length
