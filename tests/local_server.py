"""A web server on this machine for the tests of downloads: it serves what a test gives it, also badly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Answer:
    """What is sent for one path.

    Attributes:
        body: the bytes that are sent.
        announced: the length that is announced; the body's by default, None for none.
        status: the HTTP status.
        location: where a redirection leads.
    """

    body: bytes
    announced: int | None = -1
    status: int = 200
    location: str = ""


@dataclass
class LocalServer:
    """The address, what is served by path, and the paths that were asked for."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def serve(self, name: str, body: bytes, **options: Any) -> str:
        """Serve bytes; gives their address."""
        self.answers[f"/{name}"] = Answer(body, **options)
        return f"{self.url}/{name}"


def isolate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test cache folders of its own, graphc's and Keras's, and no proxy; gives graphc's."""
    monkeypatch.setenv("GRAPHC_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path / "cache"


@contextmanager
def local_server() -> Iterator[LocalServer]:
    """A server in a thread, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.requests.append(self.path)
            answer = found.answers.get(self.path, Answer(b"not here", status=404))
            self.send_response(answer.status)
            length = len(answer.body) if answer.announced == -1 else answer.announced
            if length is not None:
                self.send_header("Content-Length", str(length))
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests look at `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    found = LocalServer(f"http://127.0.0.1:{server.server_port}")
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
