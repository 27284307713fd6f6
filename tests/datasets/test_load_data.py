"""Every loader on small files of the published formats: Keras's numbers, downloads with hashes, own files, hostile files."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import small_files
from datasets.make_fixtures import CALLS, FILES, FIXTURE, key
from local_server import LocalServer

from graphc import datasets
from graphc.datasets import cifar, idx, npz, sources
from graphc.download import DownloadError
from graphc.errors import ArgumentError, DataError

NPZ = {"mnist": small_files.digits_npz, **FILES}

KERAS: dict[str, Any] = json.loads(FIXTURE.read_text(encoding="utf-8"))


def own_file(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / "own" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def assert_split_equal(found: Any, expected: Any) -> None:
    for one, other in zip((*found[0], *found[1]), (*expected[0], *expected[1]), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


class TestKerasNumbers:
    @pytest.mark.parametrize(
        ("name", "arguments"),
        [pytest.param(name, a, id=key(name, a)) for name, calls in CALLS.items() for a in calls],
    )
    def test_same(self, tmp_path: Path, name: str, arguments: dict[str, Any]) -> None:
        path = own_file(tmp_path, f"{name}.npz", FILES[name]())
        (x_train, y_train), (x_test, y_test) = getattr(datasets, name).load_data(path=path, **arguments)
        if name == "california_housing":
            x_train, x_test = x_train[:3], x_test[:3]
        for found, expected in zip((x_train, y_train, x_test, y_test), KERAS[key(name, arguments)], strict=True):
            assert str(found.dtype) == expected["dtype"]
            assert [x if isinstance(x, list) else x.tolist() for x in found] == expected["values"]

    def test_label_names(self) -> None:
        assert list(datasets.reuters.get_label_names()) == KERAS["label names"]

    @pytest.mark.parametrize("name", sorted(set(dir(datasets)) & {*NPZ, "cifar10", "cifar100", "fashion_mnist"}))
    def test_modules_have_a_loader_that_can_be_replaced(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        module = getattr(datasets, name)
        monkeypatch.setattr(module, "load_data", lambda: "another")
        assert getattr(datasets, name).load_data() == "another"

    def test_signatures(self) -> None:
        def given(function: Callable[..., Any]) -> list[str]:
            return [str(p).split(":")[0] + f"={p.default}" for p in inspect.signature(function).parameters.values()]

        assert given(datasets.imdb.load_data)[:-1] == (
            "path=imdb.npz num_words=None skip_top=0 maxlen=None seed=113 start_char=1 oov_char=2 index_from=3".split()
        )
        assert given(datasets.reuters.load_data) == (
            "path=reuters.npz num_words=None skip_top=0 maxlen=None test_split=0.2 seed=113 start_char=1 oov_char=2 "
            "index_from=3".split()
        )
        assert given(datasets.mnist.load_data) == ["path=mnist.npz"]
        assert given(datasets.boston_housing.load_data) == "path=boston_housing.npz test_split=0.2 seed=113".split()
        assert given(datasets.california_housing.load_data) == (
            "version=large path=california_housing.npz test_split=0.2 seed=113".split()
        )
        assert given(datasets.cifar100.load_data)[0] == "label_mode=fine"


class TestDownloaded:
    """From a server on this machine; the sources are pointed at it, with the hashes of the small files."""

    def point(self, monkeypatch: pytest.MonkeyPatch, server: LocalServer, module: Any, name: str, data: bytes) -> Any:
        source = getattr(module, name)
        moved = replace(source, url=server.serve(source.name, data), hash=hashlib.sha256(data).hexdigest())
        monkeypatch.setattr(module, name, moved)
        return moved

    @pytest.mark.parametrize("name", NPZ)
    def test_npz(self, server: LocalServer, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        module, data = getattr(datasets, name), NPZ[name]()
        source = self.point(monkeypatch, server, module, name.upper(), data)
        first = module.load_data()
        assert (cache / "datasets" / source.name).read_bytes() == data
        assert_split_equal(module.load_data(), first)
        assert server.requests == [f"/{source.name}"]

    @pytest.mark.parametrize("name", ["imdb", "reuters"])
    def test_word_index(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        module = getattr(datasets, name)
        table = {"the": 1, "and": 2, "naïve": 3}
        self.point(monkeypatch, server, module, f"{name.upper()}_WORD_INDEX", json.dumps(table).encode())
        assert module.get_word_index() == table

    def test_mnist(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.point(monkeypatch, server, datasets.mnist, "MNIST", small_files.digits_npz())
        (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
        assert [a.shape for a in (x_train, y_train, x_test, y_test)] == [(7, 28, 28), (7,), (3, 28, 28), (3,)]
        assert {a.dtype.name for a in (x_train, y_train, x_test, y_test)} == {"uint8"}
        np.testing.assert_array_equal(x_train, small_files.images(np.random.RandomState(0), 7, 28, 28))

    @pytest.mark.parametrize("dump", [small_files.python2_pickle, small_files.python3_pickle])
    def test_cifar10(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch, dump: Any) -> None:
        data = small_files.tar_gz(small_files.cifar10_batches(dump))
        self.point(monkeypatch, server, datasets.cifar10, "CIFAR10", data)
        (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
        assert [a.shape for a in (x_train, y_train, x_test, y_test)] == [
            (20, 32, 32, 3),
            (20, 1),
            (3, 32, 32, 3),
            (3, 1),
        ]
        assert {a.dtype.name for a in (x_train, y_train, x_test, y_test)} == {"uint8"}
        third = small_files.batch(4, 3, "labels")
        assert y_train[8:12, 0].tolist() == third["labels"]
        # A pixel of the file's (image, colour, row, column).
        assert x_train[9, 5, 17, 2] == third["data"].reshape(4, 3, 32, 32)[1, 2, 5, 17]

    @pytest.mark.parametrize(("mode", "label_key"), [("fine", "fine_labels"), ("coarse", "coarse_labels")])
    def test_cifar100(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch, mode: str, label_key: str) -> None:
        self.point(
            monkeypatch, server, datasets.cifar100, "CIFAR100", small_files.tar_gz(small_files.cifar100_batches())
        )
        (x_train, y_train), (x_test, y_test) = datasets.cifar100.load_data(label_mode=mode)
        assert [a.shape for a in (x_train, y_train, x_test, y_test)] == [(6, 32, 32, 3), (6, 1), (5, 32, 32, 3), (5, 1)]
        assert y_train[:, 0].tolist() == small_files.batch(6, 6, "fine_labels", "coarse_labels")[label_key]

    def test_fashion_mnist(self, server: LocalServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        random = np.random.RandomState(5)
        arrays = {
            "train_images": small_files.images(random, 5, 28, 28),
            "train_labels": small_files.images(random, 5),
            "test_images": small_files.images(random, 2, 28, 28),
            "test_labels": small_files.images(random, 2),
        }
        moved = {}
        for name, source in sources.FASHION_MNIST.items():
            data = small_files.idx_gz(arrays[name])
            moved[name] = replace(source, url=server.serve(source.name, data), hash=hashlib.md5(data).hexdigest())
        monkeypatch.setattr(datasets.fashion_mnist, "FASHION_MNIST", moved)
        (x_train, y_train), (x_test, y_test) = datasets.fashion_mnist.load_data()
        for found, name in (
            (x_train, "train_images"),
            (y_train, "train_labels"),
            (x_test, "test_images"),
            (y_test, "test_labels"),
        ):
            np.testing.assert_array_equal(found, arrays[name])
            assert found.dtype == np.uint8
        folder = cache / "datasets" / "fashion-mnist"
        assert len(list(folder.iterdir())) == 4
        again = datasets.fashion_mnist.load_data(path=folder)
        np.testing.assert_array_equal(again[0][0], x_train)

    def test_wrong_hash_is_not_read(self, server: LocalServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = self.point(monkeypatch, server, datasets.mnist, "MNIST", small_files.digits_npz())
        server.serve(source.name, small_files.digits_npz() + b"tampered")
        with pytest.raises(DownloadError, match="is not the file that was expected"):
            datasets.mnist.load_data()
        assert [path for path in cache.rglob("*") if path.is_file()] == []

    def test_offline(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(datasets.mnist, "MNIST", replace(sources.MNIST, url="http://127.0.0.1:9/mnist.npz"))
        with pytest.raises(DownloadError) as caught:
            datasets.mnist.load_data()
        message = str(caught.value)
        assert "\n" not in message
        assert "http://127.0.0.1:9/mnist.npz" in message
        assert f"save it as {cache / 'datasets' / 'mnist.npz'}" in message


def test_sources() -> None:
    """Each published file has an address and a hash, and no two the same place in the cache."""
    found = [s for s in vars(sources).values() if isinstance(s, sources.Source)] + [*sources.FASHION_MNIST.values()]
    assert len(found) == 13
    assert all(source.url.startswith("https://") and len(source.hash) in (32, 64) for source in found)
    assert len({(source.folder, source.name) for source in found}) == len({source.hash for source in found}) == 13


class TestOwnFiles:
    def test_cifar_from_a_folder(self, tmp_path: Path) -> None:
        for name, data in small_files.cifar10_batches().items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
        archive = own_file(tmp_path, "cifar.tar.gz", small_files.tar_gz(small_files.cifar10_batches()))
        expected = datasets.cifar10.load_data(path=archive)
        assert_split_equal(datasets.cifar10.load_data(path=tmp_path), expected)
        assert_split_equal(datasets.cifar10.load_data(path=str(tmp_path / "cifar-10-batches-py")), expected)
        (tmp_path / "cifar-10-batches-py" / "data_batch_4").unlink()
        with pytest.raises(DataError, match="has no file 'data_batch_4'"):
            datasets.cifar10.load_data(path=tmp_path)

    @pytest.mark.parametrize(
        "load", [datasets.mnist.load_data, datasets.cifar10.load_data, datasets.imdb.get_word_index]
    )
    def test_missing(self, tmp_path: Path, load: Any) -> None:
        with pytest.raises(DataError, match="nothing"):
            load(path=str(tmp_path / "nothing"))

    def test_fashion_mnist_missing(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="train-labels-idx1-ubyte.gz.*published at https://"):
            datasets.fashion_mnist.load_data(path=tmp_path)


class TestArguments:
    @pytest.mark.parametrize("test_split", [1, 1.0, -0.1, 2, "0.2", None, True])
    @pytest.mark.parametrize("name", ["boston_housing", "california_housing", "reuters"])
    def test_test_split(self, name: str, test_split: Any) -> None:
        with pytest.raises(ArgumentError, match="test_split"):
            getattr(datasets, name).load_data(test_split=test_split)

    def test_version(self) -> None:
        with pytest.raises(ArgumentError, match="'small' or 'large'"):
            datasets.california_housing.load_data(version="tiny")

    def test_label_mode(self) -> None:
        with pytest.raises(ArgumentError, match="'fine' or 'coarse'"):
            datasets.cifar100.load_data(label_mode="medium")

    def test_unknown(self) -> None:
        with pytest.raises(ArgumentError, match="nb_words"):
            datasets.imdb.load_data(nb_words=3)

    @pytest.mark.parametrize(
        "arguments", [{"num_words": "10"}, {"skip_top": None}, {"maxlen": -1}, {"index_from": 1.5}]
    )
    def test_words(self, arguments: dict[str, Any]) -> None:
        with pytest.raises(ArgumentError, match=next(iter(arguments))):
            datasets.imdb.load_data(**arguments)

    @pytest.mark.parametrize("name", ["imdb", "reuters"])
    def test_maxlen_too_small(self, tmp_path: Path, name: str) -> None:
        path = own_file(tmp_path, "x.npz", FILES[name]())
        with pytest.raises(DataError, match="increase `maxlen`"):
            getattr(datasets, name).load_data(path=path, maxlen=2)

    def test_equal_lengths_stay_lists(self, tmp_path: Path) -> None:
        texts = np.empty(4, dtype=object)
        for i in range(4):
            texts[i] = [i + 1, 5]
        path = own_file(tmp_path, "x.npz", small_files.npz(x=texts, y=np.arange(4)))
        (x_train, _), (x_test, _) = datasets.reuters.load_data(path=path, test_split=0.5)
        assert x_train.shape == x_test.shape == (2,) and isinstance(x_train[0], list)


class Evil:
    """Runs a command when it is unpickled by something careless."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.canary}",)


class TestHostileNpz:
    def load(self, tmp_path: Path, data: bytes) -> Any:
        return datasets.imdb.load_data(path=own_file(tmp_path, "imdb.npz", data))

    def evil(self, canary: Path) -> dict[str, Any]:
        texts = np.empty(2, dtype=object)
        texts[0], texts[1] = [1, 2], Evil(canary)
        plain = np.array([0, 1])
        return {"x_train": texts, "y_train": plain, "x_test": texts, "y_test": plain}

    def test_nothing_is_run(self, tmp_path: Path) -> None:
        data = small_files.npz(**self.evil(tmp_path / "canary"))
        with pytest.raises(DataError, match=r"asks for (posix|nt)\.system.*Nothing in it was run"):
            self.load(tmp_path, data)
        assert not (tmp_path / "canary").exists()
        with np.load(io.BytesIO(data), allow_pickle=True) as careless:  # the file does what it is made for
            _ = careless["x_train"]
        assert (tmp_path / "canary").exists()

    @pytest.mark.parametrize("data", [b"", b"PK", b"no archive", small_files.imdb_npz()[:900], b"\x93NUMPY\x01\x00"])
    def test_damaged(self, tmp_path: Path, data: bytes) -> None:
        with pytest.raises(DataError, match="damaged or of another kind"):
            self.load(tmp_path, data)

    def test_flipped_bits(self, tmp_path: Path) -> None:
        whole = small_files.imdb_npz()
        for at in range(0, len(whole), 97):
            data = bytearray(whole)
            data[at] ^= 0x10
            with suppress(DataError):  # a bit in a date changes nothing; any other exception is a fault
                self.load(tmp_path, bytes(data))

    def test_another_data_set(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="must hold one array 'x_train'; it holds .*'x'"):
            self.load(tmp_path, small_files.reuters_npz())
        with pytest.raises(DataError, match="must hold a list of word numbers"):
            self.load(tmp_path, small_files.digits_npz())

    @pytest.mark.parametrize("item", ["text", [1, "two"], [1, [2]], [1.5], (1, 2), None, [True]])
    def test_texts_that_are_none(self, tmp_path: Path, item: Any) -> None:
        texts = np.empty(2, dtype=object)
        texts[0], texts[1] = [1], item
        labels = np.array([0, 1])
        with pytest.raises(DataError, match="lists of word numbers"):
            self.load(tmp_path, small_files.npz(x_train=texts, y_train=labels, x_test=texts, y_test=labels))

    def test_too_many_words(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("graphc.datasets.word_lists.MOST_WORDS", 100)
        with pytest.raises(DataError, match="more than 100 words"):
            self.load(tmp_path, small_files.imdb_npz())

    def npy(self, header: str, body: bytes = b"") -> bytes:
        text = header.encode().ljust(117) + b"\n"
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("x_train", "y_train", "x_test", "y_test"):
                archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body)
        return file.getvalue()

    @pytest.mark.parametrize(
        "header",
        [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-4, -3), }",
            "{'descr': '|V2000000000', 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '<U9', 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
            "__import__('os').system('true')",
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            "[" * 100,
        ],
    )
    def test_headers(self, tmp_path: Path, header: str) -> None:
        with pytest.raises(DataError):
            self.load(tmp_path, self.npy(header, b"12345678"))

    def test_a_good_header(self, tmp_path: Path) -> None:  # the others fail because of what they say
        data = self.npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", bytes(8))
        path = own_file(tmp_path, "x.npz", data)
        assert npz.read_npz(path, ["x_train"])[0].tolist() == [0.0]

    def test_too_large(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(npz, "LARGEST", 100)
        with pytest.raises(DataError, match="at most 100 are read"):
            self.load(tmp_path, small_files.imdb_npz())

    def test_an_array_twice(self, tmp_path: Path) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("x_train.npy", b"1")
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("x_train.npy", b"2")
        with pytest.raises(DataError, match="must hold one array"):
            self.load(tmp_path, file.getvalue())


class TestHostileTar:
    def load(self, tmp_path: Path, data: bytes) -> Any:
        return datasets.cifar10.load_data(path=own_file(tmp_path, "cifar.tar.gz", data))

    def test_nothing_is_run(self, tmp_path: Path) -> None:
        members = small_files.cifar10_batches()
        members["cifar-10-batches-py/data_batch_2"] = pickle.dumps({"data": Evil(tmp_path / "canary")}, protocol=2)
        with pytest.raises(DataError, match="Nothing in it was run"):
            self.load(tmp_path, small_files.tar_gz(members))
        assert not (tmp_path / "canary").exists()

    def test_names_lead_nowhere(self, tmp_path: Path) -> None:
        evil = {"../outside": b"x", "/tmp/../absolute": b"x", "cifar-10-batches-py/../../outside": b"x"}
        self.load(tmp_path, small_files.tar_gz({**evil, **small_files.cifar10_batches()}))
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["cifar.tar.gz"]

    @pytest.mark.parametrize(
        "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE]
    )
    def test_a_batch_that_is_no_plain_file(self, tmp_path: Path, kind: bytes) -> None:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
            info.type, info.linkname = kind, "/etc/hostname"
            archive.addfile(info)
        with pytest.raises(DataError):
            self.load(tmp_path, file.getvalue())

    def test_sparse_file_of_a_terabyte(self, tmp_path: Path) -> None:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
            info.pax_headers = {
                "GNU.sparse.size": str(2**40),
                "GNU.sparse.numblocks": "0",
                "GNU.sparse.map": f"{2**40},0",
            }
            archive.addfile(info)
        with pytest.raises(DataError):
            self.load(tmp_path, file.getvalue())

    def test_bomb(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cifar, "LARGEST", 10**6)
        members = {"zeros": bytes(3 * 10**6), **small_files.cifar10_batches()}
        with pytest.raises(DataError, match="unpacks to more than 1000000 bytes"):
            self.load(tmp_path, small_files.tar_gz(members))

    @pytest.mark.parametrize("cut", [0, 5, 300, 5000])
    def test_cut(self, tmp_path: Path, cut: int) -> None:
        with pytest.raises(DataError):
            self.load(tmp_path, small_files.tar_gz(small_files.cifar10_batches())[:cut])

    def test_a_batch_is_missing(self, tmp_path: Path) -> None:
        members = small_files.cifar10_batches()
        del members["cifar-10-batches-py/test_batch"]
        with pytest.raises(DataError, match="holds no file 'cifar-10-batches-py/test_batch'"):
            self.load(tmp_path, small_files.tar_gz(members))

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"data": [1, 2]}, "'data' must be"),
            ({"data": np.zeros((4, 3071), np.uint8)}, "'data' must be"),
            ({"data": np.zeros((4, 3072), np.float32)}, "'data' must be"),
            ({"labels": [1, 2, 3]}, "'labels' must be"),
            ({"labels": [1, 2, 3, 300]}, "'labels' must be"),
            ({"labels": [1, 2, 3, "4"]}, "'labels' must be"),
            ({"labels": None}, "'labels' must be"),
        ],
    )
    def test_batches_that_are_none(self, tmp_path: Path, change: Any, complaint: str) -> None:
        members = small_files.cifar10_batches()
        members["cifar-10-batches-py/data_batch_1"] = pickle.dumps(
            {**small_files.batch(4, 1, "labels"), **change}, protocol=2
        )
        with pytest.raises(DataError, match=complaint):
            self.load(tmp_path, small_files.tar_gz(members))


class TestHostileIdx:
    @pytest.mark.parametrize(
        ("data", "complaint"),
        [
            (b"", "is no IDX file"),
            (b"not gzip", "cannot be unpacked"),
            (small_files.idx_gz(np.zeros((2, 3), np.uint8)), "is no IDX file of uint8 with 3 axes"),
            (small_files.idx_gz(np.zeros((2, 3, 4), np.uint8))[:-9], "cannot be unpacked"),
            (small_files.gzip.compress(bytes((0, 0, 8, 3)) + b"\xff" * 12), "at most"),
            (small_files.gzip.compress(bytes((0, 0, 8, 3)) + b"\0\0\0\2" * 3 + bytes(7)), "not 8 bytes follow"),
            (small_files.gzip.compress(bytes((0, 0, 8, 3)) + b"\0\0\0\2" * 3 + bytes(9)), "not 8 bytes follow"),
            (small_files.gzip.compress(bytes((0, 0, 13, 3)) + b"\0\0\0\2" * 3 + bytes(8)), "is no IDX file"),
        ],
        ids=range(8),
    )
    def test_refused(self, tmp_path: Path, data: bytes, complaint: str) -> None:
        with pytest.raises(DataError, match=complaint):
            idx.read_idx(own_file(tmp_path, "x.gz", data), 3)

    def test_lengths_differ(self, tmp_path: Path) -> None:
        random = np.random.RandomState(5)
        for name, source in sources.FASHION_MNIST.items():
            shape = (5, 28, 28) if "images" in name else (4,)
            own_file(tmp_path, source.name, small_files.idx_gz(small_files.images(random, *shape)))
        with pytest.raises(DataError, match="4 labels for 5 images"):
            datasets.fashion_mnist.load_data(path=tmp_path / "own")


@pytest.mark.parametrize("text", ["", "[]", '{"a": "1"}', '{"a": 1.5}', "[" * 10**5, b"\xff\xfe", '{"a": 1'])
def test_hostile_word_index(tmp_path: Path, text: Any) -> None:
    path = own_file(tmp_path, "index.json", text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match="index.json"):
        datasets.imdb.get_word_index(path=path)
