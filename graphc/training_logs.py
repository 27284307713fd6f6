"""Logs of a batch, computed only when a callback looks at them: most batches pass unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


class BatchLogs(dict[str, float]):
    """A dict that fills itself at the first look."""

    def __init__(self, compute: Callable[[], dict[str, float]]) -> None:
        super().__init__()
        self._compute: Callable[[], dict[str, float]] | None = compute

    def _fill(self) -> None:
        if self._compute is not None:
            compute, self._compute = self._compute, None
            for key, value in compute().items():
                super().__setitem__(key, value)

    def __getitem__(self, key: str) -> float:
        self._fill()
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return super().__iter__()

    def __len__(self) -> int:
        self._fill()
        return super().__len__()

    def __contains__(self, key: object) -> bool:
        self._fill()
        return super().__contains__(key)

    def __eq__(self, other: object) -> bool:
        self._fill()
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        self._fill()
        return super().__repr__()

    def get(self, key: str, default: Any = None) -> Any:
        """As in a dict."""
        self._fill()
        return super().get(key, default)

    def keys(self) -> Any:
        """As in a dict."""
        self._fill()
        return super().keys()

    def values(self) -> Any:
        """As in a dict."""
        self._fill()
        return super().values()

    def items(self) -> Any:
        """As in a dict."""
        self._fill()
        return super().items()

    def copy(self) -> dict[str, float]:
        """As in a dict."""
        self._fill()
        return dict(super().items())
