"""What IMDB and Reuters share: texts as lists of word numbers, and the table of the words.

A word's number is its rank by frequency. Before a model sees it, ``index_from`` is added, so that the lowest numbers are
free for padding (0), the start of a text (1) and words that were left out (2).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError

Array = np.ndarray[Any, Any]
Texts = list[list[int]]

MOST_WORDS = 2**27
"""In all texts of a file together; IMDB has some six million."""

LARGEST_INDEX = 2**26
"""Bytes of a table of words; IMDB's has 1.6 million."""


@dataclass(frozen=True)
class WordChoice:
    """Which words are kept, and the numbers that stand for others: the arguments of ``load_data``, as Keras has them."""

    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int | None

    def __post_init__(self) -> None:
        for name, least in (("num_words", 0), ("skip_top", 0), ("maxlen", 0), ("index_from", None)):
            value = getattr(self, name)
            if value is None and name != "skip_top":
                continue
            if isinstance(value, bool) or not hasattr(value, "__index__") or (least is not None and value < least):
                raise ArgumentError(f"`{name}` must be a non-negative integer; got {name}={value!r}.")

    def start(self, texts: Array, labels: Array) -> tuple[Texts, Array]:
        """Move the numbers up, put the start in front, and drop texts that then have ``maxlen`` words or more.

        Raises:
            DataError: no text is left.
        """
        up = self.index_from or 0
        head = [] if self.start_char is None else [self.start_char]
        moved = [head + [word + up for word in text] for text in texts]
        if not self.maxlen:
            return moved, labels
        kept = [i for i, text in enumerate(moved) if len(text) < self.maxlen]
        if not kept:
            raise DataError(f"No text has fewer than maxlen={self.maxlen} words; increase `maxlen`.")
        return [moved[i] for i in kept], labels[kept]

    def cut(self, texts: Texts) -> Texts:
        """Replace, or with ``oov_char=None`` leave out, words that are too frequent or too rare."""
        # Keras's default is the largest number itself, so that the rarest word is always left out.
        end = self.num_words or max((max(text) for text in texts if text), default=0)
        low, other = self.skip_top, self.oov_char
        if other is None:
            return [[word for word in text if low <= word < end] for text in texts]
        return [[word if low <= word < end else other for word in text] for text in texts]


def check_texts(texts: Array, labels: Array, path: Path) -> None:
    """See to it that a file holds lists of word numbers and a label for each.

    Raises:
        DataError: it holds something else.
    """
    if texts.dtype != object or texts.ndim != 1 or labels.shape != texts.shape or labels.dtype.kind not in "iu":
        raise DataError(f"{path} must hold a list of word numbers and a label for each text; it holds something else.")
    if not len(texts):
        raise DataError(f"{path} holds no texts.")
    words = 0
    for text in texts:
        # The type of each word is looked at too: a damaged file could hold anything in a list.
        if type(text) is not list or not set(map(type, text)) <= {int}:
            raise DataError(f"{path} must hold lists of word numbers; it holds something else.")
        words += len(text)
        if words > MOST_WORDS:
            raise DataError(f"{path} holds more than {MOST_WORDS} words.")


def shuffled(texts: Array, labels: Array, random: np.random.RandomState) -> tuple[Array, Array]:
    """Texts and labels in a new order, the one that Keras makes of the same random state."""
    order = np.arange(len(texts))
    random.shuffle(order)
    return texts[order], labels[order]


def as_objects(texts: Texts) -> Array:
    """An array of lists, of one axis also where all lists are equally long (Keras's then has two)."""
    array = np.empty(len(texts), dtype=object)
    for i, text in enumerate(texts):
        array[i] = text
    return array


def read_word_index(path: Path) -> dict[str, int]:
    """The table from words to numbers.

    Raises:
        DataError: the file is damaged or another one.
    """
    if path.stat().st_size > LARGEST_INDEX:
        raise DataError(f"{path} has {path.stat().st_size} bytes, and at most {LARGEST_INDEX} are read.")
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(index, dict) or not set(map(type, index.values())) <= {int}:
        raise DataError(f"{path} is no table of words: it must map words to numbers.")
    return index
