"""Boston housing: prices of houses in the suburbs of Boston in the 1970s (D. Harrison and D. Rubinfeld, 1978).

One of its features, ``B``, was built on the assumption that racial segregation raises prices. Use the data set to talk
about that, and `california_housing` for everything else.
"""

from __future__ import annotations

from typing import Any

from graphc.datasets.housing import Split, check_test_split, read_houses, shuffle_and_split
from graphc.datasets.sources import BOSTON_HOUSING


def load_data(path: Any = BOSTON_HOUSING.name, test_split: float = 0.2, seed: int = 113) -> Split:
    """Loads 506 houses as ``(x_train, y_train), (x_test, y_test)``; downloaded at the first call, 57 kB.

    Args:
        path: a copy of ``boston_housing.npz`` that you have; or a name for it in the cache.
        test_split: the fraction of the houses that is for testing.
        seed: of the shuffle before the split.

    Returns:
        Features ``(houses, 13)`` and median prices ``(houses,)`` in thousands of dollars, float64.

    Raises:
        ArgumentError: ``test_split`` is not from 0 up to 1.
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one.
    """
    check_test_split(test_split)
    return shuffle_and_split(*read_houses(BOSTON_HOUSING.fetch_or_take(path)), test_split, seed)
