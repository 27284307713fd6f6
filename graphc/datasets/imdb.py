"""IMDB: 50,000 reviews of films as lists of word numbers, each good or bad (A. Maas and others, 2011)."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.datasets.npz import read_npz
from graphc.datasets.sources import IMDB, IMDB_WORD_INDEX
from graphc.datasets.word_lists import WordChoice, as_objects, check_texts, read_word_index, shuffled
from graphc.errors import ArgumentError

Array = np.ndarray[Any, Any]


def load_data(
    path: Any = IMDB.name,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Loads the reviews as ``(x_train, y_train), (x_test, y_test)``; downloaded at the first call, 17 MB.

    Args:
        path: a copy of ``imdb.npz`` that you have; or a name for it in the cache.
        num_words: numbers from here on stand for words too rare, and become ``oov_char``. By default the largest number
            that occurs, as in Keras: so the rarest word of all is left out too.
        skip_top: numbers below this one, of the most frequent words, become ``oov_char`` too.
        maxlen: reviews of so many words or more, the start included, are left out.
        seed: of the shuffle.
        start_char: the number in front of each review; None for none.
        oov_char: the number that stands for a word that was left out; None to drop such words.
        index_from: what is added to the words' numbers.

    Returns:
        Reviews, arrays ``(25000,)`` of lists of integers, and ``(25000,)`` labels, 1 for good.

    Raises:
        ArgumentError: an argument has a value that it cannot have, or there is none of that name.
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one, or no review is short enough.
    """
    if kwargs:
        raise ArgumentError(f"Unexpected keyword arguments of imdb.load_data: {sorted(kwargs)}.")
    choice = WordChoice(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    file = IMDB.fetch_or_take(path)
    x_train, y_train, x_test, y_test = read_npz(file, ("x_train", "y_train", "x_test", "y_test"))
    check_texts(x_train, y_train, file)
    check_texts(x_test, y_test, file)
    random = np.random.RandomState(seed)  # one for both parts, as in Keras
    train, train_labels = choice.start(*shuffled(x_train, y_train, random))
    test, test_labels = choice.start(*shuffled(x_test, y_test, random))
    texts = choice.cut(train + test)
    end = len(train)
    return (as_objects(texts[:end]), train_labels), (as_objects(texts[end:]), test_labels)


def get_word_index(path: Any = IMDB_WORD_INDEX.name) -> dict[str, int]:
    """The table from words to numbers, before ``index_from`` is added; downloaded at the first call, 1.6 MB.

    Args:
        path: a copy of ``imdb_word_index.json`` that you have; or a name for it in the cache.

    Raises:
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one.
    """
    return read_word_index(IMDB_WORD_INDEX.fetch_or_take(path))
