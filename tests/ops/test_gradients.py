"""Every VJP rule against finite differences in float64, and the gradient of the gradient the same way.

One random direction and one random cotangent test all elements of a Jacobian at once: ``c . (J d)`` from the function's
values must be ``(c J) . d`` from the rule. Four points make the difference exact to the fourth order of the step.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from cases import CASES
from op_cases.case import Array, Case
from op_cases.harness import Built, build, each_case, is_float

from graphc.autodiff import gradient
from graphc.ir.dtypes import is_float as is_float_dtype
from graphc.ir.graph import Value
from graphc.ir.verify import verify
from graphc.ops.opdef import NotDifferentiable, Trait
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare

STEP = 1e-4
RTOL = 1e-6


def differentiated(case: Case) -> list[int]:
    """The operands whose gradient is checked."""
    if isinstance(OPS[case.op].vjp, NotDifferentiable):
        return []
    if case.differentiate is not None:
        return list(case.differentiate)
    return [i for i, x in enumerate(case.inputs) if is_float(x)]


def is_smooth(case: Case) -> bool:
    """Whether the second order is checked."""
    return case.second_order if case.second_order is not None else Trait.NON_SMOOTH not in OPS[case.op].traits


FIRST = [case for case in CASES if differentiated(case)]


def check(
    built: Built, results: Sequence[Value], wrt: Sequence[Value], random: np.random.Generator
) -> tuple[list[Value], list[Value]]:
    """Compare the gradient of ``results`` with finite differences; give the gradients that exist and their seeds."""
    graph, builder, feeds = built.graph, built.builder, built.feeds
    seeds = []
    for result in results:
        seed = builder.input(graph.unique_name("seed"), result.type)
        feeds[seed.name] = random.standard_normal(result.type.shape)
        seeds.append(seed)
    grads = gradient(builder, results, wrt, seeds)
    graph.outputs = {f"y{i}": v for i, v in enumerate(results)}
    graph.outputs.update((f"g{i}", g) for i, g in enumerate(grads) if g is not None)
    verify(graph, OPS)
    executable = prepare(graph)
    direction = {v.name: random.standard_normal(v.type.shape) for v in wrt}

    def value(t: float) -> float:
        moved = {name: x + t * direction[name] if name in direction else x for name, x in feeds.items()}
        run = executable.run(moved)
        return sum(float(np.sum(feeds[s.name] * run[f"y{i}"])) for i, s in enumerate(seeds))

    numeric = (8 * (value(STEP) - value(-STEP)) - (value(2 * STEP) - value(-2 * STEP))) / (12 * STEP)
    gradients: Mapping[str, Array] = executable.run(feeds)
    terms = []
    for i, (v, g) in enumerate(zip(wrt, grads, strict=True)):
        if g is not None:
            assert g.type == v.type
            terms.append(gradients[f"g{i}"] * direction[v.name])
    symbolic = sum(float(t.sum()) for t in terms)
    size = sum(float(np.abs(t).sum()) for t in terms)
    np.testing.assert_allclose(symbolic, numeric, rtol=RTOL, atol=1e-3 * RTOL * (1.0 + size))
    return [g for g in grads if g is not None], seeds


@pytest.mark.parametrize("case", each_case(FIRST))
def test_gradient_is_the_directional_derivative(case: Case) -> None:
    random = np.random.default_rng(zlib.crc32(case.op.encode()))
    built = build(case, "float64")
    results = [v for v in built.node.outputs if is_float_dtype(v.type.dtype)]
    wrt = [v for i in differentiated(case) if (v := built.values[i]) is not None]
    grads, seeds = check(built, results, wrt, random)
    if is_smooth(case) and grads:
        check(built, grads, [*wrt, *seeds], random)
