"""What is fed is checked before a runtime sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphc.errors import ArgumentError, DataError, DTypeError, ShapeError
from graphc.runtimes.feeds import FeedType, check_feeds

IMAGE = FeedType("float32", ("batch", 4, None))
LABEL = FeedType("int64", ("batch",))
TYPES = {
    "image": IMAGE,
    "label": LABEL,
    "rate": FeedType("float32", (), required=False),
    "any": FeedType("", None, False),
}


def good(**changes: Any) -> dict[str, Any]:
    return {"image": np.zeros((2, 4, 5), np.float32), "label": np.zeros(2, np.int64)} | changes


def test_feeds_that_fit_are_not_copied() -> None:
    feeds = good(any="text", rate=np.float32(0.5))
    arrays = check_feeds(TYPES, feeds)
    assert arrays["image"] is feeds["image"]
    assert arrays["rate"].shape == ()
    assert arrays["any"] == "text"


def test_a_foreign_byte_order_is_mended() -> None:
    (array,) = check_feeds({"x": FeedType("float32", (2,))}, {"x": np.array([1, 2], ">f4")}).values()
    assert array.dtype == np.float32
    assert array.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("feeds", "error", "message"),
    [
        ([1, 2], ArgumentError, "feeds must map input names to arrays; got list."),
        ({}, ArgumentError, "No value was given for inputs 'image' (float32[batch, 4, ?]), 'label' (int64[batch])."),
        (
            {"label": np.zeros(2, np.int64)},
            ArgumentError,
            "No value was given for input 'image' (float32[batch, 4, ?]).",
        ),
        (good(imgae=1), ArgumentError, "There is no input 'imgae'. Did you mean \"image\"?"),
        (
            good(image=np.zeros((2, 4, 5))),
            DTypeError,
            "Input 'image' must be float32[batch, 4, ?]; got float64[2, 4, 5]; convert it with .astype('float32').",
        ),
        (
            good(label=np.array(["a", "b"])),
            DTypeError,
            "Input 'label' must be int64[batch]; got <U1[2].",
        ),
        (good(label=np.array([None, 1])), DTypeError, "Input 'label' must be int64[batch]; got object[2]."),
        (
            good(label=[[1], [2, 3]]),
            DataError,
            "The value of input 'label' cannot be made an array: setting an array element with a sequence. The "
            "requested array has an inhomogeneous shape after 1 dimensions. The detected shape was (2,) + "
            "inhomogeneous part.",
        ),
        (
            good(image=np.zeros((2, 4), np.float32)),
            ShapeError,
            "Input 'image' must be float32[batch, 4, ?], of rank 3; got float32[2, 4], of rank 2.",
        ),
        (
            good(image=np.zeros((2, 3, 5), np.float32)),
            ShapeError,
            "Input 'image' must be float32[batch, 4, ?]; got float32[2, 3, 5]: axis 1 must be 4, not 3.",
        ),
        (
            good(label=np.zeros(3, np.int64)),
            ShapeError,
            "Dim 'batch' is 2 at axis 0 of input 'image' and 3 at axis 0 of input 'label'; they must be equal.",
        ),
    ],
)
def test_feeds_that_do_not_fit(feeds: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        check_feeds(TYPES, feeds)
    assert str(caught.value) == message


def test_expressions_of_named_dims_are_checked() -> None:
    types = {
        "x": FeedType("float32", ("n",)),
        "y": FeedType("float32", ("2*n + 1",)),
        "z": FeedType("float32", ("N+?",)),
    }
    feeds = {"x": np.zeros(3, np.float32), "y": np.zeros(7, np.float32), "z": np.zeros(9, np.float32)}
    assert check_feeds(types, feeds).keys() == types.keys(), "what is not an expression is only a name"
    with pytest.raises(ShapeError, match=r"Dim '2\*n \+ 1' must be 7 at axis 0 of input 'y'; got 6"):
        check_feeds(types, feeds | {"y": np.zeros(6, np.float32)})
    assert check_feeds({"y": types["y"]}, {"y": feeds["y"]}), "n is not known here"
