"""Named dims as int64 tensors that the exported file computes from its inputs' shapes, each one once.

A name is read off the first input (or state) that has it as a dim, by ``Shape``; an expression becomes Add, Sub, Mul,
Div, Mod, Max and Min on int64. Every length is a vector of one element, so that a shape is their ``Concat``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from graphc.errors import ExportError
from graphc.ir.dims import DimLike
from graphc.runtimes.kernel import Array


class Emit(Protocol):
    """What the exporter hands in: adds a node of a wanted name and gives its output's name."""

    def __call__(self, op: str, inputs: Sequence[str], wanted: str, **attributes: int) -> str:
        """Add the node."""


class Constant(Protocol):
    """What the exporter hands in: the name of an initializer that holds an array."""

    def __call__(self, array: Array, wanted: str) -> str:
        """Add the initializer, or find its twin."""


@dataclass(frozen=True, slots=True)
class _Length:
    """A computed length: the tensor that holds it, and whether it is known not to be negative."""

    tensor: str
    non_negative: bool


class Dims:
    """The lengths of one exported graph.

    Args:
        sources: dim (a name, or the expression that an input declares) to the tensor and axis that have it.
        emit: adds a node.
        constant: adds an initializer.
    """

    def __init__(self, sources: Mapping[str, tuple[str, int]], emit: Emit, constant: Constant) -> None:
        self._sources = sources
        self._emit = emit
        self._constant = constant
        self._read: dict[str, _Length] = {}
        self._computed: dict[tuple[str, str, str], _Length] = {}
        self._vectors: dict[tuple[DimLike, ...], str] = {}

    def vector(self, dims: Sequence[DimLike]) -> str:
        """The tensor that holds these lengths, in order.

        Raises:
            ExportError: a name is not a dim of any input or state.
        """
        key = tuple(dims)
        if key not in self._vectors:
            parts = [
                self._ints(part) if isinstance(part, list) else self._length(part).tensor for part in _runs_of_ints(key)
            ]
            if len(parts) > 1:
                parts = [self._emit("Concat", parts, f"dims/{_plain(', '.join(map(str, key)))}", axis=0)]
            (self._vectors[key],) = parts
        return self._vectors[key]

    def _ints(self, values: Sequence[int]) -> str:
        return self._constant(np.array(values, dtype=np.int64), f"dims/{'_'.join(map(str, values)) or 'none'}")

    def _length(self, dim: str) -> _Length:
        """The length of a name or an expression; walks the expression without recursion."""
        if dim in self._sources:
            return self._shape(dim)
        done: list[_Length] = []
        todo: list[tuple[ast.expr, bool]] = [(ast.parse(dim, mode="eval").body, False)]
        while todo:
            node, operands_done = todo.pop()
            operands = _operands(node)
            if operands and not operands_done:
                todo.append((node, True))
                todo += [(operand, False) for operand in reversed(operands)]
            elif operands:
                values = done[-len(operands) :]
                del done[-len(operands) :]
                done.append(self._apply(node, values))
            else:
                done.append(self._leaf(node, dim))
        return done.pop()

    def _leaf(self, node: ast.expr, dim: str) -> _Length:
        match node:
            case ast.Name(id=name) if name in self._sources:
                return self._shape(name)
            case ast.Constant(value=int(value)):
                return _Length(self._ints([value]), value >= 0)
            case _:
                what = ast.unparse(node)
                part = f", part of {str(dim)!r}," if what != dim else ""
                known = ", ".join(self._sources) or "none"
                raise ExportError(
                    f"The length of dim {what!r}{part} cannot be computed: no input of the graph has it as a dim "
                    f"(known: {known}). Give an input's shape that name."
                )

    def _shape(self, dim: str) -> _Length:
        if dim not in self._read:
            tensor, axis = self._sources[dim]
            length = self._emit("Shape", [tensor], f"dims/{_plain(dim)}", start=axis, end=axis + 1)
            self._read[dim] = _Length(length, non_negative=True)
        return self._read[dim]

    def _apply(self, node: ast.expr, values: Sequence[_Length]) -> _Length:
        if isinstance(node, ast.UnaryOp):
            return self._binary("Mul", _Length(self._ints([-1]), False), values[0], False)
        a, b = values
        match node:
            case ast.BinOp(op=ast.FloorDiv()):
                return self._floor_divide(a, b)
            case ast.BinOp(op=ast.Mod()):
                return self._binary("Mod", a, b, b.non_negative)  # the divisor's sign, in ONNX as in Python
            case ast.BinOp(op=ast.Sub()):
                return self._binary("Sub", a, b, False)
            case ast.BinOp(op=ast.Add()):
                return self._binary("Add", a, b, a.non_negative and b.non_negative)
            case ast.BinOp(op=ast.Mult()):
                return self._binary("Mul", a, b, a.non_negative and b.non_negative)
            case ast.Call(func=ast.Name(id="max")):
                return self._binary("Max", a, b, a.non_negative or b.non_negative)
            case _:  # min: the grammar of dims has no more
                return self._binary("Min", a, b, a.non_negative and b.non_negative)

    def _floor_divide(self, a: _Length, b: _Length) -> _Length:
        # ONNX's Div truncates towards zero: -1 / 2 is 0 there and -1 here. Without the remainder the division is exact.
        safe = a.non_negative and b.non_negative
        exact = a if safe else self._binary("Sub", a, self._binary("Mod", a, b, b.non_negative), False)
        return self._binary("Div", exact, b, safe)

    def _binary(self, op: str, a: _Length, b: _Length, non_negative: bool) -> _Length:
        key = (op, a.tensor, b.tensor)
        if key not in self._computed:
            self._computed[key] = _Length(self._emit(op, [a.tensor, b.tensor], f"dims/{op}"), non_negative)
        return self._computed[key]


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Call(args=args):
            return args
    return []


def _runs_of_ints(dims: Sequence[DimLike]) -> Iterator[list[int] | str]:
    """The dims, with neighbouring integers as one list."""
    run: list[int] = []
    for dim in dims:
        if isinstance(dim, str):
            if run:
                yield run
                run = []
            yield dim
        else:
            run.append(int(dim))
    if run or not dims:
        yield run


def _plain(text: str) -> str:
    """Names and expressions as a part, of moderate length, of a tensor's name."""
    return re.sub(r"\W+", "_", text)[:80].strip("_")
