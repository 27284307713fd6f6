"""What an imported graph knows of its values before any data: constants, and lengths computed from shapes.

ONNX gives shapes, axes and pads as tensors, which the IR wants as attributes. A tensor that depends on constants alone
is computed; one that also depends on named dims (``Shape`` of a value, then ``Gather``, ``Concat``, ``Mul`` ...) becomes
an array of dims, on which the same operators work by symbolic arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir.dims import Dim, DimLike, dim_max, dim_min
from graphc.ir.dtypes import is_int
from graphc.ir.graph import Node, Value
from graphc.ir.traversal import bodies
from graphc.ops.opdef import Trait
from graphc.ops.registry import OPS
from graphc.runtimes.kernel import Array
from graphc.runtimes.numpy_runtime import evaluate_op

MAX_ELEMENTS = 4096
"""Larger results are not computed at import: a shape has at most 32 lengths, and files may come from anybody."""

_INDEXED = frozenset({"Gather", "GatherElements"})


class _UndecidedError(Exception):
    """A comparison of dims that only the data can decide."""


class Known:
    """Remembers what is known of the values of one graph."""

    def __init__(self) -> None:
        self._found: dict[Value, Array | None] = {}

    def __call__(self, value: Value) -> Array | None:
        """The content of a value: a plain array, one of dtype object that holds dims, or None where data decide.

        Raises:
            GraphcError: a constant expression cannot be computed (an index that is out of range).
        """
        todo = [value]
        while todo:
            wanted = todo[-1]
            if wanted in self._found:
                todo.pop()
                continue
            operands = [v for v in wanted.producer.inputs if v is not None]
            if waiting := [v for v in operands if v not in self._found]:
                todo += waiting
                continue
            todo.pop()
            results = self._evaluate(wanted.producer)
            self._found.update(zip(wanted.producer.outputs, results, strict=True))
        return self._found[value]

    def _evaluate(self, node: Node) -> Sequence[Array | None]:
        if node.op == "Constant":
            return [node.attributes["value"]]
        if node.op == "DimSize":
            dim = node.attributes["dim"]
            return [_boxed([dim], ()) if is_int(node.attributes["dtype"]) else None]
        unknown: list[Array | None] = [None] * len(node.outputs)
        if bodies(node):  # what a body computes between may be large
            return unknown
        if node.op == "Iota" and not _is_large(node):
            return evaluate_op(node.op, [], node.attributes)
        arrays = [None if v is None else self._found[v] for v in node.inputs]
        known = [a for v, a in zip(node.inputs, arrays, strict=True) if v is not None]
        if not known or any(a is None for a in known) or _is_large(node) or _has_names(node.attributes):
            return unknown
        if all(a.dtype != object for a in known if a is not None):
            return evaluate_op(node.op, arrays, node.attributes)
        if Trait.MOVEMENT in OPS[node.op].traits:
            return _moved(node, [a for a in known if a is not None])
        try:
            result = self._computed(node, [a for a in known if a is not None])
        except (_UndecidedError, ZeroDivisionError):
            return unknown
        return unknown if result is None else [result]

    def _computed(self, node: Node, operands: Sequence[Array]) -> Array | None:
        if node.op == "Div" and (whole := _numerator_of_floor(node)) is not None:
            dividend = self._found[whole]
            return None if dividend is None else _elementwise(lambda a, b: a // b, [dividend, operands[1]])
        if node.op in _FUNCTIONS:
            return _elementwise(_FUNCTIONS[node.op], operands)
        if node.op == "Mod" and not node.attributes["fmod"]:
            return _elementwise(lambda a, b: a % b, operands)
        if node.op in _REDUCTIONS:
            reduce, attributes = _REDUCTIONS[node.op], node.attributes
            result = reduce(operands[0], axis=attributes["axes"], keepdims=attributes["keepdims"])
            return result if isinstance(result, np.ndarray) else _boxed([result], ())
        if node.op == "Cast" and is_int(node.attributes["to"]):
            return operands[0]
        return None


def _is_large(node: Node) -> bool:
    types = [v.type for v in (*node.inputs, *node.outputs) if v is not None]
    return any(not isinstance(t.size, int) or t.size > MAX_ELEMENTS for t in types)


def _has_names(attributes: Any) -> bool:
    return any(isinstance(d, Dim) for v in attributes.values() for d in (v if isinstance(v, tuple) else (v,)))


def _boxed(values: Sequence[Any], shape: tuple[int, ...]) -> Array:
    """An array of dtype object; NumPy's own constructor would look into strings."""
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def _moved(node: Node, operands: Sequence[Array]) -> list[Array | None]:
    """An op that only moves elements, run on their positions in a pool of all of them."""
    data = operands[:1] if node.op in _INDEXED else operands
    if any(index.dtype == object for index in operands[len(data) :]):
        return [None]
    pool = np.concatenate([a.astype(object).reshape(-1) for a in data])
    ends = np.cumsum([a.size for a in data])
    positions = [np.arange(end - a.size, end).reshape(a.shape) for a, end in zip(data, ends, strict=True)]
    results = evaluate_op(node.op, [*positions, *operands[len(data) :]], node.attributes)
    return [_boxed([pool[i] for i in found.reshape(-1)], found.shape) for found in results]


def _elementwise(function: Callable[..., Any], operands: Sequence[Array]) -> Array:
    # As plain Python integers: NumPy's own do not know dims.
    broadcast = np.broadcast_arrays(*(a.astype(object) for a in operands))
    return _boxed(
        [function(*each) for each in zip(*(a.reshape(-1) for a in broadcast), strict=True)], broadcast[0].shape
    )


def _is_not_negative(dim: DimLike) -> bool:
    """Lengths are not negative, nor is what they give without subtraction."""
    return dim >= 0 if isinstance(dim, int) else "-" not in dim


def _truncated(a: DimLike, b: DimLike) -> DimLike:
    """ONNX's Div: towards zero."""
    if _is_not_negative(a) and _is_not_negative(b):
        return a // b
    if _is_not_negative(b):
        return dim_max(a, 0) // b - dim_max(-a, 0) // b
    raise _UndecidedError


def _equal(a: DimLike, b: DimLike) -> bool:
    if a == b:
        return True
    difference = a - b
    if isinstance(difference, int) or (isinstance(a, int) and a < 0 and _is_not_negative(b)):
        return False
    if isinstance(b, int) and b < 0 and _is_not_negative(a):
        return False
    raise _UndecidedError


def _numerator_of_floor(node: Node) -> Value | None:
    """``a`` where a Div computes ``(a - a % b) / b``, which is ``a // b``: how graphc's exporter rounds down."""
    difference, divisor = node.inputs
    if difference is None or difference.producer.op != "Sub":
        return None
    whole, rest = difference.producer.inputs
    matches = rest is not None and rest.producer.op == "Mod" and rest.producer.inputs == (whole, divisor)
    return whole if matches and not rest.producer.attributes["fmod"] else None  # type: ignore[union-attr]


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": _truncated,
    "Neg": lambda a: -a,
    "Max": dim_max,
    "Min": dim_min,
    "Equal": _equal,
    "Not": lambda a: not a,
    "Where": lambda condition, a, b: a if condition else b,
}

_REDUCTIONS: dict[str, Callable[..., Any]] = {"ReduceProd": np.multiply.reduce, "ReduceSum": np.add.reduce}
