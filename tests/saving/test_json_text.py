"""JSON of any depth against Python's own ``json``, where that goes; and what is refused."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.errors import ModelFileError
from graphc.saving import json_text
from graphc.saving.json_text import MAX_DEPTH, dump_json, parse_json

LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


def deep(levels: int) -> Any:
    value: Any = {"end": [1, "two", None]}
    for i in range(levels):
        value = {"a": i, "b": [value], "c": {}} if i % 2 else [[], value, "x"]
    return value


@given(VALUES)
def test_the_deep_writer_writes_what_json_writes(value: Any) -> None:
    for options in ({}, {"indent": 2}, {"separators": (",", ":")}, {"sort_keys": True, "ensure_ascii": False}):
        assert "".join(json_text._Writer(**options).pieces(value)) == json.dumps(value, **options)


@given(VALUES)
def test_the_deep_reader_reads_what_json_reads(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
        assert json_text._Parser(text).value() == value


@pytest.mark.parametrize(
    "text", ["[1,]", "[1 2]", '{"a" 1}', '{"a":1,}', "{1:2}", "[", '["', "", "nul", "[1]x", "01", "+1"]
)
def test_both_readers_refuse_the_same(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with pytest.raises(json.JSONDecodeError):
        json_text._Parser(text).value()
    with pytest.raises(ModelFileError, match=r"line 1, column"):
        parse_json(text, "It")


def test_depth_is_no_matter_up_to_the_budget() -> None:
    value = deep(1_300)  # about three levels for two
    text = dump_json(value)
    assert parse_json(text, "It").__class__ is value.__class__
    assert dump_json(parse_json(text, "It")) == text
    for opening in ("[", '{"a":'):
        with pytest.raises(ModelFileError, match="nested too deeply"):
            parse_json(opening * (MAX_DEPTH + sys.getrecursionlimit()), "It")


def test_numbers_have_at_most_64_bits() -> None:
    assert parse_json(f"[{2**64 - 1}, {-(2**63)}]", "It") == [2**64 - 1, -(2**63)]
    for digits in (str(2**64), str(-(2**63) - 1), "9" * 5_000):
        with pytest.raises(ModelFileError, match="64 bits"):
            parse_json(digits, "It")


def test_what_json_has_no_form_for() -> None:
    with pytest.raises(ModelFileError, match="JSON"):
        dump_json({"a": object()})
    with pytest.raises(ModelFileError, match="must be a string"):
        parse_json(b"{}", "It")  # type: ignore[arg-type]
