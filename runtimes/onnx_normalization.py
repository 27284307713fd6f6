"""ONNX rows of `graphc.ops.normalization`.

ONNX's own operators hold epsilon as float32. In float64 that would show, so that formulas are written out there.
"""

from __future__ import annotations

from graphc.ir.dims import product
from graphc.ir.types import TensorType, normalize_axis
from graphc.runtimes.onnx_lowering import Lowering, Row
from graphc.runtimes.onnx_shapes import reshaped


class _Sheet:
    """Emits arithmetic on tensor names, with statistics over given axes that stay with length 1.

    Attributes:
        wide: for numbers by channel, the axes that `widen` adds, so that they meet a tensor.
    """

    def __init__(self, lowering: Lowering, axes: tuple[int, ...], wide: tuple[int, ...] = ()) -> None:
        self._lowering = lowering
        self._x: TensorType = lowering.type(0)
        self._axes = lowering.ints(axes)
        self._wide = wide

    def __call__(self, op: str, *operands: str | float, to: int | None = None) -> str:
        """One operator of tensors and numbers; ``to`` makes it the node's output of that index."""
        dtype = self._x.dtype
        names = [self._lowering.scalar(x, dtype) if isinstance(x, float) else x for x in operands]
        return self._lowering.emit(op, names, None if to is None else [self._lowering.outputs[to]])[0]

    def sum(self, x: str) -> str:
        return self._lowering.emit("ReduceSum", [x, self._axes], keepdims=1)[0]

    def mean(self, x: str) -> str:
        return self._lowering.emit("ReduceMean", [x, self._axes], keepdims=1)[0]

    def inverse_root(self, variance: str) -> str:
        epsilon = self._lowering.node.attributes["epsilon"]
        return self("Reciprocal", self("Sqrt", self("Add", variance, epsilon)))

    def normalize(self, x: str) -> tuple[str, str]:
        """``x`` with mean 0 and variance 1, and the factor that made it so."""
        centered = self("Sub", x, self.mean(x))
        root = self.inverse_root(self.mean(self("Mul", centered, centered)))
        return self("Mul", centered, root), root

    def widen(self, vector: str) -> str:
        if not self._wide:
            return vector
        return self._lowering.emit("Unsqueeze", [vector, self._lowering.ints(self._wide)])[0]

    def squeeze(self, x: str, to: int) -> None:
        """Make an output from statistics, without the axes they were taken over."""
        self._lowering.emit("Squeeze", [x, self._axes], [self._lowering.outputs[to]])

    def sum_leading(self, x: str, axis: int, to: int) -> None:
        """Make an output from the sum over the axes before ``axis``."""
        if axis == 0:
            self("Identity", x, to=to)
        else:
            axes = self._lowering.ints(range(axis))
            self._lowering.emit("ReduceSum", [x, axes], [self._lowering.outputs[to]], keepdims=0)


def _by_channel(lowering: Lowering) -> _Sheet:
    rank = lowering.type(0).rank
    axis = normalize_axis(lowering.node.attributes["axis"], rank)
    others = tuple(a for a in range(rank) if a != axis)
    return _Sheet(lowering, others, tuple(range(1, rank - axis)))


def _batch_normalization(lowering: Lowering) -> None:
    attributes, shape = lowering.node.attributes, lowering.type(0).shape
    axis = normalize_axis(attributes["axis"], len(shape))
    x, *vectors = lowering.inputs
    if lowering.type(0).dtype == "float64":
        _affine(lowering)
    elif axis == 1:
        # As it is, ONNX Runtime folds it into a convolution before it.
        lowering.emit("BatchNormalization", lowering.inputs, lowering.outputs, epsilon=attributes["epsilon"])
    else:
        # Reshapes that bring the channels to axis 1 cost nothing: measured at half of what broadcast products cost.
        inner = shape[axis + 1 :]
        outer = (product(shape[:axis]), shape[axis], *((product(inner),) if inner else ()))
        operands = [reshaped(lowering, x, outer), *vectors]
        (found,) = lowering.emit("BatchNormalization", operands, epsilon=attributes["epsilon"])
        reshaped(lowering, found, shape, lowering.outputs)


def _affine(lowering: Lowering) -> None:
    x, scale, bias, mean, variance = lowering.inputs
    sheet = _by_channel(lowering)
    gain = sheet("Mul", scale, sheet.inverse_root(variance))
    shift = sheet("Sub", bias, sheet("Mul", mean, gain))
    sheet("Add", sheet("Mul", x, sheet.widen(gain)), sheet.widen(shift), to=0)


def _training(lowering: Lowering) -> None:
    x, scale, bias = lowering.inputs
    sheet = _by_channel(lowering)
    mean = sheet.mean(x)
    centered = sheet("Sub", x, mean)
    variance = sheet.mean(sheet("Mul", centered, centered))
    gain = sheet("Mul", sheet.inverse_root(variance), sheet.widen(scale))
    sheet("Add", sheet("Mul", centered, gain), sheet.widen(bias), to=0)
    sheet.squeeze(mean, to=1)
    sheet.squeeze(variance, to=2)


def _training_grad(lowering: Lowering) -> None:
    x, scale, mean, variance, g = lowering.inputs
    sheet = _by_channel(lowering)
    root = sheet.widen(sheet.inverse_root(variance))
    normalized = sheet("Mul", sheet("Sub", x, sheet.widen(mean)), root)
    weighted = sheet("Mul", g, normalized)
    parts = sheet("Add", sheet.mean(g), sheet("Mul", normalized, sheet.mean(weighted)))
    sheet("Mul", sheet("Sub", g, parts), sheet("Mul", sheet.widen(scale), root), to=0)
    sheet.squeeze(sheet.sum(weighted), to=1)
    sheet.squeeze(sheet.sum(g), to=2)


def _layer_normalization(lowering: Lowering) -> None:
    attributes, rank = lowering.node.attributes, lowering.type(0).rank
    axis = normalize_axis(attributes["axis"], rank)
    if lowering.type(0).dtype != "float64":
        written = {"axis": axis - rank, "epsilon": attributes["epsilon"]}  # from the end, as ONNX's default is
        lowering.emit("LayerNormalization", lowering.inputs, lowering.outputs, **written)
        return
    x, scale, *bias = lowering.inputs
    sheet = _Sheet(lowering, tuple(range(axis, rank)))
    normalized, _ = sheet.normalize(x)
    if bias:
        sheet("Add", sheet("Mul", normalized, scale), bias[0], to=0)
    else:
        sheet("Mul", normalized, scale, to=0)


def _layer_grad(lowering: Lowering) -> None:
    x, scale, g = lowering.inputs
    rank = lowering.type(0).rank
    axis = normalize_axis(lowering.node.attributes["axis"], rank)
    sheet = _Sheet(lowering, tuple(range(axis, rank)))
    normalized, root = sheet.normalize(x)
    u = sheet("Mul", g, scale)
    parts = sheet("Add", sheet.mean(u), sheet("Mul", normalized, sheet.mean(sheet("Mul", u, normalized))))
    sheet("Mul", sheet("Sub", u, parts), root, to=0)
    sheet.sum_leading(sheet("Mul", g, normalized), axis, to=1)
    sheet.sum_leading(g, axis, to=2)


ROWS: dict[str, Row] = {
    "BatchNormalization": _batch_normalization,
    "BatchNormTraining": _training,
    "BatchNormTrainingGrad": _training_grad,
    "LayerNormalization": _layer_normalization,
    "LayerNormalizationGrad": _layer_grad,
}
