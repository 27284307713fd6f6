"""Cases of `graphc.ops.softmax`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import ALL_FLOATS, integers, name_of, numbers

SHAPES: tuple[tuple[tuple[int, ...], int], ...] = (
    ((3, 5), -1),
    ((2, 3, 4), -1),
    ((2, 3, 4), 1),
    ((2, 3, 4), 0),
    ((4, 1), 1),
    ((7,), 0),
    ((2, 70), -1),  # longer rows take another way to their maximum
    ((0, 3), 1),
    ((3, 0), 1),
)


def softmax(x: Array, axis: int = -1) -> Array:
    """The definition, after a shift that it does not depend on."""
    powers = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def log_softmax(x: Array, axis: int = -1) -> Array:
    """The definition, after a shift that it does not depend on."""
    x = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
    with np.errstate(divide="ignore"):  # log(0), of no classes
        return np.asarray(x - np.log(np.exp(x).sum(axis=axis, keepdims=True)))


def softmax_grad(g: Array, y: Array, axis: int = -1) -> Array:
    """The product with the Jacobian, written out."""
    g, y = np.moveaxis(g, axis, -1), np.moveaxis(y, axis, -1)
    jacobian = y[..., :, None] * (np.eye(y.shape[-1]) - y[..., None, :])
    return np.moveaxis((g[..., :, None] * jacobian).sum(-2), -1, axis)


def log_softmax_grad(g: Array, y: Array, axis: int = -1) -> Array:
    """The product with the Jacobian, written out."""
    g, y = np.moveaxis(g, axis, -1), np.moveaxis(y, axis, -1)
    jacobian = np.eye(y.shape[-1]) - np.exp(y[..., None, :])
    return np.moveaxis((g[..., :, None] * jacobian).sum(-2), -1, axis)


def cross_entropy(logits: Array, labels: Array, axis: int = -1) -> Array:
    """Sample by sample."""
    logs = np.moveaxis(log_softmax(logits, axis), axis, -1)
    return np.array([-logs[i][label] for i, label in np.ndenumerate(labels)]).reshape(labels.shape)


def cross_entropy_grad(logits: Array, labels: Array, g: Array, axis: int = -1) -> Array:
    """Sample by sample."""
    result = np.moveaxis(softmax(logits, axis), axis, -1).copy()
    for i, label in np.ndenumerate(labels):
        result[i][label] -= 1
        result[i] *= g[i]
    return np.moveaxis(result, -1, axis)


def of_one(op: str, oracle: Callable[..., Array], onnx_of_nan: Mapping[str, str]) -> list[Case]:
    """All shapes, logits that would overflow, and special numbers."""
    return [
        *(
            Case(op, [numbers(shape)], oracle, {"axis": axis}, dtypes=ALL_FLOATS, rtol=1e-5, atol=1e-6,
                 id=f"{name_of(shape)}-{axis}")
            for shape, axis in SHAPES
        ),
        Case(op, [np.array([[1000.0, 999.0, 990.0], [-1000.0, -1001.0, -2000.0]])], oracle, differentiate=(), rtol=1e-5,
             id="large"),
        Case(op, [np.array([[1.0, -np.inf, 2.0], [np.nan, 1.0, 2.0]])], oracle, differentiate=(), rtol=1e-5,
             onnx=onnx_of_nan, id="special"),
    ]  # fmt: skip


def gradient_of(op: str, oracle: Callable[..., Array], result: Callable[[Array, int], Array]) -> list[Case]:
    """All shapes, at results that the op can have."""
    return [
        Case(op, [numbers(shape), result(numbers(shape), axis)], oracle, {"axis": axis}, dtypes=ALL_FLOATS, rtol=1e-5,
             atol=1e-6, id=f"{name_of(shape)}-{axis}")
        for shape, axis in SHAPES
    ]  # fmt: skip


def with_labels(shape: tuple[int, ...], axis: int, dtype: str = "int64") -> tuple[Array, Array]:
    """Logits and labels, the first and the last class among them."""
    samples = np.delete(shape, axis)
    return numbers(shape), integers(samples, 0, shape[axis] - 1, dtype)


CLASSIFIED: tuple[tuple[tuple[int, ...], int, str], ...] = (
    ((6, 5), -1, "int64"),
    ((6, 5), 1, "int32"),
    ((5, 6), 0, "int64"),
    ((2, 4, 3), -1, "int32"),
    ((2, 5, 3, 4), 1, "int64"),
    ((7,), 0, "int64"),
    ((4, 1), -1, "int64"),
    ((6, 5), -1, "uint8"),
    ((6, 5), -1, "int8"),
    ((3, 300), -1, "uint64"),
    ((0, 3), 1, "int64"),
)
# Far from the label the loss keeps all its digits; close to 1, the probability of the label has lost them.
CONFIDENT = np.array([[30.0, 0.0, -30.0], [1000.0, 0.0, -1000.0], [0.0, 500.0, 1.0]])


def cross_entropy_cases() -> list[Case]:
    """The loss and its gradient for the same logits and labels."""
    cases = []
    for shape, axis, dtype in CLASSIFIED:
        logits, labels = with_labels(shape, axis, dtype)
        name = f"{name_of(shape)}-{axis}-{dtype}"
        dtypes = ALL_FLOATS if dtype == "int64" else ("float32", "float64")
        cases += [
            Case("SparseSoftmaxCrossEntropy", [logits, labels], cross_entropy, {"axis": axis}, dtypes=dtypes, rtol=1e-5,
                 atol=1e-6, id=name),
            Case("SparseSoftmaxCrossEntropyGrad", [logits, labels, numbers(labels.shape)], cross_entropy_grad,
                 {"axis": axis}, dtypes=dtypes, rtol=1e-5, atol=1e-6, id=name),
        ]  # fmt: skip
    labels = np.array([1, 2, 1])
    return [
        *cases,
        Case("SparseSoftmaxCrossEntropy", [CONFIDENT, labels], cross_entropy, differentiate=(), rtol=1e-5,
             id="confident"),
        Case("SparseSoftmaxCrossEntropyGrad", [CONFIDENT, labels, np.ones(3)], cross_entropy_grad, differentiate=(),
             rtol=1e-5, id="confident"),
    ]  # fmt: skip


CASES = [
    *of_one("Softmax", softmax, {}),
    *of_one("LogSoftmax", log_softmax, {"float64": "ONNX Runtime's float64 LogSoftmax loses NaN"}),
    *gradient_of("SoftmaxGrad", softmax_grad, softmax),
    *gradient_of("LogSoftmaxGrad", log_softmax_grad, log_softmax),
    *cross_entropy_cases(),
]
