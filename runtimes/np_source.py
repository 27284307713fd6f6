"""NumPy kernels of `graphc.ops.source`. Input, State and Constant are buffers of the plan and need none."""

from __future__ import annotations

from graphc.runtimes.kernel import Call, Kernel, Step


def _dim_size(call: Call) -> Step:
    # The length is known when the plan is made, and the buffer is written by nobody else.
    out, value = call.outputs[0], call.attributes["dim"]
    return lambda: out.fill(value)


KERNELS = {"DimSize": Kernel(_dim_size)}
