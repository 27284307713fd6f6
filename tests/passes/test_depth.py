"""Every pass on 10,000 nodes: chains, values with many users, and much to do."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from graphc.ir.builder import Builder
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.passes.base import Options, run_passes
from graphc.passes.pipelines import PASSES, PIPELINES
from graphc.runtimes.numpy_runtime import evaluate_op

COUNT = 10_000


def start(*shape: int | str) -> tuple[Builder, object]:
    build = Builder(Graph("deep"), OPS)
    return build, build.input("x", TensorType.of("float32", shape))


def nothing_to_do(count: int) -> Graph:
    build, value = start("n", 2)
    for _ in range(count):
        value = build.emit("Tanh", value)
    build.graph.outputs["y"] = value
    return build.graph


def all_dead(count: int) -> Graph:
    graph = nothing_to_do(count)
    graph.outputs["y"] = graph.inputs[0]
    return graph


def all_constant(count: int) -> Graph:
    build = Builder(Graph("deep"), OPS)
    value = build.constant(np.ones(2, np.float32))
    for _ in range(count):
        value = build.emit("Neg", value)
    build.graph.outputs["y"] = value
    return build.graph


def all_equal(count: int) -> Graph:
    build, x = start("n", 2)
    for i in range(count):
        build.graph.outputs[f"y{i}"] = build.emit("Tanh", x)
    return build.graph


def all_neutral(count: int) -> Graph:
    build, value = start("n", 2)
    one = build.constant(1.0)
    for _ in range(count):
        value = build.emit("Mul", value, one)
    build.graph.outputs["y"] = value
    return build.graph


def all_transposes(count: int) -> Graph:
    build, value = start(2, 3, 4)
    for _ in range(count):
        value = build.emit("Transpose", value, perm=(1, 2, 0))
    build.graph.outputs["y"] = value
    return build.graph


def all_affine(count: int) -> Graph:
    build, value = start("n", 2)
    w, b = build.constant(np.eye(2, dtype=np.float32)), build.constant(np.ones(2, np.float32))
    for _ in range(count // 2):
        value = build.emit("Add", build.emit("MatMul", value, w), b)
    build.graph.outputs["y"] = value
    return build.graph


def all_pools(count: int) -> Graph:
    build, value = start("n", 3, 2, 4)
    for _ in range(count // 2):
        value = build.emit("Tanh", build.emit("MaxPool", value, kernel_shape=(1, 1), layout="NHWC"))
    build.graph.outputs["y"] = value
    return build.graph


def wide_concat(count: int) -> Graph:
    build, x = start("n", 1)
    one = build.constant(1.0)
    build.graph.outputs["y"] = build.emit("Concat", *(build.emit("Mul", x, one) for _ in range(count)), axis=1)
    return build.graph


GRAPHS = [
    *(nothing_to_do, all_dead, all_constant, all_equal, all_neutral),
    *(all_transposes, all_affine, all_pools, wide_concat),
]


@contextmanager
def little_stack() -> Iterator[None]:
    """Fails what recurses once per node."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.slow
@pytest.mark.parametrize("make", GRAPHS)
def test_every_pass_on_ten_thousand_nodes(make: Callable[[int], Graph]) -> None:
    graph = make(COUNT)
    options = Options(evaluate=evaluate_op)
    with little_stack():
        for info in PASSES.values():
            run_passes(graph, [info.run], options)


@pytest.mark.parametrize("make", GRAPHS)
def test_pipelines_on_ten_thousand_nodes(make: Callable[[int], Graph]) -> None:
    options = Options(evaluate=evaluate_op)
    with little_stack():
        graph = make(COUNT)
        run_passes(graph, PIPELINES["O2"], options)


@pytest.mark.slow
@pytest.mark.parametrize("make", GRAPHS)
def test_time_is_linear(make: Callable[[int], Graph]) -> None:
    options = Options(evaluate=evaluate_op)

    def seconds(count: int) -> float:
        graph = make(count)
        gc.collect()
        gc.disable()  # its pauses grow with all that is alive, whoever made it
        begin = time.process_time()
        run_passes(graph, PIPELINES["O2"], options)
        spent = time.process_time() - begin
        gc.enable()
        return spent

    # Eight times the nodes: 8 if linear, 64 if quadratic; sorting and caches take a little more than the first.
    assert min(seconds(16_000) for _ in range(2)) < 24 * min(seconds(2_000) for _ in range(3))
