"""NumPy kernels of `graphc.ops.random`.

The positions of a block are one small array that every block and every op shares: block ``k`` adds its start to the
stream's first word instead of counting from it. So the memory used is a block, whatever the result's size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from graphc.ops.random import FRACTION_BITS, scramble, stream_words
from graphc.runtimes.kernel import Array, Call, Kernel, Step

BLOCK = 16_384
"""Words in a block, 64 KiB: two of them stay in a level-2 cache."""


@cache
def _positions() -> Array:
    positions = np.arange(BLOCK, dtype=np.uint32)
    positions.flags.writeable = False
    return positions


def _blocks(call: Call, deliver: Callable[[Array, Array], None]) -> Step:
    """The step that makes each block's words and has them delivered to the result's block."""
    (key,), out = call.inputs, call.outputs[0].reshape(-1)
    index = call.attributes["index"]
    size = min(out.size, BLOCK)
    words, scratch = call.scratch((size,), np.uint32), call.scratch((size,), np.uint32)
    parts = []
    for start in range(0, out.size, BLOCK):
        n = min(out.size - start, BLOCK)
        parts.append((start, _positions()[:n], words[:n], scratch[:n], out[start : start + n]))

    def run() -> None:
        seed, step = key.tolist()
        a, b = stream_words(seed, step, index)
        for start, positions, part_words, part_scratch, part_out in parts:
            np.add(positions, (a + start) & 0xFFFFFFFF, part_words)
            scramble(part_words, b, part_scratch)
            deliver(part_words, part_out)

    return run


def _bits(call: Call) -> Step:
    return _blocks(call, lambda words, out: np.copyto(out, words))


def _uniform(call: Call) -> Step:
    kept = FRACTION_BITS[call.attributes["dtype"]]
    scale = 2.0**-kept

    def deliver(words: Array, out: Array) -> None:
        if kept < 32:
            np.right_shift(words, 32 - kept, words)
            np.copyto(out, words.view(np.int32))  # without the sign bit the two are equal, and int32 converts faster
        else:
            np.copyto(out, words)
        np.multiply(out, scale, out)

    return _blocks(call, deliver)


KERNELS: dict[str, Kernel] = {"RandomBits": Kernel(_bits), "RandomUniform": Kernel(_uniform)}
