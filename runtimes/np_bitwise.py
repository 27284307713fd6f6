"""NumPy kernels of `graphc.ops.bitwise`."""

from __future__ import annotations

from functools import partial

import numpy as np

from graphc.runtimes.kernel import Call, Kernel, Step
from graphc.runtimes.np_elementwise import ufunc


def _bit_shift(call: Call) -> Step:
    shift = np.left_shift if call.attributes["direction"] == "LEFT" else np.right_shift
    return partial(shift, *call.inputs, call.outputs[0])


KERNELS: dict[str, Kernel] = {
    "BitwiseAnd": ufunc(np.bitwise_and),
    "BitwiseOr": ufunc(np.bitwise_or),
    "BitwiseXor": ufunc(np.bitwise_xor),
    "BitwiseNot": ufunc(np.invert),
    "BitShift": Kernel(_bit_shift, in_place=True),
}
