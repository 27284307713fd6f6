"""Where the data sets are published, and the hashes that tell the right files: those that Keras 3 publishes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphc.download import local_or_fetched

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TORONTO = "https://www.cs.toronto.edu/~kriz/"


@dataclass(frozen=True)
class Source:
    """A published file.

    Attributes:
        url: where it is.
        hash: SHA-256 or MD5.
        folder: its folder in the cache.
        keras_names: paths below Keras's cache folder where Keras keeps it, where these are not ``folder/name``.
    """

    url: str
    hash: str
    folder: str = "datasets"
    keras_names: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The file's name, in the cache as where it is published."""
        return self.url.rpartition("/")[2]

    def fetch(self) -> Path:
        """The file, downloaded if need be; errors as of `graphc.download.fetch`."""
        return self.fetch_or_take(self.name)

    def fetch_or_take(self, path: Any) -> Path:
        """The user's own file if ``path`` is one; errors as of `graphc.download.local_or_fetched`."""
        return local_or_fetched(
            path, self.url, self.name, folder=self.folder, known_hash=self.hash, keras_names=self.keras_names
        )


def _google(name: str, hash_: str, folder: str = "datasets") -> Source:
    return Source(_GOOGLE + name, hash_, folder)


MNIST = _google("mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1")
BOSTON_HOUSING = _google("boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5")
CALIFORNIA_HOUSING = _google(
    "california_housing.npz", "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
)
IMDB = _google("imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f")
IMDB_WORD_INDEX = _google("imdb_word_index.json", "bfafd718b763782e994055a2d397834f")
REUTERS = _google("reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916")
REUTERS_WORD_INDEX = _google("reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921")

# Keras publishes no hashes of these four. They are those that the data set's authors publish
# (https://github.com/zalandoresearch/fashion-mnist#get-the-data); the files at this address have the same sizes.
FASHION_MNIST = {
    key: _google(f"{name}-ubyte.gz", md5, "datasets/fashion-mnist")
    for key, name, md5 in (
        ("train_labels", "train-labels-idx1", "25c81989df183df01b3e8a0aad5dffbe"),
        ("train_images", "train-images-idx3", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("test_labels", "t10k-labels-idx1", "bb300cfdad3c16e7a12a480ee83cd310"),
        ("test_images", "t10k-images-idx3", "bef4ecab320f06d8554ea6380940ec79"),
    )
}

CIFAR10 = Source(
    _TORONTO + "cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    keras_names=("datasets/cifar-10-batches-py-target_archive", "datasets/cifar-10-batches-py.tar.gz"),
)
CIFAR100 = Source(
    _TORONTO + "cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    keras_names=("datasets/cifar-100-python-target_archive", "datasets/cifar-100-python.tar.gz"),
)
