"""Cases of `graphc.ops.scan`: bodies as text, answers from plain Python loops.

The dtypes of a body are fixed, so these cases run in float64 only; float32 is in `tests/ops/test_scan.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import integers, numbers

from graphc.ir.graph import Graph
from graphc.ir.parser import parse_graph
from graphc.ops.registry import OPS

Rows = tuple[Sequence[Any], Sequence[Any]]


def loop(step: Callable[..., Rows]) -> Callable[..., tuple[Array, ...]]:
    """The oracle of a step: ``step(*states, *slices, *invariants)`` gives the new states and the results."""

    def oracle(
        *operands: Array, body: Graph, num_states: int, num_scanned: int, reverse: bool = False
    ) -> tuple[Array, ...]:
        del body
        states, scanned = list(operands[:num_states]), operands[num_states : num_states + num_scanned]
        invariants = operands[num_states + num_scanned :]
        times = list(range(len(scanned[0])))[:: -1 if reverse else 1]
        entries: dict[int, list[Any]] = {}
        results: dict[int, Sequence[Any]] = {}
        for t in times:
            entries[t] = list(states)
            states, results[t] = step(*states, *(x[t] for x in scanned), *invariants)  # type: ignore[assignment]
        ordered = sorted(times)
        _, shapes = step(*states, *(np.zeros(x.shape[1:], x.dtype) for x in scanned), *invariants)
        stacked = [
            np.array([results[t][i] for t in ordered]).reshape(len(ordered), *np.shape(r)) for i, r in enumerate(shapes)
        ]
        before = [
            np.array([entries[t][i] for t in ordered]).reshape(len(ordered), *np.shape(s)) for i, s in enumerate(states)
        ]
        return (*states, *stacked, *before)

    return oracle


def case(text: str, step: Callable[..., Rows], operands: list[Array], states: int, scanned: int, **more: Any) -> Case:
    reverse = more.pop("reverse", False)
    attributes = {"body": parse_graph(text, OPS), "num_states": states, "num_scanned": scanned, "reverse": reverse}
    return Case("Scan", operands, loop(step), attributes, dtypes=("float64",), **more)


RNN = """graph rnn {
  %h: float64[2, 4] = Input()
  %x: float64[2, 3] = Input()
  %w: float64[3, 4] = Input()
  %u: float64[4, 4] = Input()
  %xw: float64[2, 4] = MatMul(%x, %w)
  %hu: float64[2, 4] = MatMul(%h, %u)
  %sum: float64[2, 4] = Add(%xw, %hu)
  %new: float64[2, 4] = Tanh(%sum)
  output state = %new
  output result = %new
}"""


def rnn(h: Array, x: Array, w: Array, u: Array) -> Rows:
    new = np.tanh(x @ w + h @ u)
    return [new], [new]


def rnn_case(steps: int, name: str, **more: Any) -> Case:
    operands = [numbers((2, 4)), numbers((steps, 2, 3)), numbers((3, 4)), numbers((4, 4), -0.5, 0.5)]
    return case(RNN, rnn, operands, 1, 1, id=name, **more)


# Two states that change places, one of them counted; two scanned operands; a result of each kind.
SWAP = """graph swap {
  %a: float64[3] = Input()
  %b: float64[3] = Input()
  %n: int32[] = Input()
  %x: float64[3] = Input()
  %y: float64[] = Input()
  %c: float64[3] = Input()
  %unused: float64[2] = Input()
  %one: int32[] = Constant() {value = 1}
  %more: int32[] = Add(%n, %one)
  %xy: float64[3] = Mul(%x, %y)
  %sin: float64[3] = Sin(%a)
  %new: float64[3] = Add(%sin, %xy)
  %scaled: float64[3] = Mul(%b, %c)
  output first = %scaled
  output second = %new
  output count = %more
  output entry = %a
  output invariant = %c
  output slice = %y
  output doubled = %xy
}"""


def swap(a: Array, b: Array, n: Any, x: Array, y: Any, c: Array, unused: Array) -> Rows:
    del unused
    return [b * c, np.sin(a) + x * y, n + 1], [a, c, y, x * y]


def swap_case(steps: int, name: str, **more: Any) -> Case:
    operands = [
        *(numbers((3,)), numbers((3,)), integers((), 3, 3, "int32"), numbers((steps, 3))),
        *(numbers((steps,)), numbers((3,)), numbers((2,))),
    ]
    return case(SWAP, swap, operands, 3, 2, id=name, **more)


MAP = """graph map {
  %x: float64[4] = Input()
  %w: float64[4] = Input()
  %product: float64[4] = Mul(%x, %w)
  %y: float64[4] = Exp(%product)
  output result = %y
}"""


def mapped(x: Array, w: Array) -> Rows:
    return [], [np.exp(x * w)]


# Each row of a matrix is scanned by a loop inside the loop, whose state starts from the outer one.
NESTED = """graph rows {
  %h: float64[2] = Input()
  %row: float64[3, 2] = Input()
  %w: float64[2] = Input()
  %inner: (float64[2], float64[3, 2], float64[3, 2]) = Scan(%h, %row, %w) {body = graph cells {
    %c: float64[2] = Input()
    %x: float64[2] = Input()
    %w: float64[2] = Input()
    %cw: float64[2] = Mul(%c, %w)
    %sum: float64[2] = Add(%cw, %x)
    %tanh: float64[2] = Tanh(%sum)
    output state = %tanh
    output result = %sum
  }, num_states = 1, num_scanned = 1, reverse = true}
  output state = %inner
  output result = %inner:1
}"""


def nested(h: Array, row: Array, w: Array) -> Rows:
    sums = np.zeros_like(row)
    for i in reversed(range(len(row))):
        sums[i] = h * w + row[i]
        h = np.tanh(sums[i])
    return [h], [sums]


CASES: list[Case] = [
    rnn_case(5, "rnn"),
    rnn_case(5, "rnn_reverse", reverse=True),
    rnn_case(1, "rnn_one_step"),
    rnn_case(0, "rnn_no_step", onnx="ONNX Runtime refuses to scan over an axis of length 0"),
    swap_case(4, "swap"),
    swap_case(4, "swap_reverse", reverse=True),
    case(MAP, mapped, [numbers((3, 4)), numbers((4,))], 0, 1, id="map"),
    case(NESTED, nested, [numbers((2,)), numbers((4, 3, 2)), numbers((2,))], 1, 1, id="nested"),
]
