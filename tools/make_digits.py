"""Makes ``graphc/datasets/digits.npz`` from UCI's text file, byte for byte the same with the same zlib.

    python tools/make_digits.py optdigits.tes

The input is the test half of "Optical Recognition of Handwritten Digits" (https://doi.org/10.24432/C50P49): 1,797 lines
of 65 integers with commas, 64 pixels from 0 to 16 and the digit. A file that ends in .gz is decompressed, so
scikit-learn's ``digits.csv.gz``, which is a copy of it, does too. ``graphc/datasets/digits.md`` explains the split.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

TARGET = Path(__file__).resolve().parents[1] / "graphc" / "datasets" / "digits.npz"
SEED = 1998
TEST_IMAGES = 360
CLASS_COUNTS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)  # from UCI's description of the test half


def read_table(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Reads UCI's text form into images ``(1797, 8, 8)`` and labels ``(1797,)``; raises ValueError for another file."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    table = np.loadtxt(io.BytesIO(content), delimiter=",", dtype=np.int64, ndmin=2)
    if table.shape != (sum(CLASS_COUNTS), 65):
        raise ValueError(
            f"{path} has the shape {table.shape}, expected {(sum(CLASS_COUNTS), 65)}: is it optdigits.tes?"
        )
    pixels, labels = table[:, :64], table[:, 64]
    if pixels.min() != 0 or pixels.max() != 16 or labels.min() != 0 or labels.max() != 9:
        raise ValueError(f"{path} has values that are not pixels from 0 to 16 and digits from 0 to 9")
    counts = tuple(np.bincount(labels, minlength=10).tolist())
    if counts != CLASS_COUNTS:
        raise ValueError(f"{path} has {counts} images of the digits 0 to 9, expected {CLASS_COUNTS}")
    return pixels.astype(np.uint8).reshape(-1, 8, 8), labels.astype(np.uint8)


def split(labels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Returns the row numbers for training ``(1437,)`` and for testing ``(360,)``, stratified and shuffled."""
    left = share_by_class(np.bincount(labels, minlength=10).tolist(), TEST_IMAGES)
    train: list[int] = []
    test: list[int] = []
    for row in shuffled(range(len(labels)), "split"):
        digit = int(labels[row])
        if left[digit]:
            left[digit] -= 1
            test.append(row)
        else:
            train.append(row)
    # Shuffled again: in the order of the split, a class that filled its share late would be rare early in `train`.
    return np.array(shuffled(train, "order"), np.uint16), np.array(shuffled(test, "order"), np.uint16)


def shuffled(rows: Iterable[int], purpose: str) -> list[int]:
    """Orders `rows` by a hash: a generator's stream may change with its version, SHA-256 cannot."""
    return sorted(rows, key=lambda row: hashlib.sha256(f"graphc-digits-{SEED}-{purpose}-{row}".encode()).digest())


def share_by_class(counts: list[int], total: int) -> list[int]:
    """Divides `total` in proportion to `counts`, in whole numbers (largest remainders; the lower class wins a tie)."""
    size = sum(counts)
    shares = [count * total // size for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda digit: (-(counts[digit] * total % size), digit))
    for digit in by_remainder[: total - sum(shares)]:
        shares[digit] += 1
    return shares


def write_npz(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Writes a compressed .npz whose bytes depend on the arrays and on zlib alone: no time, no operating system."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o644 << 16
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, buffer.getvalue(), compresslevel=9)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make graphc/datasets/digits.npz from UCI's optdigits.tes.")
    parser.add_argument("source", type=Path, help="optdigits.tes, or a copy of it; .gz is decompressed")
    parser.add_argument("-o", "--output", type=Path, default=TARGET, help="where to write (default: into the package)")
    arguments = parser.parse_args()
    try:
        images, labels = read_table(arguments.source)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    train, test = split(labels)
    write_npz(arguments.output, {"images": images, "labels": labels, "train": train, "test": test})
    size = arguments.output.stat().st_size
    print(f"{arguments.output}: {len(train)} training and {len(test)} test images, {size:,} bytes")


if __name__ == "__main__":
    main()
