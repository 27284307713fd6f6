"""Every test here has a cache folder of its own, and none reaches the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_server import LocalServer, isolate, local_server


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """graphc's cache folder, empty. Keras's is empty too."""
    return isolate(tmp_path, monkeypatch)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A server on this machine."""
    with local_server() as running:
        yield running
