"""Typed graphs for hypothesis: shared values, dead code, outputs that are intermediates, states, lengths 0 and 1.

Two kinds of graph, so that results can be compared to the last bit although NumPy sums in an order that depends on how an
array lies in memory. `exact_graphs` compute with small integers only, which every order of summing gives exactly.
`special_graphs` compute with anything, NaN and infinities included, but never sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from graphc.errors import GraphcError
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.ops.opdef import Trait
from graphc.ops.registry import OPS

LENGTHS = (0, 1, 2, 3, 5, "n")
SHAPES = [(), (3,), ("n",), (2, 3), (3, 2), ("n", 3), (1, 3), ("n", 1), (2, 1, 3), ("n", 2, 3), (0, 3), (5, 5)]
UNARY = ("Neg", "Abs", "Sign", "Relu", "Floor", "Identity", "StopGradient")
ROUNDED = ("Tanh", "Sigmoid", "Exp", "Sqrt", "Reciprocal", "Log", "Softplus")
BINARY = ("Add", "Sub", "Mul", "Max", "Min")
NUMBERS = (0.0, -0.0, 1.0, -1.0, 2.0, 3.0)

Step = Callable[["_Making"], Value]


class _Making:
    """A graph under construction."""

    def __init__(self, draw: st.DrawFn, dtype: str) -> None:
        self.draw = draw
        self.dtype = dtype
        self.graph = Graph("generated")
        self.build = Builder(self.graph, OPS)
        self.pool: list[Value] = []

    def pick(self) -> Value:
        """A value from before, the last one more often: rewrites look for certain ops in a row."""
        last = len(self.pool) - 1
        return self.pool[self.draw(st.just(last) | st.integers(max(0, last - 3), last) | st.integers(0, last))]

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def axis(self, x: Value) -> int:
        return self.draw(st.integers(0, x.type.rank - 1)) if x.type.rank else 0

    def fits(self, x: Value, y: Value, last: int = 0) -> bool:
        """False where a named length would meet another one before the ``last`` axes: the data would decide."""
        pairs = list(zip(reversed(x.type.shape), reversed(y.type.shape), strict=False))
        return all(a == b or 1 in (a, b) for a, b in pairs[last:])


def _constant(m: _Making) -> Value:
    shape = m.one_of((), (1,), (3,), (2, 3), (1, 1), (3, 3))
    if m.draw(st.booleans()):
        array = np.full(shape, m.one_of(*NUMBERS))
    else:
        array = np.array(m.draw(st.lists(st.sampled_from(NUMBERS), min_size=9, max_size=9)))[: int(np.prod(shape))]
    return m.build.constant(array.reshape(shape).astype(m.dtype))


def _unary(m: _Making) -> Value:
    return m.build.emit(m.one_of(*UNARY), m.pick())


def _rounded(m: _Making) -> Value:
    return m.build.emit(m.one_of(*ROUNDED), m.pick())


def _binary(m: _Making) -> Value:
    x, y = m.pick(), m.pick()
    return m.build.emit(m.one_of(*BINARY), x, y if m.fits(x, y) else x)


def _with_number(m: _Making) -> Value:
    x, c = m.pick(), m.build.constant(m.one_of(*NUMBERS), m.dtype)
    return m.build.emit(m.one_of("Add", "Sub", "Mul", "Max"), *m.one_of((x, c), (c, x)))


def _divided(m: _Making) -> Value:
    return m.build.emit(m.one_of("Div", "Pow"), m.pick(), m.build.constant(1.0, m.dtype))


def _clip(m: _Making) -> Value:
    low = m.build.constant(m.one_of(*NUMBERS), m.dtype)
    return m.build.emit("Clip", m.pick(), *m.one_of((low,), (None, low)))


def _where(m: _Making) -> Value:
    x, y = m.pick(), m.pick()
    y = y if m.fits(x, y) else x
    return m.build.emit("Where", m.build.emit(m.one_of("Greater", "Equal"), x, y), x, y)


def _cast(m: _Making) -> Value:
    wide = m.build.emit("Cast", m.pick(), to="float64")
    return m.build.emit("Cast", wide, to=m.dtype)


def _transpose(m: _Making) -> Value:
    x = m.pick()
    return m.build.emit("Transpose", x, perm=m.draw(st.permutations(range(x.type.rank))))


def _reshape(m: _Making) -> Value:
    x = m.pick()
    shape = x.type.shape
    flat: tuple[Any, ...] = (-1,) if 0 not in shape else shape
    return m.build.emit("Reshape", x, shape=m.one_of(shape, flat, (*shape, 1), (1, *shape), tuple(reversed(shape))))


def _unit_axes(m: _Making) -> Value:
    x = m.pick()
    units = tuple(i for i, dim in enumerate(x.type.shape) if dim == 1)
    return m.build.emit("Squeeze", x, axes=units) if units else m.build.emit("Unsqueeze", x, axes=(m.axis(x),))


def _slice(m: _Making) -> Value:
    x = m.pick()
    start, end, step = m.one_of((0, 2**63 - 1, 1), (0, 2, 1), (1, 2**63 - 1, 1), (2**63 - 1, -(2**63), -1), (0, 9, 2))
    return m.build.emit("Slice", x, starts=(start,), ends=(end,), axes=(m.axis(x),), steps=(step,))


def _pad(m: _Making) -> Value:
    x = m.pick()
    axis, rank = m.axis(x), x.type.rank
    sides = [0] * (2 * rank)
    if sides:
        sides[axis], sides[rank + axis] = m.one_of((0, 0), (1, 0), (0, 2), (1, -1))
    return m.build.emit("Pad", x, pads=sides, value=m.one_of(*NUMBERS))


def _join(m: _Making) -> Value:
    x = m.pick()
    return m.build.emit("Concat", *[x] * m.one_of(1, 2), axis=m.axis(x))


def _split(m: _Making) -> Value:
    x = m.pick()
    axis = m.axis(x)
    length = x.type.shape[axis] if x.type.rank else 1
    sizes = (length,) if isinstance(length, Dim) or length < 2 else (1, length - 1)
    return m.one_of(*m.build.emit_node("Split", [x], sizes=sizes, axis=axis).outputs)


def _expand(m: _Making) -> Value:
    x = m.pick()
    return m.build.emit("Expand", x, shape=m.one_of(x.type.shape, (2, *x.type.shape), (1,)))


def _reduce(m: _Making) -> Value:
    x = m.pick()
    op = m.one_of("ReduceSum", "ReduceMax", "ReduceMin")
    return m.build.emit(op, x, axes=(m.axis(x),), keepdims=m.draw(st.booleans()))


def _product(m: _Making) -> Value:
    x, y = m.pick(), m.pick()
    y = m.build.emit("Transpose", y) if m.draw(st.booleans()) else y
    if x.type.shape[-1] != y.type.shape[-2:][0] or not m.fits(x, y, last=2):
        raise ValueError("named lengths would have to agree")
    return m.build.emit("MatMul", x, y)


def _affine(m: _Making) -> Value:
    x = m.pick()
    width = int(x.type.shape[-1])
    w = m.build.constant(np.arange(width * 2).reshape(width, 2) % 3 - 1.0, m.dtype)
    return m.build.emit("Add", m.build.emit("MatMul", x, w), m.build.constant(np.array([1.0, -1.0]), m.dtype))


def _again(m: _Making) -> Value:
    """A node once more: as it is, with its operands swapped, or applied to its own result."""
    node = m.one_of(*(n for n in m.graph.nodes() if n.inputs and len(n.outputs) == 1))
    choices = [node.inputs]
    if Trait.ELEMENTWISE in OPS[node.op].traits:  # elsewhere named lengths might then not agree
        choices.append(tuple(reversed(node.inputs)))
    if node.inputs[0] is not None and node.output.type == node.inputs[0].type:
        choices.append((node.output, *node.inputs[1:]))
    operands = m.one_of(*choices)
    return m.build.emit(node.op, *operands, **node.attributes)


_EVERYWHERE: tuple[Step, ...] = (
    *(_constant, _unary, _binary, _with_number, _divided, _clip, _where, _cast),
    *(_transpose, _reshape, _unit_axes, _slice, _pad, _join, _split, _expand),
    *(_again, _again, _again, _with_number),
)
_SUMS: tuple[Step, ...] = (_reduce, _product, _affine)
_ROUNDING: tuple[Step, ...] = (_rounded, _rounded)


@st.composite
def _graphs(draw: st.DrawFn, steps: tuple[Step, ...], dtype: str) -> Graph:
    m = _Making(draw, dtype)
    for i in range(draw(st.integers(1, 2))):
        m.pool.append(m.build.input(f"x{i}", TensorType.of(dtype, m.one_of(*SHAPES))))
    for i in range(draw(st.integers(0, 2))):
        shape = m.one_of((), (3,), (2, 3), (3, 3))
        m.pool.append(m.build.state(f"s{i}", TensorType.of(dtype, shape)))
    for _ in range(draw(st.integers(1, 16))):
        step = draw(st.sampled_from(steps))
        try:
            value = step(m)
        except (GraphcError, ValueError, TypeError, IndexError):
            continue  # these operands do not fit; what was emitted on the way is dead code
        if value.type.dtype == dtype and value.type.rank <= 4 and _is_small(value.type):
            m.pool.append(value)
    m.graph.outputs["last"] = m.pool[-1]
    for i in range(draw(st.integers(0, 4))):
        m.graph.outputs[f"y{i}"] = m.pick()
    for name, state in m.graph.states().items():
        fitting = [value for value in m.pool if value.type == state.type]
        if draw(st.booleans()):
            m.graph.updates[name] = draw(st.sampled_from(fitting))
    return m.graph


def _is_small(type_: TensorType) -> bool:
    return all(isinstance(dim, str) or dim <= 12 for dim in type_.shape)


def exact_graphs() -> st.SearchStrategy[Graph]:
    """Graphs in float64 whose results are whole numbers when what is fed is."""
    return _graphs((*_EVERYWHERE, *_SUMS), "float64")


def special_graphs() -> st.SearchStrategy[Graph]:
    """Graphs in float32 without sums, for any numbers."""
    return _graphs((*_EVERYWHERE, *_ROUNDING), "float32")
