"""ONNX rows of `graphc.ops.linalg`."""

from __future__ import annotations

from graphc.runtimes.onnx_lowering import Lowering, Row, Same


def _gemm(lowering: Lowering) -> None:
    attributes = lowering.node.attributes
    has_c = len(lowering.inputs) > 2
    lowering.emit(
        "Gemm",
        lowering.inputs,
        lowering.outputs,
        # Defaults are left out, so that a Dense layer is a plain Gemm.
        alpha=attributes["alpha"] if attributes["alpha"] != 1.0 else None,
        beta=attributes["beta"] if attributes["beta"] != 1.0 and has_c else None,
        transA=attributes["trans_a"] or None,
        transB=attributes["trans_b"] or None,
    )


ROWS: dict[str, Row] = {"MatMul": Same(), "Gemm": _gemm}
