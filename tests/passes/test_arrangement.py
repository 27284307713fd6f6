"""The algebra of stored and meant arrays, against NumPy."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.ir.dims import Dim
from graphc.ir.graph import Node, Origin
from graphc.passes.arrangement import (
    Order,
    Shuffle,
    arranged,
    channels_first,
    filters_first,
    only_units_move,
    open_shape,
    order,
    reshaped,
)

NODE = Node("reshape", "Reshape", (), {}, Origin(), 0)


def test_orders() -> None:
    image = np.zeros((2, 5, 7, 3))
    assert arranged(image, channels_first(4)).shape == (2, 3, 5, 7)
    assert channels_first(4).shape((2, 5, 7, 3)) == (2, 3, 5, 7)
    assert channels_first(4).shape((3,)) == (1, 3, 1, 1), "a lower rank is aligned at the end"
    assert channels_first(4).positions((3, 0)) == (1, 0)
    assert arranged(np.zeros((3, 4, 8, 16)), filters_first(4)).shape == (16, 8, 3, 4)
    assert order((0, 1, 2)) is None


def test_shuffles() -> None:
    matrix = np.arange(6).reshape(2, 3)
    rows, columns = Shuffle(((0, (1, 0)),)), Shuffle(((1, (2, 0, 1)),))
    assert arranged(matrix, columns.and_also(rows)).tolist() == [[5, 3, 4], [2, 0, 1]]
    assert columns.moved(0).axis == 0


def test_helpers() -> None:
    n = Dim("n")
    assert only_units_move((n, 1, 1, 4), (0, 3, 1, 2))
    assert not only_units_move((n, 2, 1, 4), (0, 3, 1, 2))
    assert open_shape((n, 4)) == (-1, 4)
    assert open_shape((n, 0)) == (n, 0)
    assert open_shape((n, n)) == (n, n)
    assert open_shape((2, 4)) == (2, 4)


@st.composite
def reshapes(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Two shapes with the same elements, made of the same factors, and an order of the first one's axes."""
    factors = draw(st.lists(st.sampled_from([1, 2, 3, 5]), min_size=1, max_size=5))

    def grouped() -> tuple[int, ...]:
        cuts = sorted(draw(st.sets(st.integers(1, len(factors)), max_size=len(factors))))
        edges = [0, *(c for c in cuts if c < len(factors)), len(factors)]
        return tuple(math.prod(factors[a:b]) for a, b in pairwise(edges))

    before = grouped()
    return before, grouped(), tuple(draw(st.permutations(range(len(before)))))


@given(reshapes())
def test_what_a_reshape_of_a_stored_array_means(
    case: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
) -> None:
    before, behind, axes = case
    fits, result = reshaped(before, behind, Order(axes), NODE)
    if not fits:
        return
    meant = np.arange(math.prod(before)).reshape(before)
    stored = arranged(meant, Order(axes))
    shape = result.shape(behind) if isinstance(result, Order) else behind
    expected = meant.reshape(behind) if result is None else arranged(meant.reshape(behind), result)
    np.testing.assert_array_equal(stored.reshape(shape), expected)


@pytest.mark.parametrize(
    ("before", "behind", "axes", "expected"),
    [
        (("n", 5, 7, 3), ("n", 105), (0, 3, 1, 2), "shuffle"),
        (("n", 1, 1, 3), ("n", 3), (0, 3, 1, 2), None),
        (("n", 5, 1, 3), ("n", 5, 3), (0, 3, 1, 2), (0, 2, 1)),
        (("n", 3), ("n", 1, 1, 3), (0, 1), None),
        (("n*t", 5, 7, 3), ("n", "t", 5, 7, 3), (0, 3, 1, 2), (0, 1, 4, 2, 3)),
        (("n", 5, 7, 3), ("n", 35, 3), (0, 3, 1, 2), (0, 2, 1)),
        (("n", 5, 7, 3), ("n", 5, 21), (0, 3, 1, 2), "no"),
        (("n", 5, "w", 3), ("n", "15*w"), (0, 3, 1, 2), "no"),
        (("n", 5, 7, 3), ("n", 15, 7), (0, 3, 1, 2), "no"),
        (("n", 0, 7, 3), ("n", 0), (0, 3, 1, 2), "no"),
        (("n", 5, 7, 6), ("n", 5, 7, 2, 3), (0, 3, 1, 2), (0, 3, 4, 1, 2)),
    ],
)
def test_known_reshapes(
    before: tuple[object, ...], behind: tuple[object, ...], axes: tuple[int, ...], expected: object
) -> None:
    def dims(shape: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(Dim(d) if isinstance(d, str) else d for d in shape)

    fits, result = reshaped(dims(before), dims(behind), Order(axes), NODE)  # type: ignore[arg-type]
    if expected == "no":
        assert (fits, result) == (False, None)
    elif expected == "shuffle":
        index = np.arange(105).reshape(5, 7, 3).transpose(2, 0, 1).reshape(-1)
        assert result == Shuffle(((1, tuple(index.tolist())),))
        assert isinstance(result, Shuffle)
        assert result.sources == {NODE}
    else:
        assert fits
        assert result == (None if expected is None else Order(expected))  # type: ignore[arg-type]
