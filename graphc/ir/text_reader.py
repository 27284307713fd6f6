"""A place in a text, and how to read its smallest parts; what `graphc.ir.parser` stands on.

Every pattern runs in linear time, lengths are capped before anything is converted, and errors name line and column.
"""

from __future__ import annotations

import re

from graphc.errors import ParseError

BARE_NAME = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
"""A name that needs no quotes. A double slash would start a comment."""
INTEGER = re.compile(r"[+-]?[0-9]+")
FLOAT = re.compile(r"[+-]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[0-9]+e[+-]?[0-9]+|inf|nan)")

MAX_NAME = 1_000
"""Characters of a name."""
MAX_STRING = 100_000
"""Characters of a string."""
MAX_EXPRESSION = 2_000
"""Characters of a number or of a dim's expression."""

_BLANK = re.compile(r"[ \t\r\n]*")
_BLANK_OR_COMMENT = re.compile(r"(?:[ \t\r\n]+|//[^\n]*)*+")  # possessive: no way back is remembered
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r'[^"\\\n]*')
_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|([\"\\ntr]))")
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r"}
_NESTING = re.compile(r'[(),{}\[\]"\n]')


class Reader:
    """A text and the position up to which it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def error(self, message: str, position: int | None = None) -> ParseError:
        """The error to raise about a place; about this one when none is given."""
        at = self.position if position is None else position
        line = self.text.count("\n", 0, at) + 1
        column = at - self.text.rfind("\n", 0, at)
        return ParseError(f"line {line}, column {column}: {message}")

    def expected(self, what: str) -> ParseError:
        """The error to raise when something else stands here than should."""
        rest = self.text[self.position : self.position + 24].split("\n")[0]
        at_end = "the end of the line" if self.position < len(self.text) else "the end of the text"
        return self.error(f"expected {what}; found {repr(rest) if rest else at_end}.")

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What matches here; the position moves behind it."""
        found = pattern.match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def skip(self) -> None:
        """Go behind space and comments."""
        self.match(_BLANK_OR_COMMENT)

    def skip_blank(self) -> None:
        """Go behind space only: in here a double slash divides dims."""
        self.match(_BLANK)

    def at(self, literal: str) -> bool:
        """True when ``literal`` comes next, behind space and comments."""
        self.skip()
        return self.text.startswith(literal, self.position)

    def take(self, literal: str) -> bool:
        """Go behind ``literal`` if it comes next."""
        if not self.at(literal):
            return False
        self.position += len(literal)
        return True

    def need(self, literal: str, why: str) -> None:
        """Go behind ``literal``, which must come next."""
        if not self.take(literal):
            raise self.expected(f"{literal!r} {why}")

    def word(self, what: str) -> str:
        """An identifier."""
        self.skip()
        return self._name(_WORD, what)

    def keyword(self, words: tuple[str, ...], what: str) -> str:
        """One of some identifiers."""
        self.skip()
        found = _WORD.match(self.text, self.position)
        if found is None or found.group() not in words:
            raise self.expected(what)
        self.position = found.end()
        return found.group()

    def name(self, what: str) -> str:
        """A bare or quoted name."""
        return self.string(MAX_NAME) if self.at('"') else self._name(BARE_NAME, what)

    def _name(self, pattern: re.Pattern[str], what: str) -> str:
        start = self.position
        found = self.match(pattern)
        if found is None:
            raise self.expected(what)
        if len(found.group()) > MAX_NAME:
            raise self.error(f"{what} has more than {MAX_NAME} characters.", start)
        return found.group()

    def string(self, limit: int = MAX_STRING) -> str:
        """A string in double quotes; the first one stands here."""
        start = self.position
        self.position += 1
        parts: list[str] = []
        length = 0
        while True:
            plain = self.match(_PLAIN)
            parts.append(plain.group() if plain else "")
            length += len(parts[-1]) + 1
            if length - 1 > limit:
                raise self.error(f"a string or name has more than {limit} characters.", start)
            if self.text.startswith('"', self.position):
                self.position += 1
                return "".join(parts)
            parts.append(self._escaped_character())

    def _escaped_character(self) -> str:
        start = self.position
        found = self.match(_ESCAPE)
        if found is None:
            in_escape = self.text.startswith("\\", start)
            raise self.expected(
                'one of \\" \\\\ \\n \\t \\r \\uXXXX \\UXXXXXXXX' if in_escape else "'\"' behind a string"
            )
        code = found.group(1) or found.group(2)
        if not code:
            return _ESCAPED[found.group(3)]
        if int(code, 16) > 0x10FFFF:
            raise self.error(f"there is no character {found.group()}.", start)
        return chr(int(code, 16))

    def raw(self, closing: str) -> tuple[str, int]:
        """The characters up to a comma or ``closing`` outside of parentheses, and where they start."""
        self.skip_blank()
        start = self.position
        depth = 0
        for found in _NESTING.finditer(self.text, start):
            character = found.group()
            if character == "(":
                depth += 1
            elif character == ")" and depth:
                depth -= 1
            elif character != "," or not depth:
                raw = self.text[start : found.start()].rstrip()
                if depth or character not in (",", closing) or not 0 < len(raw) <= MAX_EXPRESSION:
                    break
                self.position = found.start()
                return raw, start
        raise self.expected(f"a value of at most {MAX_EXPRESSION} characters and ',' or {closing!r} behind it")
