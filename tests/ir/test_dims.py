"""Symbolic dims: equal computations are equal dims, whatever the way they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.errors import ShapeError
from graphc.ir.dims import Dim, as_dim, ceil_div, dim_max, dim_min, free_names, product, substitute

BATCH, HEIGHT = Dim("batch"), Dim("height")


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        ((HEIGHT - 2) // 2, "(height - 2) // 2"),
        (HEIGHT + 0, "height"),
        (2 * HEIGHT + 1, "2*height + 1"),
        (3 - HEIGHT, "-height + 3"),
        (BATCH * HEIGHT, "batch*height"),
        (HEIGHT % 3, "height % 3"),
        (dim_max(HEIGHT, 3), "max(3, height)"),
        (ceil_div(HEIGHT, 2), "(height + 1) // 2"),
    ],
)
def test_canonical_text(dim, text):
    assert dim == text
    assert isinstance(dim, Dim)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((HEIGHT - 2) // 2 + 1, HEIGHT // 2),
        ((2 * HEIGHT + 4) // 2, HEIGHT + 2),
        ((HEIGHT // 2) // 3, HEIGHT // 6),
        (((HEIGHT - 2) // 2 - 2) // 2, (HEIGHT - 6) // 4),
        (BATCH * (HEIGHT + 1) - BATCH, BATCH * HEIGHT),
        ((BATCH * HEIGHT) // HEIGHT, BATCH),
        ((4 * HEIGHT + 6) % 4, 2),
        (HEIGHT - HEIGHT, 0),
        (as_dim("1 + height"), HEIGHT + 1),
        (dim_min(HEIGHT, BATCH), dim_min(BATCH, HEIGHT)),
    ],
)
def test_equal_computations_are_equal(one, other):
    assert one == other
    assert type(one) is type(other)


@st.composite
def expressions(draw, depth=3):
    """A function of (h, b) as Python code over two names, with every operation."""
    if depth == 0:
        return draw(st.sampled_from(["h", "b"])), None
    kind = draw(st.sampled_from(["name", "+", "-", "*", "//", "%"]))
    if kind == "name":
        return draw(st.sampled_from(["h", "b"])), None
    left, _ = draw(expressions(depth=depth - 1))
    if kind in ("//", "%"):
        return f"({left}) {kind} {draw(st.integers(1, 6))}", None
    right = draw(st.one_of(st.integers(0, 5).map(str), expressions(depth=depth - 1).map(lambda e: e[0])))
    return f"(({left}) {kind} ({right}))", None


@given(expressions(), st.integers(0, 30), st.integers(0, 30))
def test_expressions_mean_what_python_means(expression, h, b):
    text, _ = expression
    dim = as_dim(text)
    sizes = {"h": h, "b": b}
    expected = eval(text, {}, sizes)
    assert substitute(dim, sizes) == expected
    assert as_dim(str(dim)) == dim  # the text of a dim reads back as the same dim


def test_free_names_and_product():
    assert free_names((HEIGHT - 2) // 2 * BATCH) == {"height", "batch"}
    assert free_names(3) == frozenset()
    assert product((BATCH, 2, HEIGHT, 3)) == "6*batch*height"
    assert product(()) == 1


@pytest.mark.parametrize(
    "bad", ["", "1 +", "a b", "f(x)", "__import__('os')", "a.b", "a[0]", "x" * 3000, "lambda: 0", -1, 1.5, True]
)
def test_what_is_no_dim_is_refused(bad):
    with pytest.raises(ShapeError):
        as_dim(bad)


def test_division_by_zero_is_refused():
    with pytest.raises(ShapeError, match="divided by zero"):
        HEIGHT // 0
