"""The digits data set: what is in it, and that its tool makes it again."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from graphc.datasets import digits

ROOT = Path(__file__).resolve().parents[2]
# Taken from the text file itself: its 1,797 lines of 64 pixels, and its last column, one byte a value.
IMAGES_SHA256 = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
LABELS_SHA256 = "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"


def stored() -> dict[str, np.ndarray]:
    with resources.files("graphc.datasets").joinpath("digits.npz").open("rb") as file:
        return dict(np.load(file, allow_pickle=False))


def test_shapes_and_dtypes() -> None:
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, y_train.shape) == ((1437, 8, 8), (1437,))
    assert (x_test.shape, y_test.shape) == ((360, 8, 8), (360,))
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert (x_train.min(), x_train.max(), x_test.min(), x_test.max()) == (0, 16, 0, 16)


def test_images_and_labels_are_the_uci_test_half() -> None:
    data = stored()
    assert hashlib.sha256(data["images"].tobytes()).hexdigest() == IMAGES_SHA256
    assert hashlib.sha256(data["labels"].tobytes()).hexdigest() == LABELS_SHA256


def test_first_image_of_the_source() -> None:
    data = stored()
    assert data["labels"][0] == 0
    assert data["images"][0].tolist() == [
        [0, 0, 5, 13, 9, 1, 0, 0],
        [0, 0, 13, 15, 10, 15, 5, 0],
        [0, 3, 15, 2, 0, 11, 8, 0],
        [0, 4, 12, 0, 0, 8, 8, 0],
        [0, 5, 8, 0, 0, 9, 8, 0],
        [0, 4, 11, 0, 1, 12, 7, 0],
        [0, 2, 14, 5, 10, 12, 0, 0],
        [0, 0, 6, 13, 10, 0, 0, 0],
    ]


def test_split_uses_every_image_once() -> None:
    data = stored()
    assert sorted([*data["train"].tolist(), *data["test"].tolist()]) == list(range(1797))
    # No two images of the set are equal, so no test image can have been seen in training.
    assert len(np.unique(data["images"].reshape(1797, 64), axis=0)) == 1797


def test_split_is_stratified() -> None:
    (_, y_train), (_, y_test) = digits.load_data()
    train, test = np.bincount(y_train, minlength=10), np.bincount(y_test, minlength=10)
    assert (train + test).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert test.tolist() == [36, 37, 35, 37, 36, 36, 36, 36, 35, 36]
    assert abs(test - (train + test) * 360 / 1797).max() < 1


def test_split_is_shuffled() -> None:
    # Any stretch of 60 images has nearly all digits; sorted by class, or in the order of the split, it would not.
    (_, y_train), (_, y_test) = digits.load_data()
    for labels in (y_train, y_test):
        for start in range(0, len(labels) - 59, 60):
            assert len(set(labels[start : start + 60].tolist())) >= 9
    data = stored()
    assert abs(np.corrcoef(np.arange(1437), data["train"])[0, 1]) < 0.1


def test_images_match_their_labels() -> None:
    # The nearest training image has the right label: a wrong pairing or a wrong row order would give one in ten.
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    train = x_train.reshape(-1, 64).astype(np.float64)
    test = x_test.reshape(-1, 64).astype(np.float64)
    distances = (train**2).sum(1) - 2 * test @ train.T
    assert (y_train[distances.argmin(1)] == y_test).mean() > 0.97


def test_each_call_returns_new_arrays() -> None:
    (x_train, _), _ = digits.load_data()
    expected = x_train.copy()
    x_train[:] = 99
    np.testing.assert_array_equal(digits.load_data()[0][0], expected)


def test_licence_note_is_beside_the_data() -> None:
    note = resources.files("graphc.datasets").joinpath("digits.md").read_text(encoding="utf-8")
    for words in ("Alpaydin", "Kaynak", "1998", "CC BY 4.0", "10.24432/C50P49", "Changes"):
        assert words in note


class TestTool:
    """``tools/make_digits.py``, run as a user does."""

    @pytest.fixture
    def lines(self) -> list[str]:
        data = stored()
        return [
            ",".join(map(str, [*image.ravel().tolist(), label]))
            for image, label in zip(data["images"], data["labels"].tolist(), strict=True)
        ]

    def run(self, folder: Path, lines: list[str]) -> subprocess.CompletedProcess[str]:
        (folder / "optdigits.tes").write_text("\n".join(lines) + "\n")
        command = [sys.executable, str(ROOT / "tools" / "make_digits.py"), "optdigits.tes", "-o", "made.npz"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    def test_makes_the_shipped_arrays(self, tmp_path: Path, lines: list[str]) -> None:
        result = self.run(tmp_path, lines)
        assert result.returncode == 0, result.stderr
        made = dict(np.load(tmp_path / "made.npz", allow_pickle=False))
        shipped = stored()
        assert list(made) == list(shipped)
        for name, array in shipped.items():
            assert made[name].dtype == array.dtype
            np.testing.assert_array_equal(made[name], array)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda lines: lines[:-1], r"shape \(1796, 65\), expected \(1797, 65\)"),
            (lambda lines: ["17" + lines[0][1:], *lines[1:]], "pixels from 0 to 16"),
            (lambda lines: [lines[0][:-1] + "1", *lines[1:]], "images of the digits"),
        ],
        ids=["a line too few", "a pixel of 17", "a wrong label"],
    )
    def test_refuses_another_file(
        self, tmp_path: Path, lines: list[str], change: Callable[[list[str]], list[str]], message: str
    ) -> None:
        result = self.run(tmp_path, change(lines))
        assert result.returncode == 2
        assert "Traceback" not in result.stderr
        assert re.search(message, result.stderr)
        assert not (tmp_path / "made.npz").exists()
