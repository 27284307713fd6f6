"""NumPy kernels of `graphc.ops.comparison`."""

from __future__ import annotations

from functools import partial

import numpy as np

from graphc.runtimes.kernel import Call, Kernel, Step
from graphc.runtimes.np_elementwise import ufunc


def _is_inf(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    negative, positive = call.attributes["detect_negative"], call.attributes["detect_positive"]
    if negative and positive:
        return partial(np.isinf, x, out)
    if negative or positive:
        return partial(np.equal, x, np.inf if positive else -np.inf, out)
    return partial(out.fill, False)


KERNELS: dict[str, Kernel] = {
    "Equal": ufunc(np.equal),
    "Greater": ufunc(np.greater),
    "GreaterOrEqual": ufunc(np.greater_equal),
    "Less": ufunc(np.less),
    "LessOrEqual": ufunc(np.less_equal),
    "And": ufunc(np.logical_and),
    "Or": ufunc(np.logical_or),
    "Xor": ufunc(np.logical_xor),
    "Not": ufunc(np.logical_not),
    "IsNaN": ufunc(np.isnan),
    "IsInf": Kernel(_is_inf),
}
