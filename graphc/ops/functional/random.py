"""Random numbers that every runtime draws alike: decided by (seed, step, which draw), see `graphc.ops.random`."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dims import Shape
from graphc.ops.functional import dispatch
from graphc.ops.functional.tracing import current_tracer
from graphc.seeding import next_seed


def uniform(shape: Shape, dtype: str = "float32", seed: int | None = None) -> Any:
    """Numbers from [0, 1).

    While a train step is traced they depend on the step's key, so that each step draws others and a resumed run draws the
    same; a ``seed`` takes the place of the key's. Outside they come from the program's generator.

    Args:
        shape: integers and named dims.
        dtype: float32 or float64.
        seed: for numbers that do not depend on the program's seed.
    """
    tracer = current_tracer()
    if tracer is None:
        key = np.array([next_seed() if seed is None else seed, 0], dtype=np.uint32)
        return dispatch.apply("RandomUniform", key, shape=shape, index=0, dtype=dtype)
    step_key: Any = tracer.read(tracer.random_key)
    if seed is not None:
        step = dispatch.apply("Slice", step_key, starts=(1,), ends=(2,), axes=(0,), steps=(1,))
        step_key = dispatch.apply("Concat", np.array([seed % 2**32], dtype=np.uint32), step, axis=0)
    return dispatch.apply("RandomUniform", step_key, shape=shape, index=tracer.next_draw(), dtype=dtype)
