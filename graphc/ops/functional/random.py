"""Random numbers that every runtime draws alike: decided by (seed, step, which draw), see `graphc.ops.random`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import Shape
from graphc.ops.functional import dispatch
from graphc.ops.functional.creation import zeros_like
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


def normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: str = "float32", seed: int | None = None
) -> Any:
    """Numbers from a normal distribution: of `uniform` ones ``u`` and ``v``, ``sqrt(-2 log(1 - u)) cos(2 pi v)``.

    G. Box and M. Muller, "A note on the generation of random normal deviates" (1958). Both numbers are drawn in float32,
    whose smallest ``1 - u`` is ``2**-24``: no sample is further out than 5.77 standard deviations.

    Args:
        shape: integers and named dims.
        mean: of the distribution.
        stddev: of the distribution.
        dtype: of the result.
        seed: for numbers that do not depend on the program's seed.
    """
    # Outside of a trace every draw has index 0, so the two need seeds of their own.
    other = seed if seed is None or current_tracer() is not None else (seed + _SECOND_STREAM) % 2**32
    u, v = uniform(shape, seed=seed), uniform(shape, seed=other)
    radius = dispatch.apply("Sqrt", dispatch.apply("Mul", _log_of_rest(u), np.float32(-2.0)))
    samples = dispatch.apply("Mul", radius, dispatch.apply("Cos", dispatch.apply("Mul", v, np.float32(2.0 * math.pi))))
    scaled = dispatch.apply("Add", dispatch.apply("Mul", samples, np.float32(stddev)), np.float32(mean))
    return dispatch.cast_to(scaled, dtype)


_SECOND_STREAM = 0x9E3779B9
"""What is added to a seed for the second of two draws."""


def _log_of_rest(u: Any) -> Any:
    """``log(1 - u)``; ``1 - u`` is exact, since ``u`` is a multiple of ``2**-24``, and never zero."""
    return dispatch.apply("Log", dispatch.apply("Sub", np.float32(1.0), u))


def dropout(x: Any, rate: float, noise_shape: Sequence[Any] | None = None, seed: int | None = None) -> Any:
    """``x`` with a fraction ``rate`` of its elements set to zero and the others divided by ``1 - rate``.

    Args:
        x: a floating tensor of any shape.
        rate: from 0 to 1.
        noise_shape: the shape of the random mask, which broadcasts to that of ``x``; None stands for the length of ``x``.
        seed: for masks that do not depend on the program's seed.

    Raises:
        ArgumentError: ``noise_shape`` has another rank than ``x``.
        ShapeError: one of its lengths is neither 1 nor that of ``x``.
    """
    if rate >= 1:
        return zeros_like(x)
    dtype = dispatch.dtype_of(x)
    drawn = uniform(mask_shape(x, noise_shape), seed=seed)
    keep = dispatch.cast_to(dispatch.apply("GreaterOrEqual", drawn, np.float32(rate)), dtype)
    kept = dispatch.apply("Mul", keep, dispatch.cast_to(1.0 / (1.0 - rate), dtype))
    return dispatch.apply("Mul", x, kept)


def mask_shape(x: Any, noise_shape: Sequence[Any] | None) -> Shape:
    """The shape of a random mask for ``x``: ``noise_shape`` with the lengths of ``x`` in the places of None.

    Raises:
        ArgumentError: ``noise_shape`` has another rank than ``x``.
        ShapeError: one of its lengths is neither 1 nor that of ``x``.
    """
    have = dispatch.shape_of(x)
    if noise_shape is None:
        return have
    if len(noise_shape) != len(have):
        raise ArgumentError(f"`noise_shape` must have the rank of the inputs ({len(have)}); got {tuple(noise_shape)}.")
    shape = tuple(d if n is None else n for n, d in zip(noise_shape, have, strict=True))
    for wanted, length in zip(shape, have, strict=True):
        if wanted != 1 and isinstance(wanted, int) and isinstance(length, int) and wanted != length:
            raise ShapeError(f"`noise_shape` {tuple(noise_shape)} does not broadcast to inputs of shape {have}.")
    return shape
