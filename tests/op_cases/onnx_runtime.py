"""Running an exported graph in ONNX Runtime's CPU provider, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnxruntime
from op_cases.case import Array

from graphc.ir.graph import Graph
from graphc.runtimes.onnx_export import to_onnx
from graphc.runtimes.onnx_opsets import DEFAULT_OPSET


def run_onnx(graph: Graph, feeds: Mapping[str, Array], opset: int = DEFAULT_OPSET) -> list[Any]:
    """The outputs of the exported graph."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    model = to_onnx(graph, opset=opset)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs: list[Any] = session.run(None, dict(feeds))
    return outputs
