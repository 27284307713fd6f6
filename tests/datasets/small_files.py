"""Small files in the formats of the published data sets, made of seeded random numbers."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def npz(**arrays: Array) -> bytes:
    """An archive of arrays; arrays of objects are pickled, as NumPy does it."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=True, **arrays)
    return file.getvalue()


def images(random: np.random.RandomState, *shape: int) -> Array:
    """Pixels."""
    return random.randint(0, 256, shape).astype(np.uint8)


def digits_npz() -> bytes:
    """MNIST's format: 7 and 3 images."""
    random = np.random.RandomState(0)
    return npz(
        x_train=images(random, 7, 28, 28),
        y_train=random.randint(0, 10, 7).astype(np.uint8),
        x_test=images(random, 3, 28, 28),
        y_test=random.randint(0, 10, 3).astype(np.uint8),
    )


def texts(random: np.random.RandomState, count: int) -> Array:
    """Lists of word numbers, of different lengths, most of them small, a few large."""
    found = np.empty(count, dtype=object)
    for i in range(count):
        found[i] = [int(n) for n in random.zipf(1.4, random.randint(3, 30)) if n < 80000] + [1]
    return found


def imdb_npz() -> bytes:
    """IMDB's format: 40 and 25 texts."""
    random = np.random.RandomState(1)
    return npz(
        x_train=texts(random, 40),
        y_train=random.randint(0, 2, 40),
        x_test=texts(random, 25),
        y_test=random.randint(0, 2, 25),
    )


def reuters_npz() -> bytes:
    """Reuters's format: 53 texts."""
    random = np.random.RandomState(2)
    return npz(x=texts(random, 53), y=random.randint(0, 46, 53))


def houses_npz(rows: int, features: int) -> bytes:
    """The format of the two data sets of houses."""
    random = np.random.RandomState(3)
    return npz(x=random.random_sample((rows, features)), y=10 + 40 * random.random_sample(rows))


def idx_gz(array: Array) -> bytes:
    """MNIST's own format, as Fashion-MNIST has it."""
    header = bytes((0, 0, 8, array.ndim)) + b"".join(struct.pack(">I", n) for n in array.shape)
    return gzip.compress(header + array.tobytes())


def tar_gz(members: Mapping[str, bytes]) -> bytes:
    """An archive of files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def batch(rows: int, seed: int, *label_keys: str) -> dict[str, Any]:
    """A batch of CIFAR."""
    random = np.random.RandomState(seed)
    labels = {key: [int(n) for n in random.randint(0, 10 + 90 * (key == "fine_labels"), rows)] for key in label_keys}
    return {"batch_label": "a batch", **labels, "data": images(random, rows, 3072), "filenames": ["x.png"] * rows}


def cifar10_batches(dump: Any = None) -> dict[str, bytes]:
    """CIFAR-10's files: five batches of 4 images, and 3 to test with."""
    dump = dump or python2_pickle
    found = {f"cifar-10-batches-py/data_batch_{i}": dump(batch(4, i, "labels")) for i in range(1, 6)}
    return {
        "cifar-10-batches-py/batches.meta": b"?",
        **found,
        "cifar-10-batches-py/test_batch": dump(batch(3, 9, "labels")),
    }


def cifar100_batches(dump: Any = None) -> dict[str, bytes]:
    """CIFAR-100's files: 6 images, and 5 to test with."""
    dump = dump or python2_pickle
    return {
        f"cifar-100-python/{name}": dump(batch(rows, rows, "fine_labels", "coarse_labels"))
        for name, rows in (("train", 6), ("test", 5))
    }


def python3_pickle(value: Any) -> bytes:
    """A pickle as Python 3 writes it in Python 2's protocol."""
    return pickle.dumps(value, protocol=2)


def python2_pickle(value: Any) -> bytes:
    """A pickle of protocol 2 as Python 2 wrote it: strings are bytes."""
    return b"\x80\x02" + _python2(value) + b"."


def _python2(value: Any) -> bytes:
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        if 0 <= value < 256:
            return b"K" + bytes([value])
        return b"M" + struct.pack("<H", value) if 0 <= value < 65536 else b"J" + struct.pack("<i", value)
    if isinstance(value, str | bytes):
        data = value.encode() if isinstance(value, str) else value
        return (b"U" + bytes([len(data)]) if len(data) < 256 else b"T" + struct.pack("<i", len(data))) + data + b"q\x01"
    if isinstance(value, list):
        return b"](" + b"".join(map(_python2, value)) + b"e"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(_python2, value)) + b"t"
    if isinstance(value, dict):
        return b"}(" + b"".join(_python2(k) + _python2(v) for k, v in value.items()) + b"u"
    assert isinstance(value, np.ndarray) and value.dtype == np.uint8
    made = (
        b"cnumpy.core.multiarray\n_reconstruct\n"
        + b"cnumpy\nndarray\n"
        + _python2((0,))
        + _python2("b")
        + b"\x87Rq\x02"
    )
    dtype = b"cnumpy\ndtype\n" + _python2(("u1", 0, 1)) + b"R" + _python2((3, "|", None, None, None, -1, -1, 0)) + b"b"
    return made + b"(" + _python2(1) + _python2(value.shape) + dtype + b"\x89" + _python2(value.tobytes()) + b"tb"
