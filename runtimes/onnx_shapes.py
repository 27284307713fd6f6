"""Reshapes within a row, written with as little computing of lengths as they need."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.dims import DimLike
from graphc.runtimes.onnx_lowering import Lowering


def reshaped(lowering: Lowering, x: str, shape: Sequence[DimLike], outputs: Sequence[str] | None = None) -> str:
    """``x`` in a shape of the same size. A single named dim is what is left (-1); more of them are computed."""
    named = sum(isinstance(dim, str) for dim in shape)
    if named > 1 or 0 in shape:
        return lowering.emit("Reshape", [x, lowering.dims(shape)], outputs, allowzero=1)[0]  # 0 is a length here
    signs = lowering.ints([-1 if isinstance(dim, str) else dim for dim in shape])
    return lowering.emit("Reshape", [x, signs], outputs)[0]
