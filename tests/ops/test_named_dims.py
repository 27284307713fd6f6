"""Lengths that are known only at run time change nothing: results, gradients and their gradients stay what they are.

Each case is built twice, with integers and with a name for every length but 1 (equal lengths share a name), and run in
NumPy and in ONNX Runtime. So every type rule, VJP rule, kernel and ONNX row meets named dims, and every gradient op is
exported.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from cases import CASES
from op_cases.case import Array, Case
from op_cases.harness import each_case, is_float, operands
from op_cases.onnx_runtime import run_onnx

from graphc.autodiff import gradient
from graphc.errors import GraphcError
from graphc.ir.builder import Builder
from graphc.ir.dtypes import is_float as is_float_dtype
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops.opdef import NotDifferentiable, Trait
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare

NEED_LENGTHS = {
    "ReduceProd-zeros": "a product over a named axis has no second derivative at zeros (see graphc.ops.reduction)",
}
# A key has two elements, and a kernel's window and a loop's body are part of the graph: type rules refuse names there.
NEED_INTEGERS = {"RandomBits", "RandomUniform", "Scan", "Conv", "ConvGradInput", "ConvGradWeight", "ConvTranspose"}


def with_gradients(case: Case, dtype: str, named: bool) -> tuple[Graph, dict[str, Array]]:
    """The case's op with its first and, where it is smooth, second gradients as outputs, and what to feed."""
    arrays = operands(case, dtype)
    graph = Graph(case.op)
    builder = Builder(graph, OPS)
    feeds = {f"x{i}": x for i, x in enumerate(arrays) if x is not None}
    values: list[Value | None] = [
        None if x is None else builder.input(f"x{i}", TensorType.of(x.dtype, _names(x.shape) if named else x.shape))
        for i, x in enumerate(arrays)
    ]
    node = builder.emit_node(case.op, values, **case.attributes)
    graph.outputs.update((f"y{i}", value) for i, value in enumerate(node.outputs))
    results = [v for v in node.outputs if is_float_dtype(v.type.dtype)]
    wrt = _differentiated(case, values)
    smooth = case.second_order if case.second_order is not None else Trait.NON_SMOOTH not in OPS[case.op].traits
    for order in (1, 2) if smooth else (1,):
        if not wrt or not results:
            break
        seeds = [builder.input(f"seed{order}_{i}", v.type) for i, v in enumerate(results)]
        grads = gradient(builder, results, wrt, seeds)
        graph.outputs.update((f"g{order}_{i}", g) for i, g in enumerate(grads) if g is not None)
        results, wrt = [g for g in grads if g is not None], [*wrt, *seeds]
    verify(graph, OPS)
    return graph, feeds


def _names(shape: Sequence[int]) -> tuple[object, ...]:
    return tuple(1 if n == 1 else f"n{n}" for n in shape)


def _differentiated(case: Case, values: Sequence[Value | None]) -> list[Value]:
    if isinstance(OPS[case.op].vjp, NotDifferentiable):
        return []
    indices = (
        [i for i, x in enumerate(case.inputs) if is_float(x)] if case.differentiate is None else case.differentiate
    )
    return [v for i in indices if (v := values[i]) is not None]


@pytest.mark.parametrize("case", each_case(CASES))
def test_named_lengths_change_nothing(case: Case, request: pytest.FixtureRequest) -> None:
    dtype = case.dtypes[-1]
    static, feeds = with_gradients(case, dtype, named=False)
    random = np.random.default_rng(0)
    for value in static.inputs:
        if value.name not in feeds:
            feeds[value.name] = np.asarray(random.standard_normal(value.type.shape), value.type.dtype)  # type: ignore[arg-type]
    wanted = prepare(static).run(feeds)
    try:
        graph, _ = with_gradients(case, dtype, named=True)
    except GraphcError as error:
        if case.op not in NEED_INTEGERS:
            raise
        pytest.skip(f"the type rule needs integers: {error}")
    name = request.node.callspec.id
    if name in NEED_LENGTHS:
        pytest.skip(NEED_LENGTHS[name])
    rtol, atol = {"float16": (2e-3, 2e-3), "float32": (1e-5, 1e-5)}.get(dtype, (1e-9, 1e-9))
    found = prepare(graph).run(feeds)
    for key, array in wanted.items():
        np.testing.assert_allclose(found[key], array, rtol=rtol, atol=atol, err_msg=key)
    if not (case.onnx if isinstance(case.onnx, str) else case.onnx.get(dtype, "")):
        for key, array in zip(graph.outputs, run_onnx(graph, feeds), strict=True):
            np.testing.assert_allclose(array, wanted[key], rtol=rtol, atol=atol, err_msg=key)
