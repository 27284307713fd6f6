"""NumPy kernels of `graphc.ops.movement`. Most answer with a view of their operand and copy only when they must."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.types import normalize_axis
from graphc.runtimes import np_indexing, np_slicing
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_steps import in_sequence

Attributes = Mapping[str, Any]


def always_view(view: Callable[[Array, Attributes], Array]) -> Kernel:
    """The kernel of an op that every operand can answer with a view."""

    def bind(call: Call) -> Step:
        return partial(np.copyto, call.outputs[0], view(call.inputs[0], call.attributes))

    return Kernel(bind, view=view)


# -- Reshape, Transpose, Squeeze, Unsqueeze ---------------------------------------------------------------------------


def _reshape_view(x: Array, attributes: Attributes) -> Array | None:
    try:
        return np.reshape(x, attributes["shape"], copy=False)
    except ValueError:  # the strides of x do not allow it, or the sizes differ: then _reshape says so
        return None


def _reshape(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    if x.size != out.size:
        raise ShapeError(f"Reshape: {x.size} elements of shape {x.shape} do not fit shape {out.shape}.")
    return partial(np.copyto, out.reshape(x.shape), x)


def _transpose_view(x: Array, attributes: Attributes) -> Array:
    return x.transpose(attributes["perm"])


def _squeeze_view(x: Array, attributes: Attributes) -> Array:
    return x.squeeze(attributes["axes"])


def _unsqueeze_view(x: Array, attributes: Attributes) -> Array:
    return np.expand_dims(x, attributes["axes"])


# -- Expand, ExpandLike, Tile -----------------------------------------------------------------------------------------


def _expand_view(x: Array, attributes: Attributes) -> Array | None:
    shape = np.broadcast_shapes(x.shape, attributes["shape"])
    lead = len(shape) - x.ndim
    if shape == (1,) * lead + x.shape:
        return x[(*(None,) * lead, ...)]
    # A view without elements counts as contiguous, and another kernel might then take its memory for its own.
    return np.broadcast_to(x, shape) if 0 not in shape else None


def _broadcast(call: Call) -> Step:
    x, out = call.inputs[0], call.outputs[0]
    return partial(np.copyto, out, np.broadcast_to(x, out.shape))


def _tile(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    pairs = [n for pair in zip(call.attributes["repeats"], x.shape, strict=True) for n in pair]
    return partial(np.copyto, out.reshape(pairs), np.expand_dims(x, tuple(range(0, len(pairs), 2))))


# -- Concat, Split ----------------------------------------------------------------------------------------------------


def _concat(call: Call) -> Step:
    return partial(np.concatenate, tuple(call.inputs), call.attributes["axis"], call.outputs[0])


def _split(call: Call) -> Step:
    (x,) = call.inputs
    axis = normalize_axis(call.attributes["axis"], x.ndim)
    total = sum(call.attributes["sizes"])
    if total != x.shape[axis]:
        raise ShapeError(f"Split: sizes add up to {total}, but axis {axis} of shape {x.shape} has {x.shape[axis]}.")
    steps: list[Step] = []
    start = 0
    for out in call.outputs:
        end = start + out.shape[axis]
        steps.append(partial(np.copyto, out, x[(slice(None),) * axis + (slice(start, end),)]))
        start = end
    return in_sequence(steps)


KERNELS: dict[str, Kernel] = {
    "Reshape": Kernel(_reshape, view=_reshape_view),
    "Transpose": always_view(_transpose_view),
    "Squeeze": always_view(_squeeze_view),
    "Unsqueeze": always_view(_unsqueeze_view),
    "Expand": Kernel(_broadcast, view=_expand_view),
    "ExpandLike": Kernel(_broadcast),
    "Tile": Kernel(_tile),
    "Concat": Kernel(_concat),
    "Split": Kernel(_split),
    **np_slicing.KERNELS,
    **np_indexing.KERNELS,
}
