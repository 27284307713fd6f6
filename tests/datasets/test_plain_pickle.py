"""Pickles as data: Python's own pickles are read like Python reads them, and nothing in a hostile one is run."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.datasets import plain_pickle
from graphc.datasets.plain_pickle import read_pickle
from graphc.errors import DataError

PROTOCOLS = (2, 3, 4)


def ragged(*rows: list[Any]) -> np.ndarray[Any, Any]:
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


ATOMS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5) | st.binary(max_size=5) | st.floats()
)
KEYS = st.text(max_size=3) | st.integers(-5, 300)
VALUES = st.recursive(
    ATOMS,
    lambda x: st.lists(x, max_size=4) | st.dictionaries(KEYS, x, max_size=3) | st.lists(x, max_size=4).map(tuple),
    max_leaves=12,
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(value=VALUES)
def test_values_come_as_python_reads_them(protocol: int, value: Any) -> None:
    data = pickle.dumps(value, protocol=protocol)
    assert repr(read_pickle(data, "x")) == repr(pickle.loads(data))  # repr: also for NaN, and to tell True from 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(rows=st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=1100), max_size=4))
def test_integers_in_lists(protocol: int, rows: list[list[int]]) -> None:
    # More than a thousand items come in more than one piece.
    assert read_pickle(pickle.dumps(rows, protocol=protocol), "x") == rows


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(3, dtype=">i4"),
        np.array([True, False]),
        np.zeros((0, 3), np.float32),
        np.array(5, np.int64),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays(protocol: int, array: np.ndarray[Any, Any]) -> None:
    found = read_pickle(pickle.dumps({"data": array, "again": array}, protocol=protocol), "x")
    np.testing.assert_array_equal(found["data"], array)
    assert found["data"].dtype == array.dtype.newbyteorder("=")
    assert found["again"] is found["data"]  # the second is only a reference


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_lists(protocol: int) -> None:
    array = ragged([1, 300, 70000], [], [-1] * 3)
    found = read_pickle(pickle.dumps(array, protocol=protocol), "x")
    assert found.dtype == object and found.tolist() == array.tolist()


def test_a_file_that_numpy_wrote() -> None:
    file = io.BytesIO()
    np.save(file, ragged([1, 2], [3]), allow_pickle=True)
    start = file.getvalue().index(b"\x80")
    assert read_pickle(file.getvalue()[start:], "x").tolist() == [[1, 2], [3]]


class Reducing:
    """Is written into a pickle as a call."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


CALLS = {
    "system": (os.system, "touch CANARY"),
    "subprocess": (subprocess.check_call, "touch CANARY"),
    "eval": (eval, "open('CANARY', 'w')"),
    "exec": (exec, "open('CANARY', 'w')"),
    "open": (open, "CANARY", "w"),
    "import": (__import__, "antigravity"),
    "getattr": (getattr, "x", "upper"),
    "numpy load": (np.load, "CANARY"),
    "numpy empty": (np.empty, (10**9,)),
    "numpy ndarray": (np.ndarray, (10**9,)),
    "bytearray": (bytearray, 10**9),
}


class TestHostile:
    @pytest.mark.parametrize("protocol", PROTOCOLS)
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    @pytest.mark.parametrize("wrap", ["alone", "in a dict", "in an array"])
    def test_calls_are_refused(self, tmp_path: Path, protocol: int, call: Any, wrap: str) -> None:
        canary = tmp_path / "canary"
        value: Any = Reducing(
            *(part.replace("CANARY", str(canary)) if isinstance(part, str) else part for part in call)
        )
        value = {"in a dict": {"data": value}, "in an array": ragged([1], value)}.get(wrap, value)
        with pytest.raises(DataError, match="Nothing in it was run"):
            read_pickle(pickle.dumps(value, protocol=protocol), "x")
        assert not canary.exists()

    @pytest.mark.parametrize(
        "value",
        [
            Path("x"),
            {1, 2},
            frozenset({1}),
            bytearray(b"x"),
            1 + 2j,
            range(3),
            np.float32(1),
            np.dtype("M8[s]"),
            Reducing,
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_objects_are_refused(self, value: Any) -> None:
        with pytest.raises(DataError):
            read_pickle(pickle.dumps(value, protocol=4), "x")

    @pytest.mark.parametrize("dtype", ["M8[s]", "c8", "V3", "S3", "U2", [("a", "i4"), ("b", "f4")]])
    def test_arrays_of_other_dtypes_are_refused(self, dtype: Any) -> None:
        with pytest.raises(DataError):
            read_pickle(pickle.dumps(np.zeros(3, dtype), protocol=4), "x")

    @pytest.mark.parametrize(
        ("data", "complaint"),
        [
            (b"", "does not start"),
            (b"(lp0\nI1\na.", "does not start"),  # protocol 0
            (b"\x80\x05N.", "protocol 5"),
            (b"\x80\x02", "damaged"),
            (b"\x80\x02N", "damaged"),
            (b"\x80\x02.", "before its value"),
            (b"\x80\x02(.", "before its value"),
            (b"\x80\x02e.", "damaged|never begun"),
            (b"\x80\x02Na.", "damaged|added to something"),
            (b"\x80\x02]q\x01K\x01K\x02u.", "never begun"),
            (b"\x80\x02K\x01K\x02\x87.", "fewer items"),
            (b"\x80\x02h\x09.", "damaged"),
            (b"\x80\x02T\xff\xff\xff\x7fab.", "cut short"),
            (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fab.", "cut short"),
            (b"\x80\x02}]K\x01s.", "no string or number"),
            (b"\x80\x02Q.", "none that describes data"),  # a persistent object
            (b"\x80\x02\x82\x01.", "none that describes data"),  # an extension
            (b"\x80\x02ios\nsystem\n.", "none that describes data"),
            (b"\x80\x02cnumpy\nndarray\n.", "before its value"),
            (b"\x80\x02cnumpy\nndarray\nK\x05\x85R.", "calls something"),
            (b"\x80\x02" + b"c" + b"x" * 10**6, "damaged"),
        ],
        ids=range(21),
    )
    def test_nonsense(self, data: bytes, complaint: str) -> None:
        with pytest.raises(DataError, match=complaint):
            read_pickle(data, "x")

    def test_arrays_must_be_as_long_as_they_say(self) -> None:
        data = pickle.dumps(np.arange(300, dtype=np.uint8), protocol=2)
        assert read_pickle(data, "x").shape == (300,)
        assert b"M\x2c\x01\x85" in data  # the shape (300,)
        for shape in (b"M\x2d\x01\x85", b"J\xff\xff\xff\xff\x85", b"J\xff\xff\xff\x7f\x85"):
            with pytest.raises(DataError, match="an array of shape"):
                read_pickle(data.replace(b"M\x2c\x01\x85", shape), "x")

    def test_a_place_in_the_memo_is_no_size(self) -> None:
        # Python's own unpickler would reserve 64 GB for this place.
        assert read_pickle(b"\x80\x02]r\xff\xff\xff\xff.", "x") == []

    def test_a_list_inside_itself_is_no_endless_walk(self) -> None:
        found = read_pickle(b"\x80\x02]q\x01h\x01a.", "x")
        assert found[0] is found

    @pytest.mark.parametrize(
        ("limit", "data"),
        [
            ("MOST_VALUES", b"\x80\x02" + b"]" * 60 + b"."),
            ("MOST_VALUES", b"\x80\x02]q\x01" + b"h\x01" * 60 + b"."),
            ("MOST_VALUES", b"\x80\x02]" + b"".join(b"q" + bytes([i]) for i in range(60)) + b"."),
            ("MOST_INTEGERS", b"\x80\x02](" + b"K\x01" * 60 + b"e."),
        ],
    )
    def test_counts_are_limited(self, monkeypatch: pytest.MonkeyPatch, limit: str, data: bytes) -> None:
        monkeypatch.setattr(plain_pickle, limit, 50)
        with pytest.raises(DataError, match="more than 50"):
            read_pickle(data, "x")

    def test_one_string_for_many_arrays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The contents come once; each array has only a reference to them.
        data = pickle.dumps(np.zeros(4000, np.uint8), protocol=3)
        contents = b"B\xa0\x0f\x00\x00" + bytes(4000)
        assert data.count(contents) == 1
        array = data[2:-1].replace(contents, b"h\xfa")
        shared = b"\x80\x03](" + contents + b"q\xfa" + array * 3 + b"e."
        assert [x.nbytes for x in read_pickle(shared, "x")[1:]] == [4000] * 3
        monkeypatch.setattr(plain_pickle, "LARGEST", 5000)
        with pytest.raises(DataError, match="larger than the file"):
            read_pickle(shared, "x")

    @given(st.data())
    def test_damaged_bytes(self, data: Any) -> None:
        whole = bytearray(pickle.dumps({"data": np.arange(5, dtype=np.uint8), "labels": [1, 300, -7]}, protocol=2))
        for _ in range(data.draw(st.integers(1, 3))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        with suppress(DataError):  # a changed number is still a number; any other exception is a fault
            read_pickle(bytes(whole[: data.draw(st.integers(0, len(whole)))]), "x")

    def test_every_cut(self) -> None:
        whole = pickle.dumps({"data": np.arange(5, dtype=np.uint8), "labels": [1, 300, -70000]}, protocol=4)
        for end in range(len(whole)):
            with pytest.raises(DataError):
                read_pickle(whole[:end], "x")
