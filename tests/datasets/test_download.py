"""Downloads, from a server on this machine that does what servers do: serve, refuse, break off, lie, vanish."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from local_server import LocalServer

from graphc import download
from graphc.download import DownloadError, cache_folder, fetch, keras_folder, local_or_fetched
from graphc.errors import ArgumentError, DataError, GraphcError

BODY = bytes(range(256)) * 700
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("known_hash", [SHA256, SHA256.upper(), MD5, None])
def test_downloads_once(server: LocalServer, cache: Path, known_hash: str | None, capsys: Any) -> None:
    url = server.serve("data.bin", BODY)
    path = fetch(url, "data.bin", known_hash=known_hash)
    assert path == cache / "datasets" / "data.bin"
    assert path.read_bytes() == BODY
    assert fetch(url, "data.bin", known_hash=known_hash) == path
    assert server.requests == ["/data.bin"]
    assert files_in(cache) == ["datasets/data.bin"]
    assert capsys.readouterr().out == f"Downloading data from {url}\n"


def test_progress_is_shown_and_pooch_says_nothing(server: LocalServer, capsys: Any) -> None:
    import pooch

    level = pooch.get_logger().level
    fetch(server.serve("data.bin", BODY), "data.bin")
    assert "100%" in capsys.readouterr().err
    assert pooch.get_logger().level == level != logging.WARNING


@pytest.mark.parametrize("known_hash", ["0" * 64, "0" * 32])
def test_wrong_hash(server: LocalServer, cache: Path, known_hash: str) -> None:
    url = server.serve("data.bin", BODY)
    with pytest.raises(DownloadError) as caught:
        fetch(url, "data.bin", known_hash=known_hash)
    message = str(caught.value)
    found = SHA256 if len(known_hash) == 64 else MD5
    for part in (url, found, known_hash, str(cache / "datasets" / "data.bin"), "by hand"):
        assert part in message
    assert "\n" not in message
    assert files_in(cache) == []


@pytest.mark.parametrize("known_hash", [SHA256, None])
def test_broken_off(server: LocalServer, cache: Path, known_hash: str | None) -> None:
    url = server.serve("data.bin", BODY[:1000], announced=len(BODY))
    with pytest.raises(DownloadError, match="broke off") as caught:
        fetch(url, "data.bin", known_hash=known_hash)
    assert url in str(caught.value) and "\n" not in str(caught.value)
    assert files_in(cache) == []


def test_not_there(server: LocalServer, cache: Path) -> None:
    with pytest.raises(DownloadError, match="the server answered 404 Not Found") as caught:
        fetch(f"{server.url}/nothing.bin", "nothing.bin", known_hash=SHA256)
    assert f"save it as {cache / 'datasets' / 'nothing.bin'}" in str(caught.value)
    assert files_in(cache) == []


def test_no_server(cache: Path) -> None:
    import socket

    with socket.socket() as free:  # bound and not listening: a port where nobody answers
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/data.bin"
        with pytest.raises(DownloadError, match="no connection") as caught:
            fetch(url, "data.bin", known_hash=SHA256)
    message = str(caught.value)
    assert url in message and str(cache / "datasets" / "data.bin") in message and "\n" not in message
    assert isinstance(caught.value, OSError) and isinstance(caught.value, GraphcError)
    assert files_in(cache) == []


@pytest.mark.parametrize("announced", [-1, None], ids=["announced", "not announced"])
def test_too_large(server: LocalServer, cache: Path, announced: int | None) -> None:
    url = server.serve("data.bin", BODY, announced=announced)
    with pytest.raises(DownloadError, match="at most 1000 are accepted"):
        fetch(url, "data.bin", limit=1000)
    assert files_in(cache) == []


def test_interrupted(server: LocalServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(download._LimitedWriter, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(server.serve("data.bin", BODY), "data.bin", known_hash=SHA256)
    assert files_in(cache) == []


def test_redirection(server: LocalServer) -> None:
    url = server.serve("old.bin", b"", status=302, location=server.serve("new.bin", BODY))
    assert fetch(url, "data.bin", known_hash=SHA256).read_bytes() == BODY


class TestWhatIsThere:
    def test_another_file_is_replaced_by_the_right_one(self, server: LocalServer, cache: Path) -> None:
        place = cache / "datasets" / "data.bin"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"an older edition")
        assert fetch(server.serve("data.bin", BODY), "data.bin", known_hash=SHA256) == place
        assert place.read_bytes() == BODY

    def test_another_file_stays_when_the_download_fails(self, server: LocalServer, cache: Path) -> None:
        place = cache / "datasets" / "data.bin"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"an older edition")
        with pytest.raises(DownloadError, match="has another hash"):
            fetch(f"{server.url}/data.bin", "data.bin", known_hash=SHA256)
        assert place.read_bytes() == b"an older edition"

    def test_without_a_hash_it_is_taken(self, server: LocalServer, cache: Path) -> None:
        place = cache / "datasets" / "data.bin"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"placed by hand")
        assert fetch(server.serve("data.bin", BODY), "data.bin") == place
        assert server.requests == []
        assert fetch(server.serve("data.bin", BODY), "data.bin", force=True).read_bytes() == BODY

    def test_a_folder_is_in_the_way(self, server: LocalServer, cache: Path) -> None:
        (cache / "datasets" / "data.bin").mkdir(parents=True)
        with pytest.raises(DownloadError, match="is not a file"):
            fetch(server.serve("data.bin", BODY), "data.bin")

    @pytest.mark.parametrize("keras_names", [None, ("elsewhere/x_archive", "datasets/data.bin")])
    def test_in_keras_cache(self, tmp_path: Path, keras_names: Any) -> None:
        place = tmp_path / "keras" / "datasets" / "data.bin"
        place.parent.mkdir(parents=True)
        place.write_bytes(BODY)
        assert fetch("http://127.0.0.1:9/x", "data.bin", known_hash=SHA256, keras_names=keras_names) == place

    @pytest.mark.parametrize("known_hash", ["0" * 64, None])
    def test_in_keras_cache_but_not_known_to_be_the_right_one(
        self, server: LocalServer, tmp_path: Path, known_hash: str | None
    ) -> None:
        place = tmp_path / "keras" / "datasets" / "data.bin"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"half a fi")
        url = server.serve("data.bin", BODY)
        known_hash = known_hash and SHA256
        assert fetch(url, "data.bin", known_hash=known_hash).read_bytes() == BODY


def test_place_that_cannot_be_written(server: LocalServer, cache: Path) -> None:
    cache.parent.mkdir(exist_ok=True)
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(DownloadError, match="Cannot download"):
        fetch(server.serve("data.bin", BODY), "data.bin")


class TestArguments:
    @pytest.mark.parametrize("url", ["ftp://example.org/x", "file:///etc/hosts", "x", "", 3])
    def test_addresses(self, url: Any) -> None:
        with pytest.raises(ArgumentError, match="http:// and https://"):
            fetch(url, "data.bin")

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../b", "/b", "a\\b", "a\nb", "a\0b"])
    def test_names(self, name: str) -> None:
        with pytest.raises(ArgumentError, match="plain file name"):
            fetch("http://127.0.0.1:9/x", name)

    @pytest.mark.parametrize("known_hash", ["", "abc", "z" * 64, "sha256:" + "0" * 64, "0" * 40])
    def test_hashes(self, known_hash: str) -> None:
        with pytest.raises(ArgumentError, match="SHA-256"):
            fetch("http://127.0.0.1:9/x", "data.bin", known_hash=known_hash)


class TestFolders:
    def test_of_graphc(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("GRAPHC_HOME", "~/there")
        assert cache_folder() == Path.home() / "there"
        monkeypatch.delenv("GRAPHC_HOME")
        assert cache_folder().name == "graphc" and cache_folder().is_absolute()

    def test_of_keras(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("KERAS_HOME")
        assert keras_folder() == Path.home() / ".keras"


class TestLocalOrFetched:
    URL = "http://127.0.0.1:9/data.bin"

    @pytest.mark.parametrize("form", [str, Path])
    def test_own_file_is_taken_as_it_is(self, tmp_path: Path, form: Any) -> None:
        own = tmp_path / "mine.bin"
        own.write_bytes(b"mine")
        assert local_or_fetched(form(own), self.URL, "data.bin", known_hash=SHA256) == own

    def test_own_file_in_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "mine.bin").write_bytes(b"mine")
        assert local_or_fetched("mine.bin", self.URL, "data.bin").read_bytes() == b"mine"

    def test_the_default_name_always_means_the_cache(
        self, server: LocalServer, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "data.bin").write_bytes(b"somebody's")
        url = server.serve("data.bin", BODY)
        assert local_or_fetched("data.bin", url, "data.bin", known_hash=SHA256) == cache / "datasets" / "data.bin"

    def test_a_plain_name_is_one_in_the_cache(self, server: LocalServer, cache: Path) -> None:
        found = local_or_fetched("second.bin", server.serve("data.bin", BODY), "data.bin", known_hash=SHA256)
        assert found == cache / "datasets" / "second.bin"

    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="There is no file"):
            local_or_fetched(os.fspath(tmp_path / "none.bin"), self.URL, "data.bin")

    def test_no_path(self) -> None:
        with pytest.raises(ArgumentError, match="`path`"):
            local_or_fetched(None, self.URL, "data.bin")
