"""Reuters: 11,228 newswires as lists of word numbers, on 46 topics (Reuters-21578, D. Lewis)."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.datasets.housing import check_test_split
from graphc.datasets.npz import read_npz
from graphc.datasets.sources import REUTERS, REUTERS_WORD_INDEX
from graphc.datasets.word_lists import WordChoice, as_objects, check_texts, read_word_index, shuffled

Array = np.ndarray[Any, Any]

_TOPICS = """
cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude nat-gas
cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber heat jobs
lei bop zinc orange pet-chem dlr gas silver wpi hog lead
"""


def load_data(
    path: Any = REUTERS.name,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Loads the newswires as ``(x_train, y_train), (x_test, y_test)``; downloaded at the first call, 2 MB.

    Args:
        path: a copy of ``reuters.npz`` that you have; or a name for it in the cache.
        num_words: numbers from here on stand for words too rare, and become ``oov_char``. By default the largest number
            that occurs, as in Keras: so the rarest word of all is left out too.
        skip_top: numbers below this one, of the most frequent words, become ``oov_char`` too.
        maxlen: newswires of so many words or more, the start included, are left out.
        test_split: the fraction of the newswires that is for testing.
        seed: of the shuffle before the split.
        start_char: the number in front of each newswire; None for none.
        oov_char: the number that stands for a word that was left out; None to drop such words.
        index_from: what is added to the words' numbers.

    Returns:
        Newswires, arrays of lists of integers, and their topics, see `get_label_names`.

    Raises:
        ArgumentError: an argument has a value that it cannot have.
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one, or no newswire is short enough.
    """
    check_test_split(test_split)
    choice = WordChoice(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    file = REUTERS.fetch_or_take(path)
    x, y = read_npz(file, ("x", "y"))
    check_texts(x, y, file)
    texts, labels = choice.start(*shuffled(x, y, np.random.RandomState(seed)))
    texts = choice.cut(texts)
    end = int(len(texts) * (1 - test_split))
    return (as_objects(texts[:end]), labels[:end]), (as_objects(texts[end:]), labels[end:])


def get_word_index(path: Any = REUTERS_WORD_INDEX.name) -> dict[str, int]:
    """The table from words to numbers, before ``index_from`` is added; downloaded at the first call, 0.6 MB.

    Args:
        path: a copy of ``reuters_word_index.json`` that you have; or a name for it in the cache.

    Raises:
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one.
    """
    return read_word_index(REUTERS_WORD_INDEX.fetch_or_take(path))


def get_label_names() -> tuple[str, ...]:
    """The names of the topics 0 to 45."""
    return tuple(_TOPICS.split())
