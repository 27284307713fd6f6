"""Lanes on threads: the same numbers on any number of cores, errors that come through, and BLAS held and let go."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_cases.case import Array

from graphc.runtimes import np_convolution, np_depthwise, np_normalization, np_pooling, np_threads
from graphc.runtimes.np_threads import run_lanes, worker_count
from graphc.runtimes.np_windows import split_blocks, split_evenly, split_images
from graphc.runtimes.numpy_runtime import evaluate_op


def _numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


NHWC = {"layout": "NHWC"}
SAME = {**NHWC, "pads": "SAME_UPPER"}
CALLS: dict[str, Callable[[], tuple[str, list[Array], dict[str, Any]]]] = {
    "Conv": lambda: ("Conv", [_numbers(13, 9, 8, 6), _numbers(3, 3, 6, 5), _numbers(5)], SAME),
    "Conv-NCHW": lambda: ("Conv", [_numbers(13, 6, 9, 8), _numbers(5, 6, 3, 3)], {"layout": "NCHW"}),
    "Conv-groups": lambda: ("Conv", [_numbers(13, 9, 8, 6), _numbers(3, 3, 3, 4)], {**SAME, "group": 2}),
    "Conv-depthwise": lambda: ("Conv", [_numbers(13, 9, 8, 6), _numbers(3, 3, 1, 6)], {**SAME, "group": 6}),
    "ConvGradInput": lambda: ("ConvGradInput", [_numbers(13, 9, 8, 5), _numbers(3, 3, 6, 5)],
                              {**SAME, "dims": (9, 8)}),
    "ConvGradInput-strided": lambda: ("ConvGradInput", [_numbers(13, 5, 4, 5), _numbers(3, 3, 6, 5)],
                                      {**SAME, "dims": (9, 8), "strides": (2, 2)}),
    "ConvGradWeight": lambda: ("ConvGradWeight", [_numbers(13, 9, 8, 6), _numbers(13, 9, 8, 5)],
                               {**SAME, "kernel_shape": (3, 3)}),
    "ConvGradWeight-depthwise": lambda: ("ConvGradWeight", [_numbers(13, 9, 8, 6), _numbers(13, 9, 8, 6)],
                                         {**SAME, "kernel_shape": (3, 3), "group": 6}),
    "MaxPool": lambda: ("MaxPool", [_numbers(13, 9, 8, 6)], {**SAME, "kernel_shape": (3, 3), "strides": (2, 2)}),
    "AveragePool": lambda: ("AveragePool", [_numbers(13, 9, 8, 6)], {**SAME, "kernel_shape": (3, 3)}),
    "AveragePoolGrad": lambda: ("AveragePoolGrad", [_numbers(13, 9, 8, 6)],
                                {**SAME, "kernel_shape": (3, 3), "dims": (9, 8)}),
    "BatchNormTraining": lambda: ("BatchNormTraining", [_numbers(13, 9, 8, 6), _numbers(6), _numbers(6)],
                                  {"axis": -1}),
    "BatchNormTrainingGrad": lambda: (
        "BatchNormTrainingGrad",
        [_numbers(13, 9, 8, 6), _numbers(6), _numbers(6), np.abs(_numbers(6)), _numbers(13, 9, 8, 6) + 1], {"axis": -1},
    ),
    "LayerNormalization": lambda: ("LayerNormalization", [_numbers(13, 9, 8, 6), _numbers(6), _numbers(6)], {}),
    "LayerNormalizationGrad": lambda: ("LayerNormalizationGrad", [_numbers(1300, 6), _numbers(6), _numbers(1300, 6) + 1],
                                       {}),
}  # fmt: skip


@pytest.fixture
def many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks, each worth a thread."""
    monkeypatch.setattr(np_threads, "_blas_can_be_held", lambda: True)
    monkeypatch.setattr(np_convolution, "_THREAD_FLOPS", 0)
    monkeypatch.setattr(np_convolution, "_MIN_WINDOWS", 50)
    monkeypatch.setattr(np_convolution, "_MAX_WINDOWS", 50)
    for module in (np_depthwise, np_pooling, np_normalization):
        monkeypatch.setattr(module, "_BLOCK", 500)
        monkeypatch.setattr(module, "_THREAD_WORK", 0)


@pytest.mark.usefixtures("many_blocks")
@pytest.mark.parametrize("name", CALLS)
def test_any_number_of_cores_gives_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op, inputs, attributes = CALLS[name]()
    asked: list[int] = []

    def cores() -> int:
        asked.append(count)
        return count

    monkeypatch.setattr(np_threads, "core_count", cores)
    results = []
    for count in (1, 2, 3, 16):  # noqa: B007 (read by `cores`)
        results.append(evaluate_op(op, inputs, attributes))
    assert asked, "the kernel does not use threads"
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.usefixtures("many_blocks")
@pytest.mark.parametrize("name", CALLS)
def test_blocks_give_the_numbers_of_the_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op, inputs, attributes = CALLS[name]()
    in_blocks = evaluate_op(op, inputs, attributes)
    monkeypatch.undo()
    for a, b in zip(in_blocks, evaluate_op(op, inputs, attributes), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_lanes_keep_their_order_and_all_run() -> None:
    done: list[list[int]] = [[] for _ in range(5)]

    def step(lane: int, number: int) -> Callable[[], None]:
        return lambda: done[lane].append(number)

    lanes = [[step(lane, number) for number in range(3)] for lane in range(5)]
    for workers in (1, 2, 7):
        for found in done:
            found.clear()
        run_lanes(lanes, workers)()
        assert done == [[0, 1, 2]] * 5


@pytest.mark.parametrize("lane", [0, 1])
def test_an_error_comes_through_after_the_other_lanes_are_done(lane: int) -> None:
    done: list[str] = []

    def fail() -> None:
        raise MemoryError("no room")

    lanes: list[list[Callable[[], object]]] = [[lambda: done.append("other")], [lambda: done.append("other")]]
    lanes[lane] = [fail]
    with pytest.raises(MemoryError, match="no room"):
        run_lanes(lanes, 2)()
    assert done == ["other"]


def test_other_threads_are_quiet_about_infinities() -> None:
    zeros = np.zeros(3)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        run_lanes([[lambda: None], [lambda: np.divide(1.0, zeros)]], 2)()


class _Library:
    def __init__(self, threads: int) -> None:
        self.threads = threads

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads


def test_blas_is_held_until_the_last_holder_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    library = _Library(4)
    monkeypatch.setattr(np_threads, "_blas_libraries", lambda: (library,))
    with np_threads.one_blas_thread:
        with np_threads.one_blas_thread:
            assert library.threads == 1
        assert library.threads == 1
    assert library.threads == 4


def test_worker_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np_threads, "core_count", lambda: 4)
    monkeypatch.setattr(np_threads, "_blas_can_be_held", lambda: False)
    assert worker_count(9, worthwhile=True, uses_blas=False) == 4
    assert worker_count(3, worthwhile=True, uses_blas=False) == 3
    assert worker_count(0, worthwhile=True, uses_blas=False) == 1
    assert worker_count(9, worthwhile=False, uses_blas=False) == 1
    assert worker_count(9, worthwhile=True, uses_blas=True) == 1, "BLAS has threads of its own that nobody can stop"


@pytest.mark.parametrize(("value", "cores"), [("1", 1), ("3,2", 3), ("many", None), ("0", None), ("", None)])
def test_omp_num_threads_is_obeyed(value: str, cores: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    np_threads.core_count.cache_clear()
    try:
        assert np_threads.core_count() == (cores or 8)
    finally:
        np_threads.core_count.cache_clear()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_threads_of_its_own() -> None:
    script = """
import os, signal
from graphc.runtimes.np_threads import run_lanes
done = []
lanes = [[lambda: done.append(0)], [lambda: done.append(1)]]
run_lanes(lanes, 2)()
child = os.fork()
if child == 0:
    signal.alarm(20)  # a child that waits for its parent's threads would wait for ever
    run_lanes(lanes, 2)()
    os._exit(0 if len(done) == 4 else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(("count", "parts"), [(7, 3), (3, 3), (8, 2), (0, 1)])
def test_even_parts_cover_everything(count: int, parts: int) -> None:
    ranges = split_evenly(count, parts)
    assert [i for first, last in ranges for i in range(first, last)] == list(range(count))
    sizes = [last - first for first, last in ranges]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("images", "counts", "target"), [(5, (4, 3), 30), (3, (7, 2), 5), (1, (9,), 4), (4, (2, 2), 1)]
)
def test_blocks_cover_every_window_once(images: int, counts: tuple[int, ...], target: int) -> None:
    seen = np.zeros((images, counts[0]), int)
    for block in split_blocks(images, counts, target):
        seen[block.images, block.rows] += 1
        assert block.size(counts) < target + np.prod(counts[1:], dtype=int) + 1  # strips are whole rows, shared evenly
    assert (seen == 1).all()


def test_no_images_make_no_blocks() -> None:
    assert split_blocks(0, (4, 3), 10) == []
    assert split_images(0, 12, 100) == []
