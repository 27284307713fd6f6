"""Kernels of one operand that take several passes over memory.

The passes run block by block, so that a block stays in the cache from the first pass to the last, and so that scratch
memory is a block and not a whole tensor. float16 is computed in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from graphc.runtimes.kernel import Array, Call, Kernel, Step

BLOCK_BYTES = 65_536
"""Bytes of a block: an operand, a result and several scratch blocks fit a level-2 cache together."""

Body = Callable[..., object]
"""``body(x, out, *scratch)`` on 1-D arrays of one length; ``out`` may be ``x`` itself."""


def passes(make: Callable[[Any], Body], scratch: int = 0) -> Kernel:
    """A kernel from a function that computes one block.

    Args:
        make: gives the block's function from the node's attributes.
        scratch: how many scratch arrays of the block's shape the function takes.
    """

    def bind(call: Call) -> Step:
        (x,), (out,) = call.inputs, call.outputs
        body = make(call.attributes)
        narrow = out.dtype == np.float16
        dtype = np.dtype(np.float32) if narrow else out.dtype
        length = BLOCK_BYTES // dtype.itemsize
        size = min(out.size, length)
        buffers = [call.scratch((size,), dtype) for _ in range(scratch + narrow)]
        contiguous = x.flags.c_contiguous
        # An operand with other strides is copied to the result first and computed there.
        source, target = (x if contiguous else out).reshape(-1), out.reshape(-1)
        steps: list[Step] = [] if contiguous else [partial(np.copyto, out, x)]
        for start in range(0, out.size, length):
            part = slice(start, min(start + length, out.size))
            work = [b[: part.stop - start] for b in buffers]
            if narrow:
                steps.append(partial(_through_float32, body, source[part], target[part], *work))
            else:
                steps.append(partial(body, source[part], target[part], *work))
        if len(steps) == 1:
            return steps[0]

        def run() -> None:
            for step in steps:
                step()

        return run

    return Kernel(bind, in_place=True)


def _through_float32(body: Body, x: Array, out: Array, wide: Array, *scratch: Array) -> None:
    np.copyto(wide, x)
    body(wide, wide, *scratch)
    np.copyto(out, wide)
