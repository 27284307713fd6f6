"""NumPy kernels of `graphc.ops.slicing`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_steps import in_sequence

Index = tuple[Any, ...]


def _array_index(cuts: Iterable[slice]) -> Index:
    """An index with an ellipsis behind it, so that what it gives is an array even for an array of rank 0."""
    return (*cuts, ...)


# -- Slice ------------------------------------------------------------------------------------------------------------


def _slice_view(x: Array, attributes: Mapping[str, Any]) -> Array:
    starts, ends, axes, steps = (attributes[name] for name in ("starts", "ends", "axes", "steps"))
    index = [slice(None)] * x.ndim
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = i if axes is None else axes[i]
        index[axis] = slice(start, end, None if steps is None else steps[i])
    return x[_array_index(index)]


def _slice(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    view = _slice_view(x, call.attributes)
    if view.shape != out.shape:
        raise ShapeError(
            f"Slice: the bounds give shape {view.shape} for an operand of shape {x.shape}; planned {out.shape}."
        )
    return partial(np.copyto, out, view)


# -- Pad --------------------------------------------------------------------------------------------------------------


def _along(axis: int, start: int | None, end: int | None, step: int = 1) -> Index:
    """The index of a part of one axis and all of the axes before it."""
    return (*(slice(None),) * axis, slice(start, end, step))


def _pad(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    pads, mode = call.attributes["pads"], call.attributes["mode"]
    sides = list(zip(pads[: x.ndim], pads[x.ndim :], strict=True))
    if any(n + min(b, 0) + min(a, 0) < 0 for n, (b, a) in zip(x.shape, sides, strict=True)):
        raise ShapeError(f"Pad: pads {pads} cut more from shape {x.shape} than there is.")
    cuts = [slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(x.shape, sides, strict=True)]
    kept = x[_array_index(cuts)]
    spans = [(max(b, 0), n - max(a, 0)) for n, (b, a) in zip(out.shape, sides, strict=True)]
    inner = out[_array_index(slice(start, end) for start, end in spans)]
    value = np.asarray(call.attributes["value"]).astype(out.dtype)
    steps: list[Step] = [partial(np.copyto, inner, kept)]
    # Only the borders are written. Those of a later axis run over those of earlier ones, and so make the corners.
    for axis, (start, end) in enumerate(spans):
        before, after = (value, value) if mode == "constant" else _shown(out, axis, (start, end), mode)
        if start:
            steps.append(partial(np.copyto, out[_along(axis, None, start)], before))
        if end < out.shape[axis]:
            steps.append(partial(np.copyto, out[_along(axis, end, None)], after))
    return in_sequence(steps)


def _shown(out: Array, axis: int, span: tuple[int, int], mode: str) -> tuple[Array, Array]:
    """What the borders before and after a span show of it."""
    start, end = span
    after = out.shape[axis] - end
    if max(start, after) == 0:
        return out, out  # there is no border
    available = end - start - 1  # elements beside the outermost one
    if available < (max(start, after) if mode == "reflect" else 0):
        raise ShapeError(
            f"Pad: an axis of length {end - start} is too short for mode {mode!r} with pads {start, after}."
        )
    if mode == "edge":
        return out[_along(axis, start, start + 1)], out[_along(axis, end - 1, end)]
    stop = end - 2 - after
    return out[_along(axis, 2 * start, start, -1)], out[_along(axis, end - 2, stop if stop >= 0 else None, -1)]


# -- Trilu ------------------------------------------------------------------------------------------------------------


def _trilu(call: Call) -> Step:
    (x,), (out,) = call.inputs, call.outputs
    rows, columns = out.shape[-2:]
    k, zero = call.attributes["k"], out.dtype.type(0)
    # The elements that become zero.
    removed = np.tri(rows, columns, k - 1, dtype=np.bool_)
    if not call.attributes["upper"]:
        removed = ~np.tri(rows, columns, k, dtype=np.bool_)

    def run() -> None:
        np.copyto(out, x)
        np.copyto(out, zero, where=removed)

    return run


KERNELS: dict[str, Kernel] = {
    "Slice": Kernel(_slice, view=_slice_view),
    "Pad": Kernel(_pad),
    "Trilu": Kernel(_trilu, in_place=True),
}
