"""Real handwritten digits that ship inside the package: no download, no network.

The 1,797 images of the test half of *Optical Recognition of Handwritten Digits* (E. Alpaydin and C. Kaynak, 1998,
UCI Machine Learning Repository, https://doi.org/10.24432/C50P49), licensed under CC BY 4.0. ``digits.md`` beside this
file has the whole note: citation, licence, what was changed and how the split was made.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

UInt8Array: TypeAlias = npt.NDArray[np.uint8]


def load_data() -> tuple[tuple[UInt8Array, UInt8Array], tuple[UInt8Array, UInt8Array]]:
    """Loads the digits as ``(x_train, y_train), (x_test, y_test)``.

    The split is fixed and stored in the data file: 1,437 images to train with and 360 to test with, each class in the
    same proportion in both, the images of both in a shuffled order. UCI's own training half was written by other people
    than this half, but only this half is here, and it does not say who wrote which image. So the same 13 people wrote
    the training and the test images: a test accuracy measures new images by known hands, not new hands.

    Returns:
        Two pairs of new arrays, all ``uint8``. ``x_train`` is ``(1437, 8, 8)`` and ``x_test`` is ``(360, 8, 8)``, as
        ``(image, row, column)``; a pixel is the number of inked dots, 0 to 16, in a block of 4x4 of the scanned form
        (divide by 16 to get 0 to 1). ``y_train`` is ``(1437,)`` and ``y_test`` is ``(360,)``: the digit, 0 to 9.

    Source: UCI "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, 1998; licence CC BY 4.0.
    """
    # Imported here because it loads zipfile and tempfile, which `import graphc` has no use for.
    from importlib import resources

    with (
        resources.files("graphc.datasets").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as data,
    ):
        images, labels = data["images"], data["labels"]
        train, test = data["train"], data["test"]
    return (images[train], labels[train]), (images[test], labels[test])
