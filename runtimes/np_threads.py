"""Kernels on several cores: lanes of steps, dealt to threads.

A *lane* is a list of steps that run one after another. Which lanes there are, and what each computes, follows from
shapes alone; threads only decide when a lane runs. Results are therefore the same bit for bit on any number of cores.

NumPy releases the interpreter's lock inside its loops and products, so plain threads are enough, provided that BLAS
does not start threads of its own inside each of them: `one_blas_thread` sees to that.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache, partial
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np

from graphc.runtimes.kernel import Step

MAX_WORKERS = 16
Lane = Sequence[Step]


def _environment_threads(*names: str) -> int | None:
    """The first of these variables that holds a number of threads."""
    for name in names:
        value = os.environ.get(name, "").split(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            return int(value)
    return None


@cache
def core_count() -> int:
    """How many threads kernels may use: the cores of this process, or fewer where ``OMP_NUM_THREADS`` says so."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only; elsewhere all cores count
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min(cores, _environment_threads("OMP_NUM_THREADS") or cores, MAX_WORKERS))


@cache
def _blas_libraries() -> tuple[Any, ...]:
    """Controllers of the BLAS libraries in this process; none where `threadpoolctl` does not know NumPy's."""
    from threadpoolctl import ThreadpoolController

    return tuple(ThreadpoolController().select(user_api="blas").lib_controllers)


@cache
def _blas_can_be_held() -> bool:
    return bool(_blas_libraries()) or _environment_threads("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS") == 1


class _OneBlasThread:
    """A context in which every BLAS call runs on the thread that makes it.

    The setting belongs to the process, so holders are counted: the first one sets it, and the last one brings back what
    was there before. Entering costs about a microsecond.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._holders = 0
        self._before: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            if self._holders == 0:
                self._before = [(library, library.get_num_threads()) for library in _blas_libraries()]
                for library, threads in self._before:
                    if threads != 1:
                        library.set_num_threads(1)
            self._holders += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._holders -= 1
            if self._holders == 0:
                for library, threads in self._before:
                    if threads != 1:
                        library.set_num_threads(threads)


one_blas_thread = _OneBlasThread()


def worker_count(lanes: int, *, worthwhile: bool, uses_blas: bool) -> int:
    """How many threads to deal lanes to.

    Args:
        lanes: the number of lanes.
        worthwhile: the work outweighs waking a thread (some tens of microseconds).
        uses_blas: the steps call BLAS. Where its own threads cannot be switched off, it keeps the cores to itself.
    """
    if not worthwhile or (uses_blas and not _blas_can_be_held()):
        return 1
    return max(1, min(lanes, core_count()))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="graphc-kernel")


if hasattr(os, "register_at_fork"):  # a forked child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def in_order(steps: Sequence[Step]) -> Step:
    """One step that runs these one after another."""
    if len(steps) == 1:
        return steps[0]
    return partial(_run, steps)


def _run(steps: Sequence[Step]) -> None:
    for step in steps:
        step()


def _run_quietly(steps: Sequence[Step]) -> None:
    with np.errstate(all="ignore"):  # the caller's error state does not reach other threads
        _run(steps)


def run_lanes(lanes: Sequence[Lane], workers: int) -> Step:
    """One step that runs all lanes; lane ``i`` goes to worker ``i % workers``, after that worker's earlier lanes.

    Lanes of one worker may share scratch memory; those of different workers may not.
    """
    shares = [list(chain.from_iterable(lanes[worker::workers])) for worker in range(workers)]
    own = shares[0]
    if workers == 1:
        return in_order(own)
    others = [share for share in shares[1:] if share]

    def step() -> None:
        with one_blas_thread:
            futures: list[Future[None]] = [_pool().submit(_run_quietly, share) for share in others]
            try:
                _run(own)
            finally:
                wait(futures)  # also after an error: the buffers must be at rest before anybody goes on
            for future in futures:
                future.result()

    return step
