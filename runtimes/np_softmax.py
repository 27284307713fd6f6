"""NumPy kernels of `graphc.ops.softmax`: a handful of calls each, on rows of classes.

Arrays are seen as matrices ``_SC`` of samples by classes, and as vectors ``_S`` (``_S1``: columns) of one number for
each sample. float16 is computed in float32.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from graphc.errors import DataError
from graphc.ir.types import normalize_axis
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_steps import in_sequence, row_max, row_sum


class _Rows:
    """The operands and results of a call as rows of classes, copied only where their layout or dtype asks for it."""

    def __init__(self, call: Call) -> None:
        like = call.inputs[0]
        self._call = call
        self._axis = normalize_axis(call.attributes["axis"], like.ndim)
        self._loads: list[Step] = []
        self._stores: list[Step] = []
        self.dtype = np.dtype(np.float32) if like.dtype == np.float16 else like.dtype
        self.classes = like.shape[self._axis]
        self.samples = math.prod(like.shape[: self._axis] + like.shape[self._axis + 1 :])

    def operand(self, x: Array) -> Array:
        """An operand as a contiguous matrix, right once the loads have run."""
        moved = np.moveaxis(x, self._axis, -1)
        if x.dtype == self.dtype and moved.flags.c_contiguous:
            return moved.reshape(self.samples, self.classes)
        copy_SC = self.matrix()
        self._loads.append(partial(np.copyto, copy_SC.reshape(moved.shape), moved))
        return copy_SC

    def result(self, out: Array) -> Array:
        """A contiguous matrix that becomes the result once the stores have run."""
        moved = np.moveaxis(out, self._axis, -1)
        if out.dtype == self.dtype and moved.flags.c_contiguous:
            return moved.reshape(self.samples, self.classes)
        own_SC = self.matrix()
        self._stores.append(partial(np.copyto, moved, own_SC.reshape(moved.shape), casting="same_kind"))
        return own_SC

    def vector(self) -> Array:
        """A buffer of one number for each sample."""
        return self._call.scratch((self.samples,), self.dtype)

    def matrix(self) -> Array:
        """A buffer of samples by classes."""
        return self._call.scratch((self.samples, self.classes), self.dtype)

    def shift(self, x_SC: Array, out_SC: Array) -> Step:
        """A step that writes ``x - max(x)`` of each row, whose exponential cannot overflow."""
        if not self.classes:
            return _nothing
        largest_S = self.vector()
        largest_S1 = largest_S[:, None]
        find_largest = row_max(x_SC, largest_S, self._call.scratch)

        def run() -> None:
            find_largest()
            np.subtract(x_SC, largest_S1, out_SC)

        return run

    def step(self, run: Step) -> Step:
        """``run`` between the loads and the stores."""
        return in_sequence([*self._loads, run, *self._stores])


def _nothing() -> None:
    """A step for arrays without elements."""


def _softmax(call: Call) -> Step:
    rows = _Rows(call)
    x_SC, out_SC, total_S = rows.operand(call.inputs[0]), rows.result(call.outputs[0]), rows.vector()
    total_S1 = total_S[:, None]
    shift, sum_up = rows.shift(x_SC, out_SC), row_sum(out_SC, total_S)

    def run() -> None:
        shift()
        np.exp(out_SC, out_SC)
        sum_up()
        np.divide(out_SC, total_S1, out_SC)

    return rows.step(run)


def _log_softmax(call: Call) -> Step:
    rows = _Rows(call)
    x_SC, out_SC, total_S = rows.operand(call.inputs[0]), rows.result(call.outputs[0]), rows.vector()
    powers_SC, total_S1 = rows.matrix(), total_S[:, None]
    shift, sum_up = rows.shift(x_SC, out_SC), row_sum(powers_SC, total_S)

    def run() -> None:
        shift()
        np.exp(out_SC, powers_SC)
        sum_up()
        np.log(total_S, total_S)
        np.subtract(out_SC, total_S1, out_SC)

    return rows.step(run)


def _softmax_grad(call: Call) -> Step:
    rows = _Rows(call)
    g_SC, y_SC, out_SC = rows.operand(call.inputs[0]), rows.operand(call.inputs[1]), rows.result(call.outputs[0])
    product_SC, total_S = rows.matrix(), rows.vector()
    total_S1, sum_up = total_S[:, None], row_sum(product_SC, total_S)

    def run() -> None:
        np.multiply(g_SC, y_SC, product_SC)
        sum_up()
        np.subtract(g_SC, total_S1, product_SC)
        np.multiply(product_SC, y_SC, out_SC)

    return rows.step(run)


def _log_softmax_grad(call: Call) -> Step:
    rows = _Rows(call)
    g_SC, y_SC, out_SC = rows.operand(call.inputs[0]), rows.operand(call.inputs[1]), rows.result(call.outputs[0])
    powers_SC, total_S = rows.matrix(), rows.vector()
    total_S1, sum_up = total_S[:, None], row_sum(g_SC, total_S)

    def run() -> None:
        sum_up()
        np.exp(y_SC, powers_SC)
        np.multiply(powers_SC, total_S1, powers_SC)
        np.subtract(g_SC, powers_SC, out_SC)

    return rows.step(run)


def _find_labels(call: Call, rows: _Rows, position_S: Array) -> Step:
    """A step that writes where each sample's label is in a flattened matrix of samples by classes.

    The step raises `DataError` for a label that is not among 0 .. classes - 1. One comparison finds those on both sides
    of the range: seen as an unsigned number, a negative one is large.
    """
    labels, classes = call.inputs[1], rows.classes
    if not rows.samples:
        return _nothing
    unsigned = labels.view(f"u{labels.dtype.itemsize}")
    limit = min(classes, np.iinfo(labels.dtype).max + 1)
    start = (np.arange(rows.samples, dtype=np.intp) * classes).reshape(labels.shape)
    position = position_S.reshape(labels.shape)

    def run() -> None:
        if unsigned.max() >= limit:
            raise DataError(
                f"Labels must be 0 to {classes - 1} for logits with {classes} classes; "
                f"got labels from {labels.min()} to {labels.max()}."
            )
        np.add(start, labels, position, dtype=np.intp, casting="unsafe")

    return run


def _cross_entropy(call: Call) -> Step:
    rows = _Rows(call)
    x_SC, shifted_SC, loss = rows.operand(call.inputs[0]), rows.matrix(), call.outputs[0]
    at_label_S, total_S, position_S = rows.vector(), rows.vector(), call.scratch((rows.samples,), np.intp)
    flat, loss_S = shifted_SC.reshape(-1), loss.reshape(-1)
    find_labels = _find_labels(call, rows, position_S)
    shift, sum_up = rows.shift(x_SC, shifted_SC), row_sum(shifted_SC, total_S)

    def run() -> None:
        find_labels()
        shift()
        flat.take(position_S, None, at_label_S, "clip")
        np.exp(shifted_SC, shifted_SC)
        sum_up()
        np.log(total_S, total_S)
        np.subtract(total_S, at_label_S, loss_S, casting="same_kind")

    return rows.step(run)


def _cross_entropy_grad(call: Call) -> Step:
    rows = _Rows(call)
    x_SC, out_SC, g = rows.operand(call.inputs[0]), rows.result(call.outputs[0]), call.inputs[2]
    at_label_S, total_S, position_S = rows.vector(), rows.vector(), call.scratch((rows.samples,), np.intp)
    flat, total_S1 = out_SC.reshape(-1), total_S[:, None]
    # g is often one number seen many times (the gradient of a mean), which only keeps its shape, not its strides.
    total, at_label = total_S.reshape(g.shape), at_label_S.reshape(g.shape)
    find_labels = _find_labels(call, rows, position_S)
    shift, sum_up = rows.shift(x_SC, out_SC), row_sum(out_SC, total_S)

    def run() -> None:
        find_labels()
        shift()
        np.exp(out_SC, out_SC)
        sum_up()
        np.divide(g, total, total)
        np.multiply(out_SC, total_S1, out_SC)
        flat.take(position_S, None, at_label_S, "clip")
        np.subtract(at_label, g, at_label)
        flat[position_S] = at_label_S

    return rows.step(run)


KERNELS: dict[str, Kernel] = {
    "Softmax": Kernel(_softmax, in_place=True),
    "LogSoftmax": Kernel(_log_softmax, in_place=True),
    "SoftmaxGrad": Kernel(_softmax_grad, in_place=True),
    "LogSoftmaxGrad": Kernel(_log_softmax_grad, in_place=True),
    "SparseSoftmaxCrossEntropy": Kernel(_cross_entropy),
    "SparseSoftmaxCrossEntropyGrad": Kernel(_cross_entropy_grad, in_place=True),
}
