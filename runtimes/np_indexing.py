"""NumPy kernels of `graphc.ops.indexing`.

Sums over repeated indices use ``np.add.at`` on flat arrays, which NumPy runs as one tight loop (1.5 ns an element where
it was measured; sorting and ``reduceat`` took twice as long), in the order of the elements: results repeat bit for bit.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from graphc.errors import DataError, ShapeError
from graphc.ir.types import normalize_axis
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_steps import in_sequence


def _check_step(op: str, indices: Array, axis: int, length: int) -> Step:
    """A step that raises `DataError` unless every index is on its axis."""

    def run() -> None:
        if indices.size and (indices.min() < -length or indices.max() >= length):
            raise DataError(
                f"{op}: indices into axis {axis} of length {length} must be {-length} to {length - 1}; "
                f"got indices from {indices.min()} to {indices.max()}."
            )

    return run


def _contiguous(call: Call, x: Array) -> tuple[Array, list[Step]]:
    """A C-contiguous array with the content of ``x``, and what fills it."""
    if x.flags.c_contiguous:
        return x, []
    copy = call.scratch(x.shape, x.dtype)
    return copy, [partial(np.copyto, copy, x)]


# -- Gather -----------------------------------------------------------------------------------------------------------


def _gather(call: Call) -> Step:
    (data, indices), (out,) = call.inputs, call.outputs
    axis = normalize_axis(call.attributes["axis"], data.ndim)
    check = _check_step("Gather", indices, axis, data.shape[axis])
    if not out.size:
        return check

    def run() -> None:
        check()
        # Once checked, "wrap" only brings negative indices home; "raise" would check again and copy through a buffer.
        data.take(indices, axis, out, "wrap")

    return run


def _add_up(call: Call, flat_out: Array, positions: Array, g: Array) -> list[Step]:
    """Steps that zero ``flat_out`` and add each element of ``g`` at its position."""
    g, steps = _contiguous(call, g)
    if flat_out.dtype == np.float16:
        total, addend = call.scratch(flat_out.shape, np.float32), call.scratch(g.shape, np.float32)
        steps += [
            partial(np.copyto, addend, g),
            *_add_up(call, total, positions, addend),
            partial(np.copyto, flat_out, total, casting="same_kind"),
        ]
        return steps
    steps += [partial(flat_out.fill, 0), partial(np.add.at, flat_out, positions.reshape(-1), g.reshape(-1))]
    return steps


def _gather_grad(call: Call) -> Step:
    (indices, g), (out,) = call.inputs, call.outputs
    axis = normalize_axis(call.attributes["axis"], out.ndim)
    if g.shape[axis : axis + indices.ndim] != indices.shape:
        raise ShapeError(f"GatherGrad: axes {axis} on of g, {g.shape}, must be those of indices, {indices.shape}.")
    before, length, after = math.prod(out.shape[:axis]), out.shape[axis], math.prod(out.shape[axis + 1 :])
    rows = call.scratch(indices.shape, np.intp)
    positions = call.scratch((before, indices.size, after), np.intp)
    start = np.arange(before, dtype=np.intp)[:, None] * (length * after) + np.arange(after, dtype=np.intp)
    start = start[:, None, :]
    check = _check_step("GatherGrad", indices, axis, length)
    row_of_each = rows.reshape(1, -1, 1)

    def find() -> None:
        check()
        np.remainder(indices, length, rows)
        np.multiply(rows, after, rows)
        np.add(row_of_each, start, positions)

    return in_sequence([find, *_add_up(call, out.reshape(-1), positions, g)])


# -- GatherElements ---------------------------------------------------------------------------------------------------


def _element_positions(call: Call, indices: Array, shape: tuple[int, ...]) -> tuple[Array, Step]:
    """The flat positions that ``indices`` point at in an array of a shape, and the step that computes them."""
    axis = normalize_axis(call.attributes["axis"], len(shape))
    if any(n > limit for i, (n, limit) in enumerate(zip(indices.shape, shape, strict=True)) if i != axis):
        raise ShapeError(f"{call.op}: indices of shape {indices.shape} are longer than {shape} beside axis {axis}.")
    strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    start = np.zeros([1] * len(shape), np.intp)
    for i, n in enumerate(indices.shape):
        if i != axis:
            along = [-1 if j == i else 1 for j in range(len(shape))]
            start = start + (np.arange(n, dtype=np.intp) * strides[i]).reshape(along)
    positions = call.scratch(indices.shape, np.intp)
    check = _check_step(call.op, indices, axis, shape[axis])

    def find() -> None:
        check()
        np.remainder(indices, shape[axis], positions)
        np.multiply(positions, strides[axis], positions)
        np.add(positions, start, positions)

    return positions, find


def _gather_elements(call: Call) -> Step:
    (data, indices), (out,) = call.inputs, call.outputs
    if not out.size:
        return _check_step("GatherElements", indices, call.attributes["axis"], data.shape[call.attributes["axis"]])
    data, load = _contiguous(call, data)
    positions, find = _element_positions(call, indices, data.shape)
    return in_sequence([*load, find, partial(data.reshape(-1).take, positions, None, out, "clip")])


def _scatter_elements_add(call: Call) -> Step:
    (indices, g), (out,) = call.inputs, call.outputs
    positions, find = _element_positions(call, indices, out.shape)
    return in_sequence([find, *_add_up(call, out.reshape(-1), positions, g)])


# -- OneHot, Iota -----------------------------------------------------------------------------------------------------


def _one_hot(call: Call) -> Step:
    (indices,), (out,) = call.inputs, call.outputs
    axis = normalize_axis(call.attributes["axis"], out.ndim)
    classes = np.arange(out.shape[axis]).reshape([-1 if i == axis else 1 for i in range(out.ndim)])
    return partial(np.equal, np.expand_dims(indices, axis), classes, out)


def _iota(call: Call) -> Step:
    (out,) = call.outputs
    return partial(np.copyto, out, np.arange(len(out)).astype(out.dtype))


KERNELS: dict[str, Kernel] = {
    "Gather": Kernel(_gather),
    "GatherGrad": Kernel(_gather_grad),
    "GatherElements": Kernel(_gather_elements),
    "ScatterElementsAdd": Kernel(_scatter_elements_add),
    "OneHot": Kernel(_one_hot),
    "Iota": Kernel(_iota),
}
