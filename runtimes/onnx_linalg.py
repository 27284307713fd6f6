"""ONNX rows of `graphc.ops.linalg`."""

from __future__ import annotations

from graphc.runtimes.onnx_lowering import Lowering, Row


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


def _matmul(c: Lowering) -> None:
    if c.type(1).rank != 1 or c.type(0).rank == 1:
        c.emit("MatMul", c.inputs, c.outputs)
        return
    # ONNX Runtime 1.31 folds a Transpose of the matrix into a product that reads a plain vector wrongly; as a column it
    # is read rightly.
    (column,) = c.emit("Unsqueeze", [c.inputs[1], c.ints([1])])
    (product,) = c.emit("MatMul", [c.inputs[0], column])
    c.emit("Squeeze", [product, c.ints([-1])], c.outputs)


ROWS: dict[str, Row] = {"MatMul": _matmul, "Gemm": _gemm}
