"""Tensor types, broadcasting and dtype promotion."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from graphc.errors import DTypeError, ShapeError
from graphc.ir.dims import Dim
from graphc.ir.dtypes import DTYPES, result_dtype, standardize_dtype
from graphc.ir.types import TensorType, broadcast_shapes, normalize_axes, normalize_axis

BATCH, TIME = Dim("batch"), Dim("time")


def test_a_type_prints_as_it_is_written():
    assert str(TensorType.of("float32", ("batch", 784))) == "float32[batch, 784]"
    assert str(TensorType.of(np.int64, ())) == "int64[]"


@pytest.mark.parametrize(
    ("shapes", "result"),
    [
        (((BATCH, 3), (3,)), (BATCH, 3)),
        (((BATCH, 1), (1, 4)), (BATCH, 4)),
        (((BATCH,), (TIME,)), ("max(batch, time)",)),
        (((TIME,), (5,)), (5,)),
        (((0, 3), (1, 3)), (0, 3)),
        (((), (2,)), (2,)),
    ],
)
def test_broadcast(shapes, result):
    assert broadcast_shapes(*shapes) == result


def test_broadcast_agrees_with_numpy_on_integers():
    for a, b in itertools.product(itertools.product((0, 1, 2, 3), repeat=2), repeat=2):
        try:
            expected = np.broadcast_shapes(a, b)
        except ValueError:
            with pytest.raises(ShapeError, match="do not broadcast"):
                broadcast_shapes(a, b)
        else:
            assert broadcast_shapes(a, b) == expected


def test_axes():
    assert normalize_axis(-1, 3) == 2
    assert normalize_axes((-1, 0), 3) == (2, 0)
    with pytest.raises(ShapeError, match="-3 to 2"):
        normalize_axis(3, 3)
    with pytest.raises(ShapeError, match="twice"):
        normalize_axes((1, -2), 3)


@pytest.mark.parametrize(
    ("given", "result"),
    [
        (("int64", "float32"), "float32"),
        (("float16", "weak float"), "float16"),
        (("int8", "uint8"), "int16"),
        (("uint32", "int32"), "int64"),
        (("bool", "weak float"), "float32"),
        (("weak int",), "int32"),
        (("int32", "weak int"), "int32"),
        (("uint64", "int8"), "float32"),
        (("float32", "float64"), "float64"),
    ],
)
def test_promotion(given, result):
    assert result_dtype(*given) == result


def test_promotion_is_commutative_and_associative():
    for a, b, c in itertools.product(DTYPES, repeat=3):
        assert result_dtype(a, b) == result_dtype(b, a)
        if "uint64" not in (a, b, c) and "int64" not in (a, b, c):  # their join with other integers is a weak float
            assert result_dtype(result_dtype(a, b), c) == result_dtype(a, result_dtype(b, c))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("float32", "float32"),
        (np.float64, "float64"),
        (np.dtype("i4"), "int32"),
        (bool, "bool"),
        (float, "float32"),
        ("half", "float16"),
    ],
)
def test_dtype_names(given, name):
    assert standardize_dtype(given) == name


@pytest.mark.parametrize("bad", ["float99", "object", object, "str", 3])
def test_unknown_dtypes_are_refused(bad):
    with pytest.raises(DTypeError, match="Unknown dtype"):
        standardize_dtype(bad)
