"""float16 operands for kernels that compute in float32.

NumPy's BLAS has no float16 products, and float16 sums lose too much; ONNX Runtime and Keras compute such ops in float32
too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.runtimes.kernel import Array, Call, Step


def in_float32(bind: Callable[[Call], Step]) -> Callable[[Call], Step]:
    """``bind`` for any float dtype: float16 operands and results pass through float32 scratch memory."""

    def bind_any(call: Call) -> Step:
        if call.outputs[0].dtype != np.float16:
            return bind(call)

        def widened(array: Any) -> Any:
            return array if array is None or array.dtype != np.float16 else call.scratch(array.shape, np.float32)

        inputs: list[Any] = [widened(array) for array in call.inputs]
        outputs: list[Array] = [widened(array) for array in call.outputs]
        into = [(wide, half) for wide, half in zip(inputs, call.inputs, strict=True) if wide is not half]
        back = list(zip(call.outputs, outputs, strict=True))
        step = bind(Call(call.op, inputs, outputs, call.attributes, call.scratch))

        def run() -> None:
            for wide, half in into:
                np.copyto(wide, half)
            step()
            for half, wide in back:
                np.copyto(half, wide, casting="same_kind")

        return run

    return bind_any
