"""`get_file` and the unpacking of archives that nobody vouches for."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from local_server import LocalServer

from graphc import archives
from graphc.archives import extract_archive
from graphc.download import DownloadError
from graphc.errors import ArgumentError, DataError
from graphc.utils import get_file

FILES = {"photos/roses/1.jpg": b"rose", "photos/roses/2.jpg": b"another", "photos/empty.txt": b"", "./readme": b"read"}


def tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


UNPACKED = {name.removeprefix("./"): data for name, data in FILES.items()}


class TestGetFile:
    def test_names(self, server: LocalServer, cache: Path, tmp_path: Path) -> None:
        url = server.serve("some%20data.bin", b"data")
        assert get_file(origin=url) == str(cache / "datasets" / "some data.bin")
        assert get_file("x.bin", url, cache_subdir="models") == str(cache / "models" / "x.bin")
        assert get_file("x.bin", url, cache_dir=tmp_path / "other", cache_subdir="") == str(
            tmp_path / "other" / "x.bin"
        )
        assert get_file("x.bin", url, cache_subdir=str(tmp_path / "there")) == str(tmp_path / "there" / "x.bin")
        assert Path(get_file(Path("y.bin"), url)).read_bytes() == b"data"

    @pytest.mark.parametrize(
        "arguments",
        [
            {"file_hash": hashlib.sha256(b"data").hexdigest()},
            {"file_hash": hashlib.sha256(b"data").hexdigest(), "hash_algorithm": "sha256"},
            {"file_hash": hashlib.md5(b"data").hexdigest()},
            {"file_hash": hashlib.md5(b"data").hexdigest(), "hash_algorithm": "md5"},
            {"md5_hash": hashlib.md5(b"data").hexdigest()},
        ],
    )
    def test_hashes(self, server: LocalServer, cache: Path, arguments: Any) -> None:
        url = server.serve("x.bin", b"data")
        path = Path(get_file(origin=url, **arguments))
        assert path.read_bytes() == b"data"
        path.write_bytes(b"damaged")
        assert Path(get_file(origin=url, **arguments)).read_bytes() == b"data"
        path.unlink()
        server.serve("x.bin", b"tampered")
        with pytest.raises(DownloadError):
            get_file(origin=url, **arguments)
        assert tree(cache) == {}

    def test_force(self, server: LocalServer) -> None:
        url = server.serve("x.bin", b"one")
        get_file(origin=url)
        server.serve("x.bin", b"two")
        assert Path(get_file(origin=url)).read_bytes() == b"one"
        assert Path(get_file(origin=url, force_download=True)).read_bytes() == b"two"

    @pytest.mark.parametrize(
        ("fname", "archive", "folder"),
        [
            (None, "photos.tgz_archive", "photos.tgz"),
            ("photos", "photos_archive", "photos"),
            ("photos.tar.gz", "photos.tar.gz", "photos_extracted"),
        ],
    )
    def test_archives_are_called_as_in_keras(
        self, server: LocalServer, cache: Path, fname: Any, archive: str, folder: str
    ) -> None:
        url = server.serve("photos.tgz", tar(FILES))
        assert get_file(fname, url, extract=True) == str(cache / "datasets" / folder)
        assert tree(cache / "datasets" / folder) == UNPACKED
        assert (cache / "datasets" / archive).is_file()
        assert get_file(fname, url, untar=True) == str(cache / "datasets" / folder)
        assert server.requests == ["/photos.tgz"]

    def test_formats(self, server: LocalServer, cache: Path) -> None:
        url = server.serve("x.zip", zipped(FILES))
        assert tree(Path(get_file("x", url, extract=True, archive_format="zip"))) == UNPACKED
        assert tree(Path(get_file("x", url, extract=True, archive_format=["tar", "zip"]))) == UNPACKED
        assert get_file("x", url, extract=True, archive_format=None) == str(cache / "datasets" / "x_archive")
        with pytest.raises(DataError, match="no archive of the format tar"):
            get_file("x", url, untar=True)
        with pytest.raises(ArgumentError, match="'rar'"):
            get_file("x", url, extract=True, archive_format="rar")

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ({}, "needs `origin`"),
            ({"origin": "http://127.0.0.1:9/"}, "pass `fname`"),
            ({"origin": "file:///etc/hosts"}, "http:// and https://"),
            ({"fname": "a/b", "origin": "http://127.0.0.1:9/x"}, "plain file name"),
            ({"origin": "http://127.0.0.1:9/x", "hash_algorithm": "sha1"}, "'auto', 'sha256' or 'md5'"),
            ({"origin": "http://127.0.0.1:9/x", "file_hash": "0" * 32, "hash_algorithm": "sha256"}, "is no sha256"),
        ],
    )
    def test_arguments(self, arguments: Any, complaint: str) -> None:
        with pytest.raises(ArgumentError, match=complaint):
            get_file(**arguments)


class TestExtractArchive:
    def archive(self, tmp_path: Path, data: bytes) -> Path:
        path = tmp_path / "archive"
        path.write_bytes(data)
        return path

    def refused(self, tmp_path: Path, data: bytes, complaint: str) -> None:
        path = self.archive(tmp_path, data)
        with pytest.raises(DataError, match=complaint):
            extract_archive(path, tmp_path / "deep" / "target")
        assert tree(tmp_path) == {"archive": data}  # nothing was unpacked, inside or outside
        assert not (tmp_path / "deep" / "target").exists()

    @pytest.mark.parametrize(
        "data", [tar(FILES), tar(FILES, "w"), tar(FILES, "w:bz2"), tar(FILES, "w:xz"), zipped(FILES)]
    )
    def test_unpacks(self, tmp_path: Path, data: bytes) -> None:
        target = tmp_path / "target"
        (target / "photos").mkdir(parents=True)
        (target / "photos" / "mine.jpg").write_bytes(b"stays")
        (target / "readme").write_bytes(b"is replaced")
        extract_archive(self.archive(tmp_path, data), target)
        assert tree(target) == {**UNPACKED, "photos/mine.jpg": b"stays"}
        assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "target"]

    @pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/tmp/outside", "a\\..\\b", "C:/x", "C:\\x"])
    @pytest.mark.parametrize("pack", [tar, zipped])
    def test_names_that_lead_out(self, tmp_path: Path, name: str, pack: Any) -> None:
        self.refused(tmp_path, pack({"good": b"x", name: b"x"}), "leads out of the folder")

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
    def test_links_and_devices(self, tmp_path: Path, kind: bytes) -> None:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as archive:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = kind, "../outside"
            archive.addfile(info)
        self.refused(tmp_path, file.getvalue(), "neither a plain file nor a folder")

    def test_link_in_a_zip(self, tmp_path: Path) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            info = zipfile.ZipInfo("link")
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "../outside")
        self.refused(tmp_path, file.getvalue(), "neither a plain file nor a folder")

    @pytest.mark.parametrize("pack", [tar, zipped])
    def test_more_than_the_disk_holds(self, tmp_path: Path, pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        data = pack({"zeros": bytes(10**6)})
        usage = type("usage", (), {"free": 10**5})
        monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: usage)
        self.refused(tmp_path, data, "more bytes than there is room")

    def test_many_members(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
        self.refused(tmp_path, zipped(FILES), "more than 3 members")

    @pytest.mark.parametrize("data", [b"", b"neither", tar(FILES)[:-60], tar(FILES, "w")[:700], zipped(FILES)[:-40]])
    def test_damaged(self, tmp_path: Path, data: bytes) -> None:
        self.refused(tmp_path, data, "no archive of the format|cannot be unpacked")

    def test_flipped_bit(self, tmp_path: Path) -> None:
        data = bytearray(zipped({"a": os.urandom(1000)}))
        data[500] ^= 1
        self.refused(tmp_path, bytes(data), "cannot be unpacked: Bad CRC")

    def test_a_file_for_a_folder(self, tmp_path: Path) -> None:
        self.refused(tmp_path, zipped({"a": b"x", "a/b": b"y"}), "cannot be unpacked")
