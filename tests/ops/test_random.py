"""Counter-based random bits: how random they are, and that they are the same everywhere.

Everything here is a pure function of fixed keys, so a test that passes once always passes. Bounds are five standard
deviations, or a probability of one in a hundred thousand.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from op_cases.case import Array
from op_cases.onnx_runtime import run_onnx

from graphc.ir.builder import Builder
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.random import random_bits, random_uniform, stream_words
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import evaluate_op, prepare

WORDS = 1 << 18
SIGMAS = 5.0


def by_step() -> Array:
    """The first word of 4,096 streams that follow each other."""
    return np.concatenate([random_bits(1, step, 0, (1,)) for step in range(4096)])


def by_seed() -> Array:
    return np.concatenate([random_bits(seed, 0, 0, (1,)) for seed in range(4096)])


def by_index() -> Array:
    return np.concatenate([random_bits(0, 0, index, (1,)) for index in range(4096)])


SEQUENCES = {
    "positions": lambda: random_bits(0, 0, 0, (WORDS,)),
    "positions_of_a_large_key": lambda: random_bits(2**32 - 1, 2**31, 12, (WORDS,)),
    "steps": by_step,
    "seeds": by_seed,
    "indices": by_index,
}


@pytest.fixture(params=SEQUENCES)
def words(request: pytest.FixtureRequest) -> Array:
    """Words that are neighbours in one of the four things that decide them."""
    made: Array = SEQUENCES[request.param]()
    return made


def chi_square_sigmas(counts: Array) -> float:
    """How far the counts are from equal ones, in standard deviations (Wilson and Hilferty's normal approximation)."""
    mean, freedom = counts.mean(), counts.size - 1
    statistic = float(((counts - mean) ** 2 / mean).sum())
    return ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))


def balance(bits: Array) -> float:
    """The worst of the 32 bits' distances from being set half of the time, in standard deviations."""
    counts = np.array([np.count_nonzero(bits & np.uint32(1 << k)) for k in range(32)])
    return float(np.abs(counts - bits.size / 2).max() / math.sqrt(bits.size / 4))


@pytest.mark.parametrize("low", [0, 8, 16, 24])
def test_every_byte_is_uniform(words: Array, low: int) -> None:
    counts = np.bincount(words >> np.uint32(low) & np.uint32(255), minlength=256)
    assert abs(chi_square_sigmas(counts)) < SIGMAS


def test_every_bit_is_balanced(words: Array) -> None:
    assert balance(words) < SIGMAS


@pytest.mark.parametrize("lag", [1, 2, 3, 64, 100, 784])
def test_neighbours_are_independent(words: Array, lag: int) -> None:
    first, second = words[:-lag], words[lag:]
    assert balance(first ^ second) < SIGMAS
    correlation = np.corrcoef(first / 2**32, second / 2**32)[0, 1]
    assert abs(correlation) * math.sqrt(first.size) < SIGMAS


def test_pairs_of_neighbours_are_uniform(words: Array) -> None:
    pairs = (words[0::2] >> np.uint32(28)) * 16 + (words[1::2] >> np.uint32(28))
    assert abs(chi_square_sigmas(np.bincount(pairs, minlength=256))) < SIGMAS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((5, 0, 0), (5, 1, 0)),
        ((5, 0, 0), (6, 0, 0)),
        ((5, 0, 0), (5, 0, 1)),
        ((5, 9, 0), (9, 5, 0)),
        ((0, 1, 0), (1, 0, 0)),
    ],
)
def test_streams_are_independent(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    a, b = random_bits(*one, (WORDS,)), random_bits(*other, (WORDS,))
    assert balance(a ^ b) < SIGMAS
    assert abs(np.corrcoef(a / 2**32, b / 2**32)[0, 1]) * math.sqrt(WORDS) < SIGMAS
    joint = (a >> np.uint32(26)) * 64 + (b >> np.uint32(26))
    assert abs(chi_square_sigmas(np.bincount(joint, minlength=4096))) < SIGMAS
    # Neither stream is a shifted copy or a permutation of the other: common words are as rare as chance has it.
    chance = WORDS * WORDS / 2**32
    assert abs(np.intersect1d(a, b).size - chance) < SIGMAS * math.sqrt(chance)


@pytest.mark.parametrize("bit", range(0, 32, 5))
@pytest.mark.parametrize("which", ["seed", "step"])
def test_each_bit_of_the_key_changes_half_of_the_bits(which: str, bit: int) -> None:
    keys = [(k * 0x9E3779B1 % 2**32, k * k % 2**32) for k in range(1000)]
    flipped = [(s ^ (which == "seed") << bit, t ^ (which == "step") << bit) for s, t in keys]
    before = np.concatenate([random_bits(*key, 0, (1,)) for key in keys])
    after = np.concatenate([random_bits(*key, 0, (1,)) for key in flipped])
    assert balance(before ^ after) < SIGMAS


def test_no_two_keys_share_a_stream() -> None:
    keys = [(seed, step) for seed in range(40) for step in range(40)] + [(2**32 - 1, 0), (0, 2**32 - 1)]
    assert len({stream_words(seed, step, 3) for seed, step in keys}) == len(keys)


@pytest.mark.parametrize(("dtype", "bits"), [("float16", 11), ("float32", 24), ("float64", 32)])
def test_uniform_numbers_are_below_one_and_evenly_spread(dtype: str, bits: int) -> None:
    numbers = random_uniform(3, 1, 4, (WORDS,), dtype)
    assert numbers.dtype == dtype
    assert numbers.min() >= 0.0
    assert numbers.max() < 1.0
    assert np.all(numbers.astype(np.float64) * 2.0**bits % 1.0 == 0.0)
    wide = numbers.astype(np.float64)
    grid = 2.0**-bits / 2  # numbers are rounded down to their grid
    assert abs(wide.mean() + grid - 0.5) * math.sqrt(12 * WORDS) < SIGMAS
    assert abs(chi_square_sigmas(np.histogram(wide, 64, (0.0, 1.0))[0])) < SIGMAS


@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (64, 256), (3, 100, 101)])
def test_eager_function_and_op_agree(shape: tuple[int, ...]) -> None:
    key = np.array([11, 22], np.uint32)
    (bits,) = evaluate_op("RandomBits", [key], {"shape": shape, "index": 5})
    np.testing.assert_array_equal(bits, random_bits(11, 22, 5, shape))
    (numbers,) = evaluate_op("RandomUniform", [key], {"shape": shape, "index": 5})
    np.testing.assert_array_equal(numbers, random_uniform(11, 22, 5, shape))


@pytest.mark.parametrize("batch", [0, 1, 5, 700])
def test_named_dims_give_the_same_bits_in_both_runtimes(batch: int) -> None:
    graph = Graph("mask")
    builder = Builder(graph, OPS)
    x = builder.input("x", TensorType.of("float32", ("batch", 3)))
    key = builder.input("key", TensorType.of("uint32", (2,)))
    shape = (*x.type.shape[:1], 3, 8)
    graph.outputs = {
        "bits": builder.emit("RandomBits", key, shape=shape, index=1),
        "numbers": builder.emit("RandomUniform", key, shape=shape, index=2),
        "wide": builder.emit("RandomUniform", key, shape=shape, index=3, dtype="float64"),
    }
    feeds = {"x": np.zeros((batch, 3), np.float32), "key": np.array([77, 2**32 - 1], np.uint32)}
    wanted = prepare(graph).run(feeds)
    for name, result in zip(graph.outputs, run_onnx(graph, feeds), strict=True):
        assert result.dtype == wanted[name].dtype
        np.testing.assert_array_equal(result, wanted[name])
