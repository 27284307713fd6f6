"""JSON text of any depth, and back, within budgets. Python's own ``json`` gives up at a thousand levels, of which a
model within a model takes three.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from graphc.errors import ModelFileError

MAX_JSON_BYTES = 64 * 2**20
"""An architecture is text a person could read; what is larger is no architecture."""

MAX_DEPTH = 4096
"""Levels of lists and objects: more than a thousand models within each other."""

_MAX_INTEGER = 2**63


# -- writing ----------------------------------------------------------------------------------------------------------


def dump_json(value: Any, **options: Any) -> str:
    """Plain data as JSON text.

    Args:
        value: lists, dicts, strings, numbers, booleans and None.
        options: those of ``json.dumps``. Data that is too deep for it may have ``indent``, ``separators``,
            ``sort_keys``, ``ensure_ascii``, ``allow_nan`` and ``default``.

    Raises:
        ModelFileError: it holds something that JSON has no form for.
    """
    try:
        try:
            return json.dumps(value, **options)
        except RecursionError:
            return "".join(_Writer(**options).pieces(value))
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"The model cannot be written as JSON: {error}.") from error


class _Writer:
    """Writes one level of nesting after the other with a stack of its own."""

    def __init__(
        self, *, indent: int | str | None = None, separators: tuple[str, str] | None = None, sort_keys: bool = False,
        **leaf_options: Any,
    ) -> None:  # fmt: skip
        self.indent = " " * indent if isinstance(indent, int) else indent
        self.item, self.key = separators or ((", " if indent is None else ","), ": ")
        self.sort_keys = sort_keys
        self.default = leaf_options.pop("default", None)
        self.leaf = json.JSONEncoder(**leaf_options).encode

    def pieces(self, value: Any) -> Iterator[str]:
        """The text in parts."""
        # What is still to be written, innermost level last: members of an open container, and its end.
        levels: list[tuple[Iterator[tuple[str, Any]], str]] = []
        prefix, current = "", value
        while True:
            opened = self._open(current)
            if opened is None:
                yield prefix + self.leaf(current)
            else:
                start, members, end, empty = opened
                yield prefix + start + (end if empty else "")
                if not empty:
                    levels.append((members, end))
            first = opened is not None and not opened[3]
            while levels:
                following = next(levels[-1][0], None)
                if following is not None:
                    break
                yield self._line(len(levels) - 1) + levels.pop()[1]
                first = False
            if not levels:
                return
            key, current = following  # type: ignore[misc]
            prefix = ("" if first else self.item) + self._line(len(levels)) + key

    def _line(self, depth: int) -> str:
        return "" if self.indent is None else "\n" + self.indent * depth

    def _open(self, value: Any) -> tuple[str, Iterator[tuple[str, Any]], str, bool] | None:
        """For a container: its start, its members with their keys as text, its end, and whether it is empty."""
        if isinstance(value, dict):
            items = sorted(value.items()) if self.sort_keys else list(value.items())
            return "{", ((self.leaf(_key(k)) + self.key, v) for k, v in items), "}", not items
        if isinstance(value, list | tuple):
            return "[", (("", v) for v in value), "]", not value
        if self.default is not None and not isinstance(value, str | int | float | bool | None):
            return self._open(self.default(value))
        return None


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool | int | float):
        return json.dumps(key)
    raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")


# -- reading ----------------------------------------------------------------------------------------------------------


def parse_json(text: str, what: str) -> Any:
    """JSON as Python data.

    Args:
        text: the text.
        what: what it is called in messages.

    Raises:
        ModelFileError: it is cut short, malformed, nested too deeply, or holds a number that no 64 bits hold.
    """
    if not isinstance(text, str):
        raise ModelFileError(f"{what} must be a string; got {type(text).__name__}.")
    if len(text) > MAX_JSON_BYTES:
        raise ModelFileError(f"{what} has {len(text):,} characters; an architecture has at most {MAX_JSON_BYTES:,}.")
    try:
        try:
            return json.loads(text, parse_int=_integer)
        except RecursionError:
            return _Parser(text).value()
    except json.JSONDecodeError as error:
        raise ModelFileError(
            f"{what} is not valid JSON (line {error.lineno}, column {error.colno}): {error.msg}."
        ) from None
    except _TooDeepError:
        raise ModelFileError(f"{what} is nested too deeply to be a model.") from None
    except ValueError as error:
        raise ModelFileError(f"{what} holds a number that cannot be read: {error}.") from None


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -_MAX_INTEGER <= int(digits) < 2 * _MAX_INTEGER:
        raise ValueError(f"the integer {digits:.24} has more than 64 bits")
    return int(digits)


class _TooDeepError(Exception):
    """More levels than `MAX_DEPTH`."""


_BLANK = re.compile(r"[ \t\n\r]*")
_LITERALS = {"true": True, "false": False, "null": None, "NaN": float("nan"), "Infinity": float("inf"),
             "-Infinity": -float("inf")}  # fmt: skip
_LITERAL = re.compile("true|false|null|NaN|-?Infinity")
_NUMBER = re.compile(r"(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?")


class _Parser:
    """Reads with a stack of its own; the grammar is that of ``json.loads``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def value(self) -> Any:
        """The value that the whole text is."""
        levels: list[tuple[Any, str | None]] = []  # open containers, with the key of what comes next
        while True:
            item, opened = self._start()
            if opened:
                if len(levels) == MAX_DEPTH:
                    raise _TooDeepError
                levels.append((item, self._key() if isinstance(item, dict) else None))
                continue
            while levels:
                container, key = levels.pop()
                if isinstance(container, dict):
                    container[key] = item
                else:
                    container.append(item)
                if self._take(","):
                    levels.append((container, self._key() if isinstance(container, dict) else None))
                    break
                self._need("}" if isinstance(container, dict) else "]")
                item = container
            else:
                self._blank()
                if self.at != len(self.text):
                    raise json.JSONDecodeError("Extra data", self.text, self.at)
                return item

    def _start(self) -> tuple[Any, bool]:
        """A complete value, or an empty container that was opened."""
        self._blank()
        for opening, closing, container in (("{", "}", dict[str, Any]()), ("[", "]", list[Any]())):
            if self._take(opening):
                return container, not self._take(closing)
        if self.text[self.at : self.at + 1] == '"':
            return self._string(), False
        if (match := _LITERAL.match(self.text, self.at)) is not None:
            self.at = match.end()
            return _LITERALS[match.group()], False
        if (match := _NUMBER.match(self.text, self.at)) is not None:
            self.at = match.end()
            whole = match.group(2) is None and match.group(3) is None
            return _integer(match.group()) if whole else float(match.group()), False
        raise json.JSONDecodeError("Expecting value", self.text, self.at)

    def _key(self) -> str:
        self._blank()
        if self.text[self.at : self.at + 1] != '"':
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self.text, self.at)
        key = self._string()
        self._need(":")
        return key

    def _string(self) -> str:
        text, self.at = json.decoder.scanstring(self.text, self.at + 1)  # type: ignore[attr-defined]
        return str(text)

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        assert match is not None  # it matches nothing, too
        self.at = match.end()

    def _take(self, character: str) -> bool:
        self._blank()
        found = self.text.startswith(character, self.at)
        self.at += found
        return found

    def _need(self, character: str) -> None:
        if not self._take(character):
            raise json.JSONDecodeError(f"Expecting {character!r}", self.text, self.at)
