"""California housing: median prices of houses in the districts of California, census of 1990 (K. Pace and R. Barry)."""

from __future__ import annotations

from typing import Any

from graphc.datasets.housing import Split, check_test_split, read_houses, shuffle_and_split
from graphc.datasets.sources import CALIFORNIA_HOUSING
from graphc.errors import ArgumentError

_ROWS = {"small": 600, "large": None}


def load_data(
    version: str = "large", path: Any = CALIFORNIA_HOUSING.name, test_split: float = 0.2, seed: int = 113
) -> Split:
    """Loads the districts as ``(x_train, y_train), (x_test, y_test)``; downloaded at the first call, 0.7 MB.

    Args:
        version: ``"large"`` for all 20,640 districts, ``"small"`` for the first 600.
        path: a copy of ``california_housing.npz`` that you have; or a name for it in the cache.
        test_split: the fraction of the districts that is for testing.
        seed: of the shuffle before the split.

    Returns:
        Eight features of each district, ``(districts, 8)``, and median prices ``(districts,)`` in dollars.

    Raises:
        ArgumentError: another ``version``, or ``test_split`` is not from 0 up to 1.
        DownloadError: the file is not there and cannot be downloaded.
        DataError: the file is damaged or another one.
    """
    check_test_split(test_split)
    if version not in _ROWS:
        raise ArgumentError(f"`version` must be 'small' or 'large'; got version={version!r}.")
    houses = read_houses(CALIFORNIA_HOUSING.fetch_or_take(path), _ROWS[version])
    return shuffle_and_split(*houses, test_split, seed)
