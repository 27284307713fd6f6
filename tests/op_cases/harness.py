"""From a row of the table of cases to graphs, arrays and tolerances: what the tests in `tests/ops` share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from op_cases.case import Array, Case

from graphc.ir import dtypes
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.runtimes.kernel import Call
from graphc.runtimes.np_kernels import KERNELS
from graphc.runtimes.np_plan import resolve_attributes
from graphc.runtimes.numpy_runtime import plan_body

POISON = 0xA5
"""What fills memory that a kernel must not read before it has written it."""


def is_float(array: Any) -> bool:
    """True for a float array; False for None."""
    return array is not None and np.issubdtype(array.dtype, np.floating)


def case_ids(cases: Sequence[Case]) -> list[str]:
    """A unique name for each case: its op, its id, and a number where that is not enough."""
    seen: dict[str, int] = {}
    names = []
    for case in cases:
        stem = f"{case.op}-{case.id}" if case.id else case.op
        seen[stem] = seen.get(stem, 0) + 1
        names.append(f"{stem}-{seen[stem]}" if seen[stem] > 1 else stem)
    return names


def each_case(cases: Sequence[Case]) -> list[Any]:
    """The cases as pytest parameters."""
    return [pytest.param(case, id=name) for case, name in zip(cases, case_ids(cases), strict=True)]


def each_dtype(cases: Sequence[Case]) -> list[Any]:
    """The cases in each of their float dtypes; once, with dtype "", where no operand is a float."""
    found = []
    for case, name in zip(cases, case_ids(cases), strict=True):
        for dtype in case.dtypes if any(map(is_float, case.inputs)) else ("",):
            found.append(pytest.param(case, dtype, id=f"{name}-{dtype}" if dtype else name))
    return found


def operands(case: Case, dtype: str) -> list[Array | None]:
    """The case's operands, float ones in ``dtype``."""
    with np.errstate(all="ignore"):
        return [x.astype(dtype) if is_float(x) else x for x in case.inputs]  # type: ignore[union-attr]


def expected(case: Case, inputs: Sequence[Array | None], types: Sequence[TensorType]) -> list[Array]:
    """The oracle's results for these very operands, computed in float64 and then rounded to the results' dtypes."""
    wide = [x.astype(np.float64) if is_float(x) else x for x in inputs]  # type: ignore[union-attr]
    with np.errstate(all="ignore"):
        results = case.oracle(*wide, **case.attributes)
        results = results if isinstance(results, tuple) else (results,)
        assert len(results) == len(types)
        return [np.asarray(r).astype(dtypes.numpy_dtype(t.dtype)) for r, t in zip(results, types, strict=True)]


def tolerance(case: Case, dtype: str) -> tuple[float, float]:
    """rtol and atol for a result dtype: the ladder of DESIGN section 6."""
    if dtype == "float16":
        return 1e-3, 1e-3
    if dtype == "float32":
        return case.rtol, case.atol
    return (case.rtol * 1e-6, case.atol * 1e-6) if dtype == "float64" else (0.0, 0.0)


def assert_close(case: Case, actual: Array, wanted: Array, slack: float = 1.0) -> None:
    """Same dtype, same shape, same numbers within the case's tolerance times ``slack``; NaN equals NaN."""
    assert actual.dtype == wanted.dtype
    assert actual.shape == wanted.shape
    rtol, atol = tolerance(case, actual.dtype.name)
    if np.issubdtype(actual.dtype, np.floating):
        actual, wanted = actual.astype(np.float64), wanted.astype(np.float64)
    np.testing.assert_allclose(actual, wanted, rtol=rtol * slack, atol=atol * slack)


# -- kernels ----------------------------------------------------------------------------------------------------------


def poisoned(shape: Iterable[int], dtype: Any) -> Array:
    """Memory that looks like nothing a kernel would produce."""
    array = np.empty(tuple(shape), dtype)
    array.reshape(-1).view(np.uint8).fill(POISON)
    return array


def result_types(case: Case, inputs: Sequence[Array | None]) -> Sequence[TensorType]:
    """What the type rule says of the results."""
    types = [None if x is None else TensorType(dtypes.standardize_dtype(x.dtype), x.shape) for x in inputs]
    return OPS.infer(case.op, types, OPS.attributes(case.op, case.attributes))


def bind_kernel(case: Case, inputs: Sequence[Array | None], outputs: Sequence[Array]) -> Callable[[], None]:
    """The op's kernel bound to these arrays; each call of it finds other kernels' leavings in its scratch memory."""
    attributes = resolve_attributes(OPS.attributes(case.op, case.attributes), {})
    scratch: list[Array] = []

    def give(shape: Sequence[int], dtype: Any) -> Array:
        scratch.append(poisoned(shape, dtype))
        return scratch[-1]

    step = KERNELS[case.op].bind(Call(case.op, inputs, outputs, attributes, give, plan_body))

    def run() -> None:
        for array in scratch:
            array.reshape(-1).view(np.uint8).fill(POISON)
        with np.errstate(all="ignore"):  # as in a plan
            step()

    return run


def kernel_results(case: Case, inputs: Sequence[Array | None]) -> list[Array]:
    """The kernel's results in memory of their own."""
    outputs = [poisoned(t.shape, dtypes.numpy_dtype(t.dtype)) for t in result_types(case, inputs)]  # type: ignore[arg-type]
    bind_kernel(case, inputs, outputs)()
    return outputs


# -- graphs -----------------------------------------------------------------------------------------------------------


@dataclass
class Built:
    """A graph of one node, and what to feed it.

    Attributes:
        node: the node of the case's op; its results are the graph's outputs ``y0``, ``y1`` ...
        values: the inputs ``x0``, ``x1`` ..., None where an operand is absent.
    """

    graph: Graph
    builder: Builder
    node: Node
    values: list[Value | None]
    feeds: dict[str, Array]


def build(case: Case, dtype: str, symbolic: bool = False) -> Built:
    """The case as a graph; with ``symbolic``, its first dim that is not 1 is called ``batch`` wherever it leads."""
    arrays = operands(case, dtype)
    graph = Graph(case.op)
    builder = Builder(graph, OPS)
    values: list[Value | None] = []
    leading = next((x.shape for x in arrays if x is not None and x.ndim and x.shape[0] != 1), ())
    for i, array in enumerate(arrays):
        if array is None:
            values.append(None)
            continue
        shape: tuple[Any, ...] = array.shape
        if symbolic and leading and array.ndim == len(leading) and array.shape[0] == leading[0]:
            shape = ("batch", *shape[1:])
        values.append(builder.input(f"x{i}", TensorType.of(array.dtype, shape)))
    node = builder.emit_node(case.op, values, **case.attributes)
    graph.outputs.update((f"y{i}", value) for i, value in enumerate(node.outputs))
    feeds = {f"x{i}": array for i, array in enumerate(arrays) if array is not None}
    return Built(graph, builder, node, values, feeds)
